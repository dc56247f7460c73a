"""What packages above tell ownership: what moves along, what holds a customer back, which deals protect it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.i18n import Sentence, _
from engine.models import Instance
from processes.party.permissions import CUSTOMER

# ------------------------------------------------------------------------------------------------- movers


class Count(Protocol):
    def __call__(self, session: Session, customer_ids: Collection[int], /) -> int:
        """How many of them there are, for the preview."""
        ...


class Move(Protocol):
    def __call__(self, session: Session, actor: Actor, customer_ids: Collection[int], to_id: int, /) -> list[Any]:
        """Give them to that person; what `undo` needs to know to bring them back, as JSON."""
        ...


def _leave(_session: Session, _actor: Actor, _customer_ids: Collection[int], _to_id: int) -> list[Any]:
    return []


class Undo(Protocol):
    def __call__(self, session: Session, actor: Actor, moved: list[Any], customer_ids: Collection[int], /) -> None:
        """customer_ids: those that go back; what hangs on others, which have moved on since, is left alone."""
        ...


@dataclass(frozen=True)
class Mover:
    """Something that hangs on a customer and goes along when it is handed over: appointments, opportunities …"""

    name: str
    title: Sentence
    count: Count
    move: Move
    undo: Undo
    leave: Move = _leave
    """called instead of `move` where they do not go along: what becomes of them then may have to be undone as well"""
    is_chosen: bool = True
    """ticked until somebody unticks it"""


MOVERS: dict[str, Mover] = {}


def register_mover(mover: Mover) -> None:
    """Declared once by a package above."""
    MOVERS[mover.name] = mover


# ------------------------------------------------------------------------------------------------- holdbacks

Holdback = Callable[[Session, Collection[int]], Mapping[int, Sentence]]
"""{customer: why it may not be let go now} of those among these that are held."""


def _approvals(session: Session, customer_ids: Collection[int]) -> Mapping[int, Sentence]:
    """Processes under way about the customer itself; index ix_process_instance_business_key."""
    keys = {f"{CUSTOMER}:{one}": one for one in customer_ids}
    running = select(Instance.business_key, Instance.title).where(
        Instance.business_key.in_(keys), Instance.state.in_(("running", "suspended"))
    )
    return {
        keys[row.business_key]: _("“{process}” about it is under way.", process=row.title)
        for row in session.execute(running)
        if row.business_key is not None
    }


HOLDBACKS: dict[str, Holdback] = {"ownership": _approvals}


def register_holdback(package: str, holdback: Holdback) -> None:
    """Declared once by a package above that has approvals of its own on customers."""
    HOLDBACKS[package] = holdback


def held_back(session: Session, customer_ids: Collection[int]) -> dict[int, Sentence]:
    """Why each of these may not be let go now; those that may are missing."""
    found: dict[int, Sentence] = {}
    for holdback in HOLDBACKS.values():
        found |= holdback(session, customer_ids)
    return found


# ------------------------------------------------------------------------------------------------- deals

Deals = Callable[[Session, Collection[int]], Mapping[int, date]]
"""{customer: the last day on which a deal protects it}: an active opportunity date.max, a suspended one its wake date,
one won the day its protection ends, others the day they ended. Who never had any is missing."""

DEALS: dict[str, Deals] = {}


def report_deals(package: str, deals: Deals) -> None:
    """Declared once by a package above: without any nobody can be protected by deals."""
    DEALS[package] = deals


def deals_of(session: Session, customer_ids: Collection[int]) -> dict[int, date]:
    found: dict[int, date] = {}
    for deals in DEALS.values():
        for customer_id, day in deals(session, customer_ids).items():
            found[customer_id] = max(day, found.get(customer_id, day))
    return found
