"""What the house has laid down for following up: which contacts count, and after how many days nobody was spoken to."""

from __future__ import annotations

from dataclasses import dataclass, field

from processes.activity.permissions import POOL
from processes.activity.rules import Qualifying


@dataclass
class HouseRules:
    """Given by bootstrap from the settings."""

    qualifying: Qualifying = field(default_factory=Qualifying)
    idle_days: int = 30
    """without a contact and without a plan for longer: the queue of those not spoken to recently"""


HOUSE = HouseRules()


def follow_by(*, shortest: int, ways: str, idle_days: int, pool_is_for_all: bool) -> None:
    """Called once by bootstrap."""
    POOL.is_for_all = pool_is_for_all
    HOUSE.qualifying = Qualifying.parse(shortest, ways)
    HOUSE.idle_days = idle_days
