"""The way a process would go: the steps, what was decided between them and why, about when each is done."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from engine import workflow
from engine.workflow.contract import Choice, CompiledProcess, Way
from tests.engine.workflow.drawing import MESSAGES, Drawing, event, timer
from tests.engine.workflow.kit import House, Play, compiled
from tests.engine.workflow.test_decisions import dmn, table

HOUR = timedelta(hours=1)


def walk(process: CompiledProcess, house: House | None = None, **variables: Any) -> Way:
    return workflow.preview(process, variables, house or House())


def nodes(way: Way) -> list[str]:
    return [step.task.node for step in way.steps]


def said(choices: tuple[Choice, ...]) -> list[tuple[str, tuple[str, ...], dict[str, Any], bool]]:
    return [(one.node, one.conditions, dict(one.values), one.otherwise) for one in choices]


def approval() -> CompiledProcess:
    d = Drawing()
    d.start()
    d.user("superior")
    d.add("exclusiveGateway", "large", default="large_pay", name="Large?")
    d.user("head")
    d.service("pay", "test.notify")
    d.add("intermediateCatchEvent", "paid", event("message", "m"))
    d.user("file")
    d.add("exclusiveGateway", "again", default="again_superior")
    d.end()
    d.chain("start", "superior", "large")
    d.flow("large", "head", '${amount >= 1000 && kind != "amount"}')
    d.flow("large", "pay")
    d.chain("head", "pay", "paid", "file", "again", "superior")
    d.flow("again", "end", '${outcome == "reject"}')
    return compiled(d, head=MESSAGES)


def test_it_walks_the_way_of_approval() -> None:
    process = approval()
    assert nodes(walk(process, amount=10, kind="x")) == ["superior", "file"]
    way = walk(process, amount="1000", kind="x")
    assert nodes(way) == ["superior", "head", "file"]
    assert not way.ended, "it loops"
    assert dict(way.steps[0].task.data) == {"amount": "1000", "kind": "x"}, "as it was when the task would open"


def test_it_says_what_was_decided_and_on_what() -> None:
    large = walk(approval(), amount="1000", kind="x")
    condition = 'amount >= 1000 && kind != "amount"'
    assert [said(step.choices) for step in large.steps] == [
        [],
        [("large", (condition,), {"amount": "1000", "kind": "x"}, False)],
        [],
    ]
    assert large.steps[1].choices[0].question == "Large?"
    assert said(large.choices) == [("again", ('outcome == "reject"',), {"outcome": "approve"}, True)]
    small = walk(approval(), amount=10, kind="x")
    assert said(small.steps[1].choices) == [("large", (condition,), {"amount": 10, "kind": "x"}, True)]


def test_the_drawings_own_words_come_first() -> None:
    d = Drawing()
    d.start()
    d.add("exclusiveGateway", "rich", default="rich_end", name="Rich\n enough?")
    d.user("spend")
    d.end()
    d.chain("start", "rich")
    d.flow("rich", "spend", "${money > 1}", id="yes")
    d.chain("spend", "end")
    d.flow("rich", "end")
    text = d.xml().replace('id="yes"', 'id="yes" name="plenty"')
    (choice,) = walk(compiled(text), money=2).steps[0].choices
    assert (choice.question, choice.answer, choice.flow) == ("Rich enough?", "plenty", "yes")


def test_what_changed_since_is_not_given_as_a_reason() -> None:
    d = Drawing()
    d.start()
    d.add("exclusiveGateway", "low", default="low_end")
    d.script("rise", "level = 9")
    d.user("look")
    d.end()
    d.chain("start", "low")
    d.flow("low", "rise", "${level < 5}")
    d.chain("rise", "look", "end")
    d.flow("low", "end")
    (choice,) = walk(compiled(d), level=1).steps[0].choices
    assert (choice.conditions, choice.values) == (("level < 5",), {})


def test_a_task_with_conditions_on_its_flows_decides_too() -> None:
    d = Drawing()
    d.start()
    d.user("ask", default="ask_end")
    d.user("tell")
    d.end()
    d.chain("start", "ask")
    d.flow("ask", "tell", "${form.loud}")
    d.flow("ask", "end")
    d.chain("tell", "end")
    house = House()
    house.form = {"loud": True}
    way = walk(compiled(d), house)
    assert (nodes(way), way.ended) == (["ask", "tell"], True)
    assert said(way.steps[1].choices) == [("ask", ("form.loud",), {"form.loud": True}, False)]


def ruled(description: str = "", result: str = "singleResult") -> CompiledProcess:
    d = Drawing()
    d.start()
    d.add(
        "businessRuleTask",
        "rule",
        camunda_decisionRef="limits",
        camunda_mapDecisionResult=result,
        camunda_resultVariable="limit",
    )
    d.user("work")
    d.end()
    d.chain("start", "rule", "work", "end")
    rules = table([(["< 100", "-"], ['"low"']), ([">= 100", '"sales"'], ['"high"'])], inputs=("amount", "team"))
    rules = rules.replace("<input>", '<input label="Amount">', 1)
    rules = rules.replace('<rule id="r1">', f'<rule id="r1"><description>{description}</description>')
    return compiled(d, limits__dmn=dmn(rules.replace('id="limits"', 'id="limits" name="Limits"')))


@pytest.mark.parametrize("description", ["", "much money"])
def test_a_table_says_which_rule_hit(description: str) -> None:
    (choice,) = walk(ruled(description), amount=120, team="sales").steps[0].choices
    assert (choice.node, choice.question, choice.answer) == ("rule", "Limits", description)
    assert choice.conditions == ("Amount >= 100", 'team "sales"')
    assert choice.values == {"amount": 120, "team": "sales"}


def test_a_table_in_which_nothing_hits_says_nothing() -> None:
    assert walk(ruled(), amount=120, team="other").steps[0].choices == ()


def test_each_step_counts_from_when_the_one_before_is_done() -> None:
    d = Drawing()
    d.start()
    d.user("first", camunda_dueDate="PT2H")
    d.user("second")
    d.add("intermediateCatchEvent", "pause", timer("PT5H"))
    d.user("third", camunda_dueDate="PT1H")
    d.user("fourth")
    d.end()
    d.chain("start", "first", "second", "pause", "third", "fourth", "end")
    house = House()
    begun, house.usual = house.at, {"second": 3 * HOUR}
    way = walk(compiled(d), house)
    expected = [step.expected_at and step.expected_at - begun for step in way.steps]
    assert expected == [2 * HOUR, 5 * HOUR, 11 * HOUR, None]
    assert way.ended


def test_a_join_waits_for_the_slowest() -> None:
    d = Drawing()
    d.start()
    d.add("parallelGateway", "split")
    d.user("slow", camunda_dueDate="PT9H")
    d.user("quick", camunda_dueDate="PT1H")
    d.user("then", camunda_dueDate="PT1H")
    d.add("parallelGateway", "join")
    d.user("last", camunda_dueDate="PT1H")
    d.end()
    d.chain("start", "split", "slow", "join", "last", "end")
    d.chain("split", "quick", "then", "join")
    house = House()
    begun = house.at
    way = walk(compiled(d), house)
    assert [(step.task.node, (step.expected_at or begun) - begun) for step in way.steps] == [
        ("slow", 9 * HOUR),
        ("quick", HOUR),
        ("then", 2 * HOUR),
        ("last", 10 * HOUR),
    ]


def test_a_process_that_asks_every_hour_is_not_walked_for_ever() -> None:
    d = Drawing()
    d.start()
    d.service("ask", "test.notify", camunda_resultVariable="answer")
    d.add("exclusiveGateway", "there", default="there_wait")
    d.add("intermediateCatchEvent", "wait", timer("PT1H"))
    d.end()
    d.chain("start", "ask", "there")
    d.flow("there", "end", '${answer == "yes"}')
    d.chain("there", "wait", "ask")
    way = walk(compiled(d))
    assert (way.steps, way.ended) == ((), False)
    assert [choice.node for choice in way.choices] == ["there"]


def test_a_running_instance_tells_its_choices_as_well() -> None:
    process = approval()
    play = Play(process, {"amount": 2000, "kind": "x"})
    changes = play.complete("superior")
    told = workflow.choices(process, changes.path, play.data, play.house)
    assert [choice.node for choice in told] == ["large"]
