"""Who may see requests and budgets, and who may change them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select, true

from engine.actor import Actor
from engine.errors import Forbidden
from engine.i18n import _
from engine.models import Instance
from engine.work_items.rights import readable_by
from processes.organization.permissions import led_by
from processes.spending.models import Budget, ExpenseCategory, ExpenseRequest

READ_REQUESTS = "spending.request.read"
CLOSE_REQUESTS = "spending.request.close"
READ_BUDGETS = "spending.budget.read"
MANAGE_BUDGETS = "spending.budget.manage"
MANAGE_CATEGORIES = "spending.category.manage"


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Own requests, those of departments one leads, those whose process one may read; with the right, all."""
    if actor.may(READ_REQUESTS):
        return true()
    return or_(
        ExpenseRequest.starter_id == actor.person_id,
        led_by(actor, ExpenseRequest.department_id),
        ExpenseRequest.instance_id.in_(select(Instance.id).where(readable_by(actor))),
    )


def visible_budgets(actor: Actor) -> ColumnElement[bool]:
    """A department's head sees its budgets and those below."""
    if actor.may(READ_BUDGETS) or actor.may(MANAGE_BUDGETS):
        return true()
    return led_by(actor, Budget.department_id)


def visible_categories(actor: Actor) -> ColumnElement[bool]:
    return true() if actor.may(MANAGE_CATEGORIES) else ExpenseCategory.state == "active"


def may_close(actor: Actor, request: ExpenseRequest) -> bool:
    return request.starter_id == actor.person_id or actor.may(CLOSE_REQUESTS)


def require(actor: Actor, permission: str) -> None:
    if not actor.may(permission):
        raise Forbidden(
            _("You may not change this; ask an administrator for the right “{permission}”.", permission=permission)
        )
