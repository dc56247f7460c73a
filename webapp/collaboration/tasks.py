"""Tasks: the lists, the page of one, giving one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, time

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import attachments, runtime
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.db import Sessions
from engine.errors import AppError, InvalidForm, NotFound, Problem
from engine.i18n import Sentence, _
from engine.models import Attachment
from engine.runtime.files import RECORD_TYPE as INSTANCE
from processes.kernel.working_time import ZONE
from processes.tasks import operations, permissions, rules
from processes.tasks.models import Task
from processes.tasks.operations import VIEWS, View
from webapp.collaboration.links import address
from webapp.security.access import current_actor, signed_in
from webapp.skin import callers
from webapp.skin.words import Word, due

pages = Blueprint("tasks", __name__)

PAGE_SIZE = 20
LONGEST_SEARCH = 60
END_OF_DAY = time(18)
"""A day that is named as a deadline ends with office hours."""

TITLES: dict[View, Sentence] = {
    "mine": _("I am to do"),
    "given": _("I gave"),
    "watching": _("I watch"),
    "done": _("Over"),
    "team": _("My people's"),
}

STATES = {
    "assigned": Word(_("To be accepted"), "amber", "hourglass"),
    "accepted": Word(_("Accepted"), "blue", "user-check"),
    "declined": Word(_("Declined"), "red", "user-x"),
    "in_progress": Word(_("In progress"), "blue", "progress"),
    "submitted": Word(_("Handed in"), "amber", "send"),
    "returned": Word(_("Returned"), "amber", "arrow-back-up"),
    "confirmed": Word(_("Confirmed"), "green", "circle-check"),
    "cancelled": Word(_("Cancelled"), "grey", "minus"),
}

BUTTONS = {
    "accept": Word(_("Accept it"), "blue", "check"),
    "decline": Word(_("Decline it"), "red", "x"),
    "start": Word(_("Begin"), "blue", "player-play"),
    "submit": Word(_("Hand it in"), "blue", "send"),
    "confirm": Word(_("Confirm it"), "green", "check"),
    "return": Word(_("Return"), "amber", "arrow-back-up"),
    "reassign": Word(_("Give to somebody else"), "grey", "switch-horizontal"),
    "cancel": Word(_("Cancel the task"), "red", "player-stop"),
}

DEEDS = {
    "assign": Word(_("gave the task"), "blue", "clipboard-list"),
    "accept": Word(_("accepted it"), "blue", "user-check"),
    "decline": Word(_("declined it"), "red", "user-x"),
    "start": Word(_("began"), "blue", "player-play"),
    "submit": Word(_("handed it in"), "amber", "send"),
    "confirm": Word(_("confirmed it"), "green", "circle-check"),
    "return": Word(_("returned it"), "amber", "arrow-back-up"),
    "reassign": Word(_("gave it to somebody else"), "grey", "switch-horizontal"),
    "hand_over": Word(_("handed it over"), "grey", "switch-horizontal"),
    "cancel": Word(_("cancelled it"), "grey", "player-stop"),
}

DONE = {
    "accept": _("Accepted."),
    "decline": _("Declined."),
    "start": _("Have a good start."),
    "submit": _("Handed in."),
    "confirm": _("Confirmed."),
    "return": _("Returned."),
    "cancel": _("Cancelled."),
    "reassign": _("Given to somebody else."),
}


def _is_partial() -> bool:
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


# ------------------------------------------------------------------------------------------------- lists


@dataclass(frozen=True)
class Line:
    task: Task
    state: Word
    due: Word | None


@pages.get("/tasks")
@signed_in
def index() -> str:
    session, actor = Sessions(), current_actor()
    view: View = next((one for one in VIEWS if one == request.args.get("view")), "mine")
    text = request.args.get("q", "").strip()[:LONGEST_SEARCH]
    page = max(request.args.get("page", 1, type=int), 1)
    # What is due first stands first; what is over, latest first.
    order = (
        (Task.changed_at.desc(), Task.id.desc()) if view == "done" else (Task.due_at.is_(None), Task.due_at, Task.id)
    )
    wanted = operations.tasks(actor, view, text=text).order_by(*order)
    found = list(session.scalars(wanted.offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)))
    return render_template(
        "collaboration/_tasks.html" if _is_partial() else "collaboration/tasks.html",
        lines=[_line(task) for task in found[:PAGE_SIZE]],
        more=len(found) > PAGE_SIZE,
        page=page,
        view=view,
        text=text,
        titles=TITLES,
        count=operations.open_count(session, actor),
    )


def _line(task: Task) -> Line:
    at_work = task.state in rules.AT_WORK
    return Line(task, STATES[task.state], due(task.due_at) if at_work else None)


@pages.get("/tasks/of/<record_type>/<int:record_id>")
@signed_in
def of_record(record_type: str, record_id: int) -> str:
    """A part of whatever page shows the record: the tasks about it."""
    session, actor = Sessions(), current_actor()
    if not CATALOG.may_read(session, actor, record_type, record_id):
        raise NotFound
    found = operations.of_record(session, actor, record_type, record_id)
    return render_template(
        "collaboration/_of_record.html",
        lines=[_line(task) for task in found],
        record_type=record_type,
        record_id=record_id,
    )


# ------------------------------------------------------------------------------------------------- giving one


@pages.get("/tasks/new")
@signed_in
def new() -> str:
    return _form(current_actor(), {name: request.args.get(name, "") for name in ("record_type", "record_id", "title")})


@pages.post("/tasks/new")
@signed_in
def create() -> BaseResponse:
    actor, form = current_actor(), request.form
    submission = form.get("submission", "")[:60]
    try:
        task = runtime.perform(
            lambda session: operations.create_task(
                session,
                actor,
                title=form.get("title", ""),
                assignee=form.get("assignee", 0, type=int),
                watchers=form.getlist("watchers", type=int),
                description=form.get("description", ""),
                deliverable=form.get("deliverable", ""),
                due_at=_deadline(form.get("due", "")),
                record=_record(form.get("record_type", ""), form.get("record_id", "")),
                attachments=form.getlist("file", type=int),
                origin=f"page:{actor.person_id}:{submission}" if submission else "",
                send_copy=form.get("send_copy") == "1",
            )
        )
    except AppError as refusal:
        Sessions().rollback()
        problems = refusal.by_field() if isinstance(refusal, InvalidForm) else {"": str(refusal.message)}
        return make_response(_form(actor, form.to_dict(), problems), refusal.status)
    flash(str(_("The task is given.")), "success")
    return redirect(url_for("tasks.show", task_id=task.id))


def _form(actor: Actor, values: dict[str, str], problems: dict[str, str] | None = None) -> str:
    session = Sessions()
    record = _record(values.get("record_type", ""), values.get("record_id", ""))
    return render_template(
        "collaboration/task_form.html",
        values=values,
        problems=problems or {},
        about=_about(session, actor, record),
        record=record,
        is_instance=record is not None and record[0] == INSTANCE,
        assignee=_people(session, request.form.getlist("assignee", type=int)),
        watchers=_people(session, request.form.getlist("watchers", type=int)),
        files=attachments.loose(session, actor, request.form.getlist("file", type=int)),
    )


def _people(session: Session, chosen: Sequence[int]) -> list[tuple[int, str]]:
    """Picked people as a select shows them."""
    names = CATALOG.directory.names(session, chosen) if CATALOG.directory is not None and chosen else {}
    return [(one, names.get(one, "")) for one in chosen]


def _record(record_type: str, record_id: str) -> tuple[str, int] | None:
    return (record_type, int(record_id)) if record_type and record_id.isdecimal() and len(record_id) < 19 else None


def _about(session: Session, actor: Actor, record: tuple[str, int] | None) -> tuple[str, str] | None:
    """(title, address) of what a task is about, when this reader may read it."""
    if record is None or not CATALOG.may_read(session, actor, *record):
        return None
    kind = CATALOG.record_kind(record[0])
    return (kind.title(session, record[1]), address(*record)) if kind is not None else None


def _deadline(day: str) -> datetime | None:
    """The end of office hours on that day."""
    if not day.strip():
        return None
    try:
        return datetime.combine(date.fromisoformat(day.strip()), END_OF_DAY, ZONE)
    except ValueError:
        faulty = Problem("due_at", _("Please write a date, for example 2026-05-04."))
        raise InvalidForm([faulty]) from None


# ------------------------------------------------------------------------------------------------- one task


@pages.get("/tasks/<int:task_id>")
@signed_in
def show(task_id: int) -> str:
    return _page(current_actor(), task_id)


@dataclass(frozen=True)
class Typed:
    """What was sent with a move that was refused; its dialog shows it again."""

    action: str = ""
    refusal: AppError | None = None
    text: str = ""
    assignee: Sequence[tuple[int, str]] = ()
    files: Sequence[Attachment] = ()


def _page(actor: Actor, task_id: int, typed: Typed = Typed()) -> str:
    session = Sessions()
    task = permissions.readable(session, actor, task_id)
    record = (task.record_type, task.record_id) if task.record_type and task.record_id else None
    granted = {right.action for right in permissions.rights(actor, task) if right.granted}
    buttons = [(name, word, _wants(name)) for name, word in BUTTONS.items() if name in granted]
    return render_template(
        "collaboration/task.html",
        line=_line(task),
        task=task,
        about=_about(session, actor, record),
        caller=_caller(session, actor, record),
        watchers=operations.watchers(session, task.id),
        moves=[(one, DEEDS.get(one.action, DEEDS["assign"])) for one in operations.moves(session, task.id)],
        files=attachments.of_records(session, permissions.TASK, [task.id]).get(task.id, []),
        buttons=buttons,
        typed=typed,
        nothing_typed=Typed(),
        asked_again=any(name == typed.action and wants for name, _word, wants in buttons),
        record_type=permissions.TASK,
    )


def _caller(session: Session, actor: Actor, record: tuple[str, int] | None) -> callers.Caller | None:
    """Whom to ring: whoever has a call to return need not look for the number first."""
    if record is None or not CATALOG.may_read(session, actor, *record):
        return None
    return callers.behind(session, actor, *record)


def _wants(action: str) -> str:
    """What its dialog asks for: "" = no dialog."""
    if action == "reassign":
        return "person"
    if action == "submit":
        return "work"
    return "reason" if rules.MOVES[action].needs_text else ""


@pages.post("/tasks/<int:task_id>/<action>")
@signed_in
def act(task_id: int, action: str) -> BaseResponse:
    actor, form = current_actor(), request.form
    if action not in DONE:
        raise NotFound
    text, version = form.get("text", ""), form.get("version", type=int)

    def change(session: Session) -> None:
        if action == "reassign":
            operations.reassign(
                session, actor, task_id=task_id, assignee=form.get("assignee", 0, type=int), version=version, text=text
            )
        else:
            files = form.getlist("file", type=int)
            operations.move(
                session, actor, task_id=task_id, action=action, version=version, text=text, attachments=files
            )

    try:
        runtime.perform(change)
    except NotFound:
        raise
    except AppError as refusal:
        Sessions().rollback()
        return make_response(_page(actor, task_id, _typed(actor, action, refusal)), refusal.status)
    flash(str(DONE[action]), "success")
    still = Sessions()
    still.expire_all()
    readable = CATALOG.may_read(still, actor, permissions.TASK, task_id)
    return redirect(url_for("tasks.show", task_id=task_id) if readable else url_for("tasks.index"))


def _typed(actor: Actor, action: str, refusal: AppError) -> Typed:
    session, form = Sessions(), request.form
    return Typed(
        action,
        refusal,
        form.get("text", ""),
        _people(session, form.getlist("assignee", type=int)),
        attachments.loose(session, actor, form.getlist("file", type=int)),
    )


# ------------------------------------------------------------------------------------------------- handing over


@pages.get("/tasks/hand-over")
@signed_in
def hand_over() -> BaseResponse:
    """Where notices of earlier releases lead."""
    return redirect(url_for("handing_over.index", person=request.args.get("from", type=int)))
