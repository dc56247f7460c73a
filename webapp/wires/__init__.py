"""Joins the connectors to the outbox: which channel leaves by which road, and how a road's answer is kept."""

from __future__ import annotations

from typing import Any

from connectors.outcome import LinkState
from engine import outbox
from engine.catalog import CATALOG
from engine.wire import Limits
from engine.wire_tests import TRIALS, Step
from processes.document.operations.on_paper import install_office
from webapp.settings import Settings
from webapp.wires import pool
from webapp.wires.answers import health_of, trial_of, trial_of_road
from webapp.wires.mail import MAIL, MAILBOX, MailHandler, mail_road, mailbox, mailbox_names
from webapp.wires.pool import GATEWAY, SMS
from webapp.wires.robot import ROBOT, RobotHandler, robot_road
from webapp.wires.sms import (
    SmsHandler,
    StandbyHandler,
    expect_callbacks,
    has_device,
    has_gateway,
    modem,
    sms_road,
    spool,
    take_callback,
)
from webapp.wires.telephony import TELEPHONY, exchange, has_exchange
from webapp.wires.webhook import WEBHOOK, WebhookHandler, hook_road
from webapp.wires.word import WORD, Office, WordHandler

__all__ = [
    "MAIL",
    "MAILBOX",
    "ROBOT",
    "SMS",
    "TELEPHONY",
    "WEBHOOK",
    "WORD",
    "MailHandler",
    "Office",
    "RobotHandler",
    "SmsHandler",
    "StandbyHandler",
    "WebhookHandler",
    "WordHandler",
    "exchange",
    "expect_callbacks",
    "has_device",
    "has_exchange",
    "has_gateway",
    "health_of",
    "hook_road",
    "install",
    "limits",
    "mail_road",
    "mailbox",
    "mailbox_names",
    "modem",
    "pool",
    "robot_road",
    "sms_road",
    "spool",
    "take_callback",
    "trial_of",
    "trial_of_road",
    "watch",
]


def install(settings: Settings) -> None:
    """Give this process the roads that need no device of their own; a device belongs to its listener alone."""
    outbox.HANDLERS[MAIL] = MailHandler(
        mail_road(settings),
        settings.mail_from,
        limits=limits(settings.mail_per_minute),
        tags=bool(mailbox_names(settings)),
    )
    outbox.HANDLERS[WORD] = WordHandler(Office())
    install_office(lambda docx: Office().pdf(docx).pdf)
    outbox.HANDLERS[WEBHOOK] = WebhookHandler(hook_road(settings))
    outbox.HANDLERS[ROBOT] = RobotHandler(robot_road(settings))
    for channel, handler in outbox.HANDLERS.items():
        watch(channel, handler)
    _install_sms(settings)
    if settings.devices_simulated:
        CATALOG.health[MAILBOX] = lambda: (LinkState.UP.value, "simulated")
        TRIALS[MAILBOX] = lambda: [Step("simulated", ok=True)]


def _install_sms(settings: Settings) -> None:
    """The gateway, alone or behind the devices that send by themselves; or the simulator."""
    expect_callbacks(settings)
    roads = pool.names(settings)
    if GATEWAY in roads:
        standby = StandbyHandler(
            sms_road(settings),
            others_up=lambda: pool.others_up(GATEWAY, roads),
            limits=limits(settings.sms_per_minute, GATEWAY),
        )
        outbox.HANDLERS[SMS] = standby
        watch(GATEWAY, standby)
        CATALOG.health[SMS] = pool.of_channel(GATEWAY, health_of(standby), roads)
    elif not has_device(settings):
        outbox.HANDLERS[SMS] = SmsHandler(sms_road(settings), limits=limits(settings.sms_per_minute))
        watch(SMS, outbox.HANDLERS[SMS])


def limits(per_minute: int, gate: str = "") -> Limits:
    """0 = as fast as the peer takes it."""
    return Limits(per_minute=per_minute or None, gate=gate)


def watch(name: str, handler: Any) -> None:
    """Report how the handler's road is under this name, and try it when somebody asks: where there is one peer."""
    CATALOG.health[name] = health_of(handler)
    if hasattr(handler.road, "try_out"):
        TRIALS[name] = trial_of(handler)
