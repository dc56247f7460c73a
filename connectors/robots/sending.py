"""One message to a robot, as carefully as a webhook. Robots know no ids: what is in doubt stays in doubt."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Protocol

from connectors import safe_http
from connectors.outcome import ConnectorError, Health, LinkDown, LinkState, Outcome, PeerSilent
from connectors.robots.catalogue import KINDS
from connectors.safe_http import Allowed

HELD = timedelta(minutes=1)
"""Before a service that could not be reached is tried again."""


@dataclass(frozen=True)
class OutRobot:
    """The address and the secret let anybody speak in the group: they show in no repr."""

    kind: str
    url: str = field(repr=False)
    secret: str = field(repr=False)
    text: str
    at: datetime


class RobotSender(Protocol):
    @property
    def name(self) -> str: ...

    def send(self, message: OutRobot) -> Outcome: ...

    def health(self) -> Health: ...


class HttpRobots:
    name = "https"

    def __init__(self, allowed: Allowed = safe_http.NOTHING_PRIVATE, *, timeout: float = safe_http.TIMEOUT) -> None:
        self._allowed = allowed
        self._timeout = timeout

    def health(self) -> Health:
        return Health(LinkState.UP)

    def send(self, message: OutRobot) -> Outcome:
        kind = KINDS[message.kind]
        request = kind.build(message.url, message.secret, message.text, message.at)
        headers = {"Content-Type": "application/json; charset=utf-8"}
        try:
            answer = safe_http.post(request.url, request.body, headers, allowed=self._allowed, timeout=self._timeout)
        except LinkDown as down:
            return Outcome.held(HELD, down.code, str(down))
        except PeerSilent as silent:
            return Outcome.unknown(silent.code, str(silent))
        except ConnectorError as error:
            return Outcome.rejected(error.code, str(error))
        return kind.judge(answer.status, answer.json())


class SimulatedRobots:
    """Takes everything and says nothing; in the demo company."""

    name = "simulator"

    def health(self) -> Health:
        return Health(LinkState.UP, "simulated")

    def send(self, message: OutRobot) -> Outcome:
        return Outcome.accepted("simulated")
