"""Beginning a mail from a customer, a contact and the lists of messages: once, named, kept with whom it is about."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta
from urllib.parse import urlencode

import pytest
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select

from engine import attachments, clock
from engine.actor import Actor
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from processes.messaging.permissions import SEND_MAIL
from processes.organization.models import Employee
from tests.demo_house import Browser, DemoHouse
from tests.webapp.crm.conftest import MAIL, PHONE, SELLER, Trade
from webapp.security.naming import named

NEW, WHO = "/messages/mail/new", "/messages/mail/recipients"
OWN, FOREIGN, POOL = "华宇智联科技", "鹏讯电子", "晨光教育"
FORM = {"wish": "w1", "to": MAIL, "cc": "", "subject": "报价单", "text": "您好，\r\n请查收。", "send_at": ""}


def written() -> Sequence[OutboxMessage]:
    with transaction() as session:
        by_hand = select(OutboxMessage).where(OutboxMessage.channel == "mail", OutboxMessage.key.contains(":mail:"))
        found = list(session.scalars(by_hand.order_by(OutboxMessage.id)))
        session.expunge_all()
    Sessions.remove()
    return found


def about(trade: Trade, name: str) -> dict[str, str]:
    return {"record_type": "party.customer", "record_id": str(trade.ids[name])}


def said(page: Browser, **values: str) -> str:
    """The card beside the form, without its tags."""
    text = page.post(f"{WHO}?_l_=en", {**FORM, **values}, partial=True).text
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


@pytest.fixture
def wang(house: DemoHouse) -> Browser:
    return house.login(SELLER)


def test_every_way_leads_there(wang: Browser, trade: Trade) -> None:
    for page in ("/messages", "/messages/mail-received"):
        assert f'href="{NEW}"' in wang.get(page).text
    customer = trade.ids[OWN]
    link = f'href="{NEW}?to=info@example.com&amp;record_type=party.customer&amp;record_id={customer}"'
    for part in ("show", "card"):
        assert link in wang.get(f"/party/customer/{part}/{customer}").text.replace("%40", "@")
    page = wang.get(f"{NEW}?{urlencode({'to': MAIL, **about(trade, OWN)})}").text
    assert f'value="{MAIL}"' in page
    assert f'value="{customer}"' in page
    assert OWN in page
    assert "模拟器" in page


def test_two_clicks_send_it_once_and_it_stands_with_the_customer(wang: Browser, trade: Trade) -> None:
    answers = [wang.post(NEW, {**FORM, **about(trade, OWN)}) for _click in range(2)]
    page = f"/party/customer/show/{trade.ids[OWN]}"
    assert [(one.status_code, one.headers["Location"]) for one in answers] == [(302, page)] * 2
    (message,) = written()
    assert (message.payload["to"], message.payload["text"]) == ([MAIL], "您好，\n请查收。")
    assert (message.record_type, message.record_id) == ("party.customer", trade.ids[OWN])
    assert "报价单" in wang.get(f"/follow/of/{trade.ids[OWN]}").text
    assert wang.post(NEW, {**FORM, "wish": "w2"}).headers["Location"] == "/messages?channel=mail"
    assert len(written()) == 2


def test_an_sms_stands_with_the_customer_as_well(wang: Browser, trade: Trade) -> None:
    wang.post(
        "/messages/sms/new", {"wish": "s", "to": PHONE, "text": "报价已寄出。", "purpose": "notice", "send_at": ""}
    )
    assert "报价已寄出。" in wang.get(f"/follow/of/{trade.ids[OWN]}").text


def test_a_masked_number_is_found_out_by_no_sms_either(wang: Browser, trade: Trade) -> None:
    pool = trade.add("玉衡仪器", phone="13700137000")
    for number, name, is_named in (("13700137000", "玉衡仪器", False), (PHONE, OWN, True)):
        form = {"wish": number, "to": number, "text": "您好。", "purpose": "notice", "send_at": ""}
        assert (name in wang.post("/messages/sms/cost", form, partial=True).text) is is_named
        wang.post("/messages/sms/new", form)
    assert "您好。" not in wang.get(f"/follow/of/{pool}").text


def test_several_are_written_to_each_once_with_names_or_without(wang: Browser, trade: Trade) -> None:
    wang.post(NEW, {**FORM, "to": "王建国 <a@b.example>；A@b.example, c@d.example\r\ne@f.example", "cc": "g@h.example"})
    (message,) = written()
    assert message.payload["to"] == ["a@b.example", "c@d.example", "e@f.example"]
    assert message.payload["cc"] == ["g@h.example"]


def test_beside_it_stands_who_gets_it(wang: Browser, trade: Trade) -> None:
    assert f"Kept with {OWN} Leaves at once" in said(wang)
    assert f"{OWN} 旧日贸易 {MAIL}" in said(wang), "both have it"
    assert "known under this address: nobody" in said(wang, to="x@y.example")
    assert "Nobody named yet" in said(wang, to="")
    assert "This is no mail address" in said(wang, to="x")
    assert "Kept with no customer" in said(wang, to="x@y.example", send_at="yesterday")
    assert f"Kept with {POOL}" in said(wang, to="x@y.example", **about(trade, POOL))
    assert "and 3 more" in said(wang, to=",".join(f"a{number}@b.example" for number in range(23)))


def test_a_masked_address_leads_nowhere_and_is_found_out_by_no_trying(wang: Browser, trade: Trade) -> None:
    for name in (POOL, FOREIGN):
        with transaction() as session:
            key = trade.customer(name).party.points
            point = next(session.merge(one) for one in key if one.kind == "mail")
            point.value = "secret@example.com"
        Sessions.remove()
    page = wang.get(f"/party/customer/show/{trade.ids[POOL]}").text
    assert "s***@example.com" in page
    assert NEW not in page
    told = said(wang, to="secret@example.com")
    assert "known under this address: nobody" in told
    assert POOL not in told
    wang.post(NEW, {**FORM, "to": "secret@example.com"})
    assert written()[0].record_type is None
    uncovered = wang.post(f"/party/customer/reveal/{trade.ids[POOL]}/email", partial=True).text
    assert "yl-uncover" in uncovered
    assert NEW in uncovered, "whoever may uncover it may write to it; that he looked is noted"


def test_a_foreign_customer_is_as_if_not_there(wang: Browser, trade: Trade) -> None:
    foreign = about(trade, FOREIGN)
    for asked in (
        foreign,
        {**foreign, "record_id": "987654"},
        {**foreign, "record_id": "x"},
        {**foreign, "record_type": "x"},
    ):
        assert wang.get(f"{NEW}?{urlencode(asked)}").status_code == 404
        assert wang.post(WHO, {**FORM, **asked}).status_code == 404
        assert wang.post(NEW, {**FORM, **asked}).status_code == 404
    assert written() == []


def test_a_fault_leaves_what_was_written_and_the_files(wang: Browser, trade: Trade) -> None:
    with transaction() as session:
        author = session.scalars(select(Employee).where(Employee.name == "王磊")).one()
        number = attachments.store(session, Actor(author.id, author.name), "报价.pdf", b"%PDF-1").id
    Sessions.remove()
    form = {**FORM, "to": "nobody, a@b.example", "subject": " ", "file": str(number), **about(trade, OWN)}
    page = wang.post(f"{NEW}?_l_=en", form)
    assert page.status_code == 422
    for kept in ("nobody is not a mail address.", "needs a subject", "请查收。", "报价.pdf", 'value="w1"', OWN):
        assert kept in page.text
    assert wang.post(f"{NEW}?_l_=en", {**FORM, "send_at": "yesterday"}).status_code == 422
    assert written() == []
    assert wang.post(NEW, {**form, "to": MAIL, "subject": "报价"}).status_code == 302
    assert [one["name"] for one in written()[0].payload["attachments"]] == ["报价.pdf"]


def test_one_for_later_waits_among_the_others(wang: Browser) -> None:
    assert wang.post(NEW, {**FORM, "send_at": "2099-01-01T09:00"}).status_code == 422, "more than a year ahead"
    month = (clock.now() + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M")
    sent = wang.post(NEW, {**FORM, "send_at": month})
    assert (sent.status_code, sent.headers["Location"]) == (302, "/messages/scheduled")
    assert "报价单" in wang.get("/messages/scheduled").text


def test_without_the_right_there_is_no_way(house: DemoHouse, trade: Trade) -> None:
    with transaction() as session:
        for role in session.scalars(select(Role)):
            kept = [one for one in role.permissions if named(one.permission.name, one.view_menu.name) != SEND_MAIL]
            role.permissions = kept
    Sessions.remove()
    wang = house.login(SELLER)
    for page in ("/messages", "/messages/mail-received", f"/party/customer/show/{trade.ids[OWN]}"):
        assert NEW not in wang.get(page).text
    assert wang.get(NEW).status_code == 403
    assert wang.post(WHO, FORM).status_code == 403
    assert wang.post(NEW, FORM).status_code == 403
