"""Writing an SMS with mouse and thumb, and the form that lays down what is told by SMS."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from engine.db import transaction
from engine.models import OutboxMessage
from tests.browser.conftest import SignIn, Site

TEXT = "您好，样品今天寄出，请注意查收。"


def written(site: Site, text: str) -> int:
    with site.inside(), transaction() as session:
        said = OutboxMessage.payload["text"].as_string() == text
        return session.scalar(select(func.count(OutboxMessage.id)).where(said)) or 0


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_what_it_costs_follows_the_keys_and_two_clicks_send_once(
    site: Site, sign_in: SignIn, take_picture: Callable[..., None], *, phone: bool
) -> None:
    text = f"{TEXT}{'（二）' if phone else ''}"
    page = sign_in("wang.lei", phone=phone)
    page.goto("/messages")
    page.click("text=写短信")
    page.fill("#field-to", "199 0000 0003")
    page.locator("#field-text").press_sequentially(text)
    side = page.locator(".yl-sms-side")
    expect(side).to_contain_text("钱丽")
    expect(side).to_contain_text(f"共 {len(text)} 字")
    expect(side.locator(".yl-phone-screen")).to_contain_text(text)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    take_picture(page, f"sms-writing-{'phone' if phone else 'desk'}", whole=True)
    page.dblclick("form[data-yl-guard] button[type=submit]")
    page.wait_for_url("**/messages?channel=sms")
    expect(page.locator("#yl-messages")).to_contain_text(text)
    assert written(site, text) == 1


def test_a_rule_asks_for_its_audience_alone(sign_in: SignIn) -> None:
    page = sign_in("zheng.kai")
    page.goto("/notices/sms_rule/add")
    parts = {name: page.locator(f"[data-yl-when='audience={name}'] label") for name in ("department", "position")}
    for part in parts.values():
        expect(part).to_be_hidden()
    page.select_option("#field-audience", "position")
    expect(parts["position"]).to_be_visible()
    expect(parts["department"]).to_be_hidden()
    page.fill("#field-name", "新待办")
    page.select_option("#field-event", "process.item_opened")
    page.fill("#field-text", "{name}您好")
    page.click("text=保存")
    expect(page.locator("#errors-position")).to_contain_text("请选择岗位")
    expect(parts["department"]).to_be_hidden()
