"""What ownership declares: registers of limits, policies and requests, and the rights on them."""

from __future__ import annotations

from engine.catalog import Column, Manifest, Permission, Process, Register
from engine.i18n import _
from processes.ownership import operations, permissions, rules
from processes.ownership.models import CreationPolicy, LockLimit
from processes.party.rules import KINDS

LIMITS = Register(
    name=permissions.LIMIT,
    title=_("Limits of customers"),
    model=LockLimit,
    group="system",
    icon="lock",
    columns=(
        Column("subject_kind", _("Holds for"), kind="state", choices=rules.SUBJECTS),
        Column("department", _("Department"), kind="reference", sortable=False),
        Column("position", _("Position"), kind="reference", sortable=False),
        Column("person", _("Person"), kind="reference", sortable=False),
        Column("most", _("At most"), kind="number"),
        Column("counts_dealt", _("Counts those who have bought"), kind="bool"),
    ),
    fields=(
        Column("department", _("Department"), kind="reference", hint=_("Leave all three empty for the whole company.")),
        Column("position", _("Position"), kind="reference"),
        Column("person", _("Person"), kind="reference"),
        Column("most", _("At most"), kind="number"),
        Column("counts_dealt", _("Counts those who have bought"), kind="bool"),
    ),
    scope=permissions.visible_rules,
    permission=permissions.READ_RULES,
    create=operations.create_limit,
    change=operations.change_limit,
    archive=operations.remove_limit,
    removes=True,
)

POLICIES = Register(
    name=permissions.POLICY,
    title=_("Owners of new customers"),
    model=CreationPolicy,
    group="system",
    icon="user-check",
    columns=(
        Column("kind", _("Kind"), kind="state", choices=KINDS),
        Column("policy", _("Whose it is"), kind="state", choices=rules.POLICIES),
    ),
    fields=(
        Column("kind", _("Kind"), kind="state", choices=KINDS),
        Column("policy", _("Whose it is"), kind="state", choices=rules.POLICIES),
    ),
    scope=permissions.visible_rules,
    permission=permissions.READ_RULES,
    create=operations.create_policy,
    change=operations.change_policy,
)

MANIFEST = Manifest(
    title=_("Owners of customers"),
    processes=(
        Process(
            key="lock_request",
            title=_("Apply for a customer"),
            diagram="ownership/lock_request.bpmn",
            icon="lock",
            description=_("Have a customer of the pool given to you."),
            startable_by=permissions.APPLY,
            filed_endings=(),
        ),
    ),
    registers=(LIMITS, POLICIES),
    permissions=(
        Permission(permissions.APPLY, _("Apply for customers of the pool, release, watch and share one's own")),
        Permission(permissions.ASSIGN, _("Assign customers to oneself and people below, hand over theirs")),
        Permission(permissions.ASSIGN_ANY, _("Assign and hand over customers to anybody")),
        Permission(permissions.READ_RULES, _("Read limits and rules of whose customers are")),
        Permission(permissions.MANAGE_RULES, _("Set limits and rules of whose customers are")),
    ),
)
