"""Values as a form or the API hands them to an operation: read one by one, every mistake reported at once."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime
from typing import Any, TypeVar

from sqlalchemy import select
from sqlalchemy.orm import InstrumentedAttribute, Session

from engine.db import Base
from engine.errors import InvalidForm, Problem, RuleViolation
from engine.forms import unprintable
from engine.i18n import Sentence, _

Record = TypeVar("Record", bound=Base)
Value = TypeVar("Value")

_CODE = re.compile(r"[a-z][a-z0-9_]{0,39}")


class Entry:
    """Reads `values` field by field into `clean`; `finish` raises InvalidForm with all problems, unknown fields too.

    A field that is absent is left alone, so one reading serves a new record (`required`) and a change of a few fields.
    """

    def __init__(self, session: Session, values: Mapping[str, Any], *, is_new: bool) -> None:
        self.session = session
        self.clean: dict[str, Any] = {}
        self._values = values
        self._is_new = is_new
        self._read: set[str] = set()
        self._problems: list[Problem] = []

    def text(self, name: str, *, required: bool = False, longest: int = 100) -> None:
        def read(value: Any) -> str | None:
            if not isinstance(value, str):
                raise RuleViolation(_("Please write text here."))
            if len(value.strip()) > longest:
                raise RuleViolation(_("At most {count} characters fit here.", count=longest))
            if unprintable(value):
                raise RuleViolation(_("This contains characters that cannot be printed."))
            return value.strip()

        self.parsed(name, read, required=required)

    def choice(self, name: str, choices: Iterable[str], *, required: bool = False) -> None:
        allowed = tuple(choices)

        def read(value: Any) -> str:
            if value not in allowed:
                raise RuleViolation(_("Please choose one of the offered values."))
            return str(value)

        self.parsed(name, read, required=required)

    def flag(self, name: str) -> None:
        def read(value: Any) -> bool:
            if not isinstance(value, bool):
                raise RuleViolation(_("Please answer yes or no."))
            return value

        self.parsed(name, read, empty=False)

    def number(self, name: str) -> None:
        def read(value: Any) -> int:
            if isinstance(value, bool) or not str(value).lstrip("-").isdecimal():
                raise RuleViolation(_("Please write a whole number."))
            return int(value)

        self.parsed(name, read)

    def day(self, name: str, *, required: bool = False) -> None:
        def read(value: Any) -> date:
            if isinstance(value, date) and not isinstance(value, datetime):
                return value
            try:
                return date.fromisoformat(value)
            except (TypeError, ValueError):
                raise RuleViolation(_("Please write a date, for example 2026-05-04.")) from None

        self.parsed(name, read, required=required)

    def code(self, name: str, *, required: bool = False) -> None:
        """A name for machines, as diagrams and imports use it."""

        def read(value: Any) -> str:
            if not isinstance(value, str) or not _CODE.fullmatch(value.strip()):
                raise RuleViolation(
                    _("A code consists of small letters, digits and underscores and starts with a letter.")
                )
            return value.strip()

        self.parsed(name, read, required=required)

    def reference(self, name: str, model: type[Record], *, required: bool = False) -> None:
        """A record by its id or itself; kept in `clean` as the record (None when emptied)."""
        self.parsed(name, lambda value: self._fetch(model, value), required=required)

    def references(self, name: str, model: type[Record]) -> None:
        def read(value: Any) -> list[Record]:
            if not isinstance(value, (list, tuple, set)):
                raise RuleViolation(_("Please choose from the list."))
            return [self._fetch(model, one) for one in value]

        self.parsed(name, read, empty=[])

    def parsed(self, name: str, read: Callable[[Any], Value], *, required: bool = False, empty: Any = None) -> None:
        """Read with any function that refuses by RuleViolation."""
        self._read.add(name)
        if name not in self._values:
            if required and self._is_new:
                self.problem(name, _("This is required."))
            return
        value = self._values[name]
        if value is None or (isinstance(value, str) and not value.strip()):
            if required:
                self.problem(name, _("This is required."))
            self.clean[name] = empty
            return
        try:
            self.clean[name] = read(value)
        except RuleViolation as refusal:
            self.problem(name, refusal.message, refusal.remedy)

    def untaken(self, name: str, column: InstrumentedAttribute[Any], record_id: int | None, message: Sentence) -> None:
        """What was read as `name` is in no other record of its table; `message` says so. The table's unique index
        stands behind it for two who write at once.
        """
        value = self.clean.get(name)
        ids = column.class_.id
        if value is not None and self.session.scalar(select(ids).where(column == value, ids != (record_id or 0))):
            self.problem(name, message)

    def problem(self, name: str, message: Sentence, remedy: Sentence | None = None) -> None:
        self._problems.append(Problem(name, message, remedy))

    def finish(self) -> dict[str, Any]:
        for name in self._values.keys() - self._read:
            self.problem(name, _("There is no such field."))
        if self._problems:
            raise InvalidForm(self._problems)
        return self.clean

    def _fetch(self, model: type[Record], value: Any) -> Record:
        if isinstance(value, model):
            return value
        is_id = not isinstance(value, bool) and str(value).isdecimal() and len(str(value)) < 19
        found = self.session.get(model, int(value)) if is_id else None
        if found is None:
            raise RuleViolation(_("There is no such record."))
        return found


def differences(record: Base, changes: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What a change would change, before and after, in the shape the audit keeps."""
    before = {name: getattr(record, name) for name in changes}
    changed = [name for name, value in changes.items() if before[name] != value]
    return (
        {name: for_audit(before[name]) for name in changed},
        {name: for_audit(changes[name]) for name in changed},
    )


def for_audit(value: Any) -> Any:
    """A value as JSON: records by id and name, amounts and dates as text."""
    if isinstance(value, Base):
        return {"id": getattr(value, "id", None), "name": str(value)}
    if isinstance(value, (list, tuple)):
        return [for_audit(one) for one in value]
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)
