"""Rules that give new customers to people by industry, region, level and source (row 68), and trying one out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock, journal
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change, stamp
from processes.kernel.entry import Entry
from processes.kernel.working_time import business_date
from processes.notices.operations import notify
from processes.notices.rules import kind
from processes.organization.models import Employee
from processes.organization.permissions import require
from processes.ownership import permissions, rules
from processes.ownership.models import AssignmentLog, AssignmentRule
from processes.ownership.operations import holding, limits
from processes.party.models import Customer
from processes.party.operations.importing import IMPORT
from processes.party.permissions import CUSTOMER, among_visible
from processes.party.rules import INDUSTRIES, LEVELS, REGIONS, SOURCES

GIVEN = kind("ownership.given", _("I am given a customer"))

CONDITIONS: Mapping[str, Mapping[str, Any]] = {
    "industries": INDUSTRIES,
    "regions": REGIONS,
    "levels": LEVELS,
    "sources": SOURCES,
}
TRIED = timedelta(days=31)
"""How far back a rule is tried out."""
MOST_TRIED = 500
MOST_GIVEN = 50


def assign_new(session: Session, actor: Actor, customer: Customer) -> None:
    """Give an open customer to whom the first fitting rule names, and note what came of it."""
    ordered = [_as_rule(one) for one in _active(session)]
    found = rules.first_fitting(ordered, _traits(customer))
    if found is None:
        _note(session, customer, None, None, "no_rule")
        return
    # The turn is read and moved under the rule's lock, and that before any counter: customers made at once share it.
    rule = _as_rule(lock_for_change(session, AssignmentRule, found.id))
    holding.take(session, [customer.id], rule.people)
    person = rules.whose_turn(rule, _without_room(session, rule.people))
    if person is None:
        _note(session, customer, rule.id, None, "all_full")
        return
    owner = session.get_one(Employee, person)
    holding.begin(session, actor, customer, owner, "by_rule")
    kept = session.get_one(AssignmentRule, rule.id)
    kept.turn = (list(rule.people).index(person) + 1) % len(rule.people)
    session.flush()
    _note(session, customer, rule.id, person, "assigned")
    if actor.client == IMPORT:
        _tell_of_import(session, actor, person)
        return
    notify(
        session,
        actor,
        persons={person} - {actor.person_id},
        kind=GIVEN,
        title=_("A rule of assignment gives you {customer}", customer=customer.name),
        key=f"ownership.given:{customer.id}:{clock.now().isoformat()}",
        record=(CUSTOMER, customer.id),
    )


def _tell_of_import(session: Session, actor: Actor, person: int) -> None:
    """Once a day for each importer, however many rows there are."""
    notify(
        session,
        actor,
        persons={person} - {actor.person_id},
        kind=GIVEN,
        title=_("A rule of assignment gives you customers that {who} imports", who=actor.name),
        key=f"ownership.given:import:{actor.person_id}:{business_date(clock.now())}",
        link="/party/customer/list/?view=mine",
    )


def _without_room(session: Session, people: Sequence[int]) -> set[int]:
    here = set(session.scalars(select(Employee.id).where(Employee.id.in_(people), Employee.state == "active")))
    return {one for one in people if one not in here or limits.usage(session, one).is_full}


def _note(session: Session, customer: Customer, rule_id: int | None, person_id: int | None, outcome: str) -> None:
    session.add(
        AssignmentLog(customer_id=customer.id, rule_id=rule_id, person_id=person_id, outcome=outcome, at=clock.now())
    )
    session.flush()


def _active(session: Session) -> Sequence[AssignmentRule]:
    return session.scalars(
        select(AssignmentRule).where(AssignmentRule.state == "active").order_by(AssignmentRule.rank, AssignmentRule.id)
    ).all()


def _as_rule(one: AssignmentRule) -> rules.Assignment:
    return rules.Assignment(
        one.id, one.industries, one.regions, one.levels, one.sources, tuple(one.people), one.turn, one.skips_full
    )


def _traits(customer: Customer) -> rules.Traits:
    return rules.Traits(customer.industry, customer.region, customer.level, customer.source)


# ------------------------------------------------------------------------------------------------- trying out


@dataclass(frozen=True, slots=True)
class Trial:
    """What a rule would have made of a customer."""

    customer: Customer
    person: Employee | None
    """None: an earlier rule would have taken it"""


def try_out(session: Session, actor: Actor, *, record_id: int) -> list[Trial]:
    """The customers of the last month this rule would have decided on, in order, with whose turn it would have been;
    those the actor does not see are reckoned with and not told.

    Nothing is changed, limits are not asked: what people hold today says nothing about then. Index
    ix_customer_created.
    """
    require(actor, permissions.MANAGE_RULES)
    wanted = session.get_one(AssignmentRule, record_id)
    ordered = sorted({*_active(session), wanted}, key=lambda one: (one.rank, one.id))
    as_rules = [_as_rule(one) for one in ordered]
    people = {one.id: one for one in session.scalars(select(Employee).where(Employee.id.in_(wanted.people)))}
    recent = (
        select(Customer)
        .where(Customer.created_at >= clock.now() - TRIED)
        .order_by(Customer.created_at, Customer.id)
        .limit(MOST_TRIED)
    )
    trials: list[Trial] = []
    turn = 0
    for customer in session.scalars(recent):
        fitting = _as_rule(wanted).fits(_traits(customer))
        if not fitting:
            continue
        first = rules.first_fitting(as_rules, _traits(customer))
        if first is None or first.id != wanted.id:
            trials.append(Trial(customer, None))
            continue
        trials.append(Trial(customer, people.get(wanted.people[turn % len(wanted.people)])))
        turn += 1
    seen = among_visible(session, actor, [one.customer.id for one in trials])
    return [one for one in trials if one.customer.id in seen]


@dataclass(frozen=True, slots=True)
class Given:
    """What a rule made of a new customer."""

    customer: Customer
    person: Employee | None
    """None: all of its people were at their limit, or gone"""
    at: datetime


def given_lately(session: Session, actor: Actor, *, record_id: int) -> list[Given]:
    """The newest first, those the actor sees; read backwards from the end of the log, by its key."""
    require(actor, permissions.READ_RULES if actor.may(permissions.READ_RULES) else permissions.MANAGE_RULES)
    latest = (
        select(AssignmentLog, Customer, Employee)
        .join(Customer, Customer.id == AssignmentLog.customer_id)
        .outerjoin(Employee, Employee.id == AssignmentLog.person_id)
        .where(AssignmentLog.rule_id == record_id)
        .order_by(AssignmentLog.id.desc())
        .limit(MOST_GIVEN)
    )
    found = [Given(customer, person, log.at) for log, customer, person in session.execute(latest)]
    seen = among_visible(session, actor, [one.customer.id for one in found])
    return [one for one in found if one.customer.id in seen]


# ------------------------------------------------------------------------------------------------- the records


def _read(session: Session, values: Mapping[str, Any], *, is_new: bool) -> dict[str, Any]:
    entry = Entry(session, values, is_new=is_new)
    entry.text("name", required=True)
    entry.number("rank")
    for name, choices in CONDITIONS.items():
        entry.parsed(name, _chosen(choices), empty=[])
    entry.references("people", Employee)
    entry.flag("skips_full")
    if (is_new and not entry.clean.get("people")) or entry.clean.get("people") == []:
        entry.problem("people", _("Name at least one person."))
    clean = entry.finish()
    if "people" in clean:
        clean["people"] = [one.id for one in clean["people"]]
    if "rank" in clean:
        clean["rank"] = clean["rank"] or 0
    return clean


def _chosen(choices: Mapping[str, Any]) -> Any:
    def read(value: Any) -> list[str]:
        if not isinstance(value, (list, tuple)) or not set(value) <= set(choices):
            raise RuleViolation(_("Please choose one of the offered values."))
        return [str(one) for one in dict.fromkeys(value)]

    return read


def create_rule(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> AssignmentRule:
    """values: name, rank, industries, regions, levels, sources (lists; empty = any), people, skips_full."""
    require(actor, permissions.MANAGE_RULES)
    clean = _read(session, values, is_new=True)
    rule = AssignmentRule(**clean)
    records.create(session, actor, permissions.ASSIGNMENT, rule, clean)
    return rule


def change_rule(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> AssignmentRule:
    require(actor, permissions.MANAGE_RULES)
    rule = lock_for_change(session, AssignmentRule, record_id, version)
    clean = _read(session, values, is_new=False)
    if clean.get("people", rule.people) != rule.people:
        rule.turn = 0
    records.change(session, actor, permissions.ASSIGNMENT, rule, clean)
    return rule


def activate_rule(session: Session, actor: Actor, *, record_id: int) -> AssignmentRule:
    """An archived one decides again, in its old place."""
    require(actor, permissions.MANAGE_RULES)
    rule = lock_for_change(session, AssignmentRule, record_id)
    if rule.state != "active":
        rule.state = "active"
        stamp(rule, actor)
        session.flush()
        journal.audit(
            session, actor, permissions.ASSIGNMENT, rule.id, "activated", {"state": "archived"}, {"state": "active"}
        )
    return rule


def archive_rule(session: Session, actor: Actor, *, record_id: int) -> None:
    require(actor, permissions.MANAGE_RULES)
    records.archive(session, actor, permissions.ASSIGNMENT, lock_for_change(session, AssignmentRule, record_id))
