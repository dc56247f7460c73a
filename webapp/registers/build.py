"""Makes a view and a line of the sidebar of every register the packages declare."""

from __future__ import annotations

from flask import current_app
from flask_appbuilder import AppBuilder

from engine.catalog import CATALOG, Register
from webapp.registers.interface import endpoint_of
from webapp.registers.lookup import LookupView
from webapp.registers.saved import below
from webapp.registers.saved_pages import SavedViewsView
from webapp.registers.search import SearchView
from webapp.registers.views import RegisterView
from webapp.skin import watermark
from webapp.skin.navigation import Entry, navigation


def add_registers(appbuilder: AppBuilder) -> None:
    appbuilder.add_view_no_menu(LookupView)
    appbuilder.add_view_no_menu(SearchView)
    appbuilder.add_view_no_menu(SavedViewsView)
    watermark.over(SearchView.__name__)
    navigation().further = below
    for register in CATALOG.registers.values():
        endpoint = endpoint_of(register.name)
        if endpoint not in current_app.blueprints:  # some registers bring a view of their own
            add_register(appbuilder, view_of(register))


def view_of(register: Register, base: type[RegisterView] = RegisterView) -> type[RegisterView]:
    """The view class of a register; its name is the endpoint, so that every register's addresses are known."""
    route = "/" + register.name.replace(".", "/")
    return type(endpoint_of(register.name), (base,), {"register": register, "route_base": route})


def add_register(appbuilder: AppBuilder, view: type[RegisterView]) -> None:
    appbuilder.add_view_no_menu(view)
    register = view.register
    if not register.group:
        return
    navigation().add(
        Entry(
            register.group,
            register.title,
            register.icon,
            f"{view.__name__}.list",
            register.permission,
            order=200,
            phone=view.phone,
        )
    )
