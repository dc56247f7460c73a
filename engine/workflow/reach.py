"""Which places of a scope lead to which, and which can be held at once; reckoned once per definition, for jumps.

A place is an element, or a flow into a gateway that gathers: there tokens wait before the gateway has begun. A boundary
event is led to by its host. Sets of places are integers, a bit for each place.

"Before" and "behind" mean one round: drawn loops are opened first, by the order of the drawing. A way back then leads
to wherever the loop can be left, so that a task to mend things on the way back still stands before what follows.
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
    def __init__(self, elements: Iterable[Element], starts: Iterable[Element]) -> None:
        self._elements = list(elements)
        self._numbers = {element.key: number for number, element in enumerate(self._elements)}
        self._flows: dict[str, int] = {}
        self._places = [_place(element) for element in self._elements]
        self._needs: dict[int, int] = {}
        """parallel joins and the places they wait for"""
        self._waits: set[int] = set()
        """inclusive joins"""
        for number, element in enumerate(self._elements):
            if isinstance(element, Gathering):
                flows = range(len(self._places), len(self._places) + len(element.incoming))
                self._flows |= zip(element.incoming, flows, strict=True)
                self._places += [_Place([number]) for _flow in flows]
                if isinstance(element, Parallel) and len(flows) > 1:
                    self._needs[number] = sum(1 << flow for flow in flows)
                elif len(flows) > 1:
                    self._waits.add(number)
        for number, element in enumerate(self._elements):
            after = self._places[number].after
            after += [self._flows.get(way.id, self._numbers[way.target.key]) for way in element.ways]
            after += [self._numbers[event.key] for event in element.boundaries]
        begin = [self._numbers[start.key] for start in starts]
        order, kept = self._one_round(begin)
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

        Followed forwards, round loops too. A parallel join lets through only what all flows into it have come to, an
        inclusive one nothing while something before it is held up.
        """
        reached, held = self._follow(places, places, set())
        starved = self._starved(reached)
        while free := [one for one in held if not any(self._behind[join] >> one & 1 for join in starved)]:
            gates = sum(1 << one for one in free)
            reached, held = self._follow(reached | gates, gates, held.difference(free))
            starved = self._starved(reached)
        for join, lacking in starved.items():
            if not any(self._behind[other] & lacking for other in starved if other != join):
                return self._elements[join]  # it is not another one that keeps it waiting
        return self._elements[next(iter(starved))] if starved else None

    def _follow(self, reached: int, ahead: int, held: set[int]) -> tuple[int, set[int]]:
        """What comes of tokens `ahead`, and the inclusive joins that something has come to."""
        todo = _each(ahead)
        while todo:
            for after in self._places[todo.pop()].after:
                if reached >> after & 1 or self._needs.get(after, 0) & ~reached:
                    continue
                if after in self._waits:
                    held = {*held, after}
                else:
                    reached |= 1 << after
                    todo.append(after)
        return reached, held

    def _starved(self, reached: int) -> dict[int, int]:
        """Parallel joins that some flows have come to, and what is still lacking there."""
        return {join: needs & ~reached for join, needs in self._needs.items() if needs & reached and needs & ~reached}

    def _one_round(self, begin: list[int]) -> tuple[list[int], list[list[int]]]:
        """The places in an order in which each comes after all that lead to it, and what each leads to."""
        after = [place.after for place in self._places]
        _order, kept, back = _opened(after, begin)
        loops = _loops(after, back)
        for source, head in back:
            kept[source] += [one for one in _exits(after, back, loops, head) if not self._places[one].apart]
        order, kept, _none = _opened(kept, begin)
        return order, kept

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


def _opened(after: list[list[int]], begin: list[int]) -> tuple[list[int], list[list[int]], list[tuple[int, int]]]:
    """Walked from the beginning: an order of the places, the steps that close no loop, and those that do."""
    kept: list[list[int]] = [[] for _place in after]
    order: list[int] = []
    back: list[tuple[int, int]] = []
    open_now: set[int] = set()
    done: set[int] = set()
    for root in (*begin, *range(len(after))):
        if root in done:
            continue
        open_now.add(root)
        stack = [(root, iter(after[root]))]
        while stack:
            number, ahead = stack[-1]
            for one in ahead:
                if one in open_now:
                    back.append((number, one))
                    continue
                kept[number].append(one)
                if one not in done:
                    open_now.add(one)
                    stack.append((one, iter(after[one])))
                    break
            else:
                stack.pop()
                open_now.discard(number)
                done.add(number)
                order.append(number)
    return order[::-1], kept, back


def _loops(after: list[list[int]], back: list[tuple[int, int]]) -> dict[int, set[int]]:
    """Head of a loop -> all places in it."""
    before: list[list[int]] = [[] for _place in after]
    for number, ahead in enumerate(after):
        for one in ahead:
            before[one].append(number)
    loops: dict[int, set[int]] = {}
    for source, head in back:
        inside = loops.setdefault(head, {head})
        todo = [source]
        while todo:
            number = todo.pop()
            if number not in inside:
                inside.add(number)
                todo += before[number]
    return loops


def _exits(
    after: list[list[int]], back: list[tuple[int, int]], loops: dict[int, set[int]], head: int
) -> dict[int, None]:
    """Where one comes to out of this loop; a way on to the head of a loop around it leaves that one too."""
    found: dict[int, None] = {}
    heads, todo = {head}, [head]
    ways_back = set(back)
    while todo:
        inside = loops[todo.pop()]
        for number in sorted(inside):
            for one in after[number]:
                if one in inside or one in heads:
                    continue
                if (number, one) in ways_back:
                    heads.add(one)
                    todo.append(one)
                else:
                    found[one] = None
    return found


def _each(places: int) -> list[int]:
    found = []
    while places:
        lowest = places & -places
        found.append(lowest.bit_length() - 1)
        places ^= lowest
    return found
