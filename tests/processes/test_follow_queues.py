"""The queues of whom to speak to: everybody stands in exactly one, or has a reason for none."""

from __future__ import annotations

import random
from datetime import date, timedelta

import pytest
from sqlalchemy import insert, select, text, update
from sqlalchemy.orm import Session

from engine import clock as engine_clock
from engine.actor import Actor
from engine.errors import Forbidden, NotFound
from processes.activity import operations, rules
from processes.activity.models import Appointment, ContactRecord
from processes.activity.permissions import TEAM
from processes.activity.rules import QUEUES
from processes.kernel.periods import Period
from processes.party.models import Customer, Party
from tests.conftest import TestClock
from tests.processes.followers import contact_of, customer_of, seller
from tests.processes.test_appointments import plan
from tests.processes.test_contact_records import note

MONDAY = date(2026, 11, 23)


def test_everybody_stands_in_exactly_one_queue(session: Session, clock: TestClock) -> None:
    """Customers in every state of contact and plan, dealt at random; the rule says where each belongs."""
    actor = seller(session, "S1")
    deal(session, clock, actor)
    customer_of(session, None, "池中公司")
    customer_of(session, seller(session, "S2"), "别人的公司")
    session.flush()
    seen: dict[str, str] = {}
    for queue in QUEUES:
        lines, more = operations.lines(session, actor, queue, size=200)
        assert not more
        for line in lines:
            assert line.key not in seen, "in one queue only"
            seen[line.key] = queue
    assert seen == expected(session, actor)
    assert set(seen.values()) == set(QUEUES), "every queue was tried"
    assert operations.counts(session, actor) == {
        queue: sum(1 for one in seen.values() if one == queue) for queue in QUEUES
    }
    session.execute(update(Customer).where(Customer.state == "closed").values(state="locked"))
    counted = operations.counts(session, actor)
    assert operations.waiting(session, actor) == counted["overdue"] + counted["today"]


def deal(session: Session, clock: TestClock, actor: Actor) -> None:
    chance = random.Random(7)
    for number in range(40):
        customer = customer_of(session, actor, f"客户{number}号公司", level="ABCD"[number % 4])
        contacts = [contact_of(session, customer, f"人{number}-{one}") for one in range(number % 3)]
        if number % 7:
            at = clock() - timedelta(days=(0, 3, 20, 40, 55)[number % 5])
            note(session, actor, customer, at=at, plans=number % 2 == 0)
        for contact in contacts:
            if chance.random() < 0.5:
                plan(session, actor, customer, contact=contact.id)
        for one in operations.open_of(session, customer.id):
            one.due_on = MONDAY + timedelta(days=chance.choice((-9, -1, 0, 0, 1, 4, 6, 7, 12)))
        session.flush()
        operations.close_all(session, customer.id, "released", person_id=-1)  # what lists show is reckoned anew
        if number % 13 == 0:
            customer.state = "closed"
    session.flush()


def expected(session: Session, actor: Actor) -> dict[str, str]:
    """Where the rule puts each."""
    found: dict[str, str | None] = {}
    for customer in session.scalars(select(Customer).where(Customer.owner_id == actor.person_id)):
        if customer.state == "closed":
            continue
        plans = operations.open_of(session, customer.id)
        last = customer.last_contact_at.date() if customer.last_contact_at else None
        for one in plans:
            found[f"a{one.id}"] = rules.queue_of(one.due_on, last, MONDAY, 30)
        if not plans:
            found[f"c{customer.id}"] = rules.queue_of(None, last, MONDAY, 30)
    return {key: queue for key, queue in found.items() if queue}


def test_queues_of_the_people_below_are_seen_others_are_not(session: Session, clock: TestClock) -> None:
    boss = seller(session, "H")
    actor, other = seller(session, "S1", boss.person_id), seller(session, "S2")
    customer = customer_of(session, actor, "甲公司")
    assert operations.counts(session, boss, actor.person_id)["never"] == 1
    assert operations.counts(session, boss)["never"] == 0
    lines, _more = operations.lines(session, boss, "never", person_id=actor.person_id)
    assert [line.customer.id for line in lines] == [customer.id]
    for look in (operations.counts, lambda *of: operations.lines(of[0], of[1], "never", person_id=of[2])):
        with pytest.raises(NotFound):
            look(session, other, actor.person_id)


def test_the_superiors_list_with_what_he_has_read(session: Session, clock: TestClock) -> None:
    boss = seller(session, "H", None, TEAM)
    actor, other = seller(session, "S1", boss.person_id), seller(session, "S2", None, TEAM)
    customer = customer_of(session, actor, "甲公司")
    made = []
    for _each in range(3):
        made.append(note(session, actor, customer))
        clock.advance(days=1)
    period = Period.of(MONDAY + timedelta(days=1), MONDAY)
    found, more = operations.team_records(session, boss, period, size=1)
    assert (found, more) == ([(made[1], False)], True)
    before = (made[1].at, made[1].id)
    assert operations.team_records(session, boss, period, before=before) == ([(made[0], False)], False)
    operations.mark_read(session, boss, [made[0].id, 99])
    operations.mark_read(session, boss, [made[0].id])
    assert operations.team_records(session, boss, period, unread=True) == ([(made[1], False)], False)
    assert [(one.person.id, one.written, one.read) for one in operations.progress(session, boss, period)] == [
        (actor.person_id, 2, 1)
    ]
    assert [person for person, _at in operations.readers(session, made[0].id)] == [boss.person_id]
    assert operations.team_records(session, other, period) == ([], False)
    operations.mark_read(session, other, [made[1].id])
    assert operations.readers(session, made[1].id) == []
    with pytest.raises(Forbidden):
        operations.team_records(session, actor, period)


def test_how_far_each_superior_has_got_with_what_his_people_wrote(session: Session, clock: TestClock) -> None:
    head = seller(session, "G", None, TEAM)
    boss, idle = seller(session, "H1", head.person_id, TEAM), seller(session, "H2", head.person_id, TEAM)
    lead = seller(session, "L1", boss.person_id, TEAM)
    writers = [seller(session, "S1", boss.person_id), seller(session, "S2", lead.person_id)]
    customers = [customer_of(session, one, f"{name}公司") for one, name in zip(writers, ("甲", "乙"), strict=True)]
    made = [note(session, one, customer) for one, customer in zip(writers, customers, strict=True) for _each in (1, 2)]
    period = Period.of(MONDAY - timedelta(days=7), MONDAY)
    operations.mark_read(session, boss, [made[0].id, made[2].id, made[3].id])
    operations.mark_read(session, lead, [made[2].id])
    operations.mark_read(session, head, [made[0].id])

    def told(actor: Actor) -> dict[int, tuple[int, int]]:
        found = operations.progress_of_superiors(session, actor, period)
        return {one.person.id: (one.written, one.read) for one in found}

    assert told(head) == {boss.person_id: (4, 3), lead.person_id: (2, 1)}
    assert told(boss) == {lead.person_id: (2, 1)}
    assert told(idle) == {}
    earlier = Period.of(MONDAY - timedelta(days=60), MONDAY - timedelta(days=30))
    assert operations.progress_of_superiors(session, head, earlier) == []
    with pytest.raises(Forbidden):
        operations.progress_of_superiors(session, writers[0], period)


def test_what_the_contacts_of_a_period_say(session: Session, clock: TestClock) -> None:
    actor, other = seller(session, "S1"), seller(session, "S2")
    first = customer_of(session, actor, "甲公司", level="A", stage="interested")
    second = customer_of(session, actor, "乙公司", level="A", stage="dealt")
    hidden = customer_of(session, other, "丙公司", level="A")
    note(session, other, hidden)
    note(session, actor, first, result="reached")
    clock.advance(hours=1)
    note(session, actor, first, result="interested")
    note(session, actor, second, content="好", result="reached")
    period = Period.of(MONDAY - timedelta(days=13), MONDAY)
    said = operations.analyse(session, actor, period)
    assert said.table == {("interested", "interested"): 1, ("dealt", "reached"): 1}
    assert (said.customers, said.contacts, said.qualified) == (2, 3, 2)
    (of_a,) = [one for one in said.pace if one.level == "A"]
    assert (of_a.customers, of_a.contacted, of_a.contacts, of_a.policy_days) == (2, 2, 3, 7)
    assert of_a.actual_days == pytest.approx(14 * 2 / 3)
    assert of_a.share == 75
    assert [(one.customers, one.dealt) for one in said.bands[:2]] == [(1, 1), (1, 0)]
    (row,), _more = operations.drilled(session, actor, operations.Asked(period, "dealt", "reached"))
    assert row[0].id == second.id
    assert operations.drilled(session, actor, operations.Asked(period, level="B")) == ([], False)
    shared = operations.Asked(period)
    assert [one.customer.id for one in operations.to_speak_to(session, actor, shared)[0]] == [first.id, second.id]
    second.state = "closed"
    session.flush()
    (line,), more = operations.to_speak_to(session, actor, shared, size=1)
    assert (line.customer.id, more) == (first.id, False), "nobody speaks to closed ones"
    assert line.appointment is not None
    assert line.key == f"a{line.appointment.id}"
    assert operations.to_speak_to(session, other, operations.Asked(period, "interested")) == ([], False)
    with pytest.raises(Forbidden):
        operations.to_speak_to(session, Actor(actor.person_id, actor.name, permissions=frozenset()), shared)
    earlier = Period.of(MONDAY - timedelta(days=20), MONDAY - timedelta(days=10))
    assert operations.analyse(session, actor, earlier).customers == 0


def crowd(session: Session, owner_id: int, count: int = 3000) -> None:
    """So many customers of somebody else, each with an appointment and a contact: with three rows any plan is cheap."""
    first, now = 10_000, engine_clock.now()
    ids = range(first, first + count)
    named = {"name_key": "", "name_core": "", "name_sound": "", "kind": "person"}
    session.execute(insert(Party), [{"id": one, "name": f"人{one}", **named} for one in ids])
    session.execute(
        insert(Customer),
        [{"id": one, "name": f"人{one}", "kind": "person", "state": "locked", "owner_id": owner_id} for one in ids],
    )
    of_each = [{"customer_id": one, "person_id": owner_id} for one in ids]
    session.execute(insert(Appointment), [{**one, "due_on": MONDAY, "joined": []} for one in of_each])
    session.execute(insert(ContactRecord), [{**one, "at": now, "way": "call", "content": ""} for one in of_each])
    session.execute(text("ANALYZE"))


def test_what_a_person_has_in_hand_is_read_by_its_index(session: Session, clock: TestClock) -> None:
    """The plans do not grow with the history: no scan of a whole table on either database."""
    actor = seller(session, "S1")
    customer = customer_of(session, actor, "甲公司")
    note(session, actor, customer)
    asked = {
        "appointment": (
            select(Appointment.id).where(
                Appointment.person_id == actor.person_id, Appointment.state == "open", Appointment.due_on <= MONDAY
            ),
            "ix_appointment_person",
        ),
        "customer": (
            select(Customer.id).where(
                Customer.owner_id == actor.person_id, Customer.state == "locked", Customer.next_contact_on.is_(None)
            ),
            "ix_customer_owner",
        ),
        "contact_record": (
            select(ContactRecord.id)
            .where(ContactRecord.customer_id == customer.id)
            .order_by(ContactRecord.at.desc())
            .limit(20),
            "ix_contact_record_customer",
        ),
    }
    crowd(session, seller(session, "S2").person_id)
    on_postgres = session.get_bind().dialect.name == "postgresql"
    for wanted, index in asked.values():
        sql = str(wanted.compile(session.get_bind(), compile_kwargs={"literal_binds": True}))
        plan_of = session.execute(text(f"{'EXPLAIN' if on_postgres else 'EXPLAIN QUERY PLAN'} {sql}"))
        assert index in " ".join(str(row) for row in plan_of)
