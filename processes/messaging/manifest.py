"""What messaging declares: the register of messages and the rights to send."""

from __future__ import annotations

from engine.catalog import Column, Manifest, Permission, Register
from engine.i18n import _
from processes.messaging import permissions
from processes.messaging.models import SentMessage

MESSAGES = Register(
    name="messaging.message",
    title=_("Sent messages"),
    model=SentMessage,
    group="",
    icon="send",
    order_by=("id", "desc"),
    columns=(
        Column("created_at", _("Written"), kind="datetime"),
        Column("channel", _("Road"), kind="state", choices={"sms": _("SMS"), "mail": _("Mail")}),
        Column("recipient", _("To")),
        Column("subject", _("Subject"), phone=False),
        Column("text", _("Text"), sortable=False),
        Column(
            "state",
            _("State"),
            kind="state",
            choices={
                "queued": _("Waiting"),
                "sending": _("Being sent"),
                "sent": _("Sent"),
                "delivered": _("Delivered"),
                "failed": _("Failed"),
                "unknown": _("In doubt"),
                "cancelled": _("Cancelled"),
            },
        ),
        Column("sent_at", _("Sent at"), kind="datetime", phone=False),
        Column("last_error", _("Why it failed"), phone=False, sortable=False),
    ),
    search=("recipient", "text"),
    scope=permissions.visible_to,
)

MANIFEST = Manifest(
    title=_("Messages"),
    registers=(MESSAGES,),
    permissions=(
        Permission(permissions.READ_ALL, _("Read everybody's messages")),
        Permission(permissions.SEND_SMS, _("Send SMS to any number")),
        Permission(permissions.SEND_MAIL, _("Send mail to any address")),
    ),
)
