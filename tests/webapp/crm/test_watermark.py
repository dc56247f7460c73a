"""Who reads and who exports stands on the screen, in the file and in the person's history (row 65)."""

from __future__ import annotations

import dataclasses
import re
from io import BytesIO
from typing import Any
from urllib.parse import unquote

import pytest
from flask_appbuilder.security.sqla.models import Role
from openpyxl import load_workbook
from sqlalchemy import select

from engine.db import Sessions, transaction
from engine.models import RecordAudit
from processes.organization.models import Employee
from processes.party.permissions import EXPORT
from tests.demo_house import Browser, DemoHouse
from tests.webapp.crm.conftest import COLLEAGUE, SELLER, Trade
from tests.webapp.crm.test_matrix import CUSTOMERS
from tests.webapp.crm.test_sight import FOREIGN, OWN, POOL, admin, rule
from webapp.security.naming import named
from webapp.skin import watermark

__all__ = ["admin"]

MARK = re.compile(r'class="yl-watermark".*?<text[^>]*>([^<]+)<tspan[^>]*>([^<]+)<', re.DOTALL)
PAGES = ("/party/customer/list/", f"/search/?q={OWN}", "/follow/", "/customers/pool", "/party/contact/list/", "/calls")


def number_of(name: str) -> str:
    with transaction() as session:
        found = session.scalars(select(Employee.number).where(Employee.name == name)).one()
    Sessions.remove()
    return found


def marks(browser: Browser, *pages: str) -> list[Any]:
    return [MARK.findall(browser.get(page).text) for page in pages]


@pytest.fixture
def setting(house: DemoHouse, monkeypatch: pytest.MonkeyPatch) -> Any:
    def choose(value: str) -> None:
        changed = dataclasses.replace(house.app.config["SETTINGS"], watermark=value)
        monkeypatch.setitem(house.app.config, "SETTINGS", changed)

    return choose


def test_pages_with_customers_name_their_reader_where_a_rule_keeps_something_back(
    house: DemoHouse, trade: Trade
) -> None:
    seller = house.login(SELLER)
    show = f"/party/customer/show/{trade.ids[OWN]}"
    assert not any(marks(seller, *PAGES, show)), "no rule speaks to him"
    rule(trade.customer(OWN).owner_id or 0, "masked")
    for found in marks(seller, *PAGES, show):
        assert found, "a page with customers"
        who, when = found[0]
        assert who == f"王磊 {number_of('王磊')}"
        assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d", when)
    assert not any(marks(seller, "/", "/inbox", "/me/", "/organization/employee/list/")), "no customer is there"
    assert not any(marks(house.login(COLLEAGUE), *PAGES))
    assert not any(marks(house.visitor(), "/login/"))


@pytest.mark.parametrize(
    ("value", "customers", "elsewhere"),
    [("off", False, False), ("customers", True, False), ("everywhere", True, True)],
)
def test_a_house_decides_where_it_is_drawn(
    house: DemoHouse, trade: Trade, setting: Any, value: str, *, customers: bool, elsewhere: bool
) -> None:
    rule(trade.customer(OWN).owner_id or 0, "masked", "contact.email")
    setting(value)
    for who in (SELLER, COLLEAGUE):
        browser = house.login(who)
        assert [bool(one) for one in marks(browser, *PAGES)] == [customers] * len(PAGES)
        assert [bool(one) for one in marks(browser, "/inbox", "/me/")] == [elsewhere] * 2


def test_every_room_that_shows_customers_bears_it() -> None:
    fragments = {"LookupView", "comments", "party_hints"}
    rooms = {one for one in CUSTOMERS if not one.startswith("api.")} - fragments
    assert {one for one in rooms if not watermark.lies_over(f"{one}.index")} == set()


def test_through_anothers_eyes_it_names_whoever_really_sits_there(
    house: DemoHouse, trade: Trade, admin: Browser
) -> None:
    person = trade.customer(OWN).owner_id or 0
    rule(person, "masked")
    assert admin.post("/view-as/begin", {"person": str(person)}).status_code == 302
    ((who, _when), *_rest) = MARK.findall(admin.get("/party/customer/list/").text)
    assert who.startswith("陈国强 ")


def noted(person: int) -> list[dict[str, Any]]:
    with transaction() as session:
        rows = session.scalars(
            select(RecordAudit)
            .where(RecordAudit.action == "exported", RecordAudit.actor_id == person)
            .order_by(RecordAudit.seq)
        ).all()
        found = [{"on": (row.record_type, row.record_id), **(row.after or {})} for row in rows]
    Sessions.remove()
    return found


def test_an_excel_file_says_who_made_it_of_what(house: DemoHouse, trade: Trade) -> None:
    seller, person = house.login(SELLER), trade.customer(OWN).owner_id or 0
    answer = seller.get("/party/customer/excel?view=mine&f.level.is=A")
    book = load_workbook(BytesIO(answer.data))
    rows, said = book.worksheets
    assert book.active is rows, "whoever reads the first sheet reads the rows alone"
    assert [row[0].value for row in rows] == ["名称", OWN]
    facts = {row[0].value: row[1].value for row in said.iter_rows()}
    who = f"王磊 {number_of('王磊')}"
    assert facts["导出人"] == who
    assert facts["列表"] == "客户"
    assert "我的" in facts["筛选"]
    assert "A" in facts["筛选"]
    assert rows.oddFooter.center.text.startswith(who)
    assert who.replace(" ", "-") in unquote(answer.headers["Content-Disposition"])
    assert noted(person) == [
        {
            "on": ("organization.employee", person),
            "list": "客户",
            "question": "view=mine&f.level.is=A",
            "format": "xlsx",
            "rows": "1",
        }
    ]


def test_a_csv_keeps_to_its_rows_and_is_named_after_whoever_took_it(house: DemoHouse, trade: Trade) -> None:
    seller, person = house.login(SELLER), trade.customer(OWN).owner_id or 0
    answer = seller.get("/party/customer/export?view=pool")
    lines = answer.text.lstrip("\ufeff").splitlines()
    assert lines[0].startswith("名称,")
    assert POOL in answer.text
    assert "王磊" not in lines[-1]
    assert f"王磊-{number_of('王磊')}" in unquote(answer.headers["Content-Disposition"])
    assert [(one["format"], one["rows"]) for one in noted(person)] == [("csv", str(len(lines) - 1))]
    page = house.login("wu.ting").get(f"/organization/employee/history/{person}").text
    assert "导出了列表" in page
    assert FOREIGN not in page


def test_a_report_taken_along_is_noted_too(house: DemoHouse, trade: Trade, admin: Browser) -> None:
    for page in ("/reports/customer-change/", "/reports/customer-state/", "/calls/statistics"):
        answer = admin.get(f"{page}?as=excel")
        book = load_workbook(BytesIO(answer.data))
        assert "陈国强" in str([cell.value for row in book.worksheets[1].iter_rows() for cell in row])
    with transaction() as session:
        person = session.scalars(select(Employee.id).where(Employee.name == "陈国强")).one()
    assert len(noted(person)) == 3


@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\t=", "＝", "＋", "－", "＠"])
def test_a_name_that_is_a_formula_stays_a_name(house: DemoHouse, trade: Trade, sign: str) -> None:
    name = f"{sign}cmd|'/c calc'!A1"
    trade.add(name, trade.customer(OWN).owner_id)
    seller = house.login(SELLER)
    lines = seller.get("/party/customer/export?view=mine").text.lstrip("\ufeff").splitlines()
    (line,) = (one for one in lines if "calc" in one)
    assert line.lstrip('"').startswith("'") or not line.lstrip('"').startswith(sign), line
    sheet = load_workbook(BytesIO(seller.get("/party/customer/excel?view=mine").data)).worksheets[0]
    (cell,) = (row[0] for row in sheet.iter_rows() if "calc" in str(row[0].value))
    assert cell.data_type == "s"


def test_a_house_may_keep_files_from_its_sellers(house: DemoHouse, trade: Trade) -> None:
    with transaction() as session:
        held = [
            (role, link)
            for role in session.scalars(select(Role).where(Role.name.in_(("Sales", "Supervisor"))))
            for link in role.permissions
            if named(link.permission.name, link.view_menu.name) == EXPORT
        ]
        assert {role.name for role, _link in held} == {"Sales", "Supervisor"}
        for role, link in held:
            role.permissions.remove(link)
    Sessions.remove()
    seller = house.login(SELLER)
    for register in ("party/customer", "party/contact", "party/competitor", "activity/record", "activity/appointment"):
        page = seller.get(f"/{register}/list/?view=")
        assert page.status_code == 200
        assert f"/{register}/export" not in page.text
        for kind in ("export", "excel"):
            answer = seller.get(f"/{register}/{kind}")
            assert answer.status_code == 403
            assert OWN not in answer.text
    assert noted(trade.customer(OWN).owner_id or 0) == []
    assert seller.get("/messaging/message/export").status_code == 200, "his own messages are no customers"
