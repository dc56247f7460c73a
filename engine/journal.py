"""Writes the two append-only logs, each a chain of hashes: what happened in a process, what changed in a record."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.models import InstanceLog, RecordAudit


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of an instance's log before it is chained."""

    action: str
    node: str = ""
    token: int | None = None
    item_id: int | None = None
    on_behalf_of: int | None = None
    detail: dict[str, Any] = field(default_factory=dict)


def digest(previous: str, facts: list[Any]) -> str:
    """SHA-256 over the previous link and this line's facts, as canonical JSON; the recipe `verify` repeats offline."""
    text = json.dumps([previous, *facts], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="microseconds")


def chain(
    instance_id: int,
    seq: int,
    head: str,
    at: datetime,
    actor: Actor,
    entries: Iterable[Entry],
) -> tuple[list[dict[str, Any]], int, str]:
    """Rows for instance_log after (seq, head); returns them with the new (seq, head)."""
    rows = []
    for entry in entries:
        seq += 1
        facts = [
            instance_id,
            seq,
            _instant(at),
            actor.person_id,
            actor.name,
            entry.on_behalf_of,
            entry.action,
            entry.node,
            entry.token,
            entry.item_id,
            entry.detail,
        ]
        head = digest(head, facts)
        rows.append(
            {
                "instance_id": instance_id,
                "seq": seq,
                "at": at,
                "actor_id": actor.person_id,
                "actor_name": actor.name,
                "on_behalf_of": entry.on_behalf_of,
                "action": entry.action,
                "node": entry.node,
                "token": entry.token,
                "item_id": entry.item_id,
                "detail": entry.detail,
                "hash": head,
            }
        )
    return rows, seq, head


def facts_of(line: InstanceLog) -> list[Any]:
    """What a line's hash is taken over, after the hash before it."""
    return [
        line.instance_id,
        line.seq,
        _instant(line.at),
        line.actor_id,
        line.actor_name,
        line.on_behalf_of,
        line.action,
        line.node,
        line.token,
        line.item_id,
        line.detail,
    ]


def audit(
    session: Session,
    actor: Actor,
    record_type: str,
    record_id: int,
    action: str,
    before: dict[str, Any] | None,
    after: dict[str, Any] | None,
) -> None:
    """Note who changed a business record and how; part of the change's own transaction.

    before/after: JSON-able values of the changed fields only (None: it did not exist / exists no more).
    """
    last = session.execute(
        select(RecordAudit.seq, RecordAudit.hash)
        .where(RecordAudit.record_type == record_type, RecordAudit.record_id == record_id)
        .order_by(RecordAudit.seq.desc())
        .limit(1)
    ).first()
    seq, head = (last.seq + 1, last.hash) if last else (1, "")
    at = clock.now()
    facts = [
        record_type,
        record_id,
        seq,
        _instant(at),
        actor.person_id,
        actor.name,
        action,
        before,
        after,
    ]
    session.add(
        RecordAudit(
            record_type=record_type,
            record_id=record_id,
            seq=seq,
            at=at,
            actor_id=actor.person_id,
            actor_name=actor.name,
            action=action,
            before=before,
            after=after,
            hash=digest(head, facts),
        )
    )


@dataclass(frozen=True, slots=True)
class Break:
    """A place where a chain does not hold."""

    kind: str
    id: int | str
    seq: int
    why: str


def verify_instance(session: Session, instance_id: int, seq: int, head: str) -> Iterator[Break]:
    """Compare an instance's log with its own hashes and with the head kept on the instance (seq, head)."""
    previous, expected = "", 0
    rows = session.scalars(
        select(InstanceLog).where(InstanceLog.instance_id == instance_id).order_by(InstanceLog.seq)
    ).yield_per(500)
    for row in rows:
        expected += 1
        if row.seq != expected:
            yield Break("instance", instance_id, row.seq, f"line {expected} is missing")
            expected = row.seq
        if digest(previous, facts_of(row)) != row.hash:
            yield Break("instance", instance_id, row.seq, "the line does not match its hash")
        previous = row.hash
    if (expected, previous) != (seq, head):
        yield Break(
            "instance",
            instance_id,
            seq,
            "the log does not end where the instance says it ends",
        )


def verify_records(session: Session) -> Iterator[Break]:
    """Walk every record's chain in one pass over the table."""
    key: tuple[str, int] | None = None
    previous, expected = "", 0
    rows = session.scalars(
        select(RecordAudit).order_by(RecordAudit.record_type, RecordAudit.record_id, RecordAudit.seq)
    ).yield_per(500)
    for row in rows:
        if (row.record_type, row.record_id) != key:
            key, previous, expected = (row.record_type, row.record_id), "", 0
        expected += 1
        facts = [
            row.record_type,
            row.record_id,
            row.seq,
            _instant(row.at),
            row.actor_id,
            row.actor_name,
            row.action,
            row.before,
            row.after,
        ]
        if row.seq != expected:
            yield Break(row.record_type, row.record_id, row.seq, f"line {expected} is missing")
            expected = row.seq
        elif digest(previous, facts) != row.hash:
            yield Break(
                row.record_type,
                row.record_id,
                row.seq,
                "the line does not match its hash",
            )
        previous = row.hash
