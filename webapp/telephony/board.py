"""Live calls and agents for superiors, and the same as a wallboard that fills a screen."""

from __future__ import annotations

from flask import Blueprint, current_app, render_template, request

from engine.db import Sessions
from processes.telephony import operations
from processes.telephony.permissions import TEAM
from webapp.security.access import current_actor, requires
from webapp.telephony import words

pages = Blueprint("board", __name__)


@pages.get("/calls/board")
@requires(TEAM)
def index() -> str:
    """part=1: only what changes by itself, for the page that is open."""
    return _board("telephony/_board.html" if request.args.get("part") else "telephony/board.html", is_wall=False)


@pages.get("/calls/wallboard")
@requires(TEAM)
def wall() -> str:
    return _board("telephony/_board.html" if request.args.get("part") else "telephony/wallboard.html", is_wall=True)


def _board(template: str, *, is_wall: bool) -> str:
    session, actor = Sessions(), current_actor()
    shown = operations.board(session, actor, within=current_app.config["SETTINGS"].service_seconds)
    live = operations.live_calls(session, actor)
    return render_template(
        template,
        board=shown,
        is_wall=is_wall,
        live=live,
        matches=operations.matches(session, actor, [call.number for call in live]),
        presences=words.PRESENCES,
        configured=bool(current_app.config["SETTINGS"].ami_url) or current_app.config["SETTINGS"].devices_simulated,
    )
