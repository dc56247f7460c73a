"""The page of a year: everybody reads it, whoever keeps the calendar changes it there."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from connectors.tables.reading import BadTable, decoded
from engine import clock, queue
from engine.db import Sessions, after_commit, transaction
from engine.errors import AppError, Forbidden, InvalidForm, NotFound, Problem
from engine.i18n import _
from processes.kernel.working_time import business_date
from processes.organization import operations
from processes.organization.calendar import missing_years
from processes.organization.jobs import SHIFT_JOB
from processes.organization.models import DueShift
from processes.organization.permissions import MANAGE_CALENDAR
from processes.organization.rules import LONGEST_ANNOUNCEMENT, YEARS
from webapp.calendar import year
from webapp.security.access import current_actor, signed_in

pages = Blueprint("calendar", __name__)


@pages.get("/calendar")
@signed_in
def index() -> str:
    return _page()


def _page(**said: Any) -> str:
    session, today = Sessions(), business_date(clock.now())
    number = request.values.get("year", today.year, type=int)
    if number not in YEARS:
        raise NotFound
    month = request.values.get("month", today.month if number == today.year else 1, type=int)
    may = current_actor().may(MANAGE_CALENDAR)
    last = session.scalars(select(DueShift).order_by(DueShift.id.desc()).limit(1)).first() if may else None
    context: dict[str, Any] = {"problems": {}, "typed": {}, "opened": ""}
    return render_template(
        "calendar/year.html",
        year=year.year(session, number, today),
        month=min(max(month, 1), 12),
        first_year=YEARS.start,
        last_year=YEARS.stop - 1,
        kinds=year.KINDS,
        week=year.week(session),
        day_length=year.day_length(session),
        missing=missing_years(session, today),
        may_change=may,
        last_shift=last,
        **(context | said),
    )


@pages.post("/calendar/day")
@signed_in
def set_day() -> BaseResponse:
    """Change one day, as the dialog says."""
    form = request.form
    try:
        day = date.fromisoformat(form.get("day", ""))
    except ValueError:
        raise NotFound from None
    version = form.get("version", "")

    def change(session: Session) -> str:
        operations.set_day(
            session,
            current_actor(),
            day=day,
            kind=form.get("kind", ""),
            name=form.get("name", ""),
            hours=form.get("hours", ""),
            version=int(version) if version.isdecimal() and len(version) < 9 else None,
        )
        return str(_("{day} has been saved.", day=day.isoformat()))

    return _write(change, "day", year=day.year, month=day.month)


@pages.post("/calendar/announcement")
@signed_in
def import_announcement() -> BaseResponse:
    """Take over what was pasted, else the file."""

    def take_over(session: Session) -> str:
        counts = operations.import_announcement(session, current_actor(), text=_announcement())
        return str(_("{added} days added, {changed} changed, {same} as they were.", **{k: counts[k] for k in counts}))

    return _write(take_over, "announcement", year=request.form.get("year", type=int))


def _announcement() -> str:
    text = request.form.get("text", "")
    file = request.files.get("file")
    if text.strip() or file is None or not file.filename:
        return text
    raw = file.read(LONGEST_ANNOUNCEMENT * 4 + 1)
    try:
        return decoded(raw)
    except BadTable:
        raise InvalidForm([Problem("text", _("This file is neither CSV nor JSON."))]) from None


@pages.post("/calendar/shift")
@signed_in
def shift() -> BaseResponse:
    """Reckon open due dates again, without a change of the calendar."""

    def ask(session: Session) -> str:
        _ask_for_shift(session)
        return str(_("Open due dates are being reckoned again."))

    return _write(ask, "", year=request.form.get("year", type=int))


def _write(
    change: Callable[[Session], str], dialog: str, *, year: int | None, month: int | None = None
) -> BaseResponse:
    """Do it; refused, the page comes back with its dialog open, what was typed and why not."""
    try:
        with transaction() as session:
            said = change(session)
            if request.form.get("shift") == "1" and dialog:
                _ask_for_shift(session)
    except (NotFound, Forbidden):
        raise
    except AppError as refusal:
        Sessions().rollback()
        problems: dict[str, list[str]] = {}
        for problem in refusal.problems:
            problems.setdefault(problem.where, []).append(" ".join(filter(None, map(str, _said(problem)))))
        if not problems:
            problems[""] = [str(refusal)]
        return make_response(_page(problems=problems, typed=request.form, opened=dialog), refusal.status)
    flash(said, "success")
    return redirect(url_for("calendar.index", year=year, month=month))


def _said(problem: Problem) -> tuple[Any, Any]:
    return problem.message, problem.remedy or ""


def _ask_for_shift(session: Session) -> None:
    operations.ask_for_due_shift(session, current_actor())
    after_commit(session, lambda: queue.wake(SHIFT_JOB))
