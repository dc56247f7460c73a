"""Contact records: noted, mended, voided, talked about."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from engine import attachments
from processes.activity import operations, permissions, rules
from processes.activity.models import Appointment, ContactRecord
from processes.comments import operations as comments
from processes.kernel.periods import Period, begin_of
from processes.organization.permissions import require
from processes.party.permissions import USE
from webapp.api.answers import File, Names, Person, file_of
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, Query, Version, endpoint
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of

TAG = "following up"

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=300)]
Way = Literal["call", "visit", "meeting", "message", "mail", "sms", "other"]
Result = Literal["", "reached", "interested", "refused", "not_reached"]
Clock = Annotated[str, msgspec.Meta(pattern="^$|^([01][0-9]|2[0-3]):[0-5][0-9]$", description='"14:30" or nothing')]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]

RECORD_ORDERS = {"id": ContactRecord.id, "at": ContactRecord.at}


class Named(Answer):
    id: int
    name: str


class RecordLine(Answer):
    id: int
    customer: Named
    contact: Named | None
    person: Person
    at: datetime
    way: str
    place: str
    content: str
    result: str
    next_step: str
    qualified: bool
    """counts against unlocking"""
    source_type: str
    source_id: int | None
    state: str
    """active | void"""
    void_reason: str
    created_at: datetime
    version: int
    """send it back with an action"""


class RecordVersionLine(Answer):
    number: int
    values: dict[str, Any]
    at: datetime
    actor: Person


class RecordDetail(RecordLine):
    files: list[File]
    versions: list[RecordVersionLine]


class RecordsQuery(ListQuery):
    customer_id: Id | None = None
    contact_id: Id | None = None
    person_id: Id | None = None
    since: date | None = None
    until: date | None = None
    """whole days in Shanghai, both in it"""


class ProgressQuery(Query):
    since: date | None = None
    """first day; without it the last seven days"""
    until: date | None = None


class ProgressLine(Answer):
    person: Person
    written: int
    read: int


class ReadProgress(Answer):
    since: date
    until: date
    people: list[ProgressLine]
    """of each person below you: what he has written, and what of it you have read"""
    superiors: list[ProgressLine]
    """of each superior below you: what his people have written, and what of it he has read"""


class NewRecord(Body, kw_only=True):
    customer_id: Id
    contact_id: Id | None = None
    at: Moment | None = None
    """now, unless said"""
    way: Way
    content: Annotated[str, msgspec.Meta(min_length=1, max_length=rules.LONGEST_CONTENT)]
    place: Annotated[str, msgspec.Meta(max_length=200)] = ""
    result: Result = ""
    next_step: Annotated[str, msgspec.Meta(max_length=500)] = ""
    source_type: Annotated[str, msgspec.Meta(max_length=60)] = ""
    source_id: Id | None = None
    origin: Annotated[str, msgspec.Meta(max_length=100)] = ""
    """names this wish; the same again is the same record"""
    attachments: Annotated[list[Id], msgspec.Meta(max_length=20)] = []
    plans: bool = True
    """false: nobody is to be spoken to again"""
    next_on: date | None = None
    """the day the policy proposes, unless said"""
    next_at: Clock = ""
    purpose: Annotated[str, msgspec.Meta(max_length=300)] = ""
    appointment_id: Id | None = None
    """the appointment this was, where it is not the contact's own"""


class MendRecord(Body, kw_only=True):
    version: Version
    at: Moment | None = None
    way: Way | None = None
    content: Annotated[str, msgspec.Meta(min_length=1, max_length=rules.LONGEST_CONTENT)] | None = None
    place: Annotated[str, msgspec.Meta(max_length=200)] | None = None
    result: Result | None = None
    next_step: Annotated[str, msgspec.Meta(max_length=500)] | None = None


class WithReason(Body):
    version: Version
    reason: Reason


class Said(Body):
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=5000)]


class Commented(Answer):
    id: int


# ------------------------------------------------------------------------------------------------- records


@endpoint("GET", "/contact-records", tag=TAG)
def list_records(call: Call, query: RecordsQuery) -> Page[RecordLine]:
    """Contact records of the customers you see. `q` looks in the content; `order` takes id, at."""
    require(call.actor, USE)
    wanted = select(ContactRecord).where(permissions.visible_records(call.actor)).options(*shown(ContactRecord))
    for name in ("customer_id", "contact_id", "person_id"):
        if (value := getattr(query, name)) is not None:
            wanted = wanted.where(getattr(ContactRecord, name) == value)
    if query.since is not None:
        wanted = wanted.where(ContactRecord.at >= begin_of(query.since))
    if query.until is not None:
        wanted = wanted.where(ContactRecord.at < begin_of(min(query.until, date(9000, 1, 1)) + timedelta(days=1)))
    if query.q:
        wanted = wanted.where(ContactRecord.content.icontains(query.q, autoescape=True))
    total = total_of(call.session, query, wanted, ContactRecord.id)
    order = ordering(query, RECORD_ORDERS, "-at", ContactRecord.id)
    found = [row.ContactRecord for row in rows(call.session, query, wanted.order_by(*order))]
    return page_of(query, found, total, _line)


@endpoint("GET", "/contact-records/progress", tag=TAG)
def read_progress(call: Call, query: ProgressQuery) -> ReadProgress:
    """How far you and the superiors below you have got with reading. Needs the right `activity.team.read`."""
    until = query.until or operations.today()
    since = query.since or until - min(timedelta(days=6), until - date.min)
    period = Period.of(since, until)

    def lines(found: list[operations.Progress]) -> list[ProgressLine]:
        return [
            ProgressLine(person=Person(id=one.person.id, name=one.person.name), written=one.written, read=one.read)
            for one in found
        ]

    return ReadProgress(
        since=period.first,
        until=period.last,
        people=lines(operations.progress(call.session, call.actor, period)),
        superiors=lines(operations.progress_of_superiors(call.session, call.actor, period)),
    )


@endpoint("GET", "/contact-records/{record_id}", tag=TAG)
def get_record(call: Call, record_id: Id) -> RecordDetail:
    """One contact record with its files and how it read before."""
    return _detail(call.session, permissions.readable_record(call.session, call.actor, record_id))


@endpoint("POST", "/contact-records", tag=TAG, status=201, refusals=(409, 422))
def create_record(call: Call, body: NewRecord) -> RecordDetail:
    """Note a contact. It closes the appointment it fulfils and makes the next one, unless `plans` is false."""
    words = ("way", "content", "place", "result", "next_step", "source_type", "source_id")
    values = {name: getattr(body, name) for name in words}
    values |= {"customer": body.customer_id, "contact": body.contact_id}
    if body.at is not None:
        values["at"] = body.at
    made = operations.create_record(
        call.session,
        call.actor,
        values=values,
        origin=body.origin,
        attachments=body.attachments,
        plans=body.plans,
        next_on=body.next_on,
        next_at=body.next_at,
        purpose=body.purpose,
        appointment_id=body.appointment_id,
    )
    call.headers["Location"] = f"{PREFIX}/contact-records/{made.id}"
    return _detail(call.session, made)


@endpoint("PATCH", "/contact-records/{record_id}", tag=TAG, refusals=(409, 422))
def edit_record(call: Call, record_id: Id, body: MendRecord) -> RecordDetail:
    """Mend your own record within 24 hours; what it said before is kept."""
    names = ("at", "way", "content", "place", "result", "next_step")
    values = {name: getattr(body, name) for name in names if getattr(body, name) is not None}
    made = operations.edit_record(call.session, call.actor, record_id=record_id, version=body.version, values=values)
    return _detail(call.session, made)


@endpoint("POST", "/contact-records/{record_id}/actions/void", tag=TAG, refusals=(409, 422))
def void_record(call: Call, record_id: Id, body: WithReason) -> RecordDetail:
    """It was entered wrongly: it counts no more and stays to be seen."""
    made = operations.void_record(
        call.session, call.actor, record_id=record_id, reason=body.reason, version=body.version
    )
    return _detail(call.session, made)


@endpoint("POST", "/contact-records/{record_id}/actions/comment", tag=TAG, status=201, refusals=(422,))
def comment(call: Call, record_id: Id, body: Said) -> Commented:
    """Say something about it; whoever wrote the record is told, by SMS too."""
    said = comments.add_comment(
        call.session, call.actor, record_type=permissions.RECORD, record_id=record_id, text=body.text
    )
    return Commented(id=said.id)


# ------------------------------------------------------------------------------------------------- shapes


def shown(model: Any) -> tuple[Any, ...]:
    return joinedload(model.customer), joinedload(model.contact), joinedload(model.person)


def whom(row: ContactRecord | Appointment) -> dict[str, Any]:
    return {
        "customer": Named(id=row.customer_id, name=row.customer.name),
        "contact": Named(id=row.contact.id, name=row.contact.name) if row.contact is not None else None,
        "person": Person(id=row.person_id, name=row.person.name),
    }


def _line(row: ContactRecord) -> RecordLine:
    same = ("id", "at", "way", "place", "content", "result", "next_step", "source_type", "source_id", "state")
    values = {name: getattr(row, name) for name in (*same, "void_reason", "created_at", "version")}
    return RecordLine(**whom(row), **values, qualified=row.is_qualified)


def _detail(session: Session, row: ContactRecord) -> RecordDetail:
    line, earlier = _line(row), operations.versions(session, row.id)
    names = Names(session, [one.actor_id for one in earlier])
    files = attachments.of_records(session, permissions.RECORD, [row.id]).get(row.id, [])
    return RecordDetail(
        **{name: getattr(line, name) for name in line.__struct_fields__},
        files=[file_of(file) for file in files],
        versions=[
            RecordVersionLine(number=one.number, values=one.values, at=one.at, actor=names(one.actor_id))
            for one in earlier
        ],
    )
