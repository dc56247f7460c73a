"""Invitations to meetings as calendars exchange them (iTIP over mail): written, and the answers read. No I/O."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from icalendar import Calendar, Component, Event, Timezone, TimezoneStandard, vCalAddress

from connectors.outcome import BadMessage

ZONE = ZoneInfo("Asia/Shanghai")
PRODUCT = "-//Yunliu//Invitations//ZH"

ANSWERS = {
    "ACCEPTED": "accepted",
    "DECLINED": "declined",
    "TENTATIVE": "tentative",
    "DELEGATED": "delegated",
}


@dataclass(frozen=True)
class Guest:
    address: str
    name: str = ""


@dataclass(frozen=True)
class Invitation:
    """A meeting, or its withdrawal, as one message about it.

    uid: the same for the meeting's whole life, with a domain. sequence: raised by each change. at: when it was written.
    """

    uid: str
    sequence: int
    title: str
    starts_at: datetime
    ends_at: datetime
    at: datetime
    organizer: Guest
    guests: tuple[Guest, ...]
    place: str = ""
    text: str = ""
    cancelled: bool = False


@dataclass(frozen=True)
class Answer:
    """What one guest answers to which version of the invitation. at: None when it does not say."""

    uid: str
    sequence: int
    address: str
    state: str
    """accepted | declined | tentative | delegated"""
    comment: str = ""
    at: datetime | None = None


def write(invitation: Invitation) -> str:
    """The iCalendar text. Raises BadMessage for a meeting that ends before it begins."""
    if invitation.ends_at <= invitation.starts_at:
        raise BadMessage("A meeting ends after it has begun.", code="bad_calendar")
    calendar = Calendar()
    calendar.add("prodid", PRODUCT)
    calendar.add("version", "2.0")
    calendar.add("method", "CANCEL" if invitation.cancelled else "REQUEST")
    calendar.add_component(_shanghai())
    event = Event()
    event.add("uid", invitation.uid)
    event.add("sequence", invitation.sequence)
    event.add("dtstamp", invitation.at.astimezone(UTC))
    event.add("dtstart", invitation.starts_at.astimezone(ZONE))
    event.add("dtend", invitation.ends_at.astimezone(ZONE))
    event.add("summary", invitation.title)
    if invitation.place:
        event.add("location", invitation.place)
    if invitation.text:
        event.add("description", invitation.text)
    event.add("status", "CANCELLED" if invitation.cancelled else "CONFIRMED")
    event.add("organizer", _address(invitation.organizer))
    for guest in invitation.guests:
        attendee = _address(guest)
        attendee.params["ROLE"] = "REQ-PARTICIPANT"
        attendee.params["PARTSTAT"] = "NEEDS-ACTION"
        attendee.params["RSVP"] = "TRUE"
        event.add("attendee", attendee, encode=False)
    calendar.add_component(event)
    return str(calendar.to_ical().decode("utf-8"))


def _shanghai() -> Timezone:
    """China has kept one time without summers since 1991."""
    zone, standard = Timezone(), TimezoneStandard()
    zone.add("tzid", str(ZONE))
    standard.add("dtstart", datetime(1991, 9, 15, 0, 0))  # noqa: DTZ001 - local by definition
    standard.add("tzoffsetfrom", timedelta(hours=8))
    standard.add("tzoffsetto", timedelta(hours=8))
    standard.add("tzname", "CST")
    zone.add_component(standard)
    return zone


def _address(guest: Guest) -> vCalAddress:
    address = vCalAddress(f"mailto:{guest.address}")
    if guest.name:
        address.params["CN"] = guest.name.replace('"', "'")
    return address


# ------------------------------------------------------------------------------------------------- answers


def read_answers(text: str) -> tuple[Answer, ...]:
    """Of a METHOD:REPLY; nothing from any other text, and from what cannot be read."""
    try:
        calendar = Calendar.from_ical(text)
        if str(calendar.get("method", "")).upper() != "REPLY":
            return ()
        return tuple(answer for event in calendar.walk("VEVENT") for answer in _answers(event))
    except (ValueError, KeyError, IndexError, AttributeError, TypeError):
        return ()


def _answers(event: Component) -> Iterator[Answer]:
    attendees = event.get("attendee") or []
    for attendee in attendees if isinstance(attendees, list) else [attendees]:
        state = ANSWERS.get(str(attendee.params.get("PARTSTAT", "")).upper())
        address = str(attendee)
        if state is None or not address.lower().startswith("mailto:"):
            continue
        stamp = event.get("dtstamp")
        comment = event.get("comment", "")
        yield Answer(
            uid=str(event.get("uid", "")),
            sequence=int(event.get("sequence", 0)),
            address=address[7:].strip().lower(),
            state=state,
            comment="\n".join(map(str, comment)) if isinstance(comment, list) else str(comment),
            at=_instant(stamp.dt) if stamp is not None else None,
        )


def _instant(value: datetime | date) -> datetime:
    whole = value if isinstance(value, datetime) else datetime.combine(value, time())
    return whole.astimezone(UTC) if whole.tzinfo else whole.replace(tzinfo=UTC)
