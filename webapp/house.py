"""Opening a house: the database brought up to date, the rights and processes that ship with it, the first people."""

from __future__ import annotations

import os
import re
import threading
import time
from dataclasses import dataclass, replace
from pathlib import Path

import click
from flask import Flask
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import exists, select
from sqlalchemy.orm import Session

from engine import repository
from engine.actor import SYSTEM
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.models import Definition
from processes.document.operations import ship_templates
from processes.numbering import operations as numbering
from processes.spending.operations import ensure_number_rule
from webapp import bootstrap, demo as demo_company, listeners, migrations, serve
from webapp.app import create_app
from webapp.security import accounts, passwords, roles
from webapp.settings import Settings

BPMN = Path(__file__).parents[1] / "bpmn"
_DECISION = re.compile(r'<(?:\w+:)?decision\s[^>]*?\bid="([^"]+)"')
FIRST_ADMIN = "admin"


@dataclass(frozen=True)
class NewAdmin:
    username: str
    password: str
    """shown once; only its hash is kept"""


def bring_up_to_date(settings: Settings) -> Flask:
    """Schema, permissions, shipped processes; safe to repeat, and what every release does first."""
    engine = bootstrap.start(settings)
    migrations.upgrade(engine)
    app = create_app(settings, start=False)
    roles.create_permissions(app)
    with transaction() as session:
        ship(session)
    return app


def ship(session: Session) -> None:
    """What comes with the release: processes, rules of numbers, Word templates."""
    deploy_shipped(session)
    numbering.make_official_rule(session)
    ensure_number_rule(session)
    ship_templates(session)


def deploy_shipped(session: Session) -> list[str]:
    """Deploy each process of the manifests that is new; one that people have deployed since is theirs."""
    deployed = []
    for process in CATALOG.processes.values():
        owners = set(session.scalars(select(Definition.deployed_by).where(Definition.key == process.key)))
        if owners <= {SYSTEM.person_id}:
            diagram = BPMN / process.diagram
            repository.deploy(session, SYSTEM, files_of(diagram), package=diagram.parent.name)
            deployed.append(process.key)
    return deployed


def files_of(diagram: Path) -> dict[str, str]:
    """A diagram with the forms and decision tables it names; others in the folder belong to other processes."""
    drawn = diagram.read_text(encoding="utf-8")
    found = {diagram.name: drawn}
    for path in sorted([*diagram.parent.glob("*.dmn"), *diagram.parent.glob("*.form.json")]):
        text = path.read_text(encoding="utf-8")
        names = _DECISION.findall(text) if path.suffix == ".dmn" else [path.name.removesuffix(".form.json")]
        if any(f'formKey="{name}"' in drawn or f'decisionRef="{name}"' in drawn for name in names):
            found[path.name] = text
    return found


def make_admin(session: Session, username: str, mail: str = "") -> NewAdmin:
    """A login with every right and a random password. Raises InvalidForm when the name is taken."""
    password = passwords.make_password()
    role = session.scalars(select(Role).where(Role.name == roles.ADMIN)).one()
    values = {
        "username": username, "last_name": "管理员", "first_name": "",
        "email": mail or f"{username}@localhost", "roles": [role.id],
    }  # fmt: skip
    accounts.create_login(session, SYSTEM, values=values, password=password)
    return NewAdmin(username, password)


def first_admin(session: Session) -> NewAdmin | None:
    """The one who sets up everybody else; made when the database has no login at all."""
    return None if session.scalar(select(exists().where(User.id > 0))) else make_admin(session, FIRST_ADMIN)


def open_house(settings: Settings, *, host: str, port: int, demo: bool) -> None:
    """Bring everything up to date, then run web, worker and beat until told to stop."""
    began = time.monotonic()
    serve.check_port(host, port)
    bring_up_to_date(settings)
    with transaction() as session:
        admin = first_admin(session)
        if demo and demo_company.load(session):
            demo_company.send_samples(session)
            demo_company.move_in(session)
        simulated = demo_company.is_loaded(session)
    Sessions.remove()
    environment = environment_of_children(settings, port, simulated=simulated)
    links = listeners.names(replace(settings, demo=settings.demo or simulated))
    children = serve.house(host, port, listeners=links)
    supervisor = serve.Supervisor(children, environment)

    def greet() -> None:
        ready = serve.wait_until_ready(host, port)
        supervisor.let_others_begin()
        _greet(host, port, began, admin, simulated, ready=ready)

    supervisor.run(when_started=threading.Thread(target=greet, name="greeter", daemon=True))
    click.echo("Stopped.")


def environment_of_children(settings: Settings, port: int, *, simulated: bool) -> dict[str, str]:
    """Ours, with what is only known here: where the data lies, and the address QR codes lead to unless one is set."""
    environment = {**os.environ, "DATA_DIR": str(settings.data_dir)} | ({"DEMO": "1"} if simulated else {})
    if "BASE_URL_FILE" not in environment:
        environment.setdefault("BASE_URL", f"http://localhost:{port}")
    return environment


def _greet(host: str, port: int, began: float, admin: NewAdmin | None, simulated: bool, *, ready: bool) -> None:
    """What a person at the terminal needs to know, once the pages answer."""
    if not ready:
        click.echo("The pages do not answer yet; look above for the reason.", err=True)
        return
    lines = ["", f"Yunliu is ready at http://{host}:{port} after {time.monotonic() - began:.1f} s.", ""]
    if admin is not None:
        lines += [f"  administrator: {admin.username}   password: {admin.password}   (shown only now)", ""]
    if simulated:
        lines.append(f"  demo people, password {demo_company.PASSWORD}:")
        lines += [f"    {person.username:<15} {person.name} ({person.what})" for person in demo_company.PEOPLE]
        lines += ["", "  Messages and mail are simulated and can be read under “Sent messages”.", ""]
    lines.append("Ctrl-C stops everything; the data stays.")
    click.echo("\n".join(lines))
