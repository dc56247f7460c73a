"""Two Word files side by side, and the tracked changes of one: listed, accepted, rejected. The given files stay."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from typing import Literal, TypeVar

from sqlalchemy.orm import Session

from connectors.word import redlining, revisions
from connectors.word.faults import Refused
from connectors.word.revisions import Revision
from engine import attachments, clock
from engine.actor import Actor
from engine.errors import NotFound
from engine.i18n import _
from engine.models import Attachment
from processes.document import rules
from processes.document.operations.templates import not_accepted

Result = TypeVar("Result")


def compare_files(session: Session, actor: Actor, old: Attachment, new: Attachment) -> Attachment:
    """A file of the actor's own: `new` with every difference to `old` as a tracked change in his name."""
    redlined = _or_refuse(lambda: redlining.compare(_bytes(old), _bytes(new), author=actor.name, at=clock.now()))
    name = _("{file} (compared)", file=new.name.removesuffix(".docx"))
    return attachments.store(session, actor, f"{rules.part_name(str(name))}.docx", redlined)


def revisions_of(file: Attachment) -> Sequence[Revision]:
    return _or_refuse(lambda: revisions.list_revisions(_bytes(file)))


def settle_revisions(
    session: Session,
    actor: Actor,
    file: Attachment,
    *,
    verdict: Literal["accept", "reject"],
    ids: Collection[str] | None = None,
) -> Attachment:
    """A further file of the actor's own, with these changes (all without `ids`) made for good or undone."""
    settle = revisions.accept if verdict == "accept" else revisions.reject
    return attachments.store(session, actor, file.name, _or_refuse(lambda: settle(_bytes(file), ids)))


def _bytes(file: Attachment) -> bytes:
    try:
        return attachments.path_of(file.sha256).read_bytes()
    except FileNotFoundError:
        raise NotFound from None


def _or_refuse(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except Refused as refused:
        raise not_accepted(refused) from refused
