"""Records as others refer to them: those of one table called by name and found by what is typed, any by type and id."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.actor import Actor
from engine.catalog import CATALOG
from engine.work_items import may_read_instance

INSTANCE = "process.instance"
"""The record type of a process itself."""


@dataclass(frozen=True)
class ScopedRecords:
    """engine.forms.Reference over a mapped class, given by its columns. `also`: further columns people search by."""

    key: InstrumentedAttribute[int]
    name: InstrumentedAttribute[str]
    scope: Callable[[Actor], ColumnElement[bool]]
    also: tuple[InstrumentedAttribute[str], ...] = ()

    def labels(self, session: Session, actor: Actor, ids: Iterable[int]) -> dict[int, str]:
        wanted = select(self.key, self.name).where(self.key.in_(set(ids)), self.scope(actor))
        return {key: name for key, name in session.execute(wanted)}  # noqa: C416 - rows are not pairs to dict()

    def find(self, session: Session, actor: Actor, text: str, limit: int) -> list[tuple[int, str]]:
        like = or_(*(column.icontains(text.strip(), autoescape=True) for column in (self.name, *self.also)))
        wanted = select(self.key, self.name).where(like, self.scope(actor)).order_by(self.name, self.key).limit(limit)
        return [(key, name) for key, name in session.execute(wanted)]


def may_read(session: Session, actor: Actor, record_type: str, record_id: int) -> bool:
    """Whether a record exists and this person sees it, by the rights of its process or of its register."""
    if record_type == INSTANCE:
        return may_read_instance(session, actor, record_id)
    register = CATALOG.registers.get(record_type)
    if register is None or (register.permission and not actor.may(register.permission)):
        return False
    model = register.model
    found = select(model.id).where(model.id == record_id, register.scope(actor))  # type: ignore[attr-defined]
    return session.scalar(found) is not None
