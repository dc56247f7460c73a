"""A decision nobody has made in time, made by the system because the diagram says so (`approval.on_due`)."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine import repository
from engine.actor import SYSTEM
from engine.errors import Conflict, NotFound
from engine.i18n import _
from engine.runtime import StepResult
from engine.runtime.assign import is_approval
from engine.runtime.facts import read_item
from engine.work_items.deciding import decide
from engine.work_items.held import Held, lock, too_late


def decide_when_due(session: Session, item_id: int, action: str) -> StepResult:
    """Approve or reject in the place of whoever has kept silent; logged as the system's deed, with the reason.

    Raises what a person's decision would: what only a person can give (a signature, who comes next) refuses it.
    """
    found = read_item(session, item_id)
    if found is None:
        raise NotFound
    item, instance = found
    lock(session, instance)
    if item.state != "open" or item.kind != "sign" or instance.state != "running":
        raise too_late(session, item)
    loaded = repository.get(session, instance.definition_id)
    node = loaded.compiled.nodes[item.node]
    if not is_approval(node) or action not in ("approve", "reject"):
        raise Conflict(_("“{action}” is not possible here.", action=action))
    opinion = str(_("Decided by the system: the time allowed had passed."))
    return decide(session, SYSTEM, Held(item, instance, loaded, node), action, opinion=opinion)
