"""Several items of the inbox decided at once, by mouse, by key and by thumb."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from urllib.parse import quote_plus

from playwright.sync_api import Browser, Locator, Page, Route, expect

from tests.browser.conftest import SignIn, Site, send_request


def send(sign_in: SignIn, *titles: str) -> None:
    page = sign_in("sun.yu")
    for title in titles:
        send_request(page, title, ("travel", "30", "车"))


def entry(page: Page, title: str) -> Locator:
    return page.locator(f"[data-yl-entry]:has-text('{title}')")


def tick(page: Page, title: str) -> Locator:
    return entry(page, title).locator(".yl-entry-tick input")


def test_several_are_ticked_and_approved(sign_in: SignIn, take_picture: Callable[..., None]) -> None:
    send(sign_in, "一起甲", "一起乙", "一起丙")
    zhou = sign_in("zhou.ming")
    zhou.goto("/inbox")
    bar = zhou.locator("#yl-batch")
    expect(bar).to_be_hidden()
    entry(zhou, "一起甲").hover()
    tick(zhou, "一起甲").check()
    expect(bar).to_be_visible()
    tick(zhou, "一起丙").check()
    expect(bar.locator("[data-yl-batch-count]")).to_have_text("已选 2 项")
    take_picture(zhou, "inbox-batch-desktop")
    bar.locator("textarea").fill("一并同意")
    bar.locator("[data-yl-batch-action=approve]").click()
    expect(zhou.locator(".yl-toast-success")).to_contain_text("2")
    expect(entry(zhou, "一起甲")).to_have_count(0)
    expect(entry(zhou, "一起丙")).to_have_count(0)
    expect(entry(zhou, "一起乙")).to_be_visible()
    expect(bar).to_be_hidden()
    expect(zhou.locator(".yl-pane-title h2")).to_have_text("一起乙")  # the newest was open and is dealt with


def _send_instead(written: str, other: str, route: Route) -> None:
    sent = route.request.post_data
    assert sent is not None
    assert written in sent
    route.continue_(post_data=sent.replace(written, other))


def test_what_is_refused_stays_ticked_and_says_why(sign_in: SignIn, take_picture: Callable[..., None]) -> None:
    send(sign_in, "先后甲", "先后乙")
    zhou = sign_in("zhou.ming")
    zhou.goto("/inbox")
    for title in ("先后甲", "先后乙"):
        entry(zhou, title).hover()
        tick(zhou, title).check()
    zhou.locator("#yl-batch textarea").fill("写到一半")
    send(sign_in, "先后丙")
    expect(entry(zhou, "先后丙")).to_be_visible(timeout=10_000)  # news neither untick nor wipe the words
    expect(tick(zhou, "先后甲")).to_be_checked()
    expect(zhou.locator("#yl-batch textarea")).to_have_value("写到一半")
    # What is sent names an older version of one of them: it was asked back and forth in another window meanwhile.
    now = tick(zhou, "先后甲").get_attribute("value")
    assert now
    stale = f"{now.split(':')[0]}:99"
    zhou.route("**/work-items/batch/approve", partial(_send_instead, quote_plus(now), quote_plus(stale)), times=1)
    zhou.locator("[data-yl-batch-action=approve]").click()
    expect(zhou.locator(".yl-batch-told")).to_contain_text("先后甲")
    expect(entry(zhou, "先后乙")).to_have_count(0)
    expect(tick(zhou, "先后甲")).to_be_checked()
    expect(zhou.locator("[data-yl-batch-count]")).to_have_text("已选 1 项")
    take_picture(zhou, "inbox-batch-refused-desktop")
    zhou.locator("[data-yl-batch-action=approve]").click()  # the list has the version of now
    expect(entry(zhou, "先后甲")).to_have_count(0)
    expect(zhou.locator("#yl-batch")).to_be_hidden()


def test_rejecting_asks_for_a_reason_first(sign_in: SignIn) -> None:
    send(sign_in, "理由甲")
    zhou = sign_in("zhou.ming")
    zhou.goto("/inbox")
    entry(zhou, "理由甲").hover()
    tick(zhou, "理由甲").check()
    zhou.locator("[data-yl-batch-action=reject]").click()
    expect(zhou.locator("#yl-batch .yl-errors")).to_contain_text("理由")
    zhou.keyboard.type("没有预算")  # the words are where the reason is missing
    zhou.locator("[data-yl-batch-action=reject]").click()
    expect(entry(zhou, "理由甲")).to_have_count(0)


def test_keys_tick_and_all_of_a_kind_follow(sign_in: SignIn) -> None:
    send(sign_in, "键选甲", "键选乙")
    zhou = sign_in("zhou.ming")
    zhou.goto("/inbox")
    zhou.locator("body").press("x")
    expect(tick(zhou, "键选乙")).to_be_checked()  # the one that is open
    zhou.keyboard.press("j")
    zhou.keyboard.press("x")
    expect(tick(zhou, "键选甲")).to_be_checked()
    zhou.keyboard.press("x")
    expect(tick(zhou, "键选甲")).not_to_be_checked()
    zhou.click("[data-yl-batch-all]")
    same = zhou.locator(".yl-entry-tick input:enabled")
    assert same.count() >= 4
    assert all(box.is_checked() for box in same.all())
    zhou.click("[data-yl-batch-clear]")
    expect(zhou.locator("#yl-batch")).to_be_hidden()
    expect(zhou.locator(".yl-entry-tick input:checked")).to_have_count(0)


def test_on_the_phone_a_button_begins_it(sign_in: SignIn, take_picture: Callable[..., None]) -> None:
    send(sign_in, "拇指甲", "拇指乙")
    zhou = sign_in("zhou.ming", phone=True)
    zhou.goto("/inbox")
    zhou.tap("[data-yl-several]")
    for title in ("拇指甲", "拇指乙"):
        entry(zhou, title).tap()  # the whole card is the tick
        expect(tick(zhou, title)).to_be_checked()
    bar = zhou.locator("#yl-batch")
    for button in bar.locator("button:visible").all():
        box = button.bounding_box()
        assert box is not None
        assert box["height"] >= 44
    take_picture(zhou, "inbox-batch-phone")
    bar.locator("[data-yl-batch-action=approve]").tap()
    expect(entry(zhou, "拇指甲")).to_have_count(0)
    expect(entry(zhou, "拇指乙")).to_have_count(0)
    assert zhou.url.endswith("/inbox")
    zhou.tap("[data-yl-several]")
    expect(bar).to_be_hidden()


def test_without_scripts_it_is_a_form(sign_in: SignIn, browser: Browser, site: Site) -> None:
    send(sign_in, "无脚本甲", "无脚本乙")
    state = sign_in("zhou.ming").context.storage_state()
    context = browser.new_context(base_url=site.address, java_script_enabled=False, storage_state=state)
    page = context.new_page()
    page.goto("/inbox")
    for title in ("无脚本甲", "无脚本乙"):
        tick(page, title).check()
    page.click("[data-yl-batch-action=approve]")
    expect(entry(page, "无脚本甲")).to_have_count(0)
    expect(entry(page, "无脚本乙")).to_have_count(0)
    context.close()
