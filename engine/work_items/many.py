"""Many at once: approvals of one form decided alike; a leaver's work handed over. Each item stands for itself."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository
from engine.actor import Actor
from engine.db import Sessions, transaction
from engine.errors import AppError, RuleViolation
from engine.i18n import Sentence, _
from engine.models import InboxEntry, Instance, WorkItem
from engine.repository import Loaded
from engine.runtime import perform
from engine.work_items.deciding import REFUSALS, act
from engine.work_items.held import must_say

logger = logging.getLogger(__name__)

MOST = 200
"""At once: as much as a person can look over, and few enough that whoever asked may wait for the answer."""

FAILED = _("It could not be done for a reason nobody foresaw; the log of the server tells more.")


@dataclass(frozen=True, slots=True)
class Done:
    """What became of one of many."""

    id: int
    state: str = ""
    refusal: AppError | None = None
    kind: str = ""
    """what the id is of, where they are of several kinds"""

    @property
    def code(self) -> str:
        return self.refusal.code if self.refusal is not None else ""

    @property
    def reason(self) -> str:
        if self.refusal is None:
            return ""
        return " ".join(str(problem.message) for problem in self.refusal.problems) or str(self.refusal)


Work = Callable[[Session], str]
"""Do one of many; answers the state after it."""
Run = Callable[[int, Work], str]
"""Run this for the one of this id, in a transaction of its own."""


def _at_once(_id: int, work: Work) -> str:
    return perform(work)


def bounded(ids: Sequence[int]) -> list[int]:
    """Each once; more than one may wait for are refused."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MOST:
        raise RuleViolation(
            _("At most {most} at once.", most=MOST),
            code="too_many",
            remedy=_("Choose fewer, or narrow the filter."),
        )
    return wanted


def attempt(id: int, work: Work, *, kind: str = "", run: Run = _at_once) -> Done:
    """Do one of many in a transaction of its own; a refusal is the result."""
    try:
        return Done(id, run(id, work), kind=kind)
    except AppError as refusal:
        return Done(id, refusal=refusal, kind=kind)
    except Exception:  # a defect of ours in one stops no other
        logger.exception("many.failed", extra={"id": id, "kind": kind})
        return Done(id, refusal=RuleViolation(FAILED, code="failed"), kind=kind)
    finally:
        Sessions.remove()


def decide_many(
    actor: Actor, items: Sequence[tuple[int, int]], action: str, *, opinion: str = "", run: Run = _at_once
) -> list[Done]:
    """Decide these (item, version) alike, each in a transaction of its own; one refused leaves the others done.

    Before anything is done it raises RuleViolation where they are too many, not of one form, or ask for fields, and
    InvalidForm where the reason of a refusal is missing.
    """
    ids = bounded([item_id for item_id, _version in items])
    if action in REFUSALS:
        must_say("opinion", opinion)
    _check_alike(actor, ids)
    versions = dict(items)
    return [
        attempt(item_id, partial(_decide, actor, item_id, versions[item_id], action, opinion), run=run)
        for item_id in ids
    ]


def _decide(actor: Actor, item_id: int, version: int, action: str, opinion: str, session: Session) -> str:
    return act(session, actor, item_id, action, version=version, opinion=opinion).state


def _check_alike(actor: Actor, ids: Sequence[int]) -> None:
    """Of what lies with this person; the rest is refused one by one, without a word of what it is."""
    mine = select(InboxEntry.item_id).where(InboxEntry.principal.in_(actor.principals))
    with transaction() as session:
        rows = session.execute(
            select(WorkItem.node, Instance.definition_id)
            .join(Instance, Instance.id == WorkItem.instance_id)
            .where(WorkItem.id.in_(ids), WorkItem.id.in_(mine))
            .distinct()
        ).all()
        steps = [(repository.get(session, row.definition_id), row.node) for row in rows]
        if len({form_of(loaded, node) for loaded, node in steps}) > 1:
            raise _not_alike(_("These items are of different forms."))
        for loaded, node in steps:
            why = why_alone(loaded, node)
            if why is not None:
                raise _not_alike(why)


def form_of(loaded: Loaded, node: str) -> str:
    """What items must have in common to be decided together: the form of one process."""
    return f"{loaded.key}/{loaded.compiled.nodes[node].form_key}"


def why_alone(loaded: Loaded, node: str) -> Sentence | None:
    """Why an item of this step is decided by itself only; None = it goes together with others of its form."""
    schema = loaded.form_of(node)
    if schema is not None and schema.asks(loaded.step_of(node)):
        return _("“{step}” asks for fields to be filled in.", step=_title(loaded, node))
    return None


def _title(loaded: Loaded, node: str) -> str:
    found = loaded.compiled.nodes[node]
    return found.name or found.id


def _not_alike(why: Sentence) -> RuleViolation:
    return RuleViolation(why, code="not_alike", remedy=_("Decide them one by one."))
