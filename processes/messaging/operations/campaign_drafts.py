"""Campaigns while they are written: who was named, who of them is written to, and what each is told."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import clock, journal
from engine.actor import Actor
from engine.errors import Forbidden, InvalidForm, NotFound, Problem, RuleViolation
from engine.forms import unprintable
from engine.i18n import _
from processes.kernel import recipient_groups
from processes.kernel.columns import lock_for_change, stamp
from processes.messaging import permissions, rules
from processes.messaging.models import CAMPAIGN_STATES, SmsCampaign, SmsRecipient
from processes.messaging.operations.consenting import COMMERCIAL, PURPOSES, consenting
from processes.messaging.operations.opting_out import opted_out
from processes.messaging.operations.sending import FURTHEST_AHEAD
from processes.organization.models import Employee

RECORD_TYPE = permissions.CAMPAIGN

_KEPT_REASONS = frozenset({"not_a_number", "over_quota"})
"""What a second look does not take back."""


# ------------------------------------------------------------------------------------------------- written


def write(
    session: Session,
    actor: Actor,
    *,
    wish: str,
    title: str,
    text: str,
    purpose: str = "notice",
    groups: Mapping[str, Sequence[int]] | None = None,
    numbers: str = "",
    send_at: datetime | None = None,
    campaign_id: int | None = None,
) -> SmsCampaign:
    """Make a draft, or write one anew (campaign_id); everybody who was named is looked at.

    wish: names the form; the same one again is the same campaign.  groups: register -> picked ids.  numbers: lines of
    number, name, further values, with or without headings.
    """
    permissions.require(actor, permissions.SEND_BULK)
    chosen = {register: list(ids) for register, ids in (groups or {}).items() if ids}
    candidates, problems = _named(session, actor, chosen, numbers)
    problems += problems_of(title, text, purpose, send_at)
    if not candidates and not problems:
        problems.append(Problem("numbers", _("Please name somebody to write to.")))
    if problems:
        raise InvalidForm(problems)
    known: SmsCampaign | None = session.scalar(_of_wish(actor, wish)) if campaign_id is None else None
    if known is not None:
        return known  # the same form once more
    campaign = _draft(session, actor, wish, campaign_id)
    campaign.title, campaign.text, campaign.purpose = title.strip(), text.strip(), purpose
    campaign.audience = {"groups": chosen, "numbers": numbers}
    campaign.send_at = send_at
    stamp(campaign, actor)
    try:
        with session.begin_nested():
            session.add(campaign)
            session.flush()
    except IntegrityError:  # a double click, at the same moment
        faster: SmsCampaign = session.scalars(_of_wish(actor, wish)).one()
        return faster
    _keep(session, campaign, _looked_over(session, campaign, candidates))
    journal.audit(session, actor, RECORD_TYPE, campaign.id, "written", None, {"title": campaign.title})
    return campaign


def _of_wish(actor: Actor, wish: str) -> Any:
    return select(SmsCampaign).where(SmsCampaign.author_id == actor.person_id, SmsCampaign.wish == wish)


def _draft(session: Session, actor: Actor, wish: str, campaign_id: int | None) -> SmsCampaign:
    if campaign_id is not None:
        campaign = lock(session, actor, campaign_id)
        must_be(campaign, ("draft", "rejected"))
        campaign.state, campaign.instance_id = "draft", None
        return campaign
    author = session.get_one(Employee, actor.person_id)
    return SmsCampaign(
        author_id=author.id,
        department_id=author.department_id,
        wish=wish,
        state="draft",
        created_by=actor.person_id,
        is_demo=author.is_demo,
    )


def _named(
    session: Session, actor: Actor, groups: Mapping[str, Sequence[int]], numbers: str
) -> tuple[list[rules.Candidate], list[Problem]]:
    found = [
        rules.Candidate(
            person.number or "",
            person.name[:100],
            record=person.record,
            has_left=person.has_left,
            facts=dict(person.facts),
        )
        for person in recipient_groups.find(session, actor, groups)
    ]
    problems = []
    try:
        found += rules.read_lines(numbers)
    except RuleViolation as refusal:
        problems.append(Problem("numbers", refusal.message, refusal.remedy))
    if len(found) > rules.MOST_RECIPIENTS and not problems:
        sentence = _(
            "{count} people are too many at once; {most} is the most.", count=len(found), most=rules.MOST_RECIPIENTS
        )
        problems.append(Problem("numbers", sentence, _("Send them in several campaigns.")))
    return found, problems


def problems_of(title: str, text: str, purpose: str, send_at: datetime | None) -> list[Problem]:
    problems = []
    if not title.strip() or len(title.strip()) > 100 or unprintable(title):
        problems.append(Problem("title", _("A title has between 1 and {count} characters.", count=100)))
    if not text.strip() or len(text.strip()) > rules.LONGEST_TEXT:
        problems.append(Problem("text", _("An SMS has between 1 and {count} characters.", count=rules.LONGEST_TEXT)))
    if purpose not in PURPOSES:
        problems.append(Problem("purpose", _("Please choose one of the offered values.")))
    if send_at is not None and send_at < clock.now():
        problems.append(Problem("send_at", _("This moment is past; leave it empty to send at once.")))
    if send_at is not None and send_at > clock.now() + FURTHEST_AHEAD:
        problems.append(
            Problem("send_at", _("A message is written at most {days} days ahead.", days=FURTHEST_AHEAD.days))
        )
    return problems


def _looked_over(
    session: Session, campaign: SmsCampaign, candidates: Iterable[rules.Candidate]
) -> list[rules.Candidate]:
    named = list(candidates)
    numbers = {one.number for one in named}
    agreed = consenting(session, numbers) if campaign.purpose == COMMERCIAL else None
    return rules.look_over(named, campaign.text, opted_out=opted_out(session, numbers), consenting=agreed)


def _keep(session: Session, campaign: SmsCampaign, looked: Sequence[rules.Candidate]) -> None:
    """The recipients as they are now, in place of those before; written in batches."""
    session.execute(delete(SmsRecipient).where(SmsRecipient.campaign_id == campaign.id))
    rows = [
        {
            "campaign_id": campaign.id,
            "position": position,
            "number": one.number,
            "name": one.name,
            "record_type": one.record[0] if one.record else None,
            "record_id": one.record[1] if one.record else None,
            "facts": one.facts,
            "text": one.text,
            "segments": one.segments,
            "left_out": one.left_out,
        }
        for position, one in enumerate(looked)
    ]
    if rows:
        session.execute(insert(SmsRecipient), rows)


def look_again(session: Session, campaign: SmsCampaign) -> None:
    """Between looking over and sending people leave, opt out or take a consent back. Nobody is added by it."""
    rows = session.scalars(recipients_of(campaign.id).order_by(SmsRecipient.position)).all()
    employees = {row.record_id for row in rows if row.record_type == permissions.EMPLOYEE}
    gone = set(session.scalars(select(Employee.id).where(Employee.id.in_(employees), Employee.state != "active")))
    again = [
        rules.Candidate(
            row.number,
            row.name,
            record=(row.record_type, row.record_id or 0) if row.record_type else None,
            has_left=row.left_out == "left" or (row.record_type == permissions.EMPLOYEE and row.record_id in gone),
            facts=dict(row.facts),
            left_out=row.left_out if row.left_out in _KEPT_REASONS else "",
        )
        for row in rows
    ]
    _keep(session, campaign, _looked_over(session, campaign, again))


def recipients_of(campaign_id: int) -> Any:
    return select(SmsRecipient).where(SmsRecipient.campaign_id == campaign_id)


# ------------------------------------------------------------------------------------------------- shared


def lock(session: Session, actor: Actor, campaign_id: int) -> SmsCampaign:
    """The campaign for a change by one who may make it."""
    seen = session.scalar(
        select(SmsCampaign.id).where(SmsCampaign.id == campaign_id, permissions.visible_campaigns(actor))
    )
    if seen is None:
        raise NotFound
    campaign = lock_for_change(session, SmsCampaign, campaign_id)
    if not permissions.may_change_campaign(actor, campaign):
        raise Forbidden(_("This campaign is another's."))
    return campaign


def must_be(campaign: SmsCampaign, states: Sequence[str]) -> None:
    if campaign.state not in states:
        raise RuleViolation(
            _(
                "“{title}” is: {state}. This can no longer be done.",
                title=campaign.title,
                state=CAMPAIGN_STATES[campaign.state],
            ),
            code="wrong_state",
        )
