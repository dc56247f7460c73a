"""The expression language of diagrams, mappings and decision tables: Python's grammar, whitelisted, bounded, no `eval`.

`${amount > 5000 && form.kind == "travel"}` and the bare text mean the same. Names are process variables, `form` and the
facts of the instance; `a.b` reads a key of a mapping, never an attribute; calls reach only FUNCTIONS. An expression is
compiled once into closures, so evaluating it costs a few function calls.
"""

from __future__ import annotations

import keyword
import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from engine.expressions import values
from engine.expressions.compiler import Code, Names, compile_bare
from engine.expressions.functions import FUNCTIONS
from engine.expressions.syntax import MAX_SOURCE, short
from engine.expressions.values import ExpressionError, UnknownName, WorkingTime
from engine.i18n import _

__all__ = [
    "FUNCTIONS",
    "Expression",
    "ExpressionError",
    "Script",
    "UnknownName",
    "WorkingTime",
    "compile_expression",
    "compile_script",
]


@dataclass(frozen=True, slots=True)
class Expression:
    """A compiled expression or template; `names` answers KeyError for what is not there."""

    text: str
    code: Code
    names: frozenset[str]
    """the variables it reads"""

    def evaluate(self, names: Names) -> Any:
        return self.code(names)

    def holds(self, names: Names) -> bool:
        return values.truth(self.code(names))


@dataclass(frozen=True, slots=True)
class Script:
    """Assignments, one per line or separated by `;`: `total = sum(form.lines, "amount")`, `limits.days = 3`."""

    text: str
    assignments: tuple[tuple[tuple[str, ...], Expression], ...]

    @property
    def targets(self) -> frozenset[str]:
        return frozenset(path[0] for path, _expression in self.assignments)

    def run(self, names: Names) -> dict[str, Any]:
        """The variables it sets, later lines seeing what earlier ones set; nothing given in `names` is changed."""
        changed: dict[str, Any] = {}
        view = values.Layered(changed, names)
        for path, expression in self.assignments:
            value = expression.evaluate(view)
            before = view[path[0]] if len(path) > 1 and path[0] in view else None
            changed[path[0]] = values.assigned(before, path[1:], value)
        return changed


_RESERVED = frozenset({*keyword.kwlist, "null", "true", "false"})
_WRAPPED = re.compile(r"\s*[$#]\{(?P<inner>[^{}]*)\}\s*", re.DOTALL)
_PLACE = re.compile(r"[$#]\{([^{}]*)\}", re.DOTALL)


@lru_cache(maxsize=20_000)
def compile_expression(text: str) -> Expression:
    """Read `${…}`, `#{…}`, bare text, or text with several `${…}` in it (a template: its value is text)."""
    if len(text) > MAX_SOURCE:
        raise ExpressionError(_("The expression is too long: {text}", text=short(text)))
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped:
        return _compile_bare(wrapped["inner"], text)
    if _PLACE.search(text) and text.lstrip()[:1] not in "\"'":
        return _compile_template(text)
    return _compile_bare(text, text)


def _compile_bare(source: str, text: str) -> Expression:
    code, names = compile_bare(source)
    return Expression(text, code, names)


def _compile_template(text: str) -> Expression:
    parts: list[str | Expression] = []
    at = 0
    for place in _PLACE.finditer(text):
        parts += [text[at : place.start()], _compile_bare(place[1], text)]
        at = place.end()
    parts.append(text[at:])
    read = frozenset().union(*(part.names for part in parts if isinstance(part, Expression)))

    def fill(names: Names) -> str:
        return values.bounded(
            "".join(part if isinstance(part, str) else values.text(part.code(names)) for part in parts)
        )

    return Expression(text, fill, read)


_TARGET = re.compile(r"\s*([^\W\d]\w*(?:\s*\.\s*[^\W\d]\w*)*)\s*=(?!=)\s*(.+)", re.DOTALL)


@lru_cache(maxsize=2_000)
def compile_script(text: str) -> Script:
    """Read the assignments of a script task; anything else in it is refused."""
    if len(text) > MAX_SOURCE:
        raise ExpressionError(_("The script is too long: {text}", text=short(text)))
    assignments = []
    for line in _lines(text):
        match = _TARGET.fullmatch(line)
        if match is None:
            raise ExpressionError(
                _("A script holds assignments only, like total = a + b, not: {text}", text=short(line))
            )
        path = tuple(part.strip() for part in match[1].split("."))
        if path[0] in _RESERVED or any(part.startswith("__") for part in path):
            raise ExpressionError(_("{name} cannot be the name of a variable.", name=match[1]))
        assignments.append((path, compile_expression(match[2])))
    if not assignments:
        raise ExpressionError(_("The script is empty."))
    return Script(text, tuple(assignments))


def _lines(text: str) -> list[str]:
    """Cut at newlines and semicolons that stand outside of strings and brackets."""
    lines, line, quote, level = [], "", "", 0
    for sign in text:
        if quote:
            quote = "" if sign == quote and not line.endswith("\\") else quote
        elif sign in "\"'":
            quote = sign
        level += 0 if quote else (sign in "([") - (sign in ")]")
        if sign in "\n;" and not quote and level <= 0:
            lines.append(line)
            line = ""
        else:
            line += sign
    lines.append(line)
    return [line for line in lines if line.strip() and not line.strip().startswith("#")]
