"""The same POST twice is one: its answer is remembered with what it did, in one transaction."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.errors import AppError, Problem
from engine.i18n import _
from engine.models import IdempotencyKey
from webapp.api.reading import InvalidRequest
from webapp.api.uploads import Upload

HEADER = "Idempotency-Key"
REPLAYED = "Idempotent-Replayed"
LONGEST = 120


class KeyReused(AppError):
    status = 422
    code = "idempotency_key_reused"


@dataclass(frozen=True, slots=True)
class Remembered:
    """An answer as it was given the first time."""

    status: int
    body: Any
    headers: dict[str, str] = field(default_factory=dict)


def check_key(key: str) -> None:
    if not key.isascii() or not key.isprintable() or not 1 <= len(key) <= LONGEST:
        raise InvalidRequest(
            [Problem(HEADER, _("A key has 1 to {count} printable ASCII characters.", count=LONGEST), rule="invalid")]
        )


def fingerprint(address: str, raw: bytes, uploads: tuple[Upload, ...]) -> str:
    """SHA-256 of what is asked for. A multipart body counts by its parts: its boundary is another each time."""
    digest = hashlib.sha256(address.encode())
    if uploads:
        for upload in sorted(uploads, key=lambda one: (one.field, one.name)):
            digest.update(f"\0{upload.field}\0{upload.name}\0{upload.sha256}".encode())
    else:
        digest.update(b"\0" + raw)
    return digest.hexdigest()


def take(session: Session, actor: Actor, key: str, body_sha256: str) -> Remembered | None:
    """Claim the key for this transaction (None), or the answer that the same request was given before.

    Who comes while the first still runs waits here for its end: PostgreSQL holds the second insert back until the first
    is committed or undone, SQLite has one writer at a time. A refused request leaves no trace and may be repeated.

    Raises KeyReused when the key was used for something else.
    """
    dialect = session.get_bind().dialect.name
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(IdempotencyKey)
    mine = session.scalar(
        insert.values(person_id=actor.person_id, key=key, body_sha256=body_sha256, status=0, answer={}, at=clock.now())
        .on_conflict_do_nothing(index_elements=["person_id", "key"])
        .returning(IdempotencyKey.key)
    )
    if mine is not None:
        return None
    row = session.execute(
        select(IdempotencyKey.body_sha256, IdempotencyKey.status, IdempotencyKey.answer).where(*_of(actor, key))
    ).one()
    if row.body_sha256 != body_sha256:
        raise KeyReused(_("This key was used for another request."), remedy=_("Choose a new key for each new request."))
    return Remembered(row.status, row.answer["body"], row.answer["headers"])


def remember(session: Session, actor: Actor, key: str, answer: Remembered) -> None:
    session.execute(
        update(IdempotencyKey)
        .where(*_of(actor, key))
        .values(status=answer.status, answer={"body": answer.body, "headers": answer.headers})
        .execution_options(synchronize_session=False)
    )


def _of(actor: Actor, key: str) -> tuple[Any, ...]:
    return IdempotencyKey.person_id == actor.person_id, IdempotencyKey.key == key
