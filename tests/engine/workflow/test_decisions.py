"""Decision tables: cells, hit policies, aggregation, requirements, results, and what is wrong with them."""

from __future__ import annotations

from decimal import Decimal
from html import escape
from typing import Any

import pytest

from engine.expressions import ExpressionError
from engine.workflow import decisions, unary
from tests.engine.workflow.drawing import Drawing
from tests.engine.workflow.kit import Play, compiled


def table(
    rules: list[tuple[list[str], list[str]]],
    *,
    id: str = "limits",
    inputs: tuple[str, ...] = ("amount",),
    outputs: tuple[str, ...] = ("level",),
    policy: str = "UNIQUE",
    aggregation: str = "",
    requires: str = "",
) -> str:
    def cells(tag: str, texts: list[str]) -> str:
        return "".join(f"<{tag}><text>{escape(text)}</text></{tag}>" for text in texts)

    needed = (
        f'<informationRequirement><requiredDecision href="#{requires}"/></informationRequirement>' if requires else ""
    )
    aggregate = f' aggregation="{aggregation}"' if aggregation else ""
    columns = "".join(f"<input><inputExpression><text>{escape(one)}</text></inputExpression></input>" for one in inputs)
    columns += "".join(f'<output name="{one}"/>' for one in outputs)
    rows = "".join(
        f'<rule id="r{n}">{cells("inputEntry", i)}{cells("outputEntry", o)}</rule>' for n, (i, o) in enumerate(rules)
    )
    inner = f'<decisionTable hitPolicy="{policy}"{aggregate}>{columns}{rows}</decisionTable>'
    return f'<decision id="{id}">{needed}{inner}</decision>'


def dmn(*tables: str) -> str:
    return f'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/">{"".join(tables)}</definitions>'


def decide(text: str, names: dict[str, Any], result: str = "resultList", id: str = "limits") -> Any:
    found = decisions.read({"t.dmn": text})
    assert found.problems == []
    return found.decider(id, result)(names)


@pytest.mark.parametrize(
    ("cell", "value", "expected"),
    [
        ("-", None, True),
        ("", 5, True),
        ("< 250", 249, True),
        ("< 250", "250.00", False),
        ("<= 250", Decimal("250.00"), True),
        ("> 1", None, False),
        ("!= 3", 4, True),
        ("= 3", 3, True),
        ("[250..1000]", 1000, True),
        ("[250..1000[", 1000, False),
        ("(250..1000]", 250, False),
        ("]250..1000]", 251, True),
        ("[1..2]", None, False),
        ('"Misc"', "Misc", True),
        ('"Misc", "Travel"', "Travel", True),
        ('"a, b"', "a, b", True),
        ('not("Misc", "Travel")', "Food", True),
        ('not("Misc")', "Misc", False),
        ("null", None, True),
        ("true", True, True),
        ("false", True, False),
        ("1, [5..7]", 6, True),
        ("limit", 9, True),
        ("< limit", 8, True),
        ("[1, 2]", 2, True),
        ("limit > 5", 0, True),
    ],
)
def test_cells(cell: str, value: Any, expected: bool) -> None:
    assert unary.compile_test(cell)(value, {"limit": 9}) is expected


@pytest.mark.parametrize("cell", ["<", "a b", "1,", "[1..]", "not(", '"open'])
def test_cells_that_cannot_be_read(cell: str) -> None:
    with pytest.raises(ExpressionError):
        unary.compile_test(cell)


OVERLAPPING = [(["> 10"], ['"a"']), (["> 100"], ['"b"']), (["> 1000"], ['"b"'])]


@pytest.mark.parametrize(
    ("policy", "amount", "expected"),
    [
        ("UNIQUE", 50, [{"level": "a"}]),
        ("UNIQUE", 5, []),
        ("FIRST", 500, [{"level": "a"}]),
        ("RULE ORDER", 5000, [{"level": "a"}, {"level": "b"}, {"level": "b"}]),
        ("COLLECT", 500, [{"level": "a"}, {"level": "b"}]),
        ("ANY", 50, [{"level": "a"}]),
    ],
)
def test_hit_policies(policy: str, amount: int, expected: Any) -> None:
    assert decide(dmn(table(OVERLAPPING, policy=policy)), {"amount": amount}) == expected


@pytest.mark.parametrize("policy", ["UNIQUE", "ANY"])
def test_rules_that_contradict_each_other_are_an_error(policy: str) -> None:
    with pytest.raises(decisions.DecisionError):
        decide(dmn(table(OVERLAPPING, policy=policy)), {"amount": 500})


@pytest.mark.parametrize(
    ("aggregation", "amount", "expected"),
    [
        ("SUM", 5000, 6),
        ("MIN", 5000, 1),
        ("MAX", 5000, 3),
        ("COUNT", 5000, 3),
        ("SUM", 0, 0),
        ("COUNT", 0, 0),
        ("MAX", 0, None),
    ],
)
def test_aggregation(aggregation: str, amount: int, expected: Any) -> None:
    rules = [(["> 10"], ["1"]), (["> 100"], ["2"]), (["> 1000"], ["3"])]
    text = dmn(table(rules, policy="COLLECT", aggregation=aggregation))
    assert decide(text, {"amount": amount}, "singleEntry") == expected


def test_results() -> None:
    rules = [(["> 10"], ['"a"', "1.50"]), (["-"], ['"b"', "-"])]
    text = dmn(table(rules, outputs=("level", "fee"), policy="COLLECT"))
    assert decide(text, {"amount": 50}, "collectEntries") == ["a", "b"]
    first = dmn(table(rules, outputs=("level", "fee"), policy="FIRST"))
    assert decide(first, {"amount": 50}, "singleResult") == {"level": "a", "fee": Decimal("1.5")}
    assert decide(first, {"amount": 50}, "singleEntry") == "a"
    assert decide(first, {"amount": 5}, "singleResult") == {"level": "b", "fee": None}
    with pytest.raises(decisions.DecisionError):
        decide(text, {"amount": 50}, "singleResult")


def test_a_decision_may_require_another_and_an_expression() -> None:
    twice = '<variable name="twice"/><literalExpression><text>amount * 2</text></literalExpression>'
    factor = f'<decision id="factor">{twice}</decision>'
    first = table(
        [([">= 100"], ['"large"']), (["< 100"], ['"small"'])],
        id="size",
        inputs=("twice",),
        requires="factor",
        outputs=("size",),
    )
    second = table([(['"large"'], ["3"]), (['"small"'], ["1"])], inputs=("size",), requires="size")
    text = dmn(second, first, factor)
    assert decide(text, {"amount": 50}, "singleEntry") == 3
    assert decide(text, {"amount": 49}, "singleEntry") == 1


@pytest.mark.parametrize(
    ("text", "where"),
    [
        (dmn(table([], policy="PRIORITY")), "limits"),
        (dmn(table([], policy="COLLECT", aggregation="AVG")), "limits"),
        (dmn(table([], policy="COLLECT", aggregation="SUM", outputs=("a", "b"))), "limits"),
        (dmn(table([(["1", "2"], ["3"])])), "r0"),
        (dmn(table([(["a b"], ["3"])])), "r0"),
        (dmn(table([(["1"], ["java.lang.System.exit(0)"])])), "r0"),
        (dmn(table([], inputs=("date and time(x)",))), "limits"),
        (dmn(table([], outputs=("a", "a"))), "limits"),
        (dmn(table([], requires="nowhere")), "limits"),
        (dmn(table([], requires="limits")), "limits"),
        (dmn(table([]), table([])), "limits"),
        (dmn('<decision id="limits"/>'), "limits"),
    ],
)
def test_what_cannot_be_decided_is_found_at_deploy(text: str, where: str) -> None:
    found = decisions.read({"t.dmn": text})
    assert where in {one.where for one in found.problems}
    assert {one.rule for one in found.problems} == {"decision"}


def test_a_business_rule_task_keeps_the_result_and_timers_use_it() -> None:
    d = Drawing()
    d.start()
    d.add(
        "businessRuleTask",
        "rule",
        camunda_decisionRef="limits",
        camunda_resultVariable="limits",
        camunda_mapDecisionResult="singleResult",
    )
    d.user("approve", camunda_dueDate="${working_hours(limits.hours)}")
    d.end()
    d.chain("start", "rule", "approve", "end")
    text = dmn(table([([">= 1000"], ["8"]), (["< 1000"], ["16"])], outputs=("hours",)))
    play = Play(compiled(d, limits__dmn=text), {"amount": "1000.00"})
    assert play.data["limits"] == {"hours": 8}
    assert play.changes.opened[0].due_at is not None


def test_a_decision_that_fails_is_an_incident() -> None:
    d = Drawing()
    d.start()
    d.add("businessRuleTask", "rule", camunda_decisionRef="limits", camunda_resultVariable="limits")
    d.chain("start", "rule")
    play = Play(compiled(d, limits__dmn=dmn(table(OVERLAPPING))), {"amount": 500})
    assert list(play.failures.values()) == ["decision"]
