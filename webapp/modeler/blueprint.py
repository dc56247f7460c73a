"""The designer's pages belong together: one blueprint, whose routes stand in several files."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Blueprint
from sqlalchemy.orm import Session

from engine.db import Sessions

pages = Blueprint("designer", __name__, url_prefix="/designer")

LARGEST_BODY = 12 * 1024 * 1024


@contextmanager
def looking() -> Iterator[Session]:
    """For a POST that only looks (checks): it shall not wait for SQLite's one writer, nor keep anything."""
    session = Sessions()
    session.rollback()  # what the guard has asked is a transaction already
    if session.get_bind().dialect.name == "sqlite":
        session.connection(execution_options={"read_only": True})
    try:
        yield session
    finally:
        session.rollback()
