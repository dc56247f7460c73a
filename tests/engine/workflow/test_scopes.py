"""Sub-processes, called processes and multi-instance."""

from __future__ import annotations

from decimal import Decimal

import pytest

from tests.engine.workflow.drawing import MESSAGES, Drawing, event
from tests.engine.workflow.kit import House, Play, compiled
from tests.engine.workflow.test_events import inside, with_sub


def called() -> Drawing:
    child = Drawing("child")
    child.start("start")
    child.user("review")
    child.end("end")
    child.chain("start", "review", "end")
    return child


def calling(inner: str = "") -> Drawing:
    d = Drawing("parent")
    d.start()
    extension = f"<extensionElements>{inner}</extensionElements>" if inner else ""
    d.add("callActivity", "call", extension, calledElement="child")
    d.user("after")
    d.end()
    d.chain("start", "call", "after", "end")
    return d


def test_a_sub_process_shares_its_variables() -> None:
    d = Drawing()
    d.start()
    with_sub(d, "box", inside)
    d.end()
    d.chain("start", "box", "end")
    play = Play(compiled(d), {"x": 1})
    play.complete("work", x=2, y=3)
    assert play.ended == "completed"
    assert play.data == {"x": 2, "y": 3}
    assert [node for node in play.visited() if node in {"box", "in", "work"}] == ["box", "in", "work"]


def test_a_call_without_mapping_passes_everything() -> None:
    play = Play(compiled(calling(), called()), {"x": 1})
    play.complete("review", y=2)
    assert play.nodes == ["after"]
    assert play.data == {"x": 1, "y": 2}


def test_a_call_with_mapping_passes_what_is_drawn() -> None:
    inner = (
        '<camunda:in source="amount" target="sum"/><camunda:in sourceExpression="${amount * 2}" target="twice"/>'
        '<camunda:in businessKey="${&quot;claim:&quot; + text(no)}"/>'
        '<camunda:out source="verdict" target="result"/>'
    )
    play = Play(compiled(calling(inner), called()), {"amount": Decimal("1.5"), "no": 7, "secret": 1})
    (task,) = play.changes.opened
    assert dict(task.data) == {"sum": Decimal("1.5"), "twice": Decimal("3.0")}
    play.complete("review", verdict="good", noise=1)
    assert play.data == {"amount": Decimal("1.5"), "no": 7, "secret": 1, "result": "good"}


def test_elements_of_a_called_diagram_may_share_ids_with_the_caller() -> None:
    child = called()
    parent = calling()
    process = compiled(parent, child)
    assert process.nodes["start"].process == "parent"
    assert process.nodes["child:start"].element == "start"
    assert process.nodes["child:start"].process == "child"
    assert process.key == "parent"


def test_an_error_climbs_out_of_a_called_process() -> None:
    parent = calling()
    parent.add("boundaryEvent", "border", event("error", "returned"), attachedToRef="call")
    parent.user("revise")
    parent.chain("border", "revise", "end")
    play = Play(compiled(parent, called(), head=MESSAGES), {"x": 1})
    assert play.process.nodes["review"].catches == ("returned",)
    play.throw("review", "returned", opinion="no")
    assert play.nodes == ["revise"]
    assert play.data["opinion"] == "no"


def test_a_process_that_calls_itself_without_end_is_an_incident() -> None:
    d = Drawing("endless")
    d.start()
    d.add("callActivity", "call", calledElement="endless")
    d.end()
    d.chain("start", "call", "end")
    play = Play(compiled(d), reload=False)
    assert list(play.failures.values()) == ["circles"]


def test_a_loop_that_never_waits_is_an_incident() -> None:
    d = Drawing()
    d.start()
    d.script("count", "n = n + 1")
    d.add("exclusiveGateway", "again", default="again_count")
    d.end()
    d.chain("start", "count", "again", "count")
    d.flow("again", "end", "${n < 0}")
    play = Play(compiled(d), {"n": 1}, reload=False)
    assert list(play.failures.values()) == ["circles"]


def test_what_an_ended_path_left_behind_never_beats_what_is_written_later() -> None:
    """Alone in its scope a token writes too, after another path has ended with its older copy."""
    d = Drawing()
    d.start()
    for id in ("a", "b", "last"):
        d.user(id)
    d.add("exclusiveGateway", "into")
    d.add("parallelGateway", "fork")
    d.add("exclusiveGateway", "again", default="out")
    d.end("end_a")
    d.end()
    d.chain("start", "into", "fork", "a", "end_a")
    d.chain("fork", "b", "again")
    d.flow("again", "into", "round < 2")
    d.flow("again", "last", id="out")
    d.chain("last", "end")
    play = Play(compiled(d), {"x": 1, "round": 0})
    play.complete("a")
    play.complete("b", x=2, round=1)
    play.complete("a", note="second")
    play.complete("b", round=2)
    play.complete("last")
    assert play.ended == "completed"
    assert play.data == {"x": 2, "round": 2, "note": "second"}


# ---------------------------------------------------------------------------------------------------- multi-instance


def many(inner: str, *, sequential: bool = False, tag: str = "userTask", **attributes: str) -> Drawing:
    d = Drawing()
    d.start()
    loop = f'<multiInstanceLoopCharacteristics isSequential="{str(sequential).lower()}" {inner}'
    d.add(tag, "vote", loop + "</multiInstanceLoopCharacteristics>", **attributes)
    d.user("after")
    d.end()
    d.chain("start", "vote", "after", "end")
    return d


COLLECTION = 'camunda:collection="${people}" camunda:elementVariable="person">'


@pytest.mark.parametrize("sequential", [False, True])
def test_one_instance_for_each_item(sequential: bool) -> None:
    play = Play(compiled(many(COLLECTION, sequential=sequential)), {"people": ["a", "b", "c"]})
    seen = []
    for n in range(3):
        assert play.nodes == ["vote"] * (1 if sequential else 3 - n)
        token = min(play.open)
        data = next((task.data for task in play.changes.opened if task.token == token), None)
        seen.append(data["person"] if data and sequential else None)
        play.complete("vote", last=n)
    if sequential:
        assert seen == ["a", "b", "c"]
    assert play.nodes == ["after"]
    assert play.data["last"] == 2
    assert "person" not in play.data
    assert play.visited().count("vote") == 1


def test_each_instance_sees_its_own_item() -> None:
    play = Play(compiled(many(COLLECTION)), {"people": ["a", "b"]})
    assert [(task.data["person"], task.data["loopCounter"]) for task in play.changes.opened] == [("a", 0), ("b", 1)]


def test_a_number_of_instances_and_none() -> None:
    process = compiled(many("><loopCardinality>${n}</loopCardinality>"))
    assert Play(process, {"n": 2}).nodes == ["vote", "vote"]
    assert Play(process, {"n": 0}).nodes == ["after"]
    assert list(Play(process, {"n": -1}).failures.values()) == ["expression"]
    assert list(Play(process, {"n": 5000}).failures.values()) == ["expression"]


CONDITION = "<completionCondition>${nrOfCompletedInstances / nrOfInstances >= 0.5}</completionCondition>"


def test_the_completion_condition_ends_the_others() -> None:
    condition = CONDITION.replace(">=", "&gt;=")
    play = Play(compiled(many(COLLECTION + condition)), {"people": list("abcd")})
    play.complete("vote")
    assert play.nodes == ["vote"] * 3
    changes = play.complete("vote")
    assert len(changes.cancelled) == 2
    assert play.nodes == ["after"]


def test_active_instances_are_counted() -> None:
    condition = "<completionCondition>${nrOfActiveInstances == 1}</completionCondition>"
    play = Play(compiled(many(COLLECTION + condition)), {"people": list("abc")})
    play.complete("vote")
    assert play.nodes == ["vote", "vote"]
    play.complete("vote")
    assert play.nodes == ["after"]


OUTPUT = (
    "><loopDataInputRef>people</loopDataInputRef><loopDataOutputRef>votes</loopDataOutputRef>"
    '<inputDataItem id="person"/><outputDataItem id="answer"/>'
)


def test_results_are_gathered_and_a_second_round_starts_afresh() -> None:
    d = many(OUTPUT)
    d.flows = d.flows[:1]
    d.add("exclusiveGateway", "agreed", default="agreed_end")
    d.chain("vote", "agreed")
    d.flow("agreed", "vote", '${"no" in votes}')
    d.flow("agreed", "end")
    d.parts = [part for part in d.parts if 'id="after"' not in part]
    play = Play(compiled(d), {"people": ["a", "b"]})
    play.complete("vote", answer="no")
    play.complete("vote", answer="yes")
    assert play.nodes == ["vote", "vote"]
    play.complete("vote", answer="yes")
    play.complete("vote", answer="yes")
    assert play.ended == "completed"
    assert play.data["votes"] == ["yes", "yes"]


def test_an_error_of_one_instance_ends_all_when_caught_on_the_border() -> None:
    d = many(COLLECTION)
    d.add("boundaryEvent", "border", event("error", "returned"), attachedToRef="vote")
    d.chain("border", "end")
    play = Play(compiled(d, head=MESSAGES), {"people": ["a", "b", "c"]})
    changes = play.throw("vote", "returned")
    assert len(changes.closed) == 1
    assert len(changes.cancelled) == 2
    assert play.ended == "completed"


def test_services_and_sub_processes_repeat_too() -> None:
    house = House()
    d = many(COLLECTION, tag="serviceTask", camunda_type="external", camunda_topic="test.notify")
    assert Play(compiled(d), {"people": ["a", "b"]}, house=house).nodes == ["after"]
    assert len(house.calls) == 2

    d = Drawing()
    d.start()
    with_sub(d, "box", inside)
    d.parts[-1] = d.parts[-1].replace(
        "@box@",
        '@box@<multiInstanceLoopCharacteristics camunda:collection="people" camunda:elementVariable="person"/>',
    )
    d.end()
    d.chain("start", "box", "end")
    play = Play(compiled(d), {"people": ["a", "b"]})
    assert play.nodes == ["work", "work"]
    play.complete("work", a=1)
    play.complete("work", b=2)
    assert play.ended == "completed"
    assert (play.data["a"], play.data["b"]) == (1, 2)


# ---------------------------------------------------------------------------------------------------- the whole


def test_cancel_all_and_tokens() -> None:
    play = Play(compiled(many(COLLECTION)), {"people": ["a", "b"]})
    assert [(one.node, one.state) for one in play.live.tokens()] == [
        ("vote", "running"),
        ("vote", "open"),
        ("vote", "open"),
    ]
    changes = play.call("cancel_all")
    assert changes.ended == "cancelled"
    assert len(changes.cancelled) == 2
    assert play.live.tokens() == []
