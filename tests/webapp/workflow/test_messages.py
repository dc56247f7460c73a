"""What has left the house: who reads what of it, sending again, taking back."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from engine import health, outbox
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from tests.demo_house import DemoHouse, Facts

OWN = "拜访苏州客户"


@pytest.fixture
def failed(house: DemoHouse, facts: Facts) -> int:
    """An SMS of wang.lei's request that no road would take."""
    instance_id = facts.instance(OWN)
    with transaction() as session:
        message = session.scalars(
            select(OutboxMessage).where(OutboxMessage.instance_id == instance_id, OutboxMessage.channel == "sms")
        ).one()
        message.state, message.last_error, message.attempts = "failed", "rejected: 21 unknown number", 3
        found = message.id
    Sessions.remove()
    return found


def state(message_id: int) -> str:
    with transaction() as session:
        found = session.scalars(select(OutboxMessage.state).where(OutboxMessage.id == message_id)).one()
    Sessions.remove()
    return found


def shown(page: str) -> list[int]:
    return [int(number) for number in re.findall(r'href="/messages/(\d+)"', page)]


def test_the_recipient_reads_text_and_number(house: DemoHouse) -> None:
    page = house.login("wang.lei").get("/messages?_l_=en").text
    assert "王磊" in page
    assert "EXP-" in page
    assert re.search(r"\+86199\d{8}", page)
    assert "Simulators: nothing really leaves." in page


def test_others_see_nothing_of_it_and_administrators_all(house: DemoHouse, failed: int) -> None:
    assert failed in shown(house.login("wang.lei").get("/messages").text)
    assert failed not in shown(house.login("xu.fang").get("/messages").text)
    assert house.login("xu.fang").get(f"/messages/{failed}").status_code == 404
    assert failed in shown(house.login("zheng.kai").get("/messages").text)


def test_a_reader_of_the_process_sees_its_messages_masked(house: DemoHouse, facts: Facts) -> None:
    part = house.login("zhou.ming").get(f"/messages/of-instance/{facts.instance(OWN)}").text
    assert "EXP-" in part
    assert not re.search(r"199\d{8}", part)
    assert re.search(r"\*{4,}\d{4}", part)
    assert "wang.lei@" not in part
    assert "w***@example.com" in part


def test_narrowing(house: DemoHouse, failed: int) -> None:
    admin = house.login("zheng.kai")
    assert shown(admin.get("/messages?state=failed", partial=True).text) == [failed]
    assert failed not in shown(admin.get("/messages?channel=mail", partial=True).text)
    assert failed in shown(admin.get("/messages?channel=sms&q=王磊", partial=True).text)
    assert shown(admin.get("/messages?q=nobody_is_called_so", partial=True).text) == []


def test_a_message_word_for_word(house: DemoHouse, facts: Facts) -> None:
    with transaction() as session:
        mail = session.scalars(
            select(OutboxMessage).where(
                OutboxMessage.instance_id == facts.instance(OWN), OutboxMessage.channel == "mail"
            )
        ).one()
        number, text = mail.id, mail.payload["text"]
    Sessions.remove()
    page = house.login("wang.lei").get(f"/messages/{number}", partial=True).text
    assert "<!doctype" not in page
    assert text.splitlines()[0] in page
    frame = re.search(r"<iframe[^>]*>", page)
    assert frame
    assert " sandbox " in frame.group(0)  # no script, no form, no origin
    assert "srcdoc=" in frame.group(0)


def test_sending_again_is_for_those_who_may_send(house: DemoHouse, failed: int) -> None:
    wang, admin = house.login("wang.lei"), house.login("zheng.kai")
    assert "resend" not in wang.get(f"/messages/{failed}").text
    assert wang.post(f"/messages/{failed}/resend").status_code == 403
    assert state(failed) == "failed"
    assert f"/messages/{failed}/resend" in admin.get(f"/messages/{failed}").text
    assert admin.post(f"/messages/{failed}/resend").location == "/messages"
    assert state(failed) == "queued"


def test_what_waits_can_be_cancelled_once(house: DemoHouse, failed: int) -> None:
    admin = house.login("zheng.kai")
    admin.post(f"/messages/{failed}/resend")
    assert admin.post(f"/messages/{failed}/cancel").status_code == 302
    assert state(failed) == "cancelled"
    again = admin.post(f"/messages/{failed}/cancel?_l_=en", {"back": "/messages/scheduled"})
    assert (again.status_code, again.location) == (302, "/messages/scheduled"), "back to the page, which says why"
    assert "Only a queued message can be cancelled" in admin.get("/messages/scheduled?_l_=en").text
    assert state(failed) == "cancelled"


@pytest.mark.parametrize("back", ["https://evil.example/", "//evil.example/", "/\\evil.example", "javascript:alert(1)"])
def test_a_form_sends_nobody_elsewhere(house: DemoHouse, failed: int, back: str) -> None:
    answer = house.login("zheng.kai").post(f"/messages/{failed}/resend", {"back": back})
    assert answer.location == "/messages"


def report(**wires: tuple[str, str]) -> None:
    """What the processes that hold the wires last said of them."""
    with transaction() as session:
        health.report(session, {name: (lambda said=said: said) for name, said in wires.items()})
    Sessions.remove()


def test_the_roads_say_how_they_are(house: DemoHouse, failed: int) -> None:
    report(sms=("up", "simulated"), mail=("down", "auth_refused"))
    page = house.login("zheng.kai").get("/messages?_l_=en").text
    assert ">Working<" in page
    assert "a simulator: nothing really leaves" in page
    assert "Not reachable" in page
    assert "the server refused the login" in page
    assert re.search(r"<b>1</b><small>failed or in doubt", page)


def test_roads_nobody_speaks_of_are_not_called_working(house: DemoHouse) -> None:
    page = house.login("zheng.kai").get("/messages?_l_=en").text
    assert page.count("Not known here") == 2
    assert ">Working<" not in page


def test_long_lists_come_in_pages(house: DemoHouse, facts: Facts) -> None:
    with transaction() as session:
        for number in range(45):
            payload = {"to": "+8619900000001", "text": f"第 {number} 条", "recipient": "某人"}
            outbox.enqueue(session, channel="sms", key=f"page:{number}", payload=payload)
    Sessions.remove()
    admin, seen, url = house.login("zheng.kai"), [], "/messages?channel=sms"
    while url:
        page = admin.get(url).text
        seen += shown(page)
        further = re.search(r'href="(/messages\?before=\d+[^"]*)"', page)
        url = further.group(1).replace("&amp;", "&") if further else ""
    assert len(seen) == len(set(seen)) >= 45


def test_of_several_modems_each_says_how_it_is(house: DemoHouse) -> None:
    with transaction() as session:
        health.report(session, {"sms-1": lambda: ("up", ""), "sms-2": lambda: ("down", "cms_313")})
    Sessions.remove()
    page = house.login("zheng.kai").get("/messages?_l_=en").text
    assert re.search(r'yl-tone-green"[^>]*title="ready"[^>]*>sms-1<', page)
    assert re.search(r'yl-tone-red"[^>]*title="the SIM cannot be used"[^>]*>sms-2<', page)
