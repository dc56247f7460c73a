"""An agent's own telephone: the bar on top of every page and the calls that pop up."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, current_app, flash, g, jsonify, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.db import Sessions
from engine.errors import AppError, NotFound
from engine.i18n import _
from processes.telephony import operations
from processes.telephony.models import Agent, CallCommand
from webapp import wires
from webapp.errors import wants_json
from webapp.security.access import actor_or_none, current_actor, signed_in
from webapp.security.viewing import viewer
from webapp.skin.words import Word
from webapp.telephony import heard, words

pages = Blueprint("phone", __name__)

DEMO_CALLERS = ("19900000005", "19900000012", "02155660199", "13800138000")
"""Who calls in the demo company: two of its people, two nobody knows."""


@dataclass(frozen=True)
class Phone:
    """The telephone of the person in front of the page."""

    agent: Agent
    connected: bool
    simulated: bool

    @property
    def word(self) -> Word:
        return words.presence(self.agent) if self.connected else words.DOWN

    @property
    def pauses(self) -> tuple[Any, ...]:
        return words.PAUSES


def context() -> dict[str, Any]:
    """What every template may ask: the reader's telephone, None for those who have none."""
    actor, settings = actor_or_none(), current_app.config["SETTINGS"]
    if actor is None or viewer() is not None or not wires.has_exchange(settings):
        return {"phone": None}
    if "phone" not in g:
        session = Sessions()
        agent = operations.agent_of(session, actor.person_id)
        simulated = bool(settings.devices_simulated)
        g.phone = Phone(agent, operations.connected(session), simulated) if agent is not None else None
    return {"phone": g.phone}


@pages.get("/phone/bar")
@signed_in
def bar() -> str:
    return render_template("telephony/_bar.html") if context()["phone"] is not None else ""


@pages.get("/phone/pops")
@signed_in
def pops() -> str:
    """Every call that stands before this person now."""
    session, actor = Sessions(), current_actor()
    calls = operations.pops(session, actor)
    found = operations.matches(session, actor, [call.number for call in calls])
    return render_template(
        "telephony/_pops.html",
        calls=[
            (
                call,
                found[call.number],
                heard.ends(session, actor, call, found[call.number]),
                operations.history_of(session, actor, call.number, before=call.id),
            )
            for call in calls
        ],
    )


@pages.get("/phone/commands/<int:command_id>")
@signed_in
def command(command_id: int) -> BaseResponse:
    """Why something the asker wanted came to nothing."""
    found = Sessions().get(CallCommand, command_id)
    if found is None or found.asked_by != current_actor().person_id:
        raise NotFound
    return jsonify(text=str(operations.why(found)))


@pages.post("/phone/<any(pause, resume, 'sign-in', 'sign-out', receive):action>")
@signed_in
def act(action: str) -> BaseResponse:
    actor, reason = current_actor(), request.form.get("reason", "")

    def do(session: Session) -> None:
        match action:
            case "pause" | "resume":
                operations.pause(session, actor, on=action == "pause", reason=reason if action == "pause" else "")
            case "sign-in" | "sign-out":
                operations.sign(session, actor, on=action == "sign-in")
            case _:
                if not current_app.config["SETTINGS"].devices_simulated:
                    raise NotFound
                caller = random.choice(DEMO_CALLERS)  # noqa: S311 - nothing secret about who calls in a demo
                operations.receive(session, actor, number=caller, answered=bool(request.form.get("answered")))

    try:
        runtime.perform(do)
    except AppError as refusal:
        if wants_json():
            raise
        flash(str(refusal), "danger")
    else:
        if wants_json():
            return jsonify(text=str(_("The exchange has been asked.")))
    return redirect(url_for("calls.index"))
