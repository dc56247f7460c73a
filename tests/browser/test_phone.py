"""A call in the browser: it pops up, it goes where a colleague has taken it, and what is typed stays."""

from __future__ import annotations

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from engine.db import transaction
from processes.activity.models import ContactRecord
from tests.browser.conftest import SignIn, Site, Tell
from tests.browser.test_mail_writing import customer_of

POP, NOTE = "[data-yl-pop]", "[data-yl-note]"


def test_a_call_pops_up_and_its_note_survives_everything(tell: Tell, sign_in: SignIn) -> None:
    tell("browser-0", "started")
    agent, colleague = sign_in("wang.lei"), sign_in("li.na")
    for page in (agent, colleague):
        page.goto("/calls")
        expect(page.locator("#yl-phone")).to_be_visible()
        page.wait_for_timeout(500)  # the stream opens
    tell("browser-1", "ringing", "8001", "8002")
    for page in (agent, colleague):
        expect(page.locator(POP)).to_have_count(1)
        expect(page.locator(POP)).to_contain_text("马朝")
    agent.locator(NOTE).type("要五十人版")
    tell("browser-1", "answered", "8001")
    tell("browser-1", "left", "8002", cause="answered_elsewhere")
    expect(colleague.locator(POP)).to_have_count(0)
    expect(agent.locator(POP)).to_contain_text("通话中")
    expect(agent.locator(NOTE)).to_be_focused()  # what changes around it leaves the caret alone
    agent.locator(NOTE).type("的报价")
    expect(agent.locator(NOTE)).to_have_value("要五十人版的报价")
    agent.goto("/tasks")  # at once, before the pause after the last key
    expect(agent.locator(NOTE)).to_have_value("要五十人版的报价")
    tell("browser-1", "ended", cause="normal", ended_by="customer")
    expect(agent.locator(POP)).to_contain_text("已接听")
    agent.locator(f"{POP} [data-yl-phone=away] button").click()
    expect(agent.locator(POP)).to_have_count(0)


def test_of_calls_that_are_over_the_newest_is_whole(tell: Tell, sign_in: SignIn) -> None:
    for name in ("browser-2", "browser-3"):
        tell(name, "ringing", "8001")
        tell(name, "answered", "8001")
        tell(name, "ended", cause="normal", ended_by="customer")
    agent = sign_in("wang.lei")
    agent.goto("/calls")
    expect(agent.locator(POP)).to_have_count(2)
    newest, older = agent.locator(POP).first, agent.locator(POP).last
    assert int(str(newest.get_attribute("data-yl-pop"))) > int(str(older.get_attribute("data-yl-pop")))
    expect(newest.locator(NOTE)).to_be_visible()
    expect(older.locator(NOTE)).to_be_hidden()
    older.locator("header b").click()  # a click opens it
    expect(older.locator(NOTE)).to_be_visible()
    agent.locator("h1").first.click()
    tell("browser-8", "ringing", "8001")
    expect(agent.locator(POP)).to_have_count(3)
    expect(agent.locator(f"{NOTE}:visible")).to_have_count(1)  # whoever rings stands alone


def test_the_list_of_calls_follows(tell: Tell, sign_in: SignIn) -> None:
    agent = sign_in("wang.lei")
    agent.goto("/calls?view=missed")
    newest = agent.locator("#yl-past-calls tbody tr").first
    shown = newest.get_attribute("data-yl-href") if newest.count() else None
    agent.wait_for_timeout(500)  # the stream opens
    tell("browser-9", "ringing", "8001")
    tell("browser-9", "ended", cause="caller_left", ended_by="customer")
    expect(newest).not_to_have_attribute("data-yl-href", shown or "")
    expect(newest).to_contain_text("马朝")


def test_a_double_click_hangs_up_once(tell: Tell, sign_in: SignIn) -> None:
    tell("browser-4", "ringing", "8001")
    tell("browser-4", "answered", "8001")
    agent, asked = sign_in("wang.lei"), []
    agent.on("request", lambda request: asked.append(request.url) if request.url.endswith("/hang-up") else None)
    agent.goto("/calls")
    agent.locator(POP).get_by_role("button", name="挂断").dblclick()
    agent.wait_for_timeout(700)
    assert len(asked) == 1


def test_on_a_phone_a_call_leaves_the_form_free(tell: Tell, sign_in: SignIn) -> None:
    tell("browser-5", "ringing", "8001")
    tell("browser-5", "answered", "8001")
    agent = sign_in("wang.lei", phone=True)
    agent.goto("/party/customer/add")
    expect(agent.locator(POP)).to_have_count(1)
    expect(agent.locator(NOTE)).to_be_hidden()
    agent.locator(f"{POP} header b").click()
    expect(agent.locator(NOTE)).to_be_visible()
    agent.locator("[name=address]").focus()  # back to the form: the call is a strip again
    expect(agent.locator(NOTE)).to_be_hidden()
    agent.locator(".yl-form-foot [type=submit]").click(trial=True)


def test_a_call_leaves_the_form_of_a_share_free_and_shows_its_number_whole(
    tell: Tell, site: Site, sign_in: SignIn
) -> None:
    tell("browser-10", "ringing", "8001")
    tell("browser-10", "answered", "8001")
    tell("browser-10", "ended", cause="normal", ended_by="customer")
    agent = sign_in("wang.lei")
    agent.goto(f"/customers/{customer_of(site, '王磊', '和昌供暖')}/share")
    expect(agent.locator(POP).first).to_be_visible()
    agent.locator(".yl-form-foot [type=submit]").click(trial=True)
    number = agent.locator(f"{POP} header b").first
    number.evaluate("one => { one.closest('header').querySelector('.yl-chip').textContent = 'Connection lost' }")
    assert number.evaluate("one => one.scrollWidth <= one.clientWidth"), "the longest state does not cut the number"


def test_on_a_narrow_screen_a_call_leaves_the_saving_free(tell: Tell, sign_in: SignIn) -> None:
    tell("browser-7", "ringing", "8001")
    tell("browser-7", "answered", "8001")
    agent = sign_in("wang.lei")
    agent.set_viewport_size({"width": 800, "height": 700})
    agent.goto("/party/customer/add")
    expect(agent.locator(POP)).to_have_count(1)
    agent.locator(".yl-form-foot [type=submit]").click(trial=True)


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_call_leaves_the_form_of_its_record_free(tell: Tell, site: Site, sign_in: SignIn, *, phone: bool) -> None:
    name = f"browser-6-{phone}"
    for what in ("ringing", "answered"):
        tell(name, what, "8001")
    agent = sign_in("wang.lei", phone=phone)
    agent.goto(f"/follow/new?customer={customer_of(site, '王磊', '和煦供暖' if phone else '温岭供热')}")
    expect(agent.locator(POP).first).to_be_visible()
    agent.locator("[data-yl-record-form] button[type=submit]").click(trial=True)  # nothing lies over it


def test_back_and_save_again_writes_one_record(site: Site, sign_in: SignIn) -> None:
    customer = customer_of(site, "王磊", "和盛供水")
    agent = sign_in("wang.lei")
    agent.goto("/tasks")
    agent.goto(f"/follow/new?customer={customer}")

    def save() -> None:
        agent.locator("[data-yl-record-form] label:has-text('已联系上')").first.click()
        agent.locator("[data-yl-record-form] [name=content]").fill("介绍了公司和产品")
        agent.locator("[data-yl-record-form] button[type=submit]").click()
        agent.wait_for_url(f"**/party/customer/show/{customer}")

    save()
    agent.go_back()
    agent.wait_for_url("**/follow/new?*")
    save()
    expect(agent.locator(".yl-timeline")).to_contain_text("介绍了公司和产品")
    with site.inside(), transaction() as session:
        wanted = select(func.count(ContactRecord.id)).where(ContactRecord.customer_id == customer)
        assert session.scalar(wanted) == 1
