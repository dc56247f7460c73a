"""A peer that is down is left alone, one that bears little gets little, and neither stops the others."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import timedelta

import pytest
from sqlalchemy import select

from engine import clock as engine_clock, delivering, gates, outbox
from engine.db import Sessions, transaction
from engine.models import OutboxAttempt, OutboxMessage, WireGate
from engine.wire import Delivery, Leased, Limits
from tests.conftest import TestClock
from tests.databases import Database

DOWN = Delivery("deferred", error="unreachable: no answer", retry_after=timedelta(seconds=1))


class Peer:
    retry_unknown = False

    def __init__(self, limits: Limits | None = None) -> None:
        self.limits = limits or Limits()
        self.answer = Delivery("accepted", {"road": "peer"})
        self.answers: dict[str, Delivery] = {}
        self.heard: list[str] = []

    def deliver(self, message: Leased) -> Delivery:
        self.heard.append(message.key)
        return self.answers.get(str(message.payload.get("lane")), self.answer)


@pytest.fixture
def handlers() -> Iterator[dict[str, outbox.Handler]]:
    before = dict(outbox.HANDLERS)
    outbox.HANDLERS.clear()
    yield outbox.HANDLERS
    outbox.HANDLERS.clear()
    outbox.HANDLERS.update(before)


def put(count: int, channel: str = "mail", **payload: object) -> list[int]:
    with transaction() as session:
        made = [
            outbox.enqueue(session, channel=channel, key=f"{channel}:{payload}:{number}", payload=dict(payload))
            for number in range(count)
        ]
    Sessions.remove()
    return made


def states() -> dict[str, int]:
    counted: dict[str, int] = {}
    with transaction() as session:
        for state in session.scalars(select(OutboxMessage.state)):
            counted[state] = counted.get(state, 0) + 1
    Sessions.remove()
    return counted


def test_a_dead_peer_is_left_alone_and_its_messages_keep_their_attempts(
    database: Database, handlers: dict[str, outbox.Handler], clock: TestClock
) -> None:
    handlers["mail"] = peer = Peer()
    peer.answer = DOWN
    put(40)
    for _second in range(10):
        delivering.deliver_outbox()
        clock.advance(seconds=1)
    assert len(peer.heard) < 10, "a handful found out; nobody else was sent against the wall"
    assert states() == {"queued": 40}

    clock.advance(seconds=60)
    tried = len(peer.heard)
    delivering.deliver_outbox()
    assert len(peer.heard) == tried + 1, "after the pause one message tries the way"
    delivering.deliver_outbox()
    assert len(peer.heard) == tried + 1, "and the gate is closed again at once"

    peer.answer = Delivery("accepted", {})
    clock.advance(minutes=5)
    delivering.deliver_outbox()
    delivering.deliver_outbox()
    assert states() == {"sent": 40}


def test_the_pauses_grow_and_an_answer_forgets_them(database: Database, session: object, clock: TestClock) -> None:
    def shut() -> float:
        with transaction() as opened:
            until = gates.closed(opened, ["mail"])
        return (until["mail"] - engine_clock.now()).total_seconds() if until else 0.0

    def note(*outcomes: bool) -> None:
        with transaction() as opened:
            gates.note(opened, "mail", outcomes)

    note(*[False] * 4)
    assert shut() == 0
    note(False)
    first = shut()
    clock.advance(seconds=first)
    note(False)
    assert (first, shut()) == (30, 60)
    clock.advance(seconds=60)
    note(True)
    note(*[False] * 4)
    assert shut() == 0, "an answer in between: the count begins anew"
    note(False)
    assert shut() == 30


def test_a_refusal_is_an_answer(database: Database, handlers: dict[str, outbox.Handler]) -> None:
    handlers["mail"] = peer = Peer()
    peer.answer = Delivery("rejected", error="550: no such user")
    put(20)
    delivering.deliver_outbox()
    assert states() == {"failed": 20}


def test_one_dead_receiver_does_not_stop_the_others(
    database: Database, handlers: dict[str, outbox.Handler], clock: TestClock
) -> None:
    handlers["webhook"] = peer = Peer(Limits(lane=lambda message: f"webhook:{message.payload['lane']}"))
    peer.answers["dead"] = DOWN
    put(30, "webhook", lane="dead")
    put(30, "webhook", lane="alive")
    for _second in range(5):
        delivering.deliver_outbox()
        clock.advance(seconds=2)
    assert states() == {"sent": 30, "queued": 30}
    with transaction() as session:
        assert set(gates.closed(session, ["webhook", "webhook:dead", "webhook:alive"])) == {"webhook:dead"}


def test_no_more_leaves_in_a_minute_than_the_peer_bears(
    database: Database, handlers: dict[str, outbox.Handler], clock: TestClock
) -> None:
    handlers["sms"] = peer = Peer(Limits(per_minute=30))
    put(100, "sms")
    for _again in range(3):
        delivering.deliver_outbox()
    assert len(peer.heard) == 30
    for _second in range(60):
        clock.advance(seconds=1)
        delivering.deliver_outbox()
    assert len(peer.heard) == 60


@pytest.mark.databases("postgresql")
def test_two_processes_share_one_limit(database: Database) -> None:
    passed: list[int] = []

    def draw() -> None:
        for _again in range(20):
            with transaction() as session:
                passed.append(gates.room(session, "sms", 7, per_minute=60))
        Sessions.remove()

    threads = [threading.Thread(target=draw) for _number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert 60 <= sum(passed) <= 63, "sixty at once, and what a second or two adds"


def test_a_slow_peer_keeps_one_thread_and_the_other_channels_go_on(
    database: Database, handlers: dict[str, outbox.Handler]
) -> None:
    entered, may_end = threading.Event(), threading.Event()

    class Slow(Peer):
        def deliver(self, message: Leased) -> Delivery:
            entered.set()
            may_end.wait(20)
            return super().deliver(message)

    handlers["mail"], handlers["sms"] = Slow(), Peer()
    put(1)
    hanging = threading.Thread(target=delivering.deliver_outbox)
    hanging.start()
    assert entered.wait(20)
    put(3, "sms")
    assert delivering.deliver_outbox() == 3
    may_end.set()
    hanging.join(20)
    assert states() == {"sent": 4}


def test_every_attempt_is_kept(database: Database, handlers: dict[str, outbox.Handler], clock: TestClock) -> None:
    handlers["mail"] = peer = Peer()
    peer.answer = DOWN
    (made,) = put(1)
    delivering.deliver_outbox()
    peer.answer = Delivery("accepted", {"road": "smtp://mail"})
    clock.advance(minutes=1)
    delivering.deliver_outbox()
    with transaction() as session:
        kept = session.execute(
            select(OutboxAttempt.number, OutboxAttempt.outcome, OutboxAttempt.road, OutboxAttempt.error)
            .where(OutboxAttempt.message_id == made)
            .order_by(OutboxAttempt.id)
        ).all()
    assert [tuple(one) for one in kept] == [
        (1, "deferred", "", "unreachable: no answer"),
        (2, "accepted", "smtp://mail", ""),
    ]


def test_a_probe_whose_process_died_does_not_keep_the_gate_closed(database: Database, clock: TestClock) -> None:
    with transaction() as session:
        gates.note(session, "mail", [False] * 5)
    clock.advance(seconds=30)
    with transaction() as session:
        assert gates.room(session, "mail", 50) == 1
    with transaction() as session:
        assert gates.room(session, "mail", 50) == 0, "one alone tries"
    clock.advance(minutes=2)
    with transaction() as session:
        assert gates.room(session, "mail", 50) == 1
        assert session.get_one(WireGate, "mail").closings == 1


def test_a_wire_of_little_patience_asks_a_dead_receiver_once(
    database: Database, handlers: dict[str, outbox.Handler], clock: TestClock
) -> None:
    handlers["webhook"] = peer = Peer(Limits(patience=1, lane=lambda message: f"webhook:{message.payload['lane']}"))
    peer.answers["dead"] = DOWN
    put(20, "webhook", lane="dead")
    put(20, "webhook", lane="alive")
    delivering.deliver_outbox()
    assert sum("dead" in key for key in peer.heard) == 1
    assert states() == {"sent": 20, "queued": 20}
    clock.advance(seconds=31)
    delivering.deliver_outbox()
    assert sum("dead" in key for key in peer.heard) == 2, "one tries again after the pause"
