"""Saved views on the list of customers: kept, opened by whoever may, pinned, opened first, honest when stale."""

from __future__ import annotations

import re
from urllib.parse import parse_qs, urlsplit

from engine.db import Sessions, transaction
from processes.views.models import SavedView
from tests.demo_house import Browser, DemoHouse
from tests.webapp.crm.conftest import COLLEAGUE, MANAGER, NEWCOMER, SELLER, SUPERIOR, Trade

MINE, FOREIGN, POOL, CLOSED = "华宇智联科技", "鹏讯电子", "晨光教育", "旧日贸易"
LIST, KEEP, CHOOSE = "/party/customer/list/", "/views/of/party.customer", "/views/of/party.customer/choose"


def rows(page: str) -> set[str]:
    return {name for name in (MINE, FOREIGN, POOL, CLOSED) if f'">{name}</a>' in page}


def keep(browser: Browser, asked: str, name: str = "重点", **more: str) -> int:
    answer = browser.post(KEEP, {"asked": asked, "name": name, **more})
    assert answer.status_code == 302, answer.text
    return int(parse_qs(urlsplit(answer.headers["Location"]).query)["saved"][0])


def version_of(view_id: int) -> int:
    with transaction() as session:
        found = session.get_one(SavedView, view_id).version
    Sessions.remove()
    return found


def test_a_view_opens_as_it_was_kept_and_says_when_it_has_been_changed(house: DemoHouse, trade: Trade) -> None:
    seller = house.login(SELLER)
    key = keep(seller, "?view=mine&f.level.is=A&order=-name&column=name&column=city&size=50")
    page = seller.get(f"{LIST}?saved={key}").text
    assert rows(page) == {MINE}
    assert ("城市" in page, 'data-label="负责人"' in page) == (True, False)
    assert re.search(rf'href="[^"]*\?saved={key}"[^>]*aria-current="page"', page)
    assert "yl-changed" not in page
    changed = seller.get(f"{LIST}?from={key}&view=mine&order=-name&column=name&column=city&size=50").text
    assert "yl-changed" in changed
    seller.post(f"/views/{key}/replace", {"asked": f"?from={key}&f.state.is=open", "version": str(version_of(key))})
    assert rows(seller.get(f"{LIST}?saved={key}").text) == {POOL}
    assert "城市" in seller.get("/party/customer/export?view=mine&column=name&column=city").text


def test_a_shared_view_shows_each_reader_only_what_he_may_see(house: DemoHouse, trade: Trade) -> None:
    key = keep(house.login(MANAGER), "?f.state.is=locked", "全部锁定", audience="everybody")
    assert rows(house.login(MANAGER).get(f"{LIST}?saved={key}").text) == {MINE, FOREIGN}
    assert rows(house.login(SELLER).get(f"{LIST}?saved={key}").text) == {MINE}
    assert rows(house.login(COLLEAGUE).get(f"{LIST}?saved={key}").text) == {FOREIGN}
    assert "全部锁定" in house.login(COLLEAGUE).get(LIST).text
    assert house.login(NEWCOMER).get(f"{LIST}?saved={key}").status_code == 403
    private = keep(house.login(MANAGER), "?f.state.is=locked", "自己的")
    told = house.login(SELLER).get(f"{LIST}?saved={private}").text
    assert "yl-view-lost" in told
    assert "自己的" not in told
    refused = house.login(SELLER).post(KEEP, {"asked": "", "name": "越权", "audience": "everybody"}, partial=True)
    assert refused.status_code == 422
    assert "越权" not in house.login(COLLEAGUE).get(LIST).text


def test_a_list_opens_with_the_default_and_all_is_one_click_away(house: DemoHouse, trade: Trade) -> None:
    seller = house.login(SELLER)
    key = keep(seller, "?f.state.is=open", default="1", pinned="1")
    opened = seller.get(LIST)
    assert opened.headers["Location"].endswith(f"?saved={key}")
    assert rows(seller.get(f"{LIST}?view=").text) == {MINE, POOL, CLOSED}
    assert f'class="yl-line yl-below" href="{LIST}?saved={key}"' in seller.get("/").text
    seller.post(CHOOSE, {"chosen": "mine", "default": "yes", "asked": "?view=mine"})
    assert seller.get(LIST).headers["Location"].endswith("?view=mine")
    seller.post(CHOOSE, {"chosen": str(key), "pinned": "no", "asked": f"?saved={key}"})
    assert "yl-below" not in seller.get("/").text
    assert house.login(SUPERIOR).get(LIST).status_code == 200


def test_a_stale_view_says_so_and_shows_what_it_can(house: DemoHouse, trade: Trade) -> None:
    seller = house.login(SELLER)
    key = keep(seller, "?f.state.is=open")
    with transaction() as session:
        session.get_one(SavedView, key).question = {
            "filters": [["state", "is", "open"], ["shoe_size", "is", "43"]],
            "columns": ["name", "hat"],
            "order": "-hat",
        }
    Sessions.remove()
    page = seller.get(f"{LIST}?saved={key}").text
    assert rows(page) == {POOL}
    assert page.count("shoe_size") == 1
    assert page.count("“hat”") == 2


def test_refusals_stand_in_the_dialog_and_a_double_click_keeps_one(house: DemoHouse, trade: Trade) -> None:
    seller = house.login(SELLER)
    form = {"asked": "?view=mine", "name": "双击", "submission": "one"}
    first, second = (seller.post(KEEP, form).headers["Location"] for _click in range(2))
    assert first == second
    key = keep(seller, "?view=pool", "另一个")
    stale = version_of(key)
    gone = seller.post(f"/views/{key}/rename", {"name": "改名", "version": str(stale)})
    assert gone.status_code == 302
    seller.post(f"/views/{key}/remove", {"version": str(stale)})
    assert "改名" in seller.get(LIST).text  # the stale tab removed nothing
    seller.post(f"/views/{key}/remove", {"version": str(version_of(key))})
    seller.get(LIST)  # says that it is gone
    assert "改名" not in seller.get(LIST).text


def test_whoever_lost_the_right_to_share_renames_without_taking_it_from_the_others(
    house: DemoHouse, trade: Trade
) -> None:
    seller = house.login(SELLER)
    key = keep(seller, "?view=pool", "以前共享的")
    with transaction() as session:
        view = session.get_one(SavedView, key)
        view.audience = "everybody"
    Sessions.remove()
    page = seller.get(f"{LIST}?saved={key}").text
    assert re.search(r'<option value="everybody" selected>', page)
    form = {"name": "换了名字", "audience": "everybody", "version": str(version_of(key))}
    assert seller.post(f"/views/{key}/rename", form, partial=True).status_code == 204
    assert "换了名字" in house.login(COLLEAGUE).get(LIST).text
