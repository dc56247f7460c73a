"""Keys for programs: made once, shown once, known afterwards by their hash."""

from __future__ import annotations

import hashlib
import secrets
from datetime import datetime, timedelta

from flask_appbuilder.security.sqla.models import User
from sqlalchemy import select, update
from sqlalchemy.exc import OperationalError
from sqlalchemy.orm import Session

from engine import clock, journal
from engine.actor import Actor
from engine.errors import Forbidden, InvalidForm, NotFound, Problem, RuleViolation
from engine.i18n import _
from webapp.security.models import ApiKey

PREFIX = "yl_"
"""Tells a key from a token, and lets scanners of source code find one that was published."""

MOST = 20
"""Valid keys a person may have at once."""

RECORD_TYPE = "security.api_key"
_REMEMBERED = timedelta(hours=1)


def create(session: Session, actor: Actor, *, name: str, expires_at: datetime | None = None) -> tuple[ApiKey, str]:
    """A new key of the actor's, and its text, which is nowhere kept."""
    if actor.user_id is None:
        raise Forbidden(_("Only a person can have keys."))
    if not name.strip():
        raise InvalidForm([Problem("name", _("This is required."))])
    if expires_at is not None and expires_at <= clock.now():
        raise InvalidForm([Problem("expires_at", _("This must lie in the future."))])
    if len(of_actor(session, actor)) >= MOST:
        raise RuleViolation(_("You have {count} keys already; revoke one first.", count=MOST))
    text = PREFIX + secrets.token_urlsafe(32)
    key = ApiKey(
        user_id=actor.user_id,
        name=name.strip(),
        hint=text[:8],
        sha256=_digest(text),
        created_at=clock.now(),
        expires_at=expires_at,
    )
    session.add(key)
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, key.id, "created", None, {"name": key.name})
    return key, text


def of_actor(session: Session, actor: Actor) -> list[ApiKey]:
    """The actor's keys that still open the door, newest first."""
    return list(
        session.scalars(
            select(ApiKey)
            .where(ApiKey.user_id == actor.user_id, ApiKey.revoked_at.is_(None))
            .order_by(ApiKey.id.desc())
        )
    )


def revoke(session: Session, actor: Actor, key_id: int) -> None:
    """From this moment the key is worth nothing; doing it twice is once."""
    key = session.get(ApiKey, key_id, with_for_update=True)
    if key is None or key.user_id != actor.user_id:
        raise NotFound
    if key.revoked_at is None:
        key.revoked_at = clock.now()
        journal.audit(session, actor, RECORD_TYPE, key.id, "revoked", {"name": key.name}, None)


def find_user(session: Session, text: str) -> User | None:
    """The login behind a key; nobody when it is unknown, expired, revoked, or its owner may not sign in."""
    now = clock.now()
    key = session.scalars(select(ApiKey).where(ApiKey.sha256 == _digest(text), ApiKey.revoked_at.is_(None))).first()
    if key is None or (key.expires_at is not None and key.expires_at <= now):
        return None
    user = session.get(User, key.user_id)
    if user is None or not user.active:
        return None
    if key.used_at is None or now - key.used_at > _REMEMBERED:
        _note_use(session, key.id, now)
    return user


def _note_use(session: Session, key_id: int, now: datetime) -> None:
    """For its owner's information only: a busy database does not keep anybody out."""
    try:
        session.execute(update(ApiKey).where(ApiKey.id == key_id).values(used_at=now))
        session.commit()
    except OperationalError:
        session.rollback()


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
