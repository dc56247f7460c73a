"""Pages of whose customers are, as a seller, his superior and the administrator of the rules meet them."""

from __future__ import annotations

import re

import pytest

from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from processes.ownership import operations as ownership
from processes.party import operations as party
from tests.demo_house import Browser, DemoHouse
from tests.webapp.ownership.conftest import Trade

SELLER, SUPERIOR, MANAGER = "wang.lei", "zhou.ming", "chen.guoqiang"


def text_of(browser: Browser, url: str, status: int = 200) -> str:
    answer = browser.get(url)
    assert answer.status_code == status, answer.text[:2000]
    return answer.text


def limit(most: int) -> None:
    with transaction() as session:
        ownership.create_limit(session, SYSTEM, values={"most": most})
    Sessions.remove()


def test_the_pool_shows_what_is_open_and_applying_asks_the_superior(house: DemoHouse, trade: Trade) -> None:
    seller = house.login(SELLER)
    page = text_of(seller, "/customers/pool")
    assert "晨光教育" in page
    assert "云启智联科技" not in page
    assert "晨光教育" not in text_of(seller, "/customers/pool?view=applied")
    sent = seller.post("/customers/pool", {"act": "apply", "ids": [trade.pooled], "reason": "上门谈过"})
    assert sent.status_code == 302
    page = text_of(seller, "/customers/pool?view=applied")
    assert "已申请 1 个。" in page
    assert "晨光教育" in page
    assert "晨光教育" in text_of(house.login(SUPERIOR), "/inbox")
    again = seller.post("/customers/pool", {"act": "apply", "ids": [trade.pooled], "reason": "上门谈过"})
    assert again.status_code == 302
    assert "您已申请过“晨光教育”" in text_of(seller, "/customers/pool")
    opened = text_of(seller, f"/customers/{trade.pooled}/apply")  # said at once, not after the reason is written again
    assert "目前排在第 1 位，共 1 位" in opened
    assert f"/customers/{trade.pooled}/withdraw" in opened
    assert 'name="reason"' not in opened


def test_at_the_limit_the_page_offers_what_to_release(house: DemoHouse, trade: Trade) -> None:
    limit(1)
    seller = house.login(SELLER)
    page = text_of(seller, f"/customers/{trade.pooled}/apply")
    assert "已锁定 1/1，请先开放一个客户。" in page
    assert f"/customers/{trade.mine}/release" in page
    assert re.search(r"yl-lock-usage[^>]*>.*?1/1</a>", page, re.DOTALL), "in the top bar"
    refused = seller.post(f"/customers/{trade.pooled}/apply", {"reason": "想要"})
    assert refused.status_code == 422
    onward = f"/customers/{trade.mine}/release?for={trade.pooled}"
    assert onward in page
    assert "晨光教育" in text_of(seller, onward)
    done = seller.post(f"/customers/{trade.mine}/release", {"reason": "没有需求", "for": trade.pooled})
    assert (done.status_code, trade.owner(trade.mine)) == (302, None)
    assert done.headers["Location"].endswith(f"/customers/{trade.pooled}/apply"), "back to what the room was made for"


def test_nobody_does_with_a_customer_what_he_may_not(house: DemoHouse, trade: Trade) -> None:
    colleague = house.login("xu.fang")
    text_of(colleague, f"/customers/{trade.mine}/release", 404)
    assert colleague.post(f"/customers/{trade.mine}/release", {"reason": "x"}).status_code == 404
    assert colleague.post(f"/customers/{trade.pooled}/lock", {}).status_code == 403
    assert trade.owner(trade.pooled) is None
    text_of(colleague, "/customers/rules/unlocking", 403)
    assert colleague.post(f"/customers/{trade.mine}/mark/watch").status_code == 404


def test_a_superior_hands_over_after_looking_and_takes_back(house: DemoHouse, trade: Trade) -> None:
    superior = house.login(SUPERIOR)
    page = text_of(superior, f"/customers/hand-over?person={trade.seller}&to={trade.teammate}")
    assert "云启智联科技" in page
    assert "移交 1 个客户" in page
    sent = {"ids": [trade.mine], "to": trade.teammate, "person": trade.seller, "reason": "调整", "submission": "s1"}
    for _click in range(2):
        assert superior.post("/customers/hand-over", sent).status_code == 302
    assert trade.owner(trade.mine) == trade.teammate
    found = re.search(r"/customers/hand-over/(\d+)/undo", text_of(superior, "/customers/hand-over"))
    assert found is not None
    assert superior.post(found.group(0)).status_code == 302
    assert trade.owner(trade.mine) == trade.seller


def test_what_would_move_is_told_at_every_tick_and_part_of_it_can_go(house: DemoHouse, trade: Trade) -> None:
    superior = house.login(SUPERIOR)
    limit(1)
    page = text_of(superior, "/customers/hand-over")
    assert f"/customers/hand-over?person={trade.seller}" in page, "whose customers, without looking for a name"
    asked = {"ids": [trade.mine, trade.pooled], "to": trade.teammate, "parts_shown": "1", "parts": ["tasks"]}
    both = superior.post("/customers/hand-over/plan", asked)
    assert (both.status_code, "disabled" in both.text) == (200, True)
    assert "再加 2 个放不下" in both.text
    one = superior.post("/customers/hand-over/plan", {**asked, "ids": [trade.mine]}).text
    assert ("disabled" in one, "移交 1 个客户" in one) == (False, True)
    assert re.search('value="tasks" checked', one)
    assert not re.search('value="appointments" checked', one), "what was unticked stays so"
    assert trade.owner(trade.mine) == trade.seller, "looking changes nothing"
    assert "至少勾选一个客户" in superior.post("/customers/hand-over/plan", {"to": trade.teammate}).text


def test_who_has_changed_hands_since_the_page_was_drawn_is_left_alone(house: DemoHouse, trade: Trade) -> None:
    superior, above = house.login(SUPERIOR), house.login("lin.xiaoyan")
    assert f'name="seen" value="{trade.pooled}:0"' in text_of(above, f"/customers/hand-over?ids={trade.pooled}")
    first = {"ids": [trade.pooled], "to": trade.seller, "seen": [f"{trade.pooled}:0"], "submission": "a"}
    assert superior.post("/customers/hand-over", first).status_code == 302
    late = above.post("/customers/hand-over", {**first, "to": trade.teammate, "submission": "b"})
    assert (late.status_code, trade.owner(trade.pooled)) == (409, trade.seller)
    assert "晨光教育”现在归王磊" in late.text


@pytest.mark.parametrize(
    "address", ["/customers/{huge}/apply", "/customers/hand-over?person={huge}", "/customers/pool?page={huge}"]
)
def test_a_number_no_column_holds_names_nothing(house: DemoHouse, address: str) -> None:
    text_of(house.login(SUPERIOR), address.format(huge="9" * 30), 404)


def test_a_page_that_gives_customers_away_is_for_those_who_may(house: DemoHouse, trade: Trade) -> None:
    for who in (SELLER, "wu.ting"):
        browser = house.login(who)
        text_of(browser, "/customers/hand-over", 403)
        assert browser.post("/customers/hand-over/plan", {"ids": [trade.mine]}).status_code == 403


def test_the_page_tells_whose_it_was_and_who_applies_for_it(house: DemoHouse, trade: Trade) -> None:
    seller, superior, colleague = house.login(SELLER), house.login(SUPERIOR), house.login("xu.fang")
    seller.post(f"/customers/{trade.mine}/release", {"reason": "没有需求"})
    told = text_of(colleague, f"/customers/{trade.mine}/owners")
    assert "王磊" in told
    assert "没有需求" in told
    for who, reason in (("li.na", "我来跟"), ("sun.yu", "离我近")):
        assert house.login(who).post(f"/customers/{trade.mine}/apply", {"reason": reason}).status_code == 302
    assert "李娜、孙宇" in text_of(superior, f"/party/customer/show/{trade.mine}")
    assert "我来跟" in text_of(superior, f"/customers/{trade.mine}/owners")
    assert "我来跟" not in text_of(colleague, f"/customers/{trade.mine}/owners"), "of another team"
    assert "第 2 位，共 2 人" in text_of(house.login("sun.yu"), "/customers/pool?view=applied")
    changes = text_of(superior, f"/party/customer/history/{trade.mine}")
    assert "开放了客户" in changes
    assert "released" not in changes


def test_a_closed_customer_is_opened_again(house: DemoHouse, trade: Trade) -> None:
    seller = house.login(SELLER)
    assert seller.post(f"/party/customer/delete/{trade.mine}").status_code == 302
    assert f"/customers/{trade.mine}/mark/reopen" in text_of(seller, f"/party/customer/show/{trade.mine}")
    assert f"/customers/{trade.mine}/mark/reopen" not in text_of(
        house.login("xu.fang"), f"/party/customer/show/{trade.mine}"
    )
    assert house.login("xu.fang").post(f"/customers/{trade.mine}/mark/reopen").status_code == 403
    assert seller.post(f"/customers/{trade.mine}/mark/reopen").status_code == 302
    assert "云启智联科技" in text_of(seller, "/customers/pool")


def test_shared_marked_and_listed(house: DemoHouse, trade: Trade) -> None:
    seller, colleague = house.login(SELLER), house.login("xu.fang")
    shared = seller.post(
        f"/customers/{trade.mine}/share", {"person": trade.colleague, "level": "read", "parts": ["contacts"]}
    )
    assert shared.status_code == 302
    assert "徐芳" in text_of(seller, f"/customers/{trade.mine}/share")
    assert "云启智联科技" in text_of(colleague, "/customers/lists?view=shared")
    assert seller.post(f"/customers/{trade.mine}/mark/focus").status_code == 302
    assert "云启智联科技" in text_of(seller, "/customers/lists")
    assert colleague.post(f"/customers/{trade.pooled}/mark/watch").status_code == 302
    assert "晨光教育" in text_of(colleague, "/customers/lists?view=watched")


def test_a_share_said_again_is_told_once_and_a_reader_plans_nothing(house: DemoHouse, trade: Trade) -> None:
    seller, colleague = house.login(SELLER), house.login("xu.fang")
    given = {"person": trade.colleague, "level": "read", "parts": ["contacts", "records"]}
    for _again in range(2):
        assert seller.post(f"/customers/{trade.mine}/share", given).status_code == 302
    assert text_of(colleague, "/notices").count("与您共享“云启智联科技") == 1
    seller.post(f"/customers/{trade.mine}/share", {**given, "level": "work"})
    assert text_of(colleague, "/notices").count("与您共享“云启智联科技") == 2, "another word is news"
    seller.post(f"/customers/{trade.mine}/share", given)
    assert seller.post("/follow/appointments", {"customer": trade.mine, "purpose": "验收"}).status_code == 302
    shown = {who: who.get(f"/follow/of/{trade.mine}", partial=True).text for who in (seller, colleague)}
    assert all("验收" in page for page in shown.values())
    assert "/reschedule" in shown[seller]
    assert "/reschedule" not in shown[colleague]


def test_quick_notes_are_kept_where_they_are_written_and_lists_are_left_again(house: DemoHouse, trade: Trade) -> None:
    seller = house.login(SELLER)
    seller.post(f"/customers/{trade.mine}/mark/focus")
    seller.post(f"/customers/{trade.pooled}/mark/watch")
    kept = seller.post(f"/customers/{trade.mine}/note/focus", {"note": "月底签 🚀", "until": "2099-01-01"})
    assert (kept.status_code, "yl-errors" in kept.text) == (200, False)
    page = text_of(seller, "/customers/lists")
    assert "月底签 🚀" in page
    assert "2099-01-01" in page
    for wrong in ({"until": "2001-01-01"}, {"until": "昨天"}, {"note": "长" * 301}):
        refused = seller.post(f"/customers/{trade.mine}/note/focus", wrong)
        assert (refused.status_code, "yl-errors" in refused.text) == (200, True)
    assert "月底签 🚀" in text_of(seller, "/customers/lists"), "what was refused changed nothing"
    seller.post(f"/customers/{trade.pooled}/note/watch", {"note": "等预算"})
    assert "等预算" in text_of(seller, "/customers/lists?view=watched")
    out = seller.post(f"/customers/{trade.pooled}/mark/unwatch", {"back": "watched"})
    assert out.headers["Location"].endswith("/customers/lists?view=watched")
    assert "等预算" not in text_of(seller, "/customers/lists?view=watched")


def test_a_superior_protects_a_customer_until_a_day(house: DemoHouse, trade: Trade) -> None:
    superior, seller = house.login(SUPERIOR), house.login(SELLER)
    address = f"/customers/{trade.mine}/protect"
    assert address in text_of(superior, f"/party/customer/show/{trade.mine}")
    assert address not in text_of(seller, f"/party/customer/show/{trade.mine}")
    assert seller.post(address, {"until": "2099-01-01", "reason": "想留"}).status_code == 403
    for wrong in ({"until": "", "reason": "战略"}, {"until": "2001-01-01", "reason": "战略"}, {"until": "2099-01-01"}):
        assert superior.post(address, wrong).status_code == 422
    assert superior.post(address, {"until": "2099-01-01", "reason": "战略客户"}).status_code == 302
    assert "2099-01-01" in text_of(seller, f"/party/customer/show/{trade.mine}")
    assert superior.post(address, {"ends": "1"}).status_code == 302
    assert "2099-01-01" not in text_of(seller, f"/party/customer/show/{trade.mine}")


def test_a_refused_share_keeps_what_was_chosen(house: DemoHouse, trade: Trade) -> None:
    asked = {"person": trade.colleague, "level": "work", "until": "2001-01-01", "parts": ["opportunities"]}
    refused = house.login(SELLER).post(f"/customers/{trade.mine}/share", asked)
    assert refused.status_code == 422
    assert f'value="{trade.colleague}" selected' in refused.text
    assert re.search('value="opportunities" checked', refused.text)
    assert not re.search('value="contacts" checked', refused.text)


def test_rules_are_written_tried_and_set_in_force(house: DemoHouse, trade: Trade) -> None:
    manager = house.login(MANAGER)
    made = manager.post("/customers/rules/unlocking/0", {"name": "三十天", "kind": "no_contact", "days": "30"})
    assert made.status_code == 302, made.text[:1500]
    page = text_of(manager, made.headers["Location"])
    assert "云启智联科技" in page, "the dry run names it"
    assert manager.post(made.headers["Location"] + "/activate").status_code == 302
    assert "生效" in text_of(manager, "/customers/rules/unlocking")
    wrong = manager.post("/customers/rules/unlocking/0", {"name": "", "kind": "no_contact", "days": "x"})
    assert wrong.status_code == 422
    rule = {"name": "教育", "industries": ["education"], "people": [trade.seller], "skips_full": "1"}
    made = manager.post("/customers/rules/assignment/0", rule)
    assert made.status_code == 302
    page = text_of(manager, made.headers["Location"])
    assert "晨光教育" in page
    assert "王磊" in page
    assert "教育" in text_of(manager, "/customers/rules/assignment")
    for step, other in (("archive", "activate"), ("activate", "archive")):
        address = made.headers["Location"]
        assert manager.post(f"{address}/{step}").status_code == 302
        page = text_of(manager, address)
        assert (f"{address}/{step}" in page, f"{address}/{other}" in page) == (False, True)
    assert "此规则最近分配" not in page
    with transaction() as session:
        ownership.create_policy(session, SYSTEM, values={"kind": "organization", "policy": "rule_based"})
        party.create_customer(session, SYSTEM, values={"name": "启明教育", "industry": "education"})
    Sessions.remove()
    assert "此规则最近分配" in text_of(manager, made.headers["Location"])
    text_of(manager, "/ownership/lock_limit/list/")
    text_of(manager, "/ownership/creation_policy/list/")
    text_of(manager, "/ownership/lock_limit/add")


@pytest.mark.parametrize("view", ["focus", "watched", "shared", "unlocking"])
def test_an_empty_list_says_what_to_do(house: DemoHouse, view: str) -> None:
    assert "yl-empty" in text_of(house.login(SELLER), f"/customers/lists?view={view}")


def test_ticked_customers_are_watched_focused_or_handed_over_and_refusals_are_named(
    house: DemoHouse, trade: Trade
) -> None:
    seller, superior = house.login(SELLER), house.login(SUPERIOR)
    assert "/customers/many/watch" in text_of(seller, "/party/customer/list/")
    seller.post("/customers/many/watch", {"rowid": [trade.pooled, trade.mine], "asked": "?view=mine"})
    page = text_of(seller, "/party/customer/list/?view=")
    assert "已关注 1 个客户。" in page
    assert "已经归您负责" in page
    seller.post("/customers/many/focus", {"rowid": [trade.mine, trade.mine]})
    assert "已加入我的重点 1 个客户。" in text_of(seller, "/party/customer/list/?view=")
    assert seller.post("/customers/many/hand-over", {"rowid": [trade.mine]}).status_code == 403
    onward = superior.post("/customers/many/hand-over", {"rowid": [trade.mine]})
    assert onward.headers["Location"].endswith(f"/customers/hand-over?ids={trade.mine}")
