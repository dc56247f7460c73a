"""The clock of the demo company: its story has happened over the last days."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime

from engine import clock


@contextmanager
def at(moment: datetime) -> Iterator[None]:
    """What happens inside happened then."""
    with clock.turned_to(lambda: moment):
        yield
