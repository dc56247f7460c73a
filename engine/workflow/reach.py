"""Which places of a scope lead to which, and which can be held at once; reckoned once per definition, for jumps.

A place is an element, or a flow into a gateway that gathers: there tokens wait before the gateway has begun. A boundary
event is led to by its host. Sets of places are integers, a bit for each place.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from engine.workflow.specs.element import Element
from engine.workflow.specs.events import Boundary
from engine.workflow.specs.gateways import EventBased, Exclusive, Gathering, Parallel
from engine.workflow.specs.scopes import EventSubProcess


@dataclass(slots=True)
class _Place:
    after: list[int] = field(default_factory=list)
    forks: bool = False
    """may send tokens on several ways at once"""
    apart: bool = False
    """begins something beside the flow: a boundary event that leaves its host alone, an event sub-process"""


class Reach:
    """Drawn loops are opened first, by the order of the drawing: "before" and "behind" mean one round."""

    def __init__(self, elements: Iterable[Element], starts: Iterable[Element]) -> None:
        elements = list(elements)
        self._elements = {element.key: number for number, element in enumerate(elements)}
        self._flows: dict[str, int] = {}
        self._places = [_place(element) for element in elements]
        self._joins: list[Parallel] = []
        self._feeds: dict[str, list[int]] = {}
        for element in elements:
            if isinstance(element, Gathering):
                for flow in element.incoming:
                    self._flows[flow] = len(self._places)
                    self._places.append(_Place([self._elements[element.key]]))
            if isinstance(element, Parallel) and len(element.incoming) > 1:
                self._joins.append(element)
        for element in elements:
            after = self._places[self._elements[element.key]].after
            after += [self._flows.get(way.id, self._elements[way.target.key]) for way in element.ways]
            after += [self._elements[event.key] for event in element.boundaries]
        begin = [self._elements[start.key] for start in starts]
        order, kept = self._round(begin)
        self._behind, self._itself = self._lead(order, kept)
        self._beside = self._concur(order, kept, begin)

    def at(self, key: str, via: str | None = None) -> int:
        """The place of an element, or of the flow into it a token waits on."""
        return 1 << (self._elements[key] if via is None else self._flows[via])

    def spares(self, target: int, places: int) -> bool:
        """Whether a token on one of these places goes on when another one is put down at `target`.

        It does in a branch that runs beside the target's. It does not where it stands before or behind the target, or
        on another way out of the same choice, where never two are at once. An event that leaves its host alone does not
        make the host stand before what follows the event.
        """
        goal = target.bit_length() - 1
        numbers = _numbers(places)
        if self._behind[goal] & places or any(self._itself[number] & target for number in numbers):
            return False
        return any(self._beside[number] & target for number in numbers)

    def starving(self, places: int) -> Parallel | None:
        """A join that would wait for ever if tokens were on these places and nowhere else."""
        for join in self._joins:
            feeds = self._feeds_of(join)
            if any(feed & places for feed in feeds) and not all(feed & places for feed in feeds):
                return join
        return None

    def _feeds_of(self, join: Parallel) -> list[int]:
        """For each flow into it the places that lead there, round loops too, without passing the join itself."""
        found = self._feeds.get(join.key)
        if found is None:
            before = self._before()
            here = self._elements[join.key]
            found = [_backwards(self._flows[flow], before, here) for flow in join.incoming]
            self._feeds[join.key] = found
        return found

    def _before(self) -> list[list[int]]:
        before: list[list[int]] = [[] for _place in self._places]
        for number, place in enumerate(self._places):
            for after in place.after:
                before[after].append(number)
        return before

    def _round(self, begin: list[int]) -> tuple[list[int], list[list[int]]]:
        """The places in an order in which each comes after all that lead to it, and the flows that close no loop."""
        kept: list[list[int]] = [[] for _place in self._places]
        order: list[int] = []
        open_now: set[int] = set()
        done: set[int] = set()
        for root in (*begin, *range(len(self._places))):
            if root in done:
                continue
            open_now.add(root)
            stack = [(root, iter(self._places[root].after))]
            while stack:
                number, ahead = stack[-1]
                for after in ahead:
                    if after in open_now:
                        continue  # this flow closes a loop
                    kept[number].append(after)
                    if after not in done:
                        open_now.add(after)
                        stack.append((after, iter(self._places[after].after)))
                        break
                else:
                    stack.pop()
                    open_now.discard(number)
                    done.add(number)
                    order.append(number)
        return order[::-1], kept

    def _lead(self, order: list[int], kept: list[list[int]]) -> tuple[list[int], list[int]]:
        """Of each place what comes of a token there, and where the token itself may come to."""
        behind, itself = [0] * len(kept), [0] * len(kept)
        for number in reversed(order):
            behind[number] = itself[number] = 1 << number
            for after in kept[number]:
                behind[number] |= behind[after]
                if not self._places[after].apart:
                    itself[number] |= itself[after]
        return behind, itself

    def _concur(self, order: list[int], kept: list[list[int]], begin: list[int]) -> list[int]:
        """Of each place the places that can be held at the same time: ways to both part at a fork and share nothing."""
        everywhere = (1 << len(kept)) - 1
        together = sum(1 << number for number in set(begin))
        before: list[list[int]] = [[] for _place in kept]
        for number, ahead in enumerate(kept):
            for after in ahead:
                before[after].append(number)
        beside = [0] * len(kept)
        earlier = 0
        for number in order:
            here = 1 << number
            if self._places[number].apart:
                found = everywhere & ~self._behind[number]
            else:
                found = 0
                for source in before[number]:
                    found |= beside[source]
                    if self._places[source].forks:
                        found |= self._behind[source] & ~(1 << source)
                found &= earlier
                if together & here:
                    found |= together
            found &= ~here
            beside[number] |= found
            for other in _numbers(found):
                beside[other] |= here
            earlier |= here
        return beside


def _place(element: Element) -> _Place:
    forks = len(element.ways) > 1 and not isinstance(element, (Exclusive, EventBased))
    beside_host = isinstance(element, Boundary) and not element.interrupting and element.event.kind != "error"
    return _Place(forks=forks, apart=beside_host or isinstance(element, EventSubProcess))


def _numbers(places: int) -> list[int]:
    found = []
    while places:
        lowest = places & -places
        found.append(lowest.bit_length() - 1)
        places ^= lowest
    return found


def _backwards(start: int, before: list[list[int]], wall: int) -> int:
    seen, todo = 0, [start]
    while todo:
        number = todo.pop()
        if number != wall and not seen >> number & 1:
            seen |= 1 << number
            todo += before[number]
    return seen
