"""One stream for all tabs of a browser, and the page on which the interface describes itself."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from engine import live
from engine.db import Sessions, transaction
from processes.organization.models import Employee
from tests.browser.conftest import SignIn, Site

STREAM = "/api/v1/live"


def push(site: Site, name: str, text: str) -> None:
    with site.inside():
        with transaction() as session:
            person = session.query(Employee).filter(Employee.name == name).one()
            live.push(session, [person.id], "notice", {"text": text})
        Sessions.remove()


def listen(page: Page) -> None:
    page.evaluate(
        "document.body.addEventListener('yl:live-notice', event => { document.body.dataset.told = event.detail.text; })"
    )


def test_two_tabs_share_one_stream_and_hand_it_on(site: Site, sign_in: SignIn) -> None:
    first = sign_in("zhou.ming")
    streams: list[str] = []
    first.context.on("request", lambda request: streams.append(request.url) if STREAM in request.url else None)
    with first.context.expect_event("request", lambda request: STREAM in request.url):
        first.goto("/inbox")
    second = first.context.new_page()
    second.goto("/inbox")
    for tab in (first, second):
        listen(tab)
    push(site, "周明", "第一条")
    for tab in (first, second):
        expect(tab.locator("body")).to_have_attribute("data-told", "第一条")
    assert len(streams) == 1

    with first.context.expect_event("request", lambda request: STREAM in request.url):
        first.close()  # the other tab takes over
    push(site, "周明", "第二条")
    expect(second.locator("body")).to_have_attribute("data-told", "第二条")
    assert len(streams) == 2


def test_the_interface_can_be_browsed(sign_in: SignIn) -> None:
    page = sign_in("zhou.ming")
    page.goto("/swagger/v1")
    call = page.locator(".opblock", has_text="/work-items/{item_id}/actions/{action}")
    expect(call).to_contain_text("Decide or finish a work item.")
    call.locator("button.opblock-summary-control").click()
    expect(call).to_contain_text("409")
