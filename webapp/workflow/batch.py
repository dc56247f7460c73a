"""Several items of the inbox decided alike: what was ticked, and what became of each."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import work_items
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, RuleViolation
from engine.i18n import Sentence, _
from engine.models import Instance, WorkItem
from engine.work_items import Done
from engine.work_items.many import Work
from webapp.once import once
from webapp.workflow import deeds, lists
from webapp.workflow.deeds import Posted
from webapp.workflow.refusals import as_told


@dataclass(frozen=True)
class Refused:
    """One that was not decided, and why."""

    item_id: int
    name: str
    """what the request is about; "" = nothing this person may know"""
    why: str


@dataclass(frozen=True)
class Batch:
    """What became of what was ticked."""

    ticked: Sequence[int] = ()
    done: Sequence[int] = ()
    refused: Sequence[Refused] = ()
    refusal: AppError | None = None
    """why nothing was done at all"""
    opinion: str = ""

    @property
    def left(self) -> frozenset[int]:
        """What stays ticked."""
        return frozenset(self.ticked) - frozenset(self.done)


def decide(actor: Actor, form: Posted, action: str) -> Batch:
    """Decide what is ticked; sent twice it is done once, item by item."""
    items = _ticked(form)
    submission, opinion = form.get("submission", ""), form.get("opinion", "").strip()
    ticked = Batch(ticked=list(dict(items)), opinion=opinion)

    def run(item_id: int, work: Work) -> str:
        key = f"{item_id}:{submission}" if submission else ""
        return str(once(actor, key, lambda session: {"state": work(session)})["state"])

    try:
        if not items:
            raise RuleViolation(_("Nothing is chosen."), code="nothing_chosen", remedy=_("Tick what is to be decided."))
        found = work_items.decide_many(actor, items, action, opinion=opinion, run=run)
    except AppError as refusal:
        return replace(ticked, refusal=refusal)
    done = [one.id for one in found if one.refusal is None]
    return replace(ticked, done=done, refused=_told(Sessions(), found))


def in_words(result: Batch, action: str) -> Sentence:
    count = len(result.done)
    return _("{count} approved.", count=count) if action == "approve" else _("{count} rejected.", count=count)


def _ticked(form: Posted) -> list[tuple[int, int]]:
    """(item, version) of every box; what no box of ours sends is passed over."""
    pairs = (deeds.chosen(value.split(":")) for value in form.getlist("item"))
    return [(pair[0], pair[1]) for pair in pairs if len(pair) == 2]


def _told(session: Session, found: Sequence[Done]) -> list[Refused]:
    wanted = (
        select(WorkItem, Instance.title)
        .join(Instance, Instance.id == WorkItem.instance_id)
        .where(WorkItem.id.in_([one.id for one in found if one.refusal is not None and one.code != "not_found"]))
    )
    present = {item.id: (item, lists.name_of(title)) for item, title in session.execute(wanted)}
    refused = []
    for one in found:
        if one.refusal is None:
            continue
        item, name = present.get(one.id, (None, ""))
        why = replace(one, refusal=as_told(one.refusal, item)).reason if item is not None else one.reason
        refused.append(Refused(one.id, name, why))
    return refused
