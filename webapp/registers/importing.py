"""Importing employees: a template to fill in, a look at everything before anything is done, the faulty rows back."""

from __future__ import annotations

import io
from collections.abc import Iterable

from flask import Blueprint, Response, flash, redirect, render_template, request, send_file, url_for
from werkzeug.wrappers import Response as BaseResponse

from connectors.tables import reading
from engine import runtime
from engine.errors import InvalidForm, RuleViolation
from engine.i18n import _
from processes.organization.operations import import_employees
from processes.organization.operations.importing import COLUMNS, REQUIRED, Outcome
from processes.organization.permissions import MANAGE_EMPLOYEES
from webapp.registers.employee_table import FAULTS_FILE, EmployeeTable, Fault, excel
from webapp.registers.export import EXCEL
from webapp.security.access import current_actor, requires

pages = Blueprint("importing", __name__)

SHOWN = 200
EXAMPLE = ("E1001", "张伟", "13800138000", "zhang.wei@example.com", "", "", "")


@pages.get("/employees/import")
@requires(MANAGE_EMPLOYEES)
def employees() -> str:
    return _page()


@pages.get("/employees/import/template.xlsx")
@requires(MANAGE_EMPLOYEES)
def template() -> Response:
    titles = [f"{title}*" if name in REQUIRED else str(title) for name, title in COLUMNS.items()]
    return _file(excel(str(_("Employees")), titles, [EXAMPLE]), "template.xlsx")


def _page(outcome: Outcome | None = None, faults: list[Fault] | None = None, problems: Iterable[str] = ()) -> str:
    return render_template(
        "registers/import_employees.html",
        outcome=outcome,
        faults=(faults or [])[:SHOWN],
        more=max(len(faults or []) - SHOWN, 0),
        problems=list(problems),
        columns=COLUMNS,
        required=REQUIRED,
    )


@pages.post("/employees/import")
@requires(MANAGE_EMPLOYEES)
def take() -> BaseResponse | str | tuple[str, int]:
    """wish: check (look only) | faults (the faulty rows as a file) | import."""
    wish, actor = request.form.get("wish", "check"), current_actor()
    try:
        given = _read()
        lines = given.lines
        outcome = runtime.perform(lambda session: import_employees(session, actor, lines, dry_run=wish != "import"))
    except InvalidForm as refusal:
        return _page(problems=[str(one.message) for one in refusal.problems]), 422
    except RuleViolation as refusal:
        return _page(problems=[str(refusal)]), 422
    if wish == "faults" and not outcome.is_good:
        return _file(given.faulty_rows(outcome), FAULTS_FILE)
    if wish == "import" and outcome.is_good:
        flash(
            str(
                _(
                    "Imported: {created} new, {changed} changed, {unchanged} as they were.",
                    created=outcome.created,
                    changed=outcome.changed,
                    unchanged=outcome.unchanged,
                )
            ),
            "success",
        )
        return redirect(url_for("organization_employee.list"))
    return _page(outcome, given.faults(outcome)), 200 if outcome.is_good else 422


def _read() -> EmployeeTable:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise RuleViolation(_("Choose a file."))
    return EmployeeTable.read(file.read(reading.MOST_BYTES + 1))


def _file(content: bytes, name: str) -> Response:
    return send_file(io.BytesIO(content), EXCEL, as_attachment=True, download_name=name)
