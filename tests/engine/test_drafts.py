"""A draft is sent once, however often and fast somebody presses, and whatever is still being saved."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import func, select

from engine import runtime
from engine.db import Sessions
from engine.errors import AppError
from engine.models import Instance, WorkItem
from tests.conftest import TestClock
from tests.databases import Database
from tests.engine import site as house
from tests.engine.site import LI, Site
from tests.engine.workflow.drawing import Drawing

VALUES = {"subject": "键盘"}


@pytest.fixture
def site(database: Database, clock: TestClock) -> Iterator[Site]:
    with house.opened() as made:
        yield made


def send(draft: int) -> None:
    runtime.perform(lambda s: runtime.start(s, LI, "line", values=VALUES, draft_id=draft))


def save(draft: int) -> None:
    runtime.perform(lambda s: runtime.save_draft(s, LI, "line", VALUES, draft))


def discard(draft: int) -> None:
    runtime.perform(lambda s: runtime.discard_draft(s, LI, draft))


@pytest.mark.parametrize("rival", [send, save, discard])
def test_a_draft_is_sent_at_most_once(site: Site, rival: Callable[[int], None]) -> None:
    d = Drawing("line")
    d.start()
    d.user("work", camunda_assignee="person(2)")
    d.end()
    d.chain("start", "work", "end")
    house.deploy(d)
    for _round in range(6):
        draft = runtime.perform(lambda s: runtime.save_draft(s, LI, "line", VALUES).id)
        Sessions.remove()
        told: Counter[str] = Counter()
        gate = threading.Barrier(2)

        def press(
            deed: Callable[[int], None], draft: int = draft, told: Counter[str] = told, gate: threading.Barrier = gate
        ) -> None:
            gate.wait()
            try:
                deed(draft)
                told[deed.__name__] += 1
            except AppError as refusal:
                told[type(refusal).__name__] += 1
            finally:
                Sessions.remove()

        pressing = [threading.Thread(target=press, args=(deed,)) for deed in (send, rival)]
        for thread in pressing:
            thread.start()
        for thread in pressing:
            thread.join()
        items = select(func.count(WorkItem.id)).where(WorkItem.instance_id == draft)
        sent = house.read(lambda s, i=draft: s.scalar(select(Instance.state).where(Instance.id == i))) == "running"
        assert told["send"] == sent
        assert house.read(lambda s, wanted=items: s.scalar(wanted)) == sent
        assert sent or rival is discard
