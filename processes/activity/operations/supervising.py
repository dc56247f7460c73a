"""What superiors read: the records of their people by period, which they have read, and how far they have got."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, Select, case, func, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session, joinedload

from engine import clock
from engine.actor import Actor
from processes.activity import permissions
from processes.activity.models import ContactRecord, RecordRead
from processes.kernel.periods import Period
from processes.organization.models import Employee
from processes.organization.permissions import below, require
from processes.party import permissions as party


@dataclass(frozen=True)
class Progress:
    person: Employee
    written: int
    read: int


def people(actor: Actor) -> ColumnElement[bool]:
    """Whose records one reads as a superior: of those below; with the right to read every customer, everybody's."""
    if actor.may(party.READ):
        return ContactRecord.person_id != actor.person_id
    return ContactRecord.person_id.in_(below(actor.person_id))


def team_records(
    session: Session,
    actor: Actor,
    period: Period,
    *,
    person_id: int | None = None,
    unread: bool = False,
    before: tuple[datetime, int] | None = None,
    size: int = 30,
) -> tuple[list[tuple[ContactRecord, bool]], bool]:
    """Records with whether the actor has read them, newest first; carried by ix_contact_record_person or _at."""
    require(actor, permissions.TEAM)
    has_read = _has_read(actor)
    wanted = (
        select(ContactRecord, has_read)
        .where(period.holds(ContactRecord.at.expression), people(actor), permissions.visible_records(actor))
        .options(
            joinedload(ContactRecord.customer), joinedload(ContactRecord.contact), joinedload(ContactRecord.person)
        )
        .order_by(ContactRecord.at.desc(), ContactRecord.id.desc())
    )
    if person_id is not None:
        wanted = wanted.where(ContactRecord.person_id == person_id)
    if unread:
        wanted = wanted.where(~has_read)
    if before is not None:
        at, record_id = before
        same = (ContactRecord.at == at) & (ContactRecord.id < record_id)
        wanted = wanted.where((ContactRecord.at < at) | same)
    rows = session.execute(wanted.limit(size + 1)).all()
    return [(record, bool(read)) for record, read in rows[:size]], len(rows) > size


def progress(session: Session, actor: Actor, period: Period) -> list[Progress]:
    """How many each has written in the period, and how many of them the actor has read."""
    require(actor, permissions.TEAM)
    sums: Select[int, int, int] = (
        select(
            ContactRecord.person_id,
            func.count(),
            func.coalesce(func.sum(case((_has_read(actor), 1), else_=0)), 0),
        )
        .where(period.holds(ContactRecord.at.expression), people(actor), permissions.visible_records(actor))
        .group_by(ContactRecord.person_id)
    )
    written = {row[0]: (row[1], row[2]) for row in session.execute(sums)}
    wanted = select(Employee).where(Employee.id.in_(below(actor.person_id)) | Employee.id.in_(list(written)))
    found = session.scalars(wanted.order_by(Employee.name, Employee.id))
    return [Progress(one, *written.get(one.id, (0, 0))) for one in found if one.is_active or one.id in written]


def progress_of_superiors(session: Session, actor: Actor, period: Period) -> list[Progress]:
    """Of every superior below the actor: what the people under him have written, and how much of it he has read."""
    require(actor, permissions.TEAM)
    known = select(Employee).where(Employee.id != actor.person_id)
    if not actor.may(party.READ):
        known = known.where(Employee.id.in_(below(actor.person_id)))
    everybody = {one.id: one for one in session.scalars(known.order_by(Employee.name, Employee.id))}
    under: dict[int, list[int]] = {}
    for one in everybody.values():
        under.setdefault(one.superior_id or 0, []).append(one.id)
    in_period = period.holds(ContactRecord.at.expression), permissions.visible_records(actor)
    counted = select(ContactRecord.person_id, func.count()).where(*in_period).group_by(ContactRecord.person_id)
    written = {row[0]: row[1] for row in session.execute(counted)}
    looked = (
        select(RecordRead.person_id, ContactRecord.person_id, func.count())
        .join(ContactRecord, ContactRecord.id == RecordRead.record_id)
        .where(*in_period, RecordRead.person_id.in_(list(under)))
        .group_by(RecordRead.person_id, ContactRecord.person_id)
    )
    read = {(row[0], row[1]): row[2] for row in session.execute(looked)}
    found = []
    for person in everybody.values():
        team = _team(under, person.id)
        total = sum(written.get(one, 0) for one in team)
        if person.is_active and total:
            found.append(Progress(person, total, sum(read.get((person.id, one), 0) for one in team)))
    return found


def _team(under: Mapping[int, Sequence[int]], person_id: int) -> set[int]:
    """Everybody under a person, at any depth; a circle ends by itself."""
    found: set[int] = set()
    left = list(under.get(person_id, ()))
    while left:
        one = left.pop()
        if one != person_id and one not in found:
            found.add(one)
            left += under.get(one, ())
    return found


def mark_read(session: Session, actor: Actor, record_ids: Collection[int]) -> None:
    """The actor has read them; again is nothing new."""
    visible = select(ContactRecord.id).where(ContactRecord.id.in_(record_ids), permissions.visible_records(actor))
    rows = [
        {"record_id": one, "person_id": actor.person_id, "at": clock.now()}
        for one in session.scalars(visible.order_by(ContactRecord.id))
    ]
    if rows:
        insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
        session.execute(insert(RecordRead).values(rows).on_conflict_do_nothing())


def readers(session: Session, record_id: int) -> list[tuple[int, datetime]]:
    """Who has read it and when, first to last."""
    wanted = select(RecordRead.person_id, RecordRead.at).where(RecordRead.record_id == record_id)
    return [(row[0], row[1]) for row in session.execute(wanted.order_by(RecordRead.at, RecordRead.person_id))]


def _has_read(actor: Actor) -> ColumnElement[bool]:
    return (
        select(RecordRead.record_id)
        .where(RecordRead.record_id == ContactRecord.id, RecordRead.person_id == actor.person_id)
        .exists()
    )
