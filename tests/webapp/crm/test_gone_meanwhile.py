"""Two windows: in one a form is open, in the other the record goes to somebody else. What was typed is not lost."""

from __future__ import annotations

import re

import pytest

from engine import clock
from engine.db import Sessions, transaction
from processes.party.models import Customer
from tests.demo_house import Browser, DemoHouse, Facts
from tests.webapp.crm.conftest import COLLEAGUE, SELLER, Trade
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
