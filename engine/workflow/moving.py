"""Takes a running instance to another version of its drawing: every token, scope and listener, nothing stepped twice.

A token stands in the new version where its element is mapped to. Sub-processes drawn around it since are begun for it,
those taken away are dissolved around it; listeners that stay keep their moment, new ones begin now.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from engine.errors import AppError
from engine.expressions import ExpressionError
from engine.i18n import Sentence, _
from engine.workflow import mapping, outlook, snapshot
from engine.workflow.compiled import Compiled
from engine.workflow.contract import Host, OpenedTask, ServiceFailed
from engine.workflow.diagram import Diagram, Scope as DrawnScope, Shape
from engine.workflow.live import LiveInstance
from engine.workflow.specs.element import Element
from engine.workflow.specs.events import Catch, Waiting
from engine.workflow.specs.gateways import Gathering, Parallel
from engine.workflow.specs.opening import Opening
from engine.workflow.specs.repeated import Repeated
from engine.workflow.tree import STARTED, WAITING, Instance, Nested, Scope, Token, merge

LISTENS = "listens"


@dataclass(frozen=True, slots=True)
class Obstacle:
    """Why an instance cannot stand in the new version; `element` is the old one."""

    element: str
    message: Sentence


class CannotMove(Exception):
    """The instance stays as it is."""

    def __init__(self, obstacles: list[Obstacle]) -> None:
        super().__init__("; ".join(str(one.message) for one in obstacles))
        self.obstacles = tuple(obstacles)


@dataclass(frozen=True, slots=True)
class Version:
    """A definition with its drawing, read once for a whole run."""

    process: Compiled
    drawing: Diagram


@dataclass(slots=True)
class Moved:
    """An instance in its new version, ready to be written."""

    live: LiveInstance
    kept: dict[int, tuple[str, str]]
    """token -> (old element, new element), of tokens that live on"""
    awaited: dict[int, str]
    """token -> name of the message or signal it waits for"""
    open_tasks: list[OpenedTask] = field(default_factory=list)


def move(old: Version, new: Version, raw: bytes, elements: Mapping[str, str], host: Host) -> Moved:
    """The instance of this snapshot, in the new version; its journal holds what has changed.

    elements: old key -> new key (see mapping.NodeMap). Raises CannotMove, and what `snapshot.load` raises.
    """
    before = snapshot.load(old.process, raw, host)
    mover = _Mover(old, new, before, elements)
    mover.place()
    try:
        mover.hear()
    except (ExpressionError, ServiceFailed) as error:
        raise CannotMove(
            [Obstacle("", _("An event of the new version cannot begin: {why}", why=str(error)))]
        ) from error
    mover.race()
    mover.look_ahead()
    if mover.obstacles:
        raise CannotMove(mover.obstacles)
    mover.let_through()
    try:
        mover.after.advance()
    except AppError as refusal:
        raise CannotMove([Obstacle("", refusal.message)]) from refusal
    return mover.moved()


class _Mover:
    def __init__(self, old: Version, new: Version, before: Instance, elements: Mapping[str, str]) -> None:
        self.old, self.new = old, new
        self.before = before
        self.elements = elements
        self.obstacles: list[Obstacle] = []
        self.after = Instance(new.process, before.host)
        self.after.last_id, self.after.tick = before.last_id, before.tick
        self.after.ended, self.after.error_code = before.ended, before.error_code
        self.homes: dict[int, Scope] = {0: self.after}
        """owner of an old scope -> the new scope its tokens belong to"""
        self.begun: dict[tuple[int, str], Nested] = {}
        """(owner of the scope around, sub-process) -> the scope begun for tokens that were not in it"""
        self.old_shapes = {shape.key: shape for _scope, shape in old.drawing.shapes()}
        self.new_shapes = {shape.key: shape for _scope, shape in new.drawing.shapes()}

    def refuse(self, element: str, message: Sentence) -> None:
        if all(one.element != element or one.message != message for one in self.obstacles):
            self.obstacles.append(Obstacle(element, message))

    def called(self, element: str) -> str:
        shape = self.old_shapes.get(element)
        return (shape.node.name or element) if shape else element

    # -- tokens and scopes

    def place(self) -> None:
        """Put every token down where it stands in the new version."""
        top = self.before
        self.after.variables, self.after.stamps = dict(top.variables), dict(top.stamps)
        self.after.business_key = top.business_key
        for scope in top.scopes():
            for token in scope.live.values():
                if LISTENS not in token.internal_data:
                    self._place(scope, token)
        for nested in reversed(list(self.after.subprocesses.values())):
            self._dissolve_empty(nested)
        if not self.obstacles and not self.after.completed and not self.after.crowd:
            self.refuse("", _("Nothing of this process would be left in the new version."))

    def _place(self, scope: Scope, token: Token) -> None:
        key = token.task_spec.key
        inner = self.before.subprocesses.get(token.id)
        target = self.elements.get(key, "")
        if not target:
            self._dissolve(scope, token, inner)
            return
        home = self._scope_for(scope, token, self.new_shapes[target])
        spec = self._spec(home, token, target) if home is not None else None
        if home is None or spec is None:
            return
        parent = home.live.get(token._parent or 0)
        moved = self._put(home, spec, token, parent)
        if inner is not None:
            self._nest(moved, inner)
        self._at_join(token, moved)

    def _dissolve(self, scope: Scope, token: Token, inner: Nested | None) -> None:
        """What is inside a sub-process that is gone stands in what surrounded it."""
        key = token.task_spec.key
        if inner is None or not self._may_dissolve(token):
            self.refuse(key, _("Nothing in the new version stands for “{step}”.", step=self.called(key)))
            return
        home = self._home(scope)
        merge(home.variables, home.stamps, inner.variables, inner.stamps)
        self.homes[token.id] = home
        self.after.journal.path.append((key, "cancelled"))

    def _home(self, scope: Scope) -> Scope:
        return self.homes.get(scope.parent_task_id or 0, self.after)

    def _may_dissolve(self, token: Token) -> bool:
        """A plain sub-process works on the variables of its surroundings: what is inside can stand there as well."""
        spec = token.task_spec
        return bool(spec.shape.tag == "subProcess" and not spec.is_handler and spec.shape.loop is None)

    def _put(self, home: Scope, spec: Element, token: Token, parent: Token | None = None) -> Token:
        moved = Token(home, spec, parent or home.task_tree, token._state, token.id)
        moved.data, moved.stamps = dict(token.data), dict(token.stamps)
        moved.internal_data = dict(token.internal_data)
        if "into" in moved.internal_data:  # sent to something inside, and not there yet
            moved.internal_data["into"] = [self.elements.get(key, key) for key in moved.internal_data["into"]]
        boundary = moved.data.get("boundary")
        if isinstance(boundary, Mapping):  # names elements of the drawing, for what runs behind a boundary event
            renamed = {name: self.elements.get(value, value) if isinstance(value, str) else value
                       for name, value in boundary.items()}  # fmt: skip
            moved.data["boundary"] = renamed
        home.live[token.id] = moved
        return moved

    def _nest(self, owner: Token, inner: Nested) -> None:
        spec: Any = owner.task_spec
        nested = self.after.nest(owner, spec.inner)
        nested.variables, nested.stamps = dict(inner.variables), dict(inner.stamps)
        nested.business_key = inner.business_key
        self.homes[owner.id] = nested
        start = owner.internal_data.get("start")
        if start is not None:
            owner.internal_data["start"] = self.elements.get(start, start)

    def _spec(self, home: Scope, token: Token, target: str) -> Element | None:
        """The spec the token takes on; None when what it does there is drawn in another way now."""
        spec, shape = token.task_spec, self.new_shapes[target]
        was, now = spec.shape.loop, shape.loop
        if (was is None) != (now is None) or (was and now and was.sequential != now.sequential):
            self.refuse(spec.key, _("“{step}” repeats in another way in the new version.", step=self.called(spec.key)))
            return None
        if self.old_shapes[spec.key].called and not self._calls_alike(spec.shape, shape):
            self.refuse(spec.key, _("“{step}” calls another process now.", step=self.called(spec.key)))
            return None
        if mapping.kind_of(self.old.drawing, spec.shape) != mapping.kind_of(self.new.drawing, shape):
            self.refuse(spec.key, _("“{step}” has become another kind of element.", step=self.called(spec.key)))
            return None
        found: Element = home.spec.task_specs[f"{target}#instance" if spec.repeats else target]
        return found

    @staticmethod
    def _calls_alike(was: Shape, now: Shape) -> bool:
        return was.called == now.called

    def _scope_for(self, scope: Scope, token: Token, shape: Shape) -> Scope | None:
        """The scope of the new version the token belongs in; sub-processes drawn around it are begun."""
        chain = list(_around(self.new.drawing, shape))
        process = scope
        ancestors: dict[str, Scope] = {}
        while isinstance(process, Nested):
            owner = self.after.find(process.owner.id)
            if owner is not None:
                ancestors[owner.task_spec.key] = self.homes[owner.id]
            if process.owner.task_spec.shape.tag == "callActivity":
                break
            process = process.owner.workflow
        if (process.parent_task_id or 0) not in self.homes:
            return None  # its call activity has been refused already
        home = self._home(process)
        if home.spec.name != chain[0].key:
            key = token.task_spec.key
            self.refuse(key, _("“{step}” stands in another process now.", step=self.called(key)))
            return None
        for drawn in chain[1:]:
            inner = ancestors.get(drawn.key)
            if inner is None or inner.parent_task_id not in home.live:
                inner = self.begun.get((home.parent_task_id or 0, drawn.key))
            if inner is None:
                inner = self._begin(home, drawn, token)
            if inner is None:
                return None
            home = inner
        return home

    def _begin(self, home: Scope, drawn: DrawnScope, token: Token) -> Nested | None:
        """A sub-process drawn around the token since."""
        spec = home.spec.task_specs[drawn.key]
        if drawn.by_event or isinstance(spec, Repeated):
            key, step = token.task_spec.key, self.called(token.task_spec.key)
            self.refuse(key, _("“{step}” stands in a sub-process now that cannot be begun half-way.", step=step))
            return None
        owner = Token(home, spec, home.task_tree, STARTED, self.after.next_id())
        owner.data, owner.stamps = dict(token.data), dict(token.stamps)
        home.live[owner.id] = owner
        nested = self.after.nest(owner, spec.inner)
        nested.business_key = home.business_key
        self.begun[home.parent_task_id or 0, drawn.key] = nested
        self.after.journal.path.append((drawn.key, "entered"))
        return nested

    def _dissolve_empty(self, nested: Nested) -> None:
        """Everything inside has been drawn out of it."""
        if nested.live or self.obstacles:
            return
        owner, home = nested.owner, nested.owner.workflow
        if not self._may_dissolve(owner):
            key = next((old for old, new in self.elements.items() if new == owner.task_spec.key), "")
            self.refuse(key, _("Nothing would be left inside “{step}”.", step=self.called(key)))
            return
        self.homes[owner.id] = home
        merge(home.variables, home.stamps, nested.variables, nested.stamps)
        del self.after.subprocesses[owner.id]
        self.after.journal.path.append((owner.task_spec.key, "cancelled"))
        home.remove(owner)

    def _at_join(self, token: Token, moved: Token) -> None:
        """One that waits at a join waits there for the same flow."""
        if "via" not in token.internal_data or token._state != WAITING:
            return
        join: Any = moved.task_spec
        assert isinstance(join, Gathering)
        if len(join.incoming) < 2:
            moved.internal_data.pop("via")
            moved.forgive()
            moved._ready()
            return
        via = self._flow(token.task_spec.key, join.key, token.internal_data["via"])
        if not via:
            key, step = token.task_spec.key, self.called(token.task_spec.key)
            self.refuse(key, _("The flow by which a token has come to “{step}” is not drawn any more.", step=step))
        moved.internal_data["via"] = via

    def _flow(self, old_target: str, target: str, flow: str) -> str:
        """The flow of the new version for one of the old: the one of its id, else the one from the same element."""
        scope, new_scope = self._drawn(self.old, old_target), self._drawn(self.new, target)
        into = new_scope.incoming(target)
        if any(one.id == flow for one in into):
            return flow
        source = next((one.source for one in scope.incoming(old_target) if one.id == flow), "")
        fitting = [one.id for one in into if one.source == self.elements.get(source)]
        return fitting[0] if len(fitting) == 1 else ""

    @staticmethod
    def _drawn(version: Version, key: str) -> DrawnScope:
        return next(scope for scope, shape in version.drawing.shapes() if shape.key == key)

    # -- listeners

    def hear(self) -> None:
        """Keep the listeners that are still drawn, drop the others, begin those that are new."""
        if self.obstacles:
            return
        for scope in self.before.scopes():
            for token in scope.live.values():
                if LISTENS in token.internal_data:
                    self._keep_or_drop(scope, token)
        for new_scope in list(self.after.scopes()):
            self._listen_in(new_scope)
            for token in list(new_scope.live.values()):
                if LISTENS not in token.internal_data and _at_work(token, self.after):
                    self._listen_on(new_scope, token)

    def _keep_or_drop(self, scope: Scope, listener: Token) -> None:
        target = self.elements.get(listener.task_spec.key, "")
        host = listener.internal_data.get("host")
        on = self.after.find(host) if host is not None else None
        if host is not None:
            home = on.workflow if on is not None else None
            specs = on.task_spec.listeners if on is not None else ()
        else:
            home = self.homes.get(scope.parent_task_id or 0)
            # In a scope that has been dissolved, what surrounds it listens by itself.
            same = home is not None and home.parent_task_id == scope.parent_task_id
            specs = home.spec.listeners if home is not None and same else ()
        spec = next((one for one in specs if one.key == target), None)
        if home is not None and spec is not None and spec.event.kind == listener.task_spec.event.kind:
            self._put(home, spec, listener)
            home.listening += 1
            return
        if "due" in listener.internal_data:
            self.after.journal.timer_cleared(listener.id)
        else:
            self.after.journal.wait_cleared(listener.id)

    def _listen_on(self, scope: Scope, token: Token) -> None:
        """Begin the events on this token's border that are new; one that has struck already does not begin again."""
        heard = {one.task_spec.key for one in scope.live.values() if one.internal_data.get("host") == token.id}
        heard |= self._had(one.key for one in self._old_boundaries(token.id))
        for boundary in token.task_spec.listeners:
            if boundary.key not in heard:
                scope.listen(boundary, {"host": token.id})
        if token.task_spec.listeners:
            token.internal_data["armed"] = True

    def _listen_in(self, scope: Scope) -> None:
        if self._interrupted(scope):
            return
        heard = {one.task_spec.key for one in scope.live.values() if "scope" in one.internal_data}
        before = self._old_scope(scope)
        heard |= self._had(one.key for one in before.spec.listeners) if before is not None else set()
        for listener in scope.spec.listeners:
            if listener.key not in heard:
                scope.listen(listener, {"scope": True})

    def _old_scope(self, scope: Scope) -> Scope | None:
        owner = scope.parent_task_id or 0
        return self.before.subprocesses.get(owner) if owner else self.before

    def _had(self, keys: Iterator[str]) -> set[str]:
        """The elements of the new version that stand for these listeners of the old."""
        return {self.elements[key] for key in keys if key in self.elements}

    def _old_boundaries(self, token: int) -> tuple[Element, ...]:
        found = self.before.find(token)
        return found.task_spec.listeners if found is not None else ()

    @staticmethod
    def _interrupted(scope: Scope) -> bool:
        """An interrupting event sub-process has ended everything else here, the other listeners too."""
        starts = {one.key: one for one in scope.spec.event_starts}
        for token in scope.live.values():
            start = starts.get(token.internal_data.get("start", ""))
            if start is not None and (start.interrupting or start.event.kind == "error"):
                return True
        return False

    # -- races behind an event-based gateway

    def race(self) -> None:
        """Each event that races keeps its flow; those drawn behind the same gateway since join in."""
        if self.obstacles:
            return
        groups: dict[tuple[int, int], list[Token]] = {}
        for scope in self.after.scopes():
            for token in scope.live.values():
                if "race" in token.internal_data:
                    groups.setdefault((scope.parent_task_id or 0, token.internal_data["race"]), []).append(token)
        for tokens in groups.values():
            self._race(tokens)

    def _race(self, tokens: list[Token]) -> None:
        gateway = None
        for token in tokens:
            key = token.task_spec.key
            flows = self._drawn(self.new, key).incoming(key)
            if flows:
                token.internal_data["flow"] = flows[0].id
                source = self.new_shapes[flows[0].source]
                gateway = source.key if source.tag == "eventBasedGateway" else gateway
        if gateway is None:
            return
        scope, first = tokens[0].workflow, tokens[0]
        racing = {token.task_spec.key for token in tokens}
        for way in scope.spec.task_specs[gateway].ways if gateway in scope.spec.task_specs else ():
            if way.target.key not in racing:
                internal = {"race": first.internal_data["race"], "flow": way.id}
                scope.spawn(way.target, dict(first.data), stamps=dict(first.stamps), internal=internal)

    # -- the way ahead

    def look_ahead(self) -> None:
        """Refuse what would wait for ever in the new version and did not in the old."""
        if self.obstacles:
            return
        for scope in self.after.scopes():
            drawn = self.new.drawing.scopes[scope.spec.name]
            if outlook.can_end(drawn, _places(scope)) is False and self._could_end(scope):
                where = self._late_join(scope)
                step = self.called(where)
                self.refuse(where, _("A join behind “{step}” would wait for a token that never comes.", step=step))

    def _could_end(self, scope: Scope) -> bool:
        before = self._old_scope(scope)
        if before is None:
            return True
        return outlook.can_end(self.old.drawing.scopes[before.spec.name], _places(before)) is not False

    def _late_join(self, scope: Scope) -> str:
        back = {new: old for old, new in self.elements.items()}
        keys = [token.task_spec.key for token in scope.live.values() if LISTENS not in token.internal_data]
        return next((back[key] for key in keys if key in back), "")

    def let_through(self) -> None:
        """A join that waits for fewer now may have all it waits for."""
        for scope in list(self.after.scopes()):
            joins = {token.task_spec for token in scope.live.values() if isinstance(token.task_spec, Parallel)}
            for join in sorted(joins, key=lambda spec: spec.key):
                first = join.arrived(scope)
                if len(first) == len(join.incoming) > 1:
                    join.let_through(list(first.values()))

    # -- what came of it

    def moved(self) -> Moved:
        kept: dict[int, tuple[str, str]] = {}
        awaited: dict[int, str] = {}
        tasks: list[OpenedTask] = []
        for scope in self.after.scopes():
            for token in scope.live.values():
                spec = token.task_spec
                was = self.before.find(token.id)
                if was is not None:
                    kept[token.id] = (was.task_spec.key, spec.key)
                if isinstance(spec, Waiting) and spec.event.kind in {"message", "signal"} and spec.is_waiting(token):
                    awaited[token.id] = spec.event.name
                if isinstance(spec, Opening) and "open" in token.internal_data:
                    tasks.append(OpenedTask(token.id, spec.key, token.data))
        return Moved(LiveInstance(self.after), kept, awaited, tasks)


def _around(drawing: Diagram, shape: Shape) -> Iterator[DrawnScope]:
    """The scopes a shape stands in, the process first."""
    scope = drawing.scopes[shape.scope]
    if scope.parent:
        outer = drawing.scopes[scope.parent]
        yield from _around(drawing, outer.shapes[scope.key])
    yield scope


def _at_work(token: Token, top: Instance) -> bool:
    """It has begun and waits for what it began; what has failed begins its events when it runs again."""
    internal = token.internal_data
    if "failed" in internal and "armed" not in internal:
        return False
    busy = any(mark in internal for mark in ("open", "waits", "called", "total", "armed"))
    return token._state == STARTED and (busy or token.id in top.subprocesses) and not token.task_spec.repeats


def _places(scope: Scope) -> list[outlook.Place]:
    """Where the tokens of a scope stand, one for each that leaves by itself."""
    places, races = [], set()
    for token in scope.live.values():
        internal, spec = token.internal_data, token.task_spec
        if LISTENS in internal or spec.repeats or spec.is_handler:
            continue
        if isinstance(spec, Catch) and "race" in internal:  # the first to happen goes on, the others are forgotten
            if internal["race"] in races:
                continue
            races.add(internal["race"])
        places.append((spec.key, internal["via"] if "via" in internal and token._state == WAITING else ""))
    return places
