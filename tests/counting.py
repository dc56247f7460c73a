"""Counts what a piece of work asks of the database: the number must not grow with the people or rows it concerns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
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
