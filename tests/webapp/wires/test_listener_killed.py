"""The listener is killed (SIGKILL) while it sends, again and again: nothing leaves twice, nothing is forgotten.

The acceptance is this file with YUNLIU_SMS_KILLS=200 YUNLIU_SMS_MESSAGES=500 and `pytest --timeout 3600 -s`.
"""

from __future__ import annotations

import os
import random
import sys
import time
from collections import Counter
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from engine import clock, jobs, outbox
from engine.db import Sessions, transaction
from engine.models import Lease, OutboxMessage
from tests.connectors.pty_modem import PtyModem
from tests.databases import Database
from tests.webapp.wires.killing import Nursery
from tests.webapp.wires.test_wires import until

KILLS = int(os.environ.get("YUNLIU_SMS_KILLS", "4"))
MESSAGES = int(os.environ.get("YUNLIU_SMS_MESSAGES", "12"))
LONGEST_LIFE = 0.5
"""seconds after its first message; one leaves every 0.15 s, and for 0.1 s of them the modem has it and says nothing"""


def text_of(number: int) -> str:
    """Every third is of two parts; each part tells which message it is of."""
    return f"{number:04}云" * (20 if number % 3 == 0 else 1)


@pytest.mark.slow
def test_whatever_the_moment_nothing_leaves_twice_and_nothing_is_forgotten(database: Database, tmp_path: Path) -> None:
    chance = random.Random(4821)
    with transaction() as session:
        for number in range(MESSAGES):
            to = f"+86199{number:08}"
            outbox.enqueue(session, channel="sms", key=f"sms:{number}", payload={"to": to, "text": text_of(number)})
    Sessions.remove()
    with PtyModem(delay=0.1) as modem, Nursery(database, tmp_path, sms_modem=modem.device) as nursery:
        for _kill in range(KILLS):
            pid = nursery.start()
            _live(modem, chance)
            nursery.kill(pid)
            _let_time_pass()
        modem.delay = 0.0
        pid = nursery.start()
        until(lambda: not {"queued", "sending"} & set(_states()), seconds=60 + MESSAGES)
        time.sleep(0.5)
        nursery.kill(pid)
        _let_time_pass()
        _judge(modem)


def _live(modem: PtyModem, chance: random.Random) -> None:
    """Some die while they open the modem, most in the middle of sending."""
    begun = len(modem.commands)
    if chance.random() < 0.2:
        time.sleep(chance.uniform(0, 1))
        return
    end = time.monotonic() + 20
    while not any(command.startswith("+CMGS") for command in modem.commands[begun:]):
        if time.monotonic() > end or not _states()["queued"]:
            return
        time.sleep(0.01)
    time.sleep(chance.uniform(0, LONGEST_LIFE))


def _let_time_pass() -> None:
    """What minutes would do: the leases of the dead end, and the sweeper finds what they held."""
    past = clock.now() - timedelta(seconds=1)
    with transaction() as session:
        session.execute(update(Lease).values(until=past))
        session.execute(update(OutboxMessage).where(OutboxMessage.state == "sending").values(lease_until=past))
    Sessions.remove()
    jobs.sweep()


def _states() -> Counter[str]:
    with transaction() as session:
        found = Counter(session.scalars(select(OutboxMessage.state)))
    Sessions.remove()
    return found


def _judge(modem: PtyModem) -> None:
    parts = Counter((part.number, part.total, part.index) for part in modem.parts)
    twice = {part: count for part, count in parts.items() if count > 1}
    assert not twice, "a part left twice"
    left = {message.text for message in modem.messages()}
    with transaction() as session:
        rows = session.execute(select(OutboxMessage.state, OutboxMessage.payload, OutboxMessage.result)).all()
    Sessions.remove()
    assert len(rows) == MESSAGES
    for state, payload, result in rows:
        text = payload["text"]
        if state in ("sent", "delivered"):
            assert text in left, f"{text[:5]} is said to have left and has not"
            assert len(result["parts_sent"]) == result["total"]
        else:
            assert state == "unknown", f"{text[:5]} is {state}"
    states = _states()
    doubtful = [payload["text"] in left for state, payload, _result in rows if state == "unknown"]
    sys.stdout.write(
        f"\n{KILLS} kills, {MESSAGES} messages: {len(left)} have left whole, {dict(states)};"
        f" of the doubtful {sum(doubtful)} had left, {len(doubtful) - sum(doubtful)} had not\n"
    )
