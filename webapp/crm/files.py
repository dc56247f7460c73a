"""The customer's tab of files: what hangs on it, and what was sent along with records, comments and tasks about it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Blueprint, render_template, request, url_for
from sqlalchemy.orm import Session

from engine import attachments, runtime
from engine.db import Sessions
from engine.errors import AppError, NotFound
from engine.i18n import Sentence, _
from engine.models import Attachment
from processes.activity import operations as activity
from processes.activity.permissions import RECORD
from processes.comments.permissions import COMMENT
from processes.party import operations, permissions
from processes.party.permissions import CONTACT, CUSTOMER
from processes.tasks.permissions import TASK
from webapp.crm import parts
from webapp.security.access import current_actor, requires
from webapp.security.viewing import viewer
from webapp.skin.keys import read_key

pages = Blueprint("party_files", __name__)

SOURCES: dict[str, Sentence] = {
    CUSTOMER: _("Customer"),
    CONTACT: _("Contact"),
    RECORD: _("Contact record"),
    COMMENT: _("Comment"),
    TASK: _("Task"),
}


@dataclass(frozen=True)
class Shown:
    file: Attachment
    source: Sentence
    url: str
    """of what it hangs on; "" where that has no page of its own"""
    is_own: bool
    """hangs on the customer itself"""


@pages.get("/customers/<int:customer_id>/files")
@requires(permissions.USE)
def tab(customer_id: int) -> str:
    return _tab(customer_id)


def _tab(customer_id: int, refusal: AppError | None = None) -> str:
    session, actor = Sessions(), current_actor()
    customer = permissions.readable(session, actor, customer_id)
    before = request.args.get("before", type=read_key)
    found, has_more = activity.files(session, actor, customer, before=before)
    may_work = viewer() is None and actor.may(permissions.MANAGE) and customer.state != "closed"
    sent = [int(one) for one in request.form.getlist("file") if one.isdecimal() and len(one) < 19]
    return render_template(
        "crm/files.html",
        customer=customer,
        files=[_shown(one) for one in found],
        older=found[-1].id if has_more else None,
        is_first=before is None,
        may_work=may_work and permissions.may_work(session, actor, customer_id),
        loose=attachments.loose(session, actor, sent) if refusal is not None else (),
        refusal=refusal,
    )


def _shown(file: Attachment) -> Shown:
    kind, number = str(file.record_type), file.record_id
    url = {
        CONTACT: lambda: url_for("party_contact.show", pk=number),
        RECORD: lambda: url_for("follow.show", record_id=number),
        TASK: lambda: url_for("tasks.show", task_id=number),
    }.get(kind)
    return Shown(file, SOURCES.get(kind, SOURCES[CUSTOMER]), url() if url is not None else "", kind == CUSTOMER)


@pages.post("/customers/<int:customer_id>/files")
@requires(permissions.MANAGE)
def add(customer_id: int) -> str | tuple[str, int]:
    ids = [int(one) for one in request.form.getlist("file") if one.isdecimal() and len(one) < 19]
    return _change(
        customer_id,
        lambda session: operations.add_files(session, current_actor(), customer_id=customer_id, ids=ids),
    )


@pages.post("/customers/<int:customer_id>/files/<int:file_id>/remove")
@requires(permissions.MANAGE)
def remove(customer_id: int, file_id: int) -> str | tuple[str, int]:
    return _change(
        customer_id,
        lambda session: operations.remove_file(session, current_actor(), customer_id=customer_id, file_id=file_id),
    )


def _change(customer_id: int, operation: Callable[[Session], object]) -> str | tuple[str, int]:
    try:
        runtime.perform(operation)
    except NotFound:
        raise
    except AppError as refusal:
        Sessions().rollback()
        return _tab(customer_id, refusal), refusal.status
    return _tab(customer_id)


parts.TABS.append(parts.Tab("files", _("Files"), lambda one: url_for("party_files.tab", customer_id=one.id), order=50))
parts.MODULES.append("app/pages/files.js")
