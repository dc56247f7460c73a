"""The views a person has of lists: one's own and the shared ones, those in the sidebar, the one a list opens with."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from engine.actor import Actor
from processes.views import permissions, rules
from processes.views.models import ListChoice, SavedView


@dataclass(frozen=True)
class Pinned:
    """A line of the sidebar below its list: a saved view, or a ready-made one by its name."""

    register: str
    chosen: str
    view: SavedView | None = None


@dataclass(frozen=True)
class Shelf:
    """All of one person's views and what he has made of them; three questions to the database at most."""

    views: Sequence[SavedView]
    """his own first, each kind by name"""
    choices: Mapping[tuple[str, str], ListChoice]
    """by list and view"""
    changeable: Collection[int]
    """ids of the views he may change"""

    def of_list(self, register: str) -> list[SavedView]:
        return [one for one in self.views if one.register == register]

    def find(self, register: str, view_id: int) -> SavedView | None:
        return next((one for one in self.of_list(register) if one.id == view_id), None)

    def is_pinned(self, register: str, chosen: str, view: SavedView | None = None) -> bool:
        """What is shared stands in the sidebar until its reader takes it away; all else when he puts it there."""
        choice = self.choices.get((register, chosen))
        said = choice.is_pinned if choice is not None else None
        return (view is not None and view.audience != "private") if said is None else said

    def is_default(self, register: str, chosen: str) -> bool:
        choice = self.choices.get((register, chosen))
        return choice is not None and choice.is_default

    def default_of(self, register: str) -> str:
        """What the list opens with: id of a saved view, name of a ready-made one; "" = everything."""
        return next((chosen for (of, chosen) in self.choices if of == register and self.is_default(of, chosen)), "")

    def in_sidebar(self) -> list[Pinned]:
        """What is pinned, of each list as many as there is room for."""
        ready = [Pinned(of, chosen) for (of, chosen) in self.choices if not chosen.isdecimal()]
        saved = [Pinned(view.register, str(view.id), view) for view in self.views]
        shown: dict[str, list[Pinned]] = {}
        for one in (*ready, *saved):
            lines = shown.setdefault(one.register, [])
            if self.is_pinned(one.register, one.chosen, one.view) and len(lines) < rules.IN_SIDEBAR:
                lines.append(one)
        return [one for lines in shown.values() for one in lines]


_SHOWN = joinedload(SavedView.person), joinedload(SavedView.department)


def shelf_of(session: Session, actor: Actor) -> Shelf:
    order = SavedView.person_id != actor.person_id, SavedView.name, SavedView.id
    views = session.scalars(
        select(SavedView).where(permissions.visible_to(actor)).options(*_SHOWN).order_by(*order)
    ).all()
    others = any(view.person_id != actor.person_id for view in views)
    mine = select(SavedView.id).where(permissions.visible_to(actor), permissions.changeable(actor))
    changeable = set(session.scalars(mine)) if others else {view.id for view in views}
    chosen = select(ListChoice).where(ListChoice.person_id == actor.person_id).order_by(ListChoice.chosen)
    return Shelf(views, {(one.register, one.chosen): one for one in session.scalars(chosen)}, changeable)
