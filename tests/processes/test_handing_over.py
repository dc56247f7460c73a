"""Assigned, handed over, taken back; watched, marked, shared: who may, what moves, who sees what."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from engine.errors import Conflict, Forbidden, NotFound, RuleViolation
from engine.events import _SUBSCRIBERS
from engine.i18n import _
from processes.activity import operations as activity
from processes.activity.models import Appointment
from processes.activity.permissions import WRITE
from processes.notices.models import Notice
from processes.organization import operations as organization
from processes.ownership import operations as ownership, permissions
from processes.ownership.models import Share, Watch
from processes.ownership.operations import handing, holding, registries, sharing, watching
from processes.ownership.operations.house_rules import HOUSE
from processes.party import operations as parties, permissions as party
from processes.party.models import Customer
from processes.tasks import operations as tasks
from tests.processes.company import Company
from tests.processes.sellers import check_whole, in_pool, limit, owned, seller, superior
from webapp import bootstrap


@pytest.fixture(scope="module", autouse=True)
def _joined_parts() -> None:
    bootstrap.join_parts()


# ------------------------------------------------------------------------------------------------- handed over


def test_what_hangs_on_them_moves_along_and_comes_back_within_a_day(
    session: Session, company: Company, clock: Any
) -> None:
    had: dict[int, int] = {}

    def bring_back(session: Session, actor: Actor, moved: list[Any], _back: Collection[int]) -> None:
        for one, _none in moved:
            had.pop(one)

    registries.register_mover(
        ownership.Mover(
            "test",
            _("Plans"),
            count=lambda _session, ids: len(ids) * 2,
            move=lambda _session, _actor, ids, to: [[one, had.update({one: to})] for one in ids],
            undo=bring_back,
        )
    )
    told: list[tuple[int, int, int]] = []

    def note(_session: Session, *, customer_id: int, from_id: int, to_id: int, **_facts: Any) -> None:
        told.append((customer_id, from_id, to_id))

    _SUBSCRIBERS[holding.HANDED_OVER].append(note)
    try:
        ids = [owned(session, "甲公司", company.li).id, owned(session, "乙公司", company.li).id]
        wang = superior(company.wang)
        plan = handing.preview(session, wang, customer_ids=ids, to_id=company.zhao.id)
        assert [(part.name, part.count) for part in plan.parts] == [("tasks", 0), ("appointments", 0), ("test", 4)]
        assert plan.refusal is None
        batch = handing.hand_over(
            session, wang, customer_ids=ids, to_id=company.zhao.id, reason="区域调整", reader_until=date(2026, 12, 1)
        )
        assert (batch.kind, batch.count, had) == ("handed_over", 2, dict.fromkeys(ids, company.zhao.id))
        assert told == [(one, company.li.id, company.zhao.id) for one in ids]
        li = seller(company.li)
        assert party.readable(session, li, ids[0]).owner_id == company.zhao.id, "a reader until that day"
        with pytest.raises(Forbidden):
            party.demand_work(session, li, ids[0])
        check_whole(session)
        clock.advance(hours=23)
        assert handing.undo(session, wang, handover_id=batch.id) == 2
        assert (had, session.get_one(Customer, ids[0]).owner_id) == ({}, company.li.id)
        assert session.scalars(select(Share).where(Share.ended_at.is_(None))).first() is None
        with pytest.raises(Conflict):
            handing.undo(session, wang, handover_id=batch.id)
        check_whole(session)
    finally:
        del registries.MOVERS["test"]
        _SUBSCRIBERS[holding.HANDED_OVER].remove(note)


def test_appointments_and_tasks_follow_the_customer_unless_somebody_says_otherwise(
    session: Session, company: Company, clock: Any
) -> None:
    wang, li = superior(company.wang), seller(company.li, WRITE)
    along, left = owned(session, "甲公司", company.li), owned(session, "乙公司", company.li)
    visits = [activity.make_appointment(session, li, values={"customer": one.id}) for one in (along, left)]
    about = ("party.customer", along.id)
    task = tasks.create_task(session, wang, title="寄样品", assignee=company.li.id, record=about)
    other = tasks.create_task(session, wang, title="查信用", assignee=company.wang.id, record=about)
    plan = handing.preview(session, wang, customer_ids=[along.id, left.id], to_id=company.zhao.id)
    assert [(part.name, part.count, part.is_chosen) for part in plan.parts] == [
        ("tasks", 1, True), ("appointments", 2, True),
    ]  # fmt: skip
    batch = handing.hand_over(session, wang, customer_ids=[along.id], to_id=company.zhao.id)
    handing.hand_over(session, wang, customer_ids=[left.id], to_id=company.zhao.id, parts=[])
    session.expire_all()
    assert [(one.state, one.person_id) for one in visits] == [("open", company.zhao.id), ("cancelled", company.li.id)]
    assert (task.assignee_id, other.assignee_id) == (company.zhao.id, company.wang.id)
    handing.undo(session, wang, handover_id=batch.id)
    session.expire_all()
    assert (visits[0].person_id, task.assignee_id, along.owner_id) == (company.li.id,) * 3


@pytest.mark.parametrize("parts", [None, []], ids=["along", "ended"])
def test_taken_back_the_appointments_are_as_they_were(
    session: Session, company: Company, parts: list[str] | None
) -> None:
    wang, li, zhao = superior(company.wang), seller(company.li, WRITE), seller(company.zhao, WRITE)
    customer = owned(session, "甲公司", company.li)
    names = ("陈平", "周正", "吴明", "郑和")
    contacts = [
        parties.create_contact(session, SYSTEM, values={"name": name, "customer": customer.id}) for name in names
    ]
    sharing.share(session, li, customer_id=customer.id, person_id=company.zhao.id, level="work")

    def plan(who: Actor, number: int) -> Appointment:
        values = {"customer": customer.id, "contact": contacts[number].id}
        return activity.make_appointment(session, who, values=values)

    of_li, of_zhao, cancelled = plan(li, 0), plan(zhao, 1), plan(li, 2)
    batch = handing.hand_over(session, wang, customer_ids=[customer.id], to_id=company.zhao.id, parts=parts)
    if parts is None:
        activity.cancel(session, zhao, appointment_id=cancelled.id, reason="不去了")
    new = plan(zhao, 3)
    handing.undo(session, wang, handover_id=batch.id)
    session.expire_all()
    assert [(one.state, one.person_id) for one in (of_li, of_zhao)] == [
        ("open", company.li.id), ("open", company.zhao.id),
    ]  # fmt: skip
    assert cancelled.state == ("cancelled" if parts is None else "open"), "what somebody did meanwhile stays"
    assert (new.state, new.person_id) == (("open", company.li.id) if parts is None else ("cancelled", company.zhao.id))


def test_nobody_reads_on_until_a_day_that_is_over(session: Session, company: Company, clock: Any) -> None:
    customer = owned(session, "甲公司", company.li)
    with pytest.raises(RuleViolation, match="day is over"):
        handing.hand_over(
            session,
            superior(company.wang),
            customer_ids=[customer.id],
            to_id=company.zhao.id,
            reader_until=date(2026, 11, 1),
        )


def test_the_receivers_limit_holds_for_the_whole_batch(session: Session, company: Company) -> None:
    limit(session, 2)
    ids = [in_pool(session, name).id for name in ("甲公司", "乙公司", "丙公司")]
    wang = superior(company.wang)
    assert handing.preview(session, wang, customer_ids=ids, to_id=company.zhao.id).refusal is not None
    with pytest.raises(RuleViolation, match="3 more do not fit"):
        handing.hand_over(session, wang, customer_ids=ids, to_id=company.zhao.id)
    batch = handing.hand_over(session, wang, customer_ids=ids[:2], to_id=company.zhao.id)
    assert (batch.kind, str(ownership.usage(session, company.zhao.id))) == ("assigned", "2/2")


def test_who_gives_what_to_whom(session: Session, company: Company) -> None:
    of_li, of_sun, pooled = (
        owned(session, "甲公司", company.li), owned(session, "乙公司", company.sun), in_pool(session, "丙公司"),
    )  # fmt: skip

    def give(who: Any, customer: Customer, to: int) -> None:
        handing.hand_over(session, who, customer_ids=[customer.id], to_id=to)

    wang = superior(company.wang)
    with pytest.raises(Forbidden):
        give(seller(company.li), of_li, company.zhao.id)
    with pytest.raises(NotFound):
        give(wang, of_sun, company.zhao.id)
    with pytest.raises(Forbidden, match="people below you"):
        give(wang, pooled, company.sun.id)
    give(superior(company.chen), of_sun, company.zhao.id)
    give(wang, pooled, company.wang.id)
    with pytest.raises(RuleViolation, match="already"):
        give(wang, pooled, company.wang.id)
    everywhere = superior(company.wang, permissions.ASSIGN_ANY, party.READ)
    give(everywhere, pooled, company.sun.id)
    organization.archive_employee(session, SYSTEM, record_id=company.zhao.id)
    with pytest.raises(RuleViolation, match="has left"):
        give(everywhere, pooled, company.zhao.id)


def test_after_a_day_it_stays_and_what_has_moved_on_stays_too(session: Session, company: Company, clock: Any) -> None:
    wang = superior(company.wang)
    first, second = owned(session, "甲公司", company.li), owned(session, "乙公司", company.li)
    batch = handing.hand_over(session, wang, customer_ids=[first.id, second.id], to_id=company.zhao.id)
    ownership.release(session, seller(company.zhao), customer_id=second.id, reason="不合适")
    clock.advance(hours=24)
    assert handing.undo(session, wang, handover_id=batch.id) == 1
    assert (first.owner_id, second.owner_id) == (company.li.id, None)
    again = handing.hand_over(session, wang, customer_ids=[first.id], to_id=company.zhao.id)
    clock.advance(hours=25)
    with pytest.raises(RuleViolation, match="24 hours"):
        handing.undo(session, wang, handover_id=again.id)


def test_a_superior_learns_of_the_customers_a_leaver_leaves(session: Session, company: Company) -> None:
    owned(session, "甲公司", company.li)
    organization.archive_employee(session, SYSTEM, record_id=company.li.id)
    told = session.scalars(select(Notice).where(Notice.kind == "ownership.left_behind")).one()
    assert (told.person_id, told.link) == (company.wang.id, f"/customers/hand-over?person={company.li.id}")


# ------------------------------------------------------------------------------------------------- watched, marked


def test_who_watches_the_pool_is_told_when_somebody_locks_it(session: Session, company: Company) -> None:
    customer = in_pool(session, "甲公司")
    zhao = seller(company.zhao)
    watching.watch(session, zhao, customer_id=customer.id, note="等消息")
    watching.watch(session, zhao, customer_id=customer.id, note="再等等")
    assert [one.note for one in watching.watched(session, zhao)] == ["再等等"]
    ownership.lock(session, SYSTEM, customer.id, company.li.id, "assigned")
    told = session.scalars(select(Notice).where(Notice.kind == "ownership.watched_locked")).one()
    assert told.person_id == company.zhao.id
    assert watching.watched(session, zhao) == [], "it is another's now, and no longer his to see"
    with pytest.raises(NotFound):
        party.readable(session, zhao, customer.id)


def test_a_superior_watches_his_peoples_customers_in_silence(session: Session, company: Company) -> None:
    customer = owned(session, "甲公司", company.li)
    wang, li = superior(company.wang), seller(company.li)
    assert watching.watch(session, wang, customer_id=customer.id).source == "superior"
    assert watching.watchers(session, li, customer) == ()
    HOUSE.watchers_shown = True
    try:
        assert watching.watchers(session, li, customer) == [company.wang]
    finally:
        HOUSE.watchers_shown = False
    with pytest.raises(RuleViolation, match="yours already"):
        watching.watch(session, li, customer_id=customer.id)
    watching.unwatch(session, wang, customer_id=customer.id)
    assert session.scalars(select(Watch)).first() is None


def test_the_focus_holds_few_of_ones_own_until_their_day(session: Session, company: Company, clock: Any) -> None:
    li = seller(company.li)
    first, second = owned(session, "甲公司", company.li), owned(session, "乙公司", company.li)
    watching.focus(session, li, customer_id=first.id, note="月底签", until=date(2026, 11, 24))
    most, HOUSE.most_in_focus = HOUSE.most_in_focus, 1
    try:
        with pytest.raises(RuleViolation, match="1 customers at most"):
            watching.focus(session, li, customer_id=second.id)
        clock.advance(days=2)
        assert watching.focused(session, li) == []
        watching.focus(session, li, customer_id=second.id)
    finally:
        HOUSE.most_in_focus = most
    with pytest.raises(RuleViolation, match="is not yours"):
        watching.focus(session, superior(company.wang), customer_id=second.id)
    with pytest.raises(RuleViolation, match="day is over"):
        watching.focus(session, li, customer_id=second.id, until=date(2026, 11, 1))
    ownership.release(session, li, customer_id=second.id, reason="没戏")
    assert not watching.is_focused(session, li, second.id)


# ------------------------------------------------------------------------------------------------- shared


def test_shared_to_read_or_to_work_until_a_day_or_taken_back(session: Session, company: Company, clock: Any) -> None:
    customer = owned(session, "甲公司", company.li)
    li, sun = seller(company.li), seller(company.sun)

    def sees() -> str:
        session.expire_all()
        try:
            party.demand_work(session, sun, customer.id)
        except NotFound:
            return "nothing"
        except Forbidden:
            return "reads"
        return "works"

    assert sees() == "nothing"
    one = sharing.share(session, li, customer_id=customer.id, person_id=company.sun.id, until=date(2026, 11, 25))
    assert sees() == "reads"
    same = sharing.share(session, li, customer_id=customer.id, person_id=company.sun.id, level="work")
    assert (same.id, sees()) == (one.id, "works")
    assert [share.customer_id for share in sharing.shared_with(session, sun)] == [customer.id]
    sharing.revoke(session, li, share_id=one.id)
    assert (sees(), sharing.shares_of(session, li, customer.id)) == ("nothing", [])
    sharing.share(session, li, customer_id=customer.id, department_id=company.head_office.id, until=date(2026, 11, 25))
    assert sees() == "reads", "his department lies below that one"
    clock.advance(days=3)
    assert sees() == "nothing"


def test_a_share_ends_with_owning_and_opens_nothing_afterwards(session: Session, company: Company, clock: Any) -> None:
    customer, wang, zhao = owned(session, "甲公司", company.li), superior(company.wang), seller(company.zhao)
    sharing.share(session, seller(company.li), customer_id=customer.id, person_id=company.zhao.id, level="work")
    for to in (company.zhao, company.li):
        handing.hand_over(session, wang, customer_ids=[customer.id], to_id=to.id)
    session.expire_all()
    with pytest.raises(NotFound):
        party.readable(session, zhao, customer.id)
    assert sharing.shares_of(session, wang, customer.id) == []


def test_only_the_owner_and_those_above_share(session: Session, company: Company) -> None:
    customer, pooled = owned(session, "甲公司", company.li), in_pool(session, "乙公司")
    sharing.share(session, superior(company.wang), customer_id=customer.id, person_id=company.sun.id, level="work")
    for who, which, error in (
        (seller(company.sun), customer, Forbidden),
        (seller(company.zhao), customer, NotFound),
        (seller(company.li), pooled, RuleViolation),
    ):
        with pytest.raises(error):
            sharing.share(session, who, customer_id=which.id, person_id=company.zhao.id)
    with pytest.raises(RuleViolation, match="his already"):
        sharing.share(session, seller(company.li), customer_id=customer.id, person_id=company.li.id)
