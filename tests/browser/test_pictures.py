"""Every page, desktop and phone, light and dark: looked at by people, measured here."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from tests.browser.conftest import SignIn

PAGES = {
    "home": ("zhou.ming", "/"),
    "home-boss": ("chen.guoqiang", "/"),
    "home-empty": ("wu.ting", "/"),
    "start": ("wang.lei", "/start"),
    "request": ("wang.lei", "/start/expense_request"),
    "inbox": ("zhou.ming", "/inbox"),
    "inbox-empty": ("wu.ting", "/inbox"),
    "inbox-started": ("wang.lei", "/inbox/started"),
    "instances": ("zheng.kai", "/instances"),
    "instance": ("wang.lei", "/instances/9"),
    "instance-diagram": ("wang.lei", "/instances/9?tab=diagram"),
    "instance-history": ("wang.lei", "/instances/9?tab=history"),
    "instance-people": ("wang.lei", "/instances/9?tab=people"),
    "instance-messages": ("wang.lei", "/instances/4?tab=messages"),
    "messages": ("zheng.kai", "/messages"),
    "messages-empty": ("sun.yu", "/messages"),
    "budgets": ("zhao.min", "/spending/budget/list/"),
}

SMALL_TARGETS = """() => [...document.querySelectorAll('main :is(button, a.btn, select, input)')]
  .filter(one => !['hidden', 'checkbox', 'file'].includes(one.type) && one.checkVisibility())
  .filter(one => one.getClientRects().length)
  .filter(one => !one.closest('.yl-diagram-canvas, .visually-hidden, .ts-control, .yl-quick'))
  .filter(one => one.getBoundingClientRect().height < 43.5 && !one.matches('.visually-hidden, .tomselected'))
  .map(one => one.outerHTML.slice(0, 120))"""


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("look", ["desktop", "desktop-dark", "phone", "phone-dark"])
def test_it_fits(sign_in: SignIn, take_picture: Callable[..., None], name: str, look: str) -> None:
    who, address = PAGES[name]
    phone = look.startswith("phone")
    page = sign_in(who, phone=phone, dark=look.endswith("dark"))
    page.goto(address)
    page.wait_for_load_state("load")
    if page.locator("[data-yl-diagram]:visible").count():
        page.locator("[data-yl-diagram]").first.scroll_into_view_if_needed()
        page.wait_for_selector("[data-yl-ready]")
        page.evaluate("scrollTo(0, 0)")
    take_picture(page, f"{name}-{look}", whole=phone)
    if phone:
        assert page.evaluate(SMALL_TARGETS) == []
