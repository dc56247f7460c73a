"""How a due date stands, what an overdue item calls for, who may urge, and who decides in place of somebody silent."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from engine.errors import RuleViolation
from engine.i18n import _
from engine.workflow.contract import Node
from processes.kernel.working_time import WorkingCalendar, after, working_time_between
from processes.organization.models import Employee

# ------------------------------------------------------------------------------------------------- due dates

State = Literal["green", "amber", "red"]
STATES: tuple[State, ...] = ("green", "amber", "red")
"""From best to worst."""

CLOSE = timedelta(hours=8)
"""So little working time left is amber, however much was allowed: it is meant for today's work."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with something that is due."""

    state: State
    left: timedelta
    """working time until it is due; how much has passed since, when it is red"""


def standing(since: datetime, due_at: datetime, now: datetime, calendar: WorkingCalendar) -> Standing:
    """Green while less than half of the working time allowed has passed and a working day is left, then amber, red
    once it is due. The one rule for every colour in the house.
    """
    if now >= due_at:
        return Standing("red", working_time_between(due_at, now, calendar))
    left = working_time_between(now, due_at, calendar)
    allowed = working_time_between(min(since, now), due_at, calendar)
    return Standing("amber" if left < CLOSE or left * 2 <= allowed else "green", left)


# ------------------------------------------------------------------------------------------------- reminders

THRESHOLDS = (50, 100, 150)
"""Per cent of the working time allowed at which something happens by itself."""

LYING = ("open", "delegated")
"""States of an item that lies with somebody who is to do something about it."""

ON_DUE = ("remind", "escalate", "approve", "reject", "leader")
"""What a node's `approval.on_due`, or the house for all nodes, may ask for; "" = nothing."""


def threshold_at(since: datetime, due_at: datetime, threshold: int, calendar: WorkingCalendar) -> datetime:
    """When so much of the working time allowed will have passed.

    Without any working time in between (due tonight, asked this evening) half of it has passed at once, and the last
    reminder comes with the next working time.
    """
    if threshold == 100:
        return due_at
    allowed = working_time_between(since, due_at, calendar)
    if threshold < 100:
        return after(since, allowed * threshold / 100, calendar)
    return after(due_at, max(allowed * (threshold - 100) / 100, timedelta(minutes=1)), calendar)


def is_drawn(node: str, nodes: Mapping[str, Node]) -> bool:
    """Whether the diagram says itself what happens when this task takes too long: a timer stands on its border."""
    return any(one.attached_to == node and one.event.startswith("timer") for one in nodes.values())


def escalation_target(line: Sequence[Employee], holders: Collection[Employee], starter_id: int) -> Employee | None:
    """The nearest one above who is still with us, does not hold the item already and did not start the request."""
    held_by = {person.id for person in holders}
    return next(
        (person for person in line if person.is_active and person.id not in held_by and person.id != starter_id), None
    )


# ------------------------------------------------------------------------------------------------- urging

URGE_PAUSE = timedelta(minutes=120)
"""Nobody is urged about the same item more often than this."""
LONGEST_URGE = 200


def next_urge_at(urged_at: datetime | None) -> datetime | None:
    return urged_at + URGE_PAUSE if urged_at is not None else None


def check_urge_text(text: str) -> None:
    if len(text) > LONGEST_URGE:
        raise RuleViolation(_("At most {count} characters fit here.", count=LONGEST_URGE), code="too_long")


def urge_channel(urges: int) -> Literal["notice", "sms"]:
    """The first time a word in the house, from then on an SMS."""
    return "notice" if urges == 0 else "sms"
