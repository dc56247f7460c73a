"""Return, jump, reopen: a token is taken from where it stands and put down at another element of the drawing.

The target lies in the token's own scope, in one around it, or in sub-processes drawn inside one of these. That scope is
the place of the operation: whatever of the token lies deeper dies with the token that owns it, sub-processes on the way
to the target are entered, and branches that lead to the target or come from it are retired (see reach.py).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from engine.errors import Conflict
from engine.i18n import _
from engine.workflow.compiled import Compiled, ScopeSpec
from engine.workflow.contract import Jump
from engine.workflow.diagram import ACTIVITIES, END
from engine.workflow.reach import Reach
from engine.workflow.specs.element import Element
from engine.workflow.specs.events import Start
from engine.workflow.specs.repeated import Repeated
from engine.workflow.specs.scopes import EventSubProcess
from engine.workflow.tree import Instance, Scope, Token, merge, placed
from engine.workflow.values import clean


@dataclass(slots=True)
class _Way:
    """Where a token is put down: in this scope, at the first of the elements, and on into each."""

    scope: Scope
    elements: list[Element]

    @property
    def errand(self) -> dict[str, Any] | None:
        """What the new token has to know: a part of its internal data, and so of the snapshot."""
        first, *inside = self.elements
        if inside:
            return {"into": [element.key for element in inside]}
        return {"asks": True} if isinstance(first, Start) else None


@dataclass(slots=True)
class _Plan:
    way: _Way
    moved: list[Token]
    """what moves: one token, or all that race behind an event-based gateway"""
    dying: list[Token]
    """others of the same scope that end; each with all that is within it"""


def foresee(top: Instance, id: int, target: str) -> Jump:
    try:
        plan = _plan(top, id, target)
    except Conflict as refused:
        return Jump(id, target, refusal=refused.message)
    return _told(plan, id, target)


def jump(top: Instance, id: int, target: str, variables: Mapping[str, Any]) -> Jump:
    given = clean(variables)
    plan = _plan(top, id, target)
    told = _told(plan, id, target)
    scope = plan.way.scope
    data, stamps = _carried([*plan.moved, *plan.dying])
    listens_again = any(_had_ended_all(token) for token in plan.moved)
    for token in sorted((*plan.moved, *plan.dying), key=lambda token: token.id):
        token.cancel()
    if listens_again:
        _listen_again(scope)
    scope.spawn(plan.way.elements[0], data, stamps=stamps, internal=plan.way.errand).write(given)
    return told


def reopen(top: Instance, target: str, variables: Mapping[str, Any]) -> None:
    if not top.completed:
        raise Conflict(_("This process has not ended: there is nothing to reopen."))
    given = clean(variables)
    way = _find(top.process, target, [top])
    _check_joins(way, way.scope.spec.reach.at(way.elements[0].key))
    data = {**top.variables, **given}
    top.ended, top.error_code, top.completed = None, "", False
    top.variables, top.stamps = {}, {}
    top.begin(way.elements[0], data, errand=way.errand)


# ---------------------------------------------------------------------------------------------------- planning


def _plan(top: Instance, id: int, target: str) -> _Plan:
    token = top.find(id)
    if token is None:
        raise Conflict(_("This part of the process is already over."))
    if not _may_leave(token):
        raise Conflict(_("Only an open task, something that waits, or what has failed can be left this way."))
    within = list(_outwards(token))
    way = _find(top.process, target, [one.workflow for one in within])
    mover = next(one for one in within if one.workflow is way.scope)
    reach: Reach = way.scope.spec.reach
    goal = reach.at(way.elements[0].key)
    moved: list[Token] = []
    dying: list[Token] = []
    remaining = goal
    for unit in _units(way.scope):
        places = _places(reach, unit)
        if _whole(mover) in unit:
            moved = unit
        elif reach.spares(goal, places):
            remaining |= places
        else:
            dying += unit
    _check_joins(way, remaining)
    return _Plan(way, moved, dying)


def _may_leave(token: Token) -> bool:
    marks = token.internal_data
    return "listens" not in marks and any(mark in marks for mark in ("open", "waits", "called", "failed"))


def _outwards(token: Token) -> Iterator[Token]:
    """The token, the owner of its scope, the owner of the scope around that …"""
    while True:
        yield token
        if token.workflow.parent_task_id is None:
            return
        token = token.workflow.owner


def _whole(token: Token) -> Token:
    """The body of a multi-instance element for each of its instances."""
    return token.workflow.live.get(token._parent or 0, token)


def _units(scope: Scope) -> list[list[Token]]:
    """What lives and dies together: single tokens without their instances, and those that race for an event."""
    found: dict[tuple[str, int], list[Token]] = {}
    for token in scope.live.values():
        marks = token.internal_data
        if "listens" not in marks and _whole(token) is token:
            unit = ("race", marks["race"]) if "race" in marks else ("token", token.id)
            found.setdefault(unit, []).append(token)
    return list(found.values())


def _places(reach: Reach, unit: list[Token]) -> int:
    places = 0
    for token in unit:
        places |= reach.at(token.task_spec.key, token.internal_data.get("via"))
    return places


def _check_joins(way: _Way, places: int) -> None:
    """Refuse what would leave a join waiting: in the scope of the operation, and in each that is entered."""
    spec: ScopeSpec = way.scope.spec
    for element, inside in zip(way.elements, [*way.elements[1:], None], strict=True):
        join = spec.reach.starving(places)
        if join is not None:
            raise Conflict(
                _("The join {join} would wait for ever for another branch.", join=_named(join)),
                remedy=_("Choose an element before the branches part, behind the join, or in the same branch."),
            )
        if inside is not None:
            spec = element.inner
            places = spec.reach.at(inside.key)


# ---------------------------------------------------------------------------------------------------- the target


def _find(process: Any, target: str, around: Sequence[Scope]) -> _Way:
    """The scope among these (innermost first) in which the target is drawn, and the sub-processes between."""
    element = _target(process, target)
    elements, spec = [element], process.homes[target]
    while True:
        for scope in around:
            if scope.spec is spec and (not isinstance(element, Start) or scope.parent_task_id is None):
                return _Way(scope, elements)
        outer = _enterable(spec, element)
        elements = [outer, *elements]
        spec = spec.around


def _target(process: Compiled, target: str) -> Element:
    home = process.homes.get(target)
    element = home.drawn.get(target) if home is not None else None
    if home is None or element is None:
        raise Conflict(_("There is no element {target} in this process.", target=target))
    if isinstance(element, Start) and home is not process.spec:
        raise Conflict(
            _("{target} begins only a part of the process; the starter is at its very start.", target=_named(element))
        )
    if isinstance(element, EventSubProcess):
        raise Conflict(_("{target} is begun by its event only.", target=_named(element)))
    if element.shape.tag not in ACTIVITIES and element.shape.tag != END and not isinstance(element, Start):
        raise Conflict(_("{target} is neither a task nor an end: nothing can go on there.", target=_named(element)))
    return element


def _enterable(spec: ScopeSpec, element: Element) -> Element:
    """The sub-process that has to be entered to come to this scope."""
    if spec.around is None:
        raise Conflict(_("{target} lies in a called process that does not run here.", target=_named(element)))
    outer = spec.around.drawn[spec.name]
    if isinstance(outer, Repeated):
        raise Conflict(
            _(
                "{target} lies in a part that runs many times at once: choose that part as a whole.",
                target=_named(element),
            )
        )
    if isinstance(outer, EventSubProcess):
        raise Conflict(_("{target} lies in a part that is begun by its event only.", target=_named(element)))
    return outer


def _named(element: Element) -> str:
    return element.shape.node.name or element.key


# ---------------------------------------------------------------------------------------------------- the operation


def _told(plan: _Plan, id: int, target: str) -> Jump:
    ending = [one for root in (*plan.moved, *plan.dying) for one in _with_all_within(root)]
    return Jump(id, target, tuple(placed(one for one in ending if one.id != id)))


def _with_all_within(token: Token) -> Iterator[Token]:
    yield token
    for child in token._children:
        yield from _with_all_within(token.workflow.tasks[child])
    inner = token.top.subprocesses.get(token.id)
    if inner is not None:
        for one in inner.live.values():
            if _whole(one) is one:
                yield from _with_all_within(one)


def _carried(tokens: list[Token]) -> tuple[dict[str, Any], dict[str, int]]:
    """The variables of all that end, brought together as a join does it; the first token's where none is newer."""
    data: dict[str, Any] = {}
    stamps: dict[str, int] = {}
    for token in tokens:
        token.task_spec.bring_out(token)
        merge(data, stamps, token.data, token.stamps)
    return data, stamps


def _had_ended_all(token: Token) -> bool:
    """An event sub-process whose event interrupted its scope: the events beside it stopped being waited for."""
    if not isinstance(token.task_spec, EventSubProcess):
        return False
    start = next(one for one in token.workflow.spec.event_starts if one.key == token.internal_data["start"])
    return bool(start.interrupting or start.event.kind == "error")


def _listen_again(scope: Scope) -> None:
    waiting = {token.task_spec.key for token in scope.live.values() if "scope" in token.internal_data}
    for listener in scope.spec.listeners:
        if listener.key not in waiting:
            scope.listen(listener, {"scope": True})
