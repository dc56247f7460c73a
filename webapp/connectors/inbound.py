"""Inbound webhooks and robots as administrators see them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.db import Sessions
from engine.errors import InvalidForm, RuleViolation
from engine.i18n import Sentence, _, restored
from processes.webhooks import operations
from processes.webhooks.models import InboundHook
from processes.webhooks.permissions import MANAGE
from webapp.connectors.webhooks import OFF, by_field, state_of
from webapp.security.access import current_actor, requires

pages = Blueprint("inbound", __name__)

PAGE_SIZE = 20
ACTIONS: Mapping[str, Sentence] = {
    "message": _("hands a message to the process that waits for it"),
    "start": _("starts a process"),
}
FIELDS = ("name", "action", "target", "business_key", "variable", "form")


def _address(hook: InboundHook) -> str:
    base = current_app.config["SETTINGS"].base_url
    return f"{base}{url_for('api.callbacks.receive', name='webhook', key=hook.key)}"


@pages.get("/inbound-webhooks")
@requires(MANAGE)
def index() -> str:
    found = operations.inbound_hooks(Sessions(), current_actor())
    return render_template("hooks/inbound.html", hooks=found, state_of=state_of, off=OFF, actions=ACTIONS)


@pages.get("/inbound-webhooks/<int:hook_id>")
@requires(MANAGE)
def show(hook_id: int) -> str:
    session, actor = Sessions(), current_actor()
    hook = operations.find_inbound_hook(session, actor, hook_id)
    found = operations.receptions(
        session, actor, hook_id, before=request.args.get("before", type=int), limit=PAGE_SIZE + 1
    )
    return render_template(
        "hooks/inbound_one.html",
        hook=hook,
        address=_address(hook),
        word=state_of(hook),
        off=OFF,
        actions=ACTIONS,
        receptions=[(one, str(restored(one.why)) if one.why else "") for one in found[:PAGE_SIZE]],
        has_more=len(found) > PAGE_SIZE,
        first_page="before" not in request.args,
        mine=hook.owner_id == actor.person_id,
    )


@pages.get("/inbound-webhooks/new")
@requires(MANAGE)
def new() -> str:
    return _form(None, {"action": "message", "variable": "payload"})


@pages.get("/inbound-webhooks/<int:hook_id>/edit")
@requires(MANAGE)
def edit(hook_id: int) -> str:
    hook = operations.find_inbound_hook(Sessions(), current_actor(), hook_id)
    return _form(hook, {**{name: getattr(hook, name) for name in FIELDS}, "version": hook.version})


def _form(hook: InboundHook | None, values: Mapping[str, Any], problems: Mapping[str, str] | None = None) -> str:
    return render_template(
        "hooks/inbound_form.html", hook=hook, values=values, problems=problems or {}, actions=ACTIONS
    )


def _posted() -> dict[str, Any]:
    return {name: request.form.get(name, "") for name in FIELDS}


@pages.post("/inbound-webhooks")
@requires(MANAGE)
def create() -> str | tuple[str, int]:
    actor, values = current_actor(), _posted()

    def work(session: Session) -> tuple[str, str, int]:
        hook, secret = operations.create_inbound_hook(session, actor, values=values)
        return hook.name, secret, hook.id

    try:
        name, secret, hook_id = runtime.perform(work)
    except (InvalidForm, RuleViolation) as refusal:
        return _form(None, values, by_field(refusal)), 422
    return _secret(hook_id, name, secret, is_new=True)


def _secret(hook_id: int, name: str, secret: str, *, is_new: bool) -> str:
    hook = operations.find_inbound_hook(Sessions(), current_actor(), hook_id)
    back = url_for("inbound.show", hook_id=hook_id)
    return render_template(
        "hooks/secret.html", name=name, secret=secret, is_new=is_new, back=back, address=_address(hook)
    )


@pages.post("/inbound-webhooks/<int:hook_id>")
@requires(MANAGE)
def change(hook_id: int) -> BaseResponse | tuple[str, int]:
    actor, values, version = current_actor(), _posted(), request.form.get("version", type=int)
    try:
        runtime.perform(
            lambda session: (
                operations.change_inbound_hook(session, actor, hook_id=hook_id, version=version, values=values).id
            )
        )
    except (InvalidForm, RuleViolation) as refusal:
        hook = operations.find_inbound_hook(Sessions(), actor, hook_id)
        return _form(hook, {**values, "version": version}, by_field(refusal)), 422
    flash(str(_("Saved.")), "success")
    return redirect(url_for("inbound.show", hook_id=hook_id))


@pages.post("/inbound-webhooks/<int:hook_id>/rotate")
@requires(MANAGE)
def rotate(hook_id: int) -> str:
    actor = current_actor()

    def work(session: Session) -> tuple[str, str]:
        hook, secret = operations.rotate_inbound_secret(session, actor, hook_id=hook_id)
        return hook.name, secret

    name, secret = runtime.perform(work)
    return _secret(hook_id, name, secret, is_new=False)


@pages.post("/inbound-webhooks/<int:hook_id>/<any(on, off, take_over, delete):action>")
@requires(MANAGE)
def act(hook_id: int, action: str) -> BaseResponse:
    actor = current_actor()
    deeds: dict[str, tuple[Callable[[Session], object], Sentence]] = {
        "on": (lambda s: operations.switch_inbound(s, actor, hook_id=hook_id, on=True), _("Switched on.")),
        "off": (lambda s: operations.switch_inbound(s, actor, hook_id=hook_id, on=False), _("Switched off.")),
        "take_over": (
            lambda s: operations.take_over_inbound(s, actor, hook_id=hook_id),
            _("What comes in is done in your name from now on."),
        ),
        "delete": (lambda s: operations.delete_inbound_hook(s, actor, hook_id=hook_id), _("Deleted.")),
    }
    work, done = deeds[action]
    runtime.perform(work)
    flash(str(done), "success")
    return redirect(url_for("inbound.index") if action == "delete" else url_for("inbound.show", hook_id=hook_id))
