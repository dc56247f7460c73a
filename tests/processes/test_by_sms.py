"""Approval by SMS: who is asked with a code, what an answer does, and what a guesser gets."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from engine import repository, runtime, work_items
from engine.actor import SYSTEM
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.errors import RuleViolation
from engine.i18n import _
from engine.models import FormData, Instance, InstanceLog, Message, OutboxMessage, WorkItem
from engine.runtime.cache import LIVE
from processes.approval import operations, rules
from processes.approval.models import SmsApprovalCode
from processes.approval.operations import by_sms
from processes.messaging.models import SmsReceived
from processes.messaging.operations import receiving
from processes.messaging.rules import USED_UP
from processes.organization import operations as organization
from tests.conftest import TestClock
from tests.connectors.pdu_peer import deliver
from tests.databases import Database
from tests.processes.company import Company, actor_of
from tests.processes.test_overdue import begin, chain_holds, item_of
from webapp import bootstrap
from webapp.security.organization import people_as_actors

WANG = "+8619900000002"


@pytest.fixture(autouse=True)
def house(company: Company, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    bootstrap.join_parts()
    monkeypatch.setattr(CATALOG, "actors", people_as_actors)
    operations.sms_approvals_of_house(True)
    LIVE.clear()
    repository.forget_all()
    yield company
    operations.sms_approvals_of_house(False)
    LIVE.clear()


def urge(house: Company, instance: int, clock: TestClock) -> None:
    """The second urging goes by SMS."""
    for _twice in range(2):
        clock.advance(hours=3)
        runtime.perform(lambda session: operations.urge(session, actor_of(house.li), item_of(instance).id))
        Sessions.remove()


def texts(to: str = WANG) -> list[OutboxMessage]:
    with transaction() as session:
        rows = session.scalars(select(OutboxMessage).where(OutboxMessage.channel == "sms").order_by(OutboxMessage.id))
        found = [row for row in rows if row.payload["to"] == to]
        session.expunge_all()
    Sessions.remove()
    return found


_number = iter(range(1, 10_000))


def answer(text: str, sender: str = WANG) -> str:
    """Comes in by a gateway; what it was taken for."""

    def take(session: object) -> str:
        made = receiving.receive_message(
            session,  # type: ignore[arg-type]
            sender=sender,
            text=text,
            road="gw",
            external_id=str(next(_number)),
        )
        assert made is not None
        return made.kind

    kind = runtime.perform(take)
    Sessions.remove()
    return kind


def asked(house: Company, clock: TestClock, **how: str) -> tuple[int, str]:
    """(instance, code) of a request Wang was urged about."""
    instance = begin(house, **how)
    urge(house, instance, clock)
    return instance, str(texts()[-1].payload["secret"])


def log(instance: int, action: str) -> list[InstanceLog]:
    with transaction() as session:
        lines = select(InstanceLog).where(InstanceLog.instance_id == instance, InstanceLog.action == action)
        found = list(session.scalars(lines))
        session.expunge_all()
    Sessions.remove()
    return found


def state(instance: int) -> str:
    with transaction() as session:
        found = session.scalars(select(Instance.state).where(Instance.id == instance)).one()
    Sessions.remove()
    return found


# ------------------------------------------------------------------------------------------------- agreeing


def test_one_and_the_code_approves_and_says_so(house: Company, clock: TestClock) -> None:
    instance, code = asked(house, clock)
    sent = texts()[-1]
    assert "同意请回复“1 ******”，不同意请回复“2 ****** 理由”" in sent.payload["text"]
    assert code not in sent.payload["text"], "no page shows it"
    assert answer(f"１　{code}") == "approval"
    assert item_of(instance).node == "second"
    (line,) = log(instance, "approve")
    assert (line.actor_id, line.detail["road"]) == (house.wang.id, "sms")
    assert chain_holds(instance)
    assert texts()[-1].payload["text"] == "【云流】王芳，您已同意李娜的“wish”（first），处理成功。"
    with transaction() as session:
        (kept,) = session.scalars(select(SmsReceived))
        assert kept.text == "1 ******"
        assert session.scalars(select(Message)).all() == [], "no process sees it"


def test_a_code_is_good_once(house: Company, clock: TestClock) -> None:
    instance, code = asked(house, clock)
    assert answer(f"1 {code}") == "approval"
    before = len(texts())
    assert answer(f"1 {code}") == "wrong_code"
    assert texts()[-1].payload["text"] == "【云流】审批码无效、已使用或已过期，未作任何处理，请登录系统办理。"
    assert answer(f"1 {code}") == "wrong_code"
    assert len(texts()) == before + 1, "told once, then silence"
    assert len(log(instance, "approve")) == 1


def test_two_same_answers_at_once_are_one_approval(house: Company, clock: TestClock, database: Database) -> None:
    instance, code = asked(house, clock)
    ready, kinds = threading.Barrier(2), []

    def come() -> None:
        ready.wait(10)
        kinds.append(answer(f"1 {code}"))

    threads = [threading.Thread(target=come) for _both in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(kinds) == ["approval", "wrong_code"]
    assert len(log(instance, "approve")) == 1


def test_over_the_modem_it_is_the_same(house: Company, clock: TestClock) -> None:
    instance, code = asked(house, clock)
    pdu = deliver("8619900000002", f"同意 {code}")
    for _twice in range(2):
        runtime.perform(lambda session: receiving.receive_part(session, pdu=pdu, road="modem"))
        Sessions.remove()
    assert len(log(instance, "approve")) == 1
    assert len(texts()) == 2, "the urging and one answer"


# ------------------------------------------------------------------------------------------------- refusing


def test_two_the_code_and_a_reason_refuses(house: Company, clock: TestClock) -> None:
    instance, code = asked(house, clock)
    assert answer(f"2 {code}") == "approval"
    assert "未能办理" in texts()[-1].payload["text"]
    assert item_of(instance).node == "first", "without a reason nothing is done, and the code is still good"
    assert answer(f"2，{code} 预算不够") == "approval"
    assert state(instance) == "rejected"
    (line,) = log(instance, "reject")
    assert (line.detail["opinion"], line.detail["road"]) == ("预算不够", "sms")


# ------------------------------------------------------------------------------------------------- what does not count


def test_only_that_number(house: Company, clock: TestClock) -> None:
    instance, code = asked(house, clock)
    assert answer(f"1 {code}", "+8619900000001") == "answer"
    assert answer(f"1 {code}", "+8613900000000") == "answer"
    assert item_of(instance).node == "first"


def test_a_number_that_is_another_persons_by_now(house: Company, clock: TestClock) -> None:
    instance, code = asked(house, clock)
    with transaction() as session:
        organization.change_employee(session, SYSTEM, record_id=house.wang.id, values={"phone": "199 0000 0022"})
    assert answer(f"1 {code}") == "wrong_code"
    assert item_of(instance).node == "first"


def test_a_guesser_is_told_once_and_then_even_the_right_code_is_not_taken(house: Company, clock: TestClock) -> None:
    instance, code = asked(house, clock)
    before = len(texts())
    wrong = [f"{(int(code) + n) % 10**6:06}" for n in range(1, 6)]
    assert {answer(f"1 {guess}") for guess in wrong} == {"wrong_code"}
    assert answer(f"1 {code}") == "wrong_code"
    assert item_of(instance).node == "first"
    assert len(texts()) == before + 1


def test_after_a_day_it_is_nothing_worth(house: Company, clock: TestClock) -> None:
    instance, code = asked(house, clock)
    clock.advance(hours=24)
    assert answer(f"1 {code}") == "wrong_code"
    assert item_of(instance).node == "first"


def test_the_rules_of_the_item_have_the_last_word(house: Company, clock: TestClock) -> None:
    instance, code = asked(house, clock)
    item, wang = item_of(instance).id, actor_of(house.wang)
    runtime.perform(lambda session: work_items.act(session, wang, item, "approve"))
    assert answer(f"1 {code}") == "approval"
    assert "未能办理" in texts()[-1].payload["text"]
    assert len(log(instance, "approve")) == 1
    with transaction() as session:
        assert session.scalars(select(SmsApprovalCode.outcome)).one() == "refused"


def test_a_request_that_has_changed_is_not_approved_unseen(house: Company, clock: TestClock) -> None:
    instance, code = asked(house, clock)
    with transaction() as session:
        session.add(
            FormData(
                instance_id=instance,
                revision=1,
                node="start",
                values={},
                saved_by=house.li.id,
                saved_at=receiving.clock.now(),
            )
        )
    assert answer(f"1 {code}") == "approval"
    assert item_of(instance).node == "first"
    assert "未能办理" in texts()[-1].payload["text"]


@pytest.mark.parametrize("policy", ["signature", "opinion"])
def test_what_one_word_cannot_decide_carries_no_code(house: Company, clock: TestClock, policy: str) -> None:
    instance = begin(house, **{policy: "required"})
    urge(house, instance, clock)
    assert "secret" not in texts()[-1].payload
    assert "******" not in texts()[-1].payload["text"]


def test_a_house_that_has_not_said_so_has_none_of_it(house: Company, clock: TestClock) -> None:
    _instance, code = asked(house, clock)
    operations.sms_approvals_of_house(False)
    assert answer(f"1 {code}") == "answer"
    urge(house, begin(house), clock)
    assert "secret" not in texts()[-1].payload


def test_codes_of_one_number_are_all_different(
    house: Company, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    drawn = iter([7, 7, 8])
    monkeypatch.setattr(by_sms.secrets, "randbelow", lambda _most: next(drawn))
    _first, one = asked(house, clock)
    _second, two = asked(house, clock)
    assert (one, two) == ("000007", "000008")


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("1 482113", ("approve", "482113", "")),
        ("1482113", ("approve", "482113", "")),
        ("１，４８２１１３。", ("approve", "482113", "")),
        ("同意482113 好的", ("approve", "482113", "好的")),
        ("2 482113 预算不够", ("reject", "482113", "预算不够")),
        ("1 48", None),
        ("1", None),
        ("3 482113", None),
        ("1 4821139999", None),
        ("我的电话 1 482113", None),
    ],
)
def test_what_an_answer_says(text: str, read: tuple[str, str, str] | None) -> None:
    said = rules.read_answer(text)
    assert (said and (said.action, said.code, said.reason)) == read


def test_the_code_is_not_kept_in_the_table(house: Company, clock: TestClock) -> None:
    _instance, code = asked(house, clock)
    with transaction() as session:
        (row,) = session.scalars(select(SmsApprovalCode))
        assert code not in (row.salt, row.digest, row.outcome)
        assert session.get_one(WorkItem, row.item_id).node == "first"


def test_a_quota_that_is_used_up_undoes_no_decision(
    house: Company, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    instance, code = asked(house, clock)

    def refuse(*_args: object, **_named: object) -> int:
        raise RuleViolation(_("No more SMS this month."), code=USED_UP)

    monkeypatch.setattr(by_sms, "sms_to_employee", refuse)
    assert answer(f"1 {code}") == "approval"
    assert item_of(instance).node == "second"
    assert answer("1 000000") == "wrong_code"
