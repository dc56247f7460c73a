"""The fold of an exchange's events: the same call in whatever order and however often they come."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings, strategies as st

from connectors.telephony.ami.codec import Message, Reader
from connectors.telephony.ami.folding import CallFolding, events_of
from connectors.telephony.ami.view import View
from connectors.telephony.events import CallEvent
from tests.connectors import call_traces as traces
from tests.connectors.call_traces import CUSTOMER, Trace

CLICKED = datetime(2025, 11, 27, 3, 59, 59, tzinfo=UTC)


def messages(trace: Trace) -> list[Message]:
    return [Message(tuple(event.items())) for event in trace.events]


def fold(trace: Trace, order: list[int] | None = None) -> tuple[View, list[CallEvent]]:
    """The final reading, and what was told on the way."""
    folding = CallFolding()
    if trace.call_id.startswith("yl-"):
        folding.originated(trace.call_id, "1001", CUSTOMER, CLICKED)
    heard = messages(trace)
    told = list(events_of(folding, [heard[i] for i in order] if order is not None else heard))
    return folding._told[trace.call_id], told


def end(view: View) -> tuple[str, str]:
    assert view.ended is not None
    return view.ended[1], view.ended[2]


def kinds(told: list[CallEvent], agent: str | None = None) -> list[str]:
    return [event.kind for event in told if agent is None or event.agent == agent]


COURSES: dict[str, Callable[[], Trace]] = {
    "answered": traces.queue_answered,
    "abandoned": traces.queue_abandoned,
    "timed out": traces.queue_timed_out,
    "direct missed": traces.direct_missed,
    "dialled": traces.dialled,
    "busy": lambda: traces.dialled("yl-1", "BUSY", 17),
    "unknown number": lambda: traces.dialled("yl-2", "NOANSWER", 1),
    "no answer": lambda: traces.dialled("yl-3", "NOANSWER", 19),
    "agent does not answer": traces.agent_does_not_answer,
    "agent offline": traces.agent_is_offline,
    "blind": traces.blind_transfer,
    "attended": traces.attended_transfer,
    "held": traces.held,
    "by hand": traces.dialled_by_hand,
    "internal": traces.internal,
}


# ------------------------------------------------------------------------------------------------- what they mean


def test_a_call_in_the_queue_is_answered_when_the_agent_is_in_one_room_with_the_caller() -> None:
    trace = traces.queue_answered()
    view, told = fold(trace)
    assert (view.direction, view.number, view.did, view.queue) == ("in", CUSTOMER, "02155667788", "sales")
    assert [part.agent for part in view.talks] == ["1001"]
    connect = next(e for e in trace.events if e["Event"] == "AgentConnect")
    assert view.talks[0].at.timestamp() == float(connect["Timestamp"])
    assert end(view) == ("normal", "customer")
    assert list(dict.fromkeys(kinds(told, "1002"))) == ["ringing", "left"]
    assert [e.cause for e in told if e.kind == "left" and e.agent == "1002"][-1] == "answered_elsewhere"
    assert kinds(told)[0] == "started"
    assert kinds(told)[-1] == "ended"


def test_the_pop_comes_with_agent_called_and_waits_for_no_ringing_phone() -> None:
    folding = CallFolding()
    trace = traces.queue_answered()
    until = next(i for i, e in enumerate(trace.events) if e["Event"] == "AgentCalled") + 1
    told = [event for message in messages(trace)[:until] for event in folding.take(message)]
    assert [(e.agent, e.number) for e in told if e.kind == "ringing"] == [("1001", CUSTOMER)]
    assert folding.rings("1001")
    assert not folding.rings("1002")


def test_a_line_that_is_up_while_it_queues_is_not_answered() -> None:
    view, told = fold(traces.queue_abandoned())
    assert view.talks == ()
    assert "answered" not in kinds(told)
    assert end(view) == ("caller_left", "customer")


def test_the_queue_says_abandoned_of_its_own_time_out_too() -> None:
    view, told = fold(traces.queue_timed_out())
    assert end(view) == ("timed_out", "exchange")
    assert next(e for e in told if e.kind == "left").cause == "no_answer"


def test_a_direct_call_that_nobody_takes_is_missed_by_the_agent_it_rang() -> None:
    view, told = fold(traces.direct_missed())
    assert end(view) == ("caller_left", "customer")
    assert [e.agent for e in told if e.kind == "ringing"] == ["1001"]


@pytest.mark.parametrize(
    ("course", "cause"),
    [("busy", "busy"), ("unknown number", "unknown_number"), ("no answer", "no_answer")],
)
def test_the_cause_is_read_before_the_status(course: str, cause: str) -> None:
    view, _told = fold(COURSES[course]())
    assert view.talks == ()
    assert end(view)[0] == cause


def test_a_dialled_call_is_answered_by_the_customer_not_by_the_agents_own_phone() -> None:
    view, told = fold(traces.dialled())
    assert (view.direction, view.number, view.agent) == ("out", CUSTOMER, "1001")
    assert [part.agent for part in view.talks] == ["1001"]
    assert end(view) == ("normal", "agent")
    own_phone = [e.kind for e in told if e.agent == "1001" and e.kind != "started"]
    assert own_phone == ["ringing", "answered", "left"]


def test_an_agent_who_does_not_pick_up_or_is_not_there() -> None:
    assert end(fold(traces.agent_does_not_answer())[0])[0] == "agent_no_answer"
    view, told = fold(traces.agent_is_offline())
    assert end(view)[0] == "agent_unreachable"
    assert (view.number, view.agent) == (CUSTOMER, "1001")
    assert kinds(told)[-1] == "ended"


def test_a_blind_transfer_is_the_same_call_with_another_agent() -> None:
    view, told = fold(traces.blind_transfer())
    assert [part.agent for part in view.talks] == ["1001", "1002"]
    assert [(how, to, who) for _at, how, to, who in view.transfers] == [("blind", "1002", "1001")]
    assert end(view) == ("normal", "agent")
    assert next(e for e in told if e.kind == "left" and e.agent == "1001").at < view.talks[1].at


def test_a_consultation_is_no_answer_and_loops_are_nobodys_phone() -> None:
    trace = traces.attended_transfer()
    view, _told = fold(trace)
    second = next(part for part in view.talks if part.agent == "1002")
    transfer = next(e for e in trace.events if e["Event"] == "AttendedTransfer")
    assert second.at.timestamp() > float(transfer["Timestamp"])
    assert [(how, to) for _at, how, to, _who in view.transfers] == [("attended", "1002")]
    assert end(view) == ("normal", "customer")


def test_hold_and_resume() -> None:
    view, told = fold(traces.held())
    assert view.held is not None
    assert view.held[1]
    assert kinds(told)[-3:] == ["held", "resumed", "held"]
    assert view.ended is None


def test_what_an_agent_dials_by_hand_goes_out_and_among_agents_is_internal() -> None:
    out, _told = fold(traces.dialled_by_hand())
    assert (out.direction, out.number, out.agent, end(out)[1]) == ("out", f"9{CUSTOMER}", "1002", "customer")
    inside, _told = fold(traces.internal())
    assert (inside.direction, inside.number, inside.agent) == ("internal", "1001", "1001")
    assert [part.agent for part in inside.talks] == ["1001", "1002"]


# ------------------------------------------------------------------------------------------------- whatever the order


@pytest.mark.parametrize("course", sorted(COURSES))
@settings(max_examples=20, deadline=None)
@given(data=st.data())
def test_order_and_repeats_change_nothing(course: str, data: st.DataObject) -> None:
    trace = COURSES[course]()
    count = len(trace.events)
    again = data.draw(st.lists(st.integers(0, count - 1), max_size=count))
    order = data.draw(st.permutations([*range(count), *again]))
    assert fold(trace, order)[0] == fold(trace)[0]


@pytest.mark.parametrize("course", sorted(COURSES))
def test_every_event_twice_tells_nothing_new(course: str) -> None:
    trace = COURSES[course]()
    once = fold(trace)[1]
    twice = fold(trace, [i for i in range(len(trace.events)) for _ in (0, 1)])[1]
    assert twice == once


def test_two_calls_at_once_do_not_touch_each_other() -> None:
    one, two = traces.queue_answered("yun-1.1"), traces.queue_abandoned("yun-2.1")
    mixed = [m for pair in zip(messages(one), messages(two), strict=False) for m in pair]
    rest = messages(one)[len(two.events) :]
    folding = CallFolding()
    list(events_of(folding, [*mixed, *rest]))
    assert folding._told["yun-1.1"] == fold(one)[0]
    assert folding._told["yun-2.1"] == fold(two)[0]


# ------------------------------------------------------------------------------------------------- time


def present(row: dict[str, str]) -> Message:
    return Message((("Event", "CoreShowChannel"), ("BridgeId", "b1"), *row.items()))


class Tick:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def test_an_end_is_told_when_it_has_settled_and_forgotten_later() -> None:
    tick = Tick()
    folding = CallFolding(tick)
    told = [event for message in messages(traces.queue_answered()) for event in folding.take(message)]
    assert "ended" not in kinds(told)
    assert folding.settle() == []
    tick.now += 0.4
    assert kinds(folding.settle()) == ["ended"]
    assert folding.settle() == []
    tick.now += 100
    assert folding.take(messages(traces.queue_answered())[-1]) == []  # late, and opens nothing
    tick.now += 300
    folding.settle()
    assert folding._told == {}
    assert folding._heard.calls == {}
    assert folding._heard._legs == {}


def test_a_call_we_asked_for_and_never_heard_of_is_given_up() -> None:
    tick = Tick()
    folding = CallFolding(tick)
    folding.originated("yl-9", "1001", CUSTOMER, CLICKED)
    tick.now += 60
    assert "ended" not in kinds(folding.settle())
    tick.now += 60
    assert kinds(folding.settle())[-1] == "ended"


@pytest.mark.parametrize("cause", ["9" * 5000, "²", "-1", "", "nan"])
def test_a_cause_that_is_no_number_says_nothing(cause: str) -> None:
    line = "Event: {}\r\nUniqueid: x.1\r\nLinkedid: x.1\r\nChannel: PJSIP/trunk-00000001\r\nCause: {}\r\n\r\n"
    heard = Reader().feed("".join(line.format(event, cause) for event in ("Newchannel", "Hangup")).encode())
    assert [event.kind for event in events_of(CallFolding(), heard)] == ["started", "ended"]


def test_after_a_reconnect_calls_that_are_gone_are_forgotten_and_the_others_go_on() -> None:
    tick = Tick()
    folding = CallFolding(tick)
    for trace in (traces.held("yun-7.1"), traces.held("yun-8.1")):
        for message in messages(trace):
            folding.take(message)
    tick.now += 10
    asked_at = tick.now
    there = [
        present({"Channel": channel, "Uniqueid": leg, "Linkedid": "yun-7.1"})
        for leg, channel in traces.held("yun-7.1").channels.items()
    ]
    folding.snapshot(there, asked_at, CLICKED)
    assert folding.open_calls() == {"yun-7.1"}
    assert "yun-8.1" not in folding._heard.calls


def test_a_call_begun_before_we_listened_is_read_off_the_snapshot() -> None:
    folding = CallFolding()
    rows = [
        {"Channel": "PJSIP/trunk-1-0000000a", "Uniqueid": "yun-9.1", "CallerIDNum": CUSTOMER, "Exten": "400"},
        {"Channel": "PJSIP/1001-0000000b", "Uniqueid": "yun-9.2", "CallerIDNum": "1001", "Exten": ""},
    ]
    there = [present({"Linkedid": "yun-9.1", "Duration": "00:01:30", **row}) for row in rows]
    told = folding.snapshot(there, 0.0, CLICKED)
    assert kinds(told) == ["started", "answered"]
    assert (told[0].direction, told[0].number) == ("in", CUSTOMER)
    assert (CLICKED - told[0].at).total_seconds() == 90


# ------------------------------------------------------------------------------------------------- bytes


def test_bytes_may_be_cut_anywhere() -> None:
    data = "Asterisk Call Manager/9.0.0\r\nResponse: Success\r\nActionID: 1\r\nMessage: 欢迎\r\n\r\n"
    data += "Event: X\r\nA: 1\r\nA: 2\r\n\r\n"
    for size in (1, 2, 3, 7, 1000):
        reader, found = Reader(), []
        raw = data.encode()
        for at in range(0, len(raw), size):
            found += list(reader.feed(raw[at : at + size]))
        assert [m.is_response for m in found] == [True, False]
        assert found[0].get("message") == "欢迎"
        assert found[1].all("A") == ["1", "2"]


def test_a_message_with_event_and_response_is_an_event() -> None:
    message = Message((("Event", "OriginateResponse"), ("Response", "Failure")))
    assert message.event == "OriginateResponse"
    assert not message.is_response
