"""What people do with a work item: every action of an approval, each one call."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import history, work_items
from engine.errors import NotFound
from engine.models import Instance, WorkItem
from engine.runtime.picking import known_people
from engine.work_items import Done
from webapp.api.answers import InstanceLine, instance_line
from webapp.api.endpoint import Answer, Body, Call, Empty, Id, Version, endpoint
from webapp.api.work_items import visible

TAG = "work items"

Words = Annotated[str, msgspec.Meta(max_length=2000)]
Element = Annotated[str, msgspec.Meta(max_length=120)]
People = Annotated[list[Id], msgspec.Meta(min_length=1, max_length=100)]


class Decision(Body):
    version: Version
    opinion: Words = ""
    variables: dict[str, Any] | None = None
    """the form's fields that this step may change"""
    step: Element | None = None
    """where a return goes: "starter", "previous" or an element of `back_to`; also of a rejection that asks"""
    people: dict[Element, People] = {}
    """of the steps in `to_name`: {element: [person]}"""
    signature: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    """sha256 of your signature's picture, where another than the one on file is meant"""


class Ballot(Body):
    version: Version
    vote: Literal["approve", "reject", "abstain"]
    opinion: Words = ""


class Move(Body):
    version: Version


class Hand(Body):
    version: Version
    to: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=1)]
    reason: Words = ""


class GivenOpinion(Body):
    version: Version
    opinion: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class Question(Body):
    version: Version
    to: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=20)]
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    """what you ask"""


class Signers(Body):
    version: Version
    to: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=50)]
    order: Literal["before", "after", "parallel"]
    reason: Words = ""


class Reasoned(Body):
    version: Version
    reason: Words = ""


class Copies(Body):
    version: Version
    to: People


class Acted(Answer):
    """What became of the item and of its instance."""

    id: int
    version: int
    state: str
    outcome: str
    assignee_id: int | None
    instance: InstanceLine


@endpoint("POST", "/work-items/{item_id}/actions/{action}", tag=TAG, refusals=(409,))
def decide(
    call: Call,
    item_id: Id,
    action: Literal["approve", "reject", "return", "abstain", "submit", "resubmit"],
    body: Decision,
) -> Acted:
    """Decide or finish a work item.

    approve, reject, return, abstain: an approval (reject and return need an opinion). submit, resubmit: any other task,
    with the form's fields as `variables`. A stale `version` is refused with 409, which says who was faster.
    """
    verb = "submit" if action == "resubmit" else action
    work_items.act(
        call.session,
        call.actor,
        item_id,
        verb,
        version=body.version,
        opinion=body.opinion,
        values=body.variables,
        to_step=body.step,
        signature=body.signature,
        people=body.people,
    )
    return acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/vote", tag=TAG, refusals=(409,))
def vote(call: Call, item_id: Id, body: Ballot) -> Acted:
    """Cast a vote in a step that votes; the answer of the step is certain as soon as no vote can change it."""
    work_items.act(call.session, call.actor, item_id, body.vote, version=body.version, opinion=body.opinion)
    return acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/claim", tag=TAG, refusals=(409,))
def claim(call: Call, item_id: Id, body: Move) -> Acted:
    """Take an item out of its pool."""
    work_items.claim(call.session, call.actor, item_id, version=body.version)
    return acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/release", tag=TAG, refusals=(409,))
def release(call: Call, item_id: Id, body: Move) -> Acted:
    """Give a claimed item back to its pool."""
    work_items.release(call.session, call.actor, item_id, version=body.version)
    return acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/transfer", tag=TAG, refusals=(409, 422))
def transfer(call: Call, item_id: Id, body: Hand) -> Acted:
    """Pass an item on for good. At most five times, and never back to somebody who had it."""
    work_items.transfer(call.session, call.actor, item_id, body.to[0], reason=body.reason, version=body.version)
    return acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/delegate", tag=TAG, refusals=(409, 422))
def delegate(call: Call, item_id: Id, body: Hand) -> Acted:
    """Ask somebody to look at it; with his opinion (`resolve`) it comes back to you."""
    work_items.delegate(call.session, call.actor, item_id, body.to[0], reason=body.reason, version=body.version)
    return acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/resolve", tag=TAG, refusals=(409, 422))
def resolve(call: Call, item_id: Id, body: GivenOpinion) -> Acted:
    """Give the opinion you were asked for; of a side question the answer."""
    work_items.resolve(call.session, call.actor, item_id, opinion=body.opinion, version=body.version)
    return acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/take-back", tag=TAG, refusals=(409,))
def take_back(call: Call, item_id: Id, body: Move) -> Acted:
    """Take an item back that lies with who stands in for you, or whom you asked."""
    work_items.take_back(call.session, call.actor, item_id, version=body.version)
    return acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/assign", tag=TAG, refusals=(409, 422))
def assign(call: Call, item_id: Id, body: Hand) -> Acted:
    """Give an item to a person, wherever it lies; for process administrators, with a reason."""
    work_items.assign(call.session, call.actor, item_id, body.to[0], reason=body.reason, version=body.version)
    return acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/consult", tag=TAG, refusals=(409, 422))
def consult(call: Call, item_id: Id, body: Question) -> Acted:
    """Ask people beside the way; it blocks nothing."""
    work_items.consult(call.session, call.actor, item_id, body.to, question=body.reason, version=body.version)
    return acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/add-signer", tag=TAG, refusals=(409, 422))
def add_signer(call: Call, item_id: Id, body: Signers) -> Acted:
    """Add people before you, after you (you agree with it) or beside you."""
    work_items.add_signers(
        call.session, call.actor, item_id, body.to, order=body.order, reason=body.reason, version=body.version
    )
    return acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/remove-signer", tag=TAG, refusals=(409, 422))
def remove_signer(call: Call, item_id: Id, body: Reasoned) -> Acted:
    """Take the signer of this item away, with whom he added; for who added him, and process administrators."""
    work_items.remove_signer(call.session, call.actor, item_id, reason=body.reason, version=body.version)
    return acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/reclaim", tag=TAG, refusals=(409,))
def reclaim(call: Call, item_id: Id, body: Reasoned) -> Acted:
    """Take your own decision back, while nothing that came of it has been touched."""
    work_items.reclaim(call.session, call.actor, item_id, reason=body.reason, version=body.version)
    return acted(call.session, item_id)


# ------------------------------------------------------------------------------------------------- reading along


@endpoint("POST", "/work-items/{item_id}/actions/cc", tag=TAG, refusals=(409,))
def cc(call: Call, item_id: Id, body: Copies) -> Acted:
    """Let people read this instance. Only who holds the item may; everybody gets one copy, however often it is sent."""
    return _send(call, item_id, body, "cc")


@endpoint("POST", "/work-items/{item_id}/actions/circulate", tag=TAG, refusals=(409,))
def circulate(call: Call, item_id: Id, body: Copies) -> Acted:
    """Let people read this instance and acknowledge that they have."""
    return _send(call, item_id, body, "circulate")


@endpoint("POST", "/work-items/{item_id}/actions/recall", tag=TAG, refusals=(409,))
def recall(call: Call, item_id: Id, body: Copies) -> Acted:
    """Wait for these readers no more before the step can be approved; they may read on."""
    work_items.recall(call.session, call.actor, item_id, body.to, version=body.version)
    return acted(call.session, item_id)


def _send(call: Call, item_id: int, body: Copies, kind: str) -> Acted:
    people = known_people(call.session, body.to)
    work_items.send_from_item(call.session, call.actor, item_id, people, kind=kind, version=body.version)
    return acted(call.session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/acknowledge", tag=TAG)
def acknowledge(call: Call, item_id: Id, body: Empty) -> Acted:
    """Say that you have read what was circulated to you; twice is once."""
    session, actor = call.session, call.actor
    _item, instance = visible(session, actor, item_id)
    copy = work_items.copy_of(session, actor, instance.id)
    if copy is None:
        raise NotFound
    work_items.acknowledge(session, actor, copy.id)
    return acted(session, item_id)


@endpoint("POST", "/work-items/{item_id}/actions/follow", tag=TAG)
def follow(call: Call, item_id: Id, body: Empty) -> Acted:
    """Be told what happens in this instance; twice is once."""
    return _follow(call, item_id, on=True)


@endpoint("POST", "/work-items/{item_id}/actions/unfollow", tag=TAG)
def unfollow(call: Call, item_id: Id, body: Empty) -> Acted:
    """Be told no more."""
    return _follow(call, item_id, on=False)


def _follow(call: Call, item_id: int, *, on: bool) -> Acted:
    _item, instance = visible(call.session, call.actor, item_id)
    work_items.follow(call.session, call.actor, instance.id, on=on)
    return acted(call.session, item_id)


def acted(session: Session, item_id: int) -> Acted:
    """The item as it is now."""
    item, instance = session.execute(
        select(WorkItem, Instance)
        .join(Instance, Instance.id == WorkItem.instance_id)
        .where(WorkItem.id == item_id)
        .execution_options(populate_existing=True)
    ).one()
    waits_for = history.present_steps(session, [instance.id]).get(instance.id, "")
    return Acted(
        id=item.id,
        version=item.version,
        state=item.state,
        outcome=item.outcome,
        assignee_id=item.assignee_id,
        instance=instance_line(instance, waits_for),
    )


# ------------------------------------------------------------------------------------------------- many at once


class ManyItems(Body):
    """Several items decided alike; each stands for itself."""

    items: Annotated[list[BatchItem], msgspec.Meta(min_length=1, max_length=work_items.MOST)]
    action: Literal["approve", "reject"]
    opinion: Words = ""


class BatchItem(Body):
    id: Id
    version: Version


class MassTransfer(Body):
    """Everything of one person to another."""

    person: Id
    """whose work it is"""
    to: Id
    reason: Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]
    dry_run: bool = False


class MassTransferred(Answer):
    items: list[int]
    """open and waiting items of his own"""
    pools: list[int]
    """items he could take beside others"""
    later: list[int]
    """instances in which he is named for a later step"""
    drafts: list[int]
    """requests he has not sent"""
    named_in: list[str]
    """processes whose diagrams name him; deploy a new version of them"""
    results: list[HandedPiece]
    """empty in a dry run"""


class Outcome(Answer):
    """What became of one of many."""

    id: int
    done: bool
    state: str
    """of its instance, where it was done"""
    code: str
    reason: str


class HandedPiece(Outcome):
    """What became of one piece of somebody's work."""

    kind: Literal["items", "pools", "later", "drafts"]
    """which of these lists the id is of"""


class Outcomes(Answer):
    items: list[Outcome]
    done: int


@endpoint("POST", "/work-items/batch", tag=TAG, writes=False)
def batch(call: Call, body: ManyItems) -> Outcomes:
    """Decide several items at once: only of one form, and of steps that ask for no fields.

    Each is a change of its own: one refused leaves the others done, and the answer says which and why.
    """
    done = work_items.decide_many(
        call.actor, [(one.id, one.version) for one in body.items], body.action, opinion=body.opinion
    )
    return outcomes(done)


def outcomes(done: Sequence[Done]) -> Outcomes:
    return Outcomes(
        items=[Outcome(id=o.id, done=o.refusal is None, state=o.state, code=o.code, reason=o.reason) for o in done],
        done=sum(one.refusal is None for one in done),
    )


@endpoint("POST", "/work-items/mass-transfer", tag=TAG, writes=False, refusals=(422,))
def mass_transfer(call: Call, body: MassTransfer) -> MassTransferred:
    """Hand everything over that lies with somebody, or would come to him; with `dry_run` only see what it is."""
    found = work_items.estate(call.session, call.actor, body.person)
    call.session.rollback()
    done = [] if body.dry_run else work_items.hand_over(call.actor, body.person, body.to, reason=body.reason)
    return MassTransferred(
        items=found.items,
        pools=found.pools,
        later=found.later,
        drafts=found.drafts,
        named_in=found.named_in,
        results=[
            HandedPiece(
                id=one.id,
                kind=one.kind,  # type: ignore[arg-type]
                done=one.refusal is None,
                state=one.state,
                code=one.code,
                reason=one.reason,
            )
            for one in done
        ],
    )
