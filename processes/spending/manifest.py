"""What spending declares: the expense request, its registers and rights."""

from __future__ import annotations

from engine.catalog import Column, Manifest, Permission, Process, Register
from engine.i18n import _
from processes.spending import operations, permissions, rules
from processes.spending.models import Budget, ExpenseCategory, ExpenseRequest

_PERIODS = {"month": _("Month"), "quarter": _("Quarter"), "year": _("Year")}
_POLICIES = {"stop": _("Stop"), "warn": _("Warn"), "ignore": _("Ignore")}
_USE = {"spent": _("Spent"), "reserved": _("Reserved"), "left": _("Remaining")}
_STATES = {"active": _("Active"), "archived": _("Archived")}

REQUESTS = Register(
    name="spending.expense_request",
    title=_("Expense requests"),
    model=ExpenseRequest,
    group="office",
    icon="receipt",
    columns=(
        Column("number", _("Number")),
        Column("title", _("Purpose")),
        Column("starter", _("Starter"), kind="person"),
        Column("department", _("Department"), kind="reference", phone=False),
        Column("amount", _("Amount"), kind="money"),
        Column(
            "state",
            _("State"),
            kind="state",
            choices=rules.STATE_NAMES,
        ),
        Column("over_budget", _("Over budget"), kind="bool", phone=False),
        Column("filed_on", _("Filed on"), kind="date"),
    ),
    search=("number", "title"),
    empty=_("Requests appear here as soon as they are sent off."),
    scope=permissions.visible_to,
)

BUDGETS = Register(
    name="spending.budget",
    title=_("Budgets"),
    model=Budget,
    group="office",
    icon="wallet",
    order_by=("starts_on", "desc"),
    columns=(
        Column("department", _("Department"), kind="reference"),
        Column("category", _("Category"), kind="reference"),
        Column("period", _("Period"), sortable=False),
        Column("use", _("Use"), kind="shares", sortable=False, choices=_USE),
        Column("amount", _("Amount"), kind="money"),
        Column("reserved", _("Reserved"), kind="money"),
        Column("spent", _("Spent"), kind="money"),
        Column("left", _("Remaining"), kind="money"),
        Column("policy", _("Beyond it"), kind="state", choices=_POLICIES, phone=False),
        Column("state", _("State"), kind="state", choices=_STATES, phone=False),
    ),
    fields=(
        Column("department", _("Department"), kind="reference"),
        Column("category", _("Category"), kind="reference"),
        Column("period_kind", _("Kind of period"), kind="state", choices=_PERIODS),
        Column("starts_on", _("A day of the period"), kind="date"),
        Column("amount", _("Amount"), kind="money"),
        Column("policy", _("Beyond it"), kind="state", choices=_POLICIES),
    ),
    scope=permissions.visible_budgets,
    create=operations.create_budget,
    change=operations.change_budget,
    archive=operations.archive_budget,
)

CATEGORIES = Register(
    name="spending.category",
    title=_("Expense categories"),
    model=ExpenseCategory,
    group="office",
    icon="category",
    order_by=("name", "asc"),
    columns=(
        Column("name", _("Name")),
        Column("code", _("Code")),
        Column("state", _("State"), kind="state", choices=_STATES),
    ),
    fields=(Column("name", _("Name")), Column("code", _("Code"))),
    search=("name", "code"),
    scope=permissions.visible_categories,
    create=operations.create_category,
    change=operations.change_category,
    archive=operations.archive_category,
)

MANIFEST = Manifest(
    title=_("Spending"),
    processes=(
        Process(
            key="expense_request",
            title=_("Expense request"),
            diagram="spending/expense_request.bpmn",
            icon="receipt",
            description=_("Have an expense approved before the money is spent."),
        ),
    ),
    registers=(REQUESTS, BUDGETS, CATEGORIES),
    permissions=(
        Permission(permissions.READ_REQUESTS, _("Read all expense requests")),
        Permission(permissions.CLOSE_REQUESTS, _("Close any approved expense request")),
        Permission(permissions.READ_BUDGETS, _("Read all budgets")),
        Permission(permissions.MANAGE_BUDGETS, _("Set, change and close budgets")),
        Permission(permissions.MANAGE_CATEGORIES, _("Make, change and archive expense categories")),
    ),
)
