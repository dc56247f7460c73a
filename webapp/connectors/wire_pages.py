"""The connectors' page: each with its health, its queue, its last errors, and a button that tries it."""

from __future__ import annotations

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from engine import gates, runtime, wire_tests
from engine.db import Sessions
from engine.errors import NotFound
from engine.i18n import _
from processes.messaging.permissions import LOOK_AFTER
from webapp.connectors import wires
from webapp.connectors.wires import STEPS, Wire
from webapp.security.access import current_actor, requires
from webapp.skin import words

pages = Blueprint("connectors", __name__)


@pages.get("/connectors")
@requires(LOOK_AFTER)
def index() -> str:
    return render_template(
        "workflow/connectors.html",
        wires=wires.all_wires(Sessions()),
        steps=STEPS,
        outcomes=words.OUTCOMES,
        simulated=bool(current_app.config["SETTINGS"].devices_simulated),
    )


@pages.get("/connectors/<name>")
@requires(LOOK_AFTER)
def card(name: str) -> str | BaseResponse:
    """One connector's card, asked again and again while it is being tried; by itself it is no page."""
    card_of = _card(name)
    return card_of if "HX-Request" in request.headers else redirect(url_for("connectors.index"))


@pages.post("/connectors/<name>/test")
@requires(LOOK_AFTER)
def test(name: str) -> str:
    """Ask whether it works; nothing is sent. The process that holds it answers in a moment."""
    _known(name)
    actor = current_actor()
    runtime.perform(lambda session: wire_tests.ask(session, actor, name))
    return _card(name)


@pages.post("/connectors/<name>/open")
@requires(LOOK_AFTER)
def open_gate(name: str) -> BaseResponse:
    """Whoever has looked after the peer need not wait for the pause to end."""
    _known(name)
    runtime.perform(lambda session: gates.open_now(session, name))
    flash(str(_("It is tried again now.")), "success")
    return redirect(url_for("connectors.index"))


def _card(name: str) -> str:
    return render_template("workflow/connectors/_card.html", wire=_known(name), steps=STEPS, outcomes=words.OUTCOMES)


def _known(name: str) -> Wire:
    found = wires.one(Sessions(), name)
    if found is None:
        raise NotFound
    return found
