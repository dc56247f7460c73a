"""Records of one table as others refer to them: called by name, found by what is typed."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.actor import Actor


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
