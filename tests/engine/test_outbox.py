"""Effects outside: written once, leased by one, never repeated where the peer may have acted."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

import pytest

from engine import delivering, jobs, outbox
from engine.actor import SYSTEM
from engine.db import transaction
from engine.errors import Conflict, RuleViolation
from engine.models import OutboxMessage
from engine.wire import Delivery, Leased
from tests.conftest import TestClock
from tests.databases import Database


class Wire:
    """A peer that answers by script and remembers what reached it."""

    retry_unknown = False

    def __init__(self, *answers: Delivery | Exception) -> None:
        self.answers = list(answers)
        self.heard: list[str] = []

    def deliver(self, message: Leased) -> Delivery:
        self.heard.append(message.key)
        answer = self.answers.pop(0) if self.answers else Delivery("accepted", {"ref": 1})
        if isinstance(answer, Exception):
            raise answer
        return answer


@pytest.fixture
def wire() -> Iterator[Wire]:
    before = dict(outbox.HANDLERS)
    outbox.HANDLERS.clear()
    outbox.HANDLERS["sms"] = made = Wire()
    yield made
    outbox.HANDLERS.clear()
    outbox.HANDLERS.update(before)


def put(key: str = "sms:a:1", channel: str = "sms") -> int:
    with transaction() as session:
        return outbox.enqueue(session, channel=channel, key=key, payload={"to": "+8619900000001", "text": "你好"})


def message(message_id: int) -> OutboxMessage:
    """As it is committed now; the jobs have sessions of their own."""
    with transaction() as session:
        found = session.get_one(OutboxMessage, message_id, populate_existing=True)
        session.expunge(found)
    return found


def test_the_same_key_twice_is_one_message(database: Database, wire: Wire) -> None:
    assert put() == put()
    assert delivering.deliver_outbox() == 1
    assert delivering.deliver_outbox() == 0
    assert wire.heard == ["sms:a:1"]


def test_an_accepted_message_is_sent_with_its_receipt(database: Database, wire: Wire) -> None:
    made = put()
    delivering.deliver_outbox()
    sent = message(made)
    assert (sent.state, sent.result, sent.attempts) == ("sent", {"ref": 1}, 1)
    assert sent.sent_at is not None


def test_a_deferred_message_waits_longer_each_time_and_fails_in_the_end(
    database: Database, wire: Wire, clock: TestClock
) -> None:
    wire.answers = [Delivery("deferred", error="no signal")] * 10
    made = put()
    waited = []
    for _round in range(len(outbox.PAUSES)):
        delivering.deliver_outbox()
        waiting = message(made)
        assert waiting.state == "queued"
        waited.append(waiting.available_at - clock())
        assert delivering.deliver_outbox() == 0
        clock.turn_to(waiting.available_at)
    delivering.deliver_outbox()
    failed = message(made)
    assert waited == list(outbox.PAUSES)
    assert (failed.state, failed.last_error) == ("failed", "no signal")


def test_a_message_held_back_for_a_link_spends_no_attempt(database: Database, wire: Wire, clock: TestClock) -> None:
    pause = timedelta(seconds=7)
    wire.answers = [Delivery("deferred", error="no network", retry_after=pause, tried=False)] * 20
    made = put()
    for _round in range(20):
        delivering.deliver_outbox()
        held = message(made)
        assert (held.state, held.attempts, held.available_at) == ("queued", 0, clock() + pause)
        clock.turn_to(held.available_at)
    delivering.deliver_outbox()
    assert message(made).state == "sent"


def test_a_message_held_for_a_day_is_given_up(database: Database, wire: Wire, clock: TestClock) -> None:
    wire.answers = [Delivery("deferred", error="no modem", retry_after=timedelta(hours=9), tried=False)] * 5
    made = put()
    for _round in range(4):
        delivering.deliver_outbox()
        clock.advance(hours=9)
    assert (message(made).state, message(made).last_error) == ("failed", "no modem")


def test_a_wire_that_names_its_own_pauses_is_trusted(database: Database, wire: Wire, clock: TestClock) -> None:
    wire.answers = [Delivery("deferred", error="greylisted", retry_after=timedelta(hours=2))] * 9
    made = put()
    for _round in range(9):
        delivering.deliver_outbox()
        clock.advance(hours=2)
    delivering.deliver_outbox()
    assert message(made).state == "sent"


def test_what_an_earlier_attempt_brought_reaches_the_next(database: Database, wire: Wire, clock: TestClock) -> None:
    wire.answers = [Delivery("deferred", {"parts_sent": [1]}), Delivery("accepted", {"parts_sent": [1, 2]})]
    made = put()
    delivering.deliver_outbox()
    clock.advance(hours=1)
    with transaction() as change:
        (again,) = outbox.lease(change, ["sms"], "me")
    assert again.result == {"parts_sent": [1]}
    assert again.id == made


def test_a_handler_that_breaks_leaves_the_message_in_doubt(database: Database, wire: Wire) -> None:
    wire.answers = [RuntimeError("cable out")]
    made = put()
    delivering.deliver_outbox()
    assert message(made).state == "unknown"
    assert delivering.deliver_outbox() == 0, "a doubtful message is never repeated by itself"


def test_a_dead_sender_before_the_wire_loses_nothing(database: Database, wire: Wire, clock: TestClock) -> None:
    made = put()
    with transaction() as dying:
        outbox.lease(dying, ["sms"], "dead:1")
    assert delivering.deliver_outbox() == 0, "leased by somebody else"
    clock.advance(seconds=outbox.LEASE.total_seconds() + 1)
    jobs.sweep()
    assert delivering.deliver_outbox() == 1
    assert message(made).state == "sent"


def test_a_dead_sender_on_the_wire_leaves_doubt(database: Database, wire: Wire, clock: TestClock) -> None:
    made = put()
    with transaction() as dying:
        (leased,) = outbox.lease(dying, ["sms"], "dead:1")
    with transaction() as dying:
        assert outbox.begin_attempts(dying, [leased])
    clock.advance(seconds=outbox.ATTEMPT_LEASE.total_seconds() + 1)
    jobs.sweep()
    assert message(made).state == "unknown"
    assert wire.heard == []


def test_a_dead_sender_to_an_idempotent_peer_is_repeated(database: Database, wire: Wire, clock: TestClock) -> None:
    wire.retry_unknown = True
    made = put()
    with transaction() as dying:
        (leased,) = outbox.lease(dying, ["sms"], "dead:1")
        outbox.begin_attempts(dying, [leased])
    clock.advance(seconds=outbox.ATTEMPT_LEASE.total_seconds() + 1)
    jobs.sweep()
    delivering.deliver_outbox()
    assert message(made).state == "sent"


def test_a_late_result_of_an_old_lease_is_refused(database: Database, wire: Wire, clock: TestClock) -> None:
    made = put()
    with transaction() as slow:
        (leased,) = outbox.lease(slow, ["sms"], "slow:1")
    clock.advance(seconds=outbox.LEASE.total_seconds() + 1)
    jobs.sweep()
    with transaction() as slow:
        assert not outbox.begin_attempts(slow, [leased]), "the lease is over: the wire must not be touched"
        assert outbox.settle(slow, leased, Delivery("accepted")) is None
    assert message(made).state == "queued"


def test_only_what_failed_or_is_in_doubt_is_sent_again(database: Database, wire: Wire) -> None:
    wire.answers = [Delivery("rejected", error="no such number")]
    made = put()
    delivering.deliver_outbox()
    with transaction() as again:
        outbox.resend(again, SYSTEM, made)
    delivering.deliver_outbox()
    assert message(made).state == "sent"
    with pytest.raises(Conflict), transaction() as again:
        outbox.resend(again, SYSTEM, made)


def test_a_queued_message_can_be_cancelled_a_sent_one_not(database: Database, wire: Wire) -> None:
    first, second = put("sms:a:1"), put("sms:a:2")
    with transaction() as change:
        outbox.cancel(change, first)
    delivering.deliver_outbox()
    assert wire.heard == ["sms:a:2"]
    with pytest.raises(RuleViolation), transaction() as change:
        outbox.cancel(change, second)


def test_a_rolled_back_change_sends_nothing(database: Database, wire: Wire) -> None:
    with pytest.raises(ZeroDivisionError), transaction() as change:
        outbox.enqueue(change, channel="sms", key="sms:x", payload={})
        raise ZeroDivisionError
    assert delivering.deliver_outbox() == 0


def test_a_lease_takes_no_more_than_its_limit(database: Database, wire: Wire) -> None:
    for number in range(120):
        put(f"sms:a:{number}")
    with transaction() as session:
        assert len(outbox.lease(session, ["sms"], "me", 30)) == 30
    with transaction() as session:
        assert len(outbox.lease(session, ["sms"], "another", 50)) == 50


def test_leases_given_back_untouched_are_ready_again(database: Database, wire: Wire) -> None:
    made = put()
    with transaction() as session:
        leased = outbox.lease(session, ["sms"], "me")
        outbox.put_back(session, leased)
    assert (message(made).state, message(made).attempts) == ("queued", 0)
    with transaction() as session:
        (again,) = outbox.lease(session, ["sms"], "me")
        outbox.begin_attempts(session, [again])
        outbox.put_back(session, [again])
    assert message(made).state == "sending", "what has been begun cannot be taken back"


def test_a_batch_is_no_larger_than_asked(database: Database, wire: Wire) -> None:
    for number in range(5):
        put(f"sms:a:{number}")
    assert delivering.deliver_batch("sms", 2) == 2
    assert wire.heard == ["sms:a:0", "sms:a:1"]
