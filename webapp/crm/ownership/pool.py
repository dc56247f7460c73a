"""The pool (公海): quick filters, and applying for many at once."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.db import Sessions
from engine.errors import AppError
from engine.i18n import Sentence, _
from processes.ownership import permissions
from processes.ownership.operations import apply_for, limits, reading, requests, watching
from processes.party.rules import INDUSTRIES, LEVELS, REGIONS
from webapp.security.access import current_actor, requires

pages = Blueprint("pool", __name__)

PAGE_SIZE = 50
LONGEST_SEARCH = 60
MOST_AT_ONCE = 50

FILTERS: dict[reading.PoolFilter, Sentence] = {
    "all": _("All"),
    "mine": _("My department's"),
    "new": _("Never contacted"),
    "watched": _("Watched by me"),
    "applied": _("Applied for by me"),
}
_CHOICES = {"level": LEVELS, "industry": INDUSTRIES, "region": REGIONS}


@pages.get("/customers/pool")
@requires(permissions.APPLY)
def index() -> str:
    session, actor = Sessions(), current_actor()
    only: reading.PoolFilter = next((one for one in FILTERS if one == request.args.get("view")), "all")
    text = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    page = max(request.args.get("page", 1, type=int), 1)
    chosen = {name: request.args.get(name, "") for name in _CHOICES}
    wanted = reading.pool(actor, only, text=text, **chosen)
    found = session.scalars(wanted.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)).all()
    shown = found[:PAGE_SIZE]
    waiting = requests.pending_of(session, actor.person_id, [one.id for one in shown])
    return render_template(
        "crm/ownership/pool.html",
        customers=shown,
        waiting=waiting,
        places=requests.places(session, list(waiting.values())),
        more=len(found) > PAGE_SIZE,
        fair_until=requests.granted_from,
        page=page,
        view=only,
        text=text,
        chosen=chosen,
        choices=_CHOICES,
        filters=FILTERS,
        usage=limits.usage(session, actor.person_id),
        may_assign=actor.may(permissions.ASSIGN) or actor.may(permissions.ASSIGN_ANY),
        industries=INDUSTRIES,
        regions=REGIONS,
    )


@pages.post("/customers/pool")
@requires(permissions.APPLY)
def act() -> BaseResponse:
    """Apply for the ticked ones, or watch them: each by itself, so that one refusal stops no other."""
    actor, form = current_actor(), request.form
    ids = form.getlist("ids", type=int)[:MOST_AT_ONCE]
    if form.get("act") == "assign" and ids:
        return redirect(url_for("customer_handing.index", ids=",".join(map(str, ids))))
    done, refusals = 0, dict[str, None]()
    for customer_id in ids:

        def work(session: Session, one: int = customer_id) -> None:
            if form.get("act") == "watch":
                watching.watch(session, actor, customer_id=one)
            else:
                apply_for(session, actor, customer_id=one, reason=form.get("reason", "").strip())

        try:
            runtime.perform(work)
            done += 1
        except AppError as refusal:
            Sessions().rollback()
            refusals[str(next((p.message for p in refusal.problems), refusal))] = None
    if not ids:
        flash(str(_("Choose at least one customer.")), "warning")
    if done:
        words = (
            _("{count} are watched now.", count=done)
            if form.get("act") == "watch"
            else _("Applied for {count}.", count=done)
        )
        flash(str(words), "success")
    for why in refusals:
        flash(why, "danger")
    asked: dict[str, Any] = {name: value for name, value in request.args.items() if value}
    return redirect(url_for("pool.index", **asked))
