"""What the organization declares: its registers and rights."""

from __future__ import annotations

from engine.catalog import Column, Manifest, Permission, Register
from engine.i18n import _
from processes.organization import operations, permissions
from processes.organization.models import Department, Employee, Position

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
        Column("phone", _("Phone"), sortable=False),
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

MANIFEST = Manifest(
    title=_("Organization"),
    registers=(DEPARTMENTS, POSITIONS, EMPLOYEES),
    permissions=(
        Permission(permissions.MANAGE_DEPARTMENTS, _("Make, change and archive departments")),
        Permission(permissions.MANAGE_POSITIONS, _("Make, change and archive positions")),
        Permission(permissions.MANAGE_EMPLOYEES, _("Make and change employees, note who has left")),
    ),
)
