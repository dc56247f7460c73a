"""The company's calendar: office hours, days that differ, a year's announcement; each change is a new revision."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from datetime import date
from typing import Any

from sqlalchemy import select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock, journal
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry, for_audit
from processes.kernel.working_time import WEEK
from processes.organization import permissions, rules
from processes.organization.calendar import HEAD
from processes.organization.models import CalendarDay, CalendarHead, DueShift, OfficeHours

DAY = "organization.calendar_day"
HOURS = "organization.office_hours"


# ------------------------------------------------------------------------------------------------- office hours


def create_office_hours(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> OfficeHours:
    """values: weekday ("1" = Monday), hours ("09:00-12:00, 13:00-18:00"; empty = off)."""
    _begin(session, actor)
    clean = _read_hours(session, values, is_new=True)
    if session.scalar(select(OfficeHours.id).where(OfficeHours.weekday == clean["weekday"])) is not None:
        raise RuleViolation(
            _("This weekday has office hours of its own already."),
            code="weekday_taken",
            remedy=_("Change those instead."),
        )
    _check_week(session, clean["weekday"], clean["hours"])
    hours = OfficeHours(**clean)
    records.create(session, actor, HOURS, hours, clean)
    return hours


def change_office_hours(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> OfficeHours:
    _begin(session, actor)
    hours = lock_for_change(session, OfficeHours, record_id, version)
    clean = _read_hours(session, values, is_new=False)
    if clean.get("weekday", hours.weekday) != hours.weekday:
        raise RuleViolation(_("Office hours keep their weekday; add others for another weekday."))
    _check_week(session, hours.weekday, clean.get("hours", hours.hours))
    records.change(session, actor, HOURS, hours, clean)
    return hours


def remove_office_hours(session: Session, actor: Actor, *, record_id: int) -> None:
    """Back to the house's own hours on that weekday."""
    _begin(session, actor)
    hours = lock_for_change(session, OfficeHours, record_id)
    _check_week(session, hours.weekday, rules.write_hours(WEEK.get(int(hours.weekday) - 1, ())))
    _remove(session, actor, HOURS, hours, {"weekday": hours.weekday, "hours": hours.hours})


def _read_hours(session: Session, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    entry = Entry(session, values, is_new=is_new)

    entry.choice("weekday", "1234567", required=True)
    entry.parsed("hours", _hours, empty="")
    clean = entry.finish()
    return {"hours": "", **clean} if is_new else clean


def _hours(value: Any) -> str:
    if not isinstance(value, str):
        raise RuleViolation(_("Please write text here."))
    return rules.write_hours(rules.read_hours(value))


def _check_week(session: Session, weekday: str, hours: str) -> None:
    own = {row.weekday: row.hours for row in session.execute(select(OfficeHours.weekday, OfficeHours.hours))}
    after = {**own, weekday: hours}
    rules.check_week({**WEEK, **{int(day) - 1: rules.read_hours(text) for day, text in after.items()}})


# ------------------------------------------------------------------------------------------------- days


def create_calendar_day(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> CalendarDay:
    """values: day, kind (holiday, working, short), name, hours."""
    _begin(session, actor)
    clean = _read_day(session, values, is_new=True)
    rules.check_day(clean["kind"], rules.read_hours(clean["hours"]))
    if session.scalar(select(CalendarDay.id).where(CalendarDay.day == clean["day"])) is not None:
        raise RuleViolation(
            _("{day} is in the calendar already.", day=clean["day"].isoformat()),
            code="day_taken",
            remedy=_("Change that entry instead."),
        )
    day = CalendarDay(**clean)
    records.create(session, actor, DAY, day, clean)
    return day


def change_calendar_day(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> CalendarDay:
    _begin(session, actor)
    day = lock_for_change(session, CalendarDay, record_id, version)
    clean = _read_day(session, values, is_new=False)
    if clean.get("day", day.day) != day.day:
        raise RuleViolation(_("An entry keeps its date; remove it and add one for the other date."))
    rules.check_day(clean.get("kind", day.kind), rules.read_hours(clean.get("hours", day.hours)))
    records.change(session, actor, DAY, day, clean)
    return day


def remove_calendar_day(session: Session, actor: Actor, *, record_id: int) -> None:
    """The day is again what its weekday and the statutory calendar make of it."""
    _begin(session, actor)
    day = lock_for_change(session, CalendarDay, record_id)
    _remove(session, actor, DAY, day, {name: getattr(day, name) for name in ("day", "kind", "name", "hours")})


def set_day(
    session: Session,
    actor: Actor,
    *,
    day: date,
    kind: str,
    name: str = "",
    hours: str = "",
    version: int | None = None,
) -> CalendarDay | None:
    """What the year's page does with a day that was clicked: "usual" takes the exception away, anything else makes or
    changes it. version: of the exception the page showed; 0 = it showed none.
    """
    _begin(session, actor)
    found = session.scalar(select(CalendarDay).where(CalendarDay.day == day))
    values = {"kind": kind, "name": name, "hours": hours}
    if kind == "usual":
        if found is not None:
            lock_for_change(session, CalendarDay, found.id, version)
            remove_calendar_day(session, actor, record_id=found.id)
        return None
    if found is None:
        return create_calendar_day(session, actor, values={"day": day, **values})
    return change_calendar_day(session, actor, record_id=found.id, version=version, values=values)


def _read_day(session: Session, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    entry = Entry(session, values, is_new=is_new)
    entry.day("day", required=True)
    entry.choice("kind", rules.DAY_KINDS, required=True)
    entry.text("name", longest=rules.LONGEST_NAME)
    entry.parsed("hours", _hours, empty="")
    clean = entry.finish()
    if "day" in clean:
        rules.check_year(clean["day"])
    clean |= {name: "" for name in ("name", "hours") if clean.get(name, "") is None}
    return {"name": "", "hours": "", **clean} if is_new else clean


# ------------------------------------------------------------------------------------------------- announcements


def import_announcement(session: Session, actor: Actor, *, text: str) -> dict[str, int]:
    """Take over a year's announcement (see rules.read_announcement); the same again changes nothing.

    Days the company had entered itself are overwritten where the announcement names them.
    Returns {"added", "changed", "same"}.
    """
    _begin(session, actor)
    counts = {"added": 0, "changed": 0, "same": 0}
    announced = rules.read_announcement(text)
    wanted = select(CalendarDay).where(CalendarDay.day.in_([one.day for one in announced]))
    known = {one.day: one for one in session.scalars(wanted.with_for_update())}
    for one in announced:
        clean: dict[str, Any] = {"kind": one.kind, "name": one.name, "hours": one.hours, "source": "announcement"}
        day = known.get(one.day)
        if day is None:
            clean["day"] = one.day
            records.create(session, actor, DAY, CalendarDay(**clean), clean)
            counts["added"] += 1
        elif all(getattr(day, name) == value for name, value in clean.items()):
            counts["same"] += 1
        else:
            records.change(session, actor, DAY, day, clean)
            counts["changed"] += 1
    return counts


# ------------------------------------------------------------------------------------------------- open due dates


def ask_for_due_shift(session: Session, actor: Actor) -> DueShift:
    """Have the worker reckon open due dates and their timers again; a wish that nobody has begun yet is enough."""
    permissions.require(actor, permissions.MANAGE_CALENDAR)
    waiting = select(DueShift).where(DueShift.done_at.is_(None), DueShift.reached == 0).order_by(DueShift.id.desc())
    known = session.scalars(waiting.with_for_update(skip_locked=True).limit(1)).first()
    if known is not None:
        return known
    shift = DueShift(asked_at=clock.now(), asked_by=actor.person_id, asked_by_name=actor.name)
    session.add(shift)
    session.flush()
    journal.audit(session, actor, "organization.due_shift", shift.id, "asked", None, {})
    return shift


# ------------------------------------------------------------------------------------------------- shared


def _begin(session: Session, actor: Actor) -> None:
    """Check the right, then take the calendar for oneself and give it a new revision: changes come one by one."""
    permissions.require(actor, permissions.MANAGE_CALENDAR)
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    now, revision = clock.now(), secrets.token_hex(16)
    values = {"revision": revision, "changed_at": now}
    session.execute(
        insert(CalendarHead).values(id=HEAD, **values).on_conflict_do_update(index_elements=["id"], set_=values)
    )


def _remove(session: Session, actor: Actor, record_type: str, record: Any, before: dict[str, Any]) -> None:
    record_id = record.id
    session.delete(record)
    session.flush()
    was = {name: for_audit(value) for name, value in before.items()}
    journal.audit(session, actor, record_type, record_id, "removed", was, None)
