"""Customers that are there twice: the report, two side by side, made one and taken apart again."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, Conflict, Forbidden, RuleViolation
from engine.i18n import Sentence, _
from processes.activity.models import Appointment, ContactRecord
from processes.party import masking, operations, permissions, rules
from processes.party.models import Customer, Party
from processes.party.operations.merging import Choice, Preview
from processes.party.rules import alike
from webapp.crm import parts
from webapp.security.access import current_actor, requires

pages = Blueprint("party_merging", __name__)

CHOICES: Mapping[str, Mapping[str, Sentence]] = {
    "level": rules.LEVELS,
    "stage": rules.STAGES,
    "industry": rules.INDUSTRIES,
    "region": rules.REGIONS,
    "source": rules.SOURCES,
}
MOVED: Mapping[str, Sentence] = {
    "contact_point": _("phone numbers and addresses"),
    "contact": _("contact persons"),
    "party_relation": _("relations"),
    "competitor_at": _("competitors"),
    "comment": _("comments"),
    "attachment": _("files"),
    "task": _("tasks"),
    "call": _("calls"),
    "contact_record": _("contact records"),
    "appointment": _("appointments"),
}


@pages.get("/duplicates")
@requires(permissions.USE)
def index() -> str:
    state = "dismissed" if request.args.get("state") == "dismissed" else "open"
    after = max(request.args.get("after", 0, type=int), 0)
    found = operations.pairs(Sessions(), current_actor(), state=state, after=after)
    return render_template(
        "crm/duplicates.html", pairs=found, state=state, after=after, grounds=alike.GROUNDS, states=rules.STATES
    )


@pages.post("/duplicates/<int:pair_id>/dismiss")
@requires(permissions.MANAGE)
def dismiss(pair_id: int) -> BaseResponse:
    actor, again = current_actor(), request.form.get("again") == "1"
    runtime.perform(lambda session: operations.dismiss_pair(session, actor, pair_id=pair_id, again=again))
    flash(str(_("They are compared again.") if again else _("These stay two; they are not shown again.")), "success")
    return redirect(url_for("party_merging.index", state="dismissed" if again else None))


@pages.get("/duplicates/merge")
@requires(permissions.MANAGE)
def compare() -> str:
    kept, gone = request.args.get("kept", 0, type=int), request.args.get("gone", 0, type=int)
    return _page(kept, gone)


def _page(kept: int, gone: int, problems: tuple[str, ...] = ()) -> str:
    session, actor = Sessions(), current_actor()
    customer = permissions.readable(session, actor, kept)
    shown = None
    if gone:
        try:
            shown = operations.preview(session, actor, kept_id=kept, gone_id=gone)
        except (RuleViolation, Conflict, Forbidden) as refusal:
            problems = (*problems, _said(refusal))
    return render_template(
        "crm/merge.html",
        customer=customer,
        gone=gone,
        shown=shown,
        rows=_rows(session, actor, shown) if shown else (),
        moves={**shown.moves, **_followed(session, gone)} if shown else {},
        moved=MOVED,
        problems=problems,
    )


def _followed(session: Session, gone: int) -> dict[str, int]:
    """What was said and planned with the one that goes; it moves by the word that the two are one."""
    records = select(func.count()).select_from(ContactRecord).where(ContactRecord.customer_id == gone)
    plans = select(func.count()).select_from(Appointment).where(
        Appointment.customer_id == gone, Appointment.state == "open"
    )  # fmt: skip
    found = {"contact_record": session.scalar(records) or 0, "appointment": session.scalar(plans) or 0}
    return {table: count for table, count in found.items() if count}


def _rows(session: Session, actor: Actor, shown: Preview) -> list[tuple[Choice, str, str]]:
    """What the two say, as the asker sees each of them."""
    look = masking.of_customers(session, actor, [one for one in shown.customers if one is not None])

    def words(name: str, value: Any, of: Customer | None) -> str:
        value = look(of, name, value) if of is not None else value
        return str(CHOICES[name].get(value, value) if name in CHOICES else value or "")

    kept, gone = shown.customers
    return [(one, words(one.field, one.kept, kept), words(one.field, one.gone, gone)) for one in shown.choices]


@pages.post("/duplicates/merge")
@requires(permissions.MANAGE)
def merge() -> BaseResponse | tuple[str, int]:
    actor, form = current_actor(), request.form
    kept, gone = form.get("kept", 0, type=int), form.get("gone", 0, type=int)
    choose = {name.removeprefix("take-"): value for name, value in form.items() if name.startswith("take-")}

    def both(session: Session) -> str:
        operations.merge(
            session,
            actor,
            kept_id=kept,
            gone_id=gone,
            choose=choose,
            owner=form.get("owner", ""),
            reason=form.get("reason", ""),
        )
        return session.get_one(Party, kept).name

    try:
        name = runtime.perform(both)
    except (RuleViolation, Conflict, Forbidden) as refusal:
        return _page(kept, gone, (_said(refusal),)), 422
    flash(str(_("They are one now: {name}. It can be taken back on its page.", name=name)), "success")
    return redirect(url_for("party_customer.show", pk=kept))


@pages.post("/merges/<int:merge_id>/undo")
@requires(permissions.MANAGE)
def undo(merge_id: int) -> BaseResponse:
    actor = current_actor()
    back = request.values.get("back", 0, type=int)
    try:
        runtime.perform(lambda session: operations.undo_merge(session, actor, merge_id=merge_id))
    except (RuleViolation, Conflict, Forbidden) as refusal:
        flash(_said(refusal), "danger")
    else:
        flash(str(_("They are two again.")), "success")
    return redirect(url_for("party_customer.show", pk=back) if back else url_for("party_merging.index"))


def _said(refusal: AppError) -> str:
    return f"{refusal.message} {refusal.remedy or ''}".strip()


# ------------------------------------------------------------------------------------------------- on other pages


def forward() -> BaseResponse | None:
    """Links to the one that is gone lead to the one it became; for now, since a merge can be taken apart."""
    if request.endpoint not in {"party_customer.show", "party_customer.edit"} or request.method != "GET":
        return None
    asked = str((request.view_args or {}).get("pk", ""))
    named = int(asked) if asked.isdecimal() and len(asked) < 19 else 0
    kept = permissions.survivor_of(Sessions(), current_actor(), named)
    return redirect(url_for(request.endpoint, pk=kept.id)) if kept is not None else None


def buttons(session: Session, actor: Actor, customer: Customer) -> Iterator[parts.Button]:
    may = customer.owner_id is None and actor.may(permissions.MERGE_POOL)
    if not actor.may(permissions.MANAGE) or not (may or _may_work(session, actor, customer)):
        return
    yield parts.Button(
        url_for("party_merging.compare", kept=customer.id), "git-fork", _("Merge with another one"), is_rare=True
    )
    for one in operations.merges_into(session, customer.id)[:1]:
        yield parts.Button(
            url_for("party_merging.undo", merge_id=one.id, back=customer.id),
            "arrow-back-up",
            _("Take the merge apart"),
            posts=True,
            is_rare=True,
            confirm=_("Take the merge apart? What came with it goes back; what was added since stays here."),
        )


def _may_work(session: Session, actor: Actor, customer: Customer) -> bool:
    found = select(Customer.id).where(Customer.id == customer.id, permissions.workable_customers(actor))
    return session.scalar(found) is not None


parts.BUTTONS.append(buttons)
