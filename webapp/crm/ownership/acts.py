"""What can be done with one customer's ownership, each on a page that asks for what it needs."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime, work_items
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, Forbidden, NotFound, RuleViolation
from engine.i18n import Sentence, _
from processes.organization.models import Department, Employee
from processes.ownership import permissions
from processes.ownership.operations import (
    apply_for,
    handing,
    history,
    limits,
    protecting,
    reading,
    release,
    reopening,
    requests,
    sharing,
    watching,
)
from processes.ownership.rules import ENDED_HOW, HOW, SHARE_LEVELS, SHARE_PARTS
from processes.party.models import Customer
from processes.party.permissions import CUSTOMER, customers_in_pool, readable
from processes.party.rules import STAGES
from webapp.crm.parts import why_gone
from webapp.registers import opened
from webapp.registers.interface import endpoint_of
from webapp.security.access import current_actor, signed_in

pages = Blueprint("customer_acts", __name__)

TITLES: dict[str, tuple[Sentence, Sentence, Sentence]] = {
    "lock": (_("Lock"), _("From now on you are its owner"), _("Locked.")),
    "apply": (_("Apply for lock"), _("Your superior decides; whoever is approved first has it"), _("Applied for.")),
    "withdraw": (_("Withdraw the application"), _("Others wait one place less"), _("Withdrawn.")),
    "release": (_("Release"), _("It goes back to the pool; its history stays"), _("Released.")),
    "protect": (_("Protect"), _("No rule unlocks it until that day"), _("Saved.")),
    "share": (_("Share"), _("Colleagues see it, or work on it, until you take it back"), _("Shared.")),
}
"""title, what it means, what is said when it is done"""
NEEDS_REASON = ("apply", "release", "withdraw", "protect")


@pages.get("/customers/<int:customer_id>/<any(lock,apply,withdraw,release,share,protect):action>")
@signed_in
def show(customer_id: int, action: str) -> str:
    return _page(current_actor(), customer_id, action)


@pages.post("/customers/<int:customer_id>/<any(lock,apply,withdraw,release,share,protect):action>")
@signed_in
def act(customer_id: int, action: str) -> BaseResponse:
    actor = current_actor()
    try:
        runtime.perform(lambda session: _WORK[action](session, actor, customer_id))
    except NotFound:
        Sessions().rollback()
        return _gone(actor, customer_id, action)
    except AppError as refusal:
        Sessions().rollback()
        return make_response(_page(actor, customer_id, action, refusal), refusal.status)
    flash(str(TITLES[action][2]), "success")
    if action == "share":
        return redirect(url_for("customer_acts.show", customer_id=customer_id, action="share"))
    wanted = _wanted(actor) if action == "release" else None
    if wanted is not None:  # room was made for another one
        return redirect(url_for("customer_acts.show", customer_id=wanted.id, action=_taking(actor)))
    return redirect(customer_url(customer_id))


def _gone(actor: Actor, customer_id: int, action: str) -> BaseResponse:
    """Somebody was faster: say of what the asker had before him that it is no longer his to act on, and lead on."""
    known = opened.unseal(actor, CUSTOMER, customer_id, request.form.get(opened.KEPT, ""))
    if known is None:
        raise NotFound
    from_pool = action in ("lock", "apply")
    message, remedy = (
        (_("{name} has left the pool since you opened this page.", name=known.name), _("Choose another one."))
        if from_pool
        else why_gone(Sessions(), actor, customer_id, known.name)
    )
    flash(f"{message} {remedy}", "danger")
    return redirect(url_for("pool.index" if from_pool else f"{endpoint_of(CUSTOMER)}.list"))


@pages.post("/customers/<int:customer_id>/mark/<any(watch,unwatch,focus,unfocus,reopen):mark>")
@signed_in
def mark(customer_id: int, mark: str) -> BaseResponse:
    actor = current_actor()
    try:
        runtime.perform(lambda session: _MARKS[mark](session, actor, customer_id=customer_id))
    except (NotFound, Forbidden):
        raise
    except AppError as refusal:
        Sessions().rollback()
        flash(str(refusal), "danger")
    if request.form.get("back"):
        return redirect(url_for("customer_lists.index", view=request.form["back"]))
    return redirect(customer_url(customer_id))


@pages.post("/customers/<int:customer_id>/shares/<int:share_id>/revoke")
@signed_in
def revoke(customer_id: int, share_id: int) -> BaseResponse:
    actor = current_actor()
    runtime.perform(lambda session: sharing.revoke(session, actor, share_id=share_id))
    flash(str(_("Taken back.")), "success")
    return redirect(url_for("customer_acts.show", customer_id=customer_id, action="share"))


@pages.get("/customers/<int:customer_id>/owners")
@signed_in
def owners(customer_id: int) -> str:
    """Whose it was and who applies for it; a part of the customer's page."""
    session, actor = Sessions(), current_actor()
    customer = readable(session, actor, customer_id)
    return render_template(
        "crm/ownership/_owners.html",
        customer=customer,
        stretches=history(session, customer_id),
        waiting=requests.waiting_for(session, actor, customer_id),
        how=HOW,
        ended=ENDED_HOW,
    )


def customer_url(customer_id: int) -> str:
    return url_for(f"{endpoint_of(CUSTOMER)}.show", pk=customer_id)


def _wanted(actor: Actor) -> Customer | None:
    """The customer of the pool for which room is being made, where he came from its page."""
    asked = request.values.get("for", 0, type=int)
    seen = select(Customer).where(Customer.id == asked, customers_in_pool(actor))
    return Sessions().scalars(seen).first() if asked else None


def _taking(actor: Actor) -> str:
    return "lock" if actor.may(permissions.ASSIGN) or actor.may(permissions.ASSIGN_ANY) else "apply"


def _page(actor: Actor, customer_id: int, action: str, refusal: AppError | None = None) -> str:
    session = Sessions()
    customer = readable(session, actor, customer_id)
    if refusal is None and action in ("lock", "apply"):
        move = next((one for one in reading.moves(session, actor, customer) if one.name == action), None)
        refusal = move.refusal if move is not None else None
    waits = _place(session, actor, customer_id) if action == "apply" and request.method == "GET" else None
    blocked = waits is not None or (refusal is not None and request.method == "GET")
    at_limit = refusal is not None and refusal.code == "at_limit"
    title, sub, _done = TITLES[action]
    return render_template(
        "crm/ownership/act.html",
        customer=customer,
        opened=opened.seal(actor, CUSTOMER, customer.id, customer.name),
        action=action,
        title=title,
        sub=sub,
        back=customer_url(customer_id),
        wanted=_wanted(actor) if action == "release" else None,
        refusal=refusal,
        blocked=blocked,
        waits=waits,
        problems=refusal.by_field() if refusal is not None and hasattr(refusal, "by_field") else {},
        needs_reason=action in NEEDS_REASON,
        usage=limits.usage(session, actor.person_id),
        offered=reading.least_valuable(session, actor.person_id) if at_limit else (),
        pools=session.scalars(select(Department).where(Department.state == "active").order_by(Department.path)).all()
        if action == "release"
        else (),
        shares=sharing.shares_of(session, actor, customer_id) if action == "share" else (),
        levels=SHARE_LEVELS,
        parts=SHARE_PARTS,
        stages=STAGES,
        chosen=_chosen(session),
        form=request.form,
    )


def _place(session: Session, actor: Actor, customer_id: int) -> dict[str, int] | None:
    """Where his own application waits, if he has one for this customer: (place, of how many, in which instance)."""
    mine = requests.pending_of(session, actor.person_id, [customer_id]).get(customer_id)
    if mine is None:
        return None
    place, count = requests.place_in_queue(session, mine)
    return {"place": place, "count": count, "instance": mine.instance_id}


def _chosen(session: Session) -> dict[str, list[tuple[int, str]]]:
    """Whom a form that is refused had named."""
    person = session.get(Employee, request.form.get("person", 0, type=int))
    department = session.get(Department, request.form.get("department", 0, type=int))
    return {
        "person": [(person.id, person.name)] if person is not None else [],
        "department": [(department.id, department.name)] if department is not None else [],
    }


def _lock(session: Session, actor: Actor, customer_id: int) -> None:
    handing.take_oneself(session, actor, customer_id=customer_id, reason=request.form.get("reason", ""))


def _apply(session: Session, actor: Actor, customer_id: int) -> None:
    apply_for(session, actor, customer_id=customer_id, reason=request.form.get("reason", "").strip())


def _withdraw(session: Session, actor: Actor, customer_id: int) -> None:
    mine = requests.pending_of(session, actor.person_id, [customer_id]).get(customer_id)
    if mine is None:
        raise NotFound
    work_items.withdraw(session, actor, mine.instance_id, request.form.get("reason", ""))


def _release(session: Session, actor: Actor, customer_id: int) -> None:
    pool = request.form.get("pool", type=int)
    release(session, actor, customer_id=customer_id, reason=request.form.get("reason", ""), pool_id=pool)


def _share(session: Session, actor: Actor, customer_id: int) -> None:
    form = request.form
    sharing.share(
        session,
        actor,
        customer_id=customer_id,
        person_id=form.get("person", type=int),
        department_id=form.get("department", type=int),
        level=form.get("level", "read"),
        until=day(form.get("until", "")),
        parts=form.getlist("parts"),
    )


def _protect(session: Session, actor: Actor, customer_id: int) -> None:
    form = request.form
    until = None if form.get("ends") else day(form.get("until", ""))
    if until is None and not form.get("ends"):
        raise RuleViolation(_("Say until which day."), code="day_missing")
    protecting.protect(session, actor, customer_id=customer_id, until=until, reason=form.get("reason", ""))


def day(text: str) -> date | None:
    try:
        return date.fromisoformat(text.strip()) if text.strip() else None
    except ValueError:
        raise RuleViolation(_("Please write a date, for example 2026-05-04.")) from None


_WORK: dict[str, Callable[[Session, Actor, int], None]] = {
    "lock": _lock,
    "apply": _apply,
    "withdraw": _withdraw,
    "release": _release,
    "share": _share,
    "protect": _protect,
}
_MARKS: dict[str, Callable[..., object]] = {
    "watch": watching.watch,
    "unwatch": watching.unwatch,
    "focus": watching.focus,
    "unfocus": watching.unfocus,
    "reopen": reopening.reopen,
}
