"""Brings what comes from outside into an instance: timers, messages, signals, connector results, repairs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Any

from sqlalchemy import and_, exists, or_, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from engine import clock, repository, workflow
from engine.actor import SYSTEM, Actor
from engine.errors import Conflict, NotFound
from engine.forms import check_key, check_opinion
from engine.i18n import _
from engine.journal import Entry
from engine.models import Definition, Incident, Instance, Message, MessageWait, StartTimer, Timer
from engine.runtime.host import StaleInstance
from engine.runtime.start import start
from engine.runtime.step import MESSAGE_LIFE, Step, StepResult, step
from engine.states import stands_still


def fire_timer(session: Session, timer: Timer) -> StepResult:
    """Fire one due timer; the step removes its row or sets its next moment."""
    token, node = timer.token, timer.node
    todo = Step(
        act=lambda live: live.fire_timer(token),
        entry=Entry("timer", node, token, detail={"due_at": timer.due_at.isoformat()}),
        interactive=False,
    )
    return step(session, SYSTEM, timer.instance_id, todo)


def fire_start_timer(session: Session, timer: StartTimer) -> StepResult:
    """Start the process whose moment has come, and set its next one."""
    definition = session.get_one(Definition, timer.definition_id)
    following = workflow.next_due(workflow.Due(timer.due_at, timer.repeats, timer.every), clock.now())
    node = timer.node
    if following is None:
        session.delete(timer)
    else:
        timer.due_at, timer.repeats = following.at, following.repeats
    session.flush()
    return start(session, SYSTEM, definition.key, start_event=node)


# ------------------------------------------------------------------------------------------------- messages


def publish(
    session: Session,
    *,
    name: str,
    message_id: str,
    business_key: str = "",
    variables: Mapping[str, Any] | None = None,
    kind: str = "message",
    ttl: timedelta = MESSAGE_LIFE,
    actor: Actor = SYSTEM,
    instance_id: int | None = None,
) -> Message:
    """Take in a message or signal once: store, then match, in one transaction.

    instance_id: the one instance it is meant for, where that is known; nobody else gets it, and it starts nothing.

    The same (name, business_key, message_id) again changes nothing and returns the first one. What matches nobody is
    kept until `ttl` and shown to supervisors.
    """
    for text in (name, message_id, business_key):
        check_key(text)
    now = clock.now()
    values = {
        "kind": kind,
        "name": name,
        "business_key": business_key,
        "message_id": message_id,
        "variables": dict(variables or {}),
        "state": "waiting",
        "received_at": now,
        "expires_at": now + ttl,
        "instance_id": instance_id,
    }
    dialect = session.get_bind().dialect.name
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(Message)
    new = session.scalar(
        insert.values(values)
        .on_conflict_do_nothing(index_elements=["name", "business_key", "message_id"])
        .returning(Message.id)
    )
    message = session.scalars(
        select(Message).where(
            Message.name == name, Message.business_key == business_key, Message.message_id == message_id
        )
    ).one()
    if new is not None:
        correlate(session, message, actor)
    return message


def deliverable(session: Session, limit: int = 500) -> list[int]:
    """Ids of stored messages that somebody waits for by now, oldest first; those nobody wants hold up no other."""
    waited_for = exists().where(
        MessageWait.kind == Message.kind,
        MessageWait.name == Message.name,
        or_(
            MessageWait.instance_id == Message.instance_id,
            and_(
                Message.instance_id.is_(None),
                or_(
                    Message.business_key == "",
                    MessageWait.business_key.is_(None),
                    MessageWait.business_key == Message.business_key,
                ),
            ),
        ),
        MessageWait.instance_id == Instance.id,
        Instance.state == "running",
    )
    starting = {name for kind, name, _loaded, _node in _starts(session) if kind == "message"}
    begins = and_(Message.name.in_(starting), Message.instance_id.is_(None))
    wanted = or_(Message.kind == "signal", begins, waited_for)
    return list(
        session.scalars(select(Message.id).where(Message.state == "waiting", wanted).order_by(Message.id).limit(limit))
    )


def correlate(session: Session, message: Message, actor: Actor = SYSTEM) -> bool:
    """Give a stored message to whoever waits for it; True when somebody did.

    A message goes to one: who waits for its very key comes before who takes any. A signal goes to all who wait now.
    """
    if message.state != "waiting":
        return False
    waits = (
        select(MessageWait)
        .join(Instance, Instance.id == MessageWait.instance_id)
        .where(MessageWait.kind == message.kind, MessageWait.name == message.name, Instance.state == "running")
        .order_by(MessageWait.business_key.is_(None), MessageWait.id)
    )
    if message.kind == "message":
        waits = waits.limit(1)
        if message.instance_id is not None:
            waits = waits.where(MessageWait.instance_id == message.instance_id)
        elif message.business_key:
            key = MessageWait.business_key
            waits = waits.where(or_(key == message.business_key, key.is_(None)))
    found = list(session.scalars(waits))
    for wait in found:
        _deliver(session, wait, message, actor)
        message.instance_id = wait.instance_id
    if not found and message.instance_id is not None:
        return False
    if not found:
        found_start = _start_by(session, message, actor)
        if found_start is None and message.kind == "message":
            return False
        message.instance_id = found_start
    message.state = "matched"
    session.flush()
    return True


def _deliver(session: Session, wait: MessageWait, message: Message, actor: Actor) -> None:
    wait_id, instance_id = wait.id, wait.instance_id
    token, name, variables = wait.token, message.name, dict(message.variables)
    todo = Step(
        act=lambda live: live.deliver(token, name, variables),
        entry=Entry(message.kind, wait.node, token, detail={"name": name, "message_id": message.message_id}),
        interactive=False,
    )
    try:
        step(session, actor, instance_id, todo)
    except Conflict as conflict:
        if session.scalar(select(MessageWait.id).where(MessageWait.id == wait_id)) is None:
            raise StaleInstance(instance_id) from conflict  # another message was faster: look again who waits
        raise


def _starts(session: Session) -> Iterator[tuple[str, str, repository.Loaded, str]]:
    """(message or signal, its name, the definition that begins with it, the start event), of all active versions."""
    for definition_id in session.scalars(
        select(Definition.id).where(Definition.state == "active").order_by(Definition.id)
    ):
        loaded = repository.get(session, definition_id)
        for trigger in loaded.compiled.starts:
            if trigger.kind in ("message", "signal"):
                yield trigger.kind, trigger.name, loaded, trigger.node


def _start_by(session: Session, message: Message, actor: Actor) -> int | None:
    """Start the process that begins with this message, if one is deployed; a message starts one, a signal every one."""
    started = None
    for kind, name, loaded, node in list(_starts(session)):
        if (kind, name) != (message.kind, message.name):
            continue
        result = start(
            session,
            actor,
            loaded.key,
            variables=message.variables,
            business_key=message.business_key or None,
            start_event=node,
        )
        started = result.instance_id
        if kind == "message":
            return started
    return started


# ------------------------------------------------------------------------------------------------- connectors, repairs


def settle_connector(
    session: Session, instance_id: int, token: int, node: str, state: str, result: dict[str, Any], error: str
) -> StepResult:
    """A connector task's answer arrived: its token goes on, or becomes an incident."""
    if state in ("sent", "delivered"):
        todo = Step(
            act=lambda live: live.resolve_service(token, result),
            entry=Entry("service", node, token, detail={"state": state}),
            interactive=False,
        )
    else:
        todo = Step(
            act=lambda live: live.fail_service(token, error or state, ""),
            entry=Entry("service", node, token, detail={"state": state, "error": error}),
            interactive=False,
        )
    return step(session, SYSTEM, instance_id, todo)


def retry_incident(session: Session, actor: Actor, incident_id: int, *, interactive: bool = True) -> StepResult:
    """Run the failed node again."""
    incident = open_incident(session, incident_id)
    token = incident.token
    todo = Step(
        act=lambda live: live.retry(token),
        entry=Entry("retry", incident.node, token, detail={"cause": incident.cause}),
        interactive=interactive,
    )
    return step(session, actor, incident.instance_id, todo)


def skip_incident(session: Session, actor: Actor, incident_id: int, result: Any, reason: str) -> StepResult:
    """Go on as if the failed node had answered `result`; the log says who decided so and why."""
    check_opinion("reason", reason)
    incident = open_incident(session, incident_id)
    token = incident.token
    todo = Step(
        act=lambda live: live.skip(token, result),
        entry=Entry("skip", incident.node, token, detail={"cause": incident.cause, "reason": reason}),
    )
    return step(session, actor, incident.instance_id, todo)


def open_incident(session: Session, incident_id: int) -> Incident:
    """The incident, if something can still be done about it."""
    incident = session.get(Incident, incident_id)
    if incident is None:
        raise NotFound
    if incident.state == "resolved":
        raise Conflict(_("This incident has been settled already."))
    instance = session.get_one(Instance, incident.instance_id, populate_existing=True)
    if instance.state != "running":
        raise Conflict(stands_still(instance.state))
    return incident
