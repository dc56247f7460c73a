"""Who may see whose leave."""

from __future__ import annotations

from sqlalchemy import ColumnElement, or_, select, true

from engine.actor import Actor
from engine.models import Instance
from engine.work_items.rights import readable_by
from processes.office.models import LeaveRequest
from processes.organization.permissions import led_by

READ_LEAVE = "office.leave.read"


def visible_to(actor: Actor) -> ColumnElement[bool]:
    """One's own, that of departments one leads, what one has decided on; with the right, all."""
    if actor.may(READ_LEAVE):
        return true()
    return or_(
        LeaveRequest.starter_id == actor.person_id,
        led_by(actor, LeaveRequest.department_id),
        LeaveRequest.instance_id.in_(select(Instance.id).where(readable_by(actor))),
    )
