"""What calls are scored by, as the company lays it down; until then the house's own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import Sentence, _
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry
from processes.telephony import permissions, rules
from processes.telephony.models import CallCriterion

CRITERION = "telephony.criterion"
LARGEST_RANK = 1000


@dataclass(frozen=True)
class Criterion:
    """key: one of rules.USUAL_CRITERIA, or the id of the company's own."""

    key: str
    title: str | Sentence
    most: int


def criteria(session: Session) -> list[Criterion]:
    """In the order of the form."""
    active = select(CallCriterion).where(CallCriterion.state == "active")
    own = session.scalars(active.order_by(CallCriterion.rank, CallCriterion.id)).all()
    if own:
        return [Criterion(str(one.id), one.title, one.most) for one in own]
    return [Criterion(key, title, most) for key, (title, most) in rules.USUAL_CRITERIA.items()]


def criterion_title(point: Mapping[str, Any]) -> str:
    """What a kept score names, in the reader's language where it is the house's own."""
    usual = rules.USUAL_CRITERIA.get(str(point["key"]))
    return str(usual[0]) if usual is not None else str(point["title"])


def create_criterion(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> CallCriterion:
    """values: title, most, rank. The first of one's own replaces the house's."""
    permissions.require(actor, permissions.MANAGE_CRITERIA)
    clean = _read(session, values, is_new=True)
    made = CallCriterion(**({"rank": 0} | clean))
    records.create(session, actor, CRITERION, made, clean)
    return made


def change_criterion(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> CallCriterion:
    permissions.require(actor, permissions.MANAGE_CRITERIA)
    criterion = lock_for_change(session, CallCriterion, record_id, version)
    records.change(session, actor, CRITERION, criterion, _read(session, values, is_new=False))
    return criterion


def archive_criterion(session: Session, actor: Actor, *, record_id: int) -> None:
    """Scores that name it stay as they are."""
    permissions.require(actor, permissions.MANAGE_CRITERIA)
    records.archive(session, actor, CRITERION, lock_for_change(session, CallCriterion, record_id))


def _read(session: Session, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    def whole(least: int, most: int) -> Any:
        def read(value: Any) -> int:
            text = str(value)
            if isinstance(value, bool) or not text.isdecimal() or len(text) > 6 or not least <= int(text) <= most:
                raise RuleViolation(
                    _("Please write a whole number between {least} and {most}.", least=least, most=most)
                )
            return int(text)

        return read

    entry = Entry(session, values, is_new=is_new)
    entry.text("title", required=True, longest=60)
    entry.parsed("most", whole(1, rules.MOST_POINTS), required=True)
    entry.parsed("rank", whole(0, LARGEST_RANK), empty=0)
    return entry.finish()
