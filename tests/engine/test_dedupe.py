"""`approval.dedupe = consecutive`: the same person is not asked twice in a row, and the log says why not."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import select

from engine import journal, repository, runtime
from engine.actor import SYSTEM
from engine.db import Sessions
from engine.models import InboxEntry, Instance, InstanceLog, WorkItem
from tests.conftest import TestClock
from tests.databases import Database
from tests.engine import site as house
from tests.engine.site import CHEN, LI, WANG, Site
from tests.engine.workflow.drawing import Drawing

RETURNED = '<error id="returned_error" errorCode="returned"/>'


@pytest.fixture
def site(database: Database, clock: TestClock) -> Iterator[Site]:
    with house.opened() as made:
        yield made


def approval(d: Drawing, id: str, candidates: str, **properties: str) -> str:
    given = {"allow": "approve,reject,return", "dedupe": "consecutive", **properties}
    inner = "".join(f'<camunda:property name="approval.{name}" value="{value}"/>' for name, value in given.items())
    extension = f"<extensionElements><camunda:properties>{inner}</camunda:properties></extensionElements>"
    return d.user(id, extension, camunda_candidateUsers=candidates)


def deploy(d: Drawing) -> str:
    key = runtime.perform(lambda s: repository.deploy(s, SYSTEM, {"main.bpmn": d.xml(head=RETURNED)}).key)
    Sessions.remove()
    return key


def chain(*candidates: str, **of_last: str) -> str:
    """Approvals one behind the other; the last may be returned to the starter, who sends it to the first again."""
    d = Drawing("chain")
    d.start()
    names = [f"approve_{number}" for number in range(len(candidates))]
    for name, rule in zip(names, candidates, strict=True):
        approval(d, name, rule, **(of_last if name == names[-1] else {}))
    d.add("boundaryEvent", "back", '<errorEventDefinition errorRef="returned_error"/>', attachedToRef=names[-1])
    d.user("revise", camunda_assignee="person(1)")
    d.end()
    d.chain("start", *names, "end")
    d.chain("back", "revise", names[0])
    return deploy(d)


def states(instance: int) -> list[tuple[str, str]]:
    wanted = select(WorkItem.node, WorkItem.state).where(WorkItem.instance_id == instance).order_by(WorkItem.id)
    return house.read(lambda s: [tuple(row) for row in s.execute(wanted)])


def test_the_same_person_is_asked_once(site: Site) -> None:
    started = house.start(chain("person(2)", "person(2)", "person(2)"))
    assert house.act(WANG, house.items(started)["approve_0"], "approve") == "completed"
    assert states(started) == [("approve_0", "done"), ("approve_1", "auto"), ("approve_2", "auto")]
    assert house.actions(started) == ["start", "approve", "auto", "auto", "end"]
    autos = select(InstanceLog).where(InstanceLog.instance_id == started, InstanceLog.action == "auto")
    line = house.read(lambda s: s.scalars(autos.order_by(InstanceLog.seq)).first())
    assert (line.actor_name, line.detail["rule"], line.detail["after"]) == ("王伟", "approval.dedupe", "approve_0")
    assert house.read(lambda s: s.scalars(select(InboxEntry.item_id)).all()) == []
    end = house.read(lambda s: s.get_one(Instance, started))
    assert house.read(lambda s: list(journal.verify_instance(s, started, end.log_seq, end.log_hash))) == []


@pytest.mark.parametrize(
    ("candidates", "of_last"),
    [
        (("person(2)", "person(3)"), {}),
        (("person(2)", "person(2+3)"), {}),
        (("person(2)", "person(2)"), {"opinion": "required"}),
        (("person(2)", "person(2)"), {"dedupe": "none"}),
    ],
    ids=["somebody else", "one of several", "words are wanted", "not drawn"],
)
def test_whoever_else_or_more_is_wanted_is_asked(
    site: Site, candidates: tuple[str, ...], of_last: dict[str, str]
) -> None:
    started = house.start(chain(*candidates, **of_last))
    house.act(WANG, house.items(started)["approve_0"], "approve")
    assert list(house.items(started)) == ["approve_1"]


def test_after_a_return_everybody_is_asked_again(site: Site) -> None:
    started = house.start(chain("person(2)", "person(3)"))
    house.act(WANG, house.items(started)["approve_0"], "approve")
    house.act(CHEN, house.items(started)["approve_1"], "return", opinion="补充")
    house.act(LI, house.items(started)["revise"])
    assert list(house.items(started)) == ["approve_0"]


def test_a_rejection_approves_nothing_behind_it(site: Site) -> None:
    started = house.start(chain("person(2)", "person(2)"))
    assert house.act(WANG, house.items(started)["approve_0"], "reject", opinion="不") == "rejected"


def test_side_by_side_each_of_ones_own_is_passed(site: Site) -> None:
    d = Drawing("fork")
    d.start()
    approval(d, "first", "person(2)")
    d.add("parallelGateway", "split")
    for name, rule in (("left", "person(2)"), ("middle", "person(3)"), ("right", "person(2)")):
        approval(d, name, rule)
    d.add("parallelGateway", "join")
    d.end()
    d.chain("start", "first", "split")
    for name in ("left", "middle", "right"):
        d.chain("split", name, "join")
    d.chain("join", "end")
    started = house.start(deploy(d))
    house.act(WANG, house.items(started)["first"], "approve")
    assert set(house.items(started, "auto")) == {"left", "right"}
    assert house.act(CHEN, house.items(started)["middle"], "approve") == "completed"
