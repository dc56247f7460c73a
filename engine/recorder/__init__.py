"""Turns what one step did into rows, in as few statements as the database allows; the revision decides who won."""

from __future__ import annotations

from sqlalchemy.orm import Session

from engine.recorder import postgresql, sqlite
from engine.recorder.rows import ClosedItem, NewItem, StepRows

__all__ = ["ClosedItem", "NewItem", "StepRows", "write"]


def write(session: Session, rows: StepRows) -> dict[int, int] | None:
    """Write the step; None when another step was faster (nothing is written then).

    Returns {position in rows.opened: id of the new work item}.
    """
    connection = session.connection()
    if connection.dialect.name == "postgresql":
        return postgresql.write(connection, rows)
    return sqlite.write(connection, rows)
