"""Row rights hold on every road: list, record, form, action, select, lookup, search, export, tab."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask, flash
from flask_appbuilder.actions import action

from engine import db
from engine.catalog import CATALOG
from engine.db import Sessions
from tests.webapp.ground import house
from tests.webapp.ground.conftest import Browser, Login
from webapp.registers import build
from webapp.registers.interface import SafeInterface
from webapp.registers.views import RegisterView

SECRET = "秘密项目"


class DealsWithActions(RegisterView):
    register = house.DEALS

    @action("win", "Win", "", "star")
    def win(self, records: Any) -> None:
        with db.transaction():
            for deal in records:
                deal.won = True
        flash("won")


@pytest.fixture
def seller(login: Login) -> Browser:
    return login("seller", ("Admin",))


@pytest.fixture
def action_view(shared_app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """The deals' own view with an action on it, in the place of the plain one."""
    view = next(v for v in shared_app.appbuilder.baseviews if v.endpoint == "made_up_deal")  # type: ignore[attr-defined]
    with shared_app.app_context():
        better = build.view_of(house.DEALS, DealsWithActions)()
    better.endpoint, better.appbuilder = view.endpoint, view.appbuilder
    for name in ("action", "action_post", "show", "list"):
        monkeypatch.setitem(shared_app.view_functions, f"made_up_deal.{name}", getattr(better, name))


def won(deal_id: int) -> bool:
    Sessions.remove()
    return Sessions().get_one(house.Deal, deal_id).won


@pytest.mark.parametrize(
    "road",
    [
        "/made_up/deal/list/?f.customer.is=1",
        "/made_up/deal/list/?q=秘密",
        "/made_up/deal/export",
        "/made_up/note/list/",
        "/made_up/note/list/?f.deal.is=2",
        "/made_up/note/add?deal=2",
        "/lookup/made_up.deal",
        "/lookup/made_up.deal?q=秘密",
        "/search/?q=秘密",
        "/made_up/customer/show/1",
    ],
)
def test_no_road_shows_a_foreign_row(seller: Browser, road: str) -> None:
    answer = seller.get(road)
    assert answer.status_code == 200
    text = answer.data.decode("utf-8") + repr(answer.json if answer.is_json else "")
    assert SECRET not in text
    assert "秘密便条" not in text


@pytest.mark.parametrize("road", ["show/2", "edit/2", "history/2"])
def test_a_foreign_record_is_not_found(seller: Browser, road: str) -> None:
    assert seller.get(f"/made_up/deal/{road}").status_code == 404


@pytest.mark.parametrize("road", ["edit/2", "delete/2"])
def test_a_foreign_record_is_not_changed(seller: Browser, road: str) -> None:
    assert seller.post(f"/made_up/deal/{road}", {"name": "mine now"}).status_code == 404
    Sessions.remove()
    assert Sessions().get_one(house.Deal, 2).name == SECRET


def test_an_action_on_a_foreign_row_is_not_found(seller: Browser, action_view: None) -> None:
    assert seller.post("/made_up/deal/action/win/2").status_code == 404
    assert seller.post("/made_up/deal/action_post", {"action": "win", "rowid": ["1", "2"]}).status_code == 404
    assert not won(2)
    assert not won(1), "all or nothing"


def test_an_action_on_ones_own_rows_runs(seller: Browser, action_view: None) -> None:
    assert 'name="action" value="win"' in seller.get("/made_up/deal/list/").text
    assert seller.post("/made_up/deal/action_post", {"action": "win", "rowid": ["1"]}).status_code == 302
    assert won(1)


def test_an_unknown_action_is_not_found(seller: Browser, action_view: None) -> None:
    assert seller.post("/made_up/deal/action/drop/1").status_code == 404


def test_a_select_takes_no_row_it_would_not_offer(seller: Browser) -> None:
    answer = seller.post("/made_up/note/add?_l_=en", {"text": "x", "deal": "2"})
    assert answer.status_code == 422
    assert "Please choose from the list." in answer.text
    assert SECRET not in answer.text


def test_without_the_right_to_manage_there_are_no_buttons_and_no_way_in(login: Login) -> None:
    reader = login("reader")
    page = reader.get("/made_up/deal/list/").text
    assert "/made_up/deal/add" not in page
    assert "/made_up/deal/edit/1" not in reader.get("/made_up/deal/show/1").text
    for road in ("add", "edit/1", "history/1"):
        assert reader.get(f"/made_up/deal/{road}").status_code == 403
    for road in ("add", "edit/1", "delete/1", "action/win/1", "action_post"):
        assert reader.post(f"/made_up/deal/{road}").status_code == 403


def test_a_register_with_a_permission_is_closed_without_it(login: Login) -> None:
    reader = login("reader")
    for road in ("/security/login/list/", "/security/login/show/1", "/security/login/export", "/lookup/security.login"):
        assert reader.get(road).status_code == 403
    assert "/security/login/list/" not in reader.get("/made_up/deal/list/").text


@pytest.mark.parametrize(
    "road",
    [
        "/",
        "/made_up/deal/list/",
        "/made_up/deal/show/1",
        "/made_up/deal/export",
        "/lookup/made_up.deal",
        "/search/?q=x",
        "/me/",
        "/security/matrix/",
    ],
)
def test_nobody_gets_in_without_signing_in(anonymous: Browser, road: str) -> None:
    answer = anonymous.get(road)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/login/?next=")
    assert anonymous.get(road, headers={"Accept": "application/json"}).status_code == 401


def test_fabs_own_data_methods_cannot_pass_the_scope_or_write() -> None:
    interface = SafeInterface(house.DEALS)
    for method in ("query", "add", "edit", "delete", "delete_all"):
        with pytest.raises(TypeError):
            getattr(interface, method)(object())


@pytest.mark.databases("sqlite")
def test_every_register_of_the_house_keeps_its_scope_to_itself(app: Flask) -> None:
    """A scope is asked with an actor who may do nothing: it must answer with SQL, not with an error."""
    from engine.actor import Actor

    nobody = Actor(person_id=10**9, name="niemand")
    for register in CATALOG.registers.values():
        statement = SafeInterface(register).visible(nobody).limit(1)
        Sessions().execute(statement).all()
