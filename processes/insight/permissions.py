"""Whose customers are counted for a reader."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, true

from engine.actor import Actor
from processes.insight.models import CustomerStanding
from processes.organization.permissions import within_scope
from processes.ownership.models import Ownership
from processes.party.permissions import MODULE, READ

TEAM = "insight.team.read"
"""Reports on customers: of one's own and of people below, or of all whom one may read."""


def visible_ownerships(actor: Actor) -> ColumnElement[bool]:
    """Of owners within the reader's data scope, whatever became of the customer since."""
    return true() if actor.may(READ) else within_scope(actor, MODULE, Ownership.owner_id)


def visible_standings(actor: Actor) -> ColumnElement[bool]:
    """Of owners within the reader's data scope, and what was nobody's."""
    standing: Any = CustomerStanding
    return true() if actor.may(READ) else within_scope(actor, MODULE, standing.owner_id) | standing.owner_id.is_(None)
