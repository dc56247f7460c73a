"""What is done to a whole instance from its page: withdraw, and what process administrators steer with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.wrappers import Response as BaseResponse

from engine import work_items
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, InvalidForm, NotFound, Problem
from engine.i18n import _
from engine.models import WorkItem
from webapp.once import once
from webapp.security.access import current_actor, signed_in
from webapp.workflow import deeds, instances, item, posted
from webapp.workflow.questions import QUESTIONS, steps_of

pages = Blueprint("steering", __name__)

Posted = MultiDict[str, str]


@pages.post("/instances/<int:instance_id>/<action>")
@signed_in
def steer(instance_id: int, action: str) -> BaseResponse:
    actor = current_actor()
    question = QUESTIONS.get(action)
    if question is None:
        raise NotFound
    form = request.form

    def do(session: Session) -> dict[str, Any]:
        _OPERATIONS[action](session, actor, instance_id, form)
        return {}

    try:
        once(actor, form.get("submission", ""), do)
    except NotFound:
        raise
    except AppError as refusal:
        Sessions().rollback()
        return make_response(instances.page(actor, instance_id, refusal), refusal.status)
    flash(str(question.done), "success")
    return redirect(url_for("instances.show", instance_id=instance_id))


@pages.get("/instances/<int:instance_id>/jump")
@signed_in
def foresee_jump(instance_id: int) -> str:
    """What a jump would do: which items end, which steps open and with whom."""
    session, actor = Sessions(), current_actor()
    token, step = request.args.get("token", type=int), request.args.get("step", "")
    seen, refusal = None, None
    if token is not None and step:
        try:
            seen = work_items.preview_jump(session, actor, instance_id, token, step)
        except NotFound:
            raise
        except AppError as why:
            refusal = why
        finally:
            session.rollback()  # a look takes no lock home
    return render_template("workflow/instance/_jump.html", seen=seen, why=refusal)


def _reason(form: Posted) -> str:
    return form.get("reason", "").strip()


def _jump(session: Session, actor: Actor, instance_id: int, form: Posted) -> None:
    token = form.get("token", type=int)
    if token is None:
        raise InvalidForm([Problem("token", _("Choose which step is left.")), Problem("reason", _("Nothing is done."))])
    people = deeds.chosen(form.getlist("to"))
    work_items.jump(session, actor, instance_id, token, form.get("step", ""), reason=_reason(form), people=people)


def _change_people(session: Session, actor: Actor, instance_id: int, form: Posted) -> None:
    seen = item.subject(session, actor, instance_id)
    named = {
        node.id: deeds.chosen(form.getlist(f"people.{node.id}"))
        for node in steps_of(seen.loaded)
        if f"people.{node.id}" in form or node.id in seen.instance.people
    }
    work_items.change_people(session, actor, instance_id, named)


def _back_date(session: Session, actor: Actor, instance_id: int, form: Posted) -> None:
    found = session.get(WorkItem, form.get("item", 0, type=int))
    if found is None or found.instance_id != instance_id:
        raise InvalidForm([Problem("reason", _("Choose whose decision it was."))])
    at = posted.moment(form.get("at", ""))
    if at is None:
        raise InvalidForm([Problem("reason", _("Enter the moment the paper was signed."))])
    work_items.back_date(
        session,
        actor,
        found.id,
        form.get("verdict", ""),
        at=at,
        reason=_reason(form),
        opinion=form.get("opinion", "").strip(),
    )


Operation = Callable[[Session, Actor, int, Posted], Any]

_OPERATIONS: Mapping[str, Operation] = {
    "withdraw": lambda s, a, i, form: work_items.withdraw(s, a, i, _reason(form)),
    "terminate": lambda s, a, i, form: work_items.terminate(s, a, i, _reason(form)),
    "suspend": lambda s, a, i, form: work_items.suspend(s, a, i, _reason(form)),
    "resume": lambda s, a, i, form: work_items.resume(s, a, i, _reason(form)),
    "void": lambda s, a, i, form: work_items.void(s, a, i, _reason(form)),
    "reopen": lambda s, a, i, form: work_items.reopen(s, a, i, form.get("step", ""), _reason(form)),
    "jump": _jump,
    "change_people": _change_people,
    "back_date": _back_date,
}
