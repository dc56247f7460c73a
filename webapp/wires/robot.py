"""Robots of group chats: one turn a message, several lines in it, never faster than the services allow."""

from __future__ import annotations

from dataclasses import dataclass, field

from connectors.outcome import Outcome
from connectors.robots.kinds import TOO_FAST
from connectors.robots.sending import HttpRobots, OutRobot, RobotSender, SimulatedRobots
from connectors.safe_http import Allowed
from engine import clock
from engine.db import Sessions, transaction
from engine.wire import Delivery, Leased, Limits
from processes.webhooks.operations import block, take_turn
from webapp.settings import Settings
from webapp.wires.answers import delivery_of

ROBOT = "robot"


def robot_road(settings: Settings) -> RobotSender:
    if settings.devices_simulated:
        return SimulatedRobots()
    return HttpRobots(Allowed.parse(settings.webhook_allow_private))


@dataclass(frozen=True)
class RobotHandler:
    """Payload: {"robot", "line", "text"}; result: {"lines"} it carried, or {"carried_by"}, {"road"}."""

    road: RobotSender
    retry_unknown: bool = False
    limits: Limits = field(default_factory=lambda: Limits(lane=lambda message: f"robot:{message.payload['robot']}"))

    def deliver(self, message: Leased) -> Delivery:
        robot_id = int(message.payload["robot"])
        with transaction() as session:
            turn = take_turn(session, message.id, robot_id, int(message.payload["line"]))
        Sessions.remove()
        if turn.refused:
            return delivery_of(Outcome.rejected(turn.refused), dict(message.result))
        if turn.carried_by is not None:
            return delivery_of(Outcome.accepted("carried"), {"carried_by": turn.carried_by})
        if turn.wait is not None:
            return delivery_of(Outcome.held(turn.wait, "waits_its_turn"), dict(message.result))
        outcome = self.road.send(OutRobot(turn.kind, turn.url, turn.secret, turn.text, clock.now()))
        if outcome.code == TOO_FAST and outcome.retry_after is not None:
            with transaction() as session:
                block(session, robot_id, outcome.retry_after)
            Sessions.remove()
        return delivery_of(outcome, {"lines": list(turn.lines), "road": self.road.name})
