"""Topic named in a diagram -> function of the business (inside the step) or connector (through the outbox)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.i18n import Sentence

Function = TypeVar("Function", bound=Callable[..., Any])


@dataclass(frozen=True, slots=True)
class StepFacts:
    """What a service task may know about the step it runs in."""

    instance_id: int
    definition_key: str
    business_key: str | None
    starter_id: int
    token: int
    node: str
    boundary_host: str | None
    """the task whose boundary event led here, when there is one"""

    @property
    def idempotency_key(self) -> str:
        return f"{self.instance_id}:{self.token}"


@dataclass(frozen=True, slots=True)
class Topic:
    name: str
    kind: Literal["operation", "connector"]
    title: Sentence | None
    function: Callable[..., Any]
    parameters: tuple[str, ...]
    required: tuple[str, ...]


TOPICS: dict[str, Topic] = {}


def _declare(
    kind: Literal["operation", "connector"], name: str, title: Sentence | None
) -> Callable[[Function], Function]:
    def decorate(function: Function) -> Function:
        signature = inspect.signature(function)
        keyword = [p for p in signature.parameters.values() if p.kind is inspect.Parameter.KEYWORD_ONLY]
        TOPICS[name] = Topic(
            name=name,
            kind=kind,
            title=title,
            function=function,
            parameters=tuple(p.name for p in keyword),
            required=tuple(p.name for p in keyword if p.default is inspect.Parameter.empty),
        )
        return function

    return decorate


def service_task(name: str, title: Sentence | None = None) -> Callable[[Function], Function]:
    """A business operation `(session, actor, facts: StepFacts, *, named parameters) -> JSON-able result`.

    It runs inside the step's own transaction. Raising RuleViolation refuses a person's step as a whole (an incident
    when no person waits for the answer); BpmnError goes to the diagram's error event; anything else is an incident.
    """
    return _declare("operation", name, title)


def connector_task(name: str, title: Sentence | None = None) -> Callable[[Function], Function]:
    """A function of the same shape that writes to the outbox and returns that id; the token waits for the result."""
    return _declare("connector", name, title)


def invoke(
    topic: Topic,
    session: Session,
    actor: Actor,
    facts: StepFacts,
    parameters: dict[str, Any],
) -> Any:
    return topic.function(session, actor, facts, **parameters)
