"""What ownership adds to every page (37/50 in the top bar) and to a customer's: owner's facts and buttons."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import g, url_for
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.db import Sessions
from engine.i18n import Sentence, _, listed
from processes.kernel.working_time import business_date
from processes.ownership import permissions
from processes.ownership.operations import (
    limits,
    protecting,
    reading,
    reopening,
    requests,
    sharing,
    unlocking,
    watching,
)
from processes.party.models import Customer
from webapp.crm import parts
from webapp.security.access import actor_or_none
from webapp.skin import formats

BUTTONS: dict[str, tuple[str, Sentence]] = {
    "lock": ("lock", _("Lock")),
    "apply": ("lock", _("Apply for lock")),
    "withdraw": ("arrow-back-up", _("Withdraw the application")),
    "release": ("lock-open", _("Release")),
    "assign": ("user-check", _("Assign")),
    "hand_over": ("user-share", _("Hand over")),
}


def _owners_of(customer: Customer) -> str:
    return url_for("customer_acts.owners", customer_id=customer.id)


OWNERS = parts.Tab("owners", _("Owners"), _owners_of, order=800)


def join() -> None:
    """Declared once at start; twice the same is once."""
    if facts not in parts.FACTS:
        parts.FACTS.append(facts)
    if buttons not in parts.BUTTONS:
        parts.BUTTONS.append(buttons)
    if OWNERS not in parts.TABS:
        parts.TABS.append(OWNERS)


def context() -> dict[str, Any]:
    """The reader's usage for the top bar; None for those who hold no customers."""
    actor = actor_or_none()
    if actor is None or not actor.person_id or not actor.may(permissions.APPLY):
        return {"lock_usage": None}
    if "lock_usage" not in g:
        g.lock_usage = limits.usage(Sessions(), actor.person_id)
    return {"lock_usage": g.lock_usage if g.lock_usage.most is not None or g.lock_usage.used else None}


def facts(session: Session, actor: Actor, customer: Customer) -> Iterable[parts.Fact]:
    """Countdown, place in the queue, who watches, with how many it is shared."""
    today = business_date(clock.now())
    due = unlocking.countdown(session, customer)
    if due is not None:
        left = due.days_left(today)
        tone = "red" if left <= 1 else "amber" if left <= 7 else ""
        text = _("in {days} days ({day})", days=left, day=formats.day(due.on)) if left > 0 else _("tonight")
        yield parts.Fact("clock", _("Unlocks"), str(text), tone)
    if customer.protected_until is not None and customer.protected_until >= today:
        yield parts.Fact("shield-check", _("Protected until"), formats.day(customer.protected_until), "green")
    mine = requests.pending_of(session, actor.person_id, [customer.id]).get(customer.id)
    if mine is not None:
        place, count = requests.place_in_queue(session, mine)
        url = url_for("instances.show", instance_id=mine.instance_id)
        text = _("place {place} of {count}", place=place, count=count)
        yield parts.Fact("hourglass", _("My application"), str(text), "blue", url)
    others = [one for one in requests.waiting_for(session, actor, customer.id) if one is not mine]
    if others:
        url = url_for("instances.show", instance_id=others[0].instance_id)
        names = listed(one.applicant.name for one in others[:3])
        said = names if len(others) <= 3 else _("{names} and {count} more", names=names, count=len(others) - 3)
        yield parts.Fact("hourglass", _("Applied for by"), str(said), "blue", url)
    watchers = watching.watchers(session, actor, customer) if actor.may(permissions.ASSIGN) else ()
    if watchers:
        yield parts.Fact("eye", _("Watched by"), listed(one.name for one in watchers[:3]))
    shares = sharing.shares_of(session, actor, customer.id) if customer.owner_id is not None else ()
    if shares:
        url = url_for("customer_acts.show", customer_id=customer.id, action="share")
        yield parts.Fact("users-plus", _("Shared with"), str(len(shares)), "", url)


def buttons(session: Session, actor: Actor, customer: Customer) -> Iterable[parts.Button]:
    for move in reading.moves(session, actor, customer):
        icon, title = BUTTONS[move.name]
        why = None
        if move.refusal is not None and move.refusal.code != "at_limit":  # at the limit its page offers what to release
            why = _("{what} {remedy}", what=move.refusal.message, remedy=move.refusal.remedy or "")
        yield parts.Button(
            address(move.name, customer), icon, title, is_primary=move.name in ("lock", "apply"), refusal=why
        )
    if customer.state == "closed":
        if reopening.may_reopen(session, actor, customer):
            yield parts.Button(_post("reopen", customer), "rotate", _("Open it again"), posts=True)
        return
    if not actor.may(permissions.APPLY):
        return
    if customer.owner_id == actor.person_id:
        marked = watching.is_focused(session, actor, customer.id)
        name, title = ("unfocus", _("Out of my focus")) if marked else ("focus", _("Into my focus"))
        yield parts.Button(_post(name, customer), "star", title, posts=True)
    else:
        seen = watching.is_watched(session, actor, customer.id)
        name, title = ("unwatch", _("Watch no more")) if seen else ("watch", _("Watch"))
        yield parts.Button(_post(name, customer), "eye", title, posts=True)
    if sharing.may_share(session, actor, customer):
        url = url_for("customer_acts.show", customer_id=customer.id, action="share")
        yield parts.Button(url, "users-plus", _("Share"))
    if protecting.may_protect(session, actor, customer):
        url = url_for("customer_acts.show", customer_id=customer.id, action="protect")
        yield parts.Button(url, "shield-check", _("Protect from unlocking"), is_rare=True)


def address(name: str, customer: Customer) -> str:
    """Where a move is made: a page that asks for what it needs."""
    if name in ("assign", "hand_over"):
        return url_for("customer_handing.index", ids=customer.id)
    return url_for("customer_acts.show", customer_id=customer.id, action=name)


def _post(name: str, customer: Customer) -> str:
    return url_for("customer_acts.mark", customer_id=customer.id, mark=name)
