"""Employees out of a table: looked at, then imported all or none; the faulty rows come back as a file."""

from __future__ import annotations

from connectors.tables import reading
from engine import attachments
from engine.i18n import _
from processes.organization.operations import import_employees
from processes.organization.permissions import MANAGE_EMPLOYEES
from webapp.api.answers import File, file_of
from webapp.api.endpoint import Answer, Call, Query, endpoint
from webapp.api.reading import Unreadable
from webapp.registers.employee_table import FAULTS_FILE, EmployeeTable

TAG = "organization"
LIMIT = reading.MOST_BYTES + 64 * 1024
"""The file and what multipart wraps around it."""


class ImportQuery(Query):
    dry_run: bool = False
    """look at everything in the same way and leave nothing behind"""


class ImportFault(Answer):
    row: int
    """of the table; its heads are row 1"""
    field: str
    """number | name | phone | email | department | positions | superior; "" where it is about the row"""
    value: str
    message: str


class ImportOutcome(Answer):
    done: bool
    """false: nothing was changed, for it was a dry run or there are faults"""
    created: int
    """so many, or so many it would be"""
    changed: int
    unchanged: int
    faults: list[ImportFault]
    faulty_rows: File | None
    """an Excel file of yours for a day: those rows with what is wrong beside them, to be mended and sent again"""


@endpoint("POST", "/employees/imports", tag=TAG, multipart=True, limit=LIMIT, refusals=(409, 422))
def run_import(call: Call, query: ImportQuery) -> ImportOutcome:
    """Send a table up as the part `file` of a multipart body: .xlsx or CSV, UTF-8 or GB18030.

    Known numbers are changed, new ones created, an empty cell leaves what is there. A single fault undoes all of it.
    """
    call.demand(MANAGE_EMPLOYEES)
    if len(call.uploads) != 1 or call.uploads[0].field != "file":
        raise Unreadable(_("Send exactly one file, as the part “file”."))
    table = EmployeeTable.read(call.uploads[0].content)
    outcome = import_employees(call.session, call.actor, table.lines, dry_run=query.dry_run)
    file = None
    if not outcome.is_good:
        file = file_of(attachments.store(call.session, call.actor, FAULTS_FILE, table.faulty_rows(outcome)))
    return ImportOutcome(
        done=outcome.is_good and not query.dry_run,
        created=outcome.created,
        changed=outcome.changed,
        unchanged=outcome.unchanged,
        faults=[
            ImportFault(row=one.row, field=one.field, value=one.value, message=one.message)
            for one in table.faults(outcome)
        ],
        faulty_rows=file,
    )
