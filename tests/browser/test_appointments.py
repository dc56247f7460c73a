"""The calendar of appointments in the browser: dragged to another day, the reason is asked."""

from __future__ import annotations

from datetime import date, timedelta

from playwright.sync_api import expect
from sqlalchemy import select

from engine.actor import Actor
from engine.db import Sessions, transaction
from processes.activity.models import Appointment
from processes.activity.operations import make_appointment, today
from processes.organization.models import Employee
from tests.browser.conftest import SignIn, Site
from tests.processes.followers import SELL
from tests.webapp.crm.people import keep


def plan(name: str) -> tuple[int, date]:
    """An appointment of Wang Lei's on the tenth of the next month: its calendar shows the days around it whole."""
    day = (today().replace(day=28) + timedelta(days=10)).replace(day=10)
    customer = keep("王磊", name=name)
    with transaction() as session:
        seller = session.scalars(select(Employee).where(Employee.name == "王磊")).one()
        actor = Actor(seller.id, seller.name, permissions=SELL)
        return make_appointment(session, actor, values={"customer": customer, "due_on": day}).id, day


def test_an_appointment_is_dragged_to_another_day_with_a_reason(sign_in: SignIn, site: Site) -> None:
    with site.inside():
        number, day = plan("澄湖仪器公司")
    next_day = day + timedelta(days=1)
    page = sign_in("wang.lei")
    page.goto(f"/follow/calendar?month={day:%Y-%m}")
    card = page.locator("[data-yl-plan]", has_text="澄湖仪器公司")
    target = page.locator(f"[data-yl-drop='{next_day}']")
    card.drag_to(target)
    dialog = page.locator("#yl-move")
    expect(dialog.locator("h2")).to_contain_text("澄湖仪器公司")
    expect(dialog.locator("[name=due_on]")).to_have_value(next_day.isoformat())
    dialog.locator("[name=reason]").fill("对方出差")
    dialog.locator("[type=submit]").click()
    expect(target.locator("[data-yl-plan]", has_text="澄湖仪器公司")).to_be_visible()
    with site.inside():
        found = Sessions().scalars(select(Appointment).where(Appointment.id == number)).one()
        assert (found.due_on, found.postponed) == (next_day, 1)


def test_who_was_too_late_finds_his_reason_again(sign_in: SignIn, site: Site) -> None:
    with site.inside():
        number, day = plan("晚到机电公司")
    page = sign_in("wang.lei")
    page.goto(f"/follow/calendar?month={day:%Y-%m}")
    with site.inside(), transaction() as session:  # meanwhile, in another window
        session.get_one(Appointment, number).purpose = "改为上门"
    page.locator("[data-yl-plan]", has_text="晚到机电公司").click()
    dialog = page.locator("#yl-move")
    wanted = day + timedelta(days=2)
    dialog.locator("[name=due_on]").fill(wanted.isoformat())
    dialog.locator("[name=reason]").fill("对方周三才回国")
    dialog.locator("[type=submit]").click()
    expect(dialog.locator("#yl-move-refused p")).to_be_visible()
    expect(dialog.locator("[name=reason]")).to_have_value("对方周三才回国")
    expect(dialog.locator("[name=due_on]")).to_have_value(wanted.isoformat())
    expect(dialog.locator("#yl-move-told")).to_contain_text("改为上门")
    dialog.locator("[type=submit]").click()  # he has seen what it is now
    moved = page.locator(f"[data-yl-drop='{wanted}'] [data-yl-plan]", has_text="晚到机电公司")
    expect(moved).to_be_visible()
    moved.click()
    expect(dialog.locator("[name=reason]")).to_have_value("")


def test_on_a_phone_it_is_a_list_of_days_and_a_tap_asks_for_the_day(sign_in: SignIn, site: Site) -> None:
    with site.inside():
        _number, day = plan("云栖仪表公司")
    page = sign_in("wang.lei", phone=True)
    page.goto(f"/follow/calendar?month={day:%Y-%m}")
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("[data-yl-plan]", has_text="云栖仪表公司").tap()
    expect(page.locator("#yl-move [name=due_on]")).to_be_focused()


def test_the_same_message_is_shown_once(sign_in: SignIn) -> None:
    page = sign_in("wang.lei")
    page.goto("/follow/")
    page.evaluate("import('yl').then(yl => ['a', 'a', 'b', 'b'].forEach(text => yl.toast(text, 'danger')))")
    expect(page.locator(".yl-toast")).to_have_text(["a", "b"])


def test_a_finger_is_not_told_to_drag(sign_in: SignIn) -> None:
    phone, desk = sign_in("wang.lei", phone=True), sign_in("wang.lei")
    for page, told, other in ((phone, "轻点", "拖到"), (desk, "拖到", "轻点")):
        page.goto("/follow/calendar")
        expect(page.locator(".yl-head p")).to_be_visible()
        expect(page.locator(".yl-head span", has_text=told)).to_be_visible()
        expect(page.locator(".yl-head span", has_text=other)).to_be_hidden()
