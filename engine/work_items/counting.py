"""A node with several signers: what one of them says is counted with the others, and decides or wakes the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import clock, policy as policies
from engine.models import PENDING, WorkItem
from engine.policy import Policy, Tally
from engine.runtime.facts import ItemFacts
from engine.work_items.held import change, open_up, put_aside


@dataclass(frozen=True, slots=True)
class Count:
    """How the node stands after a decision, and whether that decides it."""

    verdict: str | None
    tally: Tally

    @property
    def detail(self) -> dict[str, Any]:
        tally = self.tally
        return {
            "approved": tally.approved,
            "rejected": tally.rejected,
            "abstained": tally.abstained,
            "open": tally.open,
        }


def count(session: Session, item: ItemFacts, rule: Policy, outcome: str | None) -> Count:
    """Weigh a decision (None: the item is removed). The caller holds the lock; the item's own row is written later.

    Follow a signer who was added up to whom added him: `before` opens that one's item again when all before him have
    agreed, `after` finishes it; a no of either counts as a no of his. Only items of the diagram, and those added beside
    them, are counted.
    """
    at: _Row = _Row(item.id, item.parent_id, item.added)
    settled = {item.id}
    said = outcome
    while at.added in ("before", "after") and at.parent_id is not None:
        others = _others(session, at, settled)
        parent = _row(session, at.parent_id)
        if said == "reject":
            for one in others:
                put_aside(session, one, state="cancelled", cause="decided", done_at=clock.now())
            asked_before = {"outcome": "reject"} if at.added == "before" else {}  # who had agreed has said so
            change(session, parent.id, state="done", **asked_before)
            at = parent
            settled.add(parent.id)
            continue
        if others:
            return Count(None, tally(session, item, rule, {}))
        if at.added == "before":
            open_up(session, parent.id)
            return Count(None, tally(session, item, rule, {}))
        change(session, parent.id, state="done")
        at, said = parent, "approve"
        settled.add(parent.id)
    counted = tally(session, item, rule, {at.id: said})
    verdict = _decide(session, item, rule, counted, at.id, said)
    if verdict is None:
        _wake_next(session, item, rule, settled)
    return Count(verdict, counted)


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    parent_id: int | None
    added: str


def _row(session: Session, item_id: int) -> _Row:
    return _Row(
        *session.execute(select(WorkItem.id, WorkItem.parent_id, WorkItem.added).where(WorkItem.id == item_id)).one()
    )


def _others(session: Session, at: _Row, settled: set[int]) -> list[int]:
    """Those added in the same place who have not spoken yet."""
    rest = select(WorkItem.id).where(
        WorkItem.parent_id == at.parent_id,
        WorkItem.added == at.added,
        WorkItem.state.in_(PENDING),
        WorkItem.id.not_in(settled),
    )
    return list(session.scalars(rest))


def _overruled(session: Session, item: ItemFacts) -> set[int]:
    """Counted signers who had agreed, and whom somebody they added after themselves has refused."""
    refused = select(WorkItem.parent_id).where(
        WorkItem.instance_id == item.instance_id,
        WorkItem.token == item.token,
        WorkItem.added == "after",
        WorkItem.state == "done",
        WorkItem.outcome == "reject",
    )
    found = set()
    for parent_id in filter(None, session.scalars(refused)):
        at = _row(session, parent_id)
        while at.added in ("before", "after") and at.parent_id is not None:
            at = _row(session, at.parent_id)
        found.add(at.id)
    return found


def tally(session: Session, item: ItemFacts, rule: Policy, now: dict[int, str | None]) -> Tally:
    """Add up what the node's signers have said; `now`: what is being said and not in the rows yet (None: removed)."""
    now = {**dict.fromkeys(_overruled(session, item), "reject"), **now}
    grouped = session.execute(
        select(WorkItem.outcome, WorkItem.state, func.sum(WorkItem.weight), func.count())
        .where(
            WorkItem.instance_id == item.instance_id,
            WorkItem.token == item.token,
            WorkItem.kind == "sign",
            WorkItem.added.in_(("", "parallel")),
            WorkItem.state != "cancelled",
            WorkItem.id.not_in(now or {0: None}),
        )
        .group_by(WorkItem.outcome, WorkItem.state)
    )
    found = Tally()
    for outcome, state, weight, heads in grouped:
        found = _add(found, outcome if state not in PENDING else "none", int(weight), heads)
    for item_id, said in now.items():
        if said is not None:
            weight = session.scalar(select(WorkItem.weight).where(WorkItem.id == item_id)) or 1
            found = _add(found, said, weight, 1)
    return found


def _add(tally: Tally, outcome: str, weight: int, heads: int) -> Tally:
    match outcome:
        case "approve" | "submit":
            return replace(tally, approved=tally.approved + weight)
        case "reject" | "return":
            return replace(tally, rejected=tally.rejected + weight, refusals=tally.refusals + heads)
        case "abstain":
            return replace(tally, abstained=tally.abstained + weight)
    return replace(tally, open=tally.open + weight)


def _decide(
    session: Session, item: ItemFacts, rule: Policy, counted: Tally, spoke: int, outcome: str | None
) -> str | None:
    """The node's policy; where one of several is enough, those added beside them must agree as well."""
    if rule.sign != "or":
        return policies.decide(rule, counted)
    if counted.rejected:
        return "reject"
    added = (
        select(WorkItem.state)
        .where(
            WorkItem.instance_id == item.instance_id,
            WorkItem.token == item.token,
            WorkItem.kind == "sign",
            WorkItem.added == "parallel",
            WorkItem.state.in_(PENDING),
            WorkItem.id != spoke,
        )
        .limit(1)
    )
    if session.scalar(added) is not None:
        return None
    drawn = select(WorkItem.outcome).where(
        WorkItem.instance_id == item.instance_id,
        WorkItem.token == item.token,
        WorkItem.kind == "sign",
        WorkItem.added == "",
        WorkItem.state.not_in(("cancelled", *PENDING)),
        WorkItem.outcome.in_(("approve", "submit")),
    )
    spoke_for_diagram = _row(session, spoke).added == "" and outcome == "approve"
    if spoke_for_diagram or session.scalar(drawn.limit(1)) is not None:
        return "approve"
    return None if counted.open else "reject"


def _wake_next(session: Session, item: ItemFacts, rule: Policy, settled: set[int]) -> None:
    """In order: the next one's turn has come, unless somebody is at it already."""
    if rule.sign != "sequential":
        return
    mine = (
        WorkItem.instance_id == item.instance_id,
        WorkItem.token == item.token,
        WorkItem.kind == "sign",
        WorkItem.id.not_in(settled),
    )
    busy = select(WorkItem.id).where(*mine, WorkItem.state.in_(("open", "delegated", "approving"))).limit(1)
    if session.scalar(busy) is not None:
        return
    turn = select(WorkItem.id).where(*mine, WorkItem.state == "waiting", WorkItem.added.in_(("", "parallel")))
    following = session.scalar(turn.order_by(WorkItem.sequence).limit(1))
    if following is not None:
        open_up(session, following)
