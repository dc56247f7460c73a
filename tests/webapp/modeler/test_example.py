"""The example of docs/designers.md: imported as it is, deployed and run to its end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import work_items
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import InvalidForm
from engine.models import Instance, OutboxMessage, Timer, WorkItem
from engine.runtime import fire_timer, perform, start
from processes.organization.models import Employee
from tests.webapp.modeler.conftest import Designer

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"
KEY = "time_off"

pytestmark = pytest.mark.usefixtures("deployed")


@pytest.fixture
def deployed(designer: Designer) -> None:
    files = {file.name: file.read_text(encoding="utf-8") for file in EXAMPLES.iterdir()}
    assert designer.import_files(files).status_code == 302
    xml = designer.open(KEY)
    assert designer.lint(KEY, xml) == []
    assert designer.deploy(KEY, xml).get_json()["version"] == 1


def actor(name: str) -> Actor:
    person = perform(lambda session: session.scalars(select(Employee.id).where(Employee.name == name)).one())
    return Actor(person_id=person, name=name)


def ask(days: str) -> int:
    values = {"title": "回老家", "first_day": "2026-12-01", "days": days}
    return perform(lambda session: start(session, actor("王磊"), KEY, values=values)).instance_id


def open_item(instance_id: int) -> WorkItem:
    Sessions.remove()
    found = select(WorkItem).where(WorkItem.instance_id == instance_id, WorkItem.state == "open")
    return Sessions().scalars(found).one()


def decide(name: str, instance_id: int, action: str, **values: Any) -> None:
    item = open_item(instance_id)
    who, opinion = actor(name), "因为" if action != "submit" else ""
    perform(lambda session: work_items.act(session, who, item.id, action, opinion=opinion, values=values))


def state(instance_id: int) -> str:
    Sessions.remove()
    return Sessions().get_one(Instance, instance_id).state


def test_a_short_leave_needs_the_superior_alone_who_names_a_deputy() -> None:
    request = ask("2")
    with pytest.raises(InvalidForm):
        decide("周明", request, "approve")
    decide("周明", request, "approve", deputy=actor("李娜").person_id)
    assert state(request) == "completed"


def test_a_long_leave_is_returned_changed_and_approved_by_the_head_too() -> None:
    request = ask("5")
    decide("周明", request, "approve", deputy=actor("李娜").person_id)
    decide("林晓燕", request, "return")
    assert open_item(request).node == "revise"
    decide("王磊", request, "submit", days="4")
    decide("周明", request, "approve", deputy=actor("李娜").person_id)
    decide("林晓燕", request, "approve")
    assert state(request) == "completed"


def test_a_rejection_ends_it() -> None:
    request = ask("2")
    decide("周明", request, "reject", deputy=actor("李娜").person_id)
    assert state(request) == "rejected"


def test_whoever_takes_long_is_reminded_by_sms() -> None:
    request = ask("2")

    def overdue(session: Session) -> None:
        fire_timer(session, session.scalars(select(Timer).where(Timer.instance_id == request)).one())

    perform(overdue)
    written = select(OutboxMessage.channel).where(OutboxMessage.instance_id == request)
    assert list(Sessions().scalars(written)) == ["sms"]
    assert open_item(request).node == "approve_superior"
