"""Beginning a mail with mouse and thumb: from the customer's address, named beside the keys, sent once."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import expect
from sqlalchemy import func, select

from engine import clock
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from processes.organization.models import Employee
from processes.party import operations
from tests.browser.conftest import SignIn, Site

ADDRESS, TEXT = "chen@huayu.example", "您好，附上新的报价，请查收。"


def customer_of(site: Site, owner: str, name: str) -> int:
    with site.inside():
        with transaction() as session:
            made = operations.create_customer(
                session, SYSTEM, values={"name": name, "email": ADDRESS, "duplicate_reason": "测试"}
            )
            made.owner_id = session.scalars(select(Employee.id).where(Employee.name == owner)).one()
            made.state, made.owned_since = "locked", clock.now()
            key = made.id
        Sessions.remove()
    return key


def written(site: Site, customer: int) -> int:
    with site.inside(), transaction() as session:
        about = OutboxMessage.record_type == "party.customer", OutboxMessage.record_id == customer
        return session.scalar(select(func.count(OutboxMessage.id)).where(*about)) or 0


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_mail_begins_with_the_customer_and_two_clicks_send_it_once(
    site: Site, sign_in: SignIn, take_picture: Callable[..., None], *, phone: bool
) -> None:
    name = "新丰照明" if phone else "华宇照明"
    customer = customer_of(site, "王磊", name)
    page = sign_in("wang.lei", phone=phone)
    page.goto(f"/party/customer/show/{customer}")
    page.click(f"text={ADDRESS}")
    expect(page.locator("#field-to")).to_have_value(ADDRESS)
    expect(page.locator("#field-subject")).to_be_focused()
    page.keyboard.type("报价")
    page.fill("#field-cc", "li@partner.example，nobody")
    side = page.locator(".yl-sms-side")
    expect(side).to_contain_text(name)
    expect(side).to_contain_text("nobody")
    expect(side).to_contain_text("这不是邮箱地址")
    page.fill("#field-cc", "li@partner.example")
    expect(side).not_to_contain_text("这不是邮箱地址")
    page.fill("#field-text", TEXT)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    take_picture(page, f"mail-writing-{'phone' if phone else 'desk'}", whole=True)
    page.dblclick("form[data-yl-guard] button[type=submit]")
    page.wait_for_url(f"**/party/customer/show/{customer}")
    expect(page.locator(".yl-timeline")).to_contain_text(TEXT)
    assert written(site, customer) == 1
