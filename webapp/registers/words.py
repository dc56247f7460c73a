"""What a list is asked, as people read it."""

from __future__ import annotations

from engine.catalog import Register
from engine.db import Sessions
from engine.i18n import _
from webapp.registers.fields import related_model
from webapp.registers.interface import find_visible
from webapp.registers.listing import Asked, Filter
from webapp.security.access import current_actor


def of_value(register: Register, one: Filter) -> str:
    """A filter's value; a record by its name, for whoever may see it."""
    column = one.column
    model = related_model(register.model, column)
    if model is not None:
        return str(find_visible(Sessions(), current_actor(), model, one.value) or f"#{one.value}")
    if column.kind == "bool":
        return str(_("yes") if one.value == "true" else _("no"))
    return str(column.choices.get(one.value, one.value.replace("T", " ")))


def of_question(register: Register, asked: Asked) -> str:
    """View, search and filters in one line; "" = everything."""
    said = [str(view.title) for view in register.views if view.name == asked.view]
    said += [f"“{asked.q}”"] if asked.q else []
    said += [f"{one.column.title} {one.operator} {of_value(register, one)}".strip() for one in asked.filters]
    return "; ".join(said)
