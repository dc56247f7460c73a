"""The bell's page: what one was told, and by which roads one wants to be told."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.db import Sessions
from engine.errors import InvalidForm
from engine.i18n import _
from processes.notices import operations, rules
from processes.notices.models import Notice
from processes.notices.permissions import visible_to
from webapp.collaboration.links import address
from webapp.security.access import current_actor, signed_in

pages = Blueprint("notices", __name__)

PAGE_SIZE = 30

ICONS = {
    "comments.mentioned": "user-check",
    "comments.answered": "arrow-back-up",
    "comments.followed": "message-2",
    "messaging.mail_bounced": "alert-triangle",
    "messaging.mail_answered": "mail",
    "tasks.assigned": "clipboard-list",
    "tasks.answered": "clipboard-list",
    "tasks.submitted": "send",
    "tasks.decided": "checks",
    "tasks.overdue": "alert-triangle",
}
"""kind -> icon; a bell for every other"""


@dataclass(frozen=True)
class Line:
    notice: Notice
    icon: str


@pages.get("/notices")
@signed_in
def index() -> str:
    session, actor = Sessions(), current_actor()
    unread, before = "unread" in request.args, request.args.get("before", type=int)
    wanted = select(Notice).where(visible_to(actor))
    if unread:
        wanted = wanted.where(Notice.read_at.is_(None))
    if before is not None:
        wanted = wanted.where(Notice.id < before)
    found = list(session.scalars(wanted.order_by(Notice.id.desc()).limit(PAGE_SIZE + 1)))
    partial = "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
    return render_template(
        "collaboration/_notices.html" if partial else "collaboration/notices.html",
        lines=[Line(notice, ICONS.get(notice.kind, "bell")) for notice in found[:PAGE_SIZE]],
        more=len(found) > PAGE_SIZE,
        first_page=before is None,
        unread=unread,
        count=operations.unread_count(session, actor),
    )


@pages.get("/notices/<int:notice_id>")
@signed_in
def show(notice_id: int) -> BaseResponse:
    """Where the notice leads; whoever goes there has read it."""
    actor = current_actor()
    Sessions().rollback()  # a page reads only; this one line is written in a transaction of its own
    notice = runtime.perform(lambda session: operations.mark_read(session, actor, notice_id=notice_id))
    return redirect(_goal(notice))


def _goal(notice: Notice) -> str:
    if notice.link.startswith("/"):
        return notice.link
    page = address(notice.record_type, notice.record_id)
    return f"{page}{notice.link}" if page else url_for("notices.index")


@pages.post("/notices/<int:notice_id>/read")
@signed_in
def read(notice_id: int) -> BaseResponse:
    actor = current_actor()
    runtime.perform(lambda session: operations.mark_read(session, actor, notice_id=notice_id))
    return redirect(url_for("notices.index", **_kept()))


@pages.post("/notices/read-all")
@signed_in
def read_all() -> BaseResponse:
    actor, until = current_actor(), request.form.get("until", type=int)
    runtime.perform(lambda session: operations.mark_all_read(session, actor, until=until))
    return redirect(url_for("notices.index"))


def _kept() -> dict[str, Any]:
    return {"unread": 1} if request.form.get("unread") else {}


# ------------------------------------------------------------------------------------------------- choosing


@pages.get("/notices/settings")
@signed_in
def settings() -> str:
    return _settings(operations.preferences(Sessions(), current_actor()))


@pages.post("/notices/settings")
@signed_in
def choose() -> BaseResponse:
    actor = current_actor()
    ticked = {
        name: [channel for channel in rules.CHANNELS if f"{name}:{channel}" in request.form] + sorted(kind.fixed)
        for name, kind in rules.KINDS.items()
        if name in request.form.getlist("kind")
    }
    try:
        runtime.perform(lambda session: operations.set_preferences(session, actor, channels=ticked))
    except InvalidForm as refusal:
        Sessions().rollback()
        chosen = {name: frozenset(channels) for name, channels in ticked.items()}
        return make_response(_settings(chosen, refusal), refusal.status)
    flash(str(_("Saved.")), "success")
    return redirect(url_for("notices.settings"))


def _settings(chosen: dict[str, frozenset[str]], refusal: InvalidForm | None = None) -> str:
    return render_template(
        "collaboration/settings.html",
        kinds=rules.KINDS,
        chosen=chosen,
        channels=rules.CHANNEL_TITLES,
        problems=[str(problem.message) for problem in refusal.problems] if refusal else (),
    )
