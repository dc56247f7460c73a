"""Notices are their person's own: nobody reads another's, whatever his rights."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_

from engine.actor import Actor
from processes.notices.models import Notice


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """Those shown in the house; one that only went by mail is in no list."""
    return and_(Notice.person_id == actor.person_id, Notice.in_app.is_(True))
