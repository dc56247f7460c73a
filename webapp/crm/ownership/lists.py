"""One's own lists: my focus, what I watch, what is shared with me, what unlocks soon."""

from __future__ import annotations

from flask import Blueprint, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from engine import clock
from engine.db import Sessions
from engine.i18n import Sentence, _
from processes.kernel.working_time import business_date
from processes.organization.models import Employee
from processes.ownership import permissions
from processes.ownership.operations import sharing, unlocking, watching
from processes.ownership.rules import SHARE_LEVELS
from processes.party.models import Customer
from processes.party.permissions import visible_customers
from webapp.security.access import current_actor, requires

pages = Blueprint("customer_lists", __name__)

VIEWS: dict[str, Sentence] = {
    "focus": _("My focus"),
    "watched": _("Watched"),
    "shared": _("Shared with me"),
    "unlocking": _("Unlock soon"),
}


@pages.get("/customers/lists")
@requires(permissions.APPLY)
def index() -> str:
    session, actor = Sessions(), current_actor()
    view = next((one for one in VIEWS if one == request.args.get("view")), "focus")
    owner = session.get(Employee, request.args.get("owner", actor.person_id, type=int))
    today = business_date(clock.now())
    lines: list[tuple[Customer, str, str]] = []
    if view == "focus":
        lines = [(one.customer, one.note, str(one.until or "")) for one in watching.focused(session, actor)]
    elif view == "watched":
        lines = [(one.customer, one.note, "") for one in watching.watched(session, actor, limit=200)]
    elif view == "shared":
        shares = sharing.shared_with(session, actor, limit=200)
        lines = [(one.customer, str(SHARE_LEVELS[one.level]), str(one.until or "")) for one in shares]
    elif owner is not None:
        soon = unlocking.soon(session, owner.id)
        seen = set(
            session.scalars(
                select(Customer.id).where(
                    Customer.id.in_([one.id for one, _on, _owner in soon]), visible_customers(actor)
                )
            )
        )
        lines = [
            (one, str(_("in {days} days", days=(on - today).days) if on > today else _("tonight")), str(on))
            for one, on, _owner in soon
            if one.id in seen
        ]
    return render_template("crm/ownership/lists.html", views=VIEWS, view=view, lines=lines, owner=owner)


@pages.get("/customers/unlocking")
@requires(permissions.APPLY)
def unlocking_soon() -> BaseResponse:
    """Where warnings lead."""
    return redirect(url_for("customer_lists.index", view="unlocking", owner=request.args.get("owner", type=int)))
