"""Numbers handed out, kept for later, used and voided."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, NamedTuple

from sqlalchemy import exists, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import clock, db, journal
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import InvalidForm, NotFound, Problem, RuleViolation
from engine.forms import unprintable
from engine.i18n import _
from processes.kernel.columns import lock_for_change, stamp
from processes.kernel.working_time import business_date
from processes.numbering import permissions, rules
from processes.numbering.models import LONGEST_TEXT, SerialCounter, SerialNumber, SerialRule
from processes.organization.models import Department

RECORD_TYPE = "numbering.number"
LONGEST_REASON = 200

Record = tuple[str, int]


class _Place(NamedTuple):
    """Which series a number is of, and what it shows."""

    day: date
    period: str
    scope: str
    department: Department | None

    @property
    def office(self) -> rules.Office | None:
        return rules.Office(self.department.name, self.department.code) if self.department is not None else None


def issue(
    session: Session,
    actor: Actor,
    *,
    rule: str,
    record: Record,
    department: Department | None = None,
    at: datetime | None = None,
) -> SerialNumber:
    """Give a record the actor may see its number under the rule of this code; asked twice it is the same number."""
    permissions.require(actor, permissions.ISSUE_NUMBERS)
    _check_record(session, actor, record)
    return assign(session, actor, rule=rule, record=record, department=department, at=at)


def assign(
    session: Session,
    actor: Actor,
    *,
    rule: str,
    record: Record,
    department: Department | None = None,
    at: datetime | None = None,
) -> SerialNumber:
    """What `issue` does, for operations and diagrams that number their own records: their right is checked there.

    To be called when the record is issued, not while it is drafted. Gap-free: whoever is next waits for this
    transaction, and a rollback takes the number back. A record whose number was voided gets a new one.
    """
    found = _rule(session, rule)
    held = _held(session, found, record)
    if held is not None:
        return held
    rules.check_active(found.name, found.state)
    place = _place(found, department, at)
    try:
        with session.begin_nested():
            (number,) = _take(session, actor, found, place, 1, state="issued", record=record)
    except IntegrityError:
        held = _held(session, found, record)  # the same record was numbered at the same time
        if held is None:
            raise
        return held
    _note(session, actor, number, "issued")
    return number


def reserve(
    session: Session, actor: Actor, *, rule: str, count: int, reason: str, department: Department | None = None
) -> list[SerialNumber]:
    """Keep the next numbers for records that are still to come; each is used or voided later."""
    permissions.require(actor, permissions.ISSUE_NUMBERS)
    problems = _problems_of(reason)
    if not 1 <= count <= rules.MOST_RESERVED:
        message = _("Between 1 and {count} numbers are reserved at once.", count=rules.MOST_RESERVED)
        problems.append(Problem("count", message))
    if problems:
        raise InvalidForm(problems)
    found = _rule(session, rule)
    rules.check_active(found.name, found.state)
    place = _place(found, department, None)
    with session.begin_nested():
        numbers = _take(session, actor, found, place, count, state="reserved", reason=reason.strip())
    for number in numbers:
        _note(session, actor, number, "reserved")
    return numbers


def use_reserved(
    session: Session, actor: Actor, *, number_id: int, record: Record, version: int | None = None
) -> SerialNumber:
    """Give a record the actor may see a number that was kept for it."""
    permissions.require(actor, permissions.ISSUE_NUMBERS)
    _check_record(session, actor, record)
    number = lock_for_change(session, SerialNumber, number_id, version)
    if number.record == record and number.state == "issued":
        return number
    rules.check_move(number.text, number.state, "issued")
    held = _held(session, number.rule, record)
    try:
        if held is None:
            with session.begin_nested():
                number.state, (number.record_type, number.record_id) = "issued", record
                stamp(number, actor)
                session.flush()
    except IntegrityError:
        held = _held(session, number.rule, record)
    if held is not None:
        raise RuleViolation(
            _("This record has the number {text} already.", text=held.text),
            code="already_numbered",
            remedy=_("Void that number first."),
        )
    _note(session, actor, number, "used", {"state": "reserved"})
    return number


def void(session: Session, actor: Actor, *, number_id: int, reason: str, version: int | None = None) -> SerialNumber:
    """Take a number out of use: it stays, with the reason, and nobody gets it again."""
    permissions.require(actor, permissions.VOID_NUMBERS)
    if problems := _problems_of(reason):
        raise InvalidForm(problems)
    number = lock_for_change(session, SerialNumber, number_id, version)
    rules.check_move(number.text, number.state, "void")
    before = {"state": number.state, "reason": number.reason}
    number.state, number.reason = "void", reason.strip()
    stamp(number, actor)
    session.flush()
    _note(session, actor, number, "voided", before)
    return number


# ------------------------------------------------------------------------------------------------- the series


def _rule(session: Session, code: str) -> SerialRule:
    """The rule as it is now; it cannot change under those who take a number by it."""
    wanted = select(SerialRule).where(SerialRule.code == code).with_for_update(read=True)
    found = session.scalar(wanted.execution_options(populate_existing=True))
    if found is None:
        raise RuleViolation(_("There is no numbering rule “{code}”.", code=code), code="no_such_rule")
    return found


def _held(session: Session, rule: SerialRule, record: Record) -> SerialNumber | None:
    """The number a record has under the rule."""
    record_type, record_id = record
    return session.scalar(
        select(SerialNumber).where(
            SerialNumber.rule_id == rule.id,
            SerialNumber.record_type == record_type,
            SerialNumber.record_id == record_id,
            SerialNumber.state == "issued",
        )
    )


def _place(rule: SerialRule, department: Department | None, at: datetime | None) -> _Place:
    if department is None and rules.needs_department(rule.pattern, rule.scope):
        raise RuleViolation(
            _("A number of {rule} needs a department.", rule=rule.name),
            code="department_missing",
            remedy=_("Name the department that issues it."),
        )
    day = business_date(at or clock.now())
    scope = str(department.id) if department is not None and rule.scope == "department" else ""
    return _Place(day, rules.period_of(rule.reset, day), scope, department)


def _take(
    session: Session, actor: Actor, rule: SerialRule, place: _Place, count: int, *, state: str, **values: Any
) -> list[SerialNumber]:
    """The next numbers of the series, kept; the caller's savepoint gives them back when one cannot be."""
    first = _advance(session, rule, place, count)
    record_type, record_id = values.pop("record", (None, None))
    numbers = [
        SerialNumber(
            rule=rule,
            period=place.period,
            scope=place.scope,
            value=value,
            text=_text(session, rule, place, value),
            day=place.day,
            department_id=place.department.id if place.department is not None else None,
            state=state,
            record_type=record_type,
            record_id=record_id,
            created_by=actor.person_id,
            changed_by=actor.person_id,
            **values,
        )
        for value in range(first, first + count)
    ]
    session.add_all(numbers)
    session.flush()
    return numbers


def _advance(session: Session, rule: SerialRule, place: _Place, count: int) -> int:
    """Move the counter on and say the first number taken.

    One statement makes the row or locks it, so two who are first at once cannot both begin. Gap-free, the lock lasts
    until the issuing transaction ends; fast, it is gone with this statement.
    """
    if rule.mode == "fast":
        with db.beside(session) as own:
            return _move(own, rule, place, count)
    return _move(session, rule, place, count)


def _move(session: Session, rule: SerialRule, place: _Place, count: int) -> int:
    insert: Callable[..., Any] = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    begun = insert(SerialCounter).values(
        rule_id=rule.id, period=place.period, scope=place.scope, start=rule.start, next=rule.start + count
    )
    moved = begun.on_conflict_do_update(
        index_elements=["rule_id", "period", "scope"], set_={"next": SerialCounter.next + count}
    )
    after: int = session.execute(moved.returning(SerialCounter.next)).scalar_one()
    return after - count


def _text(session: Session, rule: SerialRule, place: _Place, value: int) -> str:
    text = rules.write(rule.pattern, value=value, day=place.day, office=place.office)
    if len(text) > LONGEST_TEXT:
        raise RuleViolation(
            _("The number {text} is too long.", text=text), code="number_too_long", remedy=_("Shorten the pattern.")
        )
    if session.scalar(select(exists().where(SerialNumber.rule_id == rule.id, SerialNumber.text == text))):
        raise RuleViolation(
            _("There is already a number {text}.", text=text),
            code="number_exists",
            remedy=_("Two departments read the same, or the pattern was changed: have the rule looked at."),
        )
    return text


def _check_record(session: Session, actor: Actor, record: Record) -> None:
    if not CATALOG.may_read(session, actor, *record):
        raise NotFound(_("The record does not exist, or you may not see it."))


def _problems_of(reason: str) -> list[Problem]:
    if not reason.strip():
        return [Problem("reason", _("Please say why."))]
    if len(reason.strip()) > LONGEST_REASON:
        return [Problem("reason", _("At most {count} characters fit here.", count=LONGEST_REASON))]
    if unprintable(reason):
        return [Problem("reason", _("This contains characters that cannot be printed."))]
    return []


def _note(
    session: Session, actor: Actor, number: SerialNumber, action: str, before: dict[str, Any] | None = None
) -> None:
    after: dict[str, Any] = {"text": number.text, "state": number.state}
    if number.record is not None:
        after["record"] = list(number.record)
    if number.reason:
        after["reason"] = number.reason
    journal.audit(session, actor, RECORD_TYPE, number.id, action, before, after)
