"""What somebody knew of a record when he opened a form of it: signed, and carried along by the form.

A record may go from him meanwhile: released, handed over, unlocked overnight in another window. By what he knew he is
told so, with what he typed; who brings no such knowledge is told what everybody is told of what he does not see.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask import current_app
from itsdangerous import BadSignature, URLSafeTimedSerializer

from engine.actor import Actor

LONGEST = 7 * 24 * 3600
"""seconds; nobody saves a form later than that"""

KEPT = "opened"
"""name of the form's field"""


@dataclass(frozen=True)
class Opened:
    name: str
    """of the record"""
    fields: tuple[str, ...] = ()
    """of the form"""
    record_id: int = 0


def seal(actor: Actor, record_type: str, record_id: int, name: str, fields: Iterable[str] = ()) -> str:
    return _serializer(actor, record_type, record_id).dumps([name, list(fields)])


def unseal(actor: Actor, record_type: str, record_id: int, sealed: str) -> Opened | None:
    """What this very person knew of this very record; None for what nobody sealed."""
    try:
        name, fields = _serializer(actor, record_type, record_id).loads(sealed, max_age=LONGEST)
    except BadSignature:
        return None
    return Opened(name, tuple(fields), record_id)


def _serializer(actor: Actor, record_type: str, record_id: int) -> URLSafeTimedSerializer:
    whose = f"opened {actor.person_id} {record_type} {record_id}"
    return URLSafeTimedSerializer(current_app.config["SECRET_KEY"], salt=whose)
