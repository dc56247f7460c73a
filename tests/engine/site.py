"""A small house for runtime tests: rules and topics that answer by script, and shorthand for what people do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import outbox, repository, runtime, service_tasks, work_items
from engine.actor import SYSTEM, Actor
from engine.assignment import RULES, Candidates, Request, assignment
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.i18n import _
from engine.models import Incident, Instance, InstanceLog, WorkItem
from engine.runtime.cache import LIVE
from engine.service_tasks import TOPICS, StepFacts
from tests.engine.workflow.drawing import Drawing

LI = Actor(person_id=1, name="李娜")
WANG = Actor(person_id=2, name="王伟")
CHEN = Actor(person_id=3, name="陈静")
BOSS = Actor(person_id=9, name="赵总", permissions=frozenset({"process.instance.administer"}))

Answer = Callable[[Session, StepFacts], Any]


class Site:
    """What the declared topics do, and what they were asked."""

    def __init__(self) -> None:
        self.calls: list[str] = []
        self.answers: dict[str, Answer] = {}

    def answer(self, topic: str, session: Session, facts: StepFacts) -> Any:
        self.calls.append(topic)
        return self.answers[topic](session, facts) if topic in self.answers else {"said": topic}


class FallbackOnly:
    """A directory in which nobody is found except the one who takes what is left."""

    def names(self, session: Session, person_ids: Any) -> dict[int, str]:
        return {p: f"person {p}" for p in person_ids}

    def active(self, session: Session, person_ids: Any) -> tuple[int, ...]:
        return tuple(person_ids)

    def fallback_persons(self, session: Session) -> tuple[int, ...]:
        return (9,)

    def members(self, session: Session, principal: int) -> tuple[int, ...]:
        return ()

    def reports(self, session: Session, person_id: int) -> tuple[int, ...]:
        return ()


@contextmanager
def opened() -> Iterator[Site]:
    """Declare rules and topics for one test and take them back."""
    site = Site()
    kept = dict(TOPICS), dict(RULES), dict(outbox.HANDLERS), CATALOG.directory
    CATALOG.directory = FallbackOnly()
    LIVE.clear()
    repository.forget_all()

    @assignment("person", _("A named person"), argument="person")
    def _person(_session: Session, _request: Request, argument: str | None) -> Candidates:
        return Candidates(persons=tuple(int(p) for p in (argument or "").split("+")), path="named")

    @assignment("nobody", _("Nobody"))
    def _nobody(_session: Session, _request: Request, _argument: str | None) -> Candidates:
        return Candidates()

    for topic in ("site.first", "site.second"):
        service_tasks.service_task(topic)(_operation(site, topic))
    service_tasks.connector_task("site.wire")(_wire(site))
    yield site
    for registry, before in ((TOPICS, kept[0]), (RULES, kept[1]), (outbox.HANDLERS, kept[2])):
        registry.clear()  # type: ignore[attr-defined]
        registry.update(before)  # type: ignore[attr-defined]
    CATALOG.directory = kept[3]
    Sessions.remove()


def _operation(site: Site, topic: str) -> Callable[..., Any]:
    def operation(session: Session, _actor: Actor, facts: StepFacts) -> Any:
        return site.answer(topic, session, facts)

    return operation


def _wire(site: Site) -> Callable[..., int]:
    def send(session: Session, _actor: Actor, facts: StepFacts) -> int:
        site.calls.append("site.wire")
        return outbox.enqueue(session, channel="wire", key=f"wire:{facts.idempotency_key}", payload={})

    return send


# ------------------------------------------------------------------------------------------------- shorthand


def deploy(drawing: Drawing) -> str:
    with transaction() as session:
        key = repository.deploy(session, SYSTEM, {"main.bpmn": drawing.xml()}).key
    Sessions.remove()
    return key


def start(key: str, actor: Actor = LI, **variables: Any) -> int:
    result = runtime.perform(lambda session: runtime.start(session, actor, key, variables=variables))
    Sessions.remove()
    return result.instance_id


def act(actor: Actor, item_id: int, action: str = "submit", **said: Any) -> str:
    try:
        return runtime.perform(lambda session: work_items.act(session, actor, item_id, action, **said)).state
    finally:
        Sessions.remove()


def items(instance_id: int, state: str = "open") -> dict[str, int]:
    """{node: item id} of an instance's items in this state."""
    wanted = select(WorkItem.node, WorkItem.id).where(WorkItem.instance_id == instance_id, WorkItem.state == state)
    return dict(read(lambda session: [tuple(row) for row in session.execute(wanted)]))


def state(instance_id: int) -> str:
    return read(lambda session: session.get_one(Instance, instance_id).state)


def actions(instance_id: int) -> list[str]:
    wanted = select(InstanceLog.action).where(InstanceLog.instance_id == instance_id).order_by(InstanceLog.seq)
    return read(lambda session: list(session.scalars(wanted)))


def incidents(instance_id: int) -> list[Incident]:
    def find(session: Session) -> list[Incident]:
        found = list(session.scalars(select(Incident).where(Incident.instance_id == instance_id)))
        session.expunge_all()
        return found

    return read(find)


def read(work: Callable[[Session], Any]) -> Any:
    """Ask the database as it is committed now."""
    with transaction() as session:
        session.expire_all()
        found = work(session)
    Sessions.remove()
    return found
