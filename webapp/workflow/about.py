"""The processes about a record, as a part of whatever page shows that record."""

from __future__ import annotations

from flask import Blueprint, render_template, request
from sqlalchemy import and_, select, union
from sqlalchemy.orm import Session

from engine.catalog import CATALOG
from engine.db import Sessions
from engine.errors import NotFound
from engine.models import Instance
from engine.work_items.rights import readable_by
from webapp.security.access import current_actor, signed_in
from webapp.skin.keys import read_key
from webapp.workflow import instance_list

pages = Blueprint("about", __name__)

MOST = 1_000
"""Of more than so many the newest are offered: they are paged by their own number."""


@pages.get("/about/<record_type>/<int:record_id>/processes")
@signed_in
def processes(record_type: str, record_id: int) -> str:
    """Newest first, as far as the reader may read them: he took part, or watches over all."""
    session, actor = Sessions(), current_actor()
    if not CATALOG.may_read(session, actor, record_type, record_id):
        raise NotFound
    scope = and_(Instance.id.in_(_ids(session, record_type, record_id)), readable_by(actor))
    after = request.args.get("after", type=read_key)
    found = instance_list.page(session, actor, scope, instance_list.Wanted(), after=after)
    return render_template(
        "workflow/_about.html",
        listing=found,
        record_type=record_type,
        record_id=record_id,
        is_first=after is None,
    )


def _ids(session: Session, record_type: str, record_id: int) -> list[int]:
    """Asked first and by their indexes: beside the order of the list a planner would walk through all instances."""
    named = select(Instance.id).where(Instance.business_key == f"{record_type}:{record_id}")
    declared = (ids(record_id) for (kind, _by), ids in CATALOG.about.items() if kind == record_type)
    every = union(named, *declared).subquery()
    return list(session.scalars(select(every.c.id).order_by(every.c.id.desc()).limit(MOST)))
