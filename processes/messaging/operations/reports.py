"""What mail servers report of our mails, noted with the message and each of its recipients."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from connectors.mail.reports import Action, Fate, Report
from engine import clock, events
from engine.models import OutboxMessage
from processes.messaging.operations import answered

logger = logging.getLogger(__name__)

WINDOW = timedelta(days=5)
"""A report that names neither ENVID nor Message-ID is about the newest mail to its recipient this recent: as long as
mail servers go on trying."""
MOST_LOOKED_AT = 500

BOUNCED = "messaging.mail_bounced"
"""A mail of ours did not arrive: `message`, the OutboxMessage; `recipients`, who did not get it."""

_ARRIVED = (Action.DELIVERED, Action.RELAYED, Action.EXPANDED)
_LEFT = ("sent", "unknown", "delivered", "failed")
"""States in which a report can tell something new."""


def message_of(session: Session, report: Report) -> OutboxMessage | None:
    """Our mail that the report is about, locked; None when it is none of ours."""
    message = answered.find(session, [report.mark] if report.mark is not None else [])
    if message is None:
        message = _newest_to(session, {fate.recipient.lower() for fate in report.fates})
    if message is None:
        logger.warning("mail.report_without_message", extra={"fates": len(report.fates)})
    return message


def note(session: Session, report: Report, message: OutboxMessage) -> None:
    """Settle what the report tells. Twice is once."""
    known = answered.recipients(message)
    before: dict[str, Any] = dict(message.result.get("reports") or {})
    after = dict(before)
    for fate in report.fates:
        address = _our_address(fate, known)
        if fate.action is Action.DELAYED and address in after:
            continue  # a word on the way comes after the last one
        after[address] = {"action": fate.action.value, "status": fate.status, "text": fate.diagnostic}
    message.result = {**message.result, "reports": after}
    if message.state in _LEFT:
        _settle(message, known, after)
    session.flush()
    bounced = _not_reached(after)
    if new := [address for address in bounced if address not in _not_reached(before)]:
        events.publish(session, BOUNCED, message=message, recipients=new)


def tell_of_refused(session: Session, message_ids: Sequence[int], state: str) -> None:
    """Some were refused while they were sent: of those no report will come."""
    results = session.execute(select(OutboxMessage.id, OutboxMessage.result).where(OutboxMessage.id.in_(message_ids)))
    refused = {key: sorted((result or {}).get("refused") or {}) for key, result in results}
    for key, addresses in refused.items():
        if addresses or state == "failed":
            message = session.get_one(OutboxMessage, key, populate_existing=True)
            lost = addresses or list(answered.recipients(message))
            events.publish(session, BOUNCED, message=message, recipients=lost)


def _our_address(fate: Fate, known: tuple[str, ...]) -> str:
    """A forwarding names an address we never wrote to: with a single recipient it is still about that one."""
    address = fate.recipient.lower()
    return known[0] if address not in known and len(known) == 1 else address


def _settle(message: OutboxMessage, known: tuple[str, ...], reports: dict[str, Any]) -> None:
    refused = {str(address).lower() for address in message.result.get("refused") or {}}
    lost = set(_not_reached(reports)) | refused
    bounced = _not_reached(reports)
    arrived = {address for address, told in reports.items() if told["action"] in _ARRIVED}
    if bounced:
        message.last_error = "; ".join(_in_words(address, reports[address]) for address in bounced)
    if bounced and lost.issuperset(known):
        message.state = "failed"
    elif arrived and arrived.issuperset(known):
        message.state, message.last_error = "delivered", ""
    elif message.state == "unknown":
        message.state = "sent"  # it has left, or nobody could report on it
        message.sent_at = message.sent_at or message.attempt_started_at
        if not bounced:
            message.last_error = ""


def _not_reached(reports: dict[str, Any]) -> list[str]:
    return [address for address, told in reports.items() if told["action"] == Action.FAILED]


def _in_words(address: str, told: dict[str, Any]) -> str:
    return " ".join(filter(None, (address, str(told["status"]), str(told["text"]))))


def _newest_to(session: Session, addresses: set[str]) -> OutboxMessage | None:
    recent = (
        select(OutboxMessage)
        .where(
            OutboxMessage.channel == answered.MAIL,
            OutboxMessage.state.in_(("sent", "unknown")),
            or_(OutboxMessage.sent_at.is_(None), OutboxMessage.sent_at >= clock.now() - WINDOW),
        )
        .order_by(OutboxMessage.id.desc())
        .limit(MOST_LOOKED_AT)
    )
    for message in session.scalars(recent):
        if addresses.intersection(answered.recipients(message)):
            return session.get_one(OutboxMessage, message.id, with_for_update=True, populate_existing=True)
    return None
