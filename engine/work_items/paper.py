"""补录: a decision made on paper is entered afterwards, with both times, by who may do that."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from engine import clock, repository
from engine.actor import Actor
from engine.errors import Forbidden, NotFound, RuleViolation
from engine.i18n import _
from engine.models import Instance
from engine.runtime import StepResult
from engine.runtime.assign import is_approval
from engine.runtime.facts import read_item
from engine.states import stands_still
from engine.work_items import rights
from engine.work_items.deciding import decide
from engine.work_items.held import Held, lock, must_say, too_late


def back_date(
    session: Session,
    actor: Actor,
    item_id: int,
    action: str,
    *,
    at: datetime,
    reason: str,
    opinion: str = "",
    version: int | None = None,
) -> StepResult:
    """Enter what the holder decided on paper; `at`: when, not before the request and not in the future."""
    if not (actor.may(rights.BACK_DATE) or actor.may(rights.ADMINISTER)):
        raise Forbidden(_("Only who may enter decisions made on paper can do this."))
    said = must_say("reason", reason)
    found = read_item(session, item_id)
    if found is None:
        raise NotFound
    item, instance = found
    if not rights.may_read_instance(session, actor, instance.id):
        raise NotFound
    if version not in (None, item.version) or item.state != "open":
        raise too_late(session, item)
    lock(session, instance)
    loaded = repository.get(session, instance.definition_id)
    node = loaded.compiled.nodes[item.node]
    if item.kind != "sign" or action not in rights.offered(node) or action == "return":
        raise Forbidden(_("“{action}” is not possible here.", action=action))
    if instance.state != "running":
        raise Forbidden(stands_still(instance.state))
    held = Held(item, instance, loaded, node)
    if actor.person_id == instance.starter_id and is_approval(node) and not held.policy.own_allowed:
        raise Forbidden(_("Nobody approves his own request."))
    if item.assignee_id is None:
        raise RuleViolation(
            _("Nobody holds this item yet, so nobody can have decided it."),
            code="no_holder",
            remedy=_("Assign it to the person who signed the paper first."),
        )
    started = session.get_one(Instance, instance.id).started_at
    if not started <= at <= clock.now():
        raise RuleViolation(
            _("The paper cannot be older than the request, nor from the future."),
            code="impossible_time",
            remedy=_("Enter the moment the paper was signed."),
        )
    words = f"{opinion.strip()}\n[{said}]" if opinion.strip() else said
    return decide(session, actor, held, action, opinion=words, business_at=at, for_person=item.assignee_id)
