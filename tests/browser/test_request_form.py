"""The request form under a person's hands."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

from playwright.sync_api import Dialog, expect

from tests.browser.conftest import SignIn, Site, fill_request

AMOUNT = "[id='field-lines.{}.amount']"


def test_what_is_missing_is_said_beside_the_field(sign_in: SignIn, take_picture: Callable[..., None]) -> None:
    page = sign_in("wang.lei")
    page.goto("/start/expense_request")
    page.click("[data-yl-send]")
    for name in ("title", "lines.0.category", "lines.0.amount"):
        expect(page.locator(f"[id='errors-{name}']")).not_to_be_empty()
    expect(page.locator("#field-title")).to_be_focused()
    assert page.url.endswith("/start/expense_request")
    take_picture(page, "request-form-hints-desktop")
    page.fill("#field-title", "x")
    expect(page.locator("#errors-title")).to_be_empty()
    page.fill(AMOUNT.format(0), "-3")
    page.press(AMOUNT.format(0), "Tab")
    expect(page.locator("[id='errors-lines.0.amount']")).to_contain_text("0.01")


def test_the_server_has_the_last_word_and_keeps_the_input(sign_in: SignIn) -> None:
    page = sign_in("wang.lei")
    fill_request(page, "越过提示", ("travel", "5", "车费"))
    page.fill(AMOUNT.format(0), "much")
    page.evaluate("document.querySelector('[data-yl-request]').submit()")
    page.wait_for_load_state()
    expect(page.locator("[id='errors-lines.0.amount']")).not_to_be_empty()
    assert page.input_value("#field-title") == "越过提示"
    assert page.input_value(AMOUNT.format(0)) == "much"


def test_lines_by_keyboard(sign_in: SignIn) -> None:
    page = sign_in("wang.lei")
    fill_request(page, "键盘", ("travel", "1234.5", "一"))
    page.press("[id='field-lines.0.purpose']", "Enter")
    expect(page.locator("[data-yl-line]")).to_have_count(2)
    assert page.input_value(AMOUNT.format(0)) == "1,234.50"
    page.select_option("[id='field-lines.1.category']", "office")
    page.fill(AMOUNT.format(1), "0.05")
    total = page.locator("output[data-yl-name=total]")
    expect(total).to_have_text("¥1,234.55")
    page.press(AMOUNT.format(1), "Alt+Delete")
    expect(page.locator("[data-yl-line]")).to_have_count(1)
    expect(total).to_have_text("¥1,234.50")
    page.click("[data-yl-remove-line]")  # the last line leaves an empty one
    expect(page.locator("[data-yl-line]")).to_have_count(1)
    expect(total).to_have_text("¥0.00")


def test_a_draft_keeps_itself_and_is_found_again(sign_in: SignIn) -> None:
    page = sign_in("li.na")
    fill_request(page, "写了一半", ("travel", "66", "打车"))
    expect(page.locator("#yl-saved")).to_contain_text(re.compile(r"\d\d:\d\d"))
    expect(page.locator("form[data-yl-dirty]")).to_have_count(0)
    assert re.search(r"\?draft=\d+$", page.url)
    page.reload()
    assert page.input_value("#field-title") == "写了一半"
    assert page.input_value(AMOUNT.format(0)) == "66.00"
    page.goto("/start")
    page.click("a.yl-row:has-text('写了一半')")
    assert page.input_value("#field-title") == "写了一半"
    page.click("[data-yl-discard]")
    page.click("#yl-confirm [value=yes]")
    page.wait_for_url("**/start")
    expect(page.locator("body")).not_to_contain_text("写了一半")


def test_leaving_right_after_typing_asks_and_loses_nothing(site: Site, sign_in: SignIn) -> None:
    page = sign_in("li.na")
    page.goto("/start/expense_request")
    page.click("#field-title")
    page.keyboard.type("匆忙离开")
    asked: list[str] = []

    def leave(dialog: Dialog) -> None:
        asked.append(dialog.type)
        page.wait_for_timeout(1000)  # a person reads the question
        dialog.accept()

    page.on("dialog", leave)
    page.goto("/start")
    assert asked == ["beforeunload"]
    expect(page.locator("a.yl-row:has-text('匆忙离开')")).to_be_visible()


def test_leaving_later_asks_nothing(sign_in: SignIn) -> None:
    page = sign_in("li.na")
    page.goto("/start/expense_request")
    page.click("#field-title")
    page.keyboard.type("早已保存")
    expect(page.locator("#yl-saved")).to_contain_text(re.compile(r"\d\d:\d\d"))
    asked: list[str] = []
    page.on("dialog", lambda dialog: (asked.append(dialog.type), dialog.accept()))
    page.goto("/start")
    assert asked == []
    expect(page.locator("a.yl-row:has-text('早已保存')")).to_be_visible()


def test_files_are_dropped_and_go_with_the_request(sign_in: SignIn, tmp_path: Path) -> None:
    page = sign_in("wang.lei")
    fill_request(page, "带附件", ("travel", "10", "公交"))
    offer = tmp_path / "报价单.txt"
    offer.write_text("三家报价", "utf-8")
    program = tmp_path / "setup.exe"
    program.write_bytes(b"MZ\0\0")
    page.set_input_files("[data-yl-upload] input[type=file]", [offer, program])
    expect(page.locator("[data-yl-uploaded] li")).to_have_count(1)
    expect(page.locator("[data-yl-uploaded] [type=hidden]")).to_have_count(1)
    expect(page.locator(".yl-toast-danger")).to_contain_text("setup.exe")
    page.click("[data-yl-send]")
    page.wait_for_url("**/instances/*")
    with page.expect_download() as kept:
        page.click(".yl-files a:has-text('报价单.txt')")
    assert Path(kept.value.path()).read_text("utf-8") == "三家报价"


def test_the_way_follows_the_amount(sign_in: SignIn) -> None:
    page = sign_in("wang.lei")
    fill_request(page, "金额决定", ("travel", "50", "车费"))
    route = page.locator("#yl-route")
    expect(route).to_contain_text("周明")
    expect(route).not_to_contain_text("林晓燕")
    page.fill(AMOUNT.format(0), "1000")
    expect(route).to_contain_text("林晓燕")
    expect(route).not_to_contain_text("陈国强")
    page.fill(AMOUNT.format(0), "10000")
    expect(route).to_contain_text("陈国强")


def test_a_name_picked_leaves_the_field_ready_for_the_next(sign_in: SignIn) -> None:
    page = sign_in("wang.lei")
    page.goto("/start/general_approval")
    box = page.locator("#field-approvers + .ts-wrapper input")
    for name in ("周明", "林晓燕"):
        box.click()
        box.fill(name)
        page.locator(".ts-dropdown [data-selectable]", has_text=name).first.click()
        expect(box).to_have_value("")
    expect(page.locator("#field-approvers + .ts-wrapper .item")).to_have_count(2)
