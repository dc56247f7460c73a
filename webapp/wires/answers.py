"""What a road answered, as the outbox keeps it; how a road is, as the health page reads it."""

from __future__ import annotations

from typing import Any, Protocol

from connectors.outcome import Health, Outcome, Trial
from engine.wire import Delivery
from engine.wire_tests import Step


def delivery_of(outcome: Outcome, detail: dict[str, Any]) -> Delivery:
    error = "" if outcome.is_accepted else f"{outcome.code}: {outcome.text}" if outcome.text else outcome.code
    return Delivery(outcome.verdict.value, detail, error, outcome.retry_after, tried=outcome.tried)


class Tried(Protocol):
    def try_out(self) -> list[Trial]: ...


class Road(Tried, Protocol):
    def health(self) -> Health: ...


class _RoadHealth:
    def __init__(self, road: Road) -> None:
        self._road = road

    def __call__(self) -> tuple[str, str]:
        health: Health = self._road.health()
        return health.state.value, health.reason


def health_of(handler: Any) -> _RoadHealth:
    return _RoadHealth(handler.road)


class _RoadTrial:
    def __init__(self, road: Tried) -> None:
        self._road = road

    def __call__(self) -> list[Step]:
        return [Step(one.step, one.ok, one.words) for one in self._road.try_out()]


def trial_of(handler: Any) -> _RoadTrial:
    return trial_of_road(handler.road)


def trial_of_road(road: Tried) -> _RoadTrial:
    return _RoadTrial(road)
