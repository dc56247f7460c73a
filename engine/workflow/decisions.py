"""DMN: decision tables and literal expressions with their requirements, evaluated in our expression language."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from lxml import etree

from engine.errors import Problem
from engine.expressions import Expression, ExpressionError, compile_expression
from engine.expressions.functions import FUNCTIONS
from engine.expressions.values import Layered
from engine.i18n import Sentence, _
from engine.workflow import unary, xml_guard

POLICIES = frozenset({"UNIQUE", "FIRST", "ANY", "COLLECT", "RULE ORDER"})
AGGREGATORS = {"SUM": "sum", "MIN": "min", "MAX": "max", "COUNT": "len"}
RESULTS = frozenset({"singleEntry", "singleResult", "collectEntries", "resultList"})


class DecisionError(ExpressionError):
    code = "decision"


@dataclass(frozen=True, slots=True)
class Rule:
    tests: tuple[unary.Test, ...]
    outputs: tuple[Expression | None, ...]
    cells: tuple[str, ...] = ()
    """the tests as they were written"""
    description: str = ""


@dataclass(frozen=True, slots=True)
class Decision:
    """One decision; a literal expression is a table without inputs and with one rule."""

    id: str
    name: str
    inputs: tuple[Expression, ...]
    outputs: tuple[str, ...]
    rules: tuple[Rule, ...]
    policy: str
    aggregator: str
    requires: tuple[str, ...]
    labels: tuple[str, ...] = ()
    """of the input columns"""

    def rows(self, names: Mapping[str, Any]) -> list[dict[str, Any]]:
        """The output rows of the rules that match, as the hit policy has it."""
        hits: list[dict[str, Any]] = []
        for rule in self.matching(names):
            values = (one.evaluate(names) if one else None for one in rule.outputs)
            hits.append(dict(zip(self.outputs, values, strict=True)))
        return self._by_policy(hits)

    def matching(self, names: Mapping[str, Any]) -> Iterator[Rule]:
        given = [expression.evaluate(names) for expression in self.inputs]
        for rule in self.rules:
            if all(test(value, names) for test, value in zip(rule.tests, given, strict=True)):
                yield rule
                if self.policy == "FIRST":
                    break

    def _by_policy(self, hits: list[dict[str, Any]]) -> list[dict[str, Any]]:
        if self.policy == "UNIQUE" and len(hits) > 1:
            raise DecisionError(_("More than one rule of {decision} matches; only one may.", decision=self.name))
        if self.policy == "ANY":
            if any(hit != hits[0] for hit in hits[1:]):
                raise DecisionError(_("Rules of {decision} match with different results.", decision=self.name))
            return hits[:1]
        if self.aggregator and (hits or self.aggregator in {"SUM", "COUNT"}):
            name = self.outputs[0]
            return [{name: FUNCTIONS[AGGREGATORS[self.aggregator]].call([hit[name] for hit in hits])}]
        return hits

    @property
    def many(self) -> bool:
        return self.policy in {"COLLECT", "RULE ORDER"} and not self.aggregator


@dataclass(frozen=True, slots=True)
class Explanation:
    """A decision and the rules of it that hit."""

    decision: Decision
    rules: tuple[Rule, ...]

    def words(self) -> str:
        """What the rules say of themselves."""
        return "; ".join(rule.description for rule in self.rules if rule.description)

    def conditions(self) -> tuple[str, ...]:
        """The cells that hit, each after the label of its column; those that mean anything are left out."""
        return tuple(
            f"{label} {cell}".strip()
            for rule in self.rules
            for label, cell in zip(self.decision.labels, rule.cells, strict=True)
            if cell not in {"", "-"}
        )


@dataclass(slots=True)
class Decisions:
    """All decisions of a definition, by id."""

    by_id: dict[str, Decision] = field(default_factory=dict)
    problems: list[Problem] = field(default_factory=list)

    def decider(self, id: str, result: str) -> Callable[[Mapping[str, Any]], Any]:
        """Names -> the decision's result in the shape `camunda:mapDecisionResult` asks for."""
        decision = self.by_id[id]
        return lambda names: _shaped(decision, self._decide(decision, names, {}), result or "resultList")

    def explainer(self, id: str) -> Callable[[Mapping[str, Any]], Explanation]:
        """Names -> why the decision came out as it did."""
        decision = self.by_id[id]

        def explain(names: Mapping[str, Any]) -> Explanation:
            known: dict[str, Any] = {}
            self._decide(decision, names, known)
            return Explanation(decision, tuple(decision.matching(Layered(known, names))))

        return explain

    def _decide(self, decision: Decision, names: Mapping[str, Any], known: dict[str, Any]) -> list[dict[str, Any]]:
        """What it requires is decided first; its results are names for it, by output and by decision id."""
        for required in decision.requires:
            if required not in known:
                before = self.by_id[required]
                rows = self._decide(before, names, known)
                known[required] = rows if before.many else (rows[0] if rows else None)
                for name in before.outputs:
                    column = [row[name] for row in rows]
                    known[name] = column if before.many else (column[0] if column else None)
        return decision.rows(Layered(known, names) if known else names)


def _shaped(decision: Decision, rows: list[dict[str, Any]], result: str) -> Any:
    if result == "resultList":
        return rows
    if result == "collectEntries":
        return [next(iter(row.values())) for row in rows]
    if len(rows) > 1:
        raise DecisionError(_("{decision} has several results where one is asked for.", decision=decision.name))
    if not rows:
        return None
    return next(iter(rows[0].values())) if result == "singleEntry" else rows[0]


# ------------------------------------------------------------------------------------------------------ reading


def read(files: Mapping[str, str]) -> Decisions:
    """Read every .dmn of a definition; what cannot be evaluated stands in `problems`."""
    decisions = Decisions()
    for file, text in files.items():
        if file.endswith(".dmn"):
            try:
                root = xml_guard.parse(text, file)
            except xml_guard.HostileXml as refused:
                decisions.problems.append(refused.problem)
            else:
                _Reader(file, decisions).read(root)
    for decision in decisions.by_id.values():
        for required in decision.requires:
            if required not in decisions.by_id:
                _note(decisions, "", decision.id, "decision", _("The decision {id} does not exist.", id=required))
    for id in _circular(decisions.by_id):
        _note(decisions, "", id, "decision", _("The decision {id} requires itself.", id=id))
    return decisions


def _note(decisions: Decisions, file: str, where: str, rule: str, message: Sentence) -> None:
    decisions.problems.append(Problem(where=where, message=message, rule=rule, file=file))


def _circular(by_id: Mapping[str, Decision]) -> Iterator[str]:
    for id in by_id:
        seen: set[str] = set()
        todo = list(by_id[id].requires)
        while todo:
            at = todo.pop()
            if at == id:
                yield id
                break
            if at not in seen and at in by_id:
                seen.add(at)
                todo.extend(by_id[at].requires)


def _local(element: etree._Element) -> str:
    return str(etree.QName(element).localname)


def _children(element: etree._Element, tag: str) -> list[etree._Element]:
    return [child for child in element if _local(child) == tag]


def _text(element: etree._Element) -> str:
    return "".join("".join(str(part) for part in child.itertext()) for child in _children(element, "text")).strip()


class _Reader:
    def __init__(self, file: str, decisions: Decisions) -> None:
        self.file = file
        self.decisions = decisions

    def read(self, root: etree._Element) -> None:
        """Namespaces of DMN differ by version; local names do not."""
        for element in _children(root, "decision"):
            id = element.get("id") or ""
            if not id or id in self.decisions.by_id:
                self._problem(id or self.file, _("Two decisions have the id {id}.", id=id))
                continue
            decision = self._decision(id, element)
            if decision is not None:
                self.decisions.by_id[id] = decision

    def _decision(self, id: str, element: etree._Element) -> Decision | None:
        name = element.get("name") or id
        requires = tuple(
            (required.get("href") or "").rpartition("#")[2]
            for requirement in _children(element, "informationRequirement")
            for required in _children(requirement, "requiredDecision")
        )
        for literal in _children(element, "literalExpression"):
            variable = next((one.get("name") for one in _children(element, "variable")), None) or id
            rule = Rule((), (self._expression(id, _text(literal)),))
            return Decision(id, name, (), (variable,), (rule,), "FIRST", "", requires)
        for table in _children(element, "decisionTable"):
            return self._table(id, name, table, requires)
        self._problem(id, _("The decision {id} has neither a table nor an expression.", id=id))
        return None

    def _table(self, id: str, name: str, table: etree._Element, requires: tuple[str, ...]) -> Decision:
        policy, aggregator = table.get("hitPolicy") or "UNIQUE", table.get("aggregation") or ""
        if policy not in POLICIES:
            self._problem(id, _("The hit policy {policy} does not run here.", policy=policy))
        if aggregator and (aggregator not in AGGREGATORS or policy != "COLLECT"):
            self._problem(id, _("The aggregation {name} does not run here.", name=aggregator))
        inputs = tuple(
            found
            for column in _children(table, "input")
            if (found := self._expression(column.get("id") or id, self._input_text(column))) is not None
        )
        outputs = tuple(column.get("name") or column.get("id") or "" for column in _children(table, "output"))
        if not outputs or len(set(outputs)) != len(outputs):
            self._problem(id, _("Every output column of {id} needs a name of its own.", id=id))
        if aggregator and len(outputs) != 1:
            self._problem(id, _("An aggregation needs exactly one output column."))
        rules = tuple(self._rule(id, rule, len(inputs), len(outputs)) for rule in _children(table, "rule"))
        labels = tuple(column.get("label") or self._input_text(column) for column in _children(table, "input"))
        return Decision(id, name, inputs, outputs, rules, policy, aggregator, requires, labels)

    def _input_text(self, column: etree._Element) -> str:
        return next((_text(one) for one in _children(column, "inputExpression")), "")

    def _rule(self, id: str, element: etree._Element, inputs: int, outputs: int) -> Rule:
        where = element.get("id") or id
        tests, results = _children(element, "inputEntry"), _children(element, "outputEntry")
        if len(tests) != inputs or len(results) != outputs:
            self._problem(where, _("The rule does not have one cell for each column."))
        return Rule(
            tuple(self._test(where, _text(one)) for one in tests),
            tuple(self._expression(where, _text(one)) if _text(one) not in {"", "-"} else None for one in results),
            tuple(_text(one) for one in tests),
            next((" ".join((one.text or "").split()) for one in _children(element, "description")), ""),
        )

    def _test(self, where: str, text: str) -> unary.Test:
        try:
            return unary.compile_test(text)
        except ExpressionError as error:
            self._problem(where, error.message)
            return lambda _value, _names: False

    def _expression(self, where: str, text: str) -> Expression | None:
        try:
            return compile_expression(text)
        except ExpressionError as error:
            self._problem(where, error.message)
            return None

    def _problem(self, where: str, message: Sentence) -> None:
        _note(self.decisions, self.file, where, "decision", message)
