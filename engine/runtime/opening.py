"""Turns the user tasks a step has opened into work items: for whom, one for all or one each, and what rules decide."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from engine import policy as policies, repository
from engine.assignment import Candidates
from engine.catalog import CATALOG
from engine.journal import Entry
from engine.models import WorkItem
from engine.policy import Policy, Tally
from engine.recorder import ClosedItem, NewItem
from engine.runtime import assign
from engine.runtime.facts import InstanceFacts
from engine.runtime.host import StepHost
from engine.workflow.contract import Changes, Node, OpenedTask

SENT_BACK = ("return", "reject")


@dataclass(frozen=True, slots=True)
class Again:
    """A step that comes again after a return, a jump or a migration: to whom, and why."""

    people: tuple[int, ...] = ()
    """empty: whom the diagram names"""
    reason: Mapping[str, Any] = field(default_factory=dict)
    kept: Mapping[int, str] = field(default_factory=dict)
    """{person: name} whose earlier approval stays valid"""
    reuse: bool = False
    """the caller puts an item there that exists already"""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A node that is decided as soon as it opens."""

    token: int
    node: Node
    outcome: str
    by: int
    opinion: str = ""


class Opening:
    """The items one step opens, gathered over as many rounds as rules decide by themselves."""

    def __init__(
        self,
        session: Session,
        loaded: repository.Loaded,
        facts: InstanceFacts,
        host: StepHost,
        closed: ClosedItem | None,
        again: Mapping[str, Again],
    ) -> None:
        self._session = session
        self._loaded = loaded
        self._facts = facts
        self._host = host
        self._closed = closed
        self._again = again
        self.items: list[NewItem] = []
        self.entries: list[Entry] = []

    def take(self, changes: Changes) -> list[Verdict]:
        """Make items of what `changes` opened; the nodes that are decided already."""
        dues = _drawn_dues(self._loaded, changes)
        verdicts = []
        for task in changes.opened:
            node = self._loaded.compiled.nodes[task.node]
            due_at = task.due_at or dues.get(node.id)
            verdict = self._open(task, node, due_at)
            if verdict is not None:
                verdicts.append(verdict)
        return verdicts

    def left(self, gone: set[int]) -> list[NewItem]:
        """What the step writes: the items of tokens that still live, and every automatic one."""
        return [item for item in self.items if item.state == "auto" or item.token not in gone]

    def automatic(self) -> list[NewItem]:
        return [item for item in self.items if item.state == "auto"]

    # -- one task

    def _open(self, task: OpenedTask, node: Node, due_at: datetime | None) -> Verdict | None:
        again = self._again.get(node.id, Again())
        if again.reuse:
            return None
        if node.kind == "startEvent":
            self._plain(task, node, *assign.to_starter(self._facts.starter_id), due_at, again)
            return None
        rule = policies.read(node.properties) if assign.is_approval(node) else None
        found, by = self._people(task, node, again)
        if rule is None:
            self._plain(task, node, found, by, due_at, again)
            return None
        if not found:
            return self._nobody(task, node, rule, due_at, again)
        if rule.each:
            return self._each(task, node, rule, found, by, due_at, again)
        return self._plain(task, node, found, by, due_at, again, rule)

    def _people(self, task: OpenedTask, node: Node, again: Again) -> tuple[Candidates, str]:
        named = again.people or tuple(int(p) for p in self._facts.people.get(node.id, ()))
        if named:
            still_here = assign.active(self._session, named)
            if still_here:
                return Candidates(still_here), str(again.reason.get("rule") or "named")
        return assign.find(
            self._session,
            node,
            instance_id=self._facts.id,
            definition_key=self._facts.definition_key,
            starter_id=self._facts.starter_id,
            variables=task.data,
            form=self._host.form_values() if assign.reads_form(node) else {},
            done_now=self._done_now,
        )

    def _done_now(self) -> dict[str, int]:
        """Node -> who has completed it in this step, which is written only after the next ones are opened."""
        done = {item.node: item.done_by for item in self.items if item.state == "auto" and item.done_by}
        closed = self._closed
        if closed is None or closed.outcome not in ("approve", "submit"):
            return done
        node = self._session.scalar(select(WorkItem.node).where(WorkItem.id == closed.item_id))
        return {str(node): closed.done_by, **done}

    def _plain(
        self,
        task: OpenedTask,
        node: Node,
        found: Candidates,
        by: str,
        due_at: datetime | None,
        again: Again,
        rule: Policy | None = None,
    ) -> Verdict | None:
        """One item: of one person, or of a pool."""
        item = assign.new_item(task, node, found, by)
        item.due_at = due_at
        item.reason = {**item.reason, **again.reason}
        self._stand_in(item)
        self.items.append(item)
        alone = item.assignee_id if item.on_behalf_of is None else None
        if rule is None or alone is None:
            return None
        passed = self._passed(rule, alone)
        if passed is None:
            return None
        self._pass(item, alone, self._names([alone])[alone], *passed)
        return Verdict(task.token, node, "approve", alone)

    def _each(
        self,
        task: OpenedTask,
        node: Node,
        rule: Policy,
        found: Candidates,
        by: str,
        due_at: datetime | None,
        again: Again,
    ) -> Verdict | None:
        """An item for everyone; in order, only the first is open."""
        persons = list(dict.fromkeys((*found.persons, *self._members(found.groups))))
        if not rule.own_allowed:
            persons = [p for p in persons if p != self._facts.starter_id] or persons
        away = self._proxies(persons)
        asked = ((person, self._spared(rule, person, again, away)) for person in persons)
        spared = {person: passed for person, passed in asked if passed is not None}
        names = self._names(spared)
        items = []
        for sequence, person in enumerate(persons):
            item = NewItem(
                token=task.token,
                node=node.id,
                title=node.name or node.id,
                assignee_id=away.get(person, person),
                principals=(away.get(person, person),),
                reason={"rule": by, "path": found.path, **again.reason},
                due_at=due_at,
                sequence=sequence,
                many=True,
                weight=rule.weight_of(person),
                on_behalf_of=person if person in away else None,
            )
            if person in spared:
                self._pass(item, person, names[person], *spared[person])
            items.append(item)
        if rule.sign == "sequential":
            for item in [one for one in items if one.state == "open"][1:]:
                item.state = "waiting"
        self.items += items
        outcome = policies.decide(rule, tally_of(items))
        return Verdict(task.token, node, outcome, 0) if outcome is not None else None

    def _nobody(
        self, task: OpenedTask, node: Node, rule: Policy, due_at: datetime | None, again: Again
    ) -> Verdict | None:
        """No candidate: the diagram says what then."""
        if rule.empty.startswith("user:"):
            named = assign.active(self._session, [int(rule.empty.removeprefix("user:"))])
            if named and (rule.own_allowed or self._facts.starter_id not in named):
                return self._plain(task, node, Candidates(named), f"empty:{rule.empty}", due_at, again, rule)
        item = NewItem(
            task.token,
            node.id,
            node.name or node.id,
            None,
            (),
            {"rule": f"empty:{rule.empty}", "path": "", **again.reason},
            due_at,
        )
        self.items.append(item)
        if rule.empty not in ("approve", "reject"):
            return None  # held until somebody who administers processes gives it to a person
        item.state, item.outcome = "auto", rule.empty
        detail = {"rule": f"approval.empty={rule.empty}"}
        self.entries.append(Entry("auto", node.id, task.token, detail=detail))
        return Verdict(task.token, node, rule.empty, 0)

    # -- rules that spare people

    def _spared(self, rule: Policy, person: int, again: Again, away: Mapping[int, int]) -> tuple[str, str] | None:
        """By which rule and after which node one signer is not asked; ("kept", name) where his decision still holds."""
        kept = again.kept.get(person)
        if kept is not None:
            return "kept", kept
        return None if person in away else self._passed(rule, person)

    def _passed(self, rule: Policy, person: int) -> tuple[str, str] | None:
        """(rule, after which node) by which this person need not be asked; never once something was sent back."""
        if rule.opinion or rule.signature:
            return None
        if rule.self == "skip" and person == self._facts.starter_id and not self._sent_back():
            return "approval.self", ""
        closed = self._closed
        if rule.dedupe == "consecutive" and closed is not None and closed.outcome == "approve":
            spoke = self._last_node(person)
            return ("approval.dedupe", spoke) if spoke else None
        if rule.dedupe == "all":
            spoke = self._approved_before(person)
            return ("approval.dedupe", spoke) if spoke else None
        return None

    def _last_node(self, person: int) -> str:
        """Where this person has agreed in this very step."""
        closed = self._closed
        for item in reversed(self.items):
            if item.state == "auto" and item.done_by == person:
                return item.node
        if closed is None or closed.done_by != person:
            return ""
        return self._session.scalar(select(WorkItem.node).where(WorkItem.id == closed.item_id)) or ""

    def _approved_before(self, person: int) -> str:
        here = self._last_node(person) if self._closed is not None and self._closed.outcome == "approve" else ""
        return here or self._approved.get(person, "")

    @cached_property
    def _approved(self) -> dict[int, str]:
        """Person -> where he has agreed last, since it last came back and before this step."""
        back = self._session.scalar(
            select(func.max(WorkItem.done_at)).where(
                WorkItem.instance_id == self._facts.id,
                or_(WorkItem.state == "returned", WorkItem.outcome.in_(SENT_BACK)),
            )
        )
        since = [WorkItem.done_at > back] if back is not None else []
        agreed = select(WorkItem.done_by, WorkItem.node).where(
            WorkItem.instance_id == self._facts.id,
            WorkItem.done_by.is_not(None),
            WorkItem.outcome == "approve",
            *since,
        )
        return {person: node for person, node in self._session.execute(agreed.order_by(WorkItem.id)) if person}

    def _sent_back(self) -> bool:
        if self._again:
            return True
        sent = exists().where(WorkItem.instance_id == self._facts.id, WorkItem.outcome.in_(SENT_BACK))
        return bool(self._session.scalar(select(sent)))

    def _pass(self, item: NewItem, person: int, name: str, by: str, after: str) -> None:
        item.state, item.outcome, item.done_by = "auto", "approve", person
        item.done_by_name = after if by == "kept" else name
        item.reason = {**item.reason, "passed": by}
        detail = {"rule": by, "for": person, **({"after": after} if after and by != "kept" else {})}
        self.entries.append(Entry("auto", item.node, item.token, detail=detail))

    def _names(self, persons: Iterable[int]) -> dict[int, str]:
        wanted = list(persons)
        known = CATALOG.directory.names(self._session, wanted) if CATALOG.directory and wanted else {}
        if self._closed is not None:
            known[self._closed.done_by] = self._closed.done_by_name
        return {person: known.get(person, str(person)) for person in wanted}

    # -- those who are away

    def _stand_in(self, item: NewItem) -> None:
        """Give it to whoever acts for the person; in a pool, to him as well."""
        if CATALOG.proxies is None:
            return
        if item.assignee_id is not None:
            proxy = self._proxies([item.assignee_id]).get(item.assignee_id)
            if proxy is not None:
                item.on_behalf_of, item.assignee_id, item.principals = item.assignee_id, proxy, (proxy,)
            return
        persons = [p for p in item.principals if p > 0]
        members = [*persons, *self._members([p for p in item.principals if p < 0])]
        away = self._proxies(members)
        if away:
            item.principals = (*item.principals, *(p for p in away.values() if p not in members))
            item.reason = {**item.reason, "for": {str(proxy): person for person, proxy in away.items()}}

    def _proxies(self, persons: Sequence[int]) -> Mapping[int, int]:
        if CATALOG.proxies is None or not persons:
            return {}
        return CATALOG.proxies(
            self._session,
            persons,
            definition_key=self._facts.definition_key,
            starter_id=self._facts.starter_id,
            form=self._host.form_values,
        )

    def _members(self, groups: Iterable[int]) -> list[int]:
        directory = CATALOG.directory
        return [p for group in groups for p in directory.members(self._session, group)] if directory else []


def tally_of(items: Iterable[NewItem]) -> Tally:
    """How new items stand: some may be decided by rule already."""
    approved = sum(item.weight for item in items if item.outcome == "approve")
    rest = sum(item.weight for item in items if item.outcome == "none")
    return Tally(approved=approved, open=rest)


def _drawn_dues(loaded: repository.Loaded, changes: Changes) -> dict[str, datetime]:
    """Node -> the first moment of a timer drawn on its border."""
    dues: dict[str, datetime] = {}
    for timer in changes.timers_set:
        hung_on = loaded.compiled.nodes.get(timer.node)
        if hung_on is not None and hung_on.attached_to:
            earlier = dues.get(hung_on.attached_to)
            dues[hung_on.attached_to] = min(earlier, timer.due_at) if earlier else timer.due_at
    return dues


def joined(first: Changes, more: Changes) -> Changes:
    """Two stretches of one step as one; what the second took back of the first never happened."""
    cleared = {*more.timers_cleared, *more.waits_cleared, *more.failures_cleared}
    again = {timer.token for timer in more.timers_set}
    return replace(
        first,
        opened=[*first.opened, *more.opened],
        closed=[*first.closed, *more.closed],
        cancelled=[*first.cancelled, *more.cancelled],
        timers_set=[
            *(one for one in first.timers_set if one.token not in cleared and one.token not in again),
            *more.timers_set,
        ],
        timers_cleared=[*first.timers_cleared, *more.timers_cleared],
        waits_set=[*(one for one in first.waits_set if one.token not in cleared), *more.waits_set],
        waits_cleared=[*first.waits_cleared, *more.waits_cleared],
        failures=[*(one for one in first.failures if one.token not in cleared), *more.failures],
        failures_cleared=[*first.failures_cleared, *more.failures_cleared],
        thrown=[*first.thrown, *more.thrown],
        path=[*first.path, *more.path],
        ended=more.ended or first.ended,
        error_code=more.error_code or first.error_code,
    )
