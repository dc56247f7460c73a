"""What people send us: kept, put together, heeded where they want no more, else given to processes."""

from __future__ import annotations

from datetime import timedelta
from itertools import permutations

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import events, outbox
from engine.db import Sessions, transaction
from engine.models import Message, OutboxMessage
from processes.messaging.jobs import complete_received
from processes.messaging.models import OptOut, SmsPart, SmsReceived
from processes.messaging.operations import receiving
from processes.messaging.rules import wants_out
from tests.conftest import TestClock
from tests.connectors.pdu_peer import WHEN, deliver
from tests.processes.company import Company
from webapp import bootstrap

LI = "8619900000004"


@pytest.fixture(autouse=True)
def house(company: Company) -> Company:
    bootstrap.join_parts()
    return company


def take(*pdus: str, road: str = "modem") -> None:
    for pdu in pdus:
        with transaction() as session:
            receiving.receive_part(session, pdu=pdu, road=road)
        Sessions.remove()


def received() -> list[tuple[str, str, str]]:
    with transaction() as session:
        rows = session.scalars(select(SmsReceived).order_by(SmsReceived.id))
        found = [(row.sender, row.text, row.kind) for row in rows]
    Sessions.remove()
    return found


def published() -> list[Message]:
    with transaction() as session:
        found = list(session.scalars(select(Message).order_by(Message.id)))
        session.expunge_all()
    Sessions.remove()
    return found


PARTS = [deliver(LI, text, concat=(7, 3, index)) for index, text in enumerate(("收到", "，明天", "付款"), start=1)]


@pytest.mark.parametrize("order", list(permutations(range(3))))
def test_parts_in_any_order_and_twice_are_one_message(order: tuple[int, ...]) -> None:
    take(*(PARTS[index] for index in order), *PARTS)
    assert received() == [("+8619900000004", "收到，明天付款", "answer")]


def test_a_process_is_told_who_it_is_and_what_it_answers(house: Company) -> None:
    with transaction() as session:
        sent = outbox.enqueue(
            session, channel="sms", key="k", payload={"to": "+8619900000004", "text": "?"}, instance_id=17
        )
        session.get_one(OutboxMessage, sent).state = "sent"
    take(deliver(LI, "好的"))
    (message,) = published()
    assert (message.name, message.business_key) == ("messaging.sms_received", "+8619900000004")
    assert message.variables["text"] == "好的"
    assert (message.variables["answers"], message.variables["answers_instance"]) == (sent, 17)
    assert [one["name"] for one in message.variables["known"]] == ["李娜"]


def test_what_never_came_is_marked_after_a_day(clock: TestClock) -> None:
    take(PARTS[0], PARTS[2])
    clock.advance(hours=23, minutes=59)
    assert complete_received() == 0
    clock.advance(minutes=1)
    assert complete_received() == 1
    assert received() == [("+8619900000004", "收到〔缺第2段〕付款", "answer")]
    assert complete_received() == 0, "run twice is once"
    assert published()[0].variables["complete"] is False
    take(PARTS[1])
    assert len(received()) == 1, "the late part waits for a message of its own"


def test_a_reference_that_comes_round_again_mixes_nothing(clock: TestClock) -> None:
    later = [deliver(LI, text, concat=(7, 3, i), at=WHEN + timedelta(hours=2)) for i, text in enumerate("新的话", 1)]
    take(PARTS[0], PARTS[1], *later)
    assert [text for _sender, text, _kind in received()] == ["收到，明天〔缺第3段〕", "新的话"]


def test_narrow_and_wide_references_and_two_senders_are_apart() -> None:
    other = [deliver("8619900000003", text, concat=(7, 2, i)) for i, text in enumerate("孙悦", 1)]
    wide = [deliver(LI, text, concat=(7, 2, i), wide=True) for i, text in enumerate("宽窄", 1)]
    narrow = [deliver(LI, text, concat=(7, 2, i)) for i, text in enumerate("李娜", 1)]
    take(*(part for three in zip(other, wide, narrow, strict=True) for part in three))
    assert {text for _sender, text, _kind in received()} == {"孙悦", "宽窄", "李娜"}


def test_a_character_cut_in_two_between_parts_is_whole() -> None:
    high, low = "\ud842", "\udfb7"  # 𠮷
    take(deliver(LI, "姓" + high, concat=(9, 2, 1)), deliver(LI, low + "野", concat=(9, 2, 2)))
    assert received()[0][1] == "姓𠮷野"


def test_a_whole_message_of_a_gateway_is_taken_once() -> None:
    for _twice in range(2):
        with transaction() as session:
            receiving.receive_message(session, sender="13800138000", text="可以\0\ud83d", road="gw", external_id="up-1")
    assert received() == [("+8613800138000", "可以��", "answer")]


def test_service_numbers_stay_as_they_are() -> None:
    take(deliver("10086", "您的余额不足"))
    assert received() == [("10086", "您的余额不足", "answer")]


# ------------------------------------------------------------------------------------------------- no more texts


@pytest.mark.parametrize(
    "text",
    [
        "R",
        "r",
        "T",
        "TD",
        "td",
        " ＴＤ ",
        "退订",
        "【退订】",
        "退 订",
        "退订。",
        "回T",
        "回复TD",
        "T退订",
        "TD退订",
        "請退訂"[1:],
        "R。",
    ],
)
def test_these_want_no_more(text: str) -> None:
    assert wants_out(text)


@pytest.mark.parametrize(
    "text", ["", "好", "Red", "TT", "不退订", "退订多少钱", "1 4821", "Rain", "请不要退订我的会议室", "N"]
)
def test_these_are_answers(text: str) -> None:
    assert not wants_out(text)


def test_whoever_wants_no_more_is_heeded_before_any_process_sees_it() -> None:
    take(deliver(LI, "ＴＤ"))
    assert received() == [("+8619900000004", "ＴＤ", "opt_out")]
    assert published() == []
    with transaction() as session:
        (row,) = session.scalars(select(OptOut))
        assert (row.number, row.how, row.words) == ("+8619900000004", "reply", "ＴＤ")


# ------------------------------------------------------------------------------------------------- trouble


def test_what_nobody_can_handle_now_is_kept_and_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    broken = [True]

    def stumble(_session: Session, **_facts: object) -> None:
        if broken[0]:
            raise RuntimeError("not today")

    monkeypatch.setitem(events._SUBSCRIBERS, receiving.RECEIVED, [stumble])
    take(deliver(LI, "在吗"))
    assert received() == [("+8619900000004", "在吗", "new")]
    assert complete_received() == 0
    broken[0] = False
    assert complete_received() == 1
    assert received() == [("+8619900000004", "在吗", "answer")]
    assert len(published()) == 1


def test_what_nobody_can_read_is_shown_to_a_person() -> None:
    for _twice in range(2):
        with transaction() as session:
            receiving.keep_unreadable(session, pdu="00FF", road="modem")
    assert received() == [("", "00FF", "unreadable")]
    assert published() == []


def test_parts_of_whole_messages_are_forgotten_in_time(clock: TestClock) -> None:
    take(*PARTS, PARTS[0])
    clock.advance(days=91)
    complete_received()
    with transaction() as session:
        assert session.scalars(select(SmsPart.id)).all() == []
    assert len(received()) == 1
