"""Who may see what lies in the archive: whoever may read the process it was made of."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, select
from sqlalchemy.orm import Session

from engine import work_items
from engine.actor import Actor
from engine.errors import Forbidden, NotFound
from engine.i18n import _
from engine.models import Instance
from engine.runtime.files import RECORD_TYPE
from engine.work_items.rights import readable_by
from processes.document.models import WAITING, ArchivePackage


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """The filed packages of the processes this person may read."""
    return and_(
        ArchivePackage.state != WAITING,
        ArchivePackage.record_type == RECORD_TYPE,
        ArchivePackage.record_id.in_(select(Instance.id).where(readable_by(actor))),
    )


def demand_whole(session: Session, actor: Actor, package: ArchivePackage) -> None:
    """A package holds everything, so it is for those from whom nothing of the form is hidden."""
    instance = session.get(Instance, package.record_id)
    if instance is None or not work_items.may_read_instance(session, actor, instance.id):
        raise NotFound
    if work_items.hidden_fields(session, actor, instance):
        raise Forbidden(
            _("The package holds fields that are hidden from you."),
            remedy=_("Print the process instead: the print shows what you may see."),
        )
