"""What became of a sent message, as the network or the provider reports it, however early or often."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import timedelta

from sqlalchemy import Select, delete, select
from sqlalchemy.orm import Session

from connectors.sms.pdu import DeliveryState
from engine import clock, outbox
from engine.models import OutboxMessage
from processes.messaging.models import SmsReport

WINDOW = timedelta(hours=48)
"""A modem's references wrap at 256: a report is matched with the newest part of that reference this recent."""
NEWEST = 500
BATCH = 200

_NOT_YET = (DeliveryState.TRYING, DeliveryState.RESERVED)


def note_report(
    session: Session,
    *,
    road: str,
    to: str,
    state: DeliveryState,
    ref: int | None = None,
    provider_id: str = "",
    message_id: str = "",
    code: str = "",
) -> bool:
    """Take in a report; True when its message was found. One that comes before we know that it has left is kept."""
    if state in _NOT_YET:
        return True
    report = SmsReport(
        road=road,
        number=to,
        ref=ref,
        provider_id=provider_id,
        message_id=message_id,
        state=state.value,
        code=code,
        received_at=clock.now(),
    )
    if _apply(session, report):
        return True
    session.add(report)
    session.flush()
    return False


def note_refs(session: Session, *, message_id: str, refs: Sequence[int], road: str) -> None:
    """What was handed over has left; its reports will carry these references.

    smsd tells that of the last part alone, which then stands for the whole.
    """
    if not (message_id.isascii() and message_id.isdigit()) or len(message_id) > 18:
        return
    message = session.get(OutboxMessage, int(message_id), with_for_update=True, populate_existing=True)
    if message is None or message.state != "sent" or message.result.get("road") != road:
        return
    named = {str(index): ref for index, ref in enumerate(refs, start=1)}
    message.result = {**message.result, "refs": named, "total": len(named) or message.result.get("total")}


def match_kept(session: Session) -> int:
    """Bring early reports together with their messages; forget those whose message never showed."""
    session.execute(delete(SmsReport).where(SmsReport.received_at < clock.now() - WINDOW))
    kept = session.scalars(select(SmsReport).order_by(SmsReport.id).limit(BATCH).with_for_update(skip_locked=True))
    matched = 0
    for report in kept.all():
        if _apply(session, report):
            session.delete(report)
            matched += 1
    session.flush()
    return matched


def _apply(session: Session, report: SmsReport) -> bool:
    for message in _candidates(session, report):
        result = dict(message.result)
        if report.ref is None:
            _settle(session, message, report, delivered=True)
            return True
        index = next((i for i, ref in result.get("refs", {}).items() if ref == report.ref), None)
        if index is None or not _same_number(str(message.payload["to"]), report.number):
            continue
        states = {**result.get("reports", {}), index: report.state}
        message.result = {**result, "reports": states}
        all_there = len(states) == result.get("total") and set(states.values()) == {DeliveryState.DELIVERED.value}
        _settle(session, message, report, delivered=all_there)
        return True
    return False


def _settle(session: Session, message: OutboxMessage, report: SmsReport, *, delivered: bool) -> None:
    """A message is delivered when each of its parts is; one that was in doubt is not any more."""
    if report.state != DeliveryState.DELIVERED:
        message.state, message.last_error = "failed", f"report: {report.code or report.state}"
    elif delivered:
        message.state, message.last_error = "delivered", ""
    else:
        return
    session.flush()
    outbox.moved(session, message.channel, [message.id], message.state)


def _candidates(session: Session, report: SmsReport) -> Iterator[OutboxMessage]:
    """The messages this may be about, the newest first, each held while it is looked at."""
    recent = (
        select(OutboxMessage)
        .where(
            OutboxMessage.channel == "sms",
            OutboxMessage.available_at >= clock.now() - WINDOW,
            OutboxMessage.created_at <= report.received_at,
        )
        .order_by(OutboxMessage.id.desc())
        .limit(NEWEST)
        .with_for_update()
    )
    result = OutboxMessage.result
    if report.ref is not None:
        yield from session.scalars(
            recent.where(OutboxMessage.state == "sent", result["road"].as_string() == report.road)
        )
        return
    of_road = recent.where(OutboxMessage.state.in_(("sent", "unknown")))
    if report.message_id.isascii() and report.message_id.isdigit() and len(report.message_id) < 19:
        yield from session.scalars(of_road.where(OutboxMessage.id == int(report.message_id)))
        return
    if report.provider_id:
        needle = json.dumps(report.provider_id)
        named = of_road.where(result["provider_ids"].as_string().contains(needle, autoescape=True))
        yield from _of_provider(session, named, report)


def _of_provider(session: Session, wanted: Select[OutboxMessage], report: SmsReport) -> Iterator[OutboxMessage]:
    for message in session.scalars(wanted):
        if message.result.get("road") == report.road and report.provider_id in message.result.get("provider_ids", ()):
            yield message


def _same_number(sent_to: str, reported: str) -> bool:
    """Networks report "13800138000", "8613800138000" or "+8613800138000" for the same phone."""
    return sent_to.lstrip("+").endswith(reported.lstrip("+")[-11:])
