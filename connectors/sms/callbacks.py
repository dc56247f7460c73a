"""What an HTTP gateway calls us back with: delivery reports and answers, signed the way standard webhooks are. No I/O.

    webhook-id: msg_2Lq8      webhook-timestamp: 1779696000      webhook-signature: v1,<base64>
    {"events": [{"type": "report", "id": "BizId-9", "message": "4711", "state": "delivered"},
                {"type": "received", "id": "up-1", "from": "13800138000", "text": "好的"}]}

connectors.signatures has looked at the signature before.
"""

from __future__ import annotations

import json
from datetime import datetime
from typing import Any

from connectors.outcome import BadMessage
from connectors.sms.pdu import DeliveryState
from connectors.sms.transport import Incoming, ProviderReport, SmsEvent

MOST_BYTES = 1024 * 1024
MOST_EVENTS = 1000
LONGEST_ID = 100
LONGEST_TEXT = 10_000

_STATES = {state.value: state for state in (DeliveryState.DELIVERED, DeliveryState.FAILED, DeliveryState.TRYING)}


def read(body: bytes) -> list[SmsEvent]:
    """The events of a body, all or none. Raises BadMessage that names the first fault."""
    if len(body) > MOST_BYTES:
        raise BadMessage("The body is too large.")
    try:
        said = json.loads(body)
    except (ValueError, RecursionError):
        raise BadMessage("The body is not JSON.") from None
    events = said.get("events") if isinstance(said, dict) else said
    if not isinstance(events, list) or len(events) > MOST_EVENTS:
        raise BadMessage(f'The body must be {{"events": […]}} with at most {MOST_EVENTS} events.')
    return [_event(number, one) for number, one in enumerate(events)]


def _event(number: int, said: Any) -> SmsEvent:
    if not isinstance(said, dict):
        raise BadMessage(f"events.{number} is not an object.")
    match said.get("type"):
        case "received":
            return Incoming(
                external_id=_text(number, said, "id", LONGEST_ID, needed=True),
                sender=_text(number, said, "from", 40, needed=True),
                text=_text(number, said, "text", LONGEST_TEXT),
                at=_instant(number, said),
            )
        case "report":
            state = _STATES.get(str(said.get("state")))
            if state is None:
                raise BadMessage(f"events.{number}.state must be one of {', '.join(_STATES)}.")
            return ProviderReport(
                provider_id=_text(number, said, "id", LONGEST_ID),
                message_id=_text(number, said, "message", LONGEST_ID),
                to=_text(number, said, "to", 40),
                state=state,
                at=_instant(number, said),
                code=_text(number, said, "code", 60),
            )
    raise BadMessage(f'events.{number}.type must be "received" or "report".')


def _text(number: int, said: dict[str, Any], name: str, longest: int, *, needed: bool = False) -> str:
    value = said.get(name)
    value = str(value) if isinstance(value, int) and not isinstance(value, bool) else "" if value is None else value
    plain = name == "text" or (isinstance(value, str) and value.isprintable())
    if not isinstance(value, str) or not plain or len(value) > longest or (needed and not value.strip()):
        raise BadMessage(f"events.{number}.{name} must be a text of {1 if needed else 0} to {longest} characters.")
    return value


def _instant(number: int, said: dict[str, Any]) -> datetime | None:
    value = said.get("at")
    if value is None:
        return None
    try:
        at = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        at = None
    if at is None or at.tzinfo is None:
        raise BadMessage(f"events.{number}.at must be an instant with its zone, 2026-11-27T09:30:15+08:00.")
    return at
