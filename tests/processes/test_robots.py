"""Robots of group chats: what waits leaves together, in turn, once; what went wrong is seen where it was said."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.outcome import Health, LinkState, Outcome
from connectors.robots.kinds import TOO_FAST
from connectors.robots.sending import OutRobot
from engine import delivering, outbox
from engine.db import Sessions, transaction
from engine.errors import Forbidden, InvalidForm, RuleViolation
from engine.models import OutboxMessage
from engine.service_tasks import TOPICS, StepFacts, invoke
from processes.webhooks import operations
from processes.webhooks.models import Robot
from processes.webhooks.permissions import MANAGE
from tests.conftest import TestClock
from tests.processes.company import Company, actor_of
from webapp.wires.robot import RobotHandler

VALUES = {"name": "销售群", "kind": "wecom", "url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=k-1"}


@dataclass
class Group:
    """What the people in the group read."""

    read: list[str] = field(default_factory=list)
    answers: list[Outcome] = field(default_factory=list)
    name: str = "group"

    def health(self) -> Health:
        return Health(LinkState.UP)

    def send(self, message: OutRobot) -> Outcome:
        outcome = self.answers.pop(0) if self.answers else Outcome.accepted("0")
        if outcome.is_accepted:
            self.read.append(message.text)
        return outcome


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Group:
    made = Group()
    monkeypatch.setattr(outbox, "HANDLERS", {"robot": RobotHandler(made)})
    return made


@pytest.fixture
def robot(company: Company) -> int:
    with transaction() as session:
        return operations.create_robot(session, admin(company), values=VALUES).id


def admin(company: Company) -> Any:
    return actor_of(company.chen, MANAGE)


def say(company: Company, robot: int, *texts: str) -> list[int]:
    with transaction() as session:
        known = session.get_one(Robot, robot)
        return [operations.say(session, admin(company), known, text=text, key=text[:20]) for text in texts]


def deliver() -> None:
    delivering.deliver_outbox()
    Sessions.remove()


def states() -> list[str]:
    with transaction() as session:
        found = list(session.scalars(select(OutboxMessage.state).order_by(OutboxMessage.id)))
    Sessions.remove()
    return found


def test_what_waits_leaves_together(company: Company, robot: int, group: Group) -> None:
    say(company, robot, "一", "二", "三")
    deliver()
    assert group.read == ["一\n\n二\n\n三"]
    assert states() == ["sent"] * 3
    deliver()
    assert len(group.read) == 1


def test_the_same_wish_is_said_once(company: Company, robot: int, group: Group) -> None:
    assert say(company, robot, "一") == say(company, robot, "一")
    deliver()
    assert group.read == ["一"]


def test_a_burst_keeps_the_limit_and_loses_nothing(
    company: Company, robot: int, group: Group, clock: TestClock
) -> None:
    """Twenty-one long messages that fit only one by one: the last waits for the minute to pass."""
    texts = [f"{n:02d}" + "长" * 600 for n in range(21)]
    say(company, robot, *texts)
    deliver()
    assert len(group.read) == 20
    clock.advance(seconds=63)
    deliver()
    assert group.read == texts
    assert states() == ["sent"] * 21


def test_too_fast_is_waited_out_without_asking_again(
    company: Company, robot: int, group: Group, clock: TestClock
) -> None:
    group.answers = [Outcome.deferred(timedelta(minutes=10), TOO_FAST)]
    say(company, robot, "一")
    deliver()
    say(company, robot, "二")
    clock.advance(minutes=9)
    deliver()
    assert group.read == []
    clock.advance(minutes=2)
    deliver()
    assert "\n\n".join(group.read) == "一\n\n二"


def test_what_was_carried_is_seen_with_its_carrier_and_said_again_with_it(
    company: Company, robot: int, group: Group
) -> None:
    group.answers = [Outcome.unknown("no_answer")]
    say(company, robot, "一", "二")
    deliver()
    with transaction() as session:
        lines = operations.said(session, admin(company), robot)
    assert [(line.text, line.state) for line in lines] == [("二", "unknown"), ("一", "unknown")]
    deliver()
    assert group.read == [], "what is in doubt is not said twice by itself"
    with transaction() as session:
        operations.say_again(session, admin(company), robot_id=robot, message_id=lines[0].message_id or 0)
    deliver()
    assert group.read == ["一\n\n二"]


def test_what_somebody_cancelled_is_not_carried_along(company: Company, robot: int, group: Group) -> None:
    first, second, third = say(company, robot, "一", "二", "三")
    with transaction() as session:
        outbox.cancel(session, second)
    deliver()
    assert group.read == ["一\n\n三"]
    assert (first < third, states()) == (True, ["sent", "cancelled", "sent"])


def test_a_robot_that_is_off_or_gone_says_nothing(company: Company, robot: int, group: Group) -> None:
    say(company, robot, "一")
    with transaction() as session:
        operations.change_robot(session, admin(company), robot_id=robot, values={"state": "off"})
    deliver()
    with transaction() as session:
        operations.change_robot(session, admin(company), robot_id=robot, values={"state": "on"})
    say(company, robot, "二")
    with transaction() as session:
        operations.delete_robot(session, admin(company), robot_id=robot)
    deliver()
    assert (group.read, states()) == ([], ["failed", "failed"])


def test_a_diagram_tells_a_group(company: Company, robot: int, group: Group, session: Session) -> None:
    facts = StepFacts(7, "d", None, 1, 3, "n", None)
    topic = TOPICS["webhooks.notify_group"]
    with pytest.raises(RuleViolation, match="no robot"):
        invoke(topic, session, admin(company), facts, {"group": "没有的群", "text": "x"})
    for _n in range(2):
        told = invoke(topic, session, admin(company), facts, {"group": "销售群", "text": "签约了"})
    session.commit()
    deliver()
    assert group.read == ["签约了"]
    assert told["message"] > 0


def test_the_address_is_that_of_the_service_and_stays_hidden(company: Company, session: Session) -> None:
    for url in ("https://example.com/x", "http://qyapi.weixin.qq.com/x", "https://10.0.0.1/", "x"):
        with pytest.raises(InvalidForm) as refused:
            operations.create_robot(session, admin(company), values={**VALUES, "url": url})
        assert set(refused.value.by_field()) == {"url"}
    made = operations.create_robot(session, admin(company), values={**VALUES, "secret": "s-1"})
    session.flush()
    changed = operations.change_robot(
        session, admin(company), robot_id=made.id, values={"name": "新名", "url": "", "secret": ""}
    )
    assert (changed.name, changed.url, changed.secret) == ("新名", VALUES["url"], "s-1")
    with pytest.raises(InvalidForm):
        operations.create_robot(session, admin(company), values={**VALUES, "name": "新名"})
    with pytest.raises(Forbidden):
        operations.create_robot(session, actor_of(company.li), values=VALUES)
