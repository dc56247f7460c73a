"""What notices declare: nobody reads another's; which events are told by SMS is the administrators' affair."""

from __future__ import annotations

from engine.catalog import Column, Manifest, Permission, Register
from engine.i18n import _
from processes.notices import operations, permissions, rules
from processes.notices.models import SmsRule
from processes.notices.operations.sms_rules import AUDIENCES

_STATES = {"on": _("On"), "off": _("Off")}

SMS_RULES = Register(
    name="notices.sms_rule",
    title=_("Told by SMS"),
    model=SmsRule,
    group="system",
    icon="device-mobile",
    order_by=("name", "asc"),
    columns=(
        Column("name", _("Name")),
        Column("event", _("Event"), kind="state", choices=rules.EVENTS),
        Column("audience", _("To whom"), kind="state", choices=AUDIENCES),
        Column("sample", _("Reads like"), sortable=False, phone=False),
        Column("state", _("State"), kind="state", choices=_STATES),
    ),
    fields=(
        Column("name", _("Name")),
        Column("event", _("Event"), kind="state", choices=rules.EVENTS),
        Column(
            "text",
            _("Text"),
            hint=_(
                "Places are filled for each reader: {places}. 70 Chinese characters are one segment.",
                places="{name} {concerned} {title} {text}",
            ),
        ),
        Column("audience", _("To whom"), kind="state", choices=AUDIENCES),
        Column("department", _("Department"), kind="reference", when=("audience", "department")),
        Column("position", _("Position"), kind="reference", when=("audience", "position")),
        Column("people", _("People"), kind="reference", when=("audience", "people")),
        Column(
            "mandatory",
            _("Mandatory"),
            kind="bool",
            hint=_("Also to whoever has chosen other roads for this, or wants no texts."),
        ),
        Column("state", _("State"), kind="state", choices=_STATES),
    ),
    search=("name", "text"),
    scope=permissions.visible_sms_rules,
    permission=permissions.MANAGE_SMS_RULES,
    create=operations.create_sms_rule,
    change=operations.change_sms_rule,
    archive=operations.remove_sms_rule,
    removes=True,
)

MANIFEST = Manifest(
    title=_("Notices"),
    registers=(SMS_RULES,),
    permissions=(Permission(permissions.MANAGE_SMS_RULES, _("Lay down which events are told by SMS, and to whom")),),
)
