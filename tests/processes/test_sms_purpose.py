"""Commercial texts: only to those who have agreed, never to those who want no more, never at night."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import processes
from engine import catalog, clock as engine_clock, outbox
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from engine.models import OutboxMessage
from engine.wire import Delivery
from processes.kernel.working_time import ZONE
from processes.messaging import jobs, operations, permissions
from processes.messaging.models import Consent, OptOut, SmsQuota
from processes.messaging.operations import consenting, opting_out, quotas, scheduling
from processes.messaging.rules import NEVER_QUIET, QuietHours
from processes.notices.models import Notice
from tests.processes.company import Company, actor_of

catalog.discover(processes)

NUMBER = "+8619900000009"


def agree(session: Session) -> Consent:
    return consenting.give_consent(session, SYSTEM, number=NUMBER, how="paper", words="展会登记表")


def advertise(session: Session, company: Company, key: str = "1", **more: Any) -> OutboxMessage:
    actor = actor_of(company.li, permissions.SEND_SMS)
    message = operations.send_sms(
        session, actor, to=NUMBER, text="新品发布会，拒收请回复R", key=key, purpose="commercial", **more
    )
    return session.get_one(OutboxMessage, message, populate_existing=True)


def test_commercial_needs_consent_and_says_so(session: Session, company: Company) -> None:
    with pytest.raises(RuleViolation) as refused:
        advertise(session, company)
    assert refused.value.code == "no_consent"
    agree(session)
    assert advertise(session, company).payload["purpose"] == "commercial"


def test_whoever_wants_no_more_gets_nothing_commercial_but_is_still_told(session: Session, company: Company) -> None:
    agree(session)
    opting_out.opt_out(session, NUMBER, how="reply", words="R")
    with pytest.raises(RuleViolation) as refused:
        advertise(session, company)
    assert refused.value.code == "opted_out"
    actor = actor_of(company.li, permissions.SEND_SMS)
    assert operations.send_sms(session, actor, to=NUMBER, text="您的验证码是 1234", key="n")


def test_opting_out_takes_back_what_waits_and_a_new_consent_lifts_it(session: Session, company: Company) -> None:
    first = agree(session)
    assert agree(session).id == first.id
    message = advertise(session, company)
    opting_out.opt_out(session, NUMBER, how="reply", words="TD")
    session.refresh(message)
    assert (message.state, message.last_error) == ("cancelled", "The recipient wants no more texts.")
    opting_out.opt_in(session, NUMBER)
    with pytest.raises(RuleViolation, match="not agreed"):
        advertise(session, company, "2")
    assert agree(session).id != first.id
    assert advertise(session, company, "3").state == "queued"
    assert session.scalars(select(OptOut)).all() == []


def test_sent_again_or_come_back_from_the_wire_the_consent_still_counts(session: Session, company: Company) -> None:
    agree(session)
    failed, on_the_wire = advertise(session, company), advertise(session, company, "2")
    outbox.cancel(session, failed.id)
    (leased,) = outbox.lease(session, ["sms"], "test")
    assert outbox.begin_attempts(session, [leased])
    opting_out.opt_out(session, NUMBER, how="reply", words="T")
    with pytest.raises(RuleViolation, match="not agreed"):
        outbox.resend(session, SYSTEM, failed.id)
    assert outbox.settle(session, leased, Delivery("deferred")) == "queued"
    outbox.moved(session, "sms", [leased.id], "queued")
    session.refresh(on_the_wire)
    assert on_the_wire.state == "cancelled"


@pytest.mark.databases("postgresql")
def test_an_advertisement_and_an_opt_out_at_the_same_moment(session: Session, company: Company) -> None:
    """Whoever is first: in the end nothing commercial waits for that number."""
    for round_ in range(4):
        agree(session)
        session.commit()
        barrier = threading.Barrier(2)

        def send(key: str = str(round_), barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            try:
                with transaction() as own:
                    advertise(own, company, key)
            except RuleViolation:
                pass
            finally:
                Sessions.remove()

        def refuse(barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            with transaction() as own:
                opting_out.opt_out(own, NUMBER, how="reply")
            Sessions.remove()

        threads = [threading.Thread(target=one) for one in (send, refuse)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(20)
        session.rollback()
        states = session.scalars(select(OutboxMessage.state).execution_options(populate_existing=True)).all()
        assert set(states) <= {"cancelled"}


def test_consents_are_noted_and_taken_back_by_those_who_may(session: Session, company: Company) -> None:
    with pytest.raises(Forbidden):
        consenting.create_consent(session, actor_of(company.li), values={})
    clerk = actor_of(company.li, permissions.MANAGE_CONSENTS)
    with pytest.raises(InvalidForm) as refused:
        consenting.create_consent(session, clerk, values={"number": "010 12345678", "how": "paper"})
    assert set(refused.value.by_field()) == {"number"}
    consent = consenting.create_consent(
        session, clerk, values={"number": "199 0000 0009", "how": "paper", "words": "表单 7"}
    )
    with pytest.raises(RuleViolation, match="noted already"):
        consenting.create_consent(session, clerk, values={"number": NUMBER, "how": "form"})
    message = advertise(session, company)
    consenting.end_consent(session, clerk, record_id=consent.id)
    session.refresh(message)
    assert message.state == "cancelled"
    assert consent.ended_by == company.li.id, "the row stays: it may have to be proved"


# ------------------------------------------------------------------------------------------------- quiet hours


NIGHT = QuietHours(time(21), time(8))


@pytest.mark.parametrize(
    ("at", "leaves"),
    [
        ("2026-11-27 20:59", "2026-11-27 20:59"),
        ("2026-11-27 21:00", "2026-11-28 08:00"),
        ("2026-11-28 00:30", "2026-11-28 08:00"),
        ("2026-11-28 07:59", "2026-11-28 08:00"),
        ("2026-11-28 08:00", "2026-11-28 08:00"),
    ],
)
def test_over_midnight(at: str, leaves: str) -> None:
    assert NIGHT.after(_local(at)) == _local(leaves)


def test_within_a_day_and_never() -> None:
    noon = QuietHours.parse("12:00-13:30")
    assert noon.after(_local("2026-11-27 12:10")) == _local("2026-11-27 13:30")
    assert noon.after(_local("2026-11-27 11:59")) == _local("2026-11-27 11:59")
    assert QuietHours.parse(" ") == NEVER_QUIET
    assert NEVER_QUIET.after(_local("2026-11-27 00:00")) == _local("2026-11-27 00:00")
    assert str(NIGHT) == "21:00-08:00"
    for wrong in ("21-8", "25:00-08:00", "21:00"):
        with pytest.raises(ValueError, match="no span"):
            QuietHours.parse(wrong)


def _local(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=ZONE)


def test_at_night_it_waits_for_the_morning_and_a_notice_does_not(
    session: Session, company: Company, clock: Any
) -> None:
    agree(session)
    clock.advance(hours=13)  # ten in the evening
    assert advertise(session, company).available_at == datetime(2026, 11, 24, 0, 0, tzinfo=UTC)
    actor = actor_of(company.li, permissions.SEND_SMS)
    notice = operations.send_sms(session, actor, to=NUMBER, text="系统维护通知", key="n")
    assert session.get_one(OutboxMessage, notice).available_at == engine_clock.now()


def test_what_waited_for_its_turn_into_the_night_is_held_at_the_wire(company: Company, clock: Any) -> None:
    assert operations.held_until({"purpose": "commercial"}) is None
    clock.advance(hours=13)
    assert operations.held_until({}) is None
    assert operations.held_until({"purpose": "commercial"}) == datetime(2026, 11, 24, 0, 0, tzinfo=UTC)


# ------------------------------------------------------------------------------------------------- too late


def test_a_scheduled_text_that_could_not_leave_in_time_does_not_leave_blindly(
    session: Session, company: Company, clock: Any
) -> None:
    actor = actor_of(company.li, permissions.SEND_SMS)
    at = engine_clock.now() + timedelta(hours=1)
    operations.send_sms(session, actor, to=NUMBER, text="十点开会", key="1", send_at=at)
    clock.advance(hours=2)
    assert len(outbox.lease(session, ["sms"], "test")) == 1, "an hour late is in time"
    session.rollback()
    operations.send_sms(session, actor, to=NUMBER, text="十点开会", key="1", send_at=engine_clock.now())
    clock.advance(hours=5)
    assert outbox.lease(session, ["sms"], "test") == []


def test_nobody_writes_years_ahead(session: Session, company: Company) -> None:
    actor = actor_of(company.li, permissions.SEND_SMS)
    with pytest.raises(InvalidForm):
        operations.send_sms(
            session, actor, to=NUMBER, text="x", key="1", send_at=engine_clock.now() + timedelta(days=400)
        )


def test_what_came_too_late_is_taken_back_shown_and_can_be_sent_after_all(
    session: Session, company: Company, clock: Any
) -> None:
    actor = actor_of(company.li, permissions.SEND_SMS)
    of_sales = quotas.create_quota(
        session, SYSTEM, values={"department": company.sales, "month": engine_clock.now().date(), "segments": 9}
    )
    at = engine_clock.now() + timedelta(hours=1)
    message = operations.send_sms(session, actor, to=NUMBER, text="十点开会", key="1", send_at=at)
    soon = operations.send_sms(session, actor, to=NUMBER, text="明天见", key="2", send_at=at + timedelta(days=1))
    assert [one.message.id for one in scheduling.pending(session, actor)] == [message, soon]
    session.commit()
    clock.advance(hours=6)
    assert jobs.lapse() == 1
    row = session.get_one(OutboxMessage, message, populate_existing=True)
    assert row.state == "cancelled"
    assert row.last_error
    assert [one.message.id for one in scheduling.too_late(session, actor)] == [message]
    notice = session.scalars(select(Notice)).one()
    assert (notice.person_id, notice.link) == (company.li.id, "/messages/scheduled")
    assert session.get_one(SmsQuota, of_sales.id, populate_existing=True).used == 1
    outbox.resend(session, actor, message)
    assert [one.id for one in outbox.lease(session, ["sms"], "test")] == [message]
    session.rollback()


def test_a_time_is_changed_until_it_is_picked(session: Session, company: Company) -> None:
    actor = actor_of(company.li, permissions.SEND_SMS)
    first = engine_clock.now() + timedelta(hours=1)
    message = operations.send_sms(session, actor, to=NUMBER, text="十点开会", key="1", send_at=first)
    with pytest.raises(NotFound):
        scheduling.reschedule(session, actor_of(company.zhao), message_id=message, send_at=None)
    with pytest.raises(InvalidForm):
        scheduling.reschedule(session, actor, message_id=message, send_at=engine_clock.now() - timedelta(minutes=1))
    assert scheduling.reschedule(session, actor, message_id=message, send_at=first + timedelta(hours=3)) == 1
    row = session.get_one(OutboxMessage, message)
    assert row.lapses_at == first + timedelta(hours=7)
    scheduling.reschedule(session, actor, message_id=message, send_at=None)
    assert [one.id for one in outbox.lease(session, ["sms"], "test")] == [message]
    with pytest.raises(Conflict):
        scheduling.reschedule(session, actor, message_id=message, send_at=first)


def test_moved_to_another_month_it_is_paid_there(session: Session, company: Company) -> None:
    actor = actor_of(company.li, permissions.SEND_SMS)
    made = [
        quotas.create_quota(session, SYSTEM, values={"department": company.sales, "month": month, "segments": size})
        for month, size in (("2026-11-01", 5), ("2026-12-01", 1))
    ]
    at = engine_clock.now() + timedelta(hours=1)
    one, two = (operations.send_sms(session, actor, to=NUMBER, text="盘点", key=key, send_at=at) for key in ("1", "2"))
    scheduling.reschedule(session, actor, message_id=one, send_at=datetime(2026, 12, 2, 2, tzinfo=UTC))
    session.commit()

    def used() -> list[int]:
        session.rollback()
        return [session.get_one(SmsQuota, quota.id, populate_existing=True).used for quota in made]

    assert used() == [1, 1]
    with pytest.raises(RuleViolation, match="销售部 2026-12"):
        scheduling.reschedule(session, actor, message_id=two, send_at=datetime(2026, 12, 2, 2, tzinfo=UTC))
    assert used() == [1, 1]
