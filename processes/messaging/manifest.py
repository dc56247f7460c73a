"""What messaging declares: the register of messages and the rights to send."""

from __future__ import annotations

from engine.catalog import Column, Manifest, Permission, Process, Register
from engine.i18n import _
from processes.messaging import permissions
from processes.messaging.models import CAMPAIGN_STATES, Consent, SentMessage, SmsCampaign, SmsQuota
from processes.messaging.operations import consenting, quotas

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
    empty=_("Every SMS and mail that leaves the house will stand here, with what became of it."),
    scope=permissions.visible_to,
)

QUOTAS = Register(
    name="messaging.quota",
    title=_("SMS quotas"),
    model=SmsQuota,
    group="system",
    icon="gauge",
    order_by=("month", "desc"),
    columns=(
        Column("department", _("Department"), kind="reference"),
        Column("period", _("Month"), sortable=False),
        Column("use", _("Use"), kind="shares", sortable=False, choices={"spent": _("Used"), "left": _("Remaining")}),
        Column("segments", _("Segments"), kind="number"),
        Column("used", _("Used"), kind="number"),
        Column("left", _("Remaining"), kind="number", sortable=False),
        Column(
            "state",
            _("State"),
            kind="state",
            choices={"active": _("Active"), "archived": _("Archived")},
            phone=False,
        ),
    ),
    fields=(
        Column("department", _("Department"), kind="reference", hint=_("It holds for all departments below as well.")),
        Column("month", _("A day of the month"), kind="date"),
        Column(
            "segments",
            _("Segments"),
            kind="number",
            hint=_("70 Chinese characters are one segment, more are cut into parts of 67."),
        ),
    ),
    scope=permissions.visible_quotas,
    create=quotas.create_quota,
    change=quotas.change_quota,
    archive=quotas.archive_quota,
)

CONSENTS = Register(
    name="messaging.consent",
    title=_("Consents to commercial SMS"),
    model=Consent,
    group="system",
    icon="shield-check",
    columns=(
        Column("number", _("Number")),
        Column("purpose", _("Purpose"), kind="state", choices={"commercial": _("Commercial")}),
        Column("given_at", _("Given at"), kind="datetime"),
        Column("how", _("How"), kind="state", choices=consenting.WAYS),
        Column("words", _("Words"), phone=False, sortable=False),
        Column("noted_by", _("Noted by"), kind="person", phone=False),
        Column("ended_at", _("Taken back at"), kind="datetime"),
    ),
    fields=(
        Column("number", _("Number")),
        Column("how", _("How"), kind="state", choices=consenting.WAYS),
        Column("words", _("Words"), hint=_("What was agreed to, or where the paper is kept.")),
    ),
    search=("number", "words"),
    empty=_("Who agreed to advertising, and how; without it no commercial SMS goes to a number."),
    scope=permissions.visible_consents,
    permission=permissions.MANAGE_CONSENTS,
    create=consenting.create_consent,
    archive=consenting.end_consent,
)

CAMPAIGNS = Register(
    name="messaging.campaign",
    title=_("SMS campaigns"),
    model=SmsCampaign,
    group="",
    icon="users-group",
    columns=(
        Column("title", _("Title")),
        Column("author", _("Written by"), kind="person"),
        Column("department", _("Department"), kind="reference", phone=False),
        Column(
            "purpose",
            _("Purpose"),
            kind="state",
            choices={"notice": _("Notice"), "commercial": _("Commercial")},
        ),
        Column("text", _("Text"), sortable=False, phone=False),
        Column("state", _("State"), kind="state", choices=CAMPAIGN_STATES),
        Column("created_at", _("Written"), kind="datetime"),
        Column("sent_at", _("Sent off at"), kind="datetime", phone=False),
    ),
    search=("title", "text"),
    empty=_("SMS to many people will stand here, from the draft to the last answer."),
    scope=permissions.visible_campaigns,
)

MANIFEST = Manifest(
    title=_("Messages"),
    processes=(
        Process(
            key="bulk_sms",
            title=_("SMS to many"),
            diagram="messaging/bulk_sms.bpmn",
            icon="users-group",
            description=_("Have an SMS to many people approved; it is written under “SMS to many”."),
            startable_by=permissions.SEND_BULK,
        ),
    ),
    registers=(MESSAGES, QUOTAS, CONSENTS, CAMPAIGNS),
    permissions=(
        Permission(permissions.READ_ALL, _("Read everybody's messages")),
        Permission(permissions.SEND_SMS, _("Send SMS to any number")),
        Permission(permissions.SEND_MAIL, _("Send mail to any address")),
        Permission(permissions.LOOK_AFTER, _("Look after the connectors, and hear when one is down")),
        Permission(permissions.SEND_BULK, _("Send SMS to many people at once")),
        Permission(permissions.READ_BULK, _("Read everybody's SMS campaigns")),
        Permission(permissions.MANAGE_BULK, _("Stop and repeat SMS campaigns of others")),
        Permission(permissions.READ_QUOTAS, _("Read all SMS quotas")),
        Permission(permissions.MANAGE_QUOTAS, _("Set, change and close SMS quotas")),
        Permission(permissions.MANAGE_CONSENTS, _("Note and take back consents to commercial SMS")),
    ),
)
