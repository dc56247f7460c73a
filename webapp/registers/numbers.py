"""What the registers of numbering rules and numbers do beyond others: reserve, void, show the gaps."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Iterable
from typing import Any

from flask import flash, g, make_response, redirect, request, url_for
from flask_appbuilder import AppBuilder, expose
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import db
from engine.catalog import CATALOG, Column
from engine.db import Sessions
from engine.errors import AppError, InvalidForm, NotFound
from engine.i18n import Sentence, _, listed
from engine.models import Instance
from engine.runtime.files import RECORD_TYPE
from engine.work_items.rights import readable_by
from processes.numbering import operations, permissions, rules
from processes.numbering.manifest import NUMBERS, RULES
from processes.numbering.models import SerialNumber
from processes.organization.models import Department
from webapp.once import once
from webapp.registers import listing
from webapp.registers.build import add_register, view_of
from webapp.registers.cells import Cell
from webapp.registers.interface import find_many_visible, find_visible
from webapp.registers.views import RegisterView, guard
from webapp.security.access import current_actor, requires

SHOWN = 200
"""Lines of each kind in a gap report."""


class RulesView(RegisterView):
    """Rules, with their gap report and the reservation of numbers."""

    register = RULES
    record_tabs = (("gaps", _("Gap report")),)

    def links_of(self, record: Any) -> tuple[tuple[str, str, Sentence], ...]:
        if record.state != "active" or not current_actor().may(permissions.ISSUE_NUMBERS):
            return ()
        return ((self.url("reserve", pk=record.id), "pin", _("Reserve numbers")),)

    @expose("/gaps/<pk>")
    @guard("open")
    def gaps(self, pk: str) -> str:
        """Every number accounted for, by period; a part of the record's page."""
        session, actor, record = Sessions(), current_actor(), self._record(pk)
        periods = operations.periods(session, actor, rule=record.code)
        period = request.args.get("period", periods[0] if periods else "")
        return self._render(
            "yl/numbering/gaps.html",
            rule=record,
            pk=record.id,
            periods=periods,
            period=period,
            most=SHOWN,
            report=operations.gap_report(session, actor, rule=record.code, period=period),
        )

    @expose("/reserve/<pk>", methods=["GET", "POST"])
    @requires(permissions.ISSUE_NUMBERS)
    def reserve(self, pk: str) -> str | BaseResponse:
        record = self._record(pk)
        if request.method == "GET":
            return self._reserve_page(record, {})
        form, actor, code, department = request.form, current_actor(), record.code, _department()
        count = int(form.get("count", "")) if form.get("count", "").isdecimal() else 0

        def reserve(session: Session) -> dict[str, Any]:
            reason = form.get("reason", "")
            numbers = operations.reserve(session, actor, rule=code, count=count, reason=reason, department=department)
            return {"numbers": listed(number.text for number in numbers)}

        try:
            reserved = once(actor, form.get("submission", ""), reserve)
        except NotFound:
            raise
        except AppError as refusal:
            return make_response(self._reserve_page(record, _problems(refusal)), refusal.status)
        flash(str(_("Reserved: {numbers}", numbers=reserved["numbers"])), "success")
        return redirect(self.url("show", pk=record.id))

    def _reserve_page(self, record: Any, problems: dict[str, list[str]]) -> str:
        department = _department()
        return self._render(
            "yl/numbering/reserve.html",
            title=_("Reserve numbers: {rule}", rule=record.name),
            back=self.url("show", pk=record.id),
            needs_department=rules.needs_department(record.pattern, record.scope),
            department=[(department.id, department.name)] if department is not None else [],
            most=rules.MOST_RESERVED,
            values=request.form,
            submission=request.form.get("submission") or secrets.token_urlsafe(12),
            problems=problems,
        )


class NumbersView(RegisterView):
    """Numbers that are out; nothing can be changed of them but that they become void."""

    register = NUMBERS

    def permission_to(self, kind: str) -> str:
        return permissions.VOID_NUMBERS if kind == "manage" else super().permission_to(kind)

    def cell(self, record: Any, column: Column) -> Cell:
        """The record that holds the number by its name, for those who see it; else by what it is."""
        if column.name != "record":
            return super().cell(record, column)
        if record.record is None:
            return Cell(column, "", "")
        held = _holders([record])[record.record] or _in_words(*record.record)
        return Cell(column, held, str(held))

    def _list_context(self, page: listing.Page) -> dict[str, Any]:
        _holders(page.rows)
        return super()._list_context(page)

    def link(self, cell: Cell) -> str:
        if isinstance(cell.value, Instance):
            return url_for("instances.show", instance_id=cell.value.id)
        return super().link(cell)

    def links_of(self, record: Any) -> tuple[tuple[str, str, Sentence], ...]:
        if record.state == "void" or not self.may("manage"):
            return ()
        return ((self.url("void", pk=record.id), "circle-x", _("Void this number")),)

    @expose("/void/<pk>", methods=["GET", "POST"])
    @guard("manage")
    def void(self, pk: str) -> str | BaseResponse:
        record = self._record(pk)
        if request.method == "GET":
            return self._void_page(record, {})
        version = request.form.get("version", "")
        try:
            with db.transaction() as session:
                operations.void(
                    session,
                    current_actor(),
                    number_id=record.id,
                    reason=request.form.get("reason", ""),
                    version=int(version) if version.isdecimal() and len(version) < 10 else None,
                )
        except NotFound:
            raise
        except AppError as refusal:
            return make_response(self._void_page(self._record(pk), _problems(refusal)), refusal.status)
        flash(str(_("The number {text} is void.", text=record.text)), "success")
        return redirect(self.url("show", pk=record.id))

    def _void_page(self, record: Any, problems: dict[str, list[str]]) -> str:
        return self._render(
            "yl/numbering/void.html",
            title=_("Void {number}", number=record.text),
            back=self.url("show", pk=record.id),
            version=request.form.get("version", record.version),
            reason=request.form.get("reason", ""),
            problems=problems,
        )


def _holders(numbers: Iterable[SerialNumber]) -> dict[tuple[str, int], Any]:
    """What holds these numbers, None where the reader may not see it; asked for once a request, by type."""
    known: dict[tuple[str, int], Any] = g.setdefault("holders_of_numbers", {})
    missing = {number.record for number in numbers if number.record is not None} - known.keys()
    for record_type in {record_type for record_type, _id in missing}:
        ids = {record_id for one, record_id in missing if one == record_type}
        found = _readable(record_type, ids)
        known.update({(record_type, record_id): found.get(record_id) for record_id in ids})
    return known


def _readable(record_type: str, ids: Collection[int]) -> dict[int, Any]:
    session, actor = Sessions(), current_actor()
    if record_type == RECORD_TYPE:
        instances = session.scalars(select(Instance).where(Instance.id.in_(ids), readable_by(actor)))
        return {instance.id: instance for instance in instances}
    register = CATALOG.registers.get(record_type)
    return find_many_visible(session, actor, register.model, ids) if register is not None else {}


def _in_words(record_type: str, record_id: int) -> str:
    register = CATALOG.registers.get(record_type)
    kind = _("Process") if record_type == RECORD_TYPE else register.title if register is not None else record_type
    return f"{kind} #{record_id}"


def _department() -> Department | None:
    found = find_visible(Sessions(), current_actor(), Department, request.form.get("department", ""))
    return found if isinstance(found, Department) else None


def _problems(refusal: AppError) -> dict[str, list[str]]:
    """What is wrong with which field; "" = with the form as a whole."""
    if not isinstance(refusal, InvalidForm):
        return {"": [str(refusal)]}
    problems: dict[str, list[str]] = {}
    for problem in refusal.problems:
        problems.setdefault(problem.where, []).append(str(problem.message))
    return problems


def add_views(appbuilder: AppBuilder) -> None:
    add_register(appbuilder, view_of(RULES, RulesView))
    add_register(appbuilder, view_of(NUMBERS, NumbersView))
