"""Robots of group chats as administrators see them: the list, the form, what was said."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from connectors.robots.catalogue import KINDS
from engine import runtime
from engine.db import Sessions
from engine.errors import InvalidForm, RuleViolation
from engine.i18n import Sentence, _
from engine.outbox import RESENDABLE
from processes.webhooks import operations
from processes.webhooks.models import Robot
from processes.webhooks.permissions import MANAGE
from webapp.connectors.webhooks import by_field
from webapp.security.access import current_actor, requires
from webapp.skin.words import Word

pages = Blueprint("robots", __name__)

TITLES: Mapping[str, Sentence] = {"wecom": _("WeCom"), "dingtalk": _("DingTalk"), "feishu": _("Feishu")}
ERRORS: Mapping[str, Sentence] = {
    "waits_its_turn": _("waits: the service lets only so many messages through"),
    "robot_off": _("the robot was off"),
    "robot_deleted": _("the robot was deleted"),
    "no_answer": _("no answer came: look into the group before it is sent again"),
}


def _state(robot: Robot) -> Word:
    return Word(_("On"), "green", "check") if robot.state == "on" else Word(_("Off"), "grey", "player-pause")


@pages.get("/robots")
@requires(MANAGE)
def index() -> str:
    found = operations.robots(Sessions(), current_actor())
    return render_template("hooks/robots.html", robots=found, titles=TITLES, state_of=_state)


@pages.get("/robots/<int:robot_id>")
@requires(MANAGE)
def show(robot_id: int) -> str:
    session, actor = Sessions(), current_actor()
    robot = operations.find_robot(session, actor, robot_id)
    return render_template(
        "hooks/robot.html",
        robot=robot,
        word=_state(robot),
        titles=TITLES,
        errors=ERRORS,
        resendable=RESENDABLE,
        lines=operations.said(session, actor, robot_id),
    )


@pages.get("/robots/new")
@requires(MANAGE)
def new() -> str:
    return _form(None, {"kind": "wecom"})


@pages.get("/robots/<int:robot_id>/edit")
@requires(MANAGE)
def edit(robot_id: int) -> str:
    robot = operations.find_robot(Sessions(), current_actor(), robot_id)
    return _form(robot, {"name": robot.name, "kind": robot.kind, "version": robot.version})


def _form(robot: Robot | None, values: Mapping[str, Any], problems: Mapping[str, str] | None = None) -> str:
    return render_template(
        "hooks/robot_form.html", robot=robot, values=values, problems=problems or {}, titles=TITLES, kinds=KINDS
    )


def _posted() -> dict[str, Any]:
    return {name: request.form.get(name, "") for name in ("name", "kind", "url", "secret")}


@pages.post("/robots")
@requires(MANAGE)
def create() -> BaseResponse | tuple[str, int]:
    actor, values = current_actor(), _posted()
    try:
        made = runtime.perform(lambda session: operations.create_robot(session, actor, values=values).id)
    except (InvalidForm, RuleViolation) as refusal:
        return _form(None, {**values, "url": "", "secret": ""}, by_field(refusal)), 422
    flash(str(_("Saved. Send a test to see whether the group hears it.")), "success")
    return redirect(url_for("robots.show", robot_id=made))


@pages.post("/robots/<int:robot_id>")
@requires(MANAGE)
def change(robot_id: int) -> BaseResponse | tuple[str, int]:
    actor, values, version = current_actor(), _posted(), request.form.get("version", type=int)
    try:
        runtime.perform(
            lambda session: (
                operations.change_robot(session, actor, robot_id=robot_id, version=version, values=values).id
            )
        )
    except (InvalidForm, RuleViolation) as refusal:
        robot = operations.find_robot(Sessions(), actor, robot_id)
        return _form(robot, {**values, "version": version}, by_field(refusal)), 422
    flash(str(_("Saved.")), "success")
    return redirect(url_for("robots.show", robot_id=robot_id))


@pages.post("/robots/<int:robot_id>/<any(on, off, test, delete):action>")
@requires(MANAGE)
def act(robot_id: int, action: str) -> BaseResponse:
    actor = current_actor()
    if action == "test":
        runtime.perform(lambda session: operations.send_robot_test(session, actor, robot_id=robot_id))
        flash(str(_("A test is on its way.")), "success")
    elif action == "delete":
        runtime.perform(lambda session: operations.delete_robot(session, actor, robot_id=robot_id))
        flash(str(_("Deleted.")), "success")
        return redirect(url_for("robots.index"))
    else:
        values = {"state": action}
        runtime.perform(lambda session: operations.change_robot(session, actor, robot_id=robot_id, values=values).id)
        flash(str(_("Switched on.") if action == "on" else _("Switched off.")), "success")
    return redirect(url_for("robots.show", robot_id=robot_id))


@pages.post("/robots/<int:robot_id>/messages/<int:message_id>/resend")
@requires(MANAGE)
def resend(robot_id: int, message_id: int) -> BaseResponse:
    actor = current_actor()
    runtime.perform(lambda session: operations.say_again(session, actor, robot_id=robot_id, message_id=message_id).id)
    flash(str(_("Queued again.")), "success")
    return redirect(url_for("robots.show", robot_id=robot_id))
