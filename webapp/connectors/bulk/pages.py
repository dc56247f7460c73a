"""Campaigns in the browser: the list, the form, what it would be, how it goes."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from datetime import datetime, time
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.clock import now
from engine.db import Sessions
from engine.errors import AppError, InvalidForm, Problem, RuleViolation
from engine.i18n import _
from processes.kernel import recipient_groups
from processes.kernel.working_time import ZONE
from processes.messaging.operations import campaign_drafts, campaigns
from processes.messaging.operations.asking import ask_for_more
from processes.messaging.permissions import SEND_BULK, may_change_campaign
from processes.messaging.rules import LEFT_OUT, places
from webapp.connectors import by_hand
from webapp.connectors.bulk import showing
from webapp.connectors.bulk.sheets import LARGEST, as_lines
from webapp.security.access import current_actor, requires, signed_in
from webapp.skin import words

pages = Blueprint("bulk", __name__)

MORNING = time(9)


@pages.get("/messages/bulk")
@signed_in
def index() -> str:
    found, more = showing.lines(Sessions(), current_actor(), before=request.args.get("before", type=int))
    return render_template("messaging/bulk/list.html", lines=found, more=more, first_page="before" not in request.args)


# ------------------------------------------------------------------------------------------------- written


@pages.get("/messages/bulk/new")
@requires(SEND_BULK)
def new() -> str:
    return _form(current_actor(), {"wish": secrets.token_hex(12)}, {})


@pages.get("/messages/bulk/<int:campaign_id>/edit")
@requires(SEND_BULK)
def edit(campaign_id: int) -> str:
    actor = current_actor()
    campaign = campaigns.find(Sessions(), actor, campaign_id)
    values = {
        "title": campaign.title,
        "text": campaign.text,
        "purpose": campaign.purpose,
        "numbers": campaign.audience.get("numbers", ""),
        "send_at": campaign.send_at.astimezone(ZONE).strftime("%Y-%m-%dT%H:%M") if campaign.send_at else "",
    }
    return _form(actor, values, campaign.audience.get("groups", {}), campaign_id=campaign.id)


@pages.post("/messages/bulk/new", defaults={"campaign_id": None})
@pages.post("/messages/bulk/<int:campaign_id>/edit")
@requires(SEND_BULK)
def write(campaign_id: int | None) -> BaseResponse:
    """Keep what was written and show what sending it would mean."""
    actor, form = current_actor(), request.form
    chosen = {group.register: form.getlist(group.register, type=int) for group in recipient_groups.groups()}
    try:
        numbers = _numbers(form.get("numbers", ""))
        campaign = runtime.perform(
            lambda session: campaign_drafts.write(
                session,
                actor,
                wish=form.get("wish", "")[:60],
                title=form.get("title", ""),
                text=form.get("text", ""),
                purpose=form.get("purpose", "notice"),
                groups=chosen,
                numbers=numbers,
                send_at=by_hand.moment(form.get("send_at", "")),
                campaign_id=campaign_id,
            )
        )
    except AppError as refusal:
        Sessions().rollback()
        problems = refusal.by_field() if isinstance(refusal, InvalidForm) else {"": str(refusal)}
        return make_response(_form(actor, form.to_dict(), chosen, problems, campaign_id=campaign_id), refusal.status)
    return redirect(url_for("bulk.show", campaign_id=campaign.id))


def _numbers(typed: str) -> str:
    """What was pasted, and below it what was chosen as a file."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return typed
    uploaded = as_lines(file.stream.read(LARGEST + 1))
    if typed.strip():
        problem = Problem("file", _("Paste the numbers or choose a file, not both."))
        raise InvalidForm([problem])
    return uploaded


def _form(
    actor: Actor,
    values: Mapping[str, str],
    chosen: Mapping[str, Any],
    problems: Mapping[str, str] | None = None,
    *,
    campaign_id: int | None = None,
) -> str:
    session = Sessions()
    picked = {
        group.register: [(one, _label(session, group.register, one)) for one in chosen.get(group.register, ())]
        for group in recipient_groups.groups()
    }
    return render_template(
        "messaging/bulk/form.html",
        values=values,
        groups=recipient_groups.groups(),
        picked=picked,
        problems=problems or {},
        campaign_id=campaign_id,
    )


def _label(session: Session, register: str, record_id: int) -> str:
    kind = CATALOG.record_kind(register)
    return kind.title(session, record_id) if kind is not None else ""


# ------------------------------------------------------------------------------------------------- one campaign


@pages.get("/messages/bulk/<int:campaign_id>")
@signed_in
def show(campaign_id: int) -> str:
    return _page(current_actor(), campaign_id)


def _page(actor: Actor, campaign_id: int, problem: str = "") -> str:
    session = Sessions()
    campaign = campaigns.find(session, actor, campaign_id)
    which, page = request.args.get("which", ""), max(request.args.get("page", 1, type=int), 1)
    found, more = showing.recipients(session, actor, campaign, which=which, page=page)
    partial = "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
    is_open = campaign.state in ("draft", "in_approval", "rejected")
    return render_template(
        "messaging/bulk/_progress.html" if partial else "messaging/bulk/show.html",
        campaign=campaign,
        state=showing.state_of(campaign),
        seen=campaigns.preview(session, campaign),
        is_open=is_open,
        progress=campaigns.progress(session, campaign),
        recipients=found,
        more=more,
        which=which,
        page=page,
        places=places(campaign.text),
        reasons=LEFT_OUT,
        states=words.OUTBOX_STATES,
        may_change=may_change_campaign(actor, campaign) and actor.may(SEND_BULK),
        problem=problem,
        next_month=_next_month(),
    )


def _next_month() -> datetime:
    """The first morning of the coming month, when there are new quotas."""
    here = now().astimezone(ZONE)
    year, month = (here.year + 1, 1) if here.month == 12 else (here.year, here.month + 1)
    return datetime.combine(here.date().replace(year=year, month=month, day=1), MORNING, ZONE)


@pages.post("/messages/bulk/<int:campaign_id>/<any(send, cancel, repeat, reduce, wait, ask):deed>")
@requires(SEND_BULK)
def act(campaign_id: int, deed: str) -> BaseResponse:
    actor = current_actor()
    try:
        flash(runtime.perform(lambda session: _WORK[deed](session, actor, campaign_id)), "success")
    except (RuleViolation, InvalidForm) as refusal:
        Sessions().rollback()
        return make_response(_page(actor, campaign_id, str(refusal)), refusal.status)
    return redirect(url_for("bulk.show", campaign_id=campaign_id))


def _send(session: Session, actor: Actor, campaign_id: int) -> str:
    campaign = campaigns.send(session, actor, campaign_id=campaign_id)
    if campaign.state == "in_approval":
        return str(_("Sent for approval; the segments are kept for it."))
    return str(_("On its way."))


def _cancel(session: Session, actor: Actor, campaign_id: int) -> str:
    stopped = campaigns.cancel(session, actor, campaign_id=campaign_id)
    return str(_("Stopped; {count} messages do not leave.", count=stopped))


def _repeat(session: Session, actor: Actor, campaign_id: int) -> str:
    return str(_("{count} messages are sent again.", count=campaigns.repeat(session, actor, campaign_id=campaign_id)))


def _reduce(session: Session, actor: Actor, campaign_id: int) -> str:
    dropped = campaigns.reduce(session, actor, campaign_id=campaign_id)
    return str(_("{count} recipients are left out; the others fit into the quota.", count=dropped))


def _wait(session: Session, actor: Actor, campaign_id: int) -> str:
    campaigns.postpone(session, actor, campaign_id=campaign_id, send_at=_next_month())
    return str(_("It is to leave on the first of the coming month. Send it off to have it done."))


def _ask(session: Session, actor: Actor, campaign_id: int) -> str:
    ask_for_more(session, actor, campaign_id=campaign_id)
    return str(_("Those who set the quota have been asked."))


_WORK: Mapping[str, Callable[[Session, Actor, int], str]] = {
    "send": _send,
    "cancel": _cancel,
    "repeat": _repeat,
    "reduce": _reduce,
    "wait": _wait,
    "ask": _ask,
}
