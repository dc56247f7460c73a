"""Approval by SMS (短信审批): a reminder carries a code, and an answer with it decides just that item, once.

A sender's number can be forged and a text is read by whoever holds the phone; so a code works for one item, one person
and one number, for a day, and few wrong ones silence the number. A house that wants this says so (SMS_APPROVALS).
"""

from __future__ import annotations

import hashlib
import hmac
import logging
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock, policy as policies, repository, work_items
from engine.actor import SYSTEM, Actor
from engine.catalog import CATALOG
from engine.errors import AppError, RuleViolation
from engine.i18n import _, reading_as
from engine.models import Instance, WorkItem
from engine.runtime.host import latest_form
from processes.approval import rules
from processes.approval.models import SmsApprovalCode
from processes.kernel import phone_number
from processes.messaging.models import SmsReceived
from processes.messaging.operations import NOT_SENT, SECRET, sms_to_employee
from processes.organization.models import Employee

logger = logging.getLogger(__name__)

CODE_LIFE = timedelta(hours=24)
DIGITS = len(SECRET)
MOST_WRONG = 5
"""So many wrong codes from one number within a day, and nothing from it is taken any more."""
WRONG_WITHIN = timedelta(hours=24)
REMEMBERED = timedelta(days=30)
"""From a number that was given no code for so long, "1 4821" is no answer to us."""

TEMPLATES = frozenset({"approval_reminder", "approval_urged", "approval_escalated"})
"""What is written to somebody who may decide."""

_on = False


def sms_approvals_of_house(on: bool) -> None:
    """Whether approvers of this house may answer by SMS; bootstrap knows the setting."""
    global _on
    _on = on


@dataclass(frozen=True, slots=True)
class Offer:
    """What a text says of answering it."""

    code: str = ""
    said: dict[str, Any] = field(default_factory=lambda: {"code": "", "may_refuse": False})


NOTHING = Offer()


# ------------------------------------------------------------------------------------------------- asking


def offer(session: Session, person: Employee, item: WorkItem) -> Offer:
    """A fresh code for this person and this item; none where an answer of one word would not do."""
    if not _on or person.phone is None or not phone_number.is_mobile(person.phone):
        return NOTHING
    actor = _actor(session, person.id)
    actions = _plain_actions(session, actor, item) if actor is not None else frozenset()
    if "approve" not in actions:
        return NOTHING
    now, salt = clock.now(), secrets.token_hex(16)
    code = _fresh(_live(session, person.phone), person.phone)
    session.add(
        SmsApprovalCode(
            item_id=item.id,
            person_id=person.id,
            number=person.phone,
            salt=salt,
            digest=_digest(salt, person.phone, code),
            form_revision=latest_form(session, item.instance_id)[0],
            created_at=now,
            valid_until=now + CODE_LIFE,
            outcome="",
        )
    )
    session.flush()
    return Offer(code, {"code": SECRET, "may_refuse": "reject" in actions})


def _plain_actions(session: Session, actor: Actor, item: WorkItem) -> frozenset[str]:
    """What this person could do with the item by one word, as its own rules have it. What hangs on the moment of the
    answer (a budget, readers who have not acknowledged) is asked then, by the same operation the page uses.
    """
    instance = session.get_one(Instance, item.instance_id)
    loaded = repository.get(session, instance.definition_id)
    node = loaded.compiled.nodes.get(item.node)
    if node is None or item.kind != "sign" or work_items.why_alone(loaded, item.node) is not None:
        return frozenset()
    policy = policies.read(node.properties)
    if policy.signature or policy.opinion:
        return frozenset()
    if "approver" in loaded.picked_by and work_items.to_name(session, actor, instance, loaded, item):
        return frozenset()
    rights = work_items.allowed_actions(item, node, instance, actor)
    return frozenset(right.action for right in rights if right.granted)


def _live(session: Session, number: str) -> Sequence[SmsApprovalCode]:
    """Codes that would still be taken from this number, held: of two answers at once the second finds it used."""
    live = select(SmsApprovalCode).where(
        SmsApprovalCode.number == number,
        SmsApprovalCode.used_at.is_(None),
        SmsApprovalCode.valid_until > clock.now(),
    )
    return session.scalars(live.order_by(SmsApprovalCode.id).with_for_update()).all()


def _fresh(live: Sequence[SmsApprovalCode], number: str) -> str:
    """One that no other item has among those this number may use now."""
    while True:
        code = f"{secrets.randbelow(10**DIGITS):0{DIGITS}}"
        if _match(live, number, code) is None:
            return code


def _match(live: Sequence[SmsApprovalCode], number: str, code: str) -> SmsApprovalCode | None:
    found = [row for row in live if hmac.compare_digest(row.digest, _digest(row.salt, number, code))]
    return found[0] if found else None


def _digest(salt: str, number: str, code: str) -> str:
    return hashlib.sha256(f"{salt}:{number}:{code}".encode()).hexdigest()


def _actor(session: Session, person_id: int) -> Actor | None:
    """The person with the rights of his login; None for whoever has left."""
    if CATALOG.actors is None:
        return None
    found = CATALOG.actors(session, [person_id]).get(person_id)
    return replace(found, client="sms") if found is not None else None


# ------------------------------------------------------------------------------------------------- answering


def answer_by_sms(session: Session, message: SmsReceived) -> None:
    """Decide what an approver's text decides, and tell him; anything that is no such text is left alone.

    A wrong, used or expired code is told once and constantly the same; from then on, and for a number with too many of
    them even for right ones, there is silence.
    """
    said = rules.read_answer(message.text) if _on else None
    if said is None or not _asked_lately(session, message.sender):
        return
    message.text = said.veiled
    live = _live(session, message.sender)
    wrong = _wrong_lately(session, message)
    code = _match(live, message.sender, said.code) if wrong < MOST_WRONG else None
    person = session.get(Employee, code.person_id) if code is not None else None
    actor = _actor(session, code.person_id) if code is not None else None
    if code is None or person is None or actor is None or person.phone != message.sender:
        message.kind = "wrong_code"
        logger.warning("sms.wrong_code", extra={"received_id": message.id, "wrong_before": wrong})
        if not wrong:
            _say_no(session, message)
        return
    message.kind = "approval"
    _decide(session, actor, person, code, said, message)


def _decide(
    session: Session,
    actor: Actor,
    person: Employee,
    code: SmsApprovalCode,
    said: rules.SmsAnswer,
    message: SmsReceived,
) -> None:
    if said.action == "reject" and not said.reason:
        reason = _("To refuse, please write the reason behind the code.")
        _answer(session, person, code, message, "approval_sms_refused", {"reason": reason.in_locale(person.locale)})
        return  # nothing is decided: the code is still good
    code.used_at, code.outcome = clock.now(), said.action
    session.flush()
    item = session.get_one(WorkItem, code.item_id)
    try:
        if latest_form(session, item.instance_id)[0] != code.form_revision:
            raise RuleViolation(
                _("The request has changed since you were asked."), remedy=_("Please sign in and look at it first.")
            )
        with session.begin_nested():
            work_items.act(session, actor, code.item_id, said.action, opinion=said.reason, road="sms")
    except AppError as refusal:
        code.outcome = "refused"
        with reading_as(person.locale):
            why = " ".join(str(problem.message) for problem in refusal.problems) or str(refusal)
        _answer(session, person, code, message, "approval_sms_refused", {"reason": why})
        return
    _answer(session, person, code, message, "approval_sms_done", {"agreed": said.action == "approve"})


def _answer(
    session: Session,
    person: Employee,
    code: SmsApprovalCode,
    message: SmsReceived,
    template: str,
    values: dict[str, Any],
) -> None:
    item = session.get_one(WorkItem, code.item_id)
    instance = session.get_one(Instance, item.instance_id)
    facts = {"title": instance.title, "step": item.title, "starter": instance.starter_name}
    _write(session, person, message, template, {**facts, **values}, instance.id)


def _write(
    session: Session,
    person: Employee,
    message: SmsReceived,
    template: str,
    values: dict[str, Any],
    instance_id: int | None = None,
) -> None:
    """What has been decided stays decided when no SMS can say so: a quota that is used up undoes nothing."""
    try:
        sms_to_employee(
            session,
            SYSTEM,
            person,
            template=template,
            values=values,
            occasion=f"received:{message.id}",
            instance_id=instance_id,
        )
    except RuleViolation as refusal:
        if refusal.code not in NOT_SENT:
            raise
        logger.warning("sms.approval_unanswered", extra={"received_id": message.id, "why": refusal.code})


def _say_no(session: Session, message: SmsReceived) -> None:
    """The one constant refusal, to whoever was last asked under this number; it tells nothing about any item."""
    person = session.scalars(
        select(Employee).where(Employee.phone == message.sender, Employee.state == "active").order_by(Employee.id)
    ).first()
    if person is not None:
        _write(session, person, message, "approval_sms_wrong", {})


def _asked_lately(session: Session, number: str) -> bool:
    asked = select(SmsApprovalCode.id).where(
        SmsApprovalCode.number == number, SmsApprovalCode.created_at > clock.now() - REMEMBERED
    )
    return session.scalar(asked.limit(1)) is not None


def _wrong_lately(session: Session, message: SmsReceived) -> int:
    return (
        session.scalar(
            select(func.count(SmsReceived.id)).where(
                SmsReceived.sender == message.sender,
                SmsReceived.kind == "wrong_code",
                SmsReceived.received_at > clock.now() - WRONG_WITHIN,
                SmsReceived.id != message.id,
            )
        )
        or 0
    )
