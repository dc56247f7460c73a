"""The lists of customers and contacts: ready-made views, one-click filters, the drawer, spreadsheets with masks."""

from __future__ import annotations

import re
from datetime import timedelta
from io import BytesIO

import pytest
from openpyxl import load_workbook

from engine import clock
from engine.db import Sessions, transaction
from engine.i18n import _
from processes.kernel.working_time import business_date
from processes.organization.models import Department
from processes.party.models import Contact, Customer
from tests.counting import circles_of, statements
from tests.demo_house import DemoHouse
from tests.webapp.crm.conftest import COLLEAGUE, MANAGER, SELLER, SUPERIOR, Trade
from webapp.crm import parts
from webapp.registers import export

MINE, FOREIGN, POOL, CLOSED = "华宇智联科技", "鹏讯电子", "晨光教育", "旧日贸易"
LIST, CONTACTS = "/party/customer/list/", "/party/contact/list/"


def rows(page: str) -> set[str]:
    return {name for name in (MINE, FOREIGN, POOL, CLOSED) if f'">{name}</a>' in page}


@pytest.mark.parametrize(
    ("who", "view", "found"),
    [
        (SELLER, "", {MINE, POOL, CLOSED}),
        (SELLER, "mine", {MINE}),
        (SELLER, "pool", {POOL}),
        (SELLER, "due", {MINE}),
        (SELLER, "nonsense", {MINE, POOL, CLOSED}),
        (SUPERIOR, "team", {MINE, CLOSED}),
        (COLLEAGUE, "", {FOREIGN, POOL}),
        (MANAGER, "", {MINE, FOREIGN, POOL, CLOSED}),
    ],
)
def test_views_narrow_within_the_scope(house: DemoHouse, trade: Trade, who: str, view: str, found: set[str]) -> None:
    with transaction() as session:
        session.get_one(Customer, trade.ids[MINE]).next_contact_on = business_date(clock.now())
    Sessions.remove()
    page = house.login(who).get(f"{LIST}?view={view}").text
    assert rows(page) == found
    assert ("view=team" in page) == (who in {SUPERIOR, MANAGER})


def test_customers_are_filtered_by_how_often_they_were_spoken_to_and_by_how_many_people_are_known(
    house: DemoHouse, trade: Trade
) -> None:
    with transaction() as session:
        session.get_one(Customer, trade.ids[MINE]).contacts_made = 3
        session.get_one(Contact, trade.contacts[POOL]).state = "left"
    Sessions.remove()
    seller = house.login(SELLER)
    assert rows(seller.get(f"{LIST}?f.contacts_made.from=3").text) == {MINE}
    assert rows(seller.get(f"{LIST}?f.people_known.is=0").text) == {POOL}
    shown = seller.get(
        f"{LIST}?f.people_known.from=1&column=people_known&column=contacts_made&order=-contacts_made"
    ).text
    assert rows(shown) == {MINE, CLOSED}
    assert re.search(r'data-label="联系人数">\s*<span class="yl-money">1</span>', shown)


def test_one_click_filters_stay_in_the_view(house: DemoHouse, trade: Trade) -> None:
    page = house.login(SELLER).get(f"{LIST}?view=mine").text
    assert "view=mine&amp;f.level.is=A" in page
    assert rows(house.login(SELLER).get(f"{LIST}?view=mine&f.level.is=A").text) == {MINE}
    assert rows(house.login(SELLER).get(f"{LIST}?view=mine&f.level.is=B").text) == set()
    assert 'data-yl-quick data-yl-remote="/lookup/organization.employee"' in page
    chosen = house.login(SELLER).get(f"{LIST}?f.level.is=A").text
    assert re.search(r'href="/party/customer/list/\?view=" [^>]*aria-current="true"', chosen)  # once more takes it away


def test_a_row_opens_beside_the_list(house: DemoHouse, trade: Trade) -> None:
    page = house.login(SELLER).get(LIST).text
    card = f"/party/customer/card/{trade.ids[MINE]}"
    assert f'data-yl-drawer="{card}"' in page
    shown = house.login(SELLER).get(card, partial=True).text
    assert f"<h2>{MINE}</h2>" in shown
    assert 'data-yl-step="1"' in shown
    assert "138 0013 8000" in shown
    assert house.login(COLLEAGUE).get(card, partial=True).status_code == 404
    assert house.login(SELLER).get(f"/party/contact/card/{trade.contacts[MINE]}").status_code == 200


def test_packages_add_what_can_be_done_with_ticked_rows(
    house: DemoHouse, trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "/for/all" not in house.login(SELLER).get(LIST).text
    everybody = parts.BulkAction(lambda: "/for/all", "flag", _("Name"))
    few = parts.BulkAction(lambda: "/for/few", "flag", _("Name"), permission="party.customer.read")
    monkeypatch.setattr(parts, "BULK", [everybody, few])
    page = house.login(SELLER).get(LIST).text
    assert f'name="rowid" value="{trade.ids[MINE]}"' in page
    assert 'formaction="/for/all"' in page
    assert "/for/few" not in page
    assert "/for/few" in house.login(MANAGER).get(LIST).text


def test_lists_and_spreadsheets_obey_the_masks(house: DemoHouse, trade: Trade) -> None:
    seller = house.login(SELLER)
    page = seller.get(LIST).text
    assert page.count('data-yl-copy-text="138 0013 8000"') == 2  # his own two; the pool's is masked
    csv = seller.get("/party/customer/export").text.splitlines()
    by_name = {line.split(",")[0].lstrip("\ufeff"): line for line in csv}
    assert "138 0013 8000" in by_name[MINE] or "+8613800138000" in by_name[MINE]
    assert "138****8000" in by_name[POOL]
    assert "13800138000" not in by_name[POOL]
    book = load_workbook(BytesIO(seller.get("/party/customer/excel").data))
    cells = {str(row[0]): [str(one) for one in row] for row in book.active.iter_rows(values_only=True)}
    assert "138****8000" in cells[POOL]
    assert FOREIGN not in cells
    contacts = seller.get(CONTACTS).text
    assert "139****9001" in contacts
    assert "鹏讯的陈平" not in contacts


def test_a_spreadsheet_has_every_row_however_many_are_read_at_once(
    house: DemoHouse, trade: Trade, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller, mine = house.login(SELLER), ["东海贸易", "西山实业", "南桥教育", "北辰物流", "中岳传媒", "长河制造"]
    for name in mine:
        trade.add(name, None)
    monkeypatch.setattr(export, "CHUNK", 3)
    csv = seller.get("/party/customer/export").text.strip().splitlines()
    book = load_workbook(BytesIO(seller.get("/party/customer/excel").data))
    names = {str(row[0]) for row in book.active.iter_rows(values_only=True)}
    assert set(mine) < {line.split(",")[0] for line in csv}
    assert set(mine) < names
    assert len(csv) == len(mine) + 4


def test_contacts_by_role_and_time_since(house: DemoHouse, trade: Trade) -> None:
    with transaction() as session:
        mine, closed, pool = (session.get_one(Contact, trade.contacts[name]) for name in (MINE, CLOSED, POOL))
        mine.role, mine.last_contact_at = "decides", clock.now() - timedelta(days=31)
        closed.role, closed.last_contact_at = "influences", clock.now() - timedelta(days=29)
        pool.role, pool.contacts_made = "uses", 4
        today = business_date(clock.now())
        mine.person.birthday = (today + timedelta(days=20)).replace(year=1980)
        pool.person.birthday = (today + timedelta(days=40)).replace(year=1980)
    Sessions.remove()

    def found(query: str) -> set[str]:
        page = house.login(SELLER).get(f"{CONTACTS}?{query}").text
        return {name for name in (MINE, CLOSED, POOL) if f"{name[:2]}的陈平</a>" in page}

    assert found("view=key_people") == {MINE}
    assert found("view=birthdays") == {MINE}
    assert found("f.last_contact_at.older=30") == {MINE, POOL}
    assert found("f.last_contact_at.older=28") == {MINE, POOL, CLOSED}
    assert found("f.contacts_made.from=3") == {POOL}
    assert found("f.role.is=decides&f.role.is=uses") == {MINE, POOL}
    assert found("f.last_contact_at.older=soon") == {MINE, POOL, CLOSED}  # what cannot be answered is left out


def test_a_list_asks_the_same_questions_however_long(house: DemoHouse, trade: Trade) -> None:
    seller = house.login(SELLER)
    seller.get(LIST)
    with statements() as few:
        seller.get(LIST)
    for name in ("东海贸易", "西山实业", "南桥教育", "北辰物流", "中岳传媒", "长河制造"):
        trade.add(name, None)
    with statements() as many:
        seller.get(LIST)
    assert len(few) == len(many)


@pytest.mark.parametrize("address", [LIST, "/search/?q=华宇", "/"])
def test_a_page_leaves_little_to_the_collector(house: DemoHouse, trade: Trade, address: str) -> None:
    """Aliases made anew for each question once left five thousand objects a page: every tenth answer waited for it."""
    seller = house.login(SELLER)
    seller.get(address)
    assert circles_of(lambda: seller.get(address)) < 2_500


def test_the_search_shows_customers_and_their_people_first(house: DemoHouse, trade: Trade) -> None:
    with transaction() as session:
        session.add(Department(name="华宇项目部", code="HY", path="/HY/"))
    page = house.login(SELLER).get("/search/?q=华宇", partial=True).text
    places = [page.index(one) for one in ("/party/customer/show/", "/party/contact/show/", "华宇项目部")]
    assert places == sorted(places)


@pytest.mark.parametrize("partial", [False, True])
def test_hits_of_the_search_tell_namesakes_apart(house: DemoHouse, trade: Trade, partial: bool) -> None:
    found = house.login(SELLER).get("/search/?q=华宇", partial=partial).text
    contact = found[found.index("/party/contact/show/") :]
    assert MINE in contact[: contact.index("</a>")], "a contact is found with where he works"


def test_the_bar_of_the_phone_leads_to_the_customers_of_whoever_has_some(house: DemoHouse) -> None:
    def bar(who: str) -> list[str]:
        page = house.login(who).get("/").text
        nav = page[page.index('class="yl-phonebar"') : page.index("</nav>", page.index('class="yl-phonebar"'))]
        return re.findall(r"<span>(.+?)</span>", nav)

    assert bar(SELLER) == ["待办", "客户", "发起", "消息", "我"]
    assert bar("wu.ting") == ["工作台", "待办", "发起", "消息", "我"], "who has none keeps the workbench"
