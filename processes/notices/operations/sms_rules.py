"""What is told by SMS because a rule says so: written by administrators, sent once for each event and reader."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Collection, Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, journal
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import Sentence, _, listed
from engine.runtime.files import RECORD_TYPE as INSTANCE
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry
from processes.messaging.operations import NOT_SENT, sms_words_to_employee
from processes.messaging.operations.house_rules import HOUSE
from processes.messaging.operations.opting_out import opted_out
from processes.messaging.rules import filled, places, segments_of
from processes.notices import permissions, rules
from processes.notices.models import SAMPLE, NoticePreference, SmsRule
from processes.organization.assignments import holders_of_position, lines_above
from processes.organization.models import Department, Employee, Position
from processes.organization.rules import nth_active

logger = logging.getLogger(__name__)

RECORD_TYPE = "notices.sms_rule"
LONGEST_WORDS = 300
LONGEST_TITLE, LONGEST_TEXT = 120, 200
"""Of what is put into a text: an SMS is no letter."""

AUDIENCES: Mapping[str, Sentence] = {
    "concerned": _("Whom it concerns"),
    "superior": _("Their superiors"),
    "department": _("Everybody of a department"),
    "position": _("Holders of a position"),
    "people": _("A list of people"),
}
_NEEDED: Mapping[str, tuple[str, Sentence]] = {
    "department": ("department", _("Please choose the department.")),
    "position": ("position", _("Please choose the position.")),
    "people": ("people", _("Please choose the people.")),
}
"""audience -> the field that names it"""


# ------------------------------------------------------------------------------------------------- written


def sms_rules(session: Session, actor: Actor) -> list[SmsRule]:
    permissions.require_sms_rules(actor)
    return list(session.scalars(select(SmsRule).order_by(SmsRule.name)))


def create_sms_rule(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> SmsRule:
    """values: name, event, text, audience, department, position, people, mandatory, state."""
    permissions.require_sms_rules(actor)
    clean = _read(session, values, record=None)
    rule = SmsRule(**clean)
    records.create(session, actor, RECORD_TYPE, rule, clean)
    return rule


def change_sms_rule(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> SmsRule:
    permissions.require_sms_rules(actor)
    rule = lock_for_change(session, SmsRule, record_id, version)
    records.change(session, actor, RECORD_TYPE, rule, _read(session, values, record=rule))
    return rule


def remove_sms_rule(session: Session, actor: Actor, *, record_id: int) -> None:
    """What it has sent stays where it is."""
    permissions.require_sms_rules(actor)
    rule = lock_for_change(session, SmsRule, record_id)
    journal.audit(session, actor, RECORD_TYPE, rule.id, "removed", {"name": rule.name, "text": rule.text}, None)
    session.delete(rule)
    session.flush()


def _read(session: Session, values: Mapping[str, Any], *, record: SmsRule | None) -> dict[str, Any]:
    entry = Entry(session, values, is_new=record is None)
    entry.text("name", required=True)
    entry.choice("event", rules.EVENTS, required=True)
    entry.parsed("text", check_words, required=True)
    entry.choice("audience", AUDIENCES, required=True)
    entry.reference("department", Department)
    entry.reference("position", Position)
    entry.references("people", Employee)
    entry.flag("mandatory")
    entry.choice("state", ("on", "off"))
    if entry.clean.get("state", "on") is None:
        entry.clean.pop("state")
    audience = entry.clean.get("audience", record.audience if record is not None else "")
    field, missing = _NEEDED.get(audience or "", ("", None))
    if missing is not None and not entry.clean.get(field, getattr(record, field, None)):
        entry.problem(field, missing)
    entry.untaken("name", SmsRule.name, record.id if record else None, _("There is a rule of this name already."))
    return entry.finish()


def check_words(value: Any) -> str:
    """The text of a rule. Raises RuleViolation for places that nothing fills, and for what no phone can be sent."""
    text = " ".join(str(value).split())
    unknown = [place for place in places(text) if place not in SAMPLE]
    if unknown or text.count("{") != text.count("}"):
        raise RuleViolation(
            _("There is no place “{place}”.", place=unknown[0] if unknown else text[text.find("{") :][:30]),
            code="unknown_place",
            remedy=_("There are: {places}.", places=", ".join(f"{{{place}}}" for place in SAMPLE)),
        )
    if len(text) > LONGEST_WORDS:
        raise RuleViolation(_("At most {count} characters fit here.", count=LONGEST_WORDS))
    segments_of(filled(text, SAMPLE))
    return text


def preview(session: Session, actor: Actor, *, text: str) -> tuple[str, int]:
    """How a text reads with everything filled in, and what it costs."""
    permissions.require_sms_rules(actor)
    shown = filled(check_words(text), SAMPLE)
    return shown, segments_of(shown)


# ------------------------------------------------------------------------------------------------- sent


def listening(session: Session, event: str) -> bool:
    """Whether any rule wants to hear of it."""
    wanted = select(SmsRule.id).where(SmsRule.event == event, SmsRule.state == "on")
    return session.scalar(wanted.limit(1)) is not None


def fire(
    session: Session,
    actor: Actor,
    *,
    event: str,
    persons: Iterable[int],
    key: str,
    title: Sentence,
    text: str = "",
    record: tuple[str, int] | None = None,
    told: Collection[int] = (),
) -> int:
    """Queue what the rules for this event say; answers how many messages. The same key again is the same event.

    persons: whom it concerns.  told: those who read it by SMS already, by a road of their own.
    """
    wanted = select(SmsRule).where(SmsRule.event == event, SmsRule.state == "on")
    found = session.scalars(wanted.order_by(SmsRule.id)).all()
    if not found:
        return 0
    concerned = _active(session, persons)
    digest = hashlib.sha256(f"{event}:{key}".encode()).hexdigest()[:24]
    count = 0
    for rule in found:
        readers = [one for one in _audience(session, rule, concerned) if one.id not in told]
        for reader in _willing(session, rule, readers):
            facts = {
                "name": reader.name,
                "concerned": listed((one.name for one in concerned[:3]), locale=reader.locale) or "—",
                "title": title.in_locale(reader.locale)[:LONGEST_TITLE],
                "text": " ".join(text.split())[:LONGEST_TEXT] or "—",
            }
            count += _tell(session, actor, reader, filled(rule.text, facts), f"sms:rule:{rule.id}:{digest}", record)
    return count


def _tell(
    session: Session, actor: Actor, reader: Employee, words: str, occasion: str, record: tuple[str, int] | None
) -> bool:
    """Not in quiet hours; whoever no text can reach, or whom no quota carries, is left out."""
    now = clock.now()
    allowed = HOUSE.quiet.after(now)
    try:
        sms_words_to_employee(
            session,
            actor,
            reader,
            text=words,
            key=f"{occasion}:{reader.id}",
            instance_id=record[1] if record is not None and record[0] == INSTANCE else None,
            send_at=allowed if allowed > now else None,
        )
    except RuleViolation as refusal:
        if refusal.code not in NOT_SENT:
            raise
        logger.info("sms_rule.left_out", extra={"person_id": reader.id, "reason": refusal.code})
        return False
    return True


def _audience(session: Session, rule: SmsRule, concerned: list[Employee]) -> list[Employee]:
    match rule.audience:
        case "superior":
            lines = lines_above(session, [one.id for one in concerned])
            above = [nth_active(lines[one.id], 1) for one in concerned]
            found = [one for one in above if one is not None]
        case "department":
            members = select(Employee.id).where(Employee.department_id == rule.department_id)
            found = _active(session, session.scalars(members))
        case "position":
            found = holders_of_position(session, rule.position_id or 0)
        case "people":
            found = [one for one in rule.people if one.is_active]
        case _:
            found = concerned
    return sorted(set(found), key=lambda one: one.id)


def _willing(session: Session, rule: SmsRule, readers: list[Employee]) -> list[Employee]:
    """Those who have not chosen other roads for this and do not refuse texts; for what is mandatory, all."""
    if rule.mandatory or not readers:
        return readers
    chosen = select(NoticePreference).where(
        NoticePreference.kind == rule.event, NoticePreference.person_id.in_([one.id for one in readers])
    )
    elsewhere = {row.person_id for row in session.scalars(chosen) if "sms" not in row.channels}
    refusing = opted_out(session, [one.phone for one in readers if one.phone])
    return [one for one in readers if one.id not in elsewhere and one.phone not in refusing]


def _active(session: Session, persons: Iterable[int]) -> list[Employee]:
    wanted = select(Employee).where(Employee.id.in_(set(persons)), Employee.state == "active")
    return list(session.scalars(wanted.order_by(Employee.id)))
