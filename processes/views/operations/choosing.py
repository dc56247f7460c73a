"""What a reader makes of views: pinned to the sidebar, opened first. Nobody else is concerned."""

from __future__ import annotations

from sqlalchemy import update
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import NotFound
from processes.views import permissions
from processes.views.models import ListChoice
from processes.views.operations.saving import lock_person


def choose(
    session: Session,
    actor: Actor,
    *,
    register: str,
    chosen: str,
    pinned: bool | None = None,
    default: bool | None = None,
) -> ListChoice:
    """chosen: id of a saved view or name of a ready-made one.  None leaves as it is; a list has one default at most."""
    of = permissions.list_of(actor, register)
    if chosen not in {one.name for one in of.views}:
        view = permissions.readable(session, actor, int(chosen) if chosen.isdecimal() and len(chosen) < 19 else 0)
        if view.register != of.name:
            raise NotFound
        chosen = str(view.id)
    lock_person(session, actor)
    known = session.get(ListChoice, (actor.person_id, of.name, chosen), populate_existing=True)
    if known is None:
        known = ListChoice(person_id=actor.person_id, register=of.name, chosen=chosen)
        session.add(known)
    if pinned is not None:
        known.is_pinned = pinned
    if default is not None:
        mine = (ListChoice.person_id == actor.person_id, ListChoice.register == of.name)
        session.execute(update(ListChoice).where(*mine, ListChoice.is_default).values(is_default=False))
        known.is_default = default
    session.flush()
    return known
