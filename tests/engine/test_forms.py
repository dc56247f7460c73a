"""A process with several forms: what one says stays when the next is filled in, and expressions see them all."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import select

from engine import repository, runtime
from engine.actor import SYSTEM
from engine.db import Sessions
from engine.models import FormData, Instance
from tests.conftest import TestClock
from tests.databases import Database
from tests.engine import site as house
from tests.engine.site import CHEN, LI, WANG, Site
from tests.engine.workflow.drawing import Drawing


@pytest.fixture
def site(database: Database, clock: TestClock) -> Iterator[Site]:
    with house.opened() as made:
        yield made


def form(*fields: dict[str, Any], **steps: dict[str, str]) -> str:
    return json.dumps({"title": "f", "fields": list(fields), "steps": steps})


FILES = {
    "order.form.json": form(
        {"id": "subject", "type": "text", "label": "s", "title": True, "summary": True},
        {"id": "unitPrice", "type": "money", "label": "p", "required": True},
    ),
    "check.form.json": form({"id": "pieces", "type": "number", "label": "n"}, check={"pieces": "required"}),
}


def test_each_form_adds_to_what_is_known(site: Site) -> None:
    d = Drawing("order")
    d.start()
    d.user("check", camunda_assignee="person(2)", camunda_formKey="check")
    d.add("exclusiveGateway", "dear", default="dear_end")
    d.user("release", camunda_assignee="person(3)")
    d.end()
    d.chain("start", "check", "dear", "end")
    d.flow("dear", "release", condition="${form.unitPrice * form.pieces > 100}")
    d.flow("release", "end")
    runtime.perform(lambda s: repository.deploy(s, SYSTEM, {"order.bpmn": d.xml(), **FILES}))
    values = {"subject": "键盘", "unitPrice": "99.50"}
    started = runtime.perform(lambda s: runtime.start(s, LI, "order", values=values)).instance_id
    Sessions.remove()
    house.act(WANG, house.items(started)["check"], values={"pieces": "2"})
    assert list(house.items(started)) == ["release"]
    newest = select(FormData.values).order_by(FormData.revision.desc()).limit(1)
    assert house.read(lambda s: s.scalar(newest)) == {
        "subject": "键盘",
        "unitPrice": {"amount": "99.50", "currency": "CNY"},
        "pieces": "2",
    }
    assert house.read(lambda s: s.get_one(Instance, started).summary) == {"subject": "键盘"}
    assert house.act(CHEN, house.items(started)["release"]) == "completed"
