"""Who may see a saved view, and who may change or share one. What it shows is the list's own affair."""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, exists, false, or_, select
from sqlalchemy.orm import Session, aliased

from engine.actor import Actor
from engine.catalog import CATALOG, Register
from engine.errors import Forbidden, NotFound
from engine.i18n import _
from processes.organization.models import Department, Employee
from processes.organization.permissions import led_by
from processes.views.models import SavedView

VIEW = "views.saved_view"
"""Record type."""

SHARE = "views.team.share"
"""Share views of lists with one's own department."""
SHARE_WITH_ALL = "views.everybody.share"
"""Share views with everybody, and look after those that are shared."""


_SHARED, _MINE, _READER = aliased(Department), aliased(Department), aliased(Employee)
"""Made once: aliases cost more than the condition, and it stands on every page."""


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """One's own, everybody's, and those shared with one's department or one above it."""
    within = exists(
        select(_READER.id)
        .join(_MINE, _MINE.id == _READER.department_id)
        .join(_SHARED, _MINE.path.startswith(_SHARED.path))
        .where(_READER.id == actor.person_id, _SHARED.id == SavedView.department_id)
    )
    return or_(
        SavedView.person_id == actor.person_id,
        SavedView.audience == "everybody",
        and_(SavedView.audience == "department", within),
    )


def list_of(actor: Actor, name: str) -> Register:
    """The list of this name. Raises NotFound also where the actor may not open it."""
    register = CATALOG.registers.get(name)
    if register is None or (register.permission and not actor.may(register.permission)):
        raise NotFound
    return register


def lists(actor: Actor) -> list[str]:
    """Names of the lists the actor may open."""
    return [one.name for one in CATALOG.registers.values() if not one.permission or actor.may(one.permission)]


def readable(session: Session, actor: Actor, view_id: int) -> SavedView:
    found = session.scalars(select(SavedView).where(SavedView.id == view_id, visible_to(actor))).first()
    if found is None:
        raise NotFound
    list_of(actor, found.register)
    return found


def changeable(actor: Actor) -> ColumnElement[bool]:
    """One's own; of those others share, the ones shared with a department one leads (its keeper may have moved on), and
    all of them for whoever looks after them.
    """
    if actor.may(SHARE_WITH_ALL):
        shared = SavedView.audience != "private"
    elif actor.may(SHARE):
        shared = and_(SavedView.audience == "department", led_by(actor, SavedView.department_id.expression))
    else:
        shared = false()
    return or_(SavedView.person_id == actor.person_id, shared)


def audiences(actor: Actor) -> tuple[str, ...]:
    """With whom the actor may share."""
    shared = ("department", "everybody") if actor.may(SHARE_WITH_ALL) else ("department",) if actor.may(SHARE) else ()
    return ("private", *shared)


def demand_change(session: Session, actor: Actor, view: SavedView) -> None:
    if session.scalar(select(SavedView.id).where(SavedView.id == view.id, changeable(actor))) is None:
        raise Forbidden(
            _("Only whoever keeps this view or leads its department may change it."),
            remedy=_("Save it under a name of your own instead."),
        )


def demand_audience(actor: Actor, audience: str) -> None:
    if audience not in audiences(actor):
        raise Forbidden(
            _("You may not share views with others; ask an administrator for the right “{permission}”.",
              permission=SHARE if audience == "department" else SHARE_WITH_ALL),
            remedy=_("Keep it for yourself."),
        )  # fmt: skip
