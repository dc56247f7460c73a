"""The inbox under a person's hands: keys, going back, being too late, news that arrive by themselves."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import SignIn, send_request


def open_first(page: Page, title: str) -> None:
    page.goto("/inbox")
    page.click(f"[data-yl-entry]:has-text('{title}') [data-yl-open]")
    page.wait_for_url("**/inbox/open/*")
    expect(page.locator(".yl-pane-title h2")).to_have_text(title)


def test_who_is_too_late_is_told(sign_in: SignIn, take_picture: Callable[..., None]) -> None:
    send_request(sign_in("wang.lei"), "同时打开", ("travel", "20", "车"))
    left, right = sign_in("zhou.ming"), sign_in("zhou.ming")
    open_first(left, "同时打开")
    open_first(right, "同时打开")
    left.click("[data-yl-action=approve]")
    expect(left.locator(".yl-toast-success")).to_be_visible()
    right.fill("#yl-opinion", "不行")
    right.click("[data-yl-action=reject]")
    expect(right.locator(".yl-refusal")).to_contain_text("周明")
    expect(right.locator("[data-yl-action]")).to_have_count(0)
    expect(right.locator("[data-yl-entry]:has-text('同时打开')")).to_have_count(0)
    take_picture(right, "inbox-too-late-desktop")


def test_news_arrive_by_themselves(sign_in: SignIn) -> None:
    zhou = sign_in("zhou.ming")
    zhou.goto("/inbox")
    title = "自己出现"
    expect(zhou.locator("[data-yl-entries]")).to_be_visible()
    before = int(zhou.locator(".yl-side [data-yl-count=inbox]").inner_text())
    send_request(sign_in("sun.yu"), title, ("travel", "30", "车"))
    expect(zhou.locator(f"[data-yl-entry]:has-text('{title}')")).to_be_visible(timeout=10_000)
    expect(zhou.locator(".yl-side [data-yl-count=inbox]")).to_have_text(str(before + 1))


def test_keys_and_going_back(sign_in: SignIn) -> None:
    for number in (1, 2):
        send_request(sign_in("li.na"), f"按键{number}", ("travel", "30", "车"))
    zhou = sign_in("zhou.ming")
    open_first(zhou, "按键2")
    first = zhou.url
    zhou.locator("body").press("j")
    zhou.keyboard.press("Enter")
    expect(zhou.locator(".yl-pane-title h2")).to_have_text("按键1")
    assert zhou.url != first
    assert re.search(r"/inbox/open/\d+$", zhou.url)
    zhou.go_back()
    expect(zhou.locator(".yl-pane-title h2")).to_have_text("按键2")
    assert zhou.url == first
    zhou.reload()
    expect(zhou.locator(".yl-pane-title h2")).to_have_text("按键2")


def test_an_opinion_half_written_is_not_thrown_away(sign_in: SignIn) -> None:
    for number in (1, 2):
        send_request(sign_in("li.na"), f"半句{number}", ("travel", "30", "车"))
    zhou = sign_in("zhou.ming")
    open_first(zhou, "半句2")
    zhou.fill("#yl-opinion", "我还没写完")
    zhou.click("[data-yl-entry]:has-text('半句1') [data-yl-open]")
    zhou.click("#yl-confirm [value=no]")
    assert zhou.input_value("#yl-opinion") == "我还没写完"
    zhou.click("[data-yl-entry]:has-text('半句1') [data-yl-open]")
    zhou.click("#yl-confirm [value=yes]")
    expect(zhou.locator(".yl-pane-title h2")).to_have_text("半句1")


def test_enter_in_a_field_decides_nothing(sign_in: SignIn) -> None:
    send_request(sign_in("li.na"), "回车", ("travel", "30", "车"))
    zhou = sign_in("zhou.ming")
    open_first(zhou, "回车")
    zhou.fill("#yl-opinion", "同意")
    zhou.press("#yl-opinion", "Enter")
    expect(zhou.locator("[data-yl-action=approve]")).to_be_visible()
    assert zhou.input_value("#yl-opinion") == "同意\n"


def test_a_card_is_approved_on_the_phone(sign_in: SignIn) -> None:
    send_request(sign_in("li.na"), "卡片", ("travel", "30", "车"))
    zhou = sign_in("zhou.ming", phone=True)
    zhou.goto("/inbox")
    card = zhou.locator("[data-yl-entry]:has-text('卡片')")
    for button in card.locator(".yl-entry-quick .btn").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    card.locator(".btn-primary").tap()
    expect(zhou.locator(".yl-toast-success")).to_be_visible()
    expect(card).to_have_count(0)
    expect(zhou.locator(".yl-toast-success")).to_have_count(0, timeout=4_000)  # it goes by itself


def test_taking_a_signer_away_asks_in_the_house_s_own_dialog(sign_in: SignIn) -> None:
    send_request(sign_in("sun.yu"), "加签又减", ("travel", "30", "车"))
    zhou = sign_in("zhou.ming")
    open_first(zhou, "加签又减")
    zhou.click(".yl-decide-more summary")
    zhou.click("[data-yl-dialog=deed-add_signer]")
    zhou.check("#deed-add_signer [value=parallel]")
    zhou.fill("#deed-add_signer .ts-wrapper input", "徐芳")
    zhou.locator(".ts-dropdown [data-selectable]", has_text="徐芳").click()
    zhou.click("#deed-add_signer [type=submit]")
    taken = zhou.locator(".yl-signers li", has_text="徐芳")
    for answer, states in (("no", "待办"), ("yes", "已减签")):
        taken.locator("button").click()
        expect(zhou.locator("#yl-confirm-text")).to_contain_text("徐芳")
        zhou.click(f"#yl-confirm [value={answer}]")
        expect(taken).to_contain_text(states)
