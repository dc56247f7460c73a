"""Domain events: a package says inside its transaction what happened; higher packages react in the same transaction."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy.orm import Session

Subscriber = TypeVar("Subscriber", bound=Callable[..., None])

_SUBSCRIBERS: dict[str, list[Callable[..., None]]] = defaultdict(list)


ACTED = "process.acted"
"""Somebody did something in a process: instance_id, actor, entry (engine.journal.Entry), state (of the instance, None
where it did not change). Published after the rows are written, inside the transaction; for those who tell people."""

ITEMS_OPENED = "process.items_opened"
"""Work items lie in somebody's inbox from now on: instance_id, item_ids."""

INCIDENTS_OPENED = "process.incidents_opened"
"""Nodes failed: instance_id, incidents ([{"token", "node", "cause", "state"}])."""

SETTLED = "outbox.settled"
"""A message of the outbox has come to rest: message_id, channel, state (sent | failed | unknown), result."""


WIRE_CHANGED = "wires.changed"
"""A connector has been down for a while, or works again: change (engine.health.Change)."""


def subscribe(event: str, *, early: bool = False) -> Callable[[Subscriber], Subscriber]:
    """Declare `(session, **facts) -> None` as a reaction to an event named `package.noun_happened`.

    early: before all others, whatever was imported first; for who knows better what the general reaction does as well.
    """

    def declare(function: Subscriber) -> Subscriber:
        if function not in _SUBSCRIBERS[event]:
            _SUBSCRIBERS[event].insert(0 if early else len(_SUBSCRIBERS[event]), function)
        return function

    return declare


def publish(session: Session, event: str, **facts: Any) -> None:
    """Call every subscriber now, in order of declaration; an error of one refuses the whole change."""
    for subscriber in _SUBSCRIBERS[event]:
        subscriber(session, **facts)
