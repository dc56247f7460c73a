"""Two Word files side by side: what differs, by whom and when, each change to be accepted or rejected."""

from __future__ import annotations

from typing import Literal

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import attachments, db, work_items
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, NotFound
from engine.i18n import _, listed
from engine.models import Attachment
from processes.document import operations, rules
from processes.document.permissions import MAKE_DOCUMENTS
from webapp.security.access import current_actor, requires

pages = Blueprint("comparing", __name__, url_prefix="/documents")

KINDS = {
    "insertion": (_("Added"), "green"),
    "deletion": (_("Deleted"), "red"),
    "move_from": (_("Moved from here"), "amber"),
    "move_to": (_("Moved to here"), "amber"),
    "format": (_("Looks changed"), "blue"),
}


@pages.route("/compare", methods=["GET", "POST"])
@requires(MAKE_DOCUMENTS)
def compare() -> str | BaseResponse:
    if request.method == "GET":
        return render_template("documents/compare.html", problems={})
    actor = current_actor()
    problems = {name: str(_("Please choose a file.")) for name in ("old", "new") if not _given(name)}
    if problems:
        return make_response(render_template("documents/compare.html", problems=problems), 422)
    try:
        with db.transaction() as session:
            compared = operations.compare_files(
                session, actor, *(_store(session, actor, one) for one in ("old", "new"))
            )
            found = compared.id
    except AppError as refusal:
        said = [str(one.message) for one in refusal.problems] or [str(refusal)]
        return make_response(render_template("documents/compare.html", problems={"": said}), refusal.status)
    return redirect(url_for("comparing.revisions", attachment_id=found))


def _given(name: str) -> bool:
    file = request.files.get(name)
    return file is not None and bool(file.filename)


def _store(session: Session, actor: Actor, name: str) -> Attachment:
    file = request.files[name]
    return attachments.store(session, actor, file.filename or "", file.read())


@pages.get("/revisions/<int:attachment_id>")
@requires(MAKE_DOCUMENTS)
def revisions(attachment_id: int) -> str:
    """The tracked changes of a file one may read."""
    file = work_items.readable_file(Sessions(), current_actor(), attachment_id)
    return render_template(
        "documents/revisions.html",
        file=file,
        revisions=[(one, rules.place_words(one.place), *KINDS[one.kind]) for one in operations.revisions_of(file)],
    )


@pages.post("/revisions/<int:attachment_id>/<any(accept, reject):verdict>")
@requires(MAKE_DOCUMENTS)
def settle(attachment_id: int, verdict: Literal["accept", "reject"]) -> BaseResponse:
    """A further file, with the ticked changes (all when none is ticked) made for good or undone."""
    actor, ids = current_actor(), request.form.getlist("id")
    try:
        with db.transaction() as session:
            file = work_items.readable_file(session, actor, attachment_id)
            made = operations.settle_revisions(session, actor, file, verdict=verdict, ids=ids or None)
            found = made.id
    except NotFound:
        raise
    except AppError as refusal:
        flash(listed((one.message for one in refusal.problems), "；") or str(refusal), "danger")
        return redirect(url_for("comparing.revisions", attachment_id=attachment_id))
    done = (
        _("The changes are accepted in a new file.")
        if verdict == "accept"
        else _("The changes are undone in a new file.")
    )
    flash(str(done), "success")
    return redirect(url_for("comparing.revisions", attachment_id=found))
