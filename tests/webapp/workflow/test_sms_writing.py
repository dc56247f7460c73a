"""Writing an SMS to one number, and answering one: what it costs beside it, sent once, nobody's number given away."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import timedelta

import pytest
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select

from engine import clock, outbox
from engine.actor import Actor
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from processes.messaging.models import SmsReceived
from processes.messaging.operations import receiving
from processes.messaging.permissions import CAMPAIGN, SEND_SMS
from processes.organization.models import Employee
from tests.demo_house import Browser, DemoHouse, Facts
from webapp.security.naming import named

NEW, COST = "/messages/sms/new", "/messages/sms/cost"
TO = "138 0013 8000"
FORM = {"wish": "w1", "to": TO, "text": "明天上午十点见。", "purpose": "notice", "send_at": ""}


def written() -> Sequence[OutboxMessage]:
    """What people have written by hand, oldest first."""
    with transaction() as session:
        by_hand = select(OutboxMessage).where(OutboxMessage.channel == "sms", OutboxMessage.key.contains(":sms:"))
        found = list(session.scalars(by_hand.order_by(OutboxMessage.id)))
        session.expunge_all()
    Sessions.remove()
    return found


def said(page: Browser, **values: str) -> str:
    """The card beside the form, without its tags."""
    text = page.post(f"{COST}?_l_=en", {**FORM, **values}, partial=True).text
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


@pytest.fixture
def wang(house: DemoHouse) -> Browser:
    return house.login("wang.lei")


def test_everybody_finds_the_way_and_sends_once_however_often_he_clicks(wang: Browser) -> None:
    assert f'href="{NEW}"' in wang.get("/messages").text
    assert 'name="text"' in wang.get(NEW).text
    answers = [wang.post(NEW, FORM) for _click in range(2)]
    assert [(one.status_code, one.headers["Location"]) for one in answers] == [(302, "/messages?channel=sms")] * 2
    (message,) = written()
    assert (message.payload["to"], message.payload["text"]) == ("+8613800138000", "明天上午十点见。")
    wang.post(NEW, {**FORM, "wish": "w2"})
    assert len(written()) == 2


def test_beside_it_stands_what_it_costs_and_whose_number_it_is(wang: Browser, facts: Facts) -> None:
    with transaction() as session:
        number = str(session.get_one(Employee, facts.person("钱丽")).phone)
    Sessions.remove()
    assert "Recipient 钱丽 Segments 1 Paid by 华东销售部" in said(wang, to=number)
    assert "8 signs; 62 more fit into the last segment" in said(wang)
    assert "Segments 2" in said(wang, text="见" * 71)
    assert "known to nobody here" in said(wang, to="")
    assert "has not agreed to commercial texts" in said(wang, purpose="commercial")
    assert "has not agreed" not in said(wang)
    assert written() == []


def test_its_recipient_is_named_and_whoever_typed_the_number_sees_it(wang: Browser, house: DemoHouse) -> None:
    with transaction() as session:
        number = str(session.scalars(select(Employee).where(Employee.name == "钱丽")).one().phone)
    Sessions.remove()
    wang.post(NEW, {**FORM, "to": number})
    assert f"钱丽 {number}" in wang.get("/messages?channel=sms").text


def test_a_fault_leaves_what_was_written(wang: Browser) -> None:
    page = wang.post(f"{NEW}?_l_=en", {**FORM, "to": "010-12345678", "send_at": "yesterday"})
    assert page.status_code == 422
    assert "明天上午十点见。" in page.text
    assert 'value="w1"' in page.text
    refused = wang.post(f"{NEW}?_l_=en", {**FORM, "purpose": "commercial"})
    assert refused.status_code == 422
    assert "has not agreed to commercial texts" in refused.text
    assert written() == []


def test_one_for_later_waits_among_the_others(wang: Browser) -> None:
    assert wang.post(NEW, {**FORM, "send_at": "2099-01-01T09:00"}).status_code == 422, "more than a year ahead"
    month = (clock.now() + timedelta(days=30)).strftime("%Y-%m-%dT%H:%M")
    sent = wang.post(NEW, {**FORM, "send_at": month})
    assert (sent.status_code, sent.headers["Location"]) == (302, "/messages/scheduled")
    assert "明天上午十点见。" in wang.get("/messages/scheduled").text


def test_without_the_right_there_is_no_way(house: DemoHouse, wang: Browser) -> None:
    with transaction() as session:
        for role in session.scalars(select(Role)):
            kept = [one for one in role.permissions if named(one.permission.name, one.view_menu.name) != SEND_SMS]
            role.permissions = kept
    Sessions.remove()
    other = house.login("xu.fang")
    assert NEW not in other.get("/messages").text
    assert other.get(NEW).status_code == 403
    assert other.post(COST, FORM).status_code == 403
    assert other.post(NEW, FORM).status_code == 403


# ------------------------------------------------------------------------------------------------- answering


def comes_in(*, by: str, to: str, record: tuple[str, int] | None = None) -> int:
    """Somebody answers what `by` has sent to the number `to`; the id of the answer."""
    with transaction() as session:
        author = session.scalars(select(Employee).where(Employee.name == by)).one()
        made = outbox.enqueue(
            session,
            channel="sms",
            key=f"asked:{to}",
            payload={"to": to, "text": "明天能到吗？", "recipient": to},
            actor=Actor(author.id, by),
            record=record,
        )
        session.get_one(OutboxMessage, made).state = "sent"
        found = receiving.receive_message(session, sender=to, text="能到", road="gw", external_id=to)
        assert found is not None
        answer_id = found.id
    Sessions.remove()
    return answer_id


def test_an_sms_is_answered_with_its_words_in_sight(wang: Browser) -> None:
    answer = comes_in(by="王磊", to="+8613900139000")
    assert f'href="{NEW}?answer={answer}"' in wang.get(f"/messages/received/{answer}", partial=True).text
    assert "能到" in wang.get(f"{NEW}?answer={answer}").text
    form = {"wish": "a", "answer": str(answer), "to": "+8613800138000", "text": "好的"}
    assert wang.post(NEW, form).status_code == 302
    assert [message.payload["to"] for message in written()] == ["+8613900139000"], "to its sender, whatever is posted"


def test_nobody_answers_what_he_may_not_read(house: DemoHouse) -> None:
    answer = comes_in(by="王磊", to="+8613900139000")
    other = house.login("xu.fang")
    for given in (str(answer), "999999", "x", "²", "9" * 40):
        assert other.get(f"{NEW}?answer={given}").status_code == 404
        assert other.post(NEW, {"wish": "a", "answer": given, "text": "x"}).status_code == 404
    assert written() == []


def test_who_does_not_see_a_colleagues_number_answers_and_learns_nothing(house: DemoHouse, facts: Facts) -> None:
    with transaction() as session:
        number = str(session.get_one(Employee, facts.person("钱丽")).phone)
    Sessions.remove()
    answer = comes_in(by="王磊", to=number, record=(CAMPAIGN, 4711))
    wang = house.login("wang.lei")
    assert number not in wang.get(f"/messages/received/{answer}").text
    assert number not in wang.get(f"{NEW}?answer={answer}").text
    assert wang.post(NEW, {"wish": "a", "answer": str(answer), "text": "收到"}).status_code == 302
    assert [message.payload["to"] for message in written()] == [number]
    for page in ("/messages", "/messages?channel=sms", f"/messages/{written()[0].id}"):
        assert number not in wang.get(page).text


def test_masked_numbers_are_not_found_out_by_searching(house: DemoHouse, facts: Facts) -> None:
    with transaction() as session:
        number = str(session.get_one(Employee, facts.person("钱丽")).phone)
    Sessions.remove()
    comes_in(by="王磊", to=number, record=("organization.employee", facts.person("钱丽")))
    wang, admin = house.login("wang.lei"), house.login("zheng.kai")
    assert "明天能到吗" not in wang.get(f"/messages?q={number[-6:]}", partial=True).text
    assert "明天能到吗" in admin.get(f"/messages?q={number[-6:]}", partial=True).text
    assert "明天能到吗" in wang.get("/messages?q=能到", partial=True).text


def test_a_service_number_cannot_be_answered(house: DemoHouse) -> None:
    with transaction() as session:
        receiving.receive_message(session, sender="10086", text="余额不足", road="gw", external_id="1")
        found = session.scalars(select(SmsReceived.id)).one()
    Sessions.remove()
    admin = house.login("zheng.kai")
    assert NEW not in admin.get(f"/messages/received/{found}", partial=True).text
    assert admin.post(NEW, {"wish": "a", "answer": str(found), "text": "x"}).status_code == 422
