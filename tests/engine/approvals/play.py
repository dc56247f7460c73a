"""Shorthand: draw approvals, start them, let people act, look at what became of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import journal, repository, runtime, work_items
from engine.actor import SYSTEM, Actor
from engine.db import Sessions
from engine.models import InboxEntry, Instance, InstanceLog, Timer, WorkItem
from tests.engine import site as house
from tests.engine.workflow.drawing import Drawing

LI, WANG, CHEN, BOSS = house.LI, house.WANG, house.CHEN, house.BOSS
ZHAO = Actor(person_id=4, name="赵敏")
SUN = Actor(person_id=5, name="孙强")
ZHOU = Actor(person_id=6, name="周洋")
PEOPLE = {one.person_id: one for one in (LI, WANG, CHEN, ZHAO, SUN, ZHOU, BOSS)}


def approval(d: Drawing, id: str, candidates: str = "person(2)", inner: str = "", **policies: str) -> str:
    """A user task with `approval.*` properties; without any it still is an approval."""
    given = policies or {"opinion": "optional"}
    texts = "".join(f'<camunda:property name="approval.{name}" value="{value}"/>' for name, value in given.items())
    extension = f"<extensionElements><camunda:properties>{texts}</camunda:properties></extensionElements>"
    return d.user(id, extension + inner, camunda_candidateUsers=candidates)


def deploy(d: Drawing, head: str = "") -> str:
    key = runtime.perform(lambda s: repository.deploy(s, SYSTEM, {"main.bpmn": d.xml(head=head)}).key)
    Sessions.remove()
    return key


def chain(*nodes: tuple[str, str] | tuple[str, str, dict[str, str]]) -> int:
    """Start approvals one behind the other: (id, candidates[, policies]); the instance."""
    d = Drawing("chain")
    d.start()
    for id, candidates, *policies in nodes:
        approval(d, id, candidates, **(policies[0] if policies else {}))
    d.end()
    d.chain("start", *(node[0] for node in nodes), "end")
    return house.start(deploy(d))


def one(candidates: str, **policies: str) -> int:
    """Start a single approval."""
    return chain(("approve", candidates, policies))


def do(work: Callable[[Session], Any]) -> Any:
    """One action as the pages do it: in a transaction of its own, repeated under locks when somebody was faster."""
    try:
        return runtime.perform(work)
    finally:
        Sessions.remove()


def item_of(instance: int, person: Actor, state: str = "open", node: str | None = None) -> int:
    """The item of a person in an instance."""
    wanted = select(WorkItem.id).where(
        WorkItem.instance_id == instance, WorkItem.assignee_id == person.person_id, WorkItem.state == state
    )
    if node is not None:
        wanted = wanted.where(WorkItem.node == node)
    return house.read(lambda s: s.scalars(wanted.order_by(WorkItem.id.desc())).first())


def act(instance: int, person: Actor, action: str = "approve", **said: Any) -> str:
    """The person's open item of the instance is decided; the instance's state after it."""
    opinion = said.pop("opinion", "理由" if action in ("reject", "return") else "")
    item = item_of(instance, person)
    return do(lambda s: work_items.act(s, person, item, action, opinion=opinion, **said)).state


def states(instance: int) -> list[tuple[str, int | None, str, str]]:
    """(node, whose, state, outcome) of every item, oldest first."""
    wanted = select(WorkItem.node, WorkItem.assignee_id, WorkItem.state, WorkItem.outcome).where(
        WorkItem.instance_id == instance
    )
    return house.read(lambda s: [tuple(row) for row in s.execute(wanted.order_by(WorkItem.id))])


def waits_with(instance: int) -> set[int]:
    """The principals in whose inbox something of the instance lies."""
    wanted = (
        select(InboxEntry.principal)
        .join(WorkItem, WorkItem.id == InboxEntry.item_id)
        .where(WorkItem.instance_id == instance)
    )
    return house.read(lambda s: set(s.scalars(wanted)))


def row(item: int) -> WorkItem:
    def find(session: Session) -> WorkItem:
        found = session.get_one(WorkItem, item)
        session.expunge(found)
        return found

    return house.read(find)


def lines(instance: int, action: str) -> list[InstanceLog]:
    wanted = select(InstanceLog).where(InstanceLog.instance_id == instance, InstanceLog.action == action)

    def find(session: Session) -> list[InstanceLog]:
        found = list(session.scalars(wanted.order_by(InstanceLog.seq)))
        session.expunge_all()
        return found

    return house.read(find)


def timers(instance: int) -> list[Any]:
    wanted = select(Timer.node, Timer.due_at, Timer.parked_until).where(Timer.instance_id == instance)
    return house.read(lambda s: s.execute(wanted).all())


def sound(instance: int) -> None:
    """Whatever was done: the log's chain holds, and inbox, items and tokens agree."""

    def check(session: Session) -> None:
        found = session.get_one(Instance, instance)
        assert list(journal.verify_instance(session, instance, found.log_seq, found.log_hash)) == []
        items = list(session.scalars(select(WorkItem).where(WorkItem.instance_id == instance)))
        inboxes = select(InboxEntry).join(WorkItem, WorkItem.id == InboxEntry.item_id)
        rows = session.scalars(inboxes.where(WorkItem.instance_id == instance))
        lying = {(row.principal, row.item_id) for row in rows}
        expected = set()
        for item in items:
            if item.state in ("open", "delegated"):
                people = [item.assignee_id] if item.assignee_id is not None else item.candidates
                expected |= {(person, item.id) for person in people}
        assert lying == expected
        alive = {item.token for item in items if item.state in ("open", "waiting", "delegated", "approving")}
        if found.state in ("running", "suspended"):
            loaded = repository.get(session, found.definition_id)
            seen = runtime.foresee.peek(session, SYSTEM, found, loaded)
            assert seen is not None
            assert {at.token for at in seen[0].tokens() if at.state == "open"} == alive
        else:
            assert not alive

    house.read(check)
