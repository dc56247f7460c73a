"""Why tokens went the way they went, told from the path of a step: conditions of flows, rules of tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from typing import Any

from engine.expressions import Expression, ExpressionError
from engine.expressions.values import Layered
from engine.workflow.compiled import Compiled
from engine.workflow.contract import Choice, Host
from engine.workflow.names import FACTS
from engine.workflow.specs.element import Element, Way
from engine.workflow.specs.tasks import RuleTask
from engine.workflow.values import clean

_TEXT = re.compile(r"\"[^\"]*\"|'[^']*'")
_READ = re.compile(r"(?<![\w.])[^\W\d]\w*(?:\s*\.\s*[^\W\d]\w*)*(?!\s*\()")
_WRAPPED = re.compile(r"\s*[$#]\{([^{}]*)\}\s*", re.DOTALL)
_NOTHING = object()


def made(
    process: Compiled, path: Iterable[tuple[str, str]], variables: Mapping[str, Any], host: Host
) -> tuple[Choice, ...]:
    """The choices of a step, in order; `variables` are those after it.

    They may have changed since the choice was made. So a choice is weighed again: where it would come out otherwise
    now, a flow keeps silent about values and a table about everything.
    """
    return tuple(_choices(_elements(process), path, _Seen(variables, host)))


def _elements(process: Compiled) -> dict[str, Element]:
    scopes = (process.spec, *process.specs.values())
    return {
        element.key: element
        for scope in scopes
        for element in scope.task_specs.values()
        if isinstance(element, Element) and not element.repeats
    }


def _choices(elements: Mapping[str, Element], path: Iterable[tuple[str, str]], names: _Seen) -> Iterator[Choice]:
    left: Element | None = None
    for id, mark in path:
        if mark == "left":
            left = elements.get(id)
            choice = _of_table(left, names) if isinstance(left, RuleTask) else None
            if choice is not None:
                yield choice
        elif mark == "taken" and left is not None and left.conditional:  # its flows stand right behind it
            yield from (_of_flow(left, way, names) for way in left.ways if way.id == id)


# ------------------------------------------------------------------------------------------------------ flows


def _of_flow(element: Element, way: Way, names: _Seen) -> Choice:
    otherwise = way is element.default
    asked = [other.condition for other in element.ways if other.condition is not None] if otherwise else [way.condition]
    conditions = [one for one in asked if one is not None]
    still = all(_holds(one, names) is not otherwise for one in conditions)
    return Choice(
        node=element.key,
        question=element.shape.node.name,
        answer=way.name,
        conditions=tuple(_bare(one.text) for one in conditions),
        values=_values(conditions, names) if still else {},
        otherwise=otherwise,
        flow=way.id,
    )


def _holds(condition: Expression, names: _Seen) -> bool | None:
    try:
        return condition.holds(names)
    except ExpressionError:
        return None


def _bare(text: str) -> str:
    wrapped = _WRAPPED.fullmatch(text)
    return " ".join((wrapped[1] if wrapped else text).split())


# ------------------------------------------------------------------------------------------------------ tables


def _of_table(task: RuleTask, names: _Seen) -> Choice | None:
    try:
        given = {name: clean(one.evaluate(names)) for name, one in task.inputs_of.items()}
        seen = Layered(given, names)
        if not task.result_variable or clean(task.decide(seen)) != names.get(task.result_variable, _NOTHING):
            return None
        why = task.explain(seen)
    except ExpressionError:
        return None
    if not why.rules or not why.decision.inputs:
        return None
    return Choice(
        node=task.key,
        question=why.decision.name,
        answer=why.words(),
        conditions=why.conditions(),
        values=_values(why.decision.inputs, seen),
    )


# ------------------------------------------------------------------------------------------------------ values


class _Seen(Mapping[str, Any]):
    """The names an expression would see now."""

    def __init__(self, variables: Mapping[str, Any], host: Host) -> None:
        self._variables = variables
        self._host = host

    def __getitem__(self, name: str) -> Any:
        if name == "form":
            return self._host.form_values() or self._variables.get("form", {})
        return self._host.facts().get(name) if name in FACTS else self._variables[name]

    def __contains__(self, name: object) -> bool:
        return name in FACTS or name in self._variables

    def __iter__(self) -> Iterator[str]:
        return iter({*FACTS, *self._variables})

    def __len__(self) -> int:
        return len({*FACTS, *self._variables})


def _values(expressions: Iterable[Expression], names: Mapping[str, Any]) -> dict[str, Any]:
    """What these read, by its path; only what can be said in a word."""
    found: dict[str, Any] = {}
    for expression in expressions:
        for match in _READ.finditer(_TEXT.sub("", expression.text)):
            path = [part.strip() for part in match[0].split(".")]
            if path[0] in expression.names:
                value = _at(path, names)
                if value is None or isinstance(value, (bool, int, float, str, Decimal)):
                    found[".".join(path)] = value
    return found


def _at(path: list[str], names: Mapping[str, Any]) -> Any:
    value: Any = names
    for part in path:
        if not isinstance(value, Mapping) or part not in value:
            return _NOTHING
        value = value[part]
    return value
