"""Categories of expenses: master data, and the source of a form's choices."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.forms import Choice, option_source
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry
from processes.spending import permissions
from processes.spending.models import ExpenseCategory

RECORD_TYPE = "spending.category"


@option_source("spending.expense_category")
def expense_categories(session: Session, _actor: Actor) -> Sequence[Choice]:
    """Open categories by code: the code stays when a category is renamed."""
    found = select(ExpenseCategory).where(ExpenseCategory.state == "active").order_by(ExpenseCategory.id)
    return [Choice(category.code, category.name) for category in session.scalars(found)]


def _read(session: Session, values: Mapping[str, Any], *, record_id: int | None) -> dict[str, Any]:
    entry = Entry(session, values, is_new=record_id is None)
    entry.code("code", required=True)
    entry.text("name", required=True)
    entry.untaken("code", ExpenseCategory.code, record_id, _("This code is already in use."))
    return entry.finish()


def create_category(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> ExpenseCategory:
    """values: code, name."""
    permissions.require(actor, permissions.MANAGE_CATEGORIES)
    clean = _read(session, values, record_id=None)
    category = ExpenseCategory(**clean)
    records.create(session, actor, RECORD_TYPE, category, clean)
    return category


def change_category(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> ExpenseCategory:
    permissions.require(actor, permissions.MANAGE_CATEGORIES)
    category = lock_for_change(session, ExpenseCategory, record_id, version)
    clean = _read(session, values, record_id=record_id)
    records.change(session, actor, RECORD_TYPE, category, clean)
    return category


def archive_category(session: Session, actor: Actor, *, record_id: int) -> None:
    """No further request may name it; what names it already keeps it."""
    permissions.require(actor, permissions.MANAGE_CATEGORIES)
    category = lock_for_change(session, ExpenseCategory, record_id)
    records.archive(session, actor, RECORD_TYPE, category)
