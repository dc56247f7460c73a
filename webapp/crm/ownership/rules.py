"""Rules of assignment and of unlocking: listed, written, tried out before they are in force."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import clock, runtime
from engine.db import Sessions
from engine.errors import AppError, InvalidForm, NotFound
from engine.i18n import _
from processes.kernel.working_time import business_date
from processes.organization.models import Department, Employee
from processes.ownership import permissions, rules as words
from processes.ownership.models import AssignmentRule, UnlockRule
from processes.ownership.operations import assigning, unlock_rules, unlocking as unlocks
from processes.party.rules import INDUSTRIES, LEVELS
from webapp.security.access import current_actor, requires

pages = Blueprint("customer_rules", __name__)

AHEAD = 30
_NEW = 0


@pages.get("/customers/rules/assignment")
@requires(permissions.READ_RULES)
def assignment() -> str:
    session = Sessions()
    found = session.scalars(
        select(AssignmentRule).order_by(AssignmentRule.state, AssignmentRule.rank, AssignmentRule.id)
    )
    rules = list(found)
    return render_template(
        "crm/ownership/assignment.html",
        rules=rules,
        names=_names(session, rules),
        states=words.STATES,
        conditions=assigning.CONDITIONS,
    )


@pages.get("/customers/rules/unlocking")
@requires(permissions.READ_RULES)
def unlocking() -> str:
    return render_template(
        "crm/ownership/unlocking.html",
        rules=unlock_rules.known(Sessions()),
        kinds=words.UNLOCK_KINDS,
        states=words.RULE_STATES,
    )


@pages.get("/customers/rules/<any(assignment,unlocking):which>/<int:rule_id>")
@requires(permissions.MANAGE_RULES)
def edit(which: str, rule_id: int) -> str:
    return _form(which, rule_id)


@pages.post("/customers/rules/<any(assignment,unlocking):which>/<int:rule_id>")
@requires(permissions.MANAGE_RULES)
def save(which: str, rule_id: int) -> BaseResponse:
    actor = current_actor()
    values = _assignment_values() if which == "assignment" else _unlock_values(rule_id)

    def work(session: Session) -> int:
        if which == "assignment":
            if rule_id == _NEW:
                return assigning.create_rule(session, actor, values=values).id
            return assigning.change_rule(
                session, actor, record_id=rule_id, version=request.form.get("version", type=int), values=values
            ).id
        if rule_id == _NEW:
            return unlock_rules.create_unlock_rule(session, actor, values=values).id
        return unlock_rules.change_unlock_rule(
            session, actor, record_id=rule_id, version=request.form.get("version", type=int), values=values
        ).id

    try:
        kept = runtime.perform(work)
    except NotFound:
        raise
    except AppError as refusal:
        Sessions().rollback()
        return make_response(_form(which, rule_id, refusal), refusal.status)
    flash(str(_("Saved.")), "success")
    return redirect(url_for("customer_rules.edit", which=which, rule_id=kept))


@pages.post("/customers/rules/<any(assignment,unlocking):which>/<int:rule_id>/<any(activate,archive):step>")
@requires(permissions.MANAGE_RULES)
def move(which: str, rule_id: int, step: str) -> BaseResponse:
    actor = current_actor()

    def work(session: Session) -> None:
        if which == "assignment" and step == "archive":
            assigning.archive_rule(session, actor, record_id=rule_id)
        elif which == "assignment":
            assigning.activate_rule(session, actor, record_id=rule_id)
        elif step == "archive":
            unlock_rules.archive_unlock_rule(session, actor, record_id=rule_id)
        else:
            unlock_rules.activate(session, actor, record_id=rule_id)

    try:
        runtime.perform(work)
        flash(str(_("In force from today on.") if step == "activate" else _("Archived.")), "success")
    except NotFound:
        raise
    except AppError as refusal:
        Sessions().rollback()
        flash(str(refusal), "danger")
    return redirect(url_for("customer_rules.edit", which=which, rule_id=rule_id))


def _form(which: str, rule_id: int, refusal: AppError | None = None) -> str:
    session, actor = Sessions(), current_actor()
    model: Any = AssignmentRule if which == "assignment" else UnlockRule
    rule = session.get(model, rule_id) if rule_id != _NEW else None
    if rule is None and rule_id != _NEW:
        raise NotFound
    problems = refusal.by_field() if isinstance(refusal, InvalidForm) else {}
    tried: dict[str, Any] = {}
    if rule is not None and which == "assignment":
        tried = {
            "trials": assigning.try_out(session, actor, record_id=rule_id),
            "given": assigning.given_lately(session, actor, record_id=rule_id),
        }
    elif rule is not None and rule.state != "archived":
        shown = unlocks.dry_run(session, actor, record_id=rule_id)
        people = [owner for _one, _on, owner in shown]
        names = {one.id: one.name for one in session.scalars(select(Employee).where(Employee.id.in_(people)))}
        tried = {
            "shown": [(one, on, names.get(owner, "")) for one, on, owner in shown],
            "swept": unlocks.without_start(session, actor, record_id=rule_id) if rule.state == "draft" else 0,
            "most": unlocks.MOST_SHOWN,
        }
    people_ids = request.form.getlist("people", type=int) or (
        list(rule.people) if rule is not None and which == "assignment" else []
    )
    return render_template(
        f"crm/ownership/{which}_form.html",
        rule=rule,
        rule_id=rule_id,
        form=request.form,
        problems=problems,
        refusal=refusal if not problems else None,
        people=[(one.id, one.name) for one in session.scalars(select(Employee).where(Employee.id.in_(people_ids)))],
        departments=session.scalars(
            select(Department).where(Department.state == "active").order_by(Department.path)
        ).all(),
        conditions=assigning.CONDITIONS if which == "assignment" else {"levels": LEVELS, "industries": INDUSTRIES},
        kinds=words.UNLOCK_KINDS,
        states=words.RULE_STATES,
        today=business_date(clock.now()),
        **tried,
    )


def _assignment_values() -> dict[str, Any]:
    form = request.form
    return {
        "name": form.get("name", ""),
        "rank": form.get("rank", "") or "0",
        "people": form.getlist("people", type=int),
        "skips_full": form.get("skips_full") == "1",
        **{name: form.getlist(name) for name in assigning.CONDITIONS},
    }


def _unlock_values(rule_id: int) -> dict[str, Any]:
    form = request.form
    values: dict[str, Any] = {
        "name": form.get("name", ""),
        "rank": form.get("rank", "") or "0",
        "days": form.get("days", ""),
        "starts_on": form.get("starts_on", ""),
        "department": form.get("department", ""),
        "levels": form.getlist("levels"),
        "industries": form.getlist("industries"),
    }
    return values | ({"kind": form.get("kind", "")} if rule_id == _NEW else {})


def _names(session: Session, rules: list[AssignmentRule]) -> dict[int, str]:
    ids = {person for rule in rules for person in rule.people}
    return {one.id: one.name for one in session.scalars(select(Employee).where(Employee.id.in_(ids)))}
