"""One work item, and what people do with it."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import history, policy, repository, work_items
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import NotFound
from engine.forms import ScopedLookups
from engine.models import Instance, WorkItem
from engine.repository import Loaded
from engine.runtime.assign import is_approval
from engine.runtime.foresee import foresee
from engine.work_items import rights
from engine.workflow.contract import Node
from webapp.api.answers import (
    Action,
    DueState,
    File,
    Form,
    InstanceLine,
    Names,
    Person,
    actions_of,
    due_facts,
    files_of,
    form_of,
    instance_line,
    reading_rights,
)
from webapp.api.definitions import Step, step_of
from webapp.api.endpoint import Answer, Call, Id, endpoint

TAG = "work items"


class Why(Answer):
    """Why it reached these people."""

    rule: str
    path: str
    candidates: list[Person]
    """who else may take it; pools by their members"""


class Signer(Answer):
    """One item of a step that several people do."""

    id: int
    person: Person | None
    state: str
    outcome: str
    opinion: str
    added: str
    """before, after, parallel; empty where the diagram names them"""
    on_behalf_of: Person | None


class StepName(Answer):
    element: str
    title: str


class BackTo(StepName):
    people: list[Person]
    ends: list[str]
    """elements of parallel branches that end with it"""


class Past(Answer):
    """A finished request of the same process."""

    id: int
    title: str
    state: str
    starter: Person
    amount: dict[str, str] | None
    ended_at: datetime
    seconds: int
    """how long it took"""


class Before(Answer):
    instances: list[Past]
    """the nearest few: of the same starter first, then with a near amount, then the newest"""
    counts: dict[str, int]
    """how many ended in which state, of the latest"""
    of_starter: dict[str, int]
    near: dict[str, int]
    """of those whose amount differs by a fifth at most"""


class ItemDetail(Answer):
    id: int
    version: int
    """send it back with an action"""
    instance: InstanceLine
    node: str
    title: str
    documentation: str
    state: str
    outcome: str
    opinion: str
    assignee: Person | None
    on_behalf_of: Person | None
    created_at: datetime
    due_at: datetime | None
    due_state: DueState
    due_text: str
    """the same in words, in working time ("3 working hours left")"""
    done_at: datetime | None
    done_by: Person | None
    form: Form | None
    values: dict[str, Any]
    files: list[File]
    actions: list[Action]
    why: Why
    rule: str
    """when this step is decided, in words; empty where one person decides"""
    signers: list[Signer]
    """everybody of this step, with what they have said"""
    unread: list[Person]
    """who has to acknowledge what was circulated before this step can be approved"""
    back_to: list[BackTo]
    """where you may return it to"""
    to_name: list[StepName]
    """steps behind this one whose people you have to name when you agree"""
    before: Before
    """what finished requests of the same process got, of the past year, as far as you may read them; empty unless it
    lies with you"""
    next: list[Step]
    """who would come next if you agreed now; empty when it cannot be foreseen"""


@endpoint("GET", "/work-items/{item_id}", tag=TAG)
def get_item(call: Call, item_id: Id) -> ItemDetail:
    """One work item: form and values, what you may do and why not, why it is yours, who comes next."""
    session, actor = call.session, call.actor
    item, instance = visible(session, actor, item_id)
    loaded = repository.get(session, instance.definition_id)
    node = loaded.compiled.nodes[item.node]
    actions = work_items.actions_now(session, actor, item, node, instance)
    names = Names(session, [item.assignee_id, item.done_by, item.on_behalf_of, *_candidates(session, item)])
    return ItemDetail(
        id=item.id,
        version=item.version,
        instance=instance_line(instance, history.present_steps(session, [instance.id]).get(instance.id, "")),
        node=item.node,
        title=item.title,
        documentation=node.documentation,
        state=item.state,
        outcome=item.outcome,
        opinion=item.opinion,
        assignee=names.maybe(item.assignee_id),
        on_behalf_of=names.maybe(item.on_behalf_of),
        created_at=item.created_at,
        due_at=item.due_at,
        **due_facts(item.due_at if item.state == "open" else None, item.created_at),
        done_at=item.done_at,
        done_by=names.maybe(item.done_by),
        form=_form(session, actor, item, instance, loaded, deciding=rights.decides(actions, node)),
        values=work_items.readable_values(session, actor, instance, step=item.node),
        files=files_of(session, actor, instance),
        actions=actions_of(actions),
        why=Why(
            rule=str(item.reason.get("rule", "")),
            path=str(item.reason.get("path", "")),
            candidates=[names(person) for person in _candidates(session, item)],
        ),
        before=_before(session, actor, item, instance),
        next=_next(session, actor, item, instance, node),
        rule=_rule(session, item, node),
        signers=_signers(session, item),
        unread=_unread(session, item, node),
        back_to=_back_to(session, actor, item, instance, loaded),
        to_name=_to_name(session, actor, item, instance, loaded, node),
    )


def _rule(session: Session, item: WorkItem, node: Node) -> str:
    if not item.many or not is_approval(node):
        return ""
    people = [one for one in history.signers_of(session, item) if one.added in ("", "parallel")]
    return str(policy.explain(policy.read(node.properties), len(people)))


def _unread(session: Session, item: WorkItem, node: Node) -> list[Person]:
    if not is_approval(node) or not policy.read(node.properties).waits_for_readers:
        return []
    readers = work_items.unacknowledged(session, item.instance_id, item.token)
    names = Names(session, list(readers))
    return [names(person) for person in readers]


def _signers(session: Session, item: WorkItem) -> list[Signer]:
    if not item.many:
        return []
    found = history.signers_of(session, item)
    names = Names(session, [person for one in found for person in (one.assignee_id, one.done_by, one.on_behalf_of)])
    return [
        Signer(
            id=one.id,
            person=names.maybe(one.done_by or one.assignee_id),
            state=one.state,
            outcome=one.outcome,
            opinion=one.opinion,
            added=one.added,
            on_behalf_of=names.maybe(one.on_behalf_of),
        )
        for one in found
    ]


def _back_to(session: Session, actor: Actor, item: WorkItem, instance: Instance, loaded: Loaded) -> list[BackTo]:
    node = loaded.compiled.nodes[item.node]
    if item.state != "open" or rights.refusal("return", item, node, instance, actor) is not None:
        return []
    found = work_items.targets(session, actor, instance, loaded, item)
    names = Names(session, [person for target in found for person in target.people])
    return [
        BackTo(
            element=target.node.id,
            title=target.title,
            people=[names(person) for person in target.people],
            ends=[token.node for token in target.jump.dying],
        )
        for target in found
    ]


def _to_name(
    session: Session, actor: Actor, item: WorkItem, instance: Instance, loaded: Loaded, node: Node
) -> list[StepName]:
    if "approver" not in loaded.picked_by or item.state != "open" or not rights.holds(item, actor):
        return []
    found = work_items.to_name(session, actor, instance, loaded, item)
    return [StepName(element=one.id, title=one.name or one.id) for one in found]


def visible(session: Session, actor: Actor, item_id: int) -> tuple[WorkItem, Instance]:
    row = session.execute(
        select(WorkItem, Instance).join(Instance, Instance.id == WorkItem.instance_id).where(WorkItem.id == item_id)
    ).first()
    if row is None:
        raise NotFound
    item, instance = row
    mine = rights.holds(item, actor) or set(item.candidates) & set(actor.principals)
    if not mine and not rights.may_read_instance(session, actor, instance.id):
        raise NotFound
    return item, instance


def _form(
    session: Session, actor: Actor, item: WorkItem, instance: Instance, loaded: Loaded, *, deciding: bool
) -> Form | None:
    """The form with this step's rights for who may act on it, to be read for anybody else."""
    lookups = ScopedLookups(session, actor, instance_id=instance.id)
    own = loaded.form_of(item.node) if deciding else None
    if own is not None:
        return form_of(own, lookups, own.rights(loaded.step_of(item.node)))
    shown = loaded.start_form()
    if shown is None:
        return None
    return form_of(shown, lookups, reading_rights(shown, work_items.hidden_fields(session, actor, instance)))


def _candidates(session: Session, item: WorkItem) -> list[int]:
    found: dict[int, None] = {}
    for principal in item.candidates:
        if principal > 0:
            found[principal] = None
        elif CATALOG.directory is not None:
            found |= dict.fromkeys(CATALOG.directory.members(session, principal))
    return list(found)


def _before(session: Session, actor: Actor, item: WorkItem, instance: Instance) -> Before:
    mine = item.state == "open" and rights.holds(item, actor)
    found = work_items.precedents_of(session, actor, instance, item.node) if mine else work_items.Precedents()
    return Before(
        instances=[
            Past(
                id=one.id,
                title=one.title,
                state=one.state,
                starter=Person(id=one.starter_id, name=one.starter_name),
                amount=dict(one.amount) if one.amount is not None else None,
                ended_at=one.ended_at,
                seconds=int((one.ended_at - one.started_at).total_seconds()),
            )
            for one in found.shown
        ],
        counts=dict(found.counts),
        of_starter=dict(found.of_starter),
        near=dict(found.near),
    )


def _next(session: Session, actor: Actor, item: WorkItem, instance: Instance, node: Node) -> list[Step]:
    if item.state != "open" or instance.state != "running" or not rights.holds(item, actor):
        return []
    return [step_of(step) for step in foresee(session, actor, item, instance, rights.offered(node)[0])]
