"""What the telephone declares: the registers of agents and of criteria, and the rights."""

from __future__ import annotations

from engine.catalog import Column, Manifest, Permission, Register
from engine.i18n import _
from processes.telephony import operations, permissions
from processes.telephony.models import Agent, CallCriterion
from processes.telephony.rules import MOST_POINTS

PRESENCES = {
    "": _("Not heard of"),
    "idle": _("Free"),
    "ringing": _("Rings"),
    "busy": _("Speaks"),
    "paused": _("Pauses"),
    "offline": _("Phone is off"),
}

AGENTS = Register(
    name="telephony.agent",
    title=_("Agents"),
    model=Agent,
    group="system",
    icon="phone",
    order_by=("extension", "asc"),
    columns=(
        Column("extension", _("Extension")),
        Column("person", _("Person"), kind="person"),
        Column("queues", _("Queues"), sortable=False),
        Column("skills", _("Skills"), sortable=False, phone=False),
        Column("presence", _("Phone"), kind="state", choices=PRESENCES),
        Column("state", _("State"), kind="state", choices={"active": _("Active"), "archived": _("Archived")}),
    ),
    fields=(
        Column("person", _("Person"), kind="person"),
        Column("extension", _("Extension"), hint=_("As the exchange knows the phone, for example 8001.")),
        Column("queues", _("Queues"), hint=_("The queues this agent signs in to, as the exchange names them.")),
        Column("skills", _("Skills")),
    ),
    search=("extension", "skills"),
    scope=permissions.visible_agents,
    permission=permissions.MANAGE_AGENTS,
    create=operations.create_agent,
    change=operations.change_agent,
    archive=operations.archive_agent,
)

CRITERIA = Register(
    name=operations.CRITERION,
    title=_("Criteria of call quality"),
    model=CallCriterion,
    group="system",
    icon="list-check",
    order_by=("rank", "asc"),
    columns=(
        Column("title", _("Criterion")),
        Column("most", _("Points at most"), kind="number"),
        Column("rank", _("Order"), kind="number"),
        Column("state", _("State"), kind="state", choices={"active": _("Active"), "archived": _("Archived")}),
    ),
    fields=(
        Column("title", _("Criterion"), hint=_("The first of your own replaces the five the house comes with.")),
        Column("most", _("Points at most"), kind="number", hint=_("1 to {most}", most=MOST_POINTS)),
        Column("rank", _("Order"), kind="number", hint=_("The smallest stands first.")),
    ),
    search=("title",),
    scope=permissions.visible_criteria,
    permission=permissions.MANAGE_CRITERIA,
    create=operations.create_criterion,
    change=operations.change_criterion,
    archive=operations.archive_criterion,
)

MANIFEST = Manifest(
    title=_("Telephone"),
    registers=(AGENTS, CRITERIA),
    permissions=(
        Permission(permissions.READ_CALLS, _("Read everybody's calls")),
        Permission(permissions.TEAM, _("Wallboard and statistics of the calls of people below")),
        Permission(permissions.SCORE, _("Draw samples of the calls of people below and score them")),
        Permission(permissions.MANAGE_CRITERIA, _("Lay down what calls are scored by")),
        Permission(permissions.WRITE_RECORDINGS, _("Say where recordings of calls can be listened to")),
        Permission(permissions.MANAGE_AGENTS, _("Keep the register of agents and their extensions")),
    ),
)
