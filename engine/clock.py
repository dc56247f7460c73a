"""The only clock: aware instants in UTC, replaceable in tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime


def _system() -> datetime:
    return datetime.now(UTC)


_source: Callable[[], datetime] = _system


def now() -> datetime:
    """The present instant, aware, UTC."""
    return _source()


@contextmanager
def turned_to(source: Callable[[], datetime]) -> Iterator[None]:
    """Run with another clock; for tests and for simulations of timers."""
    global _source
    before, _source = _source, source
    try:
        yield
    finally:
        _source = before
