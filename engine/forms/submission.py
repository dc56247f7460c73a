"""What somebody sent, against the schema: read, refused with every fault at once, completed."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any

from engine.errors import InvalidForm, Problem
from engine.expressions import ExpressionError
from engine.forms import values as reading
from engine.forms.fields import Field, Right
from engine.forms.lookups import Lookups
from engine.forms.values import EMPTY, Refused
from engine.i18n import Sentence, _

MOST_ROWS = 200


def read(
    fields: Iterable[Field],
    rights: Mapping[str, Right],
    values: Mapping[str, Any],
    previous: Mapping[str, Any],
    lookups: Lookups,
) -> dict[str, Any]:
    """See FormSchema.submit."""
    inputs = [field for field in fields if field.type != "section"]
    return _Submission(inputs, rights, previous, lookups).read(values)


class _Submission:
    def __init__(
        self, inputs: list[Field], rights: Mapping[str, Right], previous: Mapping[str, Any], lookups: Lookups
    ) -> None:
        self.inputs = inputs
        self.rights = rights
        self.previous = previous
        self.lookups = lookups
        self.clean: dict[str, Any] = {}
        self.problems: dict[str, Problem] = {}
        self._references: dict[str, list[tuple[str, int]]] = defaultdict(list)
        self._choices: dict[str, set[str]] = {}

    def read(self, values: Mapping[str, Any]) -> dict[str, Any]:
        open_to_view = {field.id for field in self.inputs if self.rights[field.id] != "hide"}
        for name in values.keys() - open_to_view:
            self.refuse(str(name), _("There is no such field."))
        for field in self.inputs:
            self.clean[field.id] = self._field(field, values)
        self._drop_what_is_not_shown()
        self._check_references()
        if not self.problems:
            for field in self.inputs:
                if field.computed is not None:
                    self.clean[field.id] = self._computed(field)
        if self.problems:
            raise InvalidForm(list(self.problems.values()))
        return self.clean

    def refuse(self, path: str, message: Sentence) -> None:
        self.problems.setdefault(path, Problem(path, message))

    # --------------------------------------------------------------------------------------------- fields

    def _field(self, field: Field, values: Mapping[str, Any]) -> Any:
        before = self.previous.get(field.id)
        if field.computed is not None:
            return before  # reckoned at the end, whatever was sent
        if self.rights[field.id] in ("read", "hide"):
            if field.id in values and not self._same(field, values[field.id], before):
                self.refuse(field.id, _("This cannot be changed at this step."))
            return before
        given = values.get(field.id, before)
        required = field.required or self.rights[field.id] == "required"
        return self._value(field, given, field.id, required=required)

    def _value(self, field: Field, given: Any, path: str, *, required: bool) -> Any:
        if _is_empty(given):
            if required:
                self.refuse(path, _("This is required."))
            return None
        if field.type == "table":
            return self._table(field, given, path)
        try:
            value = reading.read(field, given)
        except Refused as refusal:
            self.refuse(path, refusal.message)
            return None
        if field.type in ("select", "multi"):
            self._check_choices(field, value, path)
        elif field.type in ("person", "department", "reference", "attachment"):
            kind = field.reference or "attachment"
            self._references[kind] += [(path, record_id) for record_id in reading.references(value)]
        return value

    def _table(self, field: Field, given: Any, path: str) -> list[dict[str, Any]] | None:
        most = field.max_items or MOST_ROWS
        if not isinstance(given, list) or not all(isinstance(row, Mapping) for row in given):
            self.refuse(path, _("Please give a list of lines."))
            return None
        if len(given) > most:
            self.refuse(path, _("At most {count} lines are possible.", count=most))
            return None
        if len(given) < field.min_items:
            self.refuse(path, _("At least {count} lines are needed.", count=field.min_items))
        return [self._row(field, row, f"{path}.{number}") for number, row in enumerate(given)]

    def _row(self, table: Field, given: Mapping[str, Any], path: str) -> dict[str, Any]:
        known = {column.id for column in table.columns}
        for name in given.keys() - known:
            self.refuse(f"{path}.{name}", _("There is no such field."))
        row = {
            column.id: self._value(column, given.get(column.id), f"{path}.{column.id}", required=column.required)
            for column in table.columns
            if column.computed is None
        }
        if not any(where.startswith(f"{path}.") for where in self.problems):
            facts = reading.facts(table.columns, row)
            for column in table.columns:
                if column.computed is not None:
                    row[column.id] = self._reckoned(column, facts, f"{path}.{column.id}")
        return row

    def _same(self, field: Field, given: Any, before: Any) -> bool:
        """Whether what was sent for a read-only field is what it says already, however it is written."""
        if _is_empty(given) or _is_empty(before):
            return _is_empty(given) and _is_empty(before)
        if given == before:
            return True
        if field.type == "table":
            return False
        try:
            return bool(reading.read(field, given) == before)
        except Refused:
            return False

    def _drop_what_is_not_shown(self) -> None:
        facts = reading.facts(self.inputs, self.clean)
        for field in self.inputs:
            if field.when is not None and not field.when.holds(facts) and self.rights[field.id] in ("edit", "required"):
                self.clean[field.id] = None
                for path in [p for p in self.problems if p == field.id or p.startswith(f"{field.id}.")]:
                    del self.problems[path]

    # --------------------------------------------------------------------------------------------- the world

    def _check_choices(self, field: Field, value: Any, path: str) -> None:
        key = field.source or f"{path.partition('.')[0]}.{field.id}"
        if key not in self._choices:
            self._choices[key] = {value for value, _label in field.choices_for(self.lookups)}
        chosen = value if isinstance(value, list) else [value]
        if not set(chosen) <= self._choices[key]:
            self.refuse(path, _("Please choose one of the offered values."))

    def _check_references(self) -> None:
        """One question per record type, however many lines name one."""
        for kind, named in self._references.items():
            ids = {record_id for _path, record_id in named}
            known = self.lookups.attachments(ids) if kind == "attachment" else self.lookups.labels(kind, ids)
            for path, record_id in named:
                is_shown = self.clean[path.partition(".")[0]] is not None
                if is_shown and record_id not in known:
                    self.refuse(path, _("There is no such record."))

    # --------------------------------------------------------------------------------------------- computed

    def _computed(self, field: Field) -> Any:
        return self._reckoned(field, reading.facts(self.inputs, self.clean), field.id)

    def _reckoned(self, field: Field, facts: Mapping[str, Any], path: str) -> Any:
        assert field.computed is not None
        try:
            result = field.computed.evaluate(facts)
            return None if result is None else reading.read(field, result)
        except ExpressionError as error:
            self.refuse(path, _("This cannot be reckoned: {reason}", reason=str(error)))
        except Refused as refusal:
            self.refuse(path, refusal.message)
        return None


def _is_empty(value: Any) -> bool:
    return value in EMPTY or (isinstance(value, str) and not value.strip())
