"""Webhooks: under which secrets the outbox's messages go where, and how long a silent peer is left alone."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from connectors.outcome import Outcome, Verdict
from connectors.safe_http import Allowed
from connectors.webhook.sending import GONE, HookResult, HookSender, HttpHooks, OutHook, SimulatedHooks, again
from engine import clock
from engine.db import Sessions, transaction
from engine.wire import Delivery, Leased, Limits
from processes.webhooks import rules
from processes.webhooks.operations import Target, target
from processes.webhooks.operations.deliveries import body_of
from webapp.settings import Settings
from webapp.wires.answers import delivery_of

WEBHOOK = "webhook"
MOST_TRIES_KEPT = 10


def hook_road(settings: Settings) -> HookSender:
    if settings.devices_simulated:
        return SimulatedHooks()
    return HttpHooks(Allowed.parse(settings.webhook_allow_private))


@dataclass(frozen=True)
class WebhookHandler:
    """Payload: {"hook", "id", "type", "at", "data"}; result: {"hook", "tries": [{"at", "status", "ms", "error"}]}.

    A peer that gave no answer is left alone for a while (its lane closes): its other messages wait with it instead of
    each costing ten seconds in which nobody else is served.
    """

    road: HookSender
    retry_unknown: bool = True
    """whoever receives them knows them by their id"""
    limits: Limits = field(default_factory=lambda: Limits(patience=1, lane=_lane))

    def deliver(self, message: Leased) -> Delivery:
        hook_id = int(message.payload["hook"])
        where = _look_up(hook_id)
        if where is None or not (where.is_on or message.payload["type"] == rules.TEST):
            code = "hook_deleted" if where is None else "hook_off"
            return delivery_of(Outcome.rejected(code), dict(message.result))
        now, attempt = clock.now(), message.attempts + 1
        sent = self.road.send(
            OutHook(str(message.payload["id"]), where.url, where.keys, body_of(message.payload), now, attempt)
        )
        outcome = sent.outcome
        if outcome.verdict is Verdict.UNKNOWN:
            outcome = again(outcome, attempt)
        return delivery_of(outcome, _result(message, sent, now))


def _lane(message: Leased) -> str:
    return f"webhook:{message.payload['hook']}"


def _look_up(hook_id: int) -> Target | None:
    with transaction() as session:
        found = target(session, hook_id)
    Sessions.remove()
    return found


def _result(message: Leased, sent: HookResult, at: datetime) -> dict[str, Any]:
    tried = {
        "at": at.isoformat(),
        "status": sent.status,
        "ms": sent.milliseconds,
        "error": "" if sent.outcome.is_accepted else sent.outcome.text or sent.outcome.code,
    }
    before = [*message.result.get("tries", ())][-MOST_TRIES_KEPT + 1 :]
    gone = {"gone": True} if sent.outcome.code == GONE else {}
    return {"hook": message.payload["hook"], "tries": [*before, tried], **gone}
