"""A call in the browser: it pops up, it goes where a colleague has taken it, and what is typed stays."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import SignIn, Tell

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
