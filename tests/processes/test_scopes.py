"""How far people see (row 64): the widest of their grants holds, one that narrows holds alone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM, Actor
from engine.errors import InvalidForm, RuleViolation
from processes.organization import operations as organization
from processes.organization.models import Employee, Position, ScopeGrant
from processes.organization.permissions import within_scope
from processes.party import operations
from processes.party.models import Customer

EAST, NORTH_EAST, SOUTH = "east", "north_east", "south"


@dataclass
class House:
    """Three departments, the second below the first; a person and his customer in each, and one of the pool."""

    session: Session
    departments: dict[str, Any]
    people: dict[str, Employee]
    customers: dict[str, Customer]
    position: Position

    def actor(self, where: str = EAST) -> Actor:
        person = self.people[where]
        return Actor(person.id, person.name, user_id=person.user_id)

    def sees(self, where: str = EAST) -> set[str]:
        scope = within_scope(self.actor(where), "customer", Customer.owner_id)
        return set(self.session.scalars(select(Customer.name).where(scope)))

    def grant(self, level: str, **values: Any) -> ScopeGrant:
        if not {"person", "position", "role"} & values.keys():
            values["person"] = self.people[EAST]
        return organization.create_scope_grant(
            self.session, SYSTEM, values={"module": "customer", "level": level, **values}
        )


@pytest.fixture
def house(session: Session) -> House:
    east = organization.create_department(session, SYSTEM, values={"name": EAST})
    below = organization.create_department(session, SYSTEM, values={"name": NORTH_EAST, "parent": east})
    south = organization.create_department(session, SYSTEM, values={"name": SOUTH})
    departments = {EAST: east, NORTH_EAST: below, SOUTH: south}
    position = organization.create_position(session, SYSTEM, values={"code": "inspector", "name": "督导"})
    role = Role(name="Inspectors")
    login = User(username="east", first_name="a", last_name="b", email="e@example.com", active=True, roles=[role])
    session.add_all([role, login])
    session.flush()
    people, customers = {}, {}
    for name, department in departments.items():
        person = organization.create_employee(
            session, SYSTEM, values={"number": name, "name": name, "department": department}
        )
        customer = operations.create_customer(session, SYSTEM, values={"name": name})
        customer.owner_id = person.id
        people[name], customers[name] = person, customer
    people[EAST].user_id = login.id
    people[EAST].positions = [position]
    operations.create_customer(session, SYSTEM, values={"name": "pool"})
    session.flush()
    return House(session, departments, people, customers, position)


@pytest.mark.parametrize(
    ("level", "seen"),
    [
        ("own", {EAST}),
        ("department", {EAST}),
        ("below", {EAST, NORTH_EAST}),
        ("all", {EAST, NORTH_EAST, SOUTH}),
    ],
)
@pytest.mark.parametrize("subject", ["person", "position", "role"])
def test_a_grant_opens_its_level_to_whom_it_names(house: House, level: str, seen: set[str], subject: str) -> None:
    named = {"person": house.people[EAST], "position": house.position, "role": "Inspectors"}[subject]
    house.grant(level, **{subject: named})
    assert house.sees() == seen
    assert house.sees(SOUTH) == {SOUTH}


def test_chosen_departments_take_those_below_along(house: House) -> None:
    house.grant("chosen", person=house.people[SOUTH], departments=[house.departments[EAST]])
    assert house.sees(SOUTH) == {EAST, NORTH_EAST, SOUTH}


def test_of_several_grants_the_widest_holds_and_one_that_narrows_holds_alone(house: House) -> None:
    house.people[SOUTH].superior = house.people[EAST]
    house.grant("own", position=house.position)
    house.grant("all", role="Inspectors")
    assert house.sees() == {EAST, NORTH_EAST, SOUTH}
    house.grant("department", narrows=True)
    assert house.sees() == {EAST}  # neither the role nor the line of command opens more


def test_a_move_of_a_department_or_a_person_takes_effect_at_once(house: House) -> None:
    house.grant("below")
    organization.change_department(
        house.session, SYSTEM, record_id=house.departments[SOUTH].id, values={"parent": house.departments[EAST]}
    )
    assert house.sees() == {EAST, NORTH_EAST, SOUTH}
    house.people[NORTH_EAST].department = None
    house.session.flush()
    assert house.sees() == {EAST, SOUTH}


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"level": "own"}, "person"),
        ({"level": "own", "role": "Nobody"}, "role"),
        ({"level": "chosen", "role": "Inspectors"}, "departments"),
        ({"level": "own", "role": "Inspectors", "narrows": True}, "narrows"),
        ({"level": "everything", "role": "Inspectors"}, "level"),
    ],
)
def test_a_grant_that_says_nothing_clear_is_refused(house: House, values: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidForm) as refusal:
        organization.create_scope_grant(house.session, SYSTEM, values={"module": "customer", **values})
    assert [problem.where for problem in refusal.value.problems] == [field]


def test_one_grant_for_one_subject(house: House) -> None:
    made = house.grant("own", role="Inspectors")
    with pytest.raises(RuleViolation):
        house.grant("all", role="Inspectors")
    organization.change_scope_grant(house.session, SYSTEM, record_id=made.id, values={"level": "all"})
    assert house.sees() == {EAST, NORTH_EAST, SOUTH}
    organization.remove_scope_grant(house.session, SYSTEM, record_id=made.id)
    assert house.sees() == {EAST}
