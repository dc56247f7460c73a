"""What the office declares: leave requests and the right to read everybody's."""

from __future__ import annotations

from engine.catalog import Column, Manifest, Permission, Process, Register
from engine.i18n import _
from processes.office import permissions, rules
from processes.office.models import LeaveRequest

KINDS = {
    "annual": _("Annual leave"),
    "personal": _("Personal leave"),
    "sick": _("Sick leave"),
    "time_off": _("Time off in lieu"),
    "marriage": _("Marriage leave"),
    "parental": _("Parental leave"),
    "bereavement": _("Bereavement leave"),
}

LEAVE = Register(
    name="office.leave_request",
    title=_("Leave requests"),
    model=LeaveRequest,
    group="office",
    icon="calendar-time",
    columns=(
        Column("number", _("Number")),
        Column("starter", _("Starter"), kind="person"),
        Column("department", _("Department"), kind="reference", phone=False),
        Column("kind", _("Kind of leave"), kind="state", choices=KINDS),
        Column("first_day", _("First day"), kind="date"),
        Column("last_day", _("Last day"), kind="date"),
        Column("days", _("Working days"), kind="number", sortable=False),
        Column("reason", _("Reason"), phone=False),
        Column(
            "state",
            _("State"),
            kind="state",
            choices=rules.STATE_NAMES,
        ),
    ),
    order_by=("first_day", "desc"),
    search=("number", "reason"),
    empty=_("Requests appear here as soon as they are sent off."),
    scope=permissions.visible_to,
)

MANIFEST = Manifest(
    title=_("Office"),
    processes=(
        Process(
            key="leave_request",
            title=_("Leave request"),
            diagram="office/leave_request.bpmn",
            icon="calendar-time",
            description=_("Ask for days off; working days are counted by the calendar."),
        ),
    ),
    registers=(LEAVE,),
    permissions=(Permission(permissions.READ_LEAVE, _("Read everybody's leave")),),
)
