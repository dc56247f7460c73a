"""Importing customers: a file, what its columns hold, a look at every row, the import, the faulty rows back."""

from __future__ import annotations

import io

from flask import Blueprint, Response, flash, make_response, redirect, render_template, request, send_file, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from connectors.tables import reading
from connectors.tables.reading import BadTable, Table
from connectors.tables.writing import Head, write
from engine import queue, runtime
from engine.db import Sessions, after_commit
from engine.errors import InvalidForm, RuleViolation
from engine.i18n import _, listed
from processes.party import permissions
from processes.party.jobs import IMPORT_JOB
from processes.party.models import PartyImport
from processes.party.operations import importing as operations
from webapp.registers import unreadable
from webapp.registers.export import EXCEL
from webapp.registers.views import LIST_LINKS, Link
from webapp.security.access import current_actor, requires

pages = Blueprint("party_importing", __name__)


def _above_the_list() -> tuple[Link, ...]:
    if not current_actor().may(permissions.MANAGE):
        return ()
    return ((url_for("party_importing.index"), "file-import", _("Import")),)


LIST_LINKS[permissions.CUSTOMER] = _above_the_list

SHOWN, PREVIEW, EARLIER = 100, 3, 10


@pages.get("/customers/import")
@requires(permissions.MANAGE)
def index() -> str:
    return _start()


def _start(problems: tuple[str, ...] = ()) -> str:
    mine = select(PartyImport).where(PartyImport.created_by == current_actor().person_id)
    earlier = Sessions().scalars(mine.order_by(PartyImport.id.desc()).limit(EARLIER)).all()
    return render_template("crm/import.html", problems=problems, columns=operations.COLUMNS, earlier=earlier)


@pages.get("/customers/import/template.xlsx")
@requires(permissions.MANAGE)
def template() -> Response:
    titles = [f"{title}*" if name == "name" else str(title) for name, title in operations.COLUMNS.items()]
    return _excel(str(_("Customers")), titles, [], "template.xlsx")


@pages.post("/customers/import")
@requires(permissions.MANAGE)
def take() -> BaseResponse | tuple[str, int]:
    actor, file = current_actor(), request.files.get("file")
    try:
        table = _read()
    except RuleViolation as refusal:
        return _start((str(refusal),)), 422
    name = " · ".join(filter(None, (file.filename if file else "", table.sheet)))
    rows = [(row.number, row.cells) for row in table.rows]
    made = runtime.perform(lambda session: operations.take_in(session, actor, file=name, head=table.head, rows=rows).id)
    return redirect(url_for("party_importing.show", import_id=made))


def _read() -> Table:
    file = request.files.get("file")
    if file is None or not file.filename:
        raise RuleViolation(_("Choose a file."))
    try:
        return reading.read(file.read(reading.MOST_BYTES + 1))
    except BadTable as bad:
        raise RuleViolation(unreadable.why(bad)) from None


@pages.get("/customers/import/<int:import_id>")
@requires(permissions.MANAGE)
def show(import_id: int) -> Response:
    """Asked by htmx while it moves; when it has come to rest the whole page is drawn afresh."""
    answer = make_response(_show(import_id))
    if request.headers.get("HX-Request") and 'hx-trigger="every' not in answer.get_data(as_text=True):
        answer.headers["HX-Refresh"] = "true"
    return answer


def _show(import_id: int, problems: tuple[str, ...] = ()) -> str:
    session, actor = Sessions(), current_actor()
    record = operations.own(session, actor, import_id)
    mapping = record.mapping or operations.suggest(session, actor, record.head)
    faults = sorted(record.faults.items(), key=lambda one: int(one[0]))
    partial = bool(request.headers.get("HX-Request"))
    return render_template(
        "crm/_import_state.html" if partial else "crm/import_show.html",
        record=record,
        mapping=mapping,
        columns=operations.COLUMNS,
        examples=[
            [row[1][at] if at < len(row[1]) else "" for row in record.rows[:PREVIEW]] for at in range(len(record.head))
        ],
        faults=faults[:SHOWN],
        more=max(len(faults) - SHOWN, 0),
        moving=record.state in {"waiting", "running"},
        problems=problems,
        all_faulty=record.state == "looked" and record.total > 0 and len(faults) == record.total,
    )


@pages.post("/customers/import/<int:import_id>")
@requires(permissions.MANAGE)
def send_off(import_id: int) -> BaseResponse | tuple[str, int]:
    """wish: look | import."""
    actor, mapping = current_actor(), request.form.getlist("field")
    dry_run = request.form.get("wish") != "import"

    def send(session: Session) -> None:
        operations.send_off(session, actor, import_id=import_id, mapping=mapping, dry_run=dry_run)
        after_commit(session, lambda: queue.wake(IMPORT_JOB))

    try:
        runtime.perform(send)
    except InvalidForm as refusal:
        return _show(import_id, tuple(str(one.message) for one in refusal.problems)), 422
    except RuleViolation as refusal:
        flash(str(refusal), "danger")
    return redirect(url_for("party_importing.show", import_id=import_id))


@pages.get("/customers/import/<int:import_id>/faults.xlsx")
@requires(permissions.MANAGE)
def faults(import_id: int) -> Response:
    """Those rows as they came, with what is wrong beside them: mended there, they can be imported again."""
    record = operations.own(Sessions(), current_actor(), import_id)
    rows = [
        [*cells, listed((words for _where, words in record.faults[str(number)]), "；")]
        for number, cells in record.rows
        if str(number) in record.faults
    ]
    return _excel(str(_("Rows with faults")), [*record.head, str(_("Faults"))], rows, "faults.xlsx")


def _excel(title: str, heads: list[str], rows: list[list[str]], name: str) -> Response:
    file = io.BytesIO()
    write(file, title, [Head(one) for one in heads], rows)
    file.seek(0)
    return send_file(file, EXCEL, as_attachment=True, download_name=name)
