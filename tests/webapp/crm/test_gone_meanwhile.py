"""Two windows: in one a form is open, in the other the record goes to somebody else. What was typed is not lost."""

from __future__ import annotations

import re
from urllib.parse import unquote

import pytest

from engine import clock
from engine.db import Sessions, transaction
from processes.party.models import Customer
from tests.demo_house import Browser, DemoHouse, Facts
from tests.webapp.crm.conftest import COLLEAGUE, MANAGER, SELLER, Trade
from tests.webapp.crm.people import keep

OWN = "华宇智联科技"
TYPED = "刚刚打的一行字"
NO_LONGER = "您已不能处理"

FORMS = {
    "customer": ("/party/customer/edit/{c}", "note"),
    "pencil": ("/party/customer/field/{c}/note", "note"),
    "contact": ("/party/contact/edit/{k}", "title"),
    "contact's pencil": ("/party/contact/field/{k}/title", "title"),
    "drawer": ("/party/contact/drawer/{k}/edit", "title"),
}


def goes(trade: Trade, owner: int | None, state: str = "locked") -> None:
    with transaction() as session:
        customer = session.get_one(Customer, trade.ids[OWN])
        customer.owner_id, customer.state = owner, state
        customer.owned_since = clock.now() if owner else None
    Sessions.remove()


def hidden(page: str) -> dict[str, str]:
    return dict(re.findall(r'<input type="hidden" name="(version|opened)" value="([^"]*)"', page))


def opened(browser: Browser, form: str, trade: Trade) -> tuple[str, dict[str, str]]:
    address, field = FORMS[form]
    url = address.format(c=trade.ids[OWN], k=trade.contacts[OWN])
    page = browser.get(url)
    assert page.status_code == 200
    return url, {**hidden(page.text), "name": "新名字", field: TYPED}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("to", ["a colleague", "the pool"])
def test_what_was_typed_stays_and_it_is_said_why(
    house: DemoHouse, trade: Trade, facts: Facts, form: str, to: str
) -> None:
    browser = house.login(SELLER)
    url, typed = opened(browser, form, trade)
    if to == "the pool":
        goes(trade, None, "open")
    else:
        goes(trade, facts.person("徐芳"))
    answer = browser.post(url, typed, partial=True)
    assert answer.status_code == 422
    assert TYPED in answer.text
    assert NO_LONGER in answer.text
    assert ("请申请锁定" in answer.text) == (to == "the pool")
    assert "徐芳" not in answer.text
    again = browser.post(url, {**typed, **hidden(answer.text)}, partial=True)
    assert TYPED in again.text, "sent a second time it says the same"
    goes(trade, facts.person("王磊"))
    returned = browser.post(url, {**typed, **hidden(again.text)}, partial=True)
    assert NO_LONGER not in returned.text, "once it is his again, the form is judged as any other"


def test_one_that_was_merged_meanwhile_says_into_which(house: DemoHouse, trade: Trade) -> None:
    kept, browser = keep("王磊", name="澄怀仪器有限公司"), house.login(SELLER)
    url, typed = opened(browser, "customer", trade)
    record = {**hidden(browser.get(f"/follow/new?customer={trade.ids[OWN]}").text), "customer": str(trade.ids[OWN])}
    merged = browser.post("/duplicates/merge", {"kept": str(kept), "gone": str(trade.ids[OWN]), "take-name": "kept"})
    assert merged.status_code == 302
    for address, sent in ((url, typed), ("/follow/new", {**record, "way": "call", "content": TYPED})):
        answer = browser.post(address, sent)
        assert f"“{OWN}”已并入“澄怀仪器有限公司”" in answer.text, address
        assert TYPED in answer.text


@pytest.mark.parametrize("action", ["release", "share", "apply"])
def test_who_acts_on_one_that_has_gone_is_told_so(house: DemoHouse, trade: Trade, facts: Facts, action: str) -> None:
    browser, address = house.login(SELLER), f"/customers/{trade.ids[OWN]}/{action}"
    if action == "apply":
        goes(trade, None, "open")
    typed = {**hidden(browser.get(address).text), "reason": TYPED, "person": str(facts.person("李娜")), "level": "read"}
    goes(trade, facts.person("徐芳"))
    answer = browser.post(address, typed)
    assert answer.status_code == 302
    told = browser.get(answer.headers["Location"]).text
    assert f"“{OWN}”已不在公海" in told if action == "apply" else f"{NO_LONGER}“{OWN}”" in told
    assert browser.post(address, {**typed, "opened": "x"}).status_code == 404


def test_who_did_not_open_the_form_hears_nothing(house: DemoHouse, trade: Trade, facts: Facts) -> None:
    """Neither with no knowledge of it, nor with somebody else's, nor with that of another record."""
    url, typed = opened(house.login(SELLER), "customer", trade)
    stranger = house.login(COLLEAGUE)
    for opening in (typed["opened"], "", "made-up"):
        assert stranger.post(url, {**typed, "opened": opening}).status_code == 404
    goes(trade, facts.person("徐芳"))
    other = opened(house.login(COLLEAGUE), "contact", trade)[1]
    assert house.login(SELLER).post(url, {**typed, "opened": other["opened"]}).status_code == 404


def test_a_closed_one_says_that_it_is_closed(house: DemoHouse, trade: Trade, facts: Facts) -> None:
    browser = house.login(SELLER)
    url, typed = opened(browser, "customer", trade)
    goes(trade, facts.person("王磊"), "closed")
    answer = browser.post(url, typed)
    assert answer.status_code == 422
    assert "已关闭" in answer.text
    assert TYPED in answer.text


# ------------------------------------------------------------------------------------- forms that are only opened


ASKED = {
    "pencil": "/party/customer/field/{c}/note",
    "contact's pencil": "/party/contact/field/{k}/title",
    "drawer": "/party/contact/drawer/{k}/edit",
    "new contact": "/party/contact/drawer/{c}/add",
}


def brought(browser: Browser, asked: str, trade: Trade) -> str:
    """What the open page lets htmx bring along: of the customer, or of the contact."""
    c, k = trade.ids[OWN], trade.contacts[OWN]
    pages = {
        "pencil": f"/party/customer/show/{c}",
        "contact's pencil": f"/party/contact/show/{k}",
        "drawer": f"/party/customer/contacts/{c}",
        "new contact": f"/party/customer/contacts/{c}",
    }
    page = browser.get(pages[asked]).text
    found: list[str] = re.findall(r"hx-headers='\{\"X-Opened\": \"([^\"]+)\"\}'", page)
    assert found
    return found[-1] if asked == "drawer" else found[0]


@pytest.mark.parametrize("asked", ASKED)
@pytest.mark.parametrize("to", ["a colleague", "the pool"])
def test_a_form_asked_for_too_late_says_why_there_is_none(
    house: DemoHouse, trade: Trade, facts: Facts, asked: str, to: str
) -> None:
    browser = house.login(SELLER)
    opening = brought(browser, asked, trade)
    goes(trade, None if to == "the pool" else facts.person("徐芳"), "open" if to == "the pool" else "locked")
    url = ASKED[asked].format(c=trade.ids[OWN], k=trade.contacts[OWN])
    answer = browser.client.get(url, headers={"HX-Request": "true", "X-Opened": opening})
    assert answer.status_code == (403 if to == "the pool" else 404)
    told = unquote(answer.headers["X-Refusal"])
    assert NO_LONGER in told
    assert "徐芳" not in told
    as_json = browser.client.get(url, headers={"Accept": "application/json", "X-Opened": opening})
    assert NO_LONGER in as_json.json["detail"]  # type: ignore[index]
    if to != "the pool":
        stranger = browser.get(url)
        assert stranger.status_code == 404
        assert OWN not in stranger.text
        assert "刚才已经打开" in stranger.text, "what might have happened is told to everybody alike"


def test_the_edit_page_of_one_in_the_pool_says_why_it_cannot_be_changed(
    house: DemoHouse, trade: Trade, facts: Facts
) -> None:
    browser = house.login(SELLER)
    goes(trade, None, "open")
    for url in (f"/party/customer/edit/{trade.ids[OWN]}", f"/party/contact/edit/{trade.contacts[OWN]}"):
        answer = browser.get(url)
        assert answer.status_code == 403
        assert "请申请锁定" in answer.text
    goes(trade, facts.person("王磊"), "closed")
    assert "已关闭" in browser.get(f"/party/customer/edit/{trade.ids[OWN]}").text


@pytest.mark.parametrize("to", ["a colleague", "the pool"])
def test_a_new_contact_of_one_who_has_gone_stays_in_the_drawer(
    house: DemoHouse, trade: Trade, facts: Facts, to: str
) -> None:
    browser = house.login(SELLER)
    url = f"/party/contact/drawer/{trade.ids[OWN]}/add"
    typed = {**hidden(browser.get(url).text), "name": TYPED, "birthday": "gestern"}
    goes(trade, None if to == "the pool" else facts.person("徐芳"), "open" if to == "the pool" else "locked")
    answer = browser.post(url, typed, partial=True)
    assert answer.status_code == 422
    assert NO_LONGER in answer.text
    assert TYPED in answer.text
    assert hidden(answer.text)["opened"] == typed["opened"]
    if to != "the pool":
        assert browser.post(url, {**typed, "opened": "made-up"}, partial=True).status_code == 404
    goes(trade, facts.person("王磊"))
    assert browser.post(url, {**typed, "birthday": ""}, partial=True).status_code == 204


def test_of_a_merged_one_the_survivor_is_named(house: DemoHouse, trade: Trade, facts: Facts) -> None:
    browser = house.login(SELLER)
    opening = brought(browser, "pencil", trade)
    trade.add("留存智联上海", facts.person("王磊"))
    manager = house.login(MANAGER)
    both = {"kept": trade.ids["留存智联上海"], "gone": trade.ids[OWN], "owner": "kept", "reason": "同一家"}
    assert manager.post("/duplicates/merge", both).status_code == 302
    url = f"/party/customer/field/{trade.ids[OWN]}/note"
    answer = browser.client.get(url, headers={"HX-Request": "true", "X-Opened": opening})
    assert "已并入“留存智联上海”" in unquote(answer.headers["X-Refusal"])


@pytest.mark.parametrize("asked", ["/party/contact/left/{k}", "/party/contact/reveal/{k}/phone"])
def test_a_button_of_a_page_of_one_who_has_gone_says_why(
    house: DemoHouse, trade: Trade, facts: Facts, asked: str
) -> None:
    browser = house.login(SELLER)
    opening = brought(browser, "drawer", trade)
    goes(trade, facts.person("徐芳"))
    headers = {"HX-Request": "true", "X-Opened": opening, "X-CSRFToken": browser.token()}
    answer = browser.client.post(asked.format(k=trade.contacts[OWN]), headers=headers)
    assert answer.status_code == 404
    assert NO_LONGER in unquote(answer.headers["X-Refusal"])
