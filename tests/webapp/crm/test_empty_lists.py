"""A list in which nothing stands yet says what will, and leads on to where it comes from, as far as the reader may."""

from __future__ import annotations

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import select

from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from processes.organization.models import Employee
from tests.demo_house import DemoHouse
from tests.webapp.crm.people import keep

EMPTY = "还没有记录"


def ways(page: str) -> list[str]:
    """Addresses of the buttons below the sentence."""
    assert EMPTY in page
    below = page.split(EMPTY, 1)[1].split("</section>", 1)[0]
    return [part.split('href="', 1)[1].split('"', 1)[0] for part in below.split('<a class="btn')[1:]]


@pytest.mark.parametrize(
    ("who", "address", "says", "leads_to"),
    [
        ("wang.lei", "/activity/record/list/", "打完电话或拜访", ["/follow/", "/follow/new"]),
        ("wang.lei", "/activity/record/list/?view=mine", "打完电话或拜访", ["/follow/", "/follow/new"]),
        ("wang.lei", "/activity/appointment/list/", "何时联系", ["/follow/", "/follow/new", "/follow/calendar"]),
        ("wang.lei", "/party/customer/list/", "企业客户和个人客户", ["/party/customer/add", "/customers/import"]),
        ("wang.lei", "/party/customer/list/?view=mine", "由您负责", ["/party/customer/add", "/customers/import"]),
        ("wang.lei", "/party/competitor/list/", "与您竞争", ["/party/competitor/add"]),
        ("wang.lei", "/office/leave_request/list/", "提交后", ["/start/leave_request"]),
    ],
)
def test_an_empty_list_leads_on(house: DemoHouse, who: str, address: str, says: str, leads_to: list[str]) -> None:
    page = house.login(who).get(address).text
    assert says in page
    assert ways(page) == leads_to


def test_a_newcomer_is_led_to_the_pool_while_something_lies_in_it(house: DemoHouse) -> None:
    keep(name="鹏讯电子有限公司")
    newcomer = house.login("wang.lei")
    found = ways(newcomer.get("/party/customer/list/?view=mine").text)
    assert found == ["/party/customer/add", "/customers/pool", "/customers/import"]
    narrowed = newcomer.get("/party/customer/list/?view=mine&q=鹏讯").text
    assert EMPTY not in narrowed, "a filter may hide what is there"
    for address, says in (
        ("/customers/lists?view=watched", "有人锁定该客户时会通知您"),
        ("/customers/lists?view=shared", "负责人在客户页面共享给您后"),
        ("/follow/calendar", "可在客户页面点“预约”"),
        ("/follow/", "当前没有需要联系的客户"),
        ("/search/?q=没有这个", "电话后四位"),
    ):
        assert says in newcomer.get(address).text, address


@pytest.mark.parametrize("who", ["wang.lei", "chen.guoqiang"])
def test_documents_come_from_templates(house: DemoHouse, who: str) -> None:
    reader = house.login(who)
    page = reader.get("/document/document/list/").text
    assert "Word 模板" in page
    for way in ways(page):
        assert reader.get(way).status_code == 200, way


def test_whoever_looks_through_anothers_eyes_is_led_nowhere(house: DemoHouse) -> None:
    with transaction() as session:
        seller = session.scalars(select(Employee.id).where(Employee.name == "王磊")).one()
        user = session.scalars(select(User).where(User.username == "chen.guoqiang")).one()
        user.roles = [session.scalars(select(Role).where(Role.name == "Admin")).one()]
    Sessions.remove()
    admin = house.login("chen.guoqiang")
    assert admin.post("/view-as/begin", {"person": str(seller)}).status_code == 302
    assert ways(admin.get("/party/customer/list/").text) == []


def test_a_list_nobody_adds_to_by_hand_says_how_it_fills(house: DemoHouse) -> None:
    """The login log is never empty: whoever reads it has signed in; roles and logins neither."""
    never = {"security.role", "security.login", "security.login_log"}
    bare = [one.name for one in CATALOG.registers.values() if one.create is None and one.empty is None]
    assert set(bare) <= never
