"""Tells people what happened: one row each, then by every road they have chosen for this kind."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sqlalchemy import select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock, live
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import Sentence, _
from processes.messaging.operations import NOT_SENT, mail_to_employee, sms_to_employee
from processes.messaging.rules import USED_UP
from processes.notices import rules
from processes.notices.models import Notice, NoticePreference, frozen
from processes.notices.operations.sms_rules import fire
from processes.organization.calendar import company_calendar
from processes.organization.models import Employee

PUSH = "notice"
"""The kind of push that says: look at your notices."""

TEMPLATE = "notice"
LONGEST_TEXT = 2000
LONGEST_KEY = 150
"""It becomes part of the key of an SMS and of a mail."""


def notify(
    session: Session,
    actor: Actor,
    *,
    persons: Iterable[int],
    kind: str,
    title: Sentence,
    key: str,
    text: str = "",
    record: tuple[str, int] | None = None,
    link: str = "",
) -> tuple[int, ...]:
    """Tell these people; answers those who were new to it.

    key: names the event; a person is told of it once, however often this is called.  title: read by each in the own
    language.  Whoever has left is passed over; an SMS or a mail that cannot reach somebody is left out, for the notice
    in the house is there.
    """
    of_kind = rules.KINDS[kind]
    if len(key) > LONGEST_KEY:
        raise ValueError(f"the key of a notice has at most {LONGEST_KEY} characters: {key}")
    known = select(Employee).where(Employee.id.in_(set(persons)), Employee.state == "active")
    people = {person.id: person for person in session.scalars(known.order_by(Employee.id))}
    if not people:
        return ()
    roads = _roads(session, of_kind, people)
    template, values = frozen(title)
    now, calendar = clock.now(), company_calendar(session)
    record_type, record_id = record if record is not None else (None, None)
    rows: list[dict[str, object]] = [
        {
            "person_id": person,
            "kind": kind,
            "key": key,
            "title_template": template,
            "title_values": values,
            "text": text[:LONGEST_TEXT],
            "record_type": record_type,
            "record_id": record_id,
            "link": link,
            "created_at": now,
            "in_app": "in_app" in roads[person],
            "digest_at": rules.next_digest(now, calendar) if "digest" in roads[person] else None,
        }
        for person in people
        if roads[person]
    ]
    new = _insert(session, rows) if rows else set()
    live.push(session, [person for person in new if "in_app" in roads[person]], PUSH)
    by_sms = {person for person in people if "sms" in roads[person]}
    fire(session, actor, event=kind, persons=people, key=key, title=title, text=text, record=record, told=by_sms)
    for channel, send in (("sms", sms_to_employee), ("mail", mail_to_employee)):
        for person in sorted(new):
            if channel in roads[person]:
                _send(send, session, actor, people[person], title, text, key)
    return tuple(sorted(new))


def _roads(session: Session, of_kind: rules.Kind, people: Iterable[int]) -> dict[int, frozenset[str]]:
    wanted = select(NoticePreference).where(
        NoticePreference.kind == of_kind.name, NoticePreference.person_id.in_(set(people))
    )
    chosen = {row.person_id: row.channels for row in session.scalars(wanted)}
    return {person: rules.roads(of_kind, chosen.get(person)) for person in people}


def _insert(session: Session, rows: list[dict[str, object]]) -> set[int]:
    """Write the rows; the persons who did not have theirs yet."""
    insert = postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert
    statement = insert(Notice).on_conflict_do_nothing(index_elements=["person_id", "key"])
    return set(session.scalars(statement.returning(Notice.person_id), rows))


def _send(
    send: Callable[..., int],
    session: Session,
    actor: Actor,
    person: Employee,
    title: Sentence,
    text: str,
    key: str,
) -> None:
    values = {"title": title.in_locale(person.locale), "text": text}
    try:
        send(session, actor, person, template=TEMPLATE, values=values, occasion=key)
    except RuleViolation as refusal:
        if refusal.code not in NOT_SENT:
            raise
        if refusal.code == USED_UP:
            _say_in_house(session, person.id, key, title)


def _say_in_house(session: Session, person_id: int, key: str, title: Sentence) -> None:
    """The quota carries no SMS any more: whoever wanted one reads it in the house, with the reason."""
    template, values = frozen(_("{title} (not sent by SMS: the quota is used up)", title=title))
    session.execute(
        update(Notice)
        .where(Notice.person_id == person_id, Notice.key == key)
        .values(in_app=True, title_template=template, title_values=values)
    )
    live.push(session, [person_id], PUSH)
