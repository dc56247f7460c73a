"""Approve, reject, return, abstain, submit: one transaction each, decided by the instance's revision."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import InvalidForm, Problem, RuleViolation
from engine.forms import check_opinion
from engine.i18n import _
from engine.journal import Entry
from engine.models import Instance
from engine.recorder import ClosedItem
from engine.runtime import Step, StepResult, files, step
from engine.runtime.assign import is_approval
from engine.runtime.host import latest_form
from engine.runtime.picking import People
from engine.runtime.step import refuse
from engine.work_items import picking, returning
from engine.work_items.copies import demand_acknowledged
from engine.work_items.counting import count
from engine.work_items.held import Held, hold, lock
from engine.workflow.contract import Live, Node

REFUSALS = ("reject", "return")
FORWARD = ("approve", "submit")


def act(
    session: Session,
    actor: Actor,
    item_id: int,
    action: str,
    *,
    version: int | None = None,
    opinion: str = "",
    values: Mapping[str, Any] | None = None,
    to_step: str | None = None,
    signature: str = "",
    people: People | None = None,
    road: str = "",
) -> StepResult:
    """Decide or finish a work item: approve, reject, return, abstain or submit.

    version: the one the person saw; a stale one is a Conflict that says who was faster.  values: the fields this step
    may change.  to_step: where a return goes ("starter", "previous", the id of a step), and a rejection where the
    diagram lets the person choose.  signature: sha256 of the picture; the one on file where none is given.  people: of
    the steps behind this one, where the diagram leaves them to the approver: {node id: [person id]}.  road: kept in the
    log where the decision came over neither a page nor the interface ("sms").
    Raises Forbidden, InvalidForm, Conflict, and what a business operation of the step refuses.
    """
    return decide(
        session,
        actor,
        hold(session, actor, item_id, version, action),
        action,
        opinion=opinion,
        values=values,
        to_step=to_step,
        signature=signature,
        people=people,
        road=road,
    )


def decide(
    session: Session,
    actor: Actor,
    held: Held,
    action: str,
    *,
    opinion: str = "",
    values: Mapping[str, Any] | None = None,
    to_step: str | None = None,
    signature: str = "",
    business_at: datetime | None = None,
    for_person: int | None = None,
    people: People | None = None,
    road: str = "",
) -> StepResult:
    """What `act` does once the right is proved; business_at, for_person: a decision on paper entered by another."""
    item, node = held.item, held.node
    _check_opinion(action, held, opinion)
    on_behalf_of = for_person or item.on_behalf_of or _stands_in_for(held, actor)
    closed = ClosedItem(
        item_id=item.id,
        outcome=action,
        opinion=opinion,
        done_by=actor.person_id,
        done_by_name=actor.name,
        on_behalf_of=on_behalf_of,
        state="returned" if action == "return" else "done",
        signature="" if business_at is not None else _signature(session, actor, held, action, signature),
        business_at=business_at,
    )
    form, routed, changes = _read_form(session, actor, held, action, values)
    said = {"outcome": action, "by": on_behalf_of or actor.person_id, "opinion": opinion}
    variables = {**routed, "outcome": action, node.id: said}
    held = picking.name_next(session, actor, held, action, variables, people or {})
    detail = {"opinion": opinion, **({"changes": changes} if changes else {}), **({"road": road} if road else {})}
    if business_at is not None:
        detail["business_at"] = business_at.isoformat()
    todo = Step(
        act=_step_of(action, node, item.token, variables),
        entry=Entry(action, node.id, item.token, item.id, on_behalf_of, detail),
        closed=closed,
        form=form,
    )
    if action == "approve" and not item.many:
        demand_acknowledged(session, held)
    if not (item.many and action == "reject"):  # one refusal among many is counted first
        back = returning.destination(session, actor, held, action, to_step)
        if back is not None:
            return returning.send_back(session, actor, held, back, todo, action)
    if item.many and action != "return":
        return _count(session, actor, held, action, todo, variables, to_step)
    if item.many:  # a return is no vote: what the diagram draws for it takes the work of all the others with it
        todo = replace(todo, surplus=True, items_moved=True, cause="returned")
    if action in FORWARD and item.reason.get("after_return") == "straight_back":
        todo = returning.straight_back(session, actor, held, todo, variables)
    return step(session, actor, item.instance_id, todo, seen=held.instance)


def _count(
    session: Session,
    actor: Actor,
    held: Held,
    action: str,
    todo: Step,
    variables: dict[str, Any],
    to_step: str | None,
) -> StepResult:
    """One of several has spoken: the node goes on when that decides it."""
    item, node = held.item, held.node
    lock(session, held.instance)
    counted = count(session, item, held.policy, "approve" if action == "submit" else action)
    entry = replace(todo.entry, detail={**todo.entry.detail, "tally": counted.detail})
    todo = replace(todo, entry=entry, items_moved=True)
    if counted.verdict is None:
        waiting = _of_vote(replace(todo, act=lambda _live: None), held, "open")
        return step(session, actor, item.instance_id, waiting, seen=held.instance)
    verdict = action if action == "submit" else counted.verdict
    said = {**variables[node.id], "outcome": verdict, **counted.detail}
    outcome = {**variables, "outcome": verdict, node.id: said}
    return go_on(session, actor, held, counted.verdict, todo, outcome, to_step)


def go_on(
    session: Session,
    actor: Actor,
    held: Held,
    verdict: str,
    todo: Step,
    variables: dict[str, Any],
    to_step: str | None = None,
) -> StepResult:
    """The node is decided: back where the diagram sends a rejection, straight back to who returned it, or on."""
    item, todo = held.item, _of_vote(todo, held, verdict)
    if verdict == "reject":
        back = returning.destination(session, actor, held, "reject", to_step)
        if back is not None:
            return returning.send_back(session, actor, held, back, todo, "reject")
    else:
        demand_acknowledged(session, held)
    todo = replace(todo, act=_step_of(verdict, held.node, item.token, variables), surplus=True)
    if verdict == "approve" and item.reason.get("after_return") == "straight_back":
        todo = returning.straight_back(session, actor, held, todo, variables)
    return step(session, actor, item.instance_id, todo, seen=held.instance)


def _of_vote(todo: Step, held: Held, verdict: str) -> Step:
    """How a vote stands after it ("open": it goes on) is told with whatever moved it: a ballot, a signer taken away."""
    if held.policy.sign != "vote":
        return todo
    return replace(todo, entry=replace(todo.entry, detail={**todo.entry.detail, "vote": verdict}))


def _step_of(action: str, node: Node, token: int, variables: dict[str, Any]) -> Callable[[Live], object]:
    if action == "reject":
        return lambda live: refuse(live, token, node, variables)
    if action == "return":
        return lambda live: live.throw_error(token, "returned", variables)
    return lambda live: live.complete(token, variables)


def _stands_in_for(held: Held, actor: Actor) -> int | None:
    """For whom this person acts in a pool."""
    found = (held.item.reason.get("for") or {}).get(str(actor.person_id))
    return int(found) if found else None


def _check_opinion(action: str, held: Held, opinion: str) -> None:
    check_opinion("opinion", opinion)
    needed = action in REFUSALS or (is_approval(held.node) and held.policy.opinion)
    if needed and not opinion.strip():
        raise InvalidForm([Problem("opinion", _("Please give a reason."), rule="opinion_required")])


def _signature(session: Session, actor: Actor, held: Held, action: str, given: str) -> str:
    """The picture of the signature this decision carries; asked for where the diagram wants one."""
    if not is_approval(held.node) or action in ("return", "abstain"):
        return ""
    if not given and not held.policy.signature:
        return ""
    found = (CATALOG.signature(session, actor.person_id) if CATALOG.signature is not None else None) or ""
    if given and given != found:
        raise RuleViolation(
            _("This is not the picture you sign with."),
            code="foreign_signature",
            remedy=_("Upload a picture of your signature on your account page first."),
        )
    if held.policy.signature and not found:
        raise RuleViolation(
            _("This step must be signed, and your signature is not on file."),
            code="signature_required",
            remedy=_("Upload a picture of your signature on your account page first."),
        )
    return found


def _read_form(
    session: Session, actor: Actor, held: Held, action: str, values: Mapping[str, Any] | None
) -> tuple[dict[str, Any] | None, dict[str, Any], dict[str, Any]]:
    """(the submission to store, variables for the token, changed fields {name: [before, after]}).

    A plain task without a form takes its values as process variables, as integrators expect of a user task.
    """
    schema = held.loaded.form_of(held.node.id)
    if schema is None and not is_approval(held.node):
        return None, dict(values or {}), {}
    at = held.loaded.step_of(held.node.id)
    if schema is None or action in REFUSALS or (values is None and is_approval(held.node) and not schema.asks(at)):
        return None, {}, {}
    revision, before = latest_form(session, held.instance.id)
    clean = schema.submit(
        values or {},
        step=at,
        previous=before,
        session=session,
        actor=actor,
        instance_id=held.instance.id,
    )
    changes = {name: [before.get(name), clean.get(name)] for name in clean if before.get(name) != clean.get(name)}
    if not changes:
        return None, schema.routed(clean), {}
    kept = {**before, **clean}  # what other forms of the process have said stays
    session.execute(
        update(Instance)
        .where(Instance.id == held.instance.id)
        .values(summary=(held.loaded.start_form() or schema).summary(kept))
        .execution_options(synchronize_session=False)
    )
    files.hang(session, schema, clean, held.instance.id)
    stored = {
        "revision": revision + 1,
        "node": held.node.id,
        "values": kept,
        "saved_by": actor.person_id,
    }
    return stored, schema.routed(clean), changes
