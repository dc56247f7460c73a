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


def subscribe(event: str) -> Callable[[Subscriber], Subscriber]:
    """Declare `(session, **facts) -> None` as a reaction to an event named `package.noun_happened`."""

    def declare(function: Subscriber) -> Subscriber:
        if function not in _SUBSCRIBERS[event]:
            _SUBSCRIBERS[event].append(function)
        return function

    return declare


def publish(session: Session, event: str, **facts: Any) -> None:
    """Call every subscriber now, in order of declaration; an error of one refuses the whole change."""
    for subscriber in _SUBSCRIBERS[event]:
        subscriber(session, **facts)
