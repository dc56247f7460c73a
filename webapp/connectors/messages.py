"""Sent messages: what left by SMS and mail, word for word, and what has become of it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from engine import outbox, runtime
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import Conflict, Forbidden, NotFound, RuleViolation
from engine.i18n import _
from engine.work_items import may_read_instance
from processes.messaging.rules import TITLES
from webapp.connectors import mail_reading, received, sent
from webapp.connectors.sent import LONGEST_SEARCH, Wanted
from webapp.security.access import current_actor, signed_in
from webapp.skin import words

pages = Blueprint("messages", __name__)


def _is_partial() -> bool:
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


@pages.get("/messages")
@signed_in
def index() -> str:
    actor, wanted = current_actor(), Wanted.read(request.args)
    session = Sessions()
    found, has_more = sent.messages(session, actor, wanted, before=request.args.get("before", type=int))
    return render_template(
        "workflow/messages/_list.html" if _is_partial() else "workflow/messages.html",
        messages=found,
        has_more=has_more,
        first_page="before" not in request.args,
        wanted=wanted,
        titles=TITLES,
        states=words.OUTBOX_STATES,
        roads=() if _is_partial() else sent.roads(session),
        opened=None,
    )


def _simulated() -> bool:
    return bool(current_app.config["SETTINGS"].devices_simulated)


@pages.get("/messages/<int:message_id>")
@signed_in
def show(message_id: int) -> str:
    """One message: as a drawer over the list, or as a page of its own."""
    actor = current_actor()
    message = sent.message(_visible(actor, message_id), actor)
    template = "workflow/messages/_message.html" if _is_partial() else "workflow/message.html"
    return render_template(
        template,
        message=message,
        attempts=sent.attempts(Sessions(), message_id),
        outcomes=words.OUTCOMES,
        simulated=_simulated(),
    )


@pages.get("/messages/received")
@signed_in
def came_in() -> str:
    """What people have sent us by SMS."""
    actor, session = current_actor(), Sessions()
    text, kind = request.args.get("q", "").strip()[:LONGEST_SEARCH], request.args.get("kind", "")
    kind = kind if kind in received.KINDS else ""
    found, has_more = received.listed(session, actor, text=text, kind=kind, before=request.args.get("before", type=int))
    return render_template(
        "workflow/messages/_received_list.html" if _is_partial() else "workflow/received.html",
        messages=found,
        has_more=has_more,
        first_page="before" not in request.args,
        wanted={name: value for name, value in (("q", text), ("kind", kind)) if value},
        kinds=received.KINDS,
        titles=TITLES,
        simulated=_simulated(),
    )


@pages.get("/messages/received/<int:received_id>")
@signed_in
def show_received(received_id: int) -> str:
    """One received message: as a drawer over the list, or as a page of its own."""
    found = received.one(Sessions(), current_actor(), received_id)
    if found is None:
        raise NotFound
    template = "workflow/messages/_received.html" if _is_partial() else "workflow/received_one.html"
    return render_template(template, message=found)


@pages.get("/messages/of-instance/<int:instance_id>")
@signed_in
def of_instance(instance_id: int) -> str:
    """A part of the instance page: what this process has sent."""
    session, actor = Sessions(), current_actor()
    if not may_read_instance(session, actor, instance_id):
        raise NotFound
    return render_template(
        "workflow/messages/_of_instance.html",
        messages=sent.of_instance(session, actor, instance_id),
        received=mail_reading.of_instance(session, actor, instance_id),
    )


def _visible(actor: Actor, message_id: int) -> Any:
    found = sent.one(Sessions(), actor, message_id)
    if found is None:
        raise NotFound
    return found


@pages.post("/messages/<int:message_id>/<any(resend, cancel):action>")
@signed_in
def act(message_id: int, action: str) -> BaseResponse:
    actor = current_actor()
    message = sent.message(_visible(actor, message_id), actor)
    try:
        flash(_done(actor, message, action), "success")
    except (Conflict, RuleViolation) as refusal:  # the page was older than the message
        Sessions().rollback()
        flash(str(refusal), "danger")
    back = request.form.get("back", "")
    return redirect(back if _is_ours(back) else url_for("messages.index"))


def _done(actor: Actor, message: sent.Message, action: str) -> str:
    if action == "resend":
        if not message.may_resend and message.state in sent.RESENDABLE:
            raise Forbidden(_("Your roles do not include sending messages again."))
        runtime.perform(lambda session: outbox.resend(session, actor, message.id))
        return str(_("Queued again."))
    if not message.may_cancel and message.state == "queued":
        raise Forbidden(_("Your roles do not include cancelling messages."))
    runtime.perform(lambda session: outbox.cancel(session, message.id))
    return str(_("Cancelled."))


def _is_ours(address: str) -> bool:
    """Only a path of this site: a form must not send people elsewhere."""
    return address.startswith("/") and not address.startswith(("//", "/\\"))
