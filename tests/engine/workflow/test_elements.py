"""Each element by itself, saved and loaded after every step."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest

from engine.errors import BpmnError, Conflict, RuleViolation
from engine.i18n import _
from engine.workflow.contract import PENDING, ServiceCall
from tests.engine.workflow.drawing import MESSAGES, Drawing, event, timer
from tests.engine.workflow.kit import House, Play, compiled


def drawn(build: Callable[[Drawing], None], *more: Drawing, **given: Any) -> Play:
    """Start an instance of a process drawn between `start` and `end`."""
    drawing = Drawing()
    drawing.start()
    drawing.end()
    build(drawing)
    return Play(compiled(drawing, *more, head=MESSAGES), **given)


# ---------------------------------------------------------------------------------------------------- tasks


def test_a_user_task_waits_for_its_answer() -> None:
    def build(d: Drawing) -> None:
        d.user("approve", camunda_dueDate="PT8H")
        d.chain("start", "approve", "end")

    play = drawn(build, variables={"amount": Decimal("12.50")})
    assert play.nodes == ["approve"]
    (task,) = play.changes.opened
    assert task.data["amount"] == Decimal("12.50")
    assert task.due_at is not None
    assert (task.due_at - play.house.at).total_seconds() == 8 * 3600
    changes = play.complete("approve", outcome="approve")
    assert changes.closed == [task.token]
    assert play.ended == "completed"
    assert play.data == {"amount": Decimal("12.50"), "outcome": "approve"}
    assert play.path == [
        ("start", "entered"),
        ("start", "left"),
        ("start_approve", "taken"),
        ("approve", "entered"),
        ("approve", "left"),
        ("approve_end", "taken"),
        ("end", "entered"),
        ("end", "left"),
    ]


def test_a_task_is_completed_once() -> None:
    def build(d: Drawing) -> None:
        d.user("approve")
        d.chain("start", "approve", "end")

    play = drawn(build)
    token = play.token(play.open, "approve")
    play.complete("approve")
    with pytest.raises(Conflict):
        play.live.complete(token, {})


@pytest.mark.parametrize("tag", ["task", "manualTask"])
def test_a_note_for_people_is_passed_through(tag: str) -> None:
    def build(d: Drawing) -> None:
        d.add(tag, "note")
        d.chain("start", "note", "end")

    assert drawn(build).ended == "completed"


def greeting(d: Drawing) -> None:
    d.service(
        "greet",
        "test.greet",
        '<extensionElements><camunda:inputOutput><camunda:inputParameter name="name">${who}</camunda:inputParameter>'
        '<camunda:outputParameter name="loud">upper(greeting)</camunda:outputParameter>'
        "</camunda:inputOutput></extensionElements>",
        camunda_resultVariable="greeting",
    )
    d.chain("start", "greet", "end")


def test_a_service_task_calls_its_topic() -> None:
    house = House()
    house.answer = lambda call: f"hello {call.parameters['name']}"
    play = drawn(greeting, variables={"who": "李娜"}, house=house)
    assert play.ended == "completed"
    assert play.data["greeting"] == "hello 李娜"
    assert play.data["loud"] == "HELLO 李娜"
    assert house.calls[0].topic == "test.greet"
    assert house.calls[0].node == "greet"


def test_a_connector_task_waits_for_its_result() -> None:
    house = House()
    house.answer = lambda call: PENDING
    play = drawn(greeting, variables={"who": "a"}, house=house)
    assert play.ended is None
    (token,) = play.live.tokens()
    assert (token.node, token.state) == ("greet", "service")
    play.call("resolve_service", token.token, "sent")
    assert play.ended == "completed"
    assert play.data["loud"] == "SENT"


def test_a_failing_service_is_an_incident_of_its_token_alone() -> None:
    house = House()
    broken = [True]

    def answer(call: ServiceCall) -> Any:
        if broken:
            raise TimeoutError("the wire is dead")
        return "hello"

    def build(d: Drawing) -> None:
        d.add("parallelGateway", "split")
        d.user("other")
        greeting(d)
        d.flows.clear()
        d.chain("start", "split", "other", "end")
        d.chain("split", "greet", "end")

    house.answer = answer
    play = drawn(build, variables={"who": "a"}, house=house)
    assert play.nodes == ["other"]
    (failure,) = play.changes.failures
    assert (failure.node, failure.cause, failure.detail) == ("greet", "TimeoutError", "the wire is dead")
    play.complete("other")
    assert play.ended is None
    play.call("retry", failure.token)
    assert [one.token for one in play.changes.failures] == [failure.token]
    assert play.changes.failures_cleared == []
    broken.clear()
    play.call("retry", failure.token)
    assert play.changes.failures_cleared == [failure.token]
    assert play.ended == "completed"


def test_a_failed_service_can_be_skipped_with_a_value() -> None:
    house = House()

    def answer(call: ServiceCall) -> Any:
        raise TimeoutError

    house.answer = answer
    play = drawn(greeting, variables={"who": "a"}, house=house)
    (failure,) = play.changes.failures
    play.call("skip", failure.token, "by hand")
    assert play.ended == "completed"
    assert play.data["greeting"] == "by hand"


def test_a_connector_that_fails_is_an_incident_too() -> None:
    house = House()
    house.answer = lambda call: PENDING
    play = drawn(greeting, variables={"who": "a"}, house=house)
    token = play.live.tokens()[0].token
    play.call("fail_service", token, "refused", "no such number")
    assert play.failures == {token: "refused"}
    house.answer = lambda call: "fine"
    play.call("retry", token)
    assert play.ended == "completed"


def test_a_broken_business_rule_refuses_the_whole_step() -> None:
    house = House()

    def answer(call: ServiceCall) -> Any:
        raise RuleViolation(_("Not today."))

    house.answer = answer
    with pytest.raises(RuleViolation, match="Not today"):
        drawn(greeting, variables={"who": "a"}, house=house)


def test_an_error_of_a_service_goes_to_the_event_on_its_border() -> None:
    house = House()

    def answer(call: ServiceCall) -> Any:
        raise BpmnError("broken", part="wheel")

    def build(d: Drawing) -> None:
        greeting(d)
        d.add("boundaryEvent", "caught", event("error", "e"), attachedToRef="greet")
        d.user("repair")
        d.chain("caught", "repair", "end")

    house.answer = answer
    play = drawn(build, variables={"who": "a"}, house=house)
    assert play.nodes == ["repair"]
    assert play.data["part"] == "wheel"
    assert play.data["boundary"] == {"event": "caught", "host": "greet", "code": "broken", "source": "greet"}
    play.complete("repair")
    assert play.ended == "completed"


def test_an_error_of_a_service_nobody_catches_is_an_incident() -> None:
    house = House()

    def answer(call: ServiceCall) -> Any:
        raise BpmnError("unheard")

    house.answer = answer
    play = drawn(greeting, variables={"who": "a"}, house=house)
    assert list(play.failures.values()) == ["error_not_caught"]
    assert play.ended is None


def test_a_script_assigns_in_our_language() -> None:
    def build(d: Drawing) -> None:
        d.script("count", 'total = sum(form.lines, "amount")\nlimits.days = total > 3 ? 2 : 1')
        d.chain("start", "count", "end")

    house = House()
    house.form = {"lines": [{"amount": "1.50"}, {"amount": 2}]}
    play = drawn(build, variables={"limits": {"hours": 8}}, house=house)
    assert play.data == {"total": Decimal("3.50"), "limits": {"hours": 8, "days": 2}}


def test_a_send_task_sends_its_message_and_a_receive_task_waits() -> None:
    def build(d: Drawing) -> None:
        d.add("sendTask", "send", messageRef="m")
        d.add("receiveTask", "receive", messageRef="m2")
        d.chain("start", "send", "receive", "end")

    play = drawn(build)
    assert play.thrown == [("message", "paid")]
    assert [(w.kind, w.name, w.business_key) for w in play.changes.waits_set] == [
        ("message", "refused", "test.claim:1")
    ]
    with pytest.raises(Conflict):
        play.live.deliver(play.token(play.waits, "receive"), "paid", {})
    play.deliver("receive", "refused", reason="late")
    assert play.ended == "completed"
    assert play.data["reason"] == "late"


# ---------------------------------------------------------------------------------------------------- gateways


def choice(d: Drawing) -> None:
    d.add("exclusiveGateway", "which", default="which_small")
    d.user("big")
    d.user("small")
    d.flow("start", "which")
    d.flow("which", "big", "${amount >= 1000}")
    d.flow("which", "small")
    d.chain("big", "end")
    d.chain("small", "end")


@pytest.mark.parametrize(
    ("amount", "node"), [("1000.00", "big"), (999, "small"), (Decimal("999.99"), "small"), (1000.5, "big")]
)
def test_an_exclusive_gateway_takes_one_way(amount: Any, node: str) -> None:
    assert drawn(choice, variables={"amount": amount}).nodes == [node]


def test_a_condition_that_cannot_be_asked_is_an_incident_with_retry() -> None:
    play = drawn(choice, variables={})
    ((token, cause),) = play.failures.items()
    assert cause == "expression"
    play.call("set_variables", {"amount": 5})
    play.call("retry", token)
    assert play.nodes == ["small"]
    assert not play.failures


def test_a_parallel_gateway_waits_for_all_and_keeps_what_each_wrote() -> None:
    def build(d: Drawing) -> None:
        d.add("parallelGateway", "fork")
        d.add("parallelGateway", "join")
        d.user("a")
        d.user("b")
        d.chain("start", "fork", "a", "join", "end")
        d.chain("fork", "b", "join")

    play = drawn(build, variables={"x": 0, "y": 0})
    assert play.nodes == ["a", "b"]
    play.complete("b", y=1)
    assert play.ended is None
    play.complete("a", x=1)
    assert play.ended == "completed"
    assert play.data == {"x": 1, "y": 1}


def test_of_what_both_wrote_the_later_wins_whoever_arrives_last() -> None:
    def build(d: Drawing) -> None:
        d.add("parallelGateway", "fork")
        d.add("parallelGateway", "join")
        for id in ("a", "a2", "b"):
            d.user(id)
        d.chain("start", "fork", "a", "a2", "join", "end")
        d.chain("fork", "b", "join")

    play = drawn(build)
    play.complete("a", x="early")
    play.complete("b", x="late")
    play.complete("a2")
    assert play.data["x"] == "late"


def test_a_parallel_gateway_in_a_loop_starts_afresh_each_round() -> None:
    def build(d: Drawing) -> None:
        d.add("parallelGateway", "fork")
        d.add("parallelGateway", "join")
        d.add("exclusiveGateway", "again", default="again_end")
        d.add("exclusiveGateway", "round")
        d.user("a")
        d.user("b")
        d.chain("start", "round", "fork", "a", "join", "again", "end")
        d.chain("fork", "b", "join")
        d.flow("again", "round", "${n < 3}")

    play = drawn(build, variables={"n": 0})
    for n in (1, 2, 3):
        play.complete("a", n=n)
        assert play.nodes == ["b"]
        play.complete("b")
    assert play.ended == "completed"
    assert play.visited().count("join") == 3


def test_a_second_token_on_the_same_flow_waits_for_the_next_round() -> None:
    def build(d: Drawing) -> None:
        d.user("a")
        d.user("b")
        d.add("parallelGateway", "fork")
        d.add("parallelGateway", "join")
        d.user("after")
        d.chain("start", "fork")
        d.flow("fork", "a", id="one")
        d.flow("fork", "a", id="two")
        d.flow("fork", "b")
        d.chain("a", "join", "after", "end")
        d.flow("b", "join")

    play = drawn(build)
    assert play.nodes == ["a", "a", "b"]
    play.complete("a")
    play.complete("a")
    assert play.nodes == ["b"]
    play.complete("b")
    assert play.nodes == ["after"]
    assert not play.failures
    play.complete("after")
    assert play.ended is None, "one token still waits at the join"
    ((token, cause),) = play.failures.items()
    assert cause == "stuck"
    assert [(one.node, one.state) for one in play.live.tokens()] == [("join", "failed")]
    play.call("retry", token)
    assert list(play.failures.values()) == ["stuck"]
    play.call("skip", token, None)
    assert play.nodes == ["after"]
    assert not play.failures


def inclusive(d: Drawing) -> None:
    d.add("inclusiveGateway", "split", default="split_c")
    d.add("inclusiveGateway", "join")
    for id in ("a", "b", "c"):
        d.user(id)
        d.flow(id, "join")
    d.flow("start", "split")
    d.flow("split", "a", "${x > 1}")
    d.flow("split", "b", "${x > 2}")
    d.flow("split", "c")
    d.flow("join", "end")


@pytest.mark.parametrize(("x", "nodes"), [(0, ["c"]), (2, ["a"]), (3, ["a", "b"])])
def test_an_inclusive_gateway_takes_all_that_hold_and_joins_them(x: int, nodes: list[str]) -> None:
    play = drawn(inclusive, variables={"x": x})
    assert play.nodes == nodes
    for node in nodes:
        assert play.ended is None
        play.complete(node)
    assert play.ended == "completed"
    assert play.visited().count("join") == 1


def test_an_inclusive_join_does_not_wait_for_a_token_that_turned_away() -> None:
    def build(d: Drawing) -> None:
        inclusive(d)
        d.flows = [flow for flow in d.flows if flow[:3] != ("b_join", "b", "join")]
        d.add("exclusiveGateway", "turn", default="turn_join")
        d.end("elsewhere")
        d.flow("b", "turn")
        d.flow("turn", "join")
        d.flow("turn", "elsewhere", "${away}")

    play = drawn(build, variables={"x": 3, "away": True})
    play.complete("a")
    assert "join" not in play.visited()
    play.complete("b")
    assert play.ended == "completed"
    assert play.visited().count("join") == 1


def test_an_event_based_gateway_lets_the_first_event_win() -> None:
    def build(d: Drawing) -> None:
        d.add("eventBasedGateway", "race")
        d.add("intermediateCatchEvent", "late", timer("P1D"))
        d.add("intermediateCatchEvent", "paid", event("message", "m"))
        d.user("thank")
        d.user("remind")
        d.chain("start", "race", "late", "remind", "end")
        d.chain("race", "paid", "thank", "end")

    play = drawn(build)
    assert list(play.timers.values()) == ["late"]
    assert list(play.waits.values()) == ["paid"]
    play.deliver("paid", "paid", sum=5)
    assert play.nodes == ["thank"]
    assert not play.timers
    assert "late" not in play.visited()
    assert "race_paid" in play.visited("taken")
    assert "race_late" not in play.visited("taken")


def test_implicit_split_conditional_flows_and_implicit_merge() -> None:
    def build(d: Drawing) -> None:
        for id in ("first", "a", "b", "c"):
            d.user(id)
        d.flow("start", "first")
        d.flow("first", "a")
        d.flow("first", "b", "${more}")
        d.flow("first", "c", "${never}")
        d.chain("a", "end")
        d.chain("b", "end")
        d.chain("c", "end")

    play = drawn(build)
    play.complete("first", more=True, never=False)
    assert play.nodes == ["a", "b"]
    play.complete("a")
    assert play.ended is None
    play.complete("b")
    assert play.ended == "completed"
    assert play.visited().count("end") == 2


def test_the_default_flow_out_of_a_task() -> None:
    def build(d: Drawing) -> None:
        d.user("first", default="first_b")
        d.user("a")
        d.user("b")
        d.flow("start", "first")
        d.flow("first", "a", "${ok}")
        d.flow("first", "b")
        d.chain("a", "end")
        d.chain("b", "end")

    play = drawn(build)
    play.complete("first", ok=False)
    assert play.nodes == ["b"]
