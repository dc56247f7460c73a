"""Serial numbers: issued and reserved by the rules of the house, voided with a reason, all of them accounted for."""

from __future__ import annotations

from datetime import date, datetime
from typing import Annotated, Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.errors import NotFound, Problem
from engine.i18n import _
from processes.numbering import operations, permissions
from processes.numbering.models import SerialNumber, SerialRule
from processes.numbering.operations import Series
from processes.numbering.rules import MOST_RESERVED
from processes.organization.models import Department
from processes.organization.permissions import visible_departments
from webapp.api.answers import Names, Person
from webapp.api.endpoint import Answer, Body, Call, Id, Query, Version, endpoint
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of
from webapp.api.reading import InvalidRequest

TAG = "serial numbers"

State = Literal["issued", "reserved", "void"]
Code = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
Period = Annotated[str, msgspec.Meta(max_length=7, description="2026, 2026-11, or empty for a rule that never resets.")]


class NumberedRecord(Body):
    """What holds the number."""

    type: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    """`process.instance`, or the name of a register"""
    id: Id


class NumbersQuery(ListQuery):
    rule: Annotated[str, msgspec.Meta(max_length=40)] = ""
    """the code of a rule"""
    state: State | None = None
    period: Period | None = None
    record_type: Annotated[str, msgspec.Meta(max_length=60)] = ""
    record_id: Id | None = None


class GapsQuery(Query):
    period: Period | None = None


class IssueNumberRequest(Body):
    record: NumberedRecord
    department: Id | None = None
    """who issues it; needed when the rule says so"""


class ReserveNumbersRequest(Body):
    reason: Reason
    count: Annotated[int, msgspec.Meta(ge=1, le=MOST_RESERVED)] = 1
    department: Id | None = None


class UseNumberRequest(Body):
    record: NumberedRecord
    version: Version | None = None


class VoidNumberRequest(Body):
    reason: Reason
    version: Version | None = None


class SerialNumberLine(Answer):
    """A number that was handed out."""

    id: int
    version: int
    rule: str
    text: str
    """as it is printed"""
    value: int
    period: str
    day: date
    state: str
    """issued | reserved | void"""
    reason: str
    record_type: str | None
    record_id: int | None
    department_id: int | None
    taken_by: Person
    taken_at: datetime
    changed_by: Person
    changed_at: datetime


class ReservedNumbers(Answer):
    items: list[SerialNumberLine]


class Stretch(Answer):
    first: int
    last: int


class SeriesReport(Answer):
    """One series of a rule in one period."""

    period: str
    department_id: int | None
    first: int
    last: int
    """the last number taken; below `first` when none was"""
    issued: int
    missing: list[Stretch]
    """numbers nobody holds: none in a gap-free series"""
    set_aside: list[SerialNumberLine]
    """void and reserved ones"""


class GapReport(Answer):
    items: list[SeriesReport]


ORDERS = {"id": SerialNumber.id, "text": SerialNumber.text, "value": SerialNumber.value, "day": SerialNumber.day}


@endpoint("GET", "/serial-numbers", tag=TAG)
def list_numbers(call: Call, query: NumbersQuery) -> Page[SerialNumberLine]:
    """Numbers that are out: with the right all, else those you took. `order` takes id, text, value and day."""
    wanted = select(SerialNumber).join(SerialRule).where(permissions.visible_numbers(call.actor))
    asked = (
        (SerialRule.code, query.rule or None),
        (SerialNumber.state, query.state),
        (SerialNumber.period, query.period),
        (SerialNumber.record_type, query.record_type or None),
        (SerialNumber.record_id, query.record_id),
    )
    wanted = wanted.where(*(column == value for column, value in asked if value is not None))
    if query.q:
        wanted = wanted.where(SerialNumber.text.icontains(query.q, autoescape=True))
    total = total_of(call.session, query, wanted, SerialNumber.id)
    ordered = wanted.order_by(*ordering(query, ORDERS, "-id", SerialNumber.id))
    found = [row.SerialNumber for row in rows(call.session, query, ordered)]
    lines = dict(zip([one.id for one in found], _lines(call.session, found), strict=True))
    return page_of(query, found, total, lambda one: lines[one.id])


@endpoint("GET", "/serial-numbers/{number_id}", tag=TAG)
def get_number(call: Call, number_id: Id) -> SerialNumberLine:
    """One number and what has become of it."""
    return _line(call.session, _visible(call, number_id))


@endpoint("POST", "/serial-numbers/{number_id}/actions/void", tag=TAG, refusals=(409, 422))
def void(call: Call, number_id: Id, body: VoidNumberRequest) -> SerialNumberLine:
    """Take a number out of use for good: it stays with its reason, and nobody gets it again."""
    _visible(call, number_id)
    found = operations.void(call.session, call.actor, number_id=number_id, reason=body.reason, version=body.version)
    return _line(call.session, found)


@endpoint("POST", "/serial-numbers/{number_id}/actions/use", tag=TAG, refusals=(409, 422))
def use(call: Call, number_id: Id, body: UseNumberRequest) -> SerialNumberLine:
    """Give a reserved number to a record you may see."""
    _visible(call, number_id)
    record = (body.record.type, body.record.id)
    found = operations.use_reserved(call.session, call.actor, number_id=number_id, record=record, version=body.version)
    return _line(call.session, found)


@endpoint("POST", "/serial-rules/{code}/actions/issue", tag=TAG, refusals=(422,))
def issue(call: Call, code: Code, body: IssueNumberRequest) -> SerialNumberLine:
    """Give a record you may see its number; asked again, it is the same number."""
    _demand_rule(call, code)
    record, department = (body.record.type, body.record.id), _department(call, body.department)
    found = operations.issue(call.session, call.actor, rule=code, record=record, department=department)
    return _line(call.session, found)


@endpoint("POST", "/serial-rules/{code}/actions/reserve", tag=TAG, status=201, refusals=(422,))
def reserve(call: Call, code: Code, body: ReserveNumbersRequest) -> ReservedNumbers:
    """Keep the next numbers for records that are still to come."""
    _demand_rule(call, code)
    department = _department(call, body.department)
    found = operations.reserve(
        call.session, call.actor, rule=code, count=body.count, reason=body.reason, department=department
    )
    return ReservedNumbers(items=_lines(call.session, found))


@endpoint("GET", "/serial-rules/{code}/gaps", tag=TAG)
def gaps(call: Call, code: Code, query: GapsQuery) -> GapReport:
    """Every number of a rule accounted for, the newest period first."""
    report = operations.gap_report(call.session, call.actor, rule=code, period=query.period)
    return GapReport(items=[_series(call.session, one) for one in report])


def _demand_rule(call: Call, code: str) -> None:
    """An address that names no rule is no address, whatever the body says."""
    if call.session.scalar(select(SerialRule.id).where(SerialRule.code == code)) is None:
        call.demand(permissions.ISSUE_NUMBERS)
        raise NotFound


def _visible(call: Call, number_id: int) -> SerialNumber:
    wanted = select(SerialNumber).where(SerialNumber.id == number_id, permissions.visible_numbers(call.actor))
    found = call.session.scalar(wanted)
    if found is None:
        raise NotFound
    return found


def _department(call: Call, department_id: int | None) -> Department | None:
    if department_id is None:
        return None
    wanted = select(Department).where(Department.id == department_id, visible_departments(call.actor))
    found = call.session.scalar(wanted)
    if found is None:
        raise InvalidRequest([Problem("department", _("There is no such record."), rule="invalid")])
    return found


def _line(session: Session, number: SerialNumber) -> SerialNumberLine:
    (line,) = _lines(session, [number])
    return line


def _lines(session: Session, numbers: list[SerialNumber]) -> list[SerialNumberLine]:
    names = Names(session, {person for one in numbers for person in (one.created_by, one.changed_by)})
    codes = select(SerialRule.id, SerialRule.code).where(SerialRule.id.in_({one.rule_id for one in numbers}))
    rules = {rule_id: code for rule_id, code in session.execute(codes)}  # noqa: C416 - rows are not pairs to dict()
    return [
        SerialNumberLine(
            id=one.id,
            version=one.version,
            rule=rules[one.rule_id],
            text=one.text,
            value=one.value,
            period=one.period,
            day=one.day,
            state=one.state,
            reason=one.reason,
            record_type=one.record_type,
            record_id=one.record_id,
            department_id=one.department_id,
            taken_by=names(one.created_by),
            taken_at=one.created_at,
            changed_by=names(one.changed_by),
            changed_at=one.changed_at,
        )
        for one in numbers
    ]


def _series(session: Session, one: Series) -> SeriesReport:
    return SeriesReport(
        period=one.period,
        department_id=one.department_id,
        first=one.first,
        last=one.last,
        issued=one.issued,
        missing=[Stretch(first=first, last=last) for first, last in one.missing],
        set_aside=_lines(session, list(one.set_aside)),
    )
