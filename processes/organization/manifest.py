"""What the organization declares: its registers and rights."""

from __future__ import annotations

from engine.catalog import Column, Manifest, Permission, Register
from engine.i18n import _
from processes.organization import operations, permissions, rules
from processes.organization.models import CalendarDay, Department, Employee, OfficeHours, Position, ScopeGrant

_STATES = {"active": _("Active"), "archived": _("Archived")}

DEPARTMENTS = Register(
    name="organization.department",
    title=_("Departments"),
    model=Department,
    group="system",
    icon="sitemap",
    order_by=("path", "asc"),
    columns=(
        Column("name", _("Name")),
        Column("parent", _("Above it"), kind="reference"),
        Column("head", _("Head"), kind="person"),
        Column("state", _("State"), kind="state", choices=_STATES),
    ),
    fields=(
        Column("name", _("Name")),
        Column("code", _("Code in document numbers")),
        Column("parent", _("Above it"), kind="reference"),
        Column("head", _("Head"), kind="person"),
        Column("rank", _("Order among its siblings"), kind="number"),
    ),
    search=("name",),
    scope=permissions.visible_departments,
    related=("organization.employee",),
    create=operations.create_department,
    change=operations.change_department,
    archive=operations.archive_department,
)

POSITIONS = Register(
    name="organization.position",
    title=_("Positions"),
    model=Position,
    group="system",
    icon="id-badge",
    order_by=("name", "asc"),
    columns=(
        Column("name", _("Name")),
        Column("code", _("Code")),
        Column("state", _("State"), kind="state", choices=_STATES),
    ),
    fields=(Column("name", _("Name")), Column("code", _("Code"))),
    search=("name", "code"),
    scope=permissions.visible_positions,
    create=operations.create_position,
    change=operations.change_position,
    archive=operations.archive_position,
)

EMPLOYEES = Register(
    name="organization.employee",
    title=_("Employees"),
    model=Employee,
    group="system",
    icon="users",
    order_by=("number", "asc"),
    columns=(
        Column("name", _("Full name")),
        Column("number", _("Number")),
        Column("department", _("Department"), kind="reference"),
        Column("superior", _("Superior"), kind="person"),
        Column("phone", _("Phone"), kind="phone", sortable=False),
        Column("email", _("Mail"), phone=False),
        Column("state", _("State"), kind="state", choices={"active": _("Employed"), "left": _("Left the company")}),
    ),
    fields=(
        Column("number", _("Number")),
        Column("name", _("Full name")),
        Column("phone", _("Phone")),
        Column("email", _("Mail")),
        Column("department", _("Department"), kind="reference"),
        Column("positions", _("Positions"), kind="reference"),
        Column("superior", _("Superior"), kind="person"),
        Column("locale", _("Language"), kind="state", choices={"zh_CN": _("Chinese"), "en": _("English")}),
        Column("takes_orphans", _("Takes work for which nobody is found"), kind="bool"),
    ),
    search=("number", "name", "phone", "email"),
    scope=permissions.visible_employees,
    create=operations.create_employee,
    change=operations.change_employee,
    archive=operations.archive_employee,
)

WEEKDAYS = {
    "1": _("Monday"),
    "2": _("Tuesday"),
    "3": _("Wednesday"),
    "4": _("Thursday"),
    "5": _("Friday"),
    "6": _("Saturday"),
    "7": _("Sunday"),
}

DAY_KINDS = {"holiday": _("Holiday"), "working": _("Working day"), "short": _("Shortened day")}

_CALENDAR_DAY = (
    Column("day", _("Date"), kind="date"),
    Column("kind", _("Kind"), kind="state", choices=DAY_KINDS),
    Column("name", _("Name")),
    Column("hours", _("Office hours"), sortable=False),
)

CALENDAR_DAYS = Register(
    name="organization.calendar_day",
    title=_("Days that differ"),
    model=CalendarDay,
    group="",
    icon="calendar-event",
    order_by=("day", "desc"),
    columns=(
        *_CALENDAR_DAY,
        Column(
            "source",
            _("Source"),
            kind="state",
            choices={"company": _("Entered by hand"), "announcement": _("Announcement")},
            phone=False,
        ),
    ),
    fields=_CALENDAR_DAY,
    search=("name",),
    scope=permissions.visible_calendar,
    permission=permissions.MANAGE_CALENDAR,
    create=operations.create_calendar_day,
    change=operations.change_calendar_day,
    archive=operations.remove_calendar_day,
    removes=True,
)

OFFICE_HOURS = Register(
    name="organization.office_hours",
    title=_("Office hours"),
    model=OfficeHours,
    group="",
    icon="clock",
    order_by=("weekday", "asc"),
    columns=(
        Column("weekday", _("Weekday"), kind="state", choices=WEEKDAYS),
        Column("hours", _("Office hours"), sortable=False),
    ),
    fields=(
        Column("weekday", _("Weekday"), kind="state", choices=WEEKDAYS),
        Column("hours", _("Office hours"), sortable=False),
    ),
    scope=permissions.visible_calendar,
    permission=permissions.MANAGE_CALENDAR,
    create=operations.create_office_hours,
    change=operations.change_office_hours,
    archive=operations.remove_office_hours,
    removes=True,
)

_SCOPE_GRANT = (
    Column("module", _("Part of the house"), kind="state", choices=rules.SCOPED_MODULES),
    Column("person", _("Person"), kind="person"),
    Column("position", _("Position"), kind="reference"),
    Column("role", _("Role"), hint=_("As the page “Permissions” shows it, for example Sales.")),
    Column("level", _("Sees"), kind="state", choices=rules.SCOPE_LEVELS),
    Column("departments", _("Departments"), kind="reference", sortable=False, phone=False),
    Column("narrows", _("Sees no more than this"), kind="bool", phone=False),
)

SCOPE_GRANTS = Register(
    name="organization.scope_grant",
    title=_("Data scopes"),
    model=ScopeGrant,
    group="system",
    icon="eye",
    order_by=("id", "asc"),
    columns=_SCOPE_GRANT,
    fields=_SCOPE_GRANT,
    scope=permissions.visible_scope_grants,
    permission=permissions.MANAGE_SCOPES,
    create=operations.create_scope_grant,
    change=operations.change_scope_grant,
    archive=operations.remove_scope_grant,
    removes=True,
)

MANIFEST = Manifest(
    title=_("Organization"),
    registers=(DEPARTMENTS, POSITIONS, EMPLOYEES, CALENDAR_DAYS, OFFICE_HOURS, SCOPE_GRANTS),
    permissions=(
        Permission(permissions.MANAGE_DEPARTMENTS, _("Make, change and archive departments")),
        Permission(permissions.MANAGE_POSITIONS, _("Make, change and archive positions")),
        Permission(permissions.MANAGE_EMPLOYEES, _("Make and change employees, note who has left")),
        Permission(permissions.MANAGE_SCOPES, _("Decide whose customers people see")),
        Permission(permissions.MANAGE_CALENDAR, _("Change the company's calendar and office hours")),
    ),
)
