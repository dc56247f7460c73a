"""The skin in a real browser, on a desk and on a phone: it works, and nothing scrolls sideways."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from threading import Thread

import pytest
from flask import Flask
from playwright.sync_api import Page, sync_playwright
from werkzeug.serving import make_server

from engine.db import Sessions
from tests.webapp.ground.conftest import PASSWORD
from tests.webapp.ground.house import Deal
from tests.webapp.ground.test_login import known

pytestmark = [pytest.mark.databases("sqlite"), pytest.mark.slow]

SIZES = {"desk": (1366, 768), "phone": (390, 844)}
PAGES = (
    "/made_up/deal/list/",
    "/made_up/deal/list/?f.customer.is=1&order=-amount",
    "/made_up/deal/show/1",
    "/made_up/deal/edit/1",
    "/made_up/deal/add",
    "/security/login/list/",
    "/security/matrix/",
    "/me/",
    "/search/?q=采购",
    "/nowhere",
)
ARGUMENTS = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    known("root", ("Admin",))
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(params=SIZES)
def page(request: pytest.FixtureRequest, chromium: str, address: str, tmp_path: Path) -> Iterator[Page]:
    """Signed in as the administrator; complaints of the browser fail the test."""
    width, height = SIZES[request.param]
    complaints: list[str] = []
    with sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=chromium, args=ARGUMENTS)
        opened = browser.new_context(viewport={"width": width, "height": height}, base_url=address).new_page()
        opened.on("pageerror", lambda error: complaints.append(str(error)))
        opened.on("console", lambda m: complaints.append(m.text) if m.type == "error" and "404" not in m.text else None)
        opened.goto("/login/")
        opened.fill("[name=username]", "root")
        opened.fill("[name=password]", PASSWORD)
        opened.click("button[type=submit]")
        opened.wait_for_selector("#yl-side", state="attached")
        yield opened
        browser.close()
    assert complaints == []


def test_no_page_scrolls_sideways(page: Page) -> None:
    width = page.viewport_size["width"]  # type: ignore[index]
    for path in PAGES:
        page.goto(path)
        assert page.evaluate("document.documentElement.scrollWidth") <= width, path
        if width < 480:
            assert page.locator(".yl-phonebar").is_visible()
            low = [box["height"] for box in boxes(page, "main .btn") if box["height"] < 44]
            assert low == [], f"{path}: buttons too low for a thumb"


def boxes(page: Page, selector: str) -> list[dict[str, float]]:
    found = [locator.bounding_box() for locator in page.locator(selector).all() if locator.is_visible()]
    return [dict(box) for box in found if box]


def test_a_filter_is_built_applied_and_taken_away(page: Page) -> None:
    page.goto("/made_up/deal/list/")
    page.click(".yl-filters summary")
    page.select_option(".yl-builder select >> nth=0", "customer")
    page.click(".yl-builder .ts-control")
    page.click(".ts-dropdown .option:has-text('吴氏医药')")
    page.click(".yl-builder .btn-primary")
    page.wait_for_selector(".yl-filter:has-text('吴氏医药')")
    assert "f.customer.is=2" in page.url
    assert page.locator("tbody tr").count() == 1
    page.click(".yl-filters summary")  # the builder is there again after the list was swapped
    assert page.locator(".yl-builder select").count() >= 2
    page.click(".yl-filter a")
    page.wait_for_selector("tbody tr >> nth=1")


def test_a_record_is_changed_with_a_searching_select(page: Page) -> None:
    page.goto("/made_up/deal/edit/1")
    page.click(".ts-control")
    page.click(".ts-dropdown .option:has-text('吴氏医药')")
    page.click(".yl-form-foot .btn-primary")
    page.wait_for_selector(".yl-toast-success")
    Sessions.remove()
    assert Sessions().get_one(Deal, 1).customer_id == 2


def test_archiving_asks_first(page: Page) -> None:
    page.goto("/made_up/deal/show/1")
    page.click(".btn-outline-danger")
    page.click("#yl-confirm button[value=no]")
    assert page.url.endswith("/made_up/deal/show/1")
    page.click(".btn-outline-danger")
    page.click("#yl-confirm button[value=yes]")
    page.wait_for_url("**/made_up/deal/list/")
    Sessions.remove()
    assert Sessions().get_one(Deal, 1).state == "archived"


def test_tabs_are_reached_by_keyboard_and_load_when_opened(page: Page) -> None:
    page.goto("/made_up/deal/show/1")
    page.focus("[role=tab] >> nth=0")
    page.keyboard.press("ArrowRight")
    page.wait_for_selector("#panel-1 >> text=第一次拜访")
    assert page.locator("#panel-record").is_hidden()


def test_the_matrix_is_filtered_and_saved_by_keyboard(page: Page) -> None:
    page.goto("/security/matrix/")
    page.fill("[data-yl-matrix-filter]", "made_up")
    assert page.locator("[data-yl-matrix-row]:visible").count() == 1
    page.focus("[data-yl-right$=':made_up.deal.manage'] >> nth=0")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    page.wait_for_selector(".yl-toast-success")
    assert page.locator("[data-yl-right$=':made_up.deal.manage'] >> nth=1").is_checked()


def test_the_theme_is_kept(page: Page) -> None:
    page.goto("/me/")
    page.evaluate("document.querySelector('[data-yl-theme]').click()")
    page.reload()
    assert page.locator("html").get_attribute("data-bs-theme") == "dark"


def test_ctrl_k_searches_from_anywhere(page: Page) -> None:
    page.goto("/me/")
    page.keyboard.press("Control+k")
    page.keyboard.type("采购")
    page.wait_for_selector("#yl-hits a:has-text('采购合同')")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    page.wait_for_url("**/made_up/deal/show/1")
