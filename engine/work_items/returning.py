"""退回: an approval goes back to the starter, the step before or any step visited, and may come straight back."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import repository
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _, listed
from engine.models import FormData, Instance, WorkItem
from engine.recorder import ClosedItem
from engine.runtime import Step, StepResult, step
from engine.runtime.facts import InstanceFacts
from engine.runtime.foresee import peek
from engine.runtime.host import latest_form
from engine.runtime.opening import Again
from engine.work_items.held import Held, lock
from engine.workflow.contract import Jump, Node

VISITED = ("done", "auto", "returned")


@dataclass(frozen=True, slots=True)
class Target:
    """A step an item can go back to."""

    node: Node
    people: tuple[int, ...]
    """who did it then and gets it again; of the start event the starter"""
    jump: Jump

    @property
    def title(self) -> str:
        return self.node.name or self.node.id

    @property
    def is_start(self) -> bool:
        return self.node.kind == "startEvent"


def targets(
    session: Session, actor: Actor, instance: Instance | InstanceFacts, loaded: repository.Loaded, item: Any
) -> list[Target]:
    """Where this open item can go back to, the step before first and the starter last.

    Only steps visited whose scope is still open, and none from behind a join alone: the workflow room says.
    """
    seen = peek(session, actor, instance, loaded)
    if seen is None:
        return []
    live = seen[0]
    nodes = [
        loaded.compiled.nodes[id] for id in _visited(session, instance.id, item.token) if id in loaded.compiled.nodes
    ]
    start = _start_of(loaded)
    if start is not None:
        nodes = [*(node for node in nodes if node.kind != "startEvent"), start]
    found = []
    for node in nodes:
        jump = live.foresee_jump(item.token, node.id)
        if jump.refusal is None and node.id != item.node:
            people = (instance.starter_id,) if node.kind == "startEvent" else last_people(session, instance.id, node.id)
            found.append(Target(node, people, jump))
    return found


def _visited(session: Session, instance_id: int, token: int) -> list[str]:
    """Nodes people have decided at, the latest first."""
    latest = func.max(WorkItem.id)
    rows = session.execute(
        select(WorkItem.node, latest)
        .where(
            WorkItem.instance_id == instance_id,
            WorkItem.state.in_(VISITED),
            WorkItem.kind == "sign",
            WorkItem.token != token,
        )
        .group_by(WorkItem.node)
        .order_by(latest.desc())
    )
    return [node for node, _id in rows]


def _start_of(loaded: repository.Loaded) -> Node | None:
    """The plain start event, where a starter's form begins."""
    plain = next((trigger.node for trigger in loaded.compiled.starts if trigger.kind == "none"), None)
    return loaded.compiled.nodes[plain] if plain is not None else None


def last_people(session: Session, instance_id: int, node: str) -> tuple[int, ...]:
    """Who had this step when it was last done; whoever only stood in is not asked, the person itself is."""
    mine = (
        WorkItem.instance_id == instance_id,
        WorkItem.node == node,
        WorkItem.kind == "sign",
        WorkItem.parent_id.is_(None),
    )
    token = session.scalar(
        select(WorkItem.token).where(*mine, WorkItem.state.in_(VISITED)).order_by(WorkItem.id.desc())
    )
    rows = session.execute(
        select(WorkItem.on_behalf_of, WorkItem.done_by, WorkItem.assignee_id)
        .where(*mine, WorkItem.token == token, WorkItem.state.in_(VISITED))
        .order_by(WorkItem.sequence)
    )
    people = (behalf or done_by or assignee for behalf, done_by, assignee in rows)
    return tuple(dict.fromkeys(person for person in people if person))


# ------------------------------------------------------------------------------------------------- going back


def destination(session: Session, actor: Actor, held: Held, action: str, to_step: str | None) -> Target | None:
    """Where a return or rejection goes; None where the diagram draws its way, or it ends the process."""
    wanted = _wanted(held, action, to_step)
    if wanted is None:
        return None
    found = targets(session, actor, held.instance, held.loaded, held.item)
    if wanted == "starter":
        chosen = [one for one in found if one.is_start or one.people == (held.instance.starter_id,)]
    elif wanted == "previous":
        chosen = [one for one in found if not one.is_start] or found
    else:
        chosen = [one for one in found if one.node.id == wanted]
    if chosen:
        return chosen[0]
    raise RuleViolation(
        _("This cannot go back to “{step}” from here.", step=wanted),
        code="no_such_step",
        remedy=_("Choose one of: {steps}.", steps=listed(one.title for one in found) or "-"),
    )


def _wanted(held: Held, action: str, to_step: str | None) -> str | None:
    if action == "return":
        drawn = any(code in ("returned", "") for code in held.node.catches)
        return None if drawn and to_step in (None, "", "starter") else (to_step or "starter")
    if action != "reject":
        return None
    rule = held.policy.reject
    if rule == "ask":
        if not to_step:
            raise RuleViolation(
                _("Say where the rejection leads."),
                code="no_such_step",
                remedy=_("Choose a step to go back to, or the end of the process."),
            )
        return None if to_step == "end" else to_step
    if rule.startswith("node:"):
        return rule.removeprefix("node:")
    return rule if rule in ("starter", "previous") else None


def send_back(session: Session, actor: Actor, held: Held, back: Target, todo: Step, verdict: str) -> StepResult:
    """Take the token back to `back`; its siblings and what ran beside it under the target's fork end.

    todo: what was said and is to be kept of it; verdict: what the node came to, by one or by all ("return", "reject").
    """
    item, node, closed = held.item, held.node, todo.closed
    lock(session, held.instance)
    opinion = closed.opinion if closed is not None else ""
    told = {
        "rule": "returned",
        "by": actor.person_id,
        "by_name": actor.name,
        "from": node.id,
        "from_title": node.name or node.id,
        "opinion": opinion,
        "round": _round(session, held.instance.id) + 1,
        "form_revision": todo.form["revision"] if todo.form else latest_form(session, held.instance.id)[0],
    }
    if held.policy.after_return == "straight_back":
        told |= {"after_return": "straight_back", **_comes_back_to(session, held, closed)}
    detail = {
        "to": back.node.id,
        "to_title": back.title,
        "round": told["round"],
        "ended": [token.node for token in back.jump.dying],
    }
    said = {"outcome": verdict, "by": actor.person_id, "opinion": opinion}
    returned = replace(
        todo,
        act=lambda live: live.jump(item.token, back.node.id, {"outcome": verdict, node.id: said}),
        entry=replace(todo.entry, detail={**todo.entry.detail, **detail}),
        closed=replace(closed, state="returned") if closed is not None else None,
        surplus=False,
        cause="returned",
        again={back.node.id: Again(back.people, told)},
        items_moved=True,
    )
    return step(session, actor, item.instance_id, returned, seen=held.instance)


def _round(session: Session, instance_id: int) -> int:
    sent = select(func.count()).where(WorkItem.instance_id == instance_id, WorkItem.state == "returned")
    return session.scalar(sent) or 0


def _comes_back_to(session: Session, held: Held, closed: ClosedItem | None) -> dict[str, Any]:
    """Who is asked again when it comes straight back, and whose approval of this node stays valid."""
    rows = session.execute(
        select(
            WorkItem.id,
            WorkItem.assignee_id,
            WorkItem.on_behalf_of,
            WorkItem.outcome,
            WorkItem.done_by,
            WorkItem.done_by_name,
        )
        .where(
            WorkItem.instance_id == held.instance.id,
            WorkItem.token == held.item.token,
            WorkItem.kind == "sign",
            WorkItem.parent_id.is_(None),
            WorkItem.state != "cancelled",
        )
        .order_by(WorkItem.sequence)
    ).all()
    people, kept = [], {}
    for row in rows:
        spoke = closed is not None and row.id == closed.item_id
        person = row.on_behalf_of or (closed.done_by if spoke and closed else row.assignee_id or row.done_by)
        if person is None:
            continue
        people.append(person)
        if row.outcome == "approve" and not spoke:
            kept[str(person)] = row.done_by_name
    return {"back_to": people, "kept": kept}


# ------------------------------------------------------------------------------------------------- coming back


def straight_back(session: Session, actor: Actor, held: Held, todo: Step, variables: Mapping[str, Any]) -> Step:
    """The mended request goes to who sent it back, past the steps between, unless what steers has changed."""
    item, told = held.item, held.item.reason
    changed = _steering_changes(session, held, int(told.get("form_revision") or 0), todo.form)
    if changed:
        return _with(todo, {"strategy": "walk", "because": changed})
    seen = peek(session, actor, held.instance, held.loaded)
    target = str(told.get("from") or "")
    if seen is None or seen[0].foresee_jump(item.token, target).refusal is not None:
        return _with(todo, {"strategy": "walk", "because": []})
    people = tuple(int(person) for person in told.get("back_to") or ())
    kept = {int(person): str(name) for person, name in (told.get("kept") or {}).items()}
    reason = {"rule": "straight_back", "by": actor.person_id, "by_name": actor.name, "round": told.get("round")}
    straight = replace(
        todo,
        act=lambda live: live.jump(item.token, target, variables),
        cause="decided",
        again={target: Again(people, reason, kept)},
    )
    return _with(straight, {"strategy": "straight_back"})


def _with(todo: Step, detail: Mapping[str, Any]) -> Step:
    return replace(todo, entry=replace(todo.entry, detail={**todo.entry.detail, **detail}))


def _steering_changes(session: Session, held: Held, revision: int, form: Mapping[str, Any] | None) -> list[str]:
    """Fields changed since the return by which gateways, tables or rules of the diagram go."""
    now = form["values"] if form else latest_form(session, held.instance.id)[1]
    then = session.scalar(
        select(FormData.values).where(FormData.instance_id == held.instance.id, FormData.revision == revision)
    )
    if then is None:
        return []
    changed = {name for name in {*now, *then} if now.get(name) != then.get(name)}
    return sorted(changed & _steering_fields(held.loaded, changed))


def _steering_fields(loaded: repository.Loaded, names: Iterable[str]) -> set[str]:
    """Of these fields those the token carries, or that an expression of the diagram names."""
    routed = {one.id for form in loaded.forms.values() for one in form.fields if one.route}
    text = loaded.diagram
    return {name for name in names if name in routed or f"form.{name}" in text or f"field({name})" in text}
