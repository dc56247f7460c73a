"""SMS: which road a house has, and how the outbox's messages go on it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path

from sqlalchemy.orm import Session

from connectors.outcome import BadMessage, BadSignature
from connectors.sms import segments
from connectors.sms.gateway import GatewaySms
from connectors.sms.modem import ModemSms
from connectors.sms.simulator import SimulatedSmsRoad
from connectors.sms.smsd import SmsdSpool
from connectors.sms.transport import Incoming, OutSms, ProviderReport, SmsTransport
from engine import clock
from engine.db import Sessions, transaction
from engine.errors import Forbidden, NotFound, RuleViolation
from engine.i18n import _
from engine.wire import Delivery, Leased, Limits
from processes.messaging.operations import SECRET, held_until, receiving, reporting
from processes.messaging.operations.references import next_reference
from webapp.settings import Settings
from webapp.wires import pool
from webapp.wires.answers import delivery_of

logger = logging.getLogger(__name__)

AT_ONCE = timedelta(seconds=1)
"""What one road could not even try, another may right away."""
REST_ELSEWHERE = timedelta(minutes=1)
"""Between looks at a message of which parts have left by another road, which alone can go on with it."""

_gateway: GatewaySms | None = None
"""Whose calls this process takes."""


def has_device(settings: Settings) -> bool:
    """Whether processes of their own send."""
    return bool(pool.devices(settings))


def sms_road(settings: Settings) -> SmsTransport:
    """The road of a house without a modem."""
    if has_gateway(settings):
        return _gateway_of(settings)
    return SimulatedSmsRoad()


def _gateway_of(settings: Settings) -> GatewaySms:
    return GatewaySms.from_url(settings.sms_gateway_url, settings.sms_gateway_token, settings.sms_gateway_secret)


def has_gateway(settings: Settings) -> bool:
    return bool(settings.sms_gateway_url) and not settings.devices_simulated


# ------------------------------------------------------------------------------------------------- callbacks


def expect_callbacks(settings: Settings) -> None:
    """Take calls of the gateway of these settings from now on; without its secret none."""
    global _gateway
    _gateway = _gateway_of(settings) if has_gateway(settings) and settings.sms_gateway_secret else None


def take_callback(session: Session, headers: Mapping[str, str], body: bytes) -> None:
    """Store what the SMS gateway calls us with, all of it or nothing; the same again changes nothing.

    Answer 200 only once the session has committed. Raises NotFound where no gateway is expected to call, Forbidden for
    a signature that is not its own, RuleViolation for a body that cannot be read.
    """
    if _gateway is None:
        raise NotFound
    try:
        events = _gateway.parse_callback(headers, body, clock.now())
    except BadSignature as error:
        logger.warning("sms.callback_refused", extra={"code": error.code})
        raise Forbidden(_("The signature of this call is not right."), code=error.code) from error
    except BadMessage as error:
        raise RuleViolation(
            _("This call cannot be read: {why}", why=str(error)),
            code=error.code,
            remedy=_("docs/sms-gateway.md says how it must look."),
        ) from error
    for event in events:
        match event:
            case Incoming():
                receiving.receive_message(
                    session,
                    sender=event.sender,
                    text=event.text,
                    road=_gateway.name,
                    external_id=event.external_id,
                    at=event.at,
                )
            case ProviderReport():
                reporting.note_report(
                    session,
                    road=_gateway.name,
                    to=event.to,
                    state=event.state,
                    provider_id=event.provider_id,
                    message_id=event.message_id,
                    code=event.code,
                )


def spool(settings: Settings) -> SmsdSpool:
    return SmsdSpool(Path(settings.sms_spool).resolve())


def modem(device: pool.Modem) -> ModemSms:
    """A listener's modem; opens the port at the first use."""
    return ModemSms(device.port, pin=device.pin, pin_marker=device.pin_marker)


def _words(message: Leased) -> str:
    """What the phone shows: the stored words, with the secret that no page shows in its place."""
    text, secret = str(message.payload["text"]), message.payload.get("secret")
    return text.replace(SECRET, str(secret)) if secret else text


def _nobody() -> bool:
    return False


@dataclass(frozen=True)
class SmsHandler:
    """Payload: {"to": E.164, "text", "secret"?}; result: {"parts_sent", "total", "refs", "provider_ids", "road",
    "concat_ref"}.

    others_up: whether another road of this house could send now.
    """

    road: SmsTransport
    retry_unknown: bool = False
    others_up: Callable[[], bool] = _nobody
    limits: Limits = field(default_factory=Limits)

    def deliver(self, message: Leased) -> Delivery:
        held = held_until(message.payload)
        if held is not None:  # it waited for its turn into the quiet hours
            return Delivery("deferred", dict(message.result), retry_after=held - clock.now(), tried=False)
        before = message.result
        gone = before.get("parts_sent", ())
        if gone and before.get("road") != self.road.name:
            # The rest under another sender's number would never be put together on the phone.
            return Delivery("deferred", dict(before), "begun_elsewhere", REST_ELSEWHERE, tried=False)
        number, text = str(message.payload["to"]), _words(message)
        reference = int(before.get("concat_ref") or self._reference(number, text))
        result = self.road.send(
            OutSms(
                id=str(message.id),
                to=number,
                text=text,
                concat_ref=reference,
                attempt=message.attempts + 1,
                parts_sent=frozenset(gone),
            )
        )
        refs = {part.index: part.ref for part in result.parts if part.ref is not None}
        theirs = {part.provider_id for part in result.parts if part.provider_id}
        delivery = delivery_of(
            result.outcome,
            {
                "parts_sent": sorted({*gone, *result.sent}),
                "total": result.total,
                "refs": before.get("refs", {}) | {str(index): ref for index, ref in refs.items()},
                "provider_ids": sorted({*before.get("provider_ids", ()), *theirs}),
                "road": self.road.name,
                "concat_ref": reference,
            },
        )
        if not delivery.tried and not result.sent and not gone and self.left_to_others():
            return replace(delivery, retry_after=AT_ONCE)
        return delivery

    def left_to_others(self) -> bool:
        """Another road could send now."""
        try:
            return self.others_up()
        finally:
            Sessions.remove()

    def _reference(self, number: str, text: str) -> int:
        """What the parts of this message share, and no recent other one to this number; 0 where there is one part."""
        try:
            if segments.count(text).segments == 1:
                return 0
        except BadMessage:
            return 0
        with transaction() as session:
            reference = next_reference(session, self.road.name, number)
        Sessions.remove()
        return reference


@dataclass(frozen=True)
class StandbyHandler(SmsHandler):
    """The road of last resort: takes messages while no other of the house can."""

    def ready(self) -> bool:
        return not self.left_to_others()
