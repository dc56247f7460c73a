"""How much of a field somebody sees: the widest rule holds, one that narrows is never exceeded."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from processes.party.rules.sight import MASKED, WHOLE, Sight, sight, usual


@dataclass(frozen=True)
class Rule:
    sees: str
    extent: str = "everywhere"
    reveals: bool = True
    narrows: bool = False


def seen(*rules: Rule, is_worked: bool = True) -> Sight:
    return sight(rules, is_worked=is_worked, otherwise=usual(is_worked=is_worked))


def test_without_a_rule_ones_own_are_whole_and_others_masked() -> None:
    assert (seen(), seen(is_worked=False)) == (WHOLE, MASKED)


@pytest.mark.parametrize(
    ("rules", "own", "others"),
    [
        ([Rule("masked")], MASKED, MASKED),
        ([Rule("hidden")], Sight("hidden"), Sight("hidden")),
        ([Rule("visible")], WHOLE, WHOLE),
        ([Rule("hidden", "others")], WHOLE, Sight("hidden")),
        ([Rule("hidden"), Rule("visible", "others")], Sight("hidden"), WHOLE),
        (
            [Rule("masked", reveals=False), Rule("hidden")],
            Sight("masked", reveals=False),
            Sight("masked", reveals=False),
        ),
        ([Rule("masked", reveals=False), Rule("masked")], MASKED, MASKED),
        ([Rule("visible"), Rule("masked", narrows=True)], MASKED, MASKED),
        ([Rule("visible", narrows=True)], WHOLE, MASKED),
        ([Rule("masked", reveals=False, narrows=True)], Sight("masked", reveals=False), Sight("masked", reveals=False)),
        ([Rule("masked", narrows=True), Rule("hidden")], Sight("hidden"), Sight("hidden")),
        ([Rule("hidden", "others", narrows=True), Rule("visible")], WHOLE, Sight("hidden")),
    ],
)
def test_the_widest_holds_and_narrowing_is_never_exceeded(rules: list[Rule], own: Sight, others: Sight) -> None:
    assert (seen(*rules), seen(*rules, is_worked=False)) == (own, others)
    assert (seen(*reversed(rules)), seen(*reversed(rules), is_worked=False)) == (own, others)
