"""Makes the people of the crowd and their process in the database that DATABASE_URL names."""

from __future__ import annotations

from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository
from engine.actor import SYSTEM
from engine.db import transaction
from processes.organization import operations as organization
from tests.bench.crowd import CROWD, PASSWORD, draw_approval
from tests.engine.workflow.drawing import Drawing
from webapp import bootstrap
from webapp.security import accounts
from webapp.settings import load_settings


def main() -> None:
    settings = load_settings()
    bootstrap.start(settings)
    with transaction() as session:
        role = session.scalars(select(Role).where(Role.name == "Employee")).one()
        people = [_hire(session, number, role.id) for number in range(CROWD + 1)]
        d = Drawing("bench_crowd")
        d.start()
        draw_approval(d, "sign", ",".join(f"person({person})" for person in people[:CROWD]), sign="all")
        d.end()
        d.chain("start", "sign", "end")
        repository.deploy(session, SYSTEM, {"main.bpmn": d.xml()})


def _hire(session: Session, number: int, role: int) -> int:
    login = accounts.create_login(
        session,
        SYSTEM,
        values={
            "username": f"crowd{number}",
            "last_name": f"人{number}",
            "first_name": "",
            "email": f"crowd{number}@example.com",
            "roles": [role],
        },
        password=PASSWORD,
    )
    values = {"number": f"C{number:03}", "name": f"人{number}"}
    employee = organization.create_employee(session, SYSTEM, values=values)
    employee.user_id = login.id
    session.flush()
    return employee.id


if __name__ == "__main__":
    main()
