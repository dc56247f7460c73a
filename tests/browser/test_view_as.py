"""Looking through another's eyes in the browser: begun, said above every page, without a way to write, ended."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator

from flask_appbuilder.security.sqla.models import Role, User
from playwright.sync_api import Page, expect
from sqlalchemy import select

from engine.db import Sessions, transaction
from processes.party.models import Customer
from tests.browser.conftest import SignIn, Site
from tests.webapp.crm.people import keep

WHO, SEEN = "sun.yu", "王磊"
LINE = ".yl-reminder"


@contextlib.contextmanager
def administrator(site: Site, username: str) -> Iterator[None]:
    """For the length of a test; the house is shared with others."""
    with site.inside(), transaction() as session:
        user = session.scalars(select(User).where(User.username == username)).one()
        before = [role.name for role in user.roles]
        user.roles = [*user.roles, session.scalars(select(Role).where(Role.name == "Admin")).one()]
    try:
        yield
    finally:
        with site.inside(), transaction() as session:
            user = session.scalars(select(User).where(User.username == username)).one()
            user.roles = list(session.scalars(select(Role).where(Role.name.in_(before))))


def choose(page: Page, name: str) -> None:
    """In the select that searches for people."""
    page.click(".ts-control")
    page.keyboard.type(name)
    page.click(f".ts-dropdown .option:has-text('{name}')")


def posted(page: Page, address: str, values: dict[str, str]) -> int:
    """The status of a form sent as one of our pages would send it."""
    said: int = page.evaluate(
        """async ([address, values]) => {
             const token = document.querySelector('meta[name=csrf-token]').content;
             const body = new URLSearchParams({ csrf_token: token, ...values });
             return (await fetch(address, { method: 'POST', body, redirect: 'manual' })).status;
           }""",
        [address, values],
    )
    return said


def test_one_looks_and_touches_nothing(site: Site, sign_in: SignIn, take_picture: Callable[..., None]) -> None:
    with site.inside():
        own = keep(SEEN, name="天枢器具", phone="13855501234")
        others = keep("徐芳", name="天璇器具", phone="13855501235")
    with administrator(site, WHO):
        page = sign_in(WHO)
        page.goto("/customers/sight")
        choose(page, SEEN)
        page.click("form.yl-grid [type=submit]")
        page.click("text=以此人视角查看")
        page.wait_for_url("**/party/customer/list/**")
        expect(page.locator(LINE)).to_contain_text(SEEN)
        page.goto("/party/customer/list/?q=器具")
        expect(page.locator("tbody")).to_contain_text("天枢器具")
        expect(page.locator("tbody")).not_to_contain_text("天璇器具")
        for offered in ("导入", "导出", "新建"):
            expect(page.locator(f".yl-head-actions >> text={offered}")).to_have_count(0)
        take_picture(page, "view-as")
        page.goto(f"/party/customer/show/{own}")
        expect(page.locator(LINE)).to_be_visible()
        expect(page.locator("h1")).to_contain_text("天枢器具")
        assert posted(page, f"/party/customer/edit/{own}", {"name": "改名", "version": "1"}) == 403
        assert posted(page, f"/party/customer/field/{own}/city", {"city": "上海"}) == 403
        assert posted(page, f"/customers/{own}/release", {"reason": "不要"}) == 403
        for closed in (
            f"/party/customer/show/{others}",
            "/party/customer/export",
            "/inbox",
            "/organization/employee/list/",
        ):
            answer = page.request.get(closed)
            assert answer.status in {403, 404}, closed
            assert "天璇器具" not in answer.text()
        page.click(f"{LINE} button")
        page.wait_for_url("**/customers/sight**")
        expect(page.locator(LINE)).to_have_count(0)
        page.goto(f"/party/customer/show/{others}")
        expect(page.locator("h1")).to_contain_text("天璇器具")
    with site.inside():
        with transaction() as session:
            customer = session.get_one(Customer, own)
            assert (customer.name, customer.city, customer.state) == ("天枢器具", "", "locked")
        Sessions.remove()
