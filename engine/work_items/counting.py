"""A node with several signers: what one of them says is counted with the others, and decides or wakes the next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import policy as policies
from engine.models import WorkItem
from engine.policy import Policy, Tally
from engine.runtime.facts import ItemFacts
from engine.work_items.held import change, open_up

PENDING = ("open", "waiting", "delegated", "approving")


@dataclass(frozen=True, slots=True)
class Count:
    """How the node stands after a decision: decided, or who is to be asked next."""

    verdict: str | None
    tally: Tally
    woken: tuple[int, ...] = ()

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
    agreed, `after` finishes it. Only items of the diagram, and those added beside them, are counted.
    """
    at: _Row = _Row(item.id, item.parent_id, item.added)
    settled = {item.id}
    said = outcome
    while at.added in ("before", "after") and at.parent_id is not None:
        if said == "reject":
            _mark_rejected(session, at.parent_id)
            return Count("reject", tally(session, item, rule, {}))
        if _others(session, at, settled):
            return Count(None, tally(session, item, rule, {}))
        parent = _row(session, at.parent_id)
        if at.added == "before":
            open_up(session, parent.id)
            return Count(None, tally(session, item, rule, {}), (parent.id,))
        change(session, parent.id, state="done")
        at, said = parent, "approve"
        settled.add(parent.id)
    counted = tally(session, item, rule, {at.id: said})
    verdict = _decide(session, item, rule, counted, at.id, said)
    woken = () if verdict is not None else _wake_next(session, item, rule, settled)
    return Count(verdict, counted, woken)


@dataclass(frozen=True, slots=True)
class _Row:
    id: int
    parent_id: int | None
    added: str


def _row(session: Session, item_id: int) -> _Row:
    return _Row(
        *session.execute(select(WorkItem.id, WorkItem.parent_id, WorkItem.added).where(WorkItem.id == item_id)).one()
    )


def _others(session: Session, at: _Row, settled: set[int]) -> bool:
    """Somebody added in the same place has not spoken yet."""
    rest = select(WorkItem.id).where(
        WorkItem.parent_id == at.parent_id,
        WorkItem.added == at.added,
        WorkItem.state.in_(PENDING),
        WorkItem.id.not_in(settled),
    )
    return session.scalar(rest.limit(1)) is not None


def _mark_rejected(session: Session, item_id: int) -> None:
    """Whoever asked for an opinion before his own, and got a no, has said no as well."""
    while True:
        row = _row(session, item_id)
        change(session, row.id, state="done", outcome="reject")
        if row.added not in ("before", "after") or row.parent_id is None:
            return
        item_id = row.parent_id


def tally(session: Session, item: ItemFacts, rule: Policy, now: dict[int, str | None]) -> Tally:
    """Add up what the node's signers have said; `now`: what is being said and not in the rows yet (None: removed)."""
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


def _wake_next(session: Session, item: ItemFacts, rule: Policy, settled: set[int]) -> tuple[int, ...]:
    """In order: the next one's turn has come, unless somebody is at it already."""
    if rule.sign != "sequential":
        return ()
    mine = (
        WorkItem.instance_id == item.instance_id,
        WorkItem.token == item.token,
        WorkItem.kind == "sign",
        WorkItem.id.not_in(settled),
    )
    busy = select(WorkItem.id).where(*mine, WorkItem.state.in_(("open", "delegated", "approving"))).limit(1)
    if session.scalar(busy) is not None:
        return ()
    turn = select(WorkItem.id).where(*mine, WorkItem.state == "waiting", WorkItem.added.in_(("", "parallel")))
    following = session.scalar(turn.order_by(WorkItem.sequence).limit(1))
    if following is None:
        return ()
    open_up(session, following)
    return (following,)
