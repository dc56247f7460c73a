"""Nobody goes around the safe base views, and no page is open by accident."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

import pytest
from flask import Flask
from flask_appbuilder import BaseView, ModelRestApi, ModelView  # noqa: TID251 - to find who uses them
from flask_appbuilder.api import BaseApi
from flask_appbuilder.models.sqla.interface import SQLAInterface  # noqa: TID251 - as above

from webapp.registers.interface import SafeInterface
from webapp.registers.views import RegisterView
from webapp.security.access import GUARD

WEBAPP = Path(__file__).parents[3] / "webapp"

UNSAFE = {
    "ModelView",
    "ModelRestApi",
    "SQLAInterface",
    "MasterDetailView",
    "MultipleView",
    "CompactCRUDMixin",
    "DirectByChartView",
    "GroupByChartView",
    "FileUploadField",
    "ImageUploadField",
}
AT_HOME = {("registers/views.py", "ModelView"), ("registers/interface.py", "SQLAInterface")}
"""The two places that make FAB's classes safe."""

OF_FAB = {
    "UtilView.back": "leads back to a page of this browser's own history",
    "LocaleView.index": "chooses a language for this browser",
    "OpenApi.get": "FAB's own @protect",
    "SwaggerView.show": "FAB's own @has_access",
    "MenuApi.get_menu_data": "FAB's own @protect",
}


def imports() -> Iterator[tuple[str, str]]:
    for file in sorted(WEBAPP.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("flask_appbuilder"):
                yield from ((str(file.relative_to(WEBAPP)), name.name) for name in node.names)


def test_fabs_unsafe_classes_are_imported_only_where_they_are_made_safe() -> None:
    assert {(file, name) for file, name in imports() if name in UNSAFE} == AT_HOME


def test_every_model_view_is_a_register_on_the_safe_interface(shared_app: Flask) -> None:
    views = shared_app.appbuilder.baseviews  # type: ignore[attr-defined]
    assert not [v for v in views if isinstance(v, ModelRestApi)]
    model_views = [v for v in views if isinstance(v, ModelView)]
    assert len(model_views) > 5
    for view in model_views:
        assert isinstance(view, RegisterView), type(view)
        assert type(view.datamodel) is SafeInterface
        assert view.base_order, "a list without an order repeats and loses rows"
        assert isinstance(view.datamodel, SQLAInterface)


@pytest.mark.parametrize(
    "bypass",
    ["from flask_appbuilder import ModelView", "from flask_appbuilder.models.sqla.interface import SQLAInterface"],
)
def test_the_search_for_bypasses_finds_one(bypass: str) -> None:
    (node,) = ast.parse(bypass).body
    assert isinstance(node, ast.ImportFrom)
    assert node.names[0].name in UNSAFE


def test_every_exposed_method_has_a_guard(shared_app: Flask) -> None:
    unguarded = set()
    for view in shared_app.appbuilder.baseviews:  # type: ignore[attr-defined]
        if not isinstance(view, (BaseView, BaseApi)):
            continue
        hidden = getattr(view, "exclude_route_methods", set()) or set()
        for name in dir(type(view)):
            method = getattr(type(view), name, None)
            if hasattr(method, "_urls") and name not in hidden and not hasattr(method, GUARD):
                unguarded.add(f"{type(view).__name__}.{name}")
    assert unguarded <= OF_FAB.keys()


def test_no_security_screen_of_fabs_is_left(shared_app: Flask) -> None:
    rules = {rule.rule for rule in shared_app.url_map.iter_rules()}
    for prefix in ("/users/", "/roles/", "/permissions/", "/viewmenus/", "/permissionviews/", "/groups/", "/userstats"):
        assert not [rule for rule in rules if rule.startswith(prefix)]


def test_marshmallow_stays_below_four() -> None:
    """With 4 every FAB REST view that names a foreign key dies at start (KeyError), FAB #2425."""
    assert int(version("marshmallow").split(".")[0]) < 4
