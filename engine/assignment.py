"""Candidate rule named in a diagram -> the people a work item goes to."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import groupby
from operator import itemgetter
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from engine.i18n import Sentence

_GROUP_KINDS = {"position": 1, "role": 2, "department": 3}
_GROUP_SPACE = 1_000_000_000_000


def group_principal(kind: str, id: int) -> int:
    """The (negative) inbox key of a pool of people: a position, a role or a department."""
    return -(_GROUP_KINDS[kind] * _GROUP_SPACE + id)


def group_of(principal: int) -> tuple[str, int]:
    """The kind and id of a group principal: what group_principal was given."""
    number, id = divmod(-principal, _GROUP_SPACE)
    return next(kind for kind, its in _GROUP_KINDS.items() if its == number), id


@dataclass(frozen=True, slots=True)
class Request:
    """What a rule may look at."""

    instance_id: int
    definition_key: str
    node: str
    starter_id: int
    variables: dict[str, Any]
    """process variables plus `form`, the present form values"""
    handlers: Mapping[str, int]
    """node id -> person who completed it last"""


@dataclass(frozen=True, slots=True)
class Candidates:
    """Whom a rule found: persons by id, pools by group principal; `path`: the name the rule went by
    (the person, post or department), shown beside the rule's title.
    """

    persons: tuple[int, ...] = ()
    groups: tuple[int, ...] = ()
    path: str = ""

    def __bool__(self) -> bool:
        return bool(self.persons or self.groups)


Rule = Callable[..., Candidates]
RuleT = TypeVar("RuleT", bound=Rule)


@dataclass(frozen=True, slots=True)
class AssignmentRule:
    name: str
    title: Sentence
    function: Rule
    argument: str | None = None
    """what stands in the brackets, for the designer's picker: person | position | role | levels | field | node"""
    together: bool = False
    """calls that stand side by side are asked at once, with all their arguments: a diagram may name a thousand"""


RULES: dict[str, AssignmentRule] = {}


def assignment(
    name: str, title: Sentence, argument: str | None = None, *, together: bool = False
) -> Callable[[RuleT], RuleT]:
    """Declare `(session, request: Request, argument: str | None) -> Candidates` under a name diagrams may use.

    together: `(session, request, arguments: list[str | None])` instead.
    """

    def declare(function: RuleT) -> RuleT:
        RULES[name] = AssignmentRule(name, title, function, argument, together)
        return function

    return declare


_CALL = re.compile(r"^\s*([a-z_][a-z0-9_]*)\s*(?:\(\s*([^()]*?)\s*\))?\s*$")


def parse(text: str) -> tuple[str, str | None] | None:
    """Read "superior" as ("superior", None), "position(finance)" as ("position", "finance"), anything else as None."""
    match = _CALL.match(text)
    return (match.group(1), match.group(2) or None) if match else None


def resolve(session: Session, rules: Iterable[str], request: Request) -> Iterator[Candidates]:
    """Ask these rules in their order; an unknown rule was refused at deploy, so a KeyError here is a defect."""
    for name, calls in groupby(map(_parsed, rules), key=itemgetter(0)):
        rule, arguments = RULES[name], [argument for _name, argument in calls]
        if rule.together:
            yield rule.function(session, request, arguments)
        else:
            yield from (rule.function(session, request, argument) for argument in arguments)


def _parsed(rule: str) -> tuple[str, str | None]:
    parsed = parse(rule)
    if parsed is None:
        raise KeyError(rule)
    return parsed
