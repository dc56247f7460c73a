"""Moves the demo company out: everything it brought and everything that was done in its house goes."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from flask_appbuilder.security.sqla.models import User
from sqlalchemy import ColumnElement, Table, and_, delete, func, or_, select, text, update
from sqlalchemy.orm import Session

from engine import repository
from engine.actor import SYSTEM
from engine.db import Base
from engine.errors import RuleViolation
from engine.i18n import _
from engine.models import Attachment, Definition, DefinitionDraft, DefinitionFile, Instance, RecordAudit, StartTimer
from engine.models.leaving import Lease
from engine.models.wires import WireGate, WireHealth
from engine.runtime.cache import LIVE
from processes.kernel.columns import Stamped
from processes.organization.models import Department, Employee, Position
from webapp.demo.company import is_loaded
from webapp.security import accounts
from webapp.security.models import ApiKey, LoginLog

COMPANY = (Department, Position)
ROLES = "security.role"
PERSON = "organization.employee"


@dataclass(frozen=True)
class Removed:
    people: int
    instances: int
    files: frozenset[str]
    """hashes of attachments whose bytes nobody names any more"""


def remove(session: Session) -> Removed:
    """Empty the house. What stays: its schema and roles, the logins that are not the demo's, what those have deployed.

    Raises RuleViolation where there is no demo company, or where records are not its own: somebody works here.
    """
    if not is_loaded(session):
        raise RuleViolation(_("There is no demo company in this database."))
    real = real_records(session)
    if real:
        raise RuleViolation(
            _("Real records are in this database: {tables}.", tables=", ".join(real)),
            remedy=_("Remove them first, or begin with another DATA_DIR or DATABASE_URL."),
        )
    session.flush()
    persons = set(session.scalars(select(Employee.id).where(Employee.is_demo)))
    logins = {one for one in session.scalars(select(Employee.user_id).where(Employee.is_demo)) if one is not None}
    gone = Removed(
        people=len(persons),
        instances=session.scalar(select(func.count(Instance.id))) or 0,
        files=frozenset(session.scalars(select(Attachment.sha256))),
    )
    _untie(session)
    _empty(session, persons, logins)
    session.expire_all()
    for user in session.scalars(select(User).where(User.id.in_(logins))):
        session.delete(user)
    session.flush()
    LIVE.clear()
    repository.forget_all()
    return gone


def real_records(session: Session) -> list[str]:
    """Tables with records that are not the demo's: made by others than its people and the house itself.

    Of the company itself nothing may be there but the demo's, whoever made it; only an administrator's own line, in no
    department, is no record.
    """
    theirs = select(Employee.id).where(Employee.is_demo)
    found = []
    for mapper in sorted(Base.registry.mappers, key=lambda one: one.local_table.name):  # type: ignore[attr-defined]
        model = mapper.class_
        if not issubclass(model, Stamped):
            continue
        real: ColumnElement[bool] = ~model.is_demo
        if model is Employee:
            real = and_(real, or_(Employee.department_id.is_not(None), Employee.user_id.is_(None)))
        elif model not in COMPANY:
            real = and_(real, model.created_by != SYSTEM.person_id, model.created_by.not_in(theirs))
        count = session.scalar(select(func.count()).select_from(model).where(real))
        if count:
            found.append(f"{mapper.local_table.name} ({count})")  # type: ignore[attr-defined]
    return found


def _untie(session: Session) -> None:
    """Departments and people name each other."""
    connection = session.connection()
    connection.execute(update(_table(Department)).values(head_id=None, parent_id=None))
    connection.execute(update(_table(Employee)).values(superior_id=None, department_id=None))


def _empty(session: Session, persons: Iterable[int], logins: Iterable[int]) -> None:
    """Every table of ours, the last first; of a few only what is the demo's.

    On the bare connection: ledgers are append-only for everybody who works in the house, not for whoever clears it.
    """
    connection = session.connection()
    kept: set[Table] = {_table(Lease), _table(WireHealth), _table(WireGate)}
    parts = _parts(session, set(persons), set(logins))
    for table in reversed(Base.metadata.sorted_tables):
        if table in kept or table.name.startswith("ab_"):
            continue
        which = parts.get(table)
        connection.execute(delete(table) if which is None else delete(table).where(which))
        if which is None:
            _count_from_one(session, table)


def _parts(session: Session, persons: set[int], logins: set[int]) -> dict[Table, ColumnElement[bool]]:
    """What goes of the tables that others use as well."""
    theirs = select(Definition.key).where(Definition.deployed_by.in_(persons))
    definitions = select(Definition.id).where(Definition.key.in_(theirs))
    names = {name for user in session.scalars(select(User).where(User.id.in_(logins))) for name in _names(user)}
    about_others = or_(
        RecordAudit.record_type == ROLES,
        and_(RecordAudit.record_type == accounts.RECORD_TYPE, RecordAudit.record_id.not_in(logins)),
        and_(RecordAudit.record_type == PERSON, RecordAudit.record_id.not_in(persons)),
    )
    return {
        _table(Employee): Employee.is_demo.is_(True),
        _table(LoginLog): or_(LoginLog.user_id.in_(logins), LoginLog.name.in_(names)),
        _table(ApiKey): ApiKey.user_id.in_(logins),
        _table(RecordAudit): ~about_others,
        _table(DefinitionDraft): DefinitionDraft.changed_by.in_(persons),
        _table(DefinitionFile): DefinitionFile.definition_id.in_(definitions),
        _table(StartTimer): StartTimer.definition_id.in_(definitions),
        _table(Definition): Definition.id.in_(session.scalars(definitions).all()),
    }


def _names(user: User) -> tuple[str, str]:
    """What a login is typed as."""
    return user.username.lower(), user.email.lower()


def _table(model: type[Base]) -> Table:
    table = model.__table__
    assert isinstance(table, Table)
    return table


def _count_from_one(session: Session, table: Table) -> None:
    """Numbers of an empty table begin anew; SQLite does so by itself."""
    key = table.autoincrement_column
    if key is not None and session.get_bind().dialect.name == "postgresql":
        sequence = func.pg_get_serial_sequence(table.name, key.name)
        session.connection().execute(select(func.setval(sequence, 1, text("false"))))
