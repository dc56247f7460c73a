"""A database with the bench's definitions deployed, on SQLite or PostgreSQL, with durable commits."""

from __future__ import annotations

import contextlib
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engine import assignment, db, repository, service_tasks
from engine.actor import SYSTEM, Actor
from engine.assignment import Candidates, Request
from engine.i18n import _
from engine.service_tasks import StepFacts
from tests import servers
from tests.bench import flows
from webapp.migrations import schema

WORKER = Actor(person_id=2, name="王伟", client="bench")
STARTER = Actor(person_id=1, name="李娜", client="bench")

FORM = {
    "title": "客户拜访",
    "lines": [
        {"no": i, "day": f"2026-03-{i + 1:02d}", "kind": "hotel", "amount": "380.50", "note": "两晚，附发票", "file": i}
        for i in range(10)
    ],
}
"""A realistic request, about 1.2 kB; the product keeps it in form_data, plain SpiffWorkflow carries it in its data."""


def declare() -> None:
    """The one rule and the one topic the bench's diagrams name."""

    @assignment.assignment("bench", _("Bench"), argument="person")
    def _always(_session: Session, _request: Request, argument: str | None) -> Candidates:
        return Candidates(persons=(int(argument or 0),))

    @service_tasks.service_task("bench.notify")
    def _notify(_session: Session, _actor: Actor, _facts: StepFacts) -> dict[str, Any]:
        return {"notified": True}


@contextlib.contextmanager
def databases(names: tuple[str, ...]) -> Iterator[dict[str, str]]:
    """{name: url} of fresh databases; commits reach the disk (SQLite FULL, PostgreSQL synchronous_commit on)."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yunliu-bench-")))
        urls = {}
        if "sqlite" in names:
            urls["sqlite"] = f"sqlite:///{folder / 'bench.db'}"
        if "postgresql" in names:
            urls["postgresql"] = stack.enter_context(servers.postgres(durable=True))
        for url in urls.values():
            engine = db.make_engine(url)
            with engine.begin() as connection:
                schema.create_all(connection)
            engine.dispose()
        yield urls


@contextlib.contextmanager
def opened(url: str) -> Iterator[Engine]:
    """Bind the product's session to this database and deploy the flows."""
    engine = db.bind(url)
    repository.forget_all()
    with db.transaction() as session:
        for make in flows.FLOWS.values():
            xml = make("yunliu")
            repository.deploy(session, SYSTEM, {"flow.bpmn": xml})
    yield engine
    db.Sessions.remove()
    engine.dispose()


def settle() -> None:
    """Give planners their statistics after a bulk load."""
    db.analyze()
