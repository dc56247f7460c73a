"""Robots of group chats: made, changed, switched, tried, and what was said through each."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from processes.webhooks import operations
from processes.webhooks.models import Robot
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, Query, Version, endpoint
from webapp.api.webhooks import Name, Url

TAG = "robots"

Service = Literal["wecom", "dingtalk", "feishu"]
Secret = Annotated[str, msgspec.Meta(max_length=200)]


class RobotRequest(Body):
    name: Name
    """diagrams call the group by it"""
    kind: Service
    url: Url
    """as the chat program gives it; never shown again"""
    secret: Secret = ""
    """for signing, where that is switched on; never shown again"""


class RobotChange(Body):
    version: Version | None = None
    name: Name | msgspec.UnsetType = msgspec.UNSET
    kind: Service | msgspec.UnsetType = msgspec.UNSET
    url: Url | msgspec.UnsetType = msgspec.UNSET
    secret: Secret | msgspec.UnsetType = msgspec.UNSET
    state: Literal["on", "off"] | msgspec.UnsetType = msgspec.UNSET


class RobotLinesQuery(Query):
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 30


class RobotAnswer(Answer):
    """A robot. Its address and secret are never shown."""

    id: int
    version: int
    name: str
    kind: str
    state: str
    """on | off"""
    created_at: datetime
    changed_at: datetime


class Robots(Answer):
    items: list[RobotAnswer]


class RobotMessage(Answer):
    message: int | None
    """the message that carries it; several lines may share one"""
    text: str
    at: datetime
    state: str
    """queued | sending | sent | failed | unknown | cancelled"""
    error: str


class RobotMessages(Answer):
    items: list[RobotMessage]


def _robot(robot: Robot) -> RobotAnswer:
    return RobotAnswer(
        id=robot.id,
        version=robot.version,
        name=robot.name,
        kind=robot.kind,
        state=robot.state,
        created_at=robot.created_at,
        changed_at=robot.changed_at,
    )


@endpoint("GET", "/robots", tag=TAG)
def list_robots(call: Call) -> Robots:
    """Every robot of the house."""
    return Robots(items=[_robot(one) for one in operations.robots(call.session, call.actor)])


@endpoint("POST", "/robots", tag=TAG, status=201, refusals=(422,))
def create_robot(call: Call, body: RobotRequest) -> RobotAnswer:
    """Make a robot: the address of a custom robot of a group, and its secret."""
    robot = operations.create_robot(call.session, call.actor, values=msgspec.structs.asdict(body))
    call.headers["Location"] = f"{PREFIX}/robots/{robot.id}"
    return _robot(robot)


@endpoint("GET", "/robots/{robot_id}", tag=TAG)
def get_robot(call: Call, robot_id: Id) -> RobotAnswer:
    """One robot."""
    return _robot(operations.find_robot(call.session, call.actor, robot_id))


@endpoint("PATCH", "/robots/{robot_id}", tag=TAG, refusals=(409, 422))
def change_robot(call: Call, robot_id: Id, body: RobotChange) -> RobotAnswer:
    """Change what is named, or switch it on and off. An empty secret leaves the one there is."""
    given = {name: value for name, value in msgspec.structs.asdict(body).items() if value is not msgspec.UNSET}
    version = given.pop("version", None)
    return _robot(operations.change_robot(call.session, call.actor, robot_id=robot_id, version=version, values=given))


@endpoint("DELETE", "/robots/{robot_id}", tag=TAG, status=204)
def delete_robot(call: Call, robot_id: Id) -> None:
    """Delete it. What waits is not said."""
    operations.delete_robot(call.session, call.actor, robot_id=robot_id)


@endpoint("POST", "/robots/{robot_id}/actions/test", tag=TAG, status=201)
def send_test(call: Call, robot_id: Id) -> RobotMessage:
    """Say a line in the group."""
    operations.send_robot_test(call.session, call.actor, robot_id=robot_id)
    return _said(operations.said(call.session, call.actor, robot_id, 1)[0])


@endpoint("GET", "/robots/{robot_id}/messages", tag=TAG)
def list_said(call: Call, robot_id: Id, query: RobotLinesQuery) -> RobotMessages:
    """What was or is to be said in this group, newest first; kept for 90 days."""
    return RobotMessages(
        items=[_said(one) for one in operations.said(call.session, call.actor, robot_id, query.page_size)]
    )


@endpoint("POST", "/robots/{robot_id}/messages/{message_id}/actions/resend", tag=TAG, refusals=(409,))
def resend(call: Call, robot_id: Id, message_id: Id) -> RobotMessages:
    """Say again what failed or is in doubt, once somebody has looked into the group."""
    operations.say_again(call.session, call.actor, robot_id=robot_id, message_id=message_id)
    found = operations.said(call.session, call.actor, robot_id)
    return RobotMessages(items=[_said(one) for one in found if one.message_id == message_id])


def _said(line: operations.Said) -> RobotMessage:
    return RobotMessage(message=line.message_id, text=line.text, at=line.at, state=line.state, error=line.error)
