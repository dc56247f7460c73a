"""The wallboard follows a call by itself: waiting, on the phone, over; nobody presses a key on a wall."""

from __future__ import annotations

from collections.abc import Callable

from playwright.sync_api import expect

from tests.browser.conftest import SignIn, Tell

CALL = "wall-1"
SECONDS = 8_000
"""Milliseconds within which a call is to be seen; the board asks by itself only every 15 s, so the stream must tell."""


def test_a_call_is_on_the_wall_within_seconds(tell: Tell, sign_in: SignIn, take_picture: Callable[..., None]) -> None:
    tell("wall-0", "started")
    tell("wall-0", "ended", cause="abandoned", ended_by="customer")
    page = sign_in("zhou.ming")
    page.goto("/calls/wallboard")
    now = page.locator(".yl-board-lists section").nth(1)
    tiles = page.locator(".yl-board-tile b")
    expect(tiles.first).to_have_text("0")
    expect(now.locator(".yl-nobody")).to_be_visible()
    missed = int(tiles.nth(3).inner_text())
    answered = int(tiles.nth(2).inner_text())
    page.wait_for_timeout(1000)  # the stream opens
    tell(CALL, "started")
    expect(tiles.first).to_have_text("1", timeout=SECONDS)
    expect(now.locator("li")).to_contain_text("等待接听")  # nobody dials: it came in and rings nowhere yet
    tell(CALL, "ringing", "8001")
    expect(now.locator("li")).to_contain_text("马朝", timeout=SECONDS)
    tell(CALL, "answered", "8001")
    expect(now.locator("li")).to_contain_text("通话中", timeout=SECONDS)
    expect(now.locator("li")).to_contain_text("王磊")
    expect(tiles.first).to_have_text("0", timeout=SECONDS)
    clock = now.locator(".yl-ticks")
    before = clock.inner_text()
    expect(clock).not_to_have_text(before, timeout=SECONDS)
    take_picture(page, "wallboard")
    tell(CALL, "ended", cause="normal", ended_by="customer")
    expect(now.locator(".yl-nobody")).to_be_visible(timeout=SECONDS)
    expect(tiles.nth(2)).to_have_text(str(answered + 1))
    expect(tiles.nth(3)).to_have_text(str(missed))
