"""A customer has one owner, who has room for it; released, it lies in the pool again. History has no gap."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import pytest
from hypothesis import HealthCheck, given, settings, strategies as st
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine import runtime
from engine.actor import SYSTEM
from engine.db import Sessions
from engine.errors import AppError, Conflict, Forbidden, NotFound, RuleViolation
from engine.i18n import _
from processes.notices.models import Notice
from processes.organization import operations as organization
from processes.organization.models import Employee
from processes.ownership import operations as ownership, rules
from processes.ownership.models import AssignmentLog, LockLimit, Ownership
from processes.ownership.operations import assigning, merging, registries, reopening
from processes.party import operations as party
from processes.party.models import Customer
from processes.party.operations import keep_owner
from processes.party.operations.importing import IMPORT
from processes.party.permissions import MERGE_POOL
from tests.conftest import TestClock
from tests.processes.company import Company
from tests.processes.sellers import check_whole, in_pool, limit, owned, seller, superior
from webapp import bootstrap


@pytest.fixture(scope="module", autouse=True)
def _joined_parts() -> None:
    bootstrap.join_parts()


# ------------------------------------------------------------------------------------------------- limits


@pytest.mark.parametrize(
    ("limits", "most"),
    [
        ([("company", 0, 9)], 9),
        ([("company", 0, 9), ("department", 5, 8)], 8),
        ([("department", 1, 7), ("department", 5, 8)], 8),
        ([("department", 1, 7)], 7),
        ([("position", 2, 3), ("department", 5, 8)], 3),
        ([("position", 2, 3), ("position", 3, 30)], 30),
        ([("person", 4, 1), ("position", 2, 3), ("company", 0, 9)], 1),
        ([("person", 99, 1), ("department", 99, 1)], None),
        ([], None),
    ],
)
def test_person_goes_before_post_before_department_before_company(
    limits: list[tuple[str, int, int]], most: int | None
) -> None:
    known = [rules.Limit(*one, counts_dealt=True) for one in limits]
    found = rules.limit_of(known, person=4, positions=[2, 3], departments=[5, 1])
    assert (found.most if found else None) == most


def test_at_the_limit_nothing_more_is_locked_and_lowering_it_evicts_nobody(session: Session, company: Company) -> None:
    limit(session, 2)
    first, second = owned(session, "甲公司", company.li), owned(session, "乙公司", company.li)
    third = in_pool(session, "丙公司")
    with pytest.raises(RuleViolation, match="李娜 holds 2 of 2 customers") as refusal:
        ownership.lock(session, SYSTEM, third.id, company.li.id, "assigned")
    assert refusal.value.code == "at_limit"
    the_limit = session.scalars(select(LockLimit)).one()
    ownership.change_limit(session, SYSTEM, record_id=the_limit.id, values={"most": 1})
    assert {first.owner_id, second.owner_id} == {company.li.id}
    usage = ownership.usage(session, company.li.id)
    assert (str(usage), usage.is_full, usage.left) == ("2/1", True, 0)
    check_whole(session)


def test_dealt_customers_count_only_where_the_limit_says_so(session: Session, company: Company) -> None:
    limit(session, 1, counts_dealt=False)
    owned(session, "甲公司", company.li, stage="dealt")
    owned(session, "乙公司", company.li)
    assert str(ownership.usage(session, company.li.id)) == "1/1"
    with pytest.raises(RuleViolation):
        owned(session, "丙公司", company.li)


def test_a_limit_is_for_one_and_there_is_one_for_each(session: Session, company: Company) -> None:
    limit(session, 5, department=company.sales)
    with pytest.raises(RuleViolation, match="already"):
        limit(session, 6, department=company.sales)
    with pytest.raises(AppError):
        limit(session, 6, department=company.finance, person=company.li)
    one = session.scalars(select(LockLimit)).one()
    assert (one.department, one.person) == (company.sales, None)
    ownership.remove_limit(session, SYSTEM, record_id=one.id)
    assert ownership.usage(session, company.li.id).most is None
    with pytest.raises(Forbidden):
        ownership.create_limit(session, seller(company.li), values={"most": 5})


# ------------------------------------------------------------------------------------------------- locked, released


def test_what_is_locked_is_not_locked_again_and_tells_its_owner_to_those_who_may_know(
    session: Session, company: Company
) -> None:
    customer = owned(session, "甲公司", company.li)
    with pytest.raises(Conflict, match="belongs to 李娜"):
        ownership.lock(session, superior(company.wang), customer.id, company.zhao.id, "assigned")
    with pytest.raises(Conflict, match="belongs to somebody"):
        ownership.lock(session, seller(company.sun), customer.id, company.sun.id, "assigned")


def test_released_with_a_reason_it_lies_in_the_pool_and_its_history_stays(
    session: Session, company: Company, clock: Callable[[], object]
) -> None:
    customer = owned(session, "甲公司", company.li)
    version = customer.version
    with pytest.raises(RuleViolation, match="say why"):
        ownership.release(session, seller(company.li), customer_id=customer.id, reason=" ")
    clock.advance(days=3)  # type: ignore[attr-defined]
    ownership.release(session, seller(company.li), customer_id=customer.id, reason="没有需求", pool_id=company.sales.id)
    assert (customer.state, customer.owner_id, customer.pool_id) == ("open", None, company.sales.id)
    assert customer.version == version, "nobody's open page goes stale"
    (stretch,) = ownership.history(session, customer.id)
    assert (stretch.ended_how, stretch.ended_reason, stretch.ended_by) == ("released", "没有需求", company.li.id)
    check_whole(session)


def test_only_the_owner_and_those_above_him_release(session: Session, company: Company) -> None:
    customer = owned(session, "甲公司", company.li)
    with pytest.raises(NotFound):
        ownership.release(session, seller(company.zhao), customer_id=customer.id, reason="x")
    ownership.release(session, superior(company.wang), customer_id=customer.id, reason="重新分配")
    with pytest.raises(RuleViolation, match="no owner"):
        ownership.release(session, superior(company.wang), customer_id=customer.id, reason="再来")


def test_a_release_waits_for_the_approvals_about_the_customer(session: Session, company: Company) -> None:
    customer = owned(session, "甲公司", company.li)
    ownership.register_holdback("test", lambda _session, ids: {customer.id: _("A quotation is being approved.")})
    try:
        with pytest.raises(RuleViolation, match="A quotation is being approved"):
            ownership.release(session, seller(company.li), customer_id=customer.id, reason="x")
    finally:
        registries.HOLDBACKS.pop("test")
    ownership.release(session, seller(company.li), customer_id=customer.id, reason="x")


def test_a_closed_customer_is_nobodys(session: Session, company: Company) -> None:
    customer = owned(session, "甲公司", company.li)
    party.close_customer(session, SYSTEM, record_id=customer.id)
    assert (customer.state, customer.owner_id) == ("closed", None)
    with pytest.raises(RuleViolation, match="closed"):
        ownership.lock(session, SYSTEM, customer.id, company.li.id, "assigned")
    check_whole(session)


def test_a_closed_customer_is_opened_again_by_who_had_it_or_assigns_and_lies_in_the_pool(
    session: Session, company: Company, clock: TestClock
) -> None:
    first, second = owned(session, "甲公司", company.li), owned(session, "乙公司", company.li)
    for one in (first, second):
        party.close_customer(session, SYSTEM, record_id=one.id)
    clock.advance(days=3)
    with pytest.raises(Forbidden):
        reopening.reopen(session, seller(company.zhao), customer_id=first.id)
    again = reopening.reopen(session, seller(company.li), customer_id=first.id)
    assert (again.state, again.owner_id, again.open_since) == ("open", None, clock())
    reopening.reopen(session, superior(company.wang), customer_id=second.id)
    with pytest.raises(RuleViolation, match="not closed"):
        reopening.reopen(session, superior(company.wang), customer_id=second.id)
    ownership.lock(session, SYSTEM, first.id, company.zhao.id, "assigned")


# ------------------------------------------------------------------------------------------------- new customers


def test_who_makes_it_owns_it_unless_at_the_limit_or_the_policy_says_otherwise(
    session: Session, company: Company
) -> None:
    limit(session, 1)
    li = seller(company.li)
    mine = party.create_customer(session, li, values={"name": "甲公司"})
    assert (mine.owner_id, mine.state) == (company.li.id, "locked")
    over = party.create_customer(session, li, values={"name": "乙公司"})
    assert (over.owner_id, over.state) == (None, "open")
    assert session.scalars(select(Notice.person_id)).all() == [company.li.id]
    ownership.create_policy(session, SYSTEM, values={"kind": "organization", "policy": "open_by_default"})
    assert party.create_customer(session, seller(company.zhao), values={"name": "丙公司"}).owner_id is None
    private = party.create_customer(session, seller(company.zhao), values={"name": "王小明", "kind": "person"})
    assert private.owner_id == company.zhao.id
    check_whole(session)


def test_an_import_tells_once_what_stays_in_the_pool_and_whose_the_others_are(
    session: Session, company: Company
) -> None:
    limit(session, 1)
    li = replace(seller(company.li), client=IMPORT)
    made = [party.create_customer(session, li, values={"name": f"{one}公司"}) for one in "甲乙丙丁"]
    assert [one.owner_id for one in made] == [company.li.id, None, None, None]
    assert session.scalars(select(Ownership.how)).all() == ["imported"]
    assert len(session.scalars(select(Notice)).all()) == 1
    ownership.create_policy(session, SYSTEM, values={"kind": "organization", "policy": "rule_based"})
    limit(session, 9, person=company.zhao)
    assigning.create_rule(session, SYSTEM, values={"name": "全部", "people": [company.zhao.id]})
    given = [party.create_customer(session, li, values={"name": f"{one}公司"}).owner_id for one in "子丑寅"]
    assert given == [company.zhao.id] * 3
    assert session.scalars(select(Notice.person_id).order_by(Notice.id)).all() == [company.li.id, company.zhao.id]


def test_the_first_fitting_rule_gives_in_turn_and_passes_over_the_full(session: Session, company: Company) -> None:
    ownership.create_policy(session, SYSTEM, values={"kind": "organization", "policy": "rule_based"})
    limit(session, 1, person=company.li)
    people = [company.li.id, company.zhao.id]
    assigning.create_rule(session, SYSTEM, values={"name": "华东", "regions": ["31", "32"], "people": people})
    assigning.create_rule(
        session, SYSTEM, values={"name": "其他", "rank": 9, "people": [company.sun.id], "industries": ["it"]}
    )

    def made(name: str, **values: str) -> int | None:
        return party.create_customer(session, SYSTEM, values={"name": name, **values}).owner_id

    got = [made(f"上海{n}号公司", region="31", industry="it") for n in range(3)]
    assert got == [company.li.id, company.zhao.id, company.zhao.id], "李娜 has room for one"
    assert made("北京公司", region="11", industry="it") == company.sun.id
    assert made("天津公司", region="12") is None
    outcomes = session.scalars(select(AssignmentLog.outcome).order_by(AssignmentLog.id)).all()
    assert outcomes == ["assigned"] * 4 + ["no_rule"]
    limit(session, 0, person=company.zhao)
    assert made("苏州公司", region="32") is None
    assert session.scalars(select(AssignmentLog.outcome).order_by(AssignmentLog.id.desc())).first() == "all_full"
    check_whole(session)


def test_a_rule_is_tried_on_the_customers_of_the_last_month(session: Session, company: Company) -> None:
    for n, region in enumerate(["31", "32", "11", "31"]):
        in_pool(session, f"客户{n}", region=region)
    earlier = assigning.create_rule(
        session, SYSTEM, values={"name": "江苏", "regions": ["32"], "people": [company.sun.id]}
    )
    tried = assigning.create_rule(
        session,
        SYSTEM,
        values={"name": "华东", "rank": 1, "regions": ["31", "32"], "people": [company.li.id, company.zhao.id]},
    )
    trials = assigning.try_out(session, SYSTEM, record_id=tried.id)
    assert [(one.customer.name, one.person) for one in trials] == [
        ("客户0", company.li), ("客户1", None), ("客户3", company.zhao),
    ]  # fmt: skip
    assert len(assigning.try_out(session, SYSTEM, record_id=earlier.id)) == 1
    assert session.scalars(select(Ownership)).first() is None


# ------------------------------------------------------------------------------------------------- merged


def test_merging_two_with_different_owners_needs_a_superiors_choice(session: Session, company: Company) -> None:
    kept, gone = owned(session, "甲公司", company.li), owned(session, "乙公司", company.zhao)
    for who, chosen in (
        (seller(company.li), company.li.id),
        (superior(company.wang), None),
        (superior(company.wang), company.sun.id),
    ):
        with pytest.raises(RuleViolation) as refusal:
            merging.merge(session, who, kept_id=kept.id, gone_id=gone.id, owner_id=chosen)
        assert refusal.value.code == "two_owners"
    merging.merge(session, superior(company.wang), kept_id=kept.id, gone_id=gone.id, owner_id=company.zhao.id)
    assert (kept.owner_id, gone.owner_id) == (company.zhao.id, None)
    check_whole(session)
    merging.unmerge(session, superior(company.wang), kept_id=kept.id, gone_id=gone.id)
    assert (kept.owner_id, gone.owner_id) == (company.li.id, company.zhao.id)
    check_whole(session)


def test_taking_a_merge_apart_undoes_that_one_alone_and_gives_leavers_nothing(
    session: Session, company: Company, clock: TestClock
) -> None:
    """Through the parties themselves, as on the page: the owners of earlier merges stay out of it."""
    boss = superior(company.wang, MERGE_POOL)
    first, second, pooled = (
        owned(session, "甲公司", company.li), owned(session, "乙公司", company.zhao), in_pool(session, "丙公司"),
    )  # fmt: skip
    early = party.merge(session, boss, kept_id=first.id, gone_id=second.id, owner="gone")
    clock.advance(hours=1)
    late = party.merge(session, boss, kept_id=first.id, gone_id=pooled.id)
    session.refresh(first)
    assert first.owner_id == company.zhao.id
    party.undo_merge(session, boss, merge_id=late.id)
    session.expire_all()
    assert (first.owner_id, pooled.owner_id) == (company.zhao.id, None), "the first merge still holds"
    organization.archive_employee(session, SYSTEM, record_id=company.li.id)
    party.undo_merge(session, boss, merge_id=early.id)
    session.expire_all()
    assert (first.owner_id, second.owner_id) == (None, company.zhao.id), "李娜 has left: hers goes to the pool"
    check_whole(session)


def test_merged_with_one_of_the_pool_the_owner_stays(session: Session, company: Company) -> None:
    kept, gone = in_pool(session, "甲公司"), owned(session, "乙公司", company.zhao)
    merging.merge(session, seller(company.zhao), kept_id=kept.id, gone_id=gone.id)
    assert (kept.owner_id, gone.owner_id) == (company.zhao.id, None)
    check_whole(session)


# ------------------------------------------------------------------------------------------------- races


def at_once(*works: Callable[[Session], object]) -> list[str]:
    """Each in a thread and a transaction of its own, begun at the same moment; "done" or the code of the refusal."""
    gate, answers = threading.Barrier(len(works)), [""] * len(works)

    def run(number: int) -> None:
        gate.wait(10)
        try:
            runtime.perform(works[number])
            answers[number] = "done"
        except AppError as refusal:
            answers[number] = refusal.code
        finally:
            Sessions.remove()

    threads = [threading.Thread(target=run, args=(number,)) for number in range(len(works))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    return sorted(answers)


@pytest.mark.databases("postgresql")
def test_the_last_free_slot_of_a_person_is_given_once(session: Session, company: Company) -> None:
    limit(session, 2)
    owned(session, "甲公司", company.li)
    ids = [in_pool(session, f"客户{n}").id for n in range(6)]
    session.commit()

    def give(customer_id: int) -> Callable[[Session], object]:
        return lambda own: ownership.lock(own, SYSTEM, customer_id, company.li.id, "assigned")

    assert at_once(*(give(one) for one in ids)) == ["at_limit"] * 5 + ["done"]
    session.rollback()
    check_whole(session)


@pytest.mark.databases("postgresql")
def test_a_customer_is_given_to_one_of_many(session: Session, company: Company) -> None:
    customer = in_pool(session, "甲公司")
    people = [company.li.id, company.zhao.id, company.wang.id, company.sun.id]
    session.commit()

    def give(person: int) -> Callable[[Session], object]:
        return lambda own: ownership.lock(own, SYSTEM, customer.id, person, "assigned")

    assert at_once(*(give(one) for one in people)) == ["done"] + ["locked_already"] * 3
    session.rollback()
    check_whole(session)


@pytest.mark.databases("postgresql")
def test_released_and_locked_at_the_same_moments_nobody_waits_for_ever(session: Session, company: Company) -> None:
    ids = [owned(session, f"客户{n}", company.li if n % 2 else company.zhao).id for n in range(6)]
    session.commit()

    def move(first: int, second: int, person: int) -> Callable[[Session], object]:
        def work(own: Session) -> None:
            for one in (first, second):
                held = own.get_one(Customer, one, populate_existing=True).owner_id
                with suppress(Conflict, RuleViolation):  # somebody was faster between the look and the lock
                    if held is not None:
                        ownership.release(own, SYSTEM, customer_id=one, reason="换")
                    ownership.lock(own, SYSTEM, one, person, "assigned")

        return work

    works = [move(ids[n], ids[(n + 3) % 6], (company.li, company.zhao, company.wang)[n % 3].id) for n in range(6)]
    at_once(*works)
    session.rollback()
    check_whole(session)


@pytest.mark.databases("postgresql")
def test_the_database_itself_refuses_a_second_owner(session: Session, company: Company) -> None:
    customer = owned(session, "甲公司", company.li)
    with pytest.raises(Exception, match="uq_ownership_open"), session.begin_nested():
        session.execute(
            text(
                "INSERT INTO ownership (customer_id, owner_id, started_at, how, reason, by_id, ended_how, ended_reason)"
                " VALUES (:c, :o, now(), 'assigned', '', 0, '', '')"
            ),
            {"c": customer.id, "o": company.zhao.id},
        )


# ------------------------------------------------------------------------------------------------- whatever happens


STEPS = st.lists(st.tuples(st.sampled_from(["lock", "release", "new", "close"]), st.integers(0, 5), st.integers(0, 3)))


@settings(max_examples=15, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(steps=STEPS)
def test_after_any_steps_counters_customers_and_history_agree(
    session: Session, company: Company, clock: Callable[[], object], steps: list[tuple[str, int, int]]
) -> None:
    people: list[Employee] = [company.li, company.zhao, company.wang, company.sun]
    with session.begin_nested() as nested:
        limit(session, 2)
        customers = [in_pool(session, f"起点{n}") for n in range(3)]
        for number, (action, which, who) in enumerate(steps):
            clock.advance(minutes=1)  # type: ignore[attr-defined]
            customer = customers[which % len(customers)]
            try:
                if action == "lock":
                    ownership.lock(session, SYSTEM, customer.id, people[who].id, "assigned")
                elif action == "release":
                    ownership.release(session, SYSTEM, customer_id=customer.id, reason="x")
                elif action == "close":
                    party.close_customer(session, SYSTEM, record_id=customer.id)
                else:
                    maker = seller(people[who])
                    customers.append(party.create_customer(session, maker, values={"name": f"新{number}"}))
            except AppError:
                pass
            check_whole(session)
        nested.rollback()


def test_what_lists_repeat_is_written_without_a_new_version(session: Session, company: Company) -> None:
    customer = in_pool(session, "甲公司")
    version, changed = customer.version, customer.changed_at
    keep_owner(session, customer.id, owner_id=company.li.id, at=changed)
    session.expire(customer)
    assert (customer.owner_id, customer.version, customer.changed_at) == (company.li.id, version, changed)
