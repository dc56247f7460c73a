"""What following up declares: registers of contact records, appointments and frequencies, and the rights."""

from __future__ import annotations

from engine.catalog import Column, Manifest, Permission, Register, View
from engine.i18n import _
from processes.activity import operations, permissions, rules
from processes.activity.models import Appointment, ContactRecord, FollowPolicy
from processes.party.permissions import EXPORT, USE
from processes.party.rules import LEVELS, ROLES, STAGES

_FOR_WHOM = (
    Column("level", _("Level"), kind="state", choices=LEVELS),
    Column("stage", _("Stage"), kind="state", choices=STAGES),
    Column("role", _("Role of the contact"), kind="state", choices=ROLES),
)

_WITH_WHOM = (
    Column("customer", _("Customer"), kind="reference", sortable=False),
    Column("contact", _("Contact"), kind="reference", sortable=False),
    Column("person", _("Who of us"), kind="reference", sortable=False),
)
"""There may be millions of records: they are ordered by what an index orders."""

_RECORDS_COME = _("Whatever is said to customers will stand here: note a call or a visit while you still know it.")
_APPOINTMENTS_COME = _(
    "Who is to be spoken to next, and when: an appointment is made with a contact record, or on a customer’s page."
)

RECORDS = Register(
    name=permissions.RECORD,
    title=_("Contact records"),
    model=ContactRecord,
    group="customer",
    icon="messages",
    order_by=("at", "desc"),
    columns=(
        *_WITH_WHOM,
        Column("at", _("When"), kind="datetime"),
        Column("way", _("Way of contact"), kind="state", choices=rules.WAYS, sortable=False),
        Column("result", _("Outcome"), kind="state", choices=rules.RESULTS, sortable=False),
        Column("summary", _("What was said"), sortable=False),
        Column("next_step", _("Next step"), sortable=False, phone=False),
    ),
    further=(
        Column("is_qualified", _("Counts against unlocking"), kind="bool", sortable=False),
        Column("place", _("Where"), sortable=False),
        Column("state", _("State"), kind="state", choices=rules.RECORD_STATES, sortable=False),
        Column("created_at", _("Written"), kind="datetime", sortable=False),
    ),
    empty=_RECORDS_COME,
    scope=permissions.visible_records,
    views=(
        View("mine", _("Mine"), permissions.my_records, empty=_RECORDS_COME),
        View("team", _("My people’s"), permissions.records_below, of_superiors=True),
        View("interested", _("Is interested"), permissions.records_of_interest),
    ),
    quick=("person", "way", "result"),
    permission=USE,
    exports=EXPORT,
)

APPOINTMENTS = Register(
    name=permissions.APPOINTMENT,
    title=_("Appointments"),
    model=Appointment,
    group="customer",
    icon="calendar-event",
    order_by=("due_on", "desc"),
    columns=(
        *_WITH_WHOM,
        Column("due_on", _("Day"), kind="date"),
        Column("at", _("Time"), sortable=False),
        Column("purpose", _("What for"), sortable=False),
        Column("state", _("State"), kind="state", choices=rules.APPOINTMENT_STATES),
        Column("postponed", _("Times put off"), kind="number", phone=False),
    ),
    further=(Column("created_at", _("Made"), kind="datetime"),),
    empty=_APPOINTMENTS_COME,
    scope=permissions.visible_appointments,
    views=(
        View("mine", _("Mine, still open"), permissions.my_appointments, empty=_APPOINTMENTS_COME),
        View("team", _("My people’s, still open"), permissions.appointments_below, of_superiors=True),
        View("overdue", _("Overdue"), permissions.overdue_appointments),
    ),
    quick=("person", "state"),
    permission=USE,
    exports=EXPORT,
)

POLICIES = Register(
    name=permissions.POLICY,
    title=_("Follow-up frequency"),
    model=FollowPolicy,
    group="customer",
    icon="calendar-time",
    order_by=("days", "asc"),
    columns=(
        *_FOR_WHOM,
        Column("days", _("Every … days"), kind="number"),
        Column("most_days", _("At most … days"), kind="number"),
    ),
    fields=(
        *_FOR_WHOM,
        Column("days", _("Every … days"), kind="number", hint=_("After that many days the next contact is proposed.")),
        Column("most_days", _("At most … days"), kind="number", hint=_("Nobody may put it later than that.")),
    ),
    scope=permissions.visible_policies,
    permission=permissions.MANAGE_POLICIES,
    create=operations.create_policy,
    change=operations.change_policy,
    archive=operations.remove_policy,
    removes=True,
)

MANIFEST = Manifest(
    title=_("Following up"),
    registers=(RECORDS, APPOINTMENTS, POLICIES),
    permissions=(
        Permission(permissions.WRITE, _("Write contact records and make appointments")),
        Permission(permissions.VOID, _("Void contact records that others wrote")),
        Permission(permissions.TEAM, _("Read contact records by person and period, and what they say together")),
        Permission(permissions.MANAGE_POLICIES, _("Set how often customers are spoken to")),
    ),
)
