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
        self._elements = list(elements)
        self._numbers = {element.key: number for number, element in enumerate(self._elements)}
        self._flows: dict[str, int] = {}
        self._places = [_place(element) for element in self._elements]
        self._needs: dict[int, int] = {}
        """parallel joins and the places they wait for"""
        for number, element in enumerate(self._elements):
            if isinstance(element, Gathering):
                flows = range(len(self._places), len(self._places) + len(element.incoming))
                self._flows |= zip(element.incoming, flows, strict=True)
                self._places += [_Place([number]) for _flow in flows]
                if isinstance(element, Parallel) and len(flows) > 1:
                    self._needs[number] = sum(1 << flow for flow in flows)
        for number, element in enumerate(self._elements):
            after = self._places[number].after
            after += [self._flows.get(way.id, self._numbers[way.target.key]) for way in element.ways]
            after += [self._numbers[event.key] for event in element.boundaries]
        begin = [self._numbers[start.key] for start in starts]
        order, kept = self._round(begin)
        self._behind, self._itself = self._lead(order, kept)
        self._beside = self._concur(order, kept, begin)

    def at(self, key: str, via: str | None = None) -> int:
        """The place of an element, or of the flow into it a token waits on."""
        return 1 << (self._numbers[key] if via is None else self._flows[via])

    def spares(self, target: int, places: int) -> bool:
        """Whether a token on one of these places goes on when another one is put down at `target`.

        It does in a branch that runs beside the target's. It does not where it stands before or behind the target, or
        on another way out of the same choice, where never two are at once. An event that leaves its host alone does not
        make the host stand before what follows the event.
        """
        goal = target.bit_length() - 1
        numbers = _each(places)
        if self._behind[goal] & places or any(self._itself[number] & target for number in numbers):
            return False
        return any(self._beside[number] & target for number in numbers)

    def starving(self, places: int) -> Element | None:
        """A join that would wait for ever if tokens were on these places and nowhere else.

        Followed forwards, round loops too; a join lets through only what all flows into it have come to.
        """
        reached, todo = places, _each(places)
        while todo:
            for after in self._places[todo.pop()].after:
                if not reached >> after & 1 and not self._needs.get(after, 0) & ~reached:
                    reached |= 1 << after
                    todo.append(after)
        starved = {
            join: needs & ~reached for join, needs in self._needs.items() if needs & reached and needs & ~reached
        }
        for join, lacking in starved.items():
            if not any(self._behind[other] & lacking for other in starved if other != join):
                return self._elements[join]  # it is not another one that keeps it waiting
        return self._elements[next(iter(starved))] if starved else None

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
            for other in _each(found):
                beside[other] |= here
            earlier |= here
        return beside


def _place(element: Element) -> _Place:
    forks = len(element.ways) > 1 and not isinstance(element, (Exclusive, EventBased))
    beside_host = isinstance(element, Boundary) and not element.interrupting and element.event.kind != "error"
    return _Place(forks=forks, apart=beside_host or isinstance(element, EventSubProcess))


def _each(places: int) -> list[int]:
    found = []
    while places:
        lowest = places & -places
        found.append(lowest.bit_length() - 1)
        places ^= lowest
    return found
