"""The views of what lies with others, at both sizes."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import SignIn, send_request

OPEN_TAB = ".yl-box-list > .yl-tabs [aria-current]"


def ask_li_na(page: Page, title: str) -> None:
    """Ask for her opinion on what lies with this person."""
    page.goto("/inbox")
    page.click(f"[data-yl-entry]:has-text('{title}') [data-yl-open]")
    page.wait_for_url("**/inbox/open/*")
    page.click(".yl-decide-more summary")
    page.click("[data-yl-dialog=deed-delegate]")
    picker = page.locator("#deed-delegate .ts-control input")
    picker.fill("李娜")
    page.click("#deed-delegate .ts-dropdown .option:has-text('李娜')")
    page.click("#deed-delegate [type=submit]")
    expect(page.locator(".yl-toast-success")).to_be_visible()


def test_what_an_opinion_is_asked_on_is_taken_back(sign_in: SignIn, take_picture: Callable[..., None]) -> None:
    send_request(sign_in("sun.yu"), "问过再定", ("travel", "30", "车"))
    zhou = sign_in("zhou.ming")
    ask_li_na(zhou, "问过再定")
    zhou.goto("/inbox/delegated")
    expect(zhou.locator("[data-yl-entry]:has-text('问过再定')")).to_contain_text("李娜")
    expect(zhou.locator(OPEN_TAB)).to_be_in_viewport(ratio=0.9)
    take_picture(zhou, "inbox-delegated-desktop")
    phone = sign_in("zhou.ming", phone=True)
    phone.goto("/inbox/delegated")
    expect(phone.locator(OPEN_TAB)).to_be_in_viewport(ratio=0.9)
    take_picture(phone, "inbox-delegated-phone")
    zhou.click("[data-yl-dialog=deed-take_back]")
    zhou.click("#deed-take_back [type=submit]")
    expect(zhou.locator("[data-yl-action=approve]")).to_be_visible()
    expect(zhou.locator("[data-yl-entry]:has-text('问过再定')")).to_have_count(
        0
    )  # the list at the left is the same still


def test_a_superior_sees_what_lies_with_her_people(sign_in: SignIn, take_picture: Callable[..., None]) -> None:
    lin = sign_in("lin.xiaoyan")
    lin.goto("/inbox/team")
    shut = lin.locator("[data-yl-entry]:has-text('行业研讨会报名')")
    expect(shut).to_contain_text("周明")
    expect(shut.locator("a")).to_have_count(0)
    take_picture(lin, "inbox-team-desktop")
    phone = sign_in("lin.xiaoyan", phone=True)
    phone.goto("/inbox/team")
    expect(phone.locator(OPEN_TAB)).to_be_in_viewport(ratio=0.9)
    take_picture(phone, "inbox-team-phone")
    chen = sign_in("chen.guoqiang")
    chen.goto("/inbox/team")
    expect(chen.locator(OPEN_TAB)).to_be_in_viewport(ratio=0.9)
    take_picture(chen, "inbox-team-watcher-desktop")
