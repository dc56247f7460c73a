"""The web process as it runs in a house, with the demo company, and people who look at it in a real browser."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Playwright, expect, sync_playwright
from sqlalchemy import Engine, select, update

from connectors.telephony.events import CallEvent
from engine import clock, db, delivering, health
from engine.db import Sessions, transaction
from processes.telephony import operations
from processes.telephony.models import Call, CallLeg
from tests import demo_house
from tests.demo_house import DemoHouse
from tests.webapp.live.serving import serve
from webapp import demo

PICTURES = Path(__file__).parents[2] / "test-artifacts"
DESKTOP = {"width": 1366, "height": 768}
PHONE = {"width": 390, "height": 844}
expect.set_options(timeout=30_000)  # milliseconds: a busy machine is slow, not wrong
LAUNCH = ["--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-background-networking"]


@dataclass
class Site:
    """A running house. Tests share it and make requests of their own."""

    address: str
    file: Path
    signed_in: dict[str, Any] = field(default_factory=dict)
    """login -> the browser's cookies: logins are slow and counted"""

    @contextlib.contextmanager
    def inside(self) -> Iterator[Engine]:
        """The test process looks into the house's database."""
        engine = db.bind(f"sqlite:///{self.file}")
        try:
            yield engine
        finally:
            Sessions.remove()
            engine.dispose()

    def deliver(self) -> int:
        """What the worker does every second: send what waits in the outbox."""
        with self.inside():
            return delivering.deliver_outbox()


@pytest.fixture(scope="session")
def site(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Site]:
    folder = tmp_path_factory.mktemp("site")
    built: DemoHouse = demo_house.build(folder)
    settings = built.app.config["SETTINGS"]
    with serve(settings, settings.database_url) as served:
        yield Site(f"http://127.0.0.1:{served.port}", built.file)


@pytest.fixture(scope="module")
def playwright() -> Iterator[Playwright]:
    with sync_playwright() as running:
        yield running


@pytest.fixture(scope="module")
def browser(playwright: Playwright, chromium: str) -> Iterator[Browser]:
    launched = playwright.chromium.launch(executable_path=chromium, args=LAUNCH)
    yield launched
    launched.close()


SignIn = Callable[..., Page]


@pytest.fixture
def sign_in(site: Site, browser: Browser) -> Iterator[SignIn]:
    """sign_in("wang.lei", phone=True): a page of that person; script errors and foreign hosts fail the test."""
    contexts: list[BrowserContext] = []
    wrong: list[str] = []

    def open_page(username: str, *, phone: bool = False, dark: bool = False) -> Page:
        context = browser.new_context(
            base_url=site.address,
            viewport=PHONE if phone else DESKTOP,
            has_touch=phone,
            is_mobile=phone,
            locale="zh-CN",
            storage_state=_state(site, browser, username),
        )
        if dark:
            context.add_cookies([{"name": "theme", "value": "dark", "url": site.address}])
        contexts.append(context)
        page = context.new_page()
        page.on("pageerror", lambda error: wrong.append(str(error)))
        page.on("request", lambda request: wrong.append(request.url) if _is_foreign(site, request.url) else None)
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert wrong == []


CALLER = {"direction": "in", "number": "19900000012", "queue": "demo"}

Tell = Callable[..., None]


@pytest.fixture
def tell(site: Site) -> Iterator[Tell]:
    """tell("c1", "ringing", "8001"): as the exchange's listener keeps it. In the end nobody rings and nothing pops up:
    the other tests have the same house.
    """

    def keep(call: str, kind: str, *agents: str, **more: str) -> None:
        with site.inside():
            with transaction() as session:
                health.report(session, {"telephony": lambda: ("up", "simulated")})
                for agent in agents or ("",):
                    event = CallEvent(call, clock.now(), kind, agent=agent, **CALLER, **more)  # type: ignore[arg-type]
                    operations.note_call(session, event)
            Sessions.remove()

    yield keep
    with site.inside(), transaction() as session:
        under_way = session.scalars(select(Call.uuid).where(Call.ended_at.is_(None))).all()
    for call in under_way:
        keep(call, "ended", cause="normal", ended_by="customer")
    with site.inside(), transaction() as session:
        session.execute(update(CallLeg).where(CallLeg.closed_at.is_(None)).values(closed_at=clock.now()))


def _state(site: Site, browser: Browser, username: str) -> Any:
    if username not in site.signed_in:
        context = browser.new_context(base_url=site.address)
        page = context.new_page()
        page.goto("/login/")
        page.fill("[name=username]", username)
        page.fill("[name=password]", demo.PASSWORD)
        page.click("form [type=submit]")
        page.wait_for_url(f"{site.address}/")
        site.signed_in[username] = context.storage_state()
        context.close()
    return site.signed_in[username]


def _is_foreign(site: Site, url: str) -> bool:
    return not url.startswith((site.address, "data:", "blob:"))


@pytest.fixture
def take_picture() -> Callable[[Page, str], None]:
    """take_picture(page, "inbox-phone"): kept in test-artifacts/; a page that scrolls sideways fails."""

    def take(page: Page, name: str, *, whole: bool = False) -> None:
        page.wait_for_timeout(350)  # what slides and fades has come to rest
        wide = page.evaluate("[document.documentElement.scrollWidth, innerWidth]")
        PICTURES.mkdir(exist_ok=True)
        page.screenshot(path=PICTURES / f"{name}.png", full_page=whole)
        assert wide[0] <= wide[1], f"{name} scrolls sideways: {wide}"

    return take


def fill_request(page: Page, title: str, *lines: tuple[str, str, str]) -> None:
    """The expense form as a person fills it in; lines are (category, amount, purpose)."""
    page.goto("/start/expense_request")
    page.fill("#field-title", title)
    for number, (category, amount, purpose) in enumerate(lines):
        if number:
            page.click("[data-yl-add-line]")
        page.select_option(f"[id='field-lines.{number}.category']", category)
        page.fill(f"[id='field-lines.{number}.amount']", amount)
        page.fill(f"[id='field-lines.{number}.purpose']", purpose)


def send_request(page: Page, title: str, *lines: tuple[str, str, str]) -> int:
    """Fill in and submit; the number of the instance."""
    fill_request(page, title, *lines)
    page.click("[data-yl-send]")
    page.wait_for_url("**/instances/*")
    return int(page.url.rsplit("/", 1)[1])
