"""What the telephone declares: the register of agents and the rights."""

from __future__ import annotations

from engine.catalog import Column, Manifest, Permission, Register
from engine.i18n import _
from processes.telephony import operations, permissions
from processes.telephony.models import Agent

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

MANIFEST = Manifest(
    title=_("Telephone"),
    registers=(AGENTS,),
    permissions=(
        Permission(permissions.READ_CALLS, _("Read everybody's calls")),
        Permission(permissions.TEAM, _("Wallboard and statistics of the calls of people below")),
        Permission(permissions.MANAGE_AGENTS, _("Keep the register of agents and their extensions")),
    ),
)
