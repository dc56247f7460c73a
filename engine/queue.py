"""The Celery app and how jobs are declared. Messages are hints: what is due stands in the database."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from celery import Celery

celery = Celery("yunliu")
"""Configured by webapp.worker (broker, schedule); tasks carry ids and JSON only."""

Job = TypeVar("Job", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class Periodic:
    name: str
    seconds: float
    function: Callable[[], Any]


PERIODIC: dict[str, Periodic] = {}


def periodic(name: str, *, seconds: float) -> Callable[[Job], Job]:
    """Declare `() -> None`, run every so many seconds by whoever beats; it must bear being run twice and late."""

    def declare(function: Job) -> Job:
        PERIODIC[name] = Periodic(name, seconds, function)
        return function

    return declare


_hint: Callable[[str], None] | None = None


def install_hint(send: Callable[[str], None]) -> None:
    """Bootstrap gives the way to wake a worker; without one the beat finds the work."""
    global _hint
    _hint = send


def wake(name: str) -> None:
    """Ask for a periodic job to run now; losing the hint costs at most one period."""
    if _hint is not None:
        _hint(name)
