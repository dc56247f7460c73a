"""Customers in the browser: a phone shows first what one opens them for, and what belongs in a line is in it."""

from __future__ import annotations

from playwright.sync_api import expect
from sqlalchemy import select

from engine.actor import Actor
from engine.db import Sessions, transaction
from processes.activity import operations as activity
from processes.activity.permissions import WRITE
from processes.organization.models import Employee
from processes.party.models import Customer
from processes.party.permissions import MANAGE, MANAGE_ANY, READ, USE
from tests.browser.conftest import PICTURES, SignIn, Site
from tests.webapp.crm.people import keep

LIST = "/party/customer/list/"


def test_the_number_stands_where_it_is_dialled(sign_in: SignIn, site: Site) -> None:
    """The fields come below all that has happened: many screens further down."""
    with site.inside():
        mine = keep("王磊", name="岭南号码电器", phone="13800138177")
        open_one = keep(name="塞北号码教育", phone="13900139177")
    page = sign_in("wang.lei", phone=True)
    page.goto(f"/party/customer/show/{mine}")
    expect(page.locator("#crm-head a[href^='tel:']")).to_be_in_viewport()
    expect(page.locator("#crm-head a[href*='sms']")).to_be_in_viewport()
    page.goto(f"/party/customer/show/{open_one}")
    expect(page.locator("#crm-head .yl-crm-reach")).to_have_text("139****9177")
    desk = sign_in("wang.lei")
    desk.goto(f"/party/customer/show/{mine}")
    expect(desk.locator("#crm-head .yl-crm-reach")).to_be_hidden()


def test_the_filters_take_one_line_and_those_in_force_stand_first(sign_in: SignIn, site: Site) -> None:
    with site.inside():
        keep("王磊", name="远帆仪器")
    page = sign_in("wang.lei", phone=True)
    page.goto(f"{LIST}?view=mine&f.level.is=C")
    line = page.locator(".yl-narrowing")
    box = line.bounding_box()
    assert box is not None
    assert box["height"] < 60
    expect(line.locator(".yl-filter")).to_be_in_viewport(ratio=1)
    page.locator(".yl-list-tools summary:has-text('列')").tap()
    expect(page.locator(".yl-column-picks")).to_be_in_viewport()
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_a_long_word_of_a_card_goes_on_in_a_second_line(sign_in: SignIn, site: Site) -> None:
    with site.inside():
        keep("王磊", name="旧日贸易", phone="13700137000", city="乌鲁木齐高新技术产业开发区")
    page = sign_in("wang.lei", phone=True)
    page.goto(f"{LIST}?view=mine&q=旧日&column=name&column=city&column=phone")
    for label in ("城市", "电话"):
        cell = page.locator(f"tbody td[data-label={label}]").first
        expect(cell).to_be_visible()
        assert cell.evaluate("one => one.scrollWidth <= one.clientWidth"), label


def test_a_name_stands_in_line_with_what_is_beside_it(sign_in: SignIn, site: Site) -> None:
    """The button that copies it is higher than the line."""
    with site.inside():
        keep("王磊", name="东方明珠贸易", phone="13600136000")
    page = sign_in("wang.lei")
    page.goto(f"{LIST}?view=mine&q=东方&column=name&column=owner&column=phone")
    page.wait_for_selector("tbody tr")
    tops = page.locator("tbody tr td:not(.yl-tick)").evaluate_all(
        """cells => cells.map(cell => {
          const words = document.createTreeWalker(cell, NodeFilter.SHOW_TEXT), range = document.createRange()
          range.selectNodeContents(words.nextNode())
          return Math.round(range.getBoundingClientRect().top)
        })"""
    )
    assert len(tops) == 3
    assert max(tops) - min(tops) <= 1, tops


def test_a_verdict_keeps_its_distance(sign_in: SignIn, site: Site) -> None:
    with site.inside():
        mine = keep("王磊", name="南山测绘")
        person = Sessions().scalars(select(Employee.id).where(Employee.name == "李娜")).one()
    page = sign_in("chen.guoqiang")
    page.goto(f"/customers/{mine}/why?person={person}")
    form, verdict = page.locator("main .card").first.bounding_box(), page.locator(".yl-verdict").bounding_box()
    assert form is not None
    assert verdict is not None
    assert verdict["y"] - form["y"] - form["height"] >= 12


def test_a_number_and_what_is_done_with_it_fit_into_one_line(sign_in: SignIn, site: Site) -> None:
    """The button that copies it is unseen until the mouse is there: its own line was an empty one."""
    with site.inside():
        mine = keep("王磊", name="西岭勘察", phone="13500135000")
    page = sign_in("wang.lei")
    page.goto(f"/party/customer/show/{mine}")
    box = page.locator("#fact-phone").bounding_box()
    assert box is not None
    assert box["height"] < 44


def test_a_page_of_one_who_has_gone_says_why_and_a_dialog_of_it_keeps_its_words(sign_in: SignIn, site: Site) -> None:
    with site.inside():
        mine = keep("王磊", name="翠屏山计量仪器")
        with transaction() as session:
            people = {one.name: one.id for one in session.scalars(select(Employee))}
            writer = Actor(people["王磊"], "王磊", permissions=frozenset({USE, READ, MANAGE, MANAGE_ANY, WRITE}))
            activity.make_appointment(session, writer, values={"customer": mine})
    page = sign_in("wang.lei")
    page.goto(f"/party/customer/show/{mine}")
    expect(page.locator(".yl-plan")).to_be_visible()
    with site.inside(), transaction() as session:
        session.get_one(Customer, mine).owner_id = people["徐芳"]
    page.locator("#fact-note .yl-pencil").click(force=True)
    expect(page.locator(".yl-toast-danger")).to_contain_text("您已不能处理“翠屏山计量仪器”")
    page.locator(".yl-plan button[data-yl-dialog^=move]").click()
    dialog = page.locator("dialog[open]")
    dialog.locator("input[name=reason]").fill("客户出差去了")
    dialog.locator("button[type=submit]").click()
    expect(page.locator(".yl-alert")).to_contain_text("您已不能处理“翠屏山计量仪器”")
    expect(page.locator("input[name=reason]")).to_have_value("客户出差去了")
    page.screenshot(path=PICTURES / "gone-dialog.png")
