"""Robots of group chats: made by administrators, spoken through by processes, never too fast for their services."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from connectors.robots.catalogue import KINDS
from connectors.robots.kinds import merged, wait_for
from engine import clock, journal, outbox
from engine.actor import Actor
from engine.errors import InvalidForm, NotFound, Problem, RuleViolation
from engine.i18n import _
from engine.models import OutboxMessage
from engine.service_tasks import StepFacts, service_task
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry
from processes.webhooks import permissions, rules
from processes.webhooks.models import Robot, RobotLine
from processes.webhooks.operations.outgoing import allowed

ROBOT = "webhooks.robot"
ROBOT_CHANNEL = "robot"
LONGEST = 4000
MOST_LINES = 100
"""looked at for one message"""
KEEP = timedelta(days=90)
_HIDDEN = ("url", "secret")


def robots(session: Session, actor: Actor) -> list[Robot]:
    permissions.require(actor)
    return list(session.scalars(select(Robot).order_by(Robot.name)))


def find_robot(session: Session, actor: Actor, robot_id: int) -> Robot:
    permissions.require(actor)
    found = session.get(Robot, robot_id)
    if found is None:
        raise NotFound
    return found


def create_robot(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> Robot:
    """values: name, kind, url, secret."""
    permissions.require(actor)
    clean = _read(session, values, record=None)
    robot = Robot(**clean)
    records.create(session, actor, ROBOT, robot, {**clean, **dict.fromkeys(_HIDDEN, "…")})
    return robot


def change_robot(
    session: Session, actor: Actor, *, robot_id: int, version: int | None = None, values: Mapping[str, Any]
) -> Robot:
    """An address or a secret that is left empty stays as it is."""
    permissions.require(actor)
    robot = lock_for_change(session, Robot, robot_id, version)
    given = {name: value for name, value in values.items() if name not in _HIDDEN or value}
    clean = _read(session, given, record=robot)
    open_part = {name: value for name, value in clean.items() if name not in _HIDDEN}
    changed = [name for name in _HIDDEN if name in clean and clean[name] != getattr(robot, name)]
    for name in changed:
        setattr(robot, name, clean[name])
    records.change(session, actor, ROBOT, robot, open_part)
    if changed:
        session.flush()
        journal.audit(session, actor, ROBOT, robot.id, "changed", None, dict.fromkeys(changed, "…"))
    return robot


def _read(session: Session, values: Mapping[str, Any], *, record: Robot | None) -> dict[str, Any]:
    entry = Entry(session, values, is_new=record is None)
    entry.text("name", required=True)
    entry.choice("kind", KINDS, required=True)
    kind = entry.clean.get("kind", record.kind if record is not None else "")
    entry.parsed("url", lambda value: rules.check_robot_url(str(value), kind, allowed()), required=True)
    entry.text("secret", longest=200)
    entry.choice("state", ("on", "off"))
    if entry.clean.get("secret") is None:
        entry.clean.pop("secret", None)
    entry.untaken("name", Robot.name, record.id if record else None, _("There is a robot of this name already."))
    return entry.finish()


def delete_robot(session: Session, actor: Actor, *, robot_id: int) -> None:
    """It says nothing more; what waits is not said."""
    permissions.require(actor)
    robot = lock_for_change(session, Robot, robot_id)
    journal.audit(session, actor, ROBOT, robot.id, "removed", {"name": robot.name}, None)
    session.execute(delete(RobotLine).where(RobotLine.robot_id == robot_id))
    session.delete(robot)
    session.flush()


# ------------------------------------------------------------------------------------------------- speaking


def say(session: Session, actor: Actor, robot: Robot, *, text: str, key: str, instance_id: int | None = None) -> int:
    """Queue something to say; the same key again is the same. Returns its message's id."""
    if not text.strip() or len(text) > LONGEST:
        raise InvalidForm([Problem("text", _("A message has between 1 and {count} characters.", count=LONGEST))])
    dialect = session.get_bind().dialect.name
    insert = (postgresql.insert if dialect == "postgresql" else sqlite.insert)(RobotLine)
    values = {"robot_id": robot.id, "key": f"robot:{robot.id}:{key}", "text": text.strip(), "at": clock.now()}
    new = session.scalar(insert.values(**values).on_conflict_do_nothing(index_elements=["key"]).returning(RobotLine.id))
    line = session.scalars(select(RobotLine).where(RobotLine.key == values["key"])).one()
    if new is not None:
        line.message_id = outbox.enqueue(
            session,
            channel=ROBOT_CHANNEL,
            key=str(values["key"]),
            payload={"robot": robot.id, "line": line.id, "text": line.text, "recipient": robot.name},
            actor=actor,
            record=(ROBOT, robot.id),
            instance_id=instance_id,
        )
        session.flush()
    return line.message_id or 0


def send_robot_test(session: Session, actor: Actor, *, robot_id: int) -> int:
    robot = find_robot(session, actor, robot_id)
    text = str(_("A test by {who}: this group hears Yunliu.", who=actor.name))
    return say(session, actor, robot, text=text, key=f"test:{secrets.token_hex(8)}")


@service_task("webhooks.notify_group", _("Tell a group chat"))
def notify_group(session: Session, actor: Actor, facts: StepFacts, *, group: str, text: str) -> dict[str, Any]:
    """Say something in the group of the robot of this name, and go on. Returns {"message": outbox id}."""
    robot = session.scalars(select(Robot).where(Robot.name == group)).first()
    if robot is None:
        raise RuleViolation(
            _("There is no robot “{name}”.", name=group),
            code="no_such_robot",
            remedy=_("Let an administrator make it, or correct the name in the diagram."),
        )
    message = say(session, actor, robot, text=text, key=facts.idempotency_key, instance_id=facts.instance_id)
    return {"message": message}


@dataclass(frozen=True)
class Turn:
    """What a message of the outbox is to do now: speak, wait, or nothing since another one carries its line."""

    text: str = ""
    lines: tuple[int, ...] = ()
    kind: str = ""
    url: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    wait: timedelta | None = None
    carried_by: int | None = None
    refused: str = ""
    """robot_deleted | robot_off"""


def take_turn(session: Session, message_id: int, robot_id: int, line_id: int) -> Turn:
    """Under the robot's lock: whether its service lets one more through, and what goes with it.

    What waits behind goes along as far as it fits, so that a burst becomes few messages. A turn that is taken counts as
    spoken, whatever comes of it.
    """
    session.execute(select(Robot.id).where(Robot.id == robot_id).with_for_update())
    robot = session.get(Robot, robot_id, populate_existing=True)
    own = session.get(RobotLine, line_id, populate_existing=True)
    if robot is None or own is None:
        return Turn(refused="robot_deleted")
    if robot.state != "on":
        return Turn(refused="robot_off")
    if own.carrier_id not in (None, message_id):
        return Turn(carried_by=own.carrier_id)
    kind, now = KINDS[robot.kind], clock.now()
    pause = _pause(robot, now)
    if pause > timedelta(0):
        return Turn(wait=pause)
    carried = list(session.scalars(select(RobotLine).where(RobotLine.carrier_id == message_id).order_by(RobotLine.id)))
    lines = carried or [own, *_behind(session, robot_id, line_id)]
    text, count = merged([line.text for line in lines], kind.longest)
    for line in lines[:count]:
        line.carrier_id = message_id
    longest = max(seconds for _count, seconds in kind.rates)
    at = now.timestamp()
    robot.spoken = [*(one for one in robot.spoken if one > at - longest), at]
    session.flush()
    return Turn(text, tuple(line.id for line in lines[:count]), robot.kind, robot.url, robot.secret)


def _pause(robot: Robot, now: datetime) -> timedelta:
    blocked = robot.blocked_until - now if robot.blocked_until is not None else timedelta(0)
    return max(blocked, timedelta(seconds=wait_for(KINDS[robot.kind].rates, robot.spoken, now.timestamp())))


def _behind(session: Session, robot_id: int, line_id: int) -> list[RobotLine]:
    """What else waits for this robot; what somebody has cancelled, or another worker holds, does not."""
    waiting = (
        select(RobotLine)
        .join(OutboxMessage, OutboxMessage.id == RobotLine.message_id)
        .where(
            RobotLine.robot_id == robot_id,
            RobotLine.id != line_id,
            RobotLine.carrier_id.is_(None),
            OutboxMessage.state.in_(("queued", "sending")),
        )
        .order_by(RobotLine.id)
        .limit(MOST_LINES)
    )
    return list(session.scalars(waiting))


def block(session: Session, robot_id: int, pause: timedelta) -> None:
    """Its service lets nothing through for a while."""
    robot = session.get(Robot, robot_id, with_for_update=True)
    if robot is not None:
        robot.blocked_until = clock.now() + pause


@dataclass(frozen=True)
class Said:
    """A line as people see it: it is where the message stands that carries it."""

    id: int
    text: str
    at: datetime
    state: str
    error: str
    message_id: int | None
    """the one to send again"""


def said(session: Session, actor: Actor, robot_id: int, limit: int = 30) -> list[Said]:
    """What was or is to be said in this group, newest first."""
    find_robot(session, actor, robot_id)
    lines = list(
        session.scalars(
            select(RobotLine).where(RobotLine.robot_id == robot_id).order_by(RobotLine.id.desc()).limit(limit)
        )
    )
    wanted = {line.carrier_id or line.message_id for line in lines}
    found = {
        one.id: one
        for one in session.scalars(
            select(OutboxMessage).where(OutboxMessage.id.in_(wanted)).execution_options(populate_existing=True)
        )
    }
    made = []
    for line in lines:
        message = found.get(line.carrier_id or line.message_id or 0)
        state, error = (message.state, message.last_error) if message else ("sent", "")
        made.append(Said(line.id, line.text, line.at, state, error, message.id if message else None))
    return made


def say_again(session: Session, actor: Actor, *, robot_id: int, message_id: int) -> OutboxMessage:
    """A person has looked into the group: what is in doubt may stand there already."""
    find_robot(session, actor, robot_id)
    message = session.get(OutboxMessage, message_id)
    if message is None or (message.record_type, message.record_id) != (ROBOT, robot_id):
        raise NotFound
    return outbox.resend(session, actor, message_id)


def sweep_lines(session: Session) -> int:
    """Forget what was said long ago."""
    old = clock.now() - KEEP
    gone = session.execute(delete(RobotLine).where(RobotLine.at < old))
    session.execute(
        delete(OutboxMessage).where(
            OutboxMessage.channel == ROBOT_CHANNEL,
            OutboxMessage.state.in_(("sent", "failed", "unknown", "cancelled")),
            OutboxMessage.created_at < old,
        )
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]
