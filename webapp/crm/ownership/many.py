"""What can be done with the customers ticked in the list: watch them, put them into one's focus, hand them over."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, flash, redirect, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.db import Sessions
from engine.errors import AppError, NotFound, RuleViolation
from engine.i18n import Sentence, _
from processes.ownership import permissions
from processes.ownership.operations import watching
from processes.party.permissions import CUSTOMER
from webapp.crm import parts
from webapp.registers.interface import endpoint_of
from webapp.security.access import current_actor, requires

pages = Blueprint("customer_many", __name__)

MOST = 100
"""a page's worth"""
MARKS: dict[str, tuple[Callable[..., object], Sentence]] = {
    "watch": (watching.watch, _("{count} customers are watched.")),
    "focus": (watching.focus, _("{count} customers are in your focus.")),
}


@pages.post("/customers/many/<any(watch,focus):mark>")
@requires(permissions.APPLY)
def mark(mark: str) -> BaseResponse:
    """Each by itself: where one is refused the others are done, and the page says which and why."""
    actor, (operation, words) = current_actor(), MARKS[mark]
    refused: list[str] = []

    def work(session: Session) -> int:
        refused.clear()
        done = 0
        for customer_id in _ticked():
            try:
                with session.begin_nested():
                    operation(session, actor, customer_id=customer_id)
                done += 1
            except (NotFound, RuleViolation) as refusal:
                refused.append(str(refusal))
        return done

    try:
        done = runtime.perform(work)
    except AppError as refusal:
        Sessions().rollback()
        flash(str(refusal), "danger")
        return _back()
    if done:
        flash(str(_(words.template, count=done)), "success")
    for text in dict.fromkeys(refused[:5]):
        flash(text, "warning")
    return _back()


@pages.post("/customers/many/hand-over")
@requires(permissions.ASSIGN)
def hand_over() -> BaseResponse:
    """Onward to the page that asks to whom."""
    ids = ",".join(str(one) for one in _ticked())
    return redirect(url_for("customer_handing.index", ids=ids))


def _ticked() -> list[int]:
    return list(dict.fromkeys(request.form.getlist("rowid", type=int)))[:MOST]


def _back() -> BaseResponse:
    """To the list as it was."""
    query = request.form.get("asked", "")
    address = url_for(f"{endpoint_of(CUSTOMER)}.list")
    return redirect(address + (query if query.startswith("?") else "?view="))


ACTIONS = (
    parts.BulkAction(lambda: url_for("customer_many.mark", mark="watch"), "eye", _("Watch"), permissions.APPLY),
    parts.BulkAction(
        lambda: url_for("customer_many.mark", mark="focus"), "star", _("Into my focus"), permissions.APPLY
    ),
    parts.BulkAction(lambda: url_for("customer_many.hand_over"), "user-share", _("Hand over"), permissions.ASSIGN),
)


def join() -> None:
    parts.BULK.extend(one for one in ACTIONS if one not in parts.BULK)
