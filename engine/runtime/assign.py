"""Finds the people of a work item: the diagram's rules, then the fallback, never nobody and never oneself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from sqlalchemy import ColumnElement, select
from sqlalchemy.orm import Session

from engine import assignment, policy as policies
from engine.assignment import Candidates, Request
from engine.catalog import CATALOG
from engine.errors import RuleViolation
from engine.i18n import _
from engine.models import WorkItem
from engine.recorder import NewItem
from engine.workflow.contract import Node, OpenedTask

DECIDED = ("done", "auto")
MOST_RULES_KEPT = 20


class Handlers(Mapping[str, int]):
    """node id -> who completed it last; asked of the database only when a rule wants it."""

    def __init__(self, session: Session, instance_id: int, now: Callable[[], Mapping[str, int]]) -> None:
        self._session = session
        self._instance_id = instance_id
        self._now = now

    def __getitem__(self, node: str) -> int:
        if node in (now := self._now()):
            return now[node]
        found = self._session.scalar(
            select(WorkItem.done_by)
            .where(*self._decided(), WorkItem.node == node)
            .order_by(WorkItem.id.desc())
            .limit(1)
        )
        if found is None:
            raise KeyError(node)
        return found

    def __iter__(self) -> Iterator[str]:
        return iter({*self._now(), *self._session.scalars(select(WorkItem.node).where(*self._decided()))})

    def _decided(self) -> tuple[ColumnElement[bool], ...]:
        """Of this instance, by whom it was asked to decide: an answer to a side question decides nothing."""
        return WorkItem.instance_id == self._instance_id, WorkItem.kind == "sign", WorkItem.state.in_(DECIDED)

    def __len__(self) -> int:
        return sum(1 for _node in self)


def is_approval(node: Node) -> bool:
    """An approval decides over somebody's request; any other user task is work to be done."""
    return any(name.startswith("approval.") for name in node.properties)


def reads_form(node: Node) -> bool:
    """Whether its candidate rules look at the form, which is read only for those who do."""
    rules = "".join(node.candidates)
    return "form" in rules or "field" in rules


def active(session: Session, persons: Iterable[int]) -> tuple[int, ...]:
    """Those of these people who are still with the company, in their order."""
    directory = CATALOG.directory
    return directory.active(session, tuple(persons)) if directory is not None else tuple(persons)


def find(
    session: Session,
    node: Node,
    *,
    instance_id: int,
    definition_key: str,
    starter_id: int,
    variables: Mapping[str, Any],
    form: Mapping[str, Any],
    done_now: Callable[[], Mapping[str, int]] = dict,
) -> tuple[Candidates, str]:
    """The candidates of a user task and the rule that found them.

    done_now: {node: person} of what this very step has completed and not written yet.
    Nobody (an empty answer) only where the diagram says what then: approve, reject, hold, a named person.
    """
    if node.kind == "startEvent":
        return to_starter(starter_id)
    rule = policies.read(node.properties) if is_approval(node) else None
    request = Request(
        instance_id=instance_id,
        definition_key=definition_key,
        node=node.id,
        starter_id=starter_id,
        variables={**variables, "form": form},
        handlers=Handlers(session, instance_id, done_now),
    )
    own_allowed = rule is None or rule.own_allowed
    found = _asked(session, node.candidates, request)
    kept = tuple(p for p in found.persons if own_allowed or p != starter_id)
    if kept or found.groups:
        return Candidates(kept, found.groups, found.path), _in_short(node.candidates)
    if rule is not None and found.persons:  # only the starter: one level up
        above = "department_head" if rule.self == "dept_head" else "superior"
        instead = _asked(session, (above,), request) if above in assignment.RULES else Candidates()
        persons = tuple(p for p in instead.persons if p != starter_id)
        if persons:
            return Candidates(persons, (), instead.path), above
    if rule is not None and rule.empty != "admin":
        return Candidates(), f"empty:{rule.empty}"
    return _fallback(session, node, found.path, None if own_allowed else starter_id), "fallback"


def to_starter(starter_id: int) -> tuple[Candidates, str]:
    """What comes back to the start event: whoever sent it mends it."""
    return Candidates((starter_id,)), "starter"


def _in_short(rules: Sequence[str]) -> str:
    """Kept with each of their items: a list of a thousand people must not stand there a thousand times."""
    return ", ".join((*rules[:MOST_RULES_KEPT], "…") if len(rules) > MOST_RULES_KEPT else rules)


def _asked(session: Session, rules: Iterable[str], request: Request) -> Candidates:
    """Everybody these rules find, each once."""
    persons: dict[int, None] = {}
    groups: dict[int, None] = {}
    paths = []
    for found in assignment.resolve(session, rules, request):
        persons |= dict.fromkeys(found.persons)
        groups |= dict.fromkeys(found.groups)
        if found.path:
            paths.append(found.path)
    return Candidates(tuple(persons), tuple(groups), "; ".join(paths))


def _fallback(session: Session, node: Node, path: str, but_not: int | None) -> Candidates:
    fallback = CATALOG.directory.fallback_persons(session) if CATALOG.directory else ()
    keep = tuple(p for p in fallback if p != but_not)
    if not keep:
        raise RuleViolation(
            _("Nobody was found for “{step}”, and no fallback person is set.", step=node.name or node.id)
            if not fallback
            else _("Nobody but the starter was found for “{step}”, who may not decide it.", step=node.name or node.id),
            remedy=_("Ask the administrator to name a fallback person or to complete the organization chart."),
        )
    return Candidates(keep, (), path)


def new_item(task: OpenedTask, node: Node, candidates: Candidates, rule: str) -> NewItem:
    alone = candidates.persons[0] if len(candidates.persons) == 1 and not candidates.groups else None
    return NewItem(
        token=task.token,
        node=node.id,
        title=node.name or node.id,
        assignee_id=alone,
        principals=(*candidates.persons, *candidates.groups),
        reason={"rule": rule, "path": candidates.path},
    )
