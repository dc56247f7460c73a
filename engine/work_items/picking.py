"""指定下一审批人: where a diagram leaves a step's people to the approver before it, they are named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from engine import repository
from engine.actor import Actor
from engine.errors import AppError, Forbidden, InvalidForm, Problem
from engine.i18n import _
from engine.models import Instance
from engine.runtime.facts import InstanceFacts
from engine.runtime.foresee import peek
from engine.runtime.picking import People, check_own, known_people, picked_by
from engine.work_items.held import Held, forget, lock
from engine.workflow.contract import Node


def name_next(
    session: Session, actor: Actor, held: Held, action: str, variables: Mapping[str, Any], people: People
) -> Held:
    """Take the people named with a decision, and refuse it while a step it would open has none.

    Where the diagram leaves no choice nothing is looked at; the item as it is held after that.
    """
    open_choice = action in ("approve", "submit") and "approver" in held.loaded.picked_by
    if not people and not open_choice:
        return held
    lock(session, held.instance)
    named = dict(held.instance.people)
    for node_id, persons in people.items():
        node = held.loaded.compiled.nodes.get(node_id)
        if node is None or picked_by(node) != "approver":
            raise Forbidden(_("Who does “{step}” is not yours to choose.", step=node_id))
        checked = known_people(session, persons, where=f"people.{node_id}")
        check_own(node, held.instance.starter_id, checked)
        named[node_id] = checked
    if open_choice:
        _demand_named(session, actor, held, variables, named)
    if named == held.instance.people:
        return held
    session.execute(
        update(Instance)
        .where(Instance.id == held.instance.id)
        .values(people=named)
        .execution_options(synchronize_session=False)
    )
    forget(session, Instance, held.instance.id)
    return replace(held, instance=replace(held.instance, people=named))


def to_name(
    session: Session,
    actor: Actor,
    instance: Instance | InstanceFacts,
    loaded: repository.Loaded,
    item: Any,
    variables: Mapping[str, Any] | None = None,
) -> list[Node]:
    """The steps that would open if this item were agreed to now, whose people the approver names."""
    said = variables or {"outcome": "approve", item.node: {"outcome": "approve", "by": actor.person_id, "opinion": ""}}
    seen = peek(session, actor, instance, loaded)
    if seen is None:
        return []
    live = seen[0]
    try:
        live.complete(item.token, said)
    except AppError:
        return []
    opened = (loaded.compiled.nodes[task.node] for task in live.drain().opened)
    return [node for node in opened if picked_by(node) == "approver"]


def _demand_named(
    session: Session, actor: Actor, held: Held, variables: Mapping[str, Any], named: Mapping[str, Any]
) -> None:
    missing = [
        Problem(f"people.{node.id}", _("Choose who does “{step}”.", step=node.name or node.id), rule="pick_next")
        for node in to_name(session, actor, held.instance, held.loaded, held.item, variables)
        if not named.get(node.id)
    ]
    if missing:
        raise InvalidForm(missing)
