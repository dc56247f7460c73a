"""Whether tokens that stand here can all still come to an end: a search over the drawing, without values."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from engine.workflow.diagram import Flow, Scope

Place = tuple[str, str]
"""(element, "") for a token that can go on, (join, flow) for one that waits there"""

MOST_STATES = 20_000
MOST_AT_ONE_PLACE = 4
"""Paths may run together without a gateway; more than a few tokens in one element come from a loop that never ends."""

_JOINS = frozenset({"parallelGateway", "inclusiveGateway"})
_ONE_WAY = frozenset({"exclusiveGateway", "eventBasedGateway"})
_ENDS_ALL = frozenset({"terminate", "error"})


def can_end(scope: Scope, places: Iterable[Place]) -> bool | None:
    """True: some run leaves no token behind. False: none does. None: there are too many runs to say.

    Only what is decided branches the search: tokens of parallel paths do not disturb each other before they meet, so
    the first that can go on goes on. Time, messages and conditions are taken to be possible.
    """
    first = _joined(scope, Counter(places))
    seen, todo = {_frozen(first)}, [first]
    while todo:
        state = todo.pop()
        if not state:
            return True
        for following in _moves(scope, state):
            after = _joined(scope, following)
            mark = _frozen(after)
            if mark not in seen and not _too_many(after, first):
                if len(seen) >= MOST_STATES:
                    return None
                seen.add(mark)
                todo.append(after)
    return False


def _frozen(state: Counter[Place]) -> frozenset[tuple[Place, int]]:
    return frozenset(state.items())


def _too_many(state: Counter[Place], first: Counter[Place]) -> bool:
    """A second token that waits at a join for the same flow shows that it gets more than the drawing meant it to."""
    return any(number > max(1 if place[1] else MOST_AT_ONE_PLACE, first[place]) for place, number in state.items())


def _moves(scope: Scope, state: Counter[Place]) -> Iterator[Counter[Place]]:
    free = sorted(place for place in state if not place[1])
    if not free:
        yield from _opened_gates(scope, state)
        return
    place = free[0]
    shape = scope.shapes[place[0]]
    if shape.tag == "endEvent" and shape.kind in _ENDS_ALL:
        yield Counter()
        return
    rest = state - Counter([place])
    for flows in _ways(scope, place[0]):
        yield rest + Counter(_into(scope, flow) for flow in flows)


def _ways(scope: Scope, key: str) -> Iterator[list[Flow]]:
    """The sets of flows a token may leave by; what is tried first is given last."""
    shape, out = scope.shapes[key], scope.outgoing(key)
    for border in scope.boundaries(key):
        if border.interrupting or border.kind == "error":
            yield scope.outgoing(border.key)
    asked = shape.default or any(flow.condition for flow in out)
    if len(out) > 1 and (shape.tag in _ONE_WAY or (asked and shape.tag != "parallelGateway")):
        yield from ([flow] for flow in out)
        if shape.tag in _ONE_WAY:
            return
    yield out


def _into(scope: Scope, flow: Flow) -> Place:
    target = scope.shapes[flow.target]
    waits = target.tag in _JOINS and len(scope.incoming(flow.target)) > 1
    return (flow.target, flow.id if waits else "")


def _joined(scope: Scope, state: Counter[Place]) -> Counter[Place]:
    """Let through whatever has come together at parallel joins."""
    state = +state
    for key in sorted({place[0] for place in state if place[1]}):
        if scope.shapes[key].tag != "parallelGateway":
            continue
        needed = Counter((key, flow.id) for flow in scope.incoming(key))
        while all(state[place] for place in needed):
            state = state - needed + Counter([(key, "")])
    return state


def _opened_gates(scope: Scope, state: Counter[Place]) -> Iterator[Counter[Place]]:
    """Nothing else moves: an inclusive join waits for nobody any more."""
    for key in sorted({place[0] for place in state if scope.shapes[place[0]].tag == "inclusiveGateway"}):
        here = Counter(place for place in state if place[0] == key)
        yield state - here + Counter([(key, "")])
