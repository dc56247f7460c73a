"""Instances: the list for supervisors and starters, and the page of one: form, opinions, history, diagram, repairs."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, jsonify, make_response, redirect, render_template, request, url_for
from sqlalchemy import func, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import history, runtime, work_items
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, Forbidden, InvalidForm, NotFound, Problem
from engine.forms import ScopedLookups
from engine.forms.check import PERSON
from engine.history import VIEWS
from engine.i18n import _, current_locale, listed
from engine.models import Definition, Incident, Instance, OutboxMessage, WorkItem
from engine.work_items import Right
from engine.work_items.rights import ADMINISTER, MONITOR, holds, readable_by
from processes.approval.operations import urge_instance
from webapp.security.access import current_actor, signed_in
from webapp.skin import formats, words
from webapp.workflow import holders, instance_list, item, processes, questions, story

pages = Blueprint("instances", __name__)

HISTORY_LINES = 200
TABS = ("overview", "diagram", "history", "people", "messages")


# ------------------------------------------------------------------------------------------------- the list


@pages.get("/instances")
@signed_in
def index() -> str:
    session, actor = Sessions(), current_actor()
    wanted = instance_list.Wanted.read(request.args)
    found = instance_list.page(session, actor, readable_by(actor), wanted, after=request.args.get("after", type=int))
    names = session.execute(select(Definition.key, Definition.name).where(Definition.state == "active"))
    partial = "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
    return render_template(
        "workflow/_instances.html" if partial else "workflow/instances.html",
        listing=found,
        wanted=wanted,
        states={state: word.text for state, word in words.INSTANCE_STATES.items() if state != "draft"},
        processes=sorted(((key, processes.title_of(key, name)) for key, name in names), key=lambda one: one[1]),
        sees_all=actor.may(MONITOR) or actor.may(ADMINISTER),
        administers=actor.may(ADMINISTER),
        first_page="after" not in request.args,
    )


# ------------------------------------------------------------------------------------------------- one instance


@dataclass(frozen=True)
class Reach:
    """A work item and how it came to whom."""

    item: WorkItem
    who: str
    why: str


@pages.get("/instances/<int:instance_id>")
@signed_in
def show(instance_id: int) -> str | BaseResponse:
    actor = current_actor()
    draft = Sessions().get(Instance, instance_id)
    if draft is not None and draft.state == "draft" and draft.starter_id == actor.person_id:
        return redirect(url_for("start.form", key=draft.definition_key, draft=instance_id))
    return page(actor, instance_id)


def page(actor: Actor, instance_id: int, refusal: AppError | None = None) -> str:
    session = Sessions()
    tab = request.args.get("tab", TABS[0])
    if tab not in TABS:
        raise NotFound
    pane = item.of_instance(session, actor, instance_id)
    seen = pane.subject
    rights = work_items.instance_actions(seen.instance, actor, decided=work_items.decided(session, instance_id))
    partial = "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
    return render_template(
        f"workflow/instance/_{tab}.html" if partial else "workflow/instance.html",
        pane=pane,
        instance=seen.instance,
        tab=tab,
        tabs=_tabs(session, seen),
        rights={right.action: right for right in rights},
        refusal=refusal,
        loose_files=item.loose_files(pane),
        my_item=_my_item(actor, seen),
        incidents=_incidents(session, actor, instance_id),
        follows=actor.person_id in work_items.followers(session, instance_id),
        **_questions(session, actor, seen, rights),
        **_tab_content(session, tab, seen),
    )


def _questions(session: Session, actor: Actor, seen: item.Subject, rights: tuple[Right, ...]) -> dict[str, Any]:
    """The dialogs of the page and what they offer; with whom items lie is asked only for those who may move them."""
    menu = questions.offered({right.action: right for right in rights}, actor, seen.instance.state == "running")
    asked = {one.action for one in menu}
    waiting = []
    if asked & {"jump", "back_date"}:
        waiting = [one for one in seen.items if one.state in ("open", "delegated") and one.kind == "sign"]
    if "change_people" in asked:
        formats.people(person for named in seen.instance.people.values() for person in named)
    return {
        "menu": menu,
        "withdrawing": questions.QUESTIONS["withdraw"],
        "steps_of": questions.steps_of(seen.loaded),
        "landings": questions.landings(seen.loaded),
        "waiting": waiting,
        "holders_of": {id: holders.in_short(found) for id, found in holders.names(session, waiting).items()},
        "person_lookup": url_for("start.lookup", reference=PERSON),
        "submission": lambda: secrets.token_urlsafe(12),
    }


def _tabs(session: Session, seen: item.Subject) -> list[tuple[str, Any, int]]:
    sent = session.scalar(select(func.count()).where(OutboxMessage.instance_id == seen.instance.id)) or 0
    return [
        ("overview", _("Overview"), 0),
        ("diagram", _("Diagram"), 0),
        ("history", _("History"), seen.instance.log_seq),
        ("people", _("Work items"), len(seen.items)),
        ("messages", _("Messages"), sent),
    ]


def _tab_content(session: Session, tab: str, seen: item.Subject) -> dict[str, Any]:
    instance = seen.instance
    match tab:
        case "diagram":
            trail = history.trail(session, instance.id)
            return {"steps": story.steps(session, seen.loaded, trail, seen.items)}
        case "history":
            after = request.args.get("after", 0, type=int)
            lines = history.log_lines(session, instance.id, after=after, limit=HISTORY_LINES + 1)
            actor = current_actor()
            lookups = ScopedLookups(session, actor, instance_id=instance.id)
            hidden = work_items.hidden_fields(session, actor, instance)
            return {
                "events": story.events(lines[:HISTORY_LINES], seen.loaded, lookups, hidden),
                "more": lines[HISTORY_LINES - 1].seq if len(lines) > HISTORY_LINES else None,
            }
        case "people":
            names = holders.names(session, seen.items)
            reaches = [
                Reach(one, holders.in_short(names[one.id]), holders.why(one.reason, seen.loaded)) for one in seen.items
            ]
            return {"reaches": reaches}
        case _:
            return {}


def _my_item(actor: Actor, seen: item.Subject) -> WorkItem | None:
    """The open item of this instance that lies with the reader: the page leads there."""
    return next((one for one in seen.items if one.state == "open" and holds(one, actor)), None)


def _incidents(session: Session, actor: Actor, instance_id: int) -> list[Incident]:
    if not actor.may(ADMINISTER):
        return []
    open_ones = select(Incident).where(Incident.instance_id == instance_id, Incident.state != "resolved")
    return list(session.scalars(open_ones.order_by(Incident.id)))


@pages.get("/instances/<int:instance_id>/diagram")
@signed_in
def diagram(instance_id: int) -> Response:
    """What the viewer draws: {"xml", "state", "lang"}."""
    session, actor = Sessions(), current_actor()
    seen = item.subject(session, actor, instance_id)
    picture = story.picture(session, seen.instance, seen.loaded, seen.items)
    return jsonify(xml=picture.xml, state=picture.state, lang=current_locale())


@pages.get("/instances/<int:instance_id>/pulse")
@signed_in
def pulse(instance_id: int) -> Response:
    """Asked again and again by the open page: whether there is something new to show."""
    session = Sessions()
    if not work_items.may_read_instance(session, current_actor(), instance_id):
        raise NotFound
    return jsonify(rev=session.scalar(select(Instance.rev).where(Instance.id == instance_id)))


# ------------------------------------------------------------------------------------------------- urging, repairs


@pages.post("/instances/<int:instance_id>/urge")
@signed_in
def urge(instance_id: int) -> BaseResponse:
    """Urge whoever it lies with; back to the list of the inbox where it was pressed."""
    actor, text = current_actor(), request.form.get("text", "")
    view, key = request.form.get("from"), request.form.get("key", type=int)
    in_list = view in VIEWS and key is not None
    back = url_for("inbox.show", view=view, key=key) if in_list else url_for("instances.show", instance_id=instance_id)
    try:
        done = runtime.perform(lambda session: urge_instance(session, actor, instance_id, text))
    except NotFound:
        raise
    except AppError as refusal:
        Sessions().rollback()
        if not in_list:
            return make_response(page(actor, instance_id, refusal), refusal.status)
        flash(str(refusal), "warning")
    else:
        people = formats.people(person for one in done for person in one.told)
        who = listed(dict.fromkeys(people[person] for one in done for person in one.told if person in people))
        flash(str(_("{who} has been urged.", who=who)), "success")
    return redirect(back)


@pages.post("/instances/<int:instance_id>/acknowledge")
@signed_in
def acknowledge(instance_id: int) -> BaseResponse:
    """Say that one has read what was circulated; back to where it was pressed."""
    actor = current_actor()
    copy = work_items.copy_of(Sessions(), actor, instance_id)
    if copy is None:
        raise NotFound
    copy_id = copy.id
    runtime.perform(lambda session: work_items.acknowledge(session, actor, copy_id))
    flash(str(_("Acknowledged.")), "success")
    if request.form.get("from") == "inbox":
        return redirect(url_for("inbox.show", view="cc", key=copy_id))
    return redirect(url_for("instances.show", instance_id=instance_id))


@pages.post("/incidents/<int:incident_id>/<any(retry, skip):action>")
@signed_in
def repair(incident_id: int, action: str) -> BaseResponse:
    actor = current_actor()
    incident = Sessions().get(Incident, incident_id)
    if incident is None:
        raise NotFound
    instance_id = incident.instance_id
    try:
        _demand_administrator(actor)
        if action == "retry":
            runtime.perform(lambda session: runtime.retry_incident(session, actor, incident_id))
        else:
            reason = request.form.get("reason", "").strip()
            if not reason:
                raise InvalidForm([Problem("reason", _("Please give a reason."))])
            runtime.perform(lambda session: runtime.skip_incident(session, actor, incident_id, None, reason))
    except AppError as refusal:
        Sessions().rollback()
        return make_response(page(actor, instance_id, refusal), refusal.status)
    still = Sessions().get(Incident, incident_id, populate_existing=True)
    if still is not None and still.state != "resolved":
        flash(str(_("The step failed again: {cause}", cause=still.cause)), "warning")
    else:
        flash(str(_("The process goes on.")), "success")
    return redirect(url_for("instances.show", instance_id=instance_id))


def _demand_administrator(actor: Actor) -> None:
    if not actor.may(ADMINISTER):
        raise Forbidden(_("Only process administrators repair a process."))


@pages.post("/instances/<int:instance_id>/follow")
@signed_in
def follow(instance_id: int) -> BaseResponse:
    """Be told what happens in it, or no more."""
    actor, on = current_actor(), request.form.get("on") == "1"
    runtime.perform(lambda session: work_items.follow(session, actor, instance_id, on=on))
    flash(str(_("You are told what happens here.") if on else _("You are told no more.")), "success")
    return redirect(url_for("instances.show", instance_id=instance_id))
