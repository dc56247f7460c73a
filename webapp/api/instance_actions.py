"""What is done to a whole instance: withdraw, and what process administrators steer with."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from sqlalchemy.orm import Session

from engine import work_items
from engine.errors import NotFound
from engine.models import Instance, WorkItem
from engine.work_items.instances import JumpPreview
from webapp.api.answers import InstanceLine, instance_line
from webapp.api.definitions import Step, step_of
from webapp.api.endpoint import Answer, Body, Call, Id, Version, endpoint
from webapp.api.item_actions import Element, Words

TAG = "process instances"

Reason = Annotated[str, msgspec.Meta(min_length=1, max_length=2000)]


class Because(Body, kw_only=True):
    reason: Reason
    version: Version | None = None
    """when given, the instance must still be at it"""


class Resume(Body):
    reason: Words = ""
    version: Version | None = None


class Reopen(Because, kw_only=True):
    step: Element
    """where it begins again"""


class Jump(Because, kw_only=True):
    token: int
    """the one that moves: see the instance's `items`"""
    step: Element
    to: list[Id] = []
    """whom it goes to there; empty: whom the diagram names"""
    dry_run: bool = False


class LaterPeople(Body):
    people: dict[Element, list[Id]]
    """{element: [person]}; an empty list gives a step back to its rule"""
    version: Version | None = None


class OnPaper(Because, kw_only=True):
    item: Id
    action: Literal["approve", "reject", "abstain"]
    at: Annotated[datetime, msgspec.Meta(tz=True)]
    """when it was decided, with offset"""
    opinion: Words = ""


class Ending(Answer):
    item_id: int
    node: str
    title: str


class Jumped(Answer):
    """What a jump does, or would do."""

    done: bool
    refusal: str
    ends: list[Ending]
    opens: list[Step]
    instance: InstanceLine


@endpoint("POST", "/process-instances/{instance_id}/actions/withdraw", tag=TAG, refusals=(409, 422))
def withdraw(call: Call, instance_id: Id, body: Because) -> InstanceLine:
    """Take your own request back while nobody has decided on it."""
    _check_version(call, instance_id, body.version)
    work_items.withdraw(call.session, call.actor, instance_id, body.reason)
    return _line(call.session, instance_id)


@endpoint("POST", "/process-instances/{instance_id}/actions/terminate", tag=TAG, refusals=(409, 422))
def terminate(call: Call, instance_id: Id, body: Because) -> InstanceLine:
    """Stop an instance, whatever its state; for process administrators."""
    _check_version(call, instance_id, body.version)
    work_items.terminate(call.session, call.actor, instance_id, body.reason)
    return _line(call.session, instance_id)


@endpoint("POST", "/process-instances/{instance_id}/actions/suspend", tag=TAG, refusals=(409, 422))
def suspend(call: Call, instance_id: Id, body: Because) -> InstanceLine:
    """Let an instance stand still; its timers keep their moments."""
    _check_version(call, instance_id, body.version)
    work_items.suspend(call.session, call.actor, instance_id, body.reason)
    return _line(call.session, instance_id)


@endpoint("POST", "/process-instances/{instance_id}/actions/resume", tag=TAG, refusals=(409, 422))
def resume(call: Call, instance_id: Id, body: Resume) -> InstanceLine:
    """Let it go on; what is due shifts by the pause."""
    _check_version(call, instance_id, body.version)
    work_items.resume(call.session, call.actor, instance_id, body.reason)
    return _line(call.session, instance_id)


@endpoint("POST", "/process-instances/{instance_id}/actions/void", tag=TAG, refusals=(409, 422))
def void(call: Call, instance_id: Id, body: Because) -> InstanceLine:
    """Let a finished instance count no more."""
    _check_version(call, instance_id, body.version)
    work_items.void(call.session, call.actor, instance_id, body.reason)
    return _line(call.session, instance_id)


@endpoint("POST", "/process-instances/{instance_id}/actions/reopen", tag=TAG, refusals=(409, 422))
def reopen(call: Call, instance_id: Id, body: Reopen) -> InstanceLine:
    """Wake an ended instance at a step, in a new round."""
    _check_version(call, instance_id, body.version)
    work_items.reopen(call.session, call.actor, instance_id, body.step, body.reason)
    return _line(call.session, instance_id)


@endpoint("POST", "/process-instances/{instance_id}/actions/jump", tag=TAG, refusals=(409, 422))
def jump(call: Call, instance_id: Id, body: Jump) -> Jumped:
    """Take a token to another step, forward or back. With `dry_run` only see which items end and open."""
    session, actor = call.session, call.actor
    _check_version(call, instance_id, body.version)
    seen = work_items.preview_jump(session, actor, instance_id, body.token, body.step)
    if not body.dry_run:
        work_items.jump(session, actor, instance_id, body.token, body.step, reason=body.reason, people=body.to)
    return Jumped(
        done=not body.dry_run,
        refusal=str(seen.jump.refusal or ""),
        ends=_endings(seen),
        opens=[step_of(step) for step in seen.opening],
        instance=_line(session, instance_id),
    )


def _endings(seen: JumpPreview) -> list[Ending]:
    return [Ending(item_id=item.id, node=item.node, title=item.title) for item in seen.ending]


@endpoint("POST", "/process-instances/{instance_id}/actions/change-later-people", tag=TAG, refusals=(409, 422))
def change_later_people(call: Call, instance_id: Id, body: LaterPeople) -> dict[str, list[int]]:
    """Name who does later steps, for this instance alone; for its starter and process administrators."""
    _check_version(call, instance_id, body.version)
    return work_items.change_people(call.session, call.actor, instance_id, body.people)


@endpoint("POST", "/process-instances/{instance_id}/actions/back-date", tag=TAG, refusals=(409, 422))
def back_date(call: Call, instance_id: Id, body: OnPaper) -> InstanceLine:
    """Enter a decision that was made on paper, with both times."""
    item = call.session.get(WorkItem, body.item)
    if item is None or item.instance_id != instance_id:
        raise NotFound
    work_items.back_date(
        call.session, call.actor, body.item, body.action, at=body.at, reason=body.reason, opinion=body.opinion
    )
    return _line(call.session, instance_id)


def _check_version(call: Call, instance_id: int, version: int | None) -> None:
    if version is not None:
        work_items.demand_version(call.session, call.actor, instance_id, version)


def _line(session: Session, instance_id: int) -> InstanceLine:
    return instance_line(session.get_one(Instance, instance_id, populate_existing=True))
