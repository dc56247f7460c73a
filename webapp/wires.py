"""Joins the connectors to the outbox: which channel leaves by which road, and how a road's answer is kept."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from connectors.mail.simulator import SimulatedMailRoad
from connectors.mail.smtp import SmtpTransport
from connectors.mail.transport import Attachment, MailTransport, OutMail
from connectors.outcome import Health, Outcome
from connectors.sms.gateway import GatewaySms
from connectors.sms.modem import ModemSms
from connectors.sms.simulator import SimulatedSmsRoad
from connectors.sms.transport import OutSms, SmsTransport
from engine import attachments, outbox
from engine.catalog import CATALOG
from engine.outbox import Delivery, Leased
from webapp.settings import Settings

SMS, MAIL = "sms", "mail"


def install(settings: Settings) -> None:
    """Give this process the roads that need no device of their own; a modem belongs to the listener alone."""
    outbox.HANDLERS[MAIL] = MailHandler(mail_road(settings))
    if not has_modem(settings):
        outbox.HANDLERS[SMS] = SmsHandler(sms_road(settings))
    for channel, handler in outbox.HANDLERS.items():
        CATALOG.health[channel] = health_of(handler)


def has_modem(settings: Settings) -> bool:
    return bool(settings.sms_modem) and not settings.devices_simulated


def sms_road(settings: Settings) -> SmsTransport:
    """The road of a house without a modem."""
    if settings.sms_gateway_url and not settings.devices_simulated:
        return GatewaySms.from_url(settings.sms_gateway_url, settings.sms_gateway_token)
    return SimulatedSmsRoad()


def mail_road(settings: Settings) -> MailTransport:
    if settings.smtp_url and not settings.devices_simulated:
        return SmtpTransport.from_url(settings.smtp_url, settings.mail_from)
    return SimulatedMailRoad(settings.mail_from)


def modem(settings: Settings) -> ModemSms:
    """The listener's modem; opens the port at the first use."""
    return ModemSms(settings.sms_modem, pin=settings.sms_pin, pin_marker=settings.data_dir / "sms_pin_refused")


@dataclass(frozen=True)
class SmsHandler:
    """Payload: {"to": E.164, "text"}; result: {"parts_sent", "total", "refs", "provider_ids", "road"}."""

    road: SmsTransport
    retry_unknown: bool = False

    def deliver(self, message: Leased) -> Delivery:
        before = message.result
        result = self.road.send(
            OutSms(
                id=str(message.id),
                to=str(message.payload["to"]),
                text=str(message.payload["text"]),
                concat_ref=message.id,
                attempt=message.attempts + 1,
                parts_sent=frozenset(before.get("parts_sent", ())),
            )
        )
        refs = {part.index: part.ref for part in result.parts if part.ref is not None}
        theirs = {part.provider_id for part in result.parts if part.provider_id}
        return _delivery(
            result.outcome,
            {
                "parts_sent": sorted({*before.get("parts_sent", ()), *result.sent}),
                "total": result.total,
                "refs": before.get("refs", {}) | {str(index): ref for index, ref in refs.items()},
                "provider_ids": sorted({*before.get("provider_ids", ()), *theirs}),
                "road": self.road.name,
            },
        )


@dataclass(frozen=True)
class MailHandler:
    """Payload: {"to": [address], "cc", "subject", "text", "html", "attachments": [{"name", "media_type", "sha256"}]}.

    Result: {"settled", "message_id", "road", "refused"}.
    """

    road: MailTransport
    retry_unknown: bool = False

    def deliver(self, message: Leased) -> Delivery:
        payload, before = message.payload, message.result
        result = self.road.send(
            OutMail(
                id=message.key,
                to=tuple(payload["to"]),
                cc=tuple(payload.get("cc", ())),
                subject=str(payload["subject"]),
                text=str(payload.get("text", "")),
                html=str(payload.get("html", "")),
                attachments=tuple(
                    Attachment(file["name"], attachments.path_of(file["sha256"]).read_bytes(), file["media_type"])
                    for file in payload.get("attachments", ())
                ),
                at=message.created_at,
                attempt=message.attempts + 1,
                settled=frozenset(before.get("settled", ())),
            )
        )
        refused = {to: outcome.text for to, outcome in result.recipients.items() if outcome.verdict.value == "rejected"}
        return _delivery(
            result.outcome,
            {
                "settled": sorted({*before.get("settled", ()), *result.settled}),
                "message_id": result.message_id,
                "refused": before.get("refused", {}) | refused,
                "road": self.road.name,
            },
        )


def _delivery(outcome: Outcome, detail: dict[str, Any]) -> Delivery:
    error = "" if outcome.is_accepted else f"{outcome.code}: {outcome.text}" if outcome.text else outcome.code
    return Delivery(outcome.verdict.value, detail, error, outcome.retry_after, tried=outcome.tried)


class _RoadHealth:
    def __init__(self, road: SmsTransport | MailTransport) -> None:
        self._road = road

    def __call__(self) -> tuple[str, str]:
        health: Health = self._road.health()
        return health.state.value, health.reason


def health_of(handler: Any) -> _RoadHealth:
    return _RoadHealth(handler.road)
