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
from engine.models import Instance, WorkItem
from engine.runtime import perform
from engine.work_items.deciding import act

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
        return str(self.refusal) if self.refusal is not None else ""


def bounded(ids: Sequence[int]) -> list[int]:
    """Each once; more than one may wait for are refused."""
    wanted = list(dict.fromkeys(ids))
    if len(wanted) > MOST:
        raise RuleViolation(_("At most {most} at once.", most=MOST), code="too_many", remedy=_("Narrow the filter."))
    return wanted


def attempt(id: int, work: Callable[[Session], str], *, kind: str = "") -> Done:
    """Do one of many in a transaction of its own. `work` answers the state after it; a refusal is the result."""
    try:
        return Done(id, perform(work), kind=kind)
    except AppError as refusal:
        return Done(id, refusal=refusal, kind=kind)
    except Exception:  # a defect of ours in one stops no other
        logger.exception("many.failed", extra={"id": id, "kind": kind})
        return Done(id, refusal=RuleViolation(FAILED, code="failed"), kind=kind)
    finally:
        Sessions.remove()


def decide_many(actor: Actor, items: Sequence[tuple[int, int]], action: str, *, opinion: str = "") -> list[Done]:
    """Decide these (item, version) alike, each in a transaction of its own; one refused leaves the others done.

    Raises RuleViolation before anything is done where they are not of one form or ask for fields.
    """
    _check_alike([item_id for item_id, _version in items])
    return [
        attempt(item_id, partial(_decide, actor, item_id, version, action, opinion))
        for item_id, version in dict(items).items()
    ]


def _decide(actor: Actor, item_id: int, version: int, action: str, opinion: str, session: Session) -> str:
    return act(session, actor, item_id, action, version=version, opinion=opinion).state


def _check_alike(ids: Sequence[int]) -> None:
    with transaction() as session:
        rows = session.execute(
            select(WorkItem.node, Instance.definition_id, Instance.definition_key)
            .join(Instance, Instance.id == WorkItem.instance_id)
            .where(WorkItem.id.in_(ids))
            .distinct()
        ).all()
        forms = {(row.definition_key, _form_key(session, row.definition_id, row.node)) for row in rows}
        if len(forms) > 1:
            raise _not_alike(_("These items are of different forms."))
        for row in rows:
            loaded = repository.get(session, row.definition_id)
            schema = loaded.form_of(row.node)
            if schema is not None and "required" in schema.rights(loaded.step_of(row.node)).values():
                raise _not_alike(_("“{step}” asks for fields to be filled in.", step=_title(loaded, row.node)))


def _form_key(session: Session, definition_id: int, node: str) -> str:
    loaded = repository.get(session, definition_id)
    return loaded.compiled.nodes[node].form_key


def _title(loaded: repository.Loaded, node: str) -> str:
    found = loaded.compiled.nodes[node]
    return found.name or found.id


def _not_alike(why: Sentence) -> RuleViolation:
    return RuleViolation(why, code="not_alike", remedy=_("Decide them one by one."))
