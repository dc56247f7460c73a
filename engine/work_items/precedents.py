"""What the same kind of request got before: for whoever decides the next one.

Only what this reader may read anyway is listed *and* counted: a count over everything would tell him, request by
request, of colleagues' requests he knows nothing of. What is looked through is the newest of the starter and of what
the reader took part in, so the cost stays the same however long the history is.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any

from sqlalchemy import Select, select, union_all
from sqlalchemy.orm import Session

from engine import clock, repository
from engine.actor import Actor
from engine.models import Definition, Instance, Participant
from engine.work_items import reading, rights

OUTCOMES = ("completed", "rejected", "withdrawn", "terminated", "void")
SHOWN = 5
LOOKED_THROUGH = 500
"""of the newest requests of the starter, and of those of the reader"""
COUNTED = 200
VERSIONS = 3
"""of the process, for who may read every request of it"""
SINCE = timedelta(days=365)
NEAR = Decimal("0.2")
"""An amount is near when it differs by no more than this share."""


@dataclass(frozen=True, slots=True)
class Precedent:
    """A finished request of the same process."""

    id: int
    definition_id: int
    title: str
    state: str
    starter_id: int
    starter_name: str
    started_at: datetime
    ended_at: datetime
    amount: Mapping[str, Any] | None
    """{"amount", "currency"}, where the form declares one and this reader may see it"""


@dataclass(frozen=True, slots=True)
class Precedents:
    shown: tuple[Precedent, ...] = ()
    """the nearest few: of the same starter first, then with a near amount, then the newest"""
    counts: Mapping[str, int] = field(default_factory=dict)
    """state -> how many, of all that were looked through"""
    of_starter: Mapping[str, int] = field(default_factory=dict)
    near: Mapping[str, int] = field(default_factory=dict)
    """of those with a near amount"""

    @property
    def total(self) -> int:
        return sum(self.counts.values())


def precedents_of(session: Session, actor: Actor, instance: Instance, node: str) -> Precedents:
    """What finished requests of this process ended in, for somebody who looks at `instance` in the step `node`."""
    amounts = _amount_field(session, actor, instance, node)
    found = _without_hidden(session, actor, amounts, _found(session, actor, instance, amounts))
    if not found:
        return Precedents()
    asked = instance.summary.get(amounts) if amounts else None

    def is_near(one: Precedent) -> bool:
        return _is_near(one.amount, asked)

    own = [one for one in found if one.starter_id == instance.starter_id]
    near = [one for one in found if is_near(one)]
    ordered = sorted(found, key=lambda one: (one.starter_id != instance.starter_id, not is_near(one), -one.id))
    return Precedents(tuple(ordered[:SHOWN]), _count(found), _count(own), _count(near))


def _amount_field(session: Session, actor: Actor, instance: Instance, node: str) -> str:
    """The form's first amount among what lists show, unless it is hidden from this reader in this request."""
    loaded = repository.get(session, instance.definition_id)
    schema = loaded.start_form()
    if schema is None:
        return ""
    closed = reading.hidden_fields(session, actor, instance)
    rights_here = schema.rights(loaded.step_of(node))
    fields = (one.id for one in schema.fields if one.type == "money" and one.summary)
    named = next(fields, "")
    return "" if named in closed or rights_here.get(named) == "hide" else named


def candidates(session: Session, actor: Actor, instance: Instance) -> Select[Any]:
    """The query behind it: finished requests of the process among the newest of the starter and of the reader."""
    windows = [
        select(Instance.id).where(Instance.starter_id == instance.starter_id).order_by(Instance.id.desc()),
        *_of_reader(session, actor, instance.definition_key),
    ]
    parts = [window.limit(LOOKED_THROUGH).subquery() for window in windows]
    return (
        select(
            Instance.id,
            Instance.definition_id,
            Instance.title,
            Instance.state,
            Instance.starter_id,
            Instance.starter_name,
            Instance.started_at,
            Instance.ended_at,
            Instance.summary,
        )
        .where(
            Instance.id.in_(union_all(*(select(part) for part in parts))),
            Instance.id != instance.id,
            Instance.definition_key == instance.definition_key,
            Instance.state.in_(OUTCOMES),
            Instance.ended_at > clock.now() - SINCE,
            rights.readable_by(actor),
        )
        .order_by((Instance.starter_id == instance.starter_id).desc(), Instance.id.desc())
        .limit(COUNTED)
    )


def _of_reader(session: Session, actor: Actor, key: str) -> list[Select[Any]]:
    """What the reader took part in; where he may read everything, the newest of the process."""
    if not rights.reads_all(actor):
        mine = select(Participant.instance_id).where(Participant.person_id == actor.person_id)
        return [mine.order_by(Participant.instance_id.desc())]
    versions = select(Definition.id).where(Definition.key == key).order_by(Definition.version.desc()).limit(VERSIONS)
    return [
        select(Instance.id).where(Instance.definition_id == version).order_by(Instance.id.desc())
        for version in session.scalars(versions)
    ]


def _found(session: Session, actor: Actor, instance: Instance, amounts: str) -> list[Precedent]:
    rows = session.execute(candidates(session, actor, instance))
    return [
        Precedent(
            row.id,
            row.definition_id,
            row.title,
            row.state,
            row.starter_id,
            row.starter_name,
            row.started_at,
            row.ended_at,
            row.summary.get(amounts) if _decimal(row.summary.get(amounts)) is not None else None,
        )
        for row in rows
    ]


def _without_hidden(session: Session, actor: Actor, amounts: str, found: list[Precedent]) -> list[Precedent]:
    """An amount that was hidden from this reader in an earlier request is hidden here."""
    closed = reading.hidden_in_each(session, actor, found) if amounts else {}
    return [replace(one, amount=None) if amounts in closed.get(one.id, ()) else one for one in found]


def _count(found: Iterable[Precedent]) -> dict[str, int]:
    counted = Counter(one.state for one in found)
    return {state: counted[state] for state in OUTCOMES if counted[state]}


def _is_near(one: Mapping[str, Any] | None, asked: Any) -> bool:
    this, other = _decimal(one), _decimal(asked)
    if one is None or this is None or other is None or one.get("currency") != asked.get("currency"):
        return False
    return abs(this - other) <= abs(other) * NEAR


def _decimal(amount: Any) -> Decimal | None:
    """The number of a stored amount."""
    try:
        return Decimal(str(amount["amount"])) if isinstance(amount, Mapping) else None
    except (KeyError, InvalidOperation):
        return None
