"""Twenty people, positions or roles for the brackets of a candidate rule, by what was typed."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sqlalchemy import ColumnElement, or_, select
from sqlalchemy.orm import InstrumentedAttribute, Session, joinedload

from processes.organization.models import ROLE, Employee, Position
from webapp.security.roles import role_title

OFFERED = 20
LONGEST_SEARCH = 60
MOST_IDS = 50
LONGEST_ID = 18
"""digits a database can take"""

Item = dict[str, str]
"""id (as the rule names it), name, detail"""


def people(session: Session, text: str, ids: Sequence[str]) -> list[Item]:
    chosen = [int(one) for one in ids if one.isdecimal() and len(one) <= LONGEST_ID]
    said = (Employee.state == "active") & _says(text, Employee.name, Employee.number)
    query = select(Employee).where(Employee.id.in_(chosen) if ids else said).options(joinedload(Employee.department))
    found = session.scalars(query.order_by(Employee.name, Employee.id).limit(OFFERED))
    return [{"id": str(one.id), "name": one.name, "detail": str(one.department or "")} for one in found]


def positions(session: Session, text: str, ids: Sequence[str]) -> list[Item]:
    said = (Position.state == "active") & _says(text, Position.name, Position.code)
    query = select(Position).where(Position.code.in_(ids) if ids else said)
    found = session.scalars(query.order_by(Position.name, Position.id).limit(OFFERED))
    return [{"id": one.code, "name": one.name, "detail": one.code} for one in found]


def roles(session: Session, text: str, ids: Sequence[str]) -> list[Item]:
    """By the title people read, which the database does not know: there are few roles."""
    names = session.scalars(select(ROLE.c.name).order_by(ROLE.c.id).limit(500))
    found = [{"id": name, "name": role_title(name), "detail": name} for name in names]
    if ids:
        return [one for one in found if one["id"] in ids]
    sought = text.casefold()
    return [one for one in found if sought in one["name"].casefold() or sought in one["id"].casefold()][:OFFERED]


def _says(text: str, *columns: InstrumentedAttribute[str]) -> ColumnElement[bool]:
    return or_(*(column.icontains(text, autoescape=True) for column in columns))


PICKERS: dict[str, Callable[[Session, str, Sequence[str]], list[Item]]] = {
    "person": people,
    "position": positions,
    "role": roles,
}
