"""What approvals declare: the free-hand approval, delegations and the right to manage them."""

from __future__ import annotations

from engine.catalog import Column, Manifest, Permission, Process, Register
from engine.i18n import _
from processes.approval import permissions, rules
from processes.approval.models import Delegation

SCOPES = {"all": _("Every approval"), "processes": _("Some processes"), "amount": _("Up to an amount")}

DELEGATIONS = Register(
    name="approval.delegation",
    title=_("All delegations"),
    model=Delegation,
    group="process",
    icon="user-share",
    columns=(
        Column("delegator", _("For"), kind="person"),
        Column("delegate", _("Delegate"), kind="person"),
        Column("reason", _("Reason"), phone=False),
        Column("starts_at", _("From"), kind="datetime"),
        Column("ends_at", _("Until"), kind="datetime"),
        Column("scope", _("Scope"), kind="state", choices=SCOPES, phone=False),
        Column("state", _("State"), kind="state", choices=rules.STATE_NAMES),
    ),
    empty=_("Who lets another decide for a while will stand here; everybody delegates on a page of one’s own."),
    scope=permissions.visible_to,
    permission=permissions.MANAGE_DELEGATIONS,
)

MANIFEST = Manifest(
    title=_("Approvals"),
    processes=(
        Process(
            key="general_approval",
            title=_("General approval"),
            diagram="approval/general_approval.bpmn",
            icon="rubber-stamp",
            description=_("Have anything approved by people you pick, in order or together."),
        ),
        Process(
            key="delegation",
            title=_("Delegation"),
            diagram="approval/delegation.bpmn",
            icon="user-share",
            description=_("Let a colleague decide for you while you are away."),
        ),
    ),
    registers=(DELEGATIONS,),
    permissions=(Permission(permissions.MANAGE_DELEGATIONS, _("Make, see and end delegations of others")),),
)
