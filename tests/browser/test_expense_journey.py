"""An employee asks for 12,345.60; four people agree, one of them on a phone; SMS and mail are read."""

from __future__ import annotations

import re
from collections.abc import Callable

from playwright.sync_api import Page, expect

from tests.browser.conftest import SignIn, Site, fill_request

TITLE = "拜访上海华宇科技并参加展会"
LINES = (("travel", "8345.6", "六人差旅"), ("marketing", "4,000.00", "展位"))
Picture = Callable[..., None]


def entry_of(page: Page, title: str) -> str:
    return f"[data-yl-entry]:has-text('{title}')"


def open_item(page: Page, title: str) -> None:
    page.goto("/inbox")
    page.click(f"{entry_of(page, title)} [data-yl-open]")
    page.wait_for_url("**/inbox/open/*")
    expect(page.locator(".yl-pane-title h2")).to_have_text(title)


def approve(page: Page, opinion: str) -> None:
    page.fill("#yl-opinion", opinion)
    page.click("[data-yl-action=approve]")
    expect(page.locator(".yl-toast-success")).to_be_visible()


def test_from_the_form_to_the_sms(site: Site, sign_in: SignIn, take_picture: Picture) -> None:
    wang = sign_in("wang.lei")
    fill_request(wang, TITLE, *LINES)
    expect(wang.locator("output[data-yl-name=total]")).to_have_text("¥12,345.60")
    route = wang.locator("#yl-route")
    for name in ("周明", "林晓燕", "赵敏", "陈国强"):
        expect(route).to_contain_text(name)
    take_picture(wang, "request-form-desktop")
    wang.click("[data-yl-send]", click_count=2)
    wang.wait_for_url("**/instances/*")
    instance = wang.url
    expect(wang.locator(".yl-instance-line")).to_contain_text("¥12,345.60")

    zhou = sign_in("zhou.ming")
    open_item(zhou, TITLE)
    take_picture(zhou, "inbox-desktop")
    approve(zhou, "项目需要，同意")
    expect(zhou.locator(entry_of(zhou, TITLE))).to_have_count(0)

    lin = sign_in("lin.xiaoyan", phone=True)
    lin.goto("/inbox")
    take_picture(lin, "inbox-phone")
    lin.tap(f"{entry_of(lin, TITLE)} [data-yl-open]")
    expect(lin.locator(".yl-box-list")).to_be_hidden()
    expect(lin.locator("[data-yl-action=approve]")).to_be_in_viewport()
    take_picture(lin, "item-phone")
    lin.fill("#yl-opinion", "同意")
    lin.tap("[data-yl-action=approve]")
    expect(lin.locator(".yl-toast-success")).to_be_visible()

    # Where the token stands, while finance has it.
    wang.goto(f"{instance}?tab=diagram")
    wang.wait_for_selector("[data-yl-ready]")
    expect(wang.locator(".djs-shape[data-element-id=approve_finance].ylb-active")).to_have_count(1)
    expect(wang.locator(".djs-shape[data-element-id=approve_superior].ylb-done")).to_have_count(1)
    expect(wang.locator(".djs-connection.ylb-taken")).not_to_have_count(0)
    expect(wang.locator(".ylb-people")).to_contain_text("赵敏")
    expect(wang.locator(".bjs-powered-by")).to_be_visible()
    take_picture(wang, "diagram-desktop")

    zhao = sign_in("zhao.min")
    open_item(zhao, TITLE)
    approve(zhao, "预算内")
    # The page that lies open follows by itself, and keeps its drawing.
    expect(wang.locator(".djs-shape[data-element-id=approve_general_manager].ylb-active")).to_have_count(1)
    expect(wang.locator(".yl-steps .yl-step-active")).to_contain_text("总经理审批")
    chen = sign_in("chen.guoqiang")
    open_item(chen, TITLE)
    approve(chen, "同意")

    assert site.deliver() >= 2
    wang.goto("/messages")
    rows = wang.locator(".yl-messages .yl-row")
    sms = rows.filter(has_text=re.compile(r"【云流】.*¥12,345\.60")).first
    expect(sms).to_be_visible()
    mail = rows.filter(has_text=TITLE).first
    mail.click()
    drawer = wang.locator("#yl-drawer[open]")
    expect(drawer).to_be_visible()
    expect(wang.frame_locator("iframe.yl-mail").locator("body")).to_contain_text(TITLE)
    take_picture(wang, "messages-desktop")
    wang.keyboard.press("Escape")
    expect(wang.locator("#yl-drawer")).to_be_hidden()

    wang.goto(instance)
    voices = wang.locator(".yl-voices")
    for said in ("项目需要，同意", "预算内"):
        expect(voices).to_contain_text(said)
    expect(wang.locator(".yl-instance-line .yl-tone-green")).to_be_visible()
    take_picture(wang, "instance-desktop", whole=True)


def test_returned_mended_and_agreed(site: Site, sign_in: SignIn, take_picture: Picture) -> None:
    title = "样品运费"
    wang = sign_in("wang.lei")
    fill_request(wang, title, ("travel", "99", "快递"))
    wang.click("[data-yl-send]")
    wang.wait_for_url("**/instances/*")
    zhou = sign_in("zhou.ming")
    open_item(zhou, title)
    zhou.click("[data-yl-action=return]")
    expect(zhou.locator("#errors-opinion")).not_to_be_empty()  # a reason is needed, and asked for at once
    zhou.click(".yl-phrases summary")
    zhou.locator("[data-yl-phrase]").nth(3).click()
    reason = zhou.input_value("#yl-opinion")
    zhou.click("[data-yl-action=return]")
    expect(zhou.locator(".yl-toast-success")).to_be_visible()

    phone = sign_in("wang.lei", phone=True)
    phone.goto("/inbox")
    phone.tap(f"{entry_of(phone, title)} [data-yl-open]")
    expect(phone.locator(".yl-returned-note")).to_contain_text(reason)
    take_picture(phone, "revise-phone", whole=True)
    phone.fill("[id='field-lines.0.amount']", "abc")
    phone.tap("[data-yl-action=submit]")
    expect(phone.locator("[id='errors-lines.0.amount']")).not_to_be_empty()
    phone.fill("[id='field-lines.0.amount']", "120.5")
    phone.tap("[data-yl-action=submit]")
    expect(phone.locator(".yl-toast-success")).to_be_visible()
    open_item(zhou, title)
    expect(zhou.locator(".yl-pane-head")).to_contain_text("¥120.50")
