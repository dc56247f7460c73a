"""What people have sent us by SMS, on the page: who reads what of it."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from engine import clock
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from processes.messaging.operations import receiving
from processes.organization.models import Employee
from tests.demo_house import DemoHouse, Facts

PAGE = "/messages/received"
OWN = "拜访苏州客户"
STRANGER = "+8613800138000"


@pytest.fixture
def answer(house: DemoHouse, facts: Facts) -> int:
    """wang.lei answers the SMS his own request has sent him."""
    with transaction() as session:
        wang = session.scalars(select(Employee).where(Employee.name == "王磊")).one()
        sent = session.scalars(
            select(OutboxMessage).where(
                OutboxMessage.instance_id == facts.instance(OWN), OutboxMessage.channel == "sms"
            )
        ).first()
        assert sent is not None
        sent.state, sent.available_at = "delivered", clock.now()
        session.flush()
        made = receiving.receive_message(session, sender=str(wang.phone), text="知道了", road="gw", external_id="1")
        assert made is not None
        assert made.answers_id == sent.id
        receiving.receive_message(session, sender=STRANGER, text="<b>你们是谁</b>", road="gw", external_id="2")
        found = made.id
    Sessions.remove()
    return found


def test_administrators_read_everything_with_names_and_numbers(house: DemoHouse, answer: int) -> None:
    admin = house.login("zheng.kai")
    page = admin.get(f"{PAGE}?_l_=en").text
    assert "王磊" in page
    assert STRANGER in page
    assert "&lt;b&gt;你们是谁" in page
    one = admin.get(f"{PAGE}/{answer}", partial=True).text
    assert re.search(r'href="[^"]*/show/\d+"', one), "the way to his record"
    assert "知道了" in one
    assert admin.get(f"{PAGE}?kind=opt_out", partial=True).text.count("yl-row") == 0
    assert STRANGER in admin.get(f"{PAGE}?q=13800138", partial=True).text


def test_the_sender_reads_his_own_answer_and_nobody_elses(house: DemoHouse, answer: int) -> None:
    page = house.login("wang.lei").get(PAGE).text
    assert "知道了" in page
    assert "你们是谁" not in page


def test_whoever_may_not_see_our_message_sees_no_answer(house: DemoHouse, answer: int) -> None:
    other = house.login("xu.fang")
    assert "知道了" not in other.get(PAGE).text
    assert other.get(f"{PAGE}/{answer}").status_code == 404
    assert other.get(f"{PAGE}/999999").status_code == 404


def test_a_writer_of_a_message_to_a_colleague_sees_his_number_masked(house: DemoHouse, facts: Facts) -> None:
    with transaction() as session:
        wang = session.scalars(select(Employee).where(Employee.name == "王磊")).one()
        number, mine = str(wang.phone), facts.person("徐芳")
        session.add(
            OutboxMessage(
                channel="sms",
                key="by-hand",
                payload={"to": number, "text": "在吗"},
                state="sent",
                available_at=wang.created_at,
                created_at=wang.created_at,
                created_by=mine,
                record_type="organization.employee",
                record_id=wang.id,
            )
        )
        session.flush()
        receiving.receive_message(session, sender=number, text="在的", road="gw", external_id="3")
    Sessions.remove()
    page = house.login("xu.fang").get(PAGE).text
    assert "在的" in page
    assert number not in page


def test_an_empty_house_says_what_will_come(house: DemoHouse) -> None:
    page = house.login("zheng.kai").get(f"{PAGE}?_l_=en")
    assert page.status_code == 200
    assert "Nothing has come in yet." in page.text
