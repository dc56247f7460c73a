"""Who may see what lies in the archive, use and change Word templates, and see the documents made from them."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, false, or_, select, true
from sqlalchemy.orm import Session

from engine import work_items
from engine.actor import Actor
from engine.errors import Forbidden, NotFound
from engine.i18n import _
from engine.models import Instance
from engine.runtime.files import RECORD_TYPE
from engine.work_items.rights import readable_by
from processes.document.models import WAITING, ArchivePackage, WordDocument, WordTemplate

TEMPLATE = "document.template"
DOCUMENT = "document.document"
"""Record types; registers of these names show them."""

MANAGE_TEMPLATES = "document.template.manage"
MAKE_DOCUMENTS = "document.document.make"
READ_DOCUMENTS = "document.document.read"


def require(actor: Actor, permission: str) -> None:
    if not actor.may(permission):
        raise Forbidden(
            _("You may not do this; ask an administrator for the right “{permission}”.", permission=permission)
        )


def visible_templates(actor: Actor) -> ColumnElement[bool]:
    """Whoever makes documents sees what is in use; whoever manages templates sees them all."""
    if actor.may(MANAGE_TEMPLATES):
        return true()
    return WordTemplate.state == "active" if actor.may(MAKE_DOCUMENTS) else false()


def visible_documents(actor: Actor) -> ColumnElement[bool]:
    """One's own, and those a process made by itself for whoever may read that process; with the right, all.

    A print stays its maker's: it shows what that one person may see.
    """
    if actor.may(READ_DOCUMENTS):
        return true()
    made_by_a_process = WordDocument.instance_id.in_(select(Instance.id).where(readable_by(actor)))
    return or_(WordDocument.created_by == actor.person_id, made_by_a_process)


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
