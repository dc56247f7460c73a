"""Fields of a record changed one by one on its own page, and masked ones uncovered."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import make_response, request
from flask_appbuilder import expose
from werkzeug.wrappers import Response as BaseResponse

from engine import db
from engine.catalog import Column
from engine.db import Sessions
from engine.errors import NotFound
from engine.i18n import _
from processes.party import masking, permissions
from webapp.registers import cells
from webapp.registers.fields import Form
from webapp.registers.views import RegisterView, guard
from webapp.security.access import current_actor

OF_OTHERS = frozenset({"other", "with"})
"""Values of the history that name another customer."""
UNSEEN = _("a customer you do not see")

CHANGED = "yl:record-changed"
"""Told to the page after a change; what shows the old value asks again."""


class InPlaceView(RegisterView):
    """A register whose record page shows its fields in groups, each with a pencil."""

    def permission_to(self, kind: str) -> str:
        return permissions.MANAGE if kind == "manage" else super().permission_to(kind)

    def audited(self, record: Any, name: str, value: Any) -> Any:
        """Another customer (a relation, a merge) by its name only where the asker sees it."""
        if name in OF_OTHERS and isinstance(value, Mapping):
            return value if permissions.may_name(Sessions(), current_actor(), value.get("id")) else str(UNSEEN)
        return super().audited(record, name, value)

    def column(self, name: str) -> Column:
        found = {one.name: one for one in (*self.register.columns, *self.register.fields)}.get(name)
        if found is None:
            raise NotFound
        return found

    @expose("/value/<pk>/<name>")
    @guard("open")
    def value(self, pk: str, name: str) -> str:
        """A field as it stands now."""
        return self._value(self._record(pk), self.column(name))

    @expose("/field/<pk>/<name>", methods=["GET", "POST"])
    @guard("manage")
    def field(self, pk: str, name: str) -> str | BaseResponse:
        """The form of one field, and the change of it."""
        change = self.register.change
        if change is None:
            raise NotFound
        if request.method == "GET":
            record = self.changeable(pk)
            form = self._form(record, name)
            self.fill(form, record)
            return self._field(record, form, str(record.version))
        actor, version = current_actor(), request.form.get("version", "")

        def save(record: Any) -> BaseResponse:
            key, form = self.key_of(record), self._form(record, name)
            changed = self._write_typed(
                form,
                lambda session, typed, seen: change(session, actor, record_id=key, version=seen, values=typed),
                key,
            )
            if changed is None:
                return make_response(self._field(self._record(pk), form, version), 422)
            answer = make_response(self._value(self._record(pk), self.column(name)))
            answer.headers["HX-Trigger"] = CHANGED
            return answer

        return self.save_or_say(pk, save, lambda form, _known: self._field(None, form, version))

    @expose("/reveal/<pk>/<name>", methods=["POST"])
    @guard("open")
    def reveal(self, pk: str, name: str) -> str:
        """The whole value, once; it is noted who looked."""
        column, actor = self.column(name), current_actor()
        key = self.key_of(self._record(pk))
        with db.transaction() as session:
            value = masking.reveal(session, actor, record=session.get_one(self.register.model, key), name=name)
        record = self._record(pk)
        cell = cells.Cell(column, value, cells.text(column, value))
        return self._render("crm/_value.html", record=record, cell=cell, may_change=False, pk=key)

    def _form(self, record: Any, name: str) -> Form:
        """The field, and behind it what a form may have to ask besides: why it is another one that looks alike."""
        form = self.form_of(record)
        fields = [one for one in form.fields if one.name == name]
        if not fields:
            raise NotFound
        form.fields = fields + [one for one in form.fields if one.column.asked_only and one.name != name]
        return form

    def _value(self, record: Any, column: Column) -> str:
        return self._render(
            "crm/_value.html",
            record=record,
            cell=self.cell(record, column),
            may_change=self.may_change(record),
            pk=self.key_of(record),
        )

    def _field(self, record: Any, form: Form, version: str) -> str:
        """record: None when it has gone from the asker; there is nothing to return to then."""
        return self._render("crm/_field.html", record=record, form=form, version=version, **(request.view_args or {}))
