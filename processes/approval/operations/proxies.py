"""Who stands in for whom now: asked by the engine whenever it gives somebody work, so one question to the database."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from engine import clock, repository
from engine.errors import AppError
from processes.approval import rules
from processes.approval.models import Delegation
from processes.approval.rules import Link
from processes.kernel.money import Money
from processes.organization.assignments import line_above
from processes.organization.models import Employee

PROCESS = "delegation"
"""The process delegations are asked for by: whether to stand in for somebody, nobody else answers."""


def proxies(
    session: Session,
    persons: Sequence[int],
    *,
    definition_key: str,
    starter_id: int,
    form: Callable[[], Mapping[str, Any]],
) -> dict[int, int]:
    """engine.catalog.Proxies: {person: who acts for them}, of those who are away for this request.

    Where the way ends at whoever started the request, the superior of the person who is away acts: nobody decides his
    own request, through others neither.
    """
    if definition_key == PROCESS or not persons:
        return {}
    links = _links_from(session, persons)
    if not links:
        return {}

    @cache
    def amount() -> Money | None:
        return amount_of(session, definition_key, form())

    found = {}
    for person in persons:
        if person == starter_id:
            continue  # what somebody has to mend in his own request, he mends himself
        acts = rules.end_of_chain(person, links, definition_key, amount)
        if acts == starter_id:
            acts = next((above.id for above in line_above(session, person) if _may_act(above, starter_id)), person)
        if acts != person:
            found[person] = acts
    return found


def _may_act(person: Employee, starter_id: int) -> bool:
    return person.is_active and person.id != starter_id


def _links_from(session: Session, persons: Sequence[int]) -> dict[int, list[Link]]:
    """The delegations in force of these people, of their delegates, and so on as far as a chain may reach.

    A delegation past its end counts no more, though the job that ends it may be late; nor one to somebody who has left.
    """
    now = clock.now()
    in_force = (
        select(Delegation.delegator_id, Delegation.delegate_id, Delegation.id)
        .join(Employee, Employee.id == Delegation.delegate_id)
        .where(Delegation.state == "active", Delegation.ends_at > now, Employee.state == "active")
        .subquery("in_force")
    )
    first = select(in_force.c.id, in_force.c.delegate_id, literal(1).label("depth")).where(
        in_force.c.delegator_id.in_(persons)
    )
    chain = first.cte("chain", recursive=True)
    chain = chain.union(
        select(in_force.c.id, in_force.c.delegate_id, chain.c.depth + 1)
        .join(chain, chain.c.delegate_id == in_force.c.delegator_id)
        .where(chain.c.depth < rules.LONGEST_CHAIN)
    )
    wanted = select(Delegation).where(Delegation.id.in_(select(chain.c.id))).order_by(Delegation.id)
    links: dict[int, list[Link]] = defaultdict(list)
    for delegation in session.scalars(wanted):
        links[delegation.delegator_id].append(link_of(delegation))
    return links


def link_of(delegation: Delegation) -> Link:
    return Link(
        delegator=delegation.delegator_id,
        delegate=delegation.delegate_id,
        starts=delegation.starts_at,
        ends=delegation.ends_at,
        scope=delegation.scope,
        processes=frozenset(delegation.process_keys),
        limit=delegation.limit_money,
    )


def amount_of(session: Session, definition_key: str, values: Mapping[str, Any]) -> Money | None:
    """What a request is about in money: the largest amount of its form outside of tables; None when there is none.

    The largest, because a limit must never be passed by a form that also holds a smaller figure.
    """
    try:
        schema = repository.get(session, repository.latest(session, definition_key).id).start_form()
    except AppError:
        return None
    fields = [one for one in schema.fields if one.type == "money"] if schema is not None else []
    found = [Money.parse(values[one.id], one.currency) for one in fields if values.get(one.id) is not None]
    currencies = {money.currency for money in found}
    return max(found, key=lambda money: money.amount) if len(currencies) == 1 else None
