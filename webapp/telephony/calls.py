"""Calls: those that are live, those that were, the page of one, and the button that dials."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, current_app, flash, jsonify, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import clock, runtime
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.db import Sessions
from engine.errors import AppError, NotFound
from engine.i18n import Sentence, _
from processes.activity.operations import records_of_call
from processes.telephony import operations, permissions
from processes.telephony.models import Call
from processes.telephony.operations import VIEWS, View
from webapp.errors import wants_json
from webapp.security.access import current_actor, signed_in
from webapp.skin import callers, formats
from webapp.skin.keys import key_or_none, read_key
from webapp.telephony import heard, words

pages = Blueprint("calls", __name__)

PAGE_SIZE = 20
LONGEST_SEARCH = 60

TITLES: dict[View, Sentence] = {
    "all": _("All"),
    "missed": _("Missed"),
    "in": _("Incoming"),
    "out": _("Outgoing calls"),
}


def length(call: Call) -> str:
    """How long was spoken, or rung, as a clock shows it."""
    since = call.answered_at or call.started_at
    seconds = max(0, int(((call.ended_at or clock.now()) - since).total_seconds()))
    return f"{seconds // 60}:{seconds % 60:02d}"


FILTERS: dict[str, Any] = {
    "call_state": words.state,
    "call_direction": lambda call: words.DIRECTIONS.get(call.direction, words.DIRECTIONS[""]),
    "call_length": length,
    "agent_presence": words.presence,
    "criterion_title": operations.criterion_title,
}


def caller(session: Session, actor: Actor, call_id: int) -> callers.Caller | None:
    """Who was at the other end: what a task to call back shows and dials."""
    call = permissions.readable(session, actor, call_id)
    if not call.number:
        return None
    match = operations.matches(session, actor, [call.number])[call.number]
    return callers.Caller(match.shown, [one.name for one in match.people])


@pages.get("/calls")
@signed_in
def index() -> str:
    return _list("telephony/_past.html" if request.args.get("part") == "past" else "telephony/calls.html")


def _list(template: str) -> str:
    session, actor = Sessions(), current_actor()
    asked = request.args.get("view", "all")
    view: View = next((one for one in VIEWS if one == asked), "all")
    text = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    before = request.args.get("before", type=read_key)
    past, has_more = operations.past_calls(session, actor, view=view, text=text, before=before, size=PAGE_SIZE)
    live = operations.live_calls(session, actor)
    return render_template(
        template,
        past=past,
        has_more=has_more,
        first_page=before is None,
        view=view,
        text=text,
        titles=TITLES,
        live=live,
        matches=operations.matches(session, actor, [call.number for call in (*past, *live)]),
        agents=operations.agents(session),
        connected=operations.connected(session),
        configured=_configured(),
    )


def _configured() -> bool:
    settings = current_app.config["SETTINGS"]
    return bool(settings.ami_url) or settings.devices_simulated


@pages.get("/calls/live")
@signed_in
def live() -> str:
    """The part of the list that changes by itself."""
    session, actor = Sessions(), current_actor()
    found = operations.live_calls(session, actor)
    return render_template(
        "telephony/_live.html",
        live=found,
        matches=operations.matches(session, actor, [call.number for call in found]),
        agents=operations.agents(session),
        connected=operations.connected(session),
        configured=_configured(),
    )


@pages.get("/calls/<int:call_id>")
@signed_in
def show(call_id: int) -> str:
    session, actor = Sessions(), current_actor()
    call = permissions.readable(session, actor, call_id)
    match = operations.matches(session, actor, [call.number])[call.number]
    takes_part = permissions.takes_part(session, actor, call)
    whom = heard.ends(session, actor, call, match)
    return render_template(
        "telephony/call.html",
        call=call,
        match=match,
        whom=whom,
        earlier=operations.history_of(session, actor, call.number, before=call.id, size=5),
        takes_part=takes_part,
        refused=[text for text in map(operations.why, operations.commands_of(session, call.id)) if text],
        records=records_of_call(session, actor, call.id),
        scores=operations.scores_of(session, actor, call),
        scorable=operations.scorable_in(session, actor, call),
        may_listen=operations.may_listen(session, actor, call),
        subjects=_subjects(),
        legs=words.LEGS,
        left=words.LEFT,
        ended_by=words.ENDED_BY,
        record_type=permissions.CALL,
    )


def _subjects() -> list[tuple[str, Sentence]]:
    """What the reader may say a call was about."""
    registers = CATALOG.registers
    return [
        (name, title)
        for name, title in callers.subjects()
        if name in registers and (not registers[name].permission or current_actor().may(registers[name].permission))
    ]


@pages.post("/calls/dial")
@signed_in
def dial() -> BaseResponse:
    """Ring the asker's phone, then the number. form: number, key, record ("type id")."""
    actor, form = current_actor(), request.form
    key = form.get("key", "")[:60] or f"{clock.now().timestamp():.3f}"
    kind, _blank, number = form.get("record", "").rpartition(" ")
    about = key_or_none(number)
    record = (kind, about) if kind and about is not None else None
    wanted = form.get("number", "")[:60]
    try:
        call_id = runtime.perform(
            lambda session: operations.dial(session, actor, number=wanted, key=key, record=record).id
        )
    except AppError as refusal:
        if wants_json():
            raise
        flash(" ".join(str(one.message) for one in refusal.problems) or str(refusal), "danger")
        return redirect(url_for("calls.index"))
    page = url_for("calls.show", call_id=call_id)
    return jsonify(id=call_id, url=page) if wants_json() else redirect(page)


@pages.post("/calls/<int:call_id>/<any('hang-up', transfer, note, about, 'put-away'):action>")
@signed_in
def act(call_id: int, action: str) -> BaseResponse:
    actor, form = current_actor(), request.form

    def do(session: Session) -> None:
        match action:
            case "hang-up":
                operations.hang_up(session, actor, call_id=call_id, key=form.get("key", "")[:60])
            case "transfer":
                to, kind = form.get("to", "")[:60], form.get("kind", "blind")
                operations.transfer(session, actor, call_id=call_id, to=to, kind=kind, key=form.get("key", "")[:60])
            case "note":
                operations.write_note(session, actor, call_id=call_id, text=form.get("text", ""))
            case "about":
                operations.link_record(session, actor, call_id=call_id, record=_chosen())
            case "put-away":
                operations.put_away(session, actor, call_id=call_id)
            case _:
                raise NotFound

    try:
        runtime.perform(do)
    except AppError as refusal:
        if wants_json():
            raise
        flash(" ".join(str(one.message) for one in refusal.problems) or str(refusal), "danger")
        return redirect(url_for("calls.show", call_id=call_id))
    if wants_json():
        return jsonify(saved=f"{formats.local(clock.now()):%H:%M}")
    flash(str(_("Saved.") if action in ("note", "about") else _("The exchange has been asked.")), "success")
    return redirect(url_for("calls.show", call_id=call_id))


def _chosen() -> tuple[str, int] | None:
    """form: for each register that a call may be about, the record chosen of it; none = about nothing."""
    for name, _title in _subjects():
        chosen = key_or_none(request.form.get(name, ""))
        if chosen is not None:
            return name, chosen
    return None
