"""Counts what a piece of work costs: in statements, which must not grow with the people or rows it concerns, or in
calls, which are the same on every machine, however busy it is, or in objects left to the collector.
"""

from __future__ import annotations

import gc
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

from sqlalchemy import event

from engine.db import Sessions


@contextmanager
def statements() -> Iterator[list[str]]:
    """with statements() as seen: … -> the statements that were sent, but for the frame of the transaction"""
    seen: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if not statement.startswith(("BEGIN", "COMMIT", "ROLLBACK")):
            seen.append(statement)

    engine = Sessions.get_bind()
    event.listen(engine, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", note)


def circles_of(work: Callable[[], Any]) -> int:
    """How many objects it leaves that hold one another: only the collector finds them, and answers wait for it."""
    gc.collect()
    gc.disable()
    try:
        work()
        return gc.collect()
    finally:
        gc.enable()


def calls_of(work: Callable[[], Any]) -> int:
    """How many functions of Python and of C it calls, in this thread."""
    count = 0

    def note(_frame: FrameType, event: str, _what: Any) -> None:
        nonlocal count
        count += event in ("call", "c_call")

    before = sys.getprofile()
    sys.setprofile(note)
    try:
        work()
    finally:
        sys.setprofile(before)
    return count
