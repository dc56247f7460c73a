"""Files named by forms: hung on their instance once, never on another's."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from sqlalchemy import select

from engine import clock as engine_clock, repository, runtime
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.errors import InvalidForm
from engine.models import Attachment
from tests.conftest import TestClock
from tests.databases import Database
from tests.engine import site as house
from tests.engine.site import LI, WANG, Site
from tests.engine.workflow.drawing import Drawing


@pytest.fixture
def site(database: Database, clock: TestClock) -> Iterator[Site]:
    with house.opened() as made:
        d = Drawing("paper")
        d.start()
        d.user("read", camunda_assignee="person(2)")
        d.end()
        d.chain("start", "read", "end")
        form = {"title": "f", "fields": [{"id": "papers", "type": "attachment", "label": "p"}]}
        files = {"paper.bpmn": d.xml(), "paper.form.json": json.dumps(form)}
        runtime.perform(lambda s: repository.deploy(s, SYSTEM, files))
        Sessions.remove()
        yield made


def upload(actor: Actor) -> int:
    with transaction() as session:
        row = Attachment(
            name="a.pdf",
            media_type="application/pdf",
            size=1,
            sha256="0" * 64,
            uploaded_by=actor.person_id,
            uploaded_at=engine_clock.now(),
        )
        session.add(row)
        session.flush()
        number = row.id
    Sessions.remove()
    return number


def send(*papers: int, draft: int | None = None) -> int:
    try:
        return runtime.perform(
            lambda s: runtime.start(s, LI, "paper", values={"papers": list(papers)}, draft_id=draft)
        ).instance_id
    finally:
        Sessions.remove()


def hangs_on(file: int) -> int | None:
    return house.read(lambda s: s.scalar(select(Attachment.record_id).where(Attachment.id == file)))


def test_a_file_belongs_to_the_request_that_names_it(site: Site) -> None:
    file = upload(LI)
    started = send(file)
    assert hangs_on(file) == started


def test_anothers_file_is_none_of_mine(site: Site) -> None:
    for file in (upload(WANG), 999):
        with pytest.raises(InvalidForm):
            send(file)


def test_a_file_of_one_request_does_not_serve_another(site: Site) -> None:
    """Its readers could not open it: the file stays with the first."""
    file = upload(LI)
    send(file)
    with pytest.raises(InvalidForm):
        send(file)


def test_a_drafts_file_is_previewed_and_sent_with_it(site: Site) -> None:
    file = upload(LI)
    values = {"papers": [file]}
    draft = runtime.perform(lambda s: runtime.save_draft(s, LI, "paper", values).id)
    Sessions.remove()
    assert hangs_on(file) == draft
    assert [step.node for step in house.read(lambda s: runtime.preview(s, LI, "paper", values)).steps] == ["read"]
    assert send(file, draft=draft) == draft
