"""Webhooks as administrators see them: the list, one with what it was told, the form, the secret shown once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.db import Sessions
from engine.errors import InvalidForm, RuleViolation
from engine.i18n import Sentence, _
from engine.models import OutboxMessage
from engine.outbox import RESENDABLE
from processes.webhooks import operations, rules
from processes.webhooks.models import InboundHook, Webhook
from processes.webhooks.permissions import MANAGE
from webapp.security.access import current_actor, requires
from webapp.skin.words import Word

pages = Blueprint("webhooks", __name__)

PAGE_SIZE = 20

OFF: Mapping[str, Sentence] = {
    "person": _("switched off"),
    "gone": _("the address answered that it is gone (410)"),
    "owner_left": _("whoever made it has left"),
}
TEST_TITLE = _("A test")
ERRORS: Mapping[str, Sentence] = {
    "hook_off": _("the webhook was off"),
    "hook_deleted": _("the webhook was deleted"),
    "resting": _("the address gave no answer just now; it is tried again in a moment"),
}


@dataclass(frozen=True)
class Delivery:
    """One message as the page shows it."""

    id: int
    event_id: str
    title: Sentence | str
    type: str
    state: str
    at: datetime
    attempts: int
    next_at: datetime | None
    error: Sentence | str
    tries: Sequence[Mapping[str, Any]]
    may_resend: bool
    instance_id: int | None


def _delivery(row: OutboxMessage) -> Delivery:
    kind = str(row.payload["type"])
    tries = [{**one, "at": datetime.fromisoformat(one["at"])} for one in row.result.get("tries", ())]
    return Delivery(
        id=row.id,
        event_id=str(row.payload["id"]),
        title=TEST_TITLE if kind == rules.TEST else rules.EVENT_TYPES.get(kind, kind),
        type=kind,
        state=row.state,
        at=row.created_at,
        attempts=row.attempts,
        next_at=row.available_at if row.state == "queued" and row.attempts else None,
        error=ERRORS.get(row.last_error, row.last_error),
        tries=tries,
        may_resend=row.state in RESENDABLE,
        instance_id=row.instance_id,
    )


def state_of(hook: Webhook | InboundHook) -> Word:
    if hook.state == "on":
        return Word(_("On"), "green", "check")
    return Word(_("Off"), "red" if hook.off_reason in ("gone", "owner_left") else "grey", "player-pause")


@pages.get("/webhooks")
@requires(MANAGE)
def index() -> str:
    session, actor = Sessions(), current_actor()
    hooks = operations.webhooks(session, actor)
    return render_template(
        "hooks/webhooks.html",
        hooks=hooks,
        figures=_figures(session),
        state_of=state_of,
        off=OFF,
        titles=rules.EVENT_TYPES,
    )


def _figures(session: Session) -> dict[int, dict[str, int]]:
    """Of each hook, how much waits and how much was given up."""
    counted = session.execute(
        select(OutboxMessage.record_id, OutboxMessage.state, func.count())
        .where(
            OutboxMessage.record_type == operations.RECORD_TYPE,
            OutboxMessage.channel == operations.CHANNEL,
            OutboxMessage.state.in_(("queued", "sending", "failed", "unknown")),
        )
        .group_by(OutboxMessage.record_id, OutboxMessage.state)
    )
    found: dict[int, dict[str, int]] = {}
    for hook_id, state, count in counted:
        kind = "waiting" if state in ("queued", "sending") else "failed"
        figures = found.setdefault(hook_id or 0, {"waiting": 0, "failed": 0})
        figures[kind] += count
    return found


@pages.get("/webhooks/<int:webhook_id>")
@requires(MANAGE)
def show(webhook_id: int) -> str:
    session, actor = Sessions(), current_actor()
    hook = operations.find_webhook(session, actor, webhook_id)
    state = request.args.get("state", "")
    found = operations.deliveries(
        session, actor, webhook_id, state=state, before=request.args.get("before", type=int), limit=PAGE_SIZE + 1
    )
    return render_template(
        "hooks/_deliveries.html" if "HX-Request" in request.headers else "hooks/webhook.html",
        hook=hook,
        word=state_of(hook),
        off=OFF,
        titles=rules.EVENT_TYPES,
        deliveries=[_delivery(row) for row in found[:PAGE_SIZE]],
        has_more=len(found) > PAGE_SIZE,
        moving=any(row.state == "sending" or (row.state == "queued" and not row.attempts) for row in found),
        first_page="before" not in request.args,
        state=state,
        mine=hook.owner_id == actor.person_id,
    )


@pages.get("/webhooks/new")
@requires(MANAGE)
def new() -> str:
    return _form(None, {"events": []})


@pages.get("/webhooks/<int:webhook_id>/edit")
@requires(MANAGE)
def edit(webhook_id: int) -> str:
    hook = operations.find_webhook(Sessions(), current_actor(), webhook_id)
    values = {"name": hook.name, "url": hook.url, "events": hook.events, "with_form": hook.with_form}
    return _form(hook, {**values, "version": hook.version})


def _form(hook: Webhook | None, values: Mapping[str, Any], problems: Mapping[str, str] | None = None) -> str:
    return render_template(
        "hooks/webhook_form.html", hook=hook, values=values, problems=problems or {}, titles=rules.EVENT_TYPES
    )


def _posted() -> dict[str, Any]:
    return {
        "name": request.form.get("name", ""),
        "url": request.form.get("url", ""),
        "events": request.form.getlist("events"),
        "with_form": bool(request.form.get("with_form")),
    }


@pages.post("/webhooks")
@requires(MANAGE)
def create() -> BaseResponse | str | tuple[str, int]:
    actor, values = current_actor(), _posted()
    try:
        name, secret, webhook_id = runtime.perform(lambda session: _created(session, actor, values))
    except (InvalidForm, RuleViolation) as refusal:
        return _form(None, values, by_field(refusal)), 422
    return _secret(webhook_id, name, secret, is_new=True)


def _created(session: Session, actor: Any, values: dict[str, Any]) -> tuple[str, str, int]:
    hook, secret = operations.create_webhook(session, actor, values=values)
    return hook.name, secret, hook.id


def by_field(refusal: InvalidForm | RuleViolation) -> dict[str, str]:
    return refusal.by_field() if isinstance(refusal, InvalidForm) else {"": str(refusal)}


def _secret(webhook_id: int, name: str, secret: str, *, is_new: bool) -> str:
    back = url_for("webhooks.show", webhook_id=webhook_id)
    return render_template("hooks/secret.html", name=name, secret=secret, is_new=is_new, back=back, address="")


@pages.post("/webhooks/<int:webhook_id>")
@requires(MANAGE)
def change(webhook_id: int) -> BaseResponse | tuple[str, int]:
    actor, values = current_actor(), _posted()
    version = request.form.get("version", type=int)
    try:
        runtime.perform(
            lambda session: (
                operations.change_webhook(session, actor, webhook_id=webhook_id, version=version, values=values).id
            )
        )
    except (InvalidForm, RuleViolation) as refusal:
        hook = operations.find_webhook(Sessions(), actor, webhook_id)
        return _form(hook, {**values, "version": version}, by_field(refusal)), 422
    flash(str(_("Saved.")), "success")
    return redirect(url_for("webhooks.show", webhook_id=webhook_id))


@pages.post("/webhooks/<int:webhook_id>/rotate")
@requires(MANAGE)
def rotate(webhook_id: int) -> str:
    actor = current_actor()

    def work(session: Session) -> tuple[str, str]:
        hook, secret = operations.rotate_secret(session, actor, webhook_id=webhook_id)
        return hook.name, secret

    name, secret = runtime.perform(work)
    return _secret(webhook_id, name, secret, is_new=False)


@pages.post("/webhooks/<int:webhook_id>/<any(on, off, test, take_over, delete):action>")
@requires(MANAGE)
def act(webhook_id: int, action: str) -> BaseResponse:
    actor = current_actor()

    def work(session: Session) -> Sentence:
        match action:
            case "test":
                operations.send_test(session, actor, webhook_id=webhook_id)
                return _("A test is on its way.")
            case "take_over":
                operations.take_over(session, actor, webhook_id=webhook_id)
                return _("It listens with your rights from now on.")
            case "delete":
                operations.delete_webhook(session, actor, webhook_id=webhook_id)
                return _("Deleted.")
            case _other:
                operations.switch(session, actor, webhook_id=webhook_id, on=action == "on")
                return _("Switched on.") if action == "on" else _("Switched off.")

    flash(str(runtime.perform(work)), "success")
    if action == "delete":
        return redirect(url_for("webhooks.index"))
    return redirect(url_for("webhooks.show", webhook_id=webhook_id))


@pages.post("/webhooks/<int:webhook_id>/deliveries/<int:delivery_id>/resend")
@requires(MANAGE)
def resend(webhook_id: int, delivery_id: int) -> BaseResponse:
    actor = current_actor()
    runtime.perform(
        lambda session: operations.resend(session, actor, webhook_id=webhook_id, delivery_id=delivery_id).id
    )
    flash(str(_("Queued again.")), "success")
    return redirect(url_for("webhooks.show", webhook_id=webhook_id))
