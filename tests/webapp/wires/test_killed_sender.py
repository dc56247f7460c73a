"""A bulk of texts whose sender is killed again and again: none twice, none forgotten, the doubtful shown as such."""

from __future__ import annotations

import os
import random
import signal
import time
from collections import Counter
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from connectors.sms.gateway import GatewaySms
from connectors.sms.simulator import SimulatedSmsRoad
from engine import clock, db, delivering, jobs, outbox
from engine.db import Sessions, transaction
from engine.models import OutboxMessage, WireGate
from engine.wire import Limits
from tests.connectors.http_peer import Peer, http_peer
from tests.databases import Database
from webapp.wires import SMS, SmsHandler

BULK = 500
WARM = "warm"
KILLS = int(os.environ.get("YUNLIU_TEST_KILLS", "30"))
"""a release is tried with 200"""
LONGEST_LIFE = 0.06
"""seconds; some senders die before their first message, some after a dozen"""


@pytest.mark.slow
@pytest.mark.timeout(300 + 10 * KILLS)
def test_a_bulk_survives_its_senders(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox, "HANDLERS", {})
    put(BULK)
    with http_peer() as gateway:
        chance = random.Random(7)
        kills = 0
        while kills < KILLS or (kills < 4 * KILLS and len(gateway.asked) < KILLS / 4):
            database.engine.dispose()  # a forked connection must not be shared
            longest = LONGEST_LIFE * (1 + kills // KILLS)  # a busy machine gets less done in a life: then longer ones
            kill_in_the_middle(database.url, gateway, chance.uniform(0.0, longest))
            clear_up()
            kills += 1
        killed = states()
        outbox.HANDLERS[SMS] = SmsHandler(GatewaySms.from_url(gateway.url))
        drain()
    heard = Counter(asked.headers["idempotency-key"] for asked in gateway.asked if asked.line)
    left = states()
    assert killed["sent"] + killed["unknown"] >= KILLS / 4, "the killed senders did get some work done"
    assert [one for one, times in heard.items() if times > 1] == [], "none left twice"
    assert set(left) <= {"sent", "unknown"}, "none is forgotten"
    assert left["sent"] + left["unknown"] == BULK
    unsure = {str(one) for one in ids("unknown")}
    assert len(heard.keys() - unsure) == left["sent"], "what is called sent has left; what may have left is in doubt"
    assert left["unknown"] <= killed["unknown"], "a sender that is let live leaves no doubt"


def put(count: int) -> None:
    with transaction() as session:
        for number in range(count):
            payload = {"to": f"+86138{number:08d}", "text": f"第 {number} 条通知"}
            outbox.enqueue(session, channel=SMS, key=f"bulk:{number}", payload=payload)
    Sessions.remove()


def kill_in_the_middle(url: str, gateway: Peer, life: float) -> None:
    ours, theirs = os.pipe()
    child = os.fork()
    if not child:
        try:
            db.bind(url)
            warm_up()
            outbox.HANDLERS[SMS] = SmsHandler(GatewaySms.from_url(gateway.url), Limits())
            os.write(theirs, b"!")
            while True:
                delivering.deliver_outbox()
                time.sleep(0.005)
        finally:
            os._exit(1)
    os.close(theirs)
    os.read(ours, 1)  # its life begins when it is ready
    os.close(ours)
    time.sleep(life)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)


def warm_up() -> None:
    """Connect and send something harmless once: from then on it is the work that is killed, not its beginning."""
    outbox.HANDLERS[WARM] = SmsHandler(SimulatedSmsRoad())
    with transaction() as session:
        payload = {"to": "+8613800138000", "text": "warm"}
        outbox.enqueue(session, channel=WARM, key=f"{WARM}:{os.getpid()}:{time.monotonic()}", payload=payload)
    delivering.deliver_outbox()
    outbox.HANDLERS.clear()


def clear_up() -> None:
    """What the sweeper does minutes later, when the dead sender's leases have ended."""
    with transaction() as session:
        over = clock.now() - timedelta(seconds=1)
        session.execute(update(OutboxMessage).where(OutboxMessage.state == "sending").values(lease_until=over))
        session.execute(update(WireGate).values(closed_until=None, failures=0))
    jobs.sweep()
    Sessions.remove()


def drain() -> None:
    end = time.monotonic() + 60
    while states()["queued"] and time.monotonic() < end:
        delivering.deliver_outbox()


def states() -> Counter[str]:
    with transaction() as session:
        found = Counter(session.scalars(select(OutboxMessage.state).where(OutboxMessage.channel == SMS)))
    Sessions.remove()
    return found


def ids(state: str) -> list[int]:
    with transaction() as session:
        found = list(
            session.scalars(select(OutboxMessage.id).where(OutboxMessage.channel == SMS, OutboxMessage.state == state))
        )
    Sessions.remove()
    return found
