"""Mails a second that one worker brings from the outbox to a wire that takes everything at once."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Engine, insert, text

from connectors.mail.transport import MailResult, OutMail
from connectors.outcome import Health, LinkState, Outcome
from engine import clock, delivering, outbox
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from webapp.wires import MAIL, MailHandler

MAILS, BATCH = 10_000, 50


@dataclass(frozen=True, slots=True)
class NullRoad:
    """Takes every mail and forgets it."""

    name: str = "null"

    def send(self, m: OutMail) -> MailResult:
        return MailResult.alike(Outcome.accepted("smtp_250"), m.to, f"<{m.id}@null>")

    def health(self) -> Health:
        return Health(LinkState.UP)


def fill(session_count: int) -> None:
    """So many mails of a usual size, ready to leave."""
    now = clock.now()
    rows = [
        {
            "channel": MAIL,
            "key": f"mail:bench:{now.timestamp()}:{number}",
            "payload": {"to": [f"li.na{number}@example.cn"], "subject": "您的费用申请已批准", "text": "您好！" * 200},
            "state": "queued",
            "attempts": 0,
            "fence": 0,
            "available_at": now,
            "result": {},
            "last_error": "",
            "created_at": now,
            "created_by": 0,
        }
        for number in range(session_count)
    ]
    with transaction() as session:
        session.execute(insert(OutboxMessage), rows)
    Sessions.remove()


def ours(mails: int) -> float:
    """Mails a second, with leases, begun attempts, results, the log of attempts and the gate."""
    fill(mails)
    before = dict(outbox.HANDLERS)
    outbox.HANDLERS.clear()
    outbox.HANDLERS[MAIL] = MailHandler(NullRoad(), organizer="bpm@example.cn")
    began = time.perf_counter()
    try:
        sent = delivering.deliver_outbox()
    finally:
        outbox.HANDLERS.clear()
        outbox.HANDLERS.update(before)
    if sent != mails:
        raise AssertionError(f"{sent} of {mails} mails left")
    return mails / (time.perf_counter() - began)


def bare(engine: Engine, mails: int) -> float:
    """The same rows taken and settled by hand-written SQL in the same batches, without a word about what was tried."""
    fill(mails)
    skip = "FOR UPDATE SKIP LOCKED" if engine.dialect.name == "postgresql" else ""
    take = text(
        "UPDATE outbox SET state = 'sending', fence = fence + 1 WHERE id IN (SELECT id FROM outbox "
        f"WHERE state = 'queued' AND channel = 'mail' "
        f"ORDER BY available_at, id LIMIT {BATCH} {skip}) RETURNING id, payload"
    )
    settle = text("UPDATE outbox SET state = 'sent', result = :result WHERE id = :id AND state = 'sending'")
    began = time.perf_counter()
    left = mails
    while left:
        with engine.begin() as connection:
            taken = [row.id for row in connection.execute(take)]
        with engine.begin() as connection:
            connection.execute(settle, [{"id": one, "result": '{"road": "null"}'} for one in taken])
        left -= len(taken)
    return mails / (time.perf_counter() - began)
