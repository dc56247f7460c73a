"""Where choices and references come from: named by forms, answered by business packages within the actor's rights."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.models import Attachment, Instance


@dataclass(frozen=True, slots=True)
class Choice:
    value: str
    label: str


OptionSource = Callable[[Session, Actor], Sequence[Choice]]
OptionSourceT = TypeVar("OptionSourceT", bound=OptionSource)

OPTION_SOURCES: dict[str, OptionSource] = {}


def option_source(name: str) -> Callable[[OptionSourceT], OptionSourceT]:
    """Declare `(session, actor) -> choices`, offered by select and multi fields with {"source": name}."""

    def declare(function: OptionSourceT) -> OptionSourceT:
        OPTION_SOURCES[name] = function
        return function

    return declare


class Reference(Protocol):
    """Records of one type as a form sees them, within the actor's rights."""

    def labels(self, session: Session, actor: Actor, ids: Iterable[int]) -> dict[int, str]:
        """What these records are called; those the actor may not see are missing."""
        ...

    def find(self, session: Session, actor: Actor, text: str, limit: int) -> list[tuple[int, str]]:
        """Records a person may pick, by what was typed."""
        ...


REFERENCES: dict[str, Reference] = {}


def reference(name: str, answers: Reference) -> None:
    """Declare a record type that fields of type reference may name."""
    REFERENCES[name] = answers


class Lookups(Protocol):
    """What a submission asks about the world."""

    def options(self, source: str) -> Sequence[Choice]: ...

    def labels(self, reference: str, ids: Iterable[int]) -> dict[int, str]: ...

    def attachments(self, ids: Iterable[int]) -> set[int]: ...


class ScopedLookups:
    """The registries, asked in one person's name."""

    def __init__(self, session: Session, actor: Actor, *, instance_id: int | None = None) -> None:
        self._session = session
        self._actor = actor
        self._instance_id = instance_id

    def options(self, source: str) -> Sequence[Choice]:
        return OPTION_SOURCES[source](self._session, self._actor)

    def labels(self, reference: str, ids: Iterable[int]) -> dict[int, str]:
        return REFERENCES[reference].labels(self._session, self._actor, ids)

    def attachments(self, ids: Iterable[int]) -> set[int]:
        """Files already hung on this instance, and those the actor has sent up that hang nowhere or on his own drafts.

        Whoever may read an instance may read its files, so a file of another one does not serve twice.
        """
        me = self._actor.person_id
        drafts = select(Instance.id).where(Instance.starter_id == me, Instance.state == "draft")
        on_instance = Attachment.record_type == "process.instance"
        free = Attachment.record_id.is_(None) | (on_instance & Attachment.record_id.in_(drafts))
        here = on_instance & (Attachment.record_id == self._instance_id)
        allowed = here | ((Attachment.uploaded_by == me) & free)
        return set(self._session.scalars(select(Attachment.id).where(Attachment.id.in_(set(ids)), allowed)))
