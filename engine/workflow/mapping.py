"""Which element of a new version stands for which of the old: by id, name, surroundings, or a person's word."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeVar

from engine.errors import InvalidForm, Problem
from engine.i18n import Sentence, _
from engine.workflow.diagram import BOUNDARY, END, START, Diagram, Shape

Key = TypeVar("Key", bound=Hashable)
Reason = Literal["same", "name", "neighbours", "person", "none"]

SURE = 100
NAMED = 90
BETWEEN = 80
"""the same elements before it and behind it"""
BESIDE = 60
"""the same elements on one of its sides"""


@dataclass(frozen=True, slots=True)
class Match:
    """Where what stands in `old` goes; `new` is "" when nothing of the new version stands for it."""

    old: str
    new: str
    kind: str
    name: str
    new_name: str
    reason: Reason
    confidence: int
    """0 to 100"""


@dataclass(frozen=True, slots=True)
class NodeMap:
    """From every element of an old version to one of the new."""

    matches: tuple[Match, ...]

    @property
    def elements(self) -> dict[str, str]:
        """Old key -> new key, without those that nothing stands for."""
        return {match.old: match.new for match in self.matches if match.new}

    @property
    def moved(self) -> dict[str, str]:
        """Those whose key is another one now."""
        return {old: new for old, new in self.elements.items() if old != new}


def kind_of(diagram: Diagram, shape: Shape) -> str:
    """Elements of one kind can hold each other's tokens."""
    inner = diagram.scopes.get(shape.key)
    if shape.tag == "subProcess" and inner is not None and inner.by_event:
        return "eventSubProcess"
    if shape.events or shape.tag in {START, END, BOUNDARY}:
        return f"{shape.tag}:{shape.kind}"
    return shape.tag


def can_hold(shape: Shape) -> bool:
    """A token, or a listener, may stand here between two steps; at a start stands what was sent back to its starter."""
    return shape.tag != END


def make(old: Diagram, new: Diagram, chosen: Mapping[str, str] | None = None) -> NodeMap:
    """chosen: a person's word, old key -> new key, "" for none; it comes before what is found.

    Raises InvalidForm for a choice that cannot be: an element that is not there, or one of another kind.
    """
    chosen = chosen or {}
    finder = _Finder(old, new)
    _check(finder, chosen)
    found = finder.find(chosen)
    matches = []
    for key, shape in finder.old.items():
        if can_hold(shape):
            target, reason, confidence = found.get(key, ("", "none", 0))
            name = finder.new[target].node.name if target else ""
            matches.append(
                Match(key, target, finder.kinds[key], shape.node.name or key, name or target, reason, confidence)
            )
    return NodeMap(tuple(matches))


def candidates(old: Diagram, new: Diagram, key: str) -> list[Shape]:
    """What a person may choose for this element: those of its kind, in the order they are drawn."""
    shapes = {shape.key: shape for _scope, shape in old.shapes()}
    if key not in shapes:
        return []
    kind = kind_of(old, shapes[key])
    return [shape for _scope, shape in new.shapes() if kind_of(new, shape) == kind]


def _check(finder: _Finder, chosen: Mapping[str, str]) -> None:
    problems = []
    for old, new in chosen.items():
        message: Sentence | None = None
        if old not in finder.old:
            message = _("There is no element “{element}” in the old version.", element=old)
        elif new and new not in finder.new:
            message = _("There is no element “{element}” in the new version.", element=new)
        elif new and finder.kinds[old] != finder.new_kinds[new]:
            message = _("“{old}” and “{new}” are of different kinds.", old=old, new=new)
        if message is not None:
            problems.append(Problem(old, message, _("Choose an element of the same kind."), rule="node_map"))
    if problems:
        raise InvalidForm(problems)


class _Finder:
    def __init__(self, old: Diagram, new: Diagram) -> None:
        self.old = {shape.key: shape for _scope, shape in old.shapes()}
        self.new = {shape.key: shape for _scope, shape in new.shapes()}
        self.kinds = {key: kind_of(old, shape) for key, shape in self.old.items()}
        self.new_kinds = {key: kind_of(new, shape) for key, shape in self.new.items()}
        self.around_old, self.around_new = _around(old), _around(new)
        self.found: dict[str, tuple[str, Reason, int]] = {}
        self.taken: set[str] = set()

    def find(self, chosen: Mapping[str, str]) -> dict[str, tuple[str, Reason, int]]:
        for old, new in chosen.items():
            self._take(old, new, "person", SURE)
        for key, kind in self.kinds.items():
            if key not in self.found and key not in self.taken and self.new_kinds.get(key) == kind:
                self._take(key, key, "same", SURE)
        self._by_name()
        while self._by_neighbours():
            pass
        return self.found

    def _take(self, old: str, new: str, reason: Reason, confidence: int) -> None:
        self.found[old] = (new, reason, confidence)
        if new:
            self.taken.add(new)

    def _left(self) -> tuple[list[str], list[str]]:
        return [key for key in self.old if key not in self.found], [key for key in self.new if key not in self.taken]

    def _by_name(self) -> None:
        """One of this name and kind is left on either side."""
        old, new = self._left()
        named_old = _grouped((self._called(self.old[key], self.kinds[key]), key) for key in old)
        named_new = _grouped((self._called(self.new[key], self.new_kinds[key]), key) for key in new)
        for called, keys in named_old.items():
            others = named_new.get(called, [])
            if called[1] and len(keys) == len(others) == 1:
                self._take(keys[0], others[0], "name", NAMED)

    @staticmethod
    def _called(shape: Shape, kind: str) -> tuple[str, str]:
        return kind, " ".join(shape.node.name.split()).casefold()

    def _by_neighbours(self) -> bool:
        """One round of looking at what is left; True when something was found, which may tell more in the next."""
        old, new = self._left()
        offers = []
        for key in old:
            rated = [(self._likeness(key, other), other) for other in new if self.new_kinds[other] == self.kinds[key]]
            best = max((rate for rate, _other in rated), default=0)
            if best and sum(rate == best for rate, _other in rated) == 1:
                offers.append((best, key, next(other for rate, other in rated if rate == best)))
        if not offers:
            return False
        highest = max(rate for rate, _key, _other in offers)
        wanted = _grouped((other, key) for rate, key, other in offers if rate == highest)
        sure = [(keys[0], other) for other, keys in wanted.items() if len(keys) == 1]
        for key, other in sure:
            self._take(key, other, "neighbours", highest)
        return bool(sure)

    def _likeness(self, key: str, other: str) -> int:
        host, new_host = self.old[key].attached_to, self.new[other].attached_to
        if host or new_host:  # an event is where its host is
            return BETWEEN if self._image(host) == new_host else 0
        before, behind = self.around_old[key]
        new_before, new_behind = self.around_new[other]
        sides = [bool(mine) and {self._image(one) for one in mine} == theirs
                 for mine, theirs in ((before, new_before), (behind, new_behind))]  # fmt: skip
        return BETWEEN if all(sides) else BESIDE if any(sides) else 0

    def _image(self, key: str) -> str | None:
        return self.found[key][0] or None if key in self.found else None


def _around(diagram: Diagram) -> dict[str, tuple[set[str], set[str]]]:
    """Element -> (those before it, those behind it)."""
    return {
        shape.key: (
            {flow.source for flow in scope.incoming(shape.key)},
            {flow.target for flow in scope.outgoing(shape.key)},
        )
        for scope, shape in diagram.shapes()
    }


def _grouped(pairs: Iterable[tuple[Key, str]]) -> dict[Key, list[str]]:
    groups: dict[Key, list[str]] = defaultdict(list)
    for key, one in pairs:
        groups[key].append(one)
    return groups
