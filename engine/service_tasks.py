"""Topic named in a diagram -> function of the business (inside the step) or connector (through the outbox)."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from types import NoneType, UnionType
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import AppError
from engine.i18n import Sentence, _

Function = TypeVar("Function", bound=Callable[..., Any])

LONGEST_SHOWN = 60
"""Of a value that does not fit."""


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
    types: Mapping[str, Any]
    """parameter -> what it takes, as the function says"""


class WrongParameter(AppError):
    """The diagram hands a parameter something it cannot be; nobody who presses a button can mend that."""

    code = "wrong_parameter"


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
            types={name: hint for name, hint in get_type_hints(function).items() if name in {p.name for p in keyword}},
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
    """Raises WrongParameter before anything is done with a value the function does not take."""
    fitting = {name: _fitting(topic, name, value) for name, value in parameters.items()}
    return topic.function(session, actor, facts, **fitting)


# ------------------------------------------------------------------------------------------------- what parameters take

_LARGEST = 2**63
_NUMBER = re.compile("-?[0-9]{1,19}")


class _DoesNotFit(ValueError):
    pass


def _fitting(topic: Topic, name: str, value: Any) -> Any:
    hint = topic.types.get(name, Any)
    try:
        return _as(hint, value)
    except _DoesNotFit:
        given = str(_("nothing")) if value is None else str(value)[:LONGEST_SHOWN]
        raise WrongParameter(
            _(
                "“{parameter}” of “{topic}” takes {expected}, and was given: {given}",
                parameter=name,
                topic=topic.name,
                expected=_in_words(hint),
                given=given,
            ),
            remedy=_("Correct the expression of this parameter in the diagram, or the value it reads; then try again."),
        ) from None


def _as(hint: Any, value: Any) -> Any:
    """The value as this type; whole numbers may come as text or as a decimal, as forms and expressions hold them."""
    origin, inner = get_origin(hint), get_args(hint)
    if hint is Any:
        return value
    if origin in (Union, UnionType):
        return _as_one_of(inner, value)
    if hint is int and not isinstance(value, bool) and _is_whole(value):
        return int(value)
    if origin is Sequence and isinstance(value, (list, tuple)):
        return [_as(inner[0], one) for one in value]
    if isinstance(value, origin or hint) and hint is not int and origin is not Sequence:
        return value
    raise _DoesNotFit


def _as_one_of(hints: Iterable[Any], value: Any) -> Any:
    for hint in hints:
        try:
            return _as(hint, value)
        except _DoesNotFit:
            continue
    raise _DoesNotFit


def _is_whole(value: Any) -> bool:
    if isinstance(value, str):
        return _NUMBER.fullmatch(value) is not None and abs(int(value)) < _LARGEST
    return isinstance(value, (int, Decimal)) and -_LARGEST < value < _LARGEST and value == int(value)


def _in_words(hint: Any) -> Sentence:
    kinds = [one for one in get_args(hint) if one is not NoneType] if get_origin(hint) in (Union, UnionType) else [hint]
    first = get_origin(kinds[0]) or kinds[0]
    if first is Sequence:
        of_whole_numbers = get_args(kinds[0])[:1] == (int,)
        return _("a list of whole numbers") if of_whole_numbers else _("a list")
    return _WORDS.get(first, _("something else"))


_WORDS = {int: _("a whole number"), str: _("a text"), bool: _("yes or no"), Mapping: _("a group of named values")}
