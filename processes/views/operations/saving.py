"""Keeping a view of a list, renaming, sharing and replacing it, and giving it up."""

from __future__ import annotations

from typing import Any

from sqlalchemy import delete, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import journal
from engine.actor import Actor
from engine.errors import Forbidden, InvalidForm, Problem, RuleViolation
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.organization.models import Employee
from processes.views import permissions, rules
from processes.views.models import ListChoice, SavedView


def save_view(
    session: Session, actor: Actor, *, register: str, name: Any, question: rules.Question, audience: Any = "private"
) -> SavedView:
    """Keep a question to a list under a name.

    Raises InvalidForm when the name is taken, RuleViolation when the person keeps as many as anybody may.
    """
    kept_of = permissions.list_of(actor, register).name
    rules.check_size(question)
    lock_person(session, actor)
    view = SavedView(register=kept_of, person_id=actor.person_id, question=question.kept())
    named = {"name": _name(name), **_shared(session, actor, view, audience)}
    for field, value in named.items():
        setattr(view, field, value)
    view.name_key = rules.name_key(view.name)
    _check_name(session, view)
    _check_count(session, actor, kept_of)
    try:
        with session.begin_nested():
            records.create(session, actor, permissions.VIEW, view, {"register": kept_of, **named})
    except IntegrityError as error:  # somebody else was faster with a shared one
        raise _taken(view.name) from error
    return view


def change_view(
    session: Session,
    actor: Actor,
    *,
    view_id: int,
    version: int | None = None,
    name: Any = None,
    audience: Any = None,
    question: rules.Question | None = None,
) -> SavedView:
    """Rename it, share it with others or no longer, let it ask something else; None leaves as it is."""
    permissions.demand_change(session, actor, permissions.readable(session, actor, view_id))
    view = lock_for_change(session, SavedView, view_id, version)
    permissions.demand_change(session, actor, view)
    clean: dict[str, Any] = {}
    if name is not None:
        clean["name"] = _name(name)
        clean["name_key"] = rules.name_key(clean["name"])
    if audience is not None and audience != view.audience:
        clean |= _shared(session, actor, view, audience)
    if question is not None:
        rules.check_size(question)
        clean["question"] = question.kept()
    would_be = {field: clean.get(field, getattr(view, field)) for field in ("name", "audience", "department_id")}
    _check_name(session, view, **would_be)
    try:
        with session.begin_nested():
            records.change(session, actor, permissions.VIEW, view, clean)
    except IntegrityError as error:
        raise _taken(would_be["name"]) from error
    return view


def remove_view(session: Session, actor: Actor, *, view_id: int, version: int | None = None) -> None:
    """It is gone for everybody it was shared with; the records it showed are where they were."""
    permissions.demand_change(session, actor, permissions.readable(session, actor, view_id))
    view = lock_for_change(session, SavedView, view_id, version)
    permissions.demand_change(session, actor, view)
    before = {"register": view.register, "name": view.name, "audience": view.audience}
    session.execute(
        delete(ListChoice).where(ListChoice.register == view.register, ListChoice.chosen == str(view.id))
    )  # fmt: skip
    session.delete(view)
    session.flush()
    journal.audit(session, actor, permissions.VIEW, view_id, "removed", before, None)


def lock_person(session: Session, actor: Actor) -> None:
    """What one person keeps and chooses happens one after the other: two tabs, a double click."""
    mine = select(Employee.id).where(Employee.id == actor.person_id)
    if session.execute(mine.with_for_update(key_share=True)).first() is None:
        raise Forbidden(_("Only employees keep views of lists."))


def _name(text: Any) -> str:
    try:
        return rules.checked_name(text)
    except RuleViolation as refusal:
        raise InvalidForm([Problem("name", refusal.message, refusal.remedy)]) from refusal


def _shared(session: Session, actor: Actor, view: SavedView, audience: Any) -> dict[str, Any]:
    """With whom, and with which department: its keeper's as it is now. There it stays when he moves, for whom it was
    made; to take it along he shares it anew.
    """
    if audience not in rules.AUDIENCES:
        raise InvalidForm([Problem("audience", _("Please choose one of the offered values."))])
    permissions.demand_audience(actor, audience)
    if audience != "department":
        return {"audience": audience, "department_id": None}
    department = session.scalar(select(Employee.department_id).where(Employee.id == view.person_id))
    if department is None:
        raise InvalidForm([Problem("audience", _("Whoever keeps this view is in no department."))])
    return {"audience": audience, "department_id": department}


def _check_name(session: Session, view: SavedView, **would_be: Any) -> None:
    """Ask before the database does, so that the refusal stands beside the field."""
    name = would_be.get("name", view.name)
    audience, department = (would_be.get(field, getattr(view, field)) for field in ("audience", "department_id"))
    same = [SavedView.register == view.register, SavedView.name_key == rules.name_key(name)]
    if view.id is not None:
        same.append(SavedView.id != view.id)
    taken = select(SavedView.id).where(*same)
    mine = session.scalar(taken.where(SavedView.person_id == view.person_id))
    shared = None
    if audience != "private":
        shared = session.scalar(
            taken.where(SavedView.audience == audience, SavedView.department_id.is_not_distinct_from(department))
        )
    if mine is not None or shared is not None:
        raise _taken(name)


def _check_count(session: Session, actor: Actor, register: str) -> None:
    mine = select(func.count(SavedView.id)).where(
        SavedView.person_id == actor.person_id, SavedView.register == register
    )  # fmt: skip
    if (session.scalar(mine) or 0) >= rules.MOST_ON_A_LIST:
        raise RuleViolation(
            _("You keep {count} views of this list; that is as many as there may be.", count=rules.MOST_ON_A_LIST),
            code="too_many_views",
            remedy=_("Remove one that you no longer need."),
        )


def _taken(name: str) -> InvalidForm:
    return InvalidForm(
        [
            Problem(
                "name",
                _("There is a view “{name}” of this list already.", name=name),
                _("Choose another name, or save your changes in that view."),
                rule="taken",
            )
        ]
    )
