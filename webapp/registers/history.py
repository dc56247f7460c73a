"""Who changed a record and how, read from the audit."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.catalog import Column, Register
from engine.i18n import Sentence, _, listed
from engine.models import RecordAudit
from webapp.registers import cells

SHOWN = 50

ACTIONS = {
    "created": _("created"),
    "changed": _("changed"),
    "archived": _("archived"),
    "removed": _("removed"),
    "left": _("left"),
    "closed": _("closed it"),
    "revealed": _("uncovered"),
    "exported": _("exported a list"),
    "viewing_begun": _("began to look through his eyes"),
    "viewing_ended": _("stopped looking through his eyes"),
    "deactivated": _("deactivated"),
    "activated": _("activated"),
    "password_reset": _("reset the password"),
    "password_changed": _("changed the password"),
    "unlocked": _("unlocked"),
    "restored": _("took it up again"),
}


NAMES = {
    "field": _("Field"),
    "until": _("Until"),
    "reason": _("Reason"),
    "list": _("List"),
    "question": _("Filter"),
    "format": _("File"),
    "rows": _("Rows"),
    "kind": _("Kind"),
}
"""What is noted beside the columns of a record."""
VALUES: dict[str, Mapping[str, Sentence]] = {}
"""What the codes noted there mean."""


def teach(
    *, actions: Mapping[str, Sentence], names: Mapping[str, Sentence], values: Mapping[str, Mapping[str, Sentence]]
) -> None:
    """Words of a package's own notes; declared once at start by its pages."""
    ACTIONS.update(actions)
    NAMES.update(names)
    VALUES.update(values)


@dataclass(frozen=True)
class Difference:
    title: str
    before: str
    after: str


@dataclass(frozen=True)
class Change:
    at: datetime
    who: str
    action: Sentence | str
    differences: tuple[Difference, ...]


Shown = Callable[[str, Any], Any]
"""(column, audited value) -> as the reader may see it"""


def changes(
    session: Session, register: Register, record_id: int, shown: Shown = lambda _name, value: value
) -> tuple[Change, ...]:
    """The newest changes of a record first."""
    rows = session.scalars(
        select(RecordAudit)
        .where(RecordAudit.record_type == register.name, RecordAudit.record_id == record_id)
        .order_by(RecordAudit.seq.desc())
        .limit(SHOWN)
    )
    columns = {column.name: column for column in (*register.columns, *register.fields)}
    return tuple(
        Change(row.at, row.actor_name, ACTIONS.get(row.action, row.action), _differences(columns, row, shown))
        for row in rows
    )


def _differences(columns: Mapping[str, Column], row: RecordAudit, shown: Shown) -> tuple[Difference, ...]:
    before, after = (
        {name: shown(name, value) for name, value in (values or {}).items()} for values in (row.before, row.after)
    )
    found = (
        Difference(
            _title(columns, name),
            _said(columns, name, before.get(name)),
            _title(columns, after[name]) if row.action == "revealed" else _said(columns, name, after.get(name)),
        )
        for name in dict.fromkeys([*before, *after])
    )
    return tuple(one for one in found if one.before or one.after)


def _said(columns: Mapping[str, Column], name: str, value: Any) -> str:
    if name in VALUES and name not in columns:
        return str(VALUES[name].get(value, value or ""))
    return _text(columns.get(name), value)


def _title(columns: Mapping[str, Column], name: str) -> str:
    return str(columns[name].title if name in columns else NAMES.get(name, name))


def _text(column: Column | None, value: Any) -> str:
    """Audited values are JSON: records as {"id", "name"}, states by their code, amounts and dates as text."""
    if isinstance(value, list):
        return listed(_text(column, one) for one in value)
    if isinstance(value, Mapping):
        return str(value.get("name") or value.get("amount") or "")
    if column is not None and column.kind in {"state", "bool"}:
        return cells.text(column, value)
    return "" if value is None else str(value)
