"""Start a process: choose it, fill in its form (kept as a draft while typing), see the way it will take, send it."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, Response, flash, jsonify, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import clock, repository, runtime, work_items
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.db import Sessions
from engine.errors import AppError, Conflict, Forbidden, InvalidForm, NotFound
from engine.forms import REFERENCES, FormSchema
from engine.forms.check import PERSON
from engine.i18n import _
from engine.models import Definition, Instance
from engine.runtime.host import latest_form
from engine.runtime.picking import picked_by
from engine.runtime.start import Route, RouteStep
from engine.work_items.rights import ADMINISTER, MONITOR
from engine.workflow.contract import Choice, Node
from webapp.once import once
from webapp.registers.nothing_yet import WAYS, Way
from webapp.security.access import current_actor, signed_in
from webapp.skin import formats
from webapp.workflow import deeds, fields, holders, lists, posted, processes

pages = Blueprint("start", __name__)

RECENT_DRAFTS = 10
LOOKUP_SIZE = 20


def _by_asking(key: str) -> Callable[[], tuple[Way, ...]]:
    """The records of a process come from its start form."""

    def ways() -> tuple[Way, ...]:
        if not runtime.may_start(current_actor(), key):
            return ()
        return ((url_for("start.form", key=key), "pencil", _("Fill in the form")),)

    return ways


WAYS["office.leave_request"] = _by_asking("leave_request")
WAYS["spending.expense_request"] = _by_asking("expense_request")


@dataclass(frozen=True)
class Draft:
    id: int
    name: str
    process: str
    icon: str
    key: str
    changed_at: Any


def drafts(session: Session, actor: Actor, key: str = "", size: int = RECENT_DRAFTS) -> list[Draft]:
    """What this person has begun and not sent, newest change first."""
    mine = select(Instance).where(Instance.starter_id == actor.person_id, Instance.state == "draft")
    if key:
        mine = mine.where(Instance.definition_key == key)
    return [
        Draft(
            row.id,
            lists.name_of(row.title),
            processes.title_of(row.definition_key, lists.process_part(row.title)),
            processes.icon_of(row.definition_key),
            row.definition_key,
            row.changed_at,
        )
        for row in session.scalars(mine.order_by(Instance.changed_at.desc()).limit(size))
    ]


# ------------------------------------------------------------------------------------------------- choose


@pages.get("/start")
@signed_in
def index() -> str:
    session, actor = Sessions(), current_actor()
    found = processes.startable(session, actor)
    return render_template(
        "workflow/start.html",
        groups=processes.grouped(found),
        often=processes.often_started(session, actor, found) if len(found) > 6 else [],
        count=len(found),
        drafts=drafts(session, actor),
    )


# ------------------------------------------------------------------------------------------------- the request form


@dataclass(frozen=True)
class _Process:
    definition: Definition
    title: str
    icon: str
    description: str
    schema: FormSchema | None


def _process(session: Session, actor: Actor, key: str) -> _Process:
    definition = repository.latest(session, key)
    title = processes.title_of(key, definition.name)
    if not runtime.may_start(actor, key):
        raise Forbidden(_("You may not start “{process}”.", process=title))
    known = CATALOG.processes.get(key)
    schema = repository.get(session, definition.id).start_form()
    description = str(known.description or "") if known else ""
    return _Process(definition, title, processes.icon_of(key), description, schema)


@pages.get("/start/<key>")
@signed_in
def form(key: str) -> BaseResponse | str:
    session, actor = Sessions(), current_actor()
    process = _process(session, actor, key)
    draft_id = request.args.get("draft", type=int)
    values: dict[str, Any] = {}
    saved_at = None
    if draft_id is not None:
        draft = session.get(Instance, draft_id)
        if draft is None or draft.starter_id != actor.person_id or draft.definition_key != key:
            raise NotFound
        if draft.state != "draft":
            return redirect(url_for("instances.show", instance_id=draft_id))
        values, saved_at = latest_form(session, draft_id)[1], draft.changed_at
    elif process.schema is not None:
        values = posted.prefilled(process.schema, request.args)
    return _page(session, actor, process, values, draft_id=draft_id, saved_at=saved_at)


def _page(
    session: Session,
    actor: Actor,
    process: _Process,
    values: Mapping[str, Any],
    *,
    draft_id: int | None,
    saved_at: Any = None,
    errors: Mapping[str, str] | None = None,
    refusal: AppError | None = None,
    rehearsal: bool = False,
) -> str:
    faults = errors or {}
    of_form = {name: text for name, text in faults.items() if not name.startswith("people.")}
    view = (
        fields.view(session, actor, process.schema, values, rights=process.schema.rights(), errors=of_form)
        if process.schema
        else fields.FormView([], [])
    )
    return render_template(
        "workflow/request.html",
        process=process,
        form=view,
        refusal=refusal,
        draft_id=draft_id,
        saved_at=saved_at,
        submission=request.form.get("submission") or secrets.token_urlsafe(12),
        other_drafts=[d for d in drafts(session, actor, process.definition.key, 4) if d.id != draft_id],
        to_name=_to_name(session, process),
        named=deeds.named_people(request.form),
        faults=faults,
        person_lookup=url_for("start.lookup", reference=PERSON),
        rehearsal=rehearsal,
        may_rehearse=may_rehearse(actor),
    )


def _to_name(session: Session, process: _Process) -> list[Node]:
    """The steps whose people the diagram leaves to the starter."""
    nodes = repository.get(session, process.definition.id).compiled.nodes.values()
    return [node for node in nodes if picked_by(node) == "starter"]


def may_rehearse(actor: Actor) -> bool:
    """Whoever draws or watches over processes may ask whom a request of somebody else would reach."""
    return actor.may(repository.DEPLOY) or actor.may(MONITOR) or actor.may(ADMINISTER)


@pages.get("/start/<key>/rehearse")
@signed_in
def rehearse(key: str) -> str:
    """“Who would get this for Zhang San, 8,000 yuan?”: the form and the way it would take; nothing is sent."""
    session, actor = Sessions(), current_actor()
    if not may_rehearse(actor):
        raise Forbidden(_("Only process designers and supervisors rehearse requests of others."))
    process = _process(session, actor, key)
    return _page(session, actor, process, {}, draft_id=None, rehearsal=True)


def _posted(process: _Process) -> dict[str, Any]:
    return posted.values(process.schema, request.form) if process.schema else {}


def _draft_id() -> int | None:
    return request.form.get("draft", type=int)


@pages.post("/start/<key>")
@signed_in
def submit(key: str) -> BaseResponse:
    session, actor = Sessions(), current_actor()
    process = _process(session, actor, key)
    values, draft_id, people = _posted(process), _draft_id(), deeds.named_people(request.form)

    def send(session: Session) -> dict[str, Any]:
        result = runtime.start(session, actor, key, values=values, draft_id=draft_id, people=people)
        return {"instance": result.instance_id}

    try:
        answer = once(actor, request.form.get("submission", ""), send)
    except InvalidForm as refusal:
        page = _page(Sessions(), actor, process, values, draft_id=draft_id, errors=refusal.by_field(), refusal=refusal)
        return make_response(page, refusal.status)
    except Conflict:
        if draft_id is not None and work_items.may_read_instance(Sessions(), actor, draft_id):
            return redirect(url_for("instances.show", instance_id=draft_id))  # sent from another window
        raise
    except AppError as refusal:
        page = _page(Sessions(), actor, process, values, draft_id=draft_id, refusal=refusal)
        return make_response(page, refusal.status)
    flash(str(_("“{process}” has been submitted.", process=process.title)), "success")
    return redirect(url_for("instances.show", instance_id=answer["instance"]))


@pages.post("/start/<key>/draft")
@signed_in
def save(key: str) -> Response:
    """Keep what is typed so far; answers {"draft": id, "saved": "10:42"}."""
    session, actor = Sessions(), current_actor()
    process = _process(session, actor, key)
    values, draft_id = _posted(process), _draft_id()
    draft = runtime.perform(lambda session: runtime.save_draft(session, actor, key, values, draft_id).id)
    return jsonify(draft=draft, saved=f"{formats.local(clock.now()):%H:%M}")


@pages.post("/drafts/<int:draft_id>/discard")
@signed_in
def discard(draft_id: int) -> BaseResponse:
    actor = current_actor()
    runtime.perform(lambda session: runtime.discard_draft(session, actor, draft_id))
    flash(str(_("The draft has been thrown away.")), "success")
    return redirect(url_for("start.index"))


# ------------------------------------------------------------------------------------------------- the way it will take


@dataclass(frozen=True)
class Reason:
    """A choice on the way, in words."""

    question: str
    answer: str
    detail: str
    """the condition as it was drawn and what it read; for those who want to know exactly"""


def reason(choice: Choice) -> Reason:
    conditions = "; ".join(choice.conditions)
    read = ", ".join(f"{name} = {_in_short(value)}" for name, value in choice.values.items())
    answer = choice.answer or (_("none of the other conditions holds") if choice.otherwise else conditions)
    return Reason(choice.question, str(answer), "  ·  ".join(part for part in (conditions, read) if part))


def _in_short(value: Any) -> str:
    return "null" if value is None else str(value).lower() if isinstance(value, bool) else str(value)


@dataclass(frozen=True)
class RouteLine:
    step: RouteStep
    rule: str
    """why these people, in words"""
    reasons: tuple[Reason, ...]
    """why it comes to them at all"""


@pages.post("/start/<key>/route")
@signed_in
def route(key: str) -> str:
    """The steps this request would go through with these values; changes nothing."""
    session, actor = Sessions(), current_actor()
    process = _process(session, actor, key)
    way = Route((), (), True)
    refusal: AppError | None = None
    try:
        starter = request.form.get("rehearse_for", type=int) if may_rehearse(actor) else None
        way = runtime.preview(session, actor, key, _posted(process), starter_id=starter)
    except AppError as error:
        refusal = error
    finally:
        session.rollback()
    times = [step.expected_at for step in way.steps]
    return render_template(
        "workflow/_route.html",
        steps=[
            RouteLine(step, holders.rule_in_words(step.rule), tuple(map(reason, step.choices))) for step in way.steps
        ],
        reasons=[reason(choice) for choice in way.choices],
        ends=way.ends,
        done_at=max(time for time in times if time) if times and None not in times else None,
        refusal=refusal,
        incomplete=isinstance(refusal, InvalidForm),
    )


# ------------------------------------------------------------------------------------------------- pickers


@pages.get("/forms/lookup/<reference>")
@signed_in
def lookup(reference: str) -> Response:
    """Records a form's picker offers, by what was typed; within the rights of whoever asks."""
    answers = REFERENCES.get(reference)
    if answers is None:
        raise NotFound
    text = request.args.get("q", "").strip()[: lists.LONGEST_SEARCH]
    found = answers.find(Sessions(), current_actor(), text, LOOKUP_SIZE)
    return jsonify([{"value": str(record_id), "text": label} for record_id, label in found])
