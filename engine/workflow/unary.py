"""The cells of a decision table: `< 250`, `[250..1000]`, `"Misc", "Travel"`, `not("Misc")`, `-`."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from engine.expressions import Expression, ExpressionError, compile_expression
from engine.expressions.values import equal, order
from engine.i18n import _

Test = Callable[[Any, Mapping[str, Any]], bool]

_INTERVAL = re.compile(r"(?P<open>[\[\](])\s*(?P<low>.+?)\s*\.\.\s*(?P<high>.+?)\s*(?P<close>[\[\])])", re.DOTALL)
_COMPARISON = re.compile(r"(?P<operator><=|>=|!=|<|>|=)(?!=)\s*(?P<operand>.+)", re.DOTALL)
_NOT = re.compile(r"not\s*\((?P<inner>.*)\)", re.DOTALL)

_COMPARE: dict[str, Callable[[Any, Any], bool]] = {
    "<": lambda a, b: order(a, b) < 0,
    "<=": lambda a, b: order(a, b) <= 0,
    ">": lambda a, b: order(a, b) > 0,
    ">=": lambda a, b: order(a, b) >= 0,
    "=": equal,
    "!=": lambda a, b: not equal(a, b),
}


def compile_test(text: str) -> Test:
    """A cell's test of (value, names); commas mean "or", a dash or nothing means anything."""
    text = text.strip()
    if text in {"", "-"}:
        return lambda value, names: True
    negated = _NOT.fullmatch(text)
    if negated and _closes_at_end(text):
        inner = compile_test(negated["inner"])
        return lambda value, names: not inner(value, names)
    tests = [_single(part) for part in _parts(text)]
    if len(tests) == 1:
        return tests[0]
    return lambda value, names: any(test(value, names) for test in tests)


def _single(text: str) -> Test:
    interval = _INTERVAL.fullmatch(text)
    if interval:
        return _interval(interval)
    comparison = _COMPARISON.fullmatch(text)
    if comparison:
        compare, operand = _COMPARE[comparison["operator"]], compile_expression(comparison["operand"])
        ordering = comparison["operator"] not in {"=", "!="}
        return lambda value, names: not (ordering and value is None) and compare(value, operand.evaluate(names))
    return _equality(compile_expression(text))


def _equality(expression: Expression) -> Test:
    """Equal to the value, one of a list, or a question that holds by itself."""

    def test(value: Any, names: Mapping[str, Any]) -> bool:
        wanted = expression.evaluate(names)
        if isinstance(wanted, list):
            return any(equal(value, one) for one in wanted)
        if wanted is True and not isinstance(value, bool) and expression.names:
            return True
        return equal(value, wanted)

    return test


def _interval(match: re.Match[str]) -> Test:
    low, high = compile_expression(match["low"]), compile_expression(match["high"])
    above = _COMPARE[">=" if match["open"] == "[" else ">"]
    below = _COMPARE["<=" if match["close"] == "]" else "<"]
    return lambda value, names: (
        value is not None and above(value, low.evaluate(names)) and below(value, high.evaluate(names))
    )


def _parts(text: str) -> list[str]:
    """Cut at commas outside of strings and brackets; an interval's brackets may be turned outwards."""
    parts, part, quote, level = [], "", "", 0
    for sign in text:
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in "([":
            level += 1
        elif sign in ")]":
            level -= 1
        if sign == "," and not quote and level == 0:
            parts.append(part.strip())
            part = ""
        else:
            part += sign
    parts.append(part.strip())
    if not all(parts):
        raise ExpressionError(_("The cell {text} has an empty part.", text=text))
    return parts


def _closes_at_end(text: str) -> bool:
    level = 0
    for at, sign in enumerate(text):
        level += (sign == "(") - (sign == ")")
        if level == 0 and sign == ")":
            return at == len(text) - 1
    return False
