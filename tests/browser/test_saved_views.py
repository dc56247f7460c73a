"""A view of the customers kept in the browser: named, refused beside the field, pinned, opened first; the drawer."""

from __future__ import annotations

import re

from playwright.sync_api import expect

from tests.browser.conftest import SignIn, Site
from tests.webapp.crm.people import keep

LIST = "/party/customer/list/"


def test_a_list_is_narrowed_kept_under_a_name_and_walked_through_in_the_drawer(sign_in: SignIn, site: Site) -> None:
    with site.inside():
        for name in ("寒山仪表", "秋水泵业", "松涛机电"):
            keep("王磊", name=name)
    page = sign_in("wang.lei")
    page.goto(f"{LIST}?view=mine&order=name")
    for name in ("我的甲级", "我的甲级", "我的乙级"):
        page.click(".yl-viewbar summary")
        page.click(".yl-view-menu [data-yl-dialog$=-keep]")
        form = page.locator("dialog[open] form")
        form.locator("[name=name]").fill(name)
        form.locator("[type=submit]").click()
        if page.locator(".yl-below", has_text="我的甲级").count() and name == "我的甲级":
            expect(form.locator(".yl-errors")).to_contain_text("已有名为")
            form.locator("[data-yl-close]").click()
        else:
            expect(page.locator(".yl-viewbar [aria-current=page]")).to_have_text(name)
            expect(page.locator(".yl-below[aria-current]")).to_have_text(name)
    page.click(".yl-viewbar >> text=全部")
    expect(page.locator(".yl-below[aria-current]")).to_have_count(0)
    page.click(".yl-viewbar >> text=我的乙级")
    expect(page.locator(".yl-below[aria-current]")).to_have_text("我的乙级")
    expect(page.locator("[data-yl-follows]").first).to_have_attribute("href", re.compile(r"excel\?saved=\d+$"))
    page.click(".yl-list-tools summary:has-text('列')")
    page.click(".yl-column-picks label:has-text('城市')")
    page.click(".yl-column-end button")
    expect(page.locator("thead")).to_contain_text("城市")
    expect(page.locator(".yl-changed")).to_have_text("*")
    page.click("tbody tr:first-child td:nth-child(3)")
    first = page.locator(".yl-drawer-head h2")
    expect(first).to_be_visible()
    seen = first.inner_text()
    page.keyboard.press("ArrowRight")
    expect(first).not_to_have_text(seen)
    page.keyboard.press("Escape")
    expect(page.locator("#yl-drawer")).to_be_hidden()


def test_every_list_opens_its_records_beside_it(sign_in: SignIn) -> None:
    page = sign_in("chen.guoqiang")
    page.goto("/organization/employee/list/")
    page.click("tbody tr:first-child td:nth-child(3)")
    expect(page.locator("#yl-drawer .yl-facts")).to_be_visible()
    page.click("#yl-drawer [data-yl-step='1']")
    page.click("#yl-drawer >> text=打开页面")
    page.wait_for_url("**/organization/employee/show/*")
