"""The large house: what is kept twice agrees, and it moves into no real one."""

from __future__ import annotations

import pytest
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM
from engine.errors import RuleViolation
from processes.activity.models import ContactRecord
from processes.organization import operations as organization
from processes.ownership.models import OwnerCounter, Ownership
from processes.party import operations
from processes.party.models import Contact, Customer, Party
from webapp import bootstrap, demo
from webapp.demo import large, names
from webapp.demo.customers import lay_down, party_values
from webapp.security import roles


@pytest.fixture
def demo_house(session: Session) -> Session:
    bootstrap.join_parts()
    session.add_all(Role(name=role.name, permissions=[]) for role in roles.ROLES)
    session.flush()
    demo.load(session)
    session.commit()
    return session


def test_everything_agrees(demo_house: Session) -> None:
    session, told = demo_house, []
    large.fill(session, large.Sizes(300, 3_000), lambda done, total: told.append((done, total)))
    session.commit()
    assert told[-1] == (3_300, 3_300)
    counted = select(func.count())
    assert session.scalar(counted.select_from(Customer)) == 300
    assert session.scalar(counted.select_from(ContactRecord)) == 3_000
    cores = select(func.count(func.distinct(Party.name_core))).where(Party.kind == "organization")
    assert session.scalar(cores) == 300
    owned = {row.customer_id: row.owner_id for row in session.scalars(select(Ownership))}
    for one in session.scalars(select(Customer)):
        assert owned.get(one.id) == one.owner_id
        assert (one.state == "locked") == (one.owner_id is not None)
        said = session.scalars(select(ContactRecord).where(ContactRecord.customer_id == one.id)).all()
        assert (one.last_contact_at, one.contacts_made) == (max(record.at for record in said), len(said))
        assert one.last_qualified_at == max((r.at for r in said if r.is_qualified), default=None)
    for counter in session.scalars(select(OwnerCounter)):
        assert counter.used == list(owned.values()).count(counter.person_id)
    made = session.scalar(select(func.sum(Contact.contacts_made)))
    assert made == 3_000
    assert operations.create_customer(session, SYSTEM, values={"name": "其后录入的客户"}).id > 0  # ids go on


def test_a_name_that_is_there_already_is_not_made_again(demo_house: Session) -> None:
    session = demo_house
    name = next(names.firms(large.SEED))[0]
    lay_down(session, [party_values("organization", name)])
    large.fill(session, large.Sizes(10, 10))
    session.commit()
    assert session.scalar(select(func.count()).where(Party.name == name)) == 1
    assert session.scalar(select(func.count()).select_from(Customer)) == 10


def test_it_moves_into_no_real_house(demo_house: Session) -> None:
    session = demo_house
    organization.create_employee(session, SYSTEM, values={"number": "R1", "name": "真人"})
    with pytest.raises(RuleViolation):
        large.fill(session, large.Sizes(10, 10))


def test_nor_without_the_demo_company(session: Session) -> None:
    with pytest.raises(RuleViolation):
        large.fill(session, large.Sizes(10, 10))
