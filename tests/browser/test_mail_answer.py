"""Answering a received mail with mouse and thumb: all is set, two clicks send once, the answer stands with it."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect
from sqlalchemy import func, select

from engine import attachments
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from processes.messaging import jobs
from processes.messaging.operations import receiving_mail
from tests.browser.conftest import SignIn, Site

RAW = (
    "From: =?utf-8?B?546L56OK?= <wang@customer.example>\r\nTo: bpm@example.com, li@partner.example\r\n"
    "Subject: =?utf-8?B?6K+i5Lu3?= {number}\r\nMessage-ID: <{number}@customer.example>\r\n"
    "Content-Type: text/plain; charset=utf-8\r\n\r\n请报 200 台扫描枪的价格，\r\n并注明交货期。\r\n"
)


def comes(site: Site, number: int) -> int:
    with site.inside():
        attachments.install(site.file.parent / "attachments")
        raw = RAW.format(number=number).encode()
        with transaction() as session:
            kept = receiving_mail.keep(session, box="b", uid_validity=1, uid=number, raw=raw, size=len(raw))
        Sessions.remove()
        jobs.sort_mail()
    assert kept is not None
    return kept


def answers(site: Site) -> int:
    with site.inside(), transaction() as session:
        answered = OutboxMessage.payload["in_reply_to"].as_string() != ""
        return session.scalar(select(func.count(OutboxMessage.id)).where(answered)) or 0


@pytest.mark.parametrize("phone", [False, True], ids=["desk", "phone"])
def test_a_mail_is_answered_once(
    site: Site, sign_in: SignIn, take_picture: Callable[..., None], *, phone: bool
) -> None:
    mail = comes(site, 2 if phone else 1)
    before = answers(site)
    page: Page = sign_in("zheng.kai", phone=phone)
    page.goto("/messages/mail-received")
    page.click(f'a[href="/messages/mail-received/{mail}"]')
    take_picture(page, f"mail-received-{'phone' if phone else 'desk'}")
    page.click("#yl-drawer-body >> text=回复")
    expect(page.locator("#field-to")).to_have_value("wang@customer.example")
    expect(page.locator("#field-subject")).to_have_value(f"Re: 询价 {2 if phone else 1}")
    expect(page.locator("#field-text")).to_be_focused()
    page.keyboard.type("您好，报价见附件。")
    take_picture(page, f"mail-answer-{'phone' if phone else 'desk'}", whole=True)
    page.dblclick("form.yl-task-form button[type=submit]")
    page.wait_for_url(f"**/messages/mail-received/{mail}")
    expect(page.get_by_role("heading", name="我方回复")).to_be_visible()
    assert answers(site) == before + 1
    take_picture(page, f"mail-answered-{'phone' if phone else 'desk'}", whole=True)
