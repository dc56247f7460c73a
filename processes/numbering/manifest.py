"""What numbering declares: the registers of rules and of numbers, and the rights."""

from __future__ import annotations

from engine.catalog import Column, Manifest, Permission, Register
from engine.i18n import _
from processes.numbering import operations, permissions
from processes.numbering.models import SerialNumber, SerialRule

_STATES = {"active": _("Active"), "archived": _("Archived")}
_RESETS = {"yearly": _("Every year"), "monthly": _("Every month"), "never": _("Never")}
_SCOPES = {"none": _("One series for all"), "department": _("Each department its own")}
_MODES = {"gap_free": _("Without gaps"), "fast": _("Fast, gaps allowed")}

RULES = Register(
    name="numbering.rule",
    title=_("Numbering rules"),
    model=SerialRule,
    group="admin",
    icon="tag",
    order_by=("name", "asc"),
    columns=(
        Column("name", _("Name")),
        Column("code", _("Code")),
        Column("pattern", _("Pattern"), sortable=False),
        Column("reset", _("Starts again"), kind="state", choices=_RESETS),
        Column("scope", _("Counts"), kind="state", choices=_SCOPES, phone=False),
        Column("mode", _("Numbers are taken"), kind="state", choices=_MODES, phone=False),
        Column("state", _("State"), kind="state", choices=_STATES),
    ),
    fields=(
        Column("name", _("Name")),
        Column("code", _("Code")),
        Column(
            "pattern",
            _("Pattern"),
            hint=_(
                "For example 云启〔{year}〕{n}号. Places: {year} {month} {day} {department} {department_code} {n}; "
                "{n:4} fills up with zeros."
            ),
        ),
        Column("reset", _("Starts again"), kind="state", choices=_RESETS),
        Column("scope", _("Counts"), kind="state", choices=_SCOPES),
        Column("mode", _("Numbers are taken"), kind="state", choices=_MODES),
        Column("start", _("First number"), kind="number"),
    ),
    search=("name", "code"),
    scope=permissions.visible_rules,
    related=("numbering.number",),
    permission=permissions.READ_NUMBERS,
    create=operations.create_rule,
    change=operations.change_rule,
    archive=operations.archive_rule,
)

NUMBERS = Register(
    name="numbering.number",
    title=_("Serial numbers"),
    model=SerialNumber,
    group="admin",
    icon="certificate",
    columns=(
        Column("text", _("Number")),
        Column("rule", _("Rule"), kind="reference"),
        Column("day", _("Dated"), kind="date"),
        Column(
            "state",
            _("State"),
            kind="state",
            choices={"issued": _("Issued"), "reserved": _("Kept for later"), "void": _("Void")},
        ),
        Column("reason", _("Why"), phone=False, sortable=False),
        Column("record", _("Record"), phone=False, sortable=False),
        Column("created_by", _("Taken by"), kind="person"),
        Column("created_at", _("Taken at"), kind="datetime", phone=False),
    ),
    search=("text", "reason"),
    empty=_("Every number a rule gives out will stand here, with whoever took it."),
    scope=permissions.visible_numbers,
    permission=permissions.READ_NUMBERS,
)

MANIFEST = Manifest(
    title=_("Serial numbers"),
    registers=(RULES, NUMBERS),
    permissions=(
        Permission(permissions.READ_NUMBERS, _("Read all serial numbers and their rules")),
        Permission(permissions.MANAGE_RULES, _("Make, change and archive numbering rules")),
        Permission(permissions.ISSUE_NUMBERS, _("Issue and reserve serial numbers")),
        Permission(permissions.VOID_NUMBERS, _("Void serial numbers")),
    ),
)
