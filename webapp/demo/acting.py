"""Who does something in the demo company's story, by the operations people use."""

from __future__ import annotations

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from processes.organization.directory import OrganizationDirectory
from processes.organization.models import Employee
from webapp.demo.people import name_of


def person(session: Session, username: str) -> Employee:
    return session.scalars(select(Employee).where(Employee.name == name_of(username), Employee.is_demo)).one()


def acting(session: Session, username: str, *rights: str) -> Actor:
    """One of its people with the rights that the deed asks for."""
    who = person(session, username)
    groups = OrganizationDirectory().groups(session, who.id)
    return Actor(who.id, who.name, groups=groups, permissions=frozenset(rights))
