"""Quotas of SMS: charged when queued, given back when one will not leave, never exceeded, warned of in time."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

import processes
from engine import catalog, clock as engine_clock, delivering, outbox
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.errors import Forbidden, InvalidForm, RuleViolation
from engine.models import OutboxMessage
from engine.service_tasks import StepFacts
from engine.wire import Delivery
from processes.messaging import jobs, operations, permissions, rules
from processes.messaging.models import SmsCharge, SmsQuota
from processes.messaging.operations import charging, quotas
from processes.notices.models import Notice, NoticePreference
from processes.notices.operations import notify
from processes.notices.rules import kind
from processes.organization import operations as organization
from tests.processes.company import Company, actor_of

LONG = "今日例会改到下午三点，请各位准时参加。" * 4
"""80 signs: two segments"""
catalog.discover(processes)

ABOUT = {"number": "EXP-000007", "title": "差旅", "amount": {"amount": "1.00", "currency": "CNY"}}


def quota(session: Session, department: Any, segments: int) -> SmsQuota:
    values = {"department": department, "month": engine_clock.now().date(), "segments": segments}
    return quotas.create_quota(session, SYSTEM, values=values)


def sender(company: Company) -> Actor:
    return actor_of(company.li, permissions.SEND_SMS)


def send(session: Session, company: Company, key: str = "1", text: str = "您好", **more: Any) -> int:
    return operations.send_sms(session, sender(company), to="199 0000 0009", text=text, key=key, **more)


def used(session: Session, one: SmsQuota) -> int:
    one = session.get_one(SmsQuota, one.id, populate_existing=True)
    assert one.used == charging.used_of(session, one.department_id, one.month)
    return one.used


def take(session: Session) -> outbox.Leased:
    (message,) = outbox.lease(session, ["sms"], "test")
    assert outbox.begin_attempts(session, [message])
    return message


def settle(session: Session, message: outbox.Leased, delivery: Delivery) -> None:
    state = outbox.settle(session, message, delivery)
    assert state is not None
    outbox.moved(session, message.channel, [message.id], state)


# ------------------------------------------------------------------------------------------------- charged, given back


def test_a_message_is_charged_in_segments_once_for_each_key(session: Session, company: Company) -> None:
    of_sales = quota(session, company.sales, 10)
    first, again = (send(session, company, text=LONG) for _twice in range(2))
    assert first == again
    assert used(session, of_sales) == 2
    payer = operations.charged_department(session, first)
    assert payer is not None
    assert payer.id == company.sales.id


def test_without_a_quota_nothing_is_refused_and_all_is_counted(session: Session, company: Company) -> None:
    for number in range(3):
        send(session, company, str(number))
    later = quota(session, company.sales, 10)
    assert used(session, later) == 3, "what was sent before the quota was set counts"


@pytest.mark.parametrize(
    ("delivery", "charged"),
    [
        (Delivery("accepted"), 2),
        (Delivery("unknown"), 2),
        (Delivery("deferred"), 2),
        (Delivery("rejected"), 0),
        (Delivery("rejected", {"parts_sent": [0], "total": 2}), 1),
    ],
)
def test_what_failed_is_given_back_and_what_is_in_doubt_is_not(
    session: Session, company: Company, delivery: Delivery, charged: int
) -> None:
    of_sales = quota(session, company.sales, 10)
    send(session, company, text=LONG)
    settle(session, take(session), delivery)
    assert used(session, of_sales) == charged


def test_cancelled_is_given_back_and_charged_again_when_sent_again(session: Session, company: Company) -> None:
    of_sales = quota(session, company.sales, 2)
    message = send(session, company, text=LONG)
    outbox.cancel(session, message)
    assert used(session, of_sales) == 0
    outbox.resend(session, sender(company), message)
    assert used(session, of_sales) == 2
    assert session.scalar(select(func.count()).select_from(SmsCharge)) == 3


def test_sent_again_only_the_parts_that_are_missing_cost(session: Session, company: Company) -> None:
    of_sales = quota(session, company.sales, 10)
    send(session, company, text=LONG)
    message = take(session)
    settle(session, message, Delivery("rejected", {"parts_sent": [0], "total": 2}))
    outbox.resend(session, sender(company), message.id)
    assert used(session, of_sales) == 2


def test_a_refused_resend_changes_nothing(session: Session, company: Company) -> None:
    message = send(session, company, text=LONG)
    outbox.cancel(session, message)
    of_sales = quota(session, company.sales, 1)
    session.commit()
    with pytest.raises(RuleViolation, match="2 are needed and 1 are left"), transaction() as own:
        outbox.resend(own, sender(company), message)
    assert session.get_one(OutboxMessage, message, populate_existing=True).state == "cancelled"
    assert used(session, of_sales) == 0


def test_a_sender_that_died_is_in_doubt_and_stays_charged(session: Session, company: Company, clock: Any) -> None:
    from engine.jobs import sweep

    of_sales = quota(session, company.sales, 10)
    send(session, company)
    take(session)
    session.commit()
    clock.advance(minutes=11)
    sweep()
    assert session.scalars(select(OutboxMessage.state)).one() == "unknown"
    assert used(session, of_sales) == 1
    session.rollback()


def test_what_costs_nothing_any_more_cannot_be_booked_twice(session: Session, company: Company) -> None:
    """A late event, or one that comes twice, finds the ledger right already."""
    of_sales = quota(session, company.sales, 10)
    message = send(session, company)
    outbox.cancel(session, message)
    for _again in range(2):
        charging.follow(session, [message])
    assert used(session, of_sales) == 0


def test_a_worker_that_dies_while_it_settles_leaves_both_or_neither(
    session: Session, company: Company, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state and its refund are one transaction: cut off between them, neither is there, and the sweep says so."""
    from engine import jobs as engine_jobs
    from processes.messaging import subscribers

    def die(*_args: Any, **_more: Any) -> None:
        raise MemoryError("killed")

    class Wire:
        retry_unknown = False

        def deliver(self, _message: outbox.Leased) -> Delivery:
            return Delivery("rejected", error="30")

    quota(session, company.sales, 10)
    message = send(session, company)
    session.commit()
    monkeypatch.setitem(outbox.HANDLERS, "sms", Wire())
    monkeypatch.setattr(subscribers, "follow", die)
    with pytest.raises(MemoryError):
        delivering.deliver_outbox()
    monkeypatch.undo()
    session.rollback()
    assert session.get_one(OutboxMessage, message, populate_existing=True).state == "sending"
    assert session.scalars(select(SmsQuota.used)).one() == 1
    session.rollback()
    clock.advance(minutes=11)
    engine_jobs.sweep()
    assert session.get_one(OutboxMessage, message, populate_existing=True).state == "unknown"
    assert session.scalars(select(SmsQuota.used)).one() == 1
    session.rollback()


# ------------------------------------------------------------------------------------------------- refused


def test_a_used_up_quota_says_what_it_is_and_what_to_do(session: Session, company: Company) -> None:
    of_sales = quota(session, company.sales, 3)
    send(session, company, "1", LONG)
    with pytest.raises(RuleViolation) as refused:
        send(session, company, "2", LONG)
    sentence = str(refused.value)
    assert refused.value.code == rules.USED_UP
    for part in ("销售部 2026-11", "2 of 3", "2 are needed", "1 are left", "ask for a larger quota"):
        assert part in sentence
    assert used(session, of_sales) == 2
    assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 1, "the refused one is not queued"


def test_a_department_above_caps_those_below(session: Session, company: Company) -> None:
    of_sales, of_all = quota(session, company.sales, 100), quota(session, company.head_office, 2)
    send(session, company, "1")
    operations.send_sms(session, actor_of(company.sun, permissions.SEND_SMS), to="199 0000 0009", text="您好", key="1")
    assert (used(session, of_sales), used(session, of_all)) == (1, 2)
    with pytest.raises(RuleViolation, match="总经办 2026-11"):
        send(session, company, "2")
    assert (used(session, of_sales), used(session, of_all)) == (1, 2)


def test_a_message_for_next_month_takes_next_months_quota(session: Session, company: Company) -> None:
    now, values = quota(session, company.sales, 0), {"department": company.sales, "month": "2026-12-31", "segments": 5}
    then = quotas.create_quota(session, SYSTEM, values=values)
    send(session, company, send_at=engine_clock.now() + timedelta(days=20))
    assert (used(session, now), used(session, then)) == (0, 1)


def test_a_process_falls_back_to_the_open_pages_and_says_so(session: Session, company: Company) -> None:
    quota(session, company.sales, 0)
    answer = operations.notify_sms(
        session,
        SYSTEM,
        StepFacts(3, "expense_request", None, 4, 12, "notify", None),
        recipient=company.li.id,
        template="expense_approved",
        about=ABOUT,
    )
    assert answer == {"queued": False, "message": None, "reason": rules.USED_UP}
    assert session.scalar(select(func.count()).select_from(OutboxMessage)) == 0


def test_a_notice_wanted_by_sms_alone_is_read_in_the_house(session: Session, company: Company) -> None:
    quota(session, company.sales, 0)
    told = kind("test.quota", "x")  # type: ignore[arg-type]
    session.add(NoticePreference(person_id=company.li.id, kind=told, channels=["sms"]))
    from engine.i18n import _

    notify(session, SYSTEM, persons=[company.li.id], kind=told, title=_("Nothing matches."), key="k")
    notice = session.scalars(select(Notice).where(Notice.key == "k").execution_options(populate_existing=True)).one()
    assert notice.in_app
    assert str(notice.title) == "Nothing matches. (not sent by SMS: the quota is used up)"


# ------------------------------------------------------------------------------------------------- warned


def test_the_head_is_told_once_at_eighty_per_cent_and_once_at_the_end(session: Session, company: Company) -> None:
    quota(session, company.sales, 5)
    for number in range(3):
        send(session, company, str(number))
    assert session.scalars(select(Notice)).all() == []
    fourth = send(session, company, "4")
    outbox.cancel(session, fourth)
    send(session, company, "5")
    (notice,) = session.scalars(select(Notice)).all()
    assert notice.person_id == company.wang.id
    assert "80 %" in str(notice.title)
    send(session, company, "6")
    assert "100 %" in str(session.scalars(select(Notice).order_by(Notice.id.desc())).first().title)  # type: ignore[union-attr]


# ------------------------------------------------------------------------------------------------- the register


def test_a_quota_is_set_once_changed_and_closed_by_those_who_may(session: Session, company: Company) -> None:
    with pytest.raises(Forbidden):
        quotas.create_quota(session, sender(company), values={})
    one = quota(session, company.sales, 1)
    with pytest.raises(RuleViolation, match="already an SMS quota"):
        quota(session, company.sales, 9)
    with pytest.raises(InvalidForm) as refused:
        quotas.change_quota(session, SYSTEM, record_id=one.id, values={"segments": "-1"})
    assert set(refused.value.by_field()) == {"segments"}
    with pytest.raises(InvalidForm):
        quotas.change_quota(session, SYSTEM, record_id=one.id, values={"department": company.finance, "segments": 2})
    send(session, company, "1")
    with pytest.raises(RuleViolation):
        send(session, company, "2")
    quotas.archive_quota(session, SYSTEM, record_id=one.id)
    send(session, company, "3")
    assert used(session, one) == 2, "closed it limits nothing and counts on"


def test_editing_a_quota_is_not_disturbed_by_messages(session: Session, company: Company) -> None:
    one = quota(session, company.sales, 9)
    version = one.version
    send(session, company)
    quotas.change_quota(session, SYSTEM, record_id=one.id, version=version, values={"segments": 20})
    assert (one.segments, used(session, one)) == (20, 1)


def test_a_moved_department_gets_its_refunds_where_they_were_charged(session: Session, company: Company) -> None:
    of_all = quota(session, company.head_office, 5)
    message = send(session, company)
    organization.change_department(session, SYSTEM, record_id=company.sales.id, values={"parent": None})
    outbox.cancel(session, message)
    assert used(session, of_all) == 0


def test_the_ledger_is_append_only(session: Session, company: Company) -> None:
    quota(session, company.sales, 5)
    send(session, company)
    for statement in (update(SmsCharge).values(segments=9), delete(SmsCharge)):
        with pytest.raises(PermissionError):
            session.execute(statement)


def test_the_nightly_look_finds_and_mends_a_wrong_sum(session: Session, company: Company) -> None:
    one = quota(session, company.sales, 5)
    send(session, company)
    session.commit()
    assert jobs.check_quotas() == 0
    session.execute(update(SmsQuota).values(used=4))
    session.commit()
    assert jobs.check_quotas() == 1
    assert used(session, one) == 1
    session.rollback()


def test_a_quota_goes_on_in_the_next_month_unless_that_is_set_already(
    session: Session, company: Company, clock: Any
) -> None:
    quota(session, company.sales, 5)
    quota(session, company.finance, 6)
    closed = quota(session, company.head_office, 7)
    quotas.archive_quota(session, SYSTEM, record_id=closed.id)
    quotas.create_quota(session, SYSTEM, values={"department": company.finance, "month": "2026-12-01", "segments": 1})
    assert quotas.carry_over(session) == 0, "on the twenty-third it is too early"
    clock.advance(days=2)
    assert quotas.carry_over(session) == 1
    assert quotas.carry_over(session) == 0
    december = select(SmsQuota.department_id, SmsQuota.segments).where(SmsQuota.month == date(2026, 12, 1))
    assert {tuple(row) for row in session.execute(december)} == {(company.sales.id, 5), (company.finance.id, 1)}
    clock.advance(days=40)
    assert quotas.carry_over(session) == 2, "a house that was down while it should have been done"
    session.rollback()


# ------------------------------------------------------------------------------------------------- all at once


@pytest.mark.databases("postgresql")
def test_twelve_who_race_for_five_segments(session: Session, company: Company) -> None:
    """Two departments under one cap, some whose messages fail meanwhile: never over, never a lost segment."""
    of_all, of_sales = quota(session, company.head_office, 5), quota(session, company.sales, 4)
    session.commit()
    barrier, won, lost = threading.Barrier(12), list[int](), list[str]()

    def one(number: int) -> None:
        person = company.li if number % 3 else company.sun
        actor = actor_of(person, permissions.SEND_SMS)
        barrier.wait()
        try:
            with transaction() as own:
                won.append(operations.send_sms(own, actor, to="199 0000 0009", text="您好", key=str(number)))
        except RuleViolation as refusal:
            lost.append(refusal.code)
        finally:
            Sessions.remove()

    _all_at_once(12, one)
    assert len(won) == 5
    assert set(lost) == {rules.USED_UP}
    assert used(session, of_all) == 5
    assert used(session, of_sales) <= 4

    def undo_or_send(number: int) -> None:
        try:
            with transaction() as own:
                if number < 5:
                    outbox.cancel(own, won[number])
                else:
                    actor = actor_of(company.li, permissions.SEND_SMS)
                    operations.send_sms(own, actor, to="199 0000 0009", text="您好", key=f"again {number}")
        except RuleViolation:
            pass
        finally:
            Sessions.remove()

    _all_at_once(12, undo_or_send)
    session.rollback()
    alive = select(func.count()).select_from(OutboxMessage).where(OutboxMessage.state == "queued")
    assert used(session, of_all) == session.scalar(alive)


@pytest.mark.databases("postgresql")
def test_a_quota_set_while_others_send_misses_nothing(session: Session, company: Company) -> None:
    barrier = threading.Barrier(6)

    def one(number: int) -> None:
        barrier.wait()
        with transaction() as own:
            if number == 3:
                quota(own, company.sales.id, 100)
            else:
                send(own, company, str(number))
        Sessions.remove()

    _all_at_once(6, one)
    session.rollback()
    assert used(session, session.scalars(select(SmsQuota)).one()) == 5


def _all_at_once(count: int, work: Callable[[int], None]) -> None:
    threads = [threading.Thread(target=work, args=(number,)) for number in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert not any(thread.is_alive() for thread in threads)
