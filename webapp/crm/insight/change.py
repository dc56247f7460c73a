"""Customer change: opening, what came and went, closing; by owner, department or month."""

from __future__ import annotations

from datetime import date
from typing import Any, get_args

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from connectors.tables.writing import Head
from engine import clock
from engine.db import Sessions
from engine.i18n import Sentence, _
from processes.insight import rules
from processes.insight.operations import change
from processes.insight.operations.change import Asked, By, Change, Column
from processes.insight.permissions import TEAM
from processes.kernel.working_time import business_date
from processes.organization.models import Department, Employee
from webapp.crm.insight import asking
from webapp.registers.export import report_response
from webapp.security.access import current_actor, requires
from webapp.skin.periods import read_day

pages = Blueprint("customer_change", __name__, url_prefix="/reports/customer-change")

USUAL_MONTHS = 6

TITLES: dict[By, Sentence] = {"owner": _("By owner"), "department": _("By department"), "month": _("By month")}


@pages.get("/")
@requires(TEAM)
def index() -> str | BaseResponse:
    """args: by, from, to (2026-06), owner, department; as=excel gives the table as a file."""
    session, actor, asked, by = Sessions(), current_actor(), _asked(), _by()
    rows = change.changes(session, actor, asked, by)
    total = change.total(session, actor, asked)
    if request.args.get("as") == "excel":
        return _excel(asked, by, rows, total)
    return render_template(
        "crm/insight/change.html",
        rows=rows,
        total=total,
        most=max((max(row.came, row.went) for row in rows), default=0),
        asked=asked,
        by=by,
        titles=TITLES,
        columns=rules.COLUMNS,
        meanings=rules.MEANINGS,
        title_of=lambda row: title(by, row),
        address=_address,
        owners=asking.chosen(Employee, asked.owner_id),
        departments=asking.chosen(Department, asked.department_id),
    )


@pages.get("/customers")
@requires(TEAM)
def behind() -> str:
    """args: those of the report, and key and column of the number."""
    session, actor, asked, by = Sessions(), current_actor(), _asked(), _by()
    column: Column = next((one for one in get_args(Column) if one == request.args.get("column")), "closing")
    key, page = _key(by), asking.page()
    wanted = change.behind(actor, asked, by, key, column)
    wanted = wanted.offset((page - 1) * asking.PAGE_SIZE).limit(asking.PAGE_SIZE + 1)
    found, more = asking.cut(session.scalars(wanted).all())
    return render_template(
        "crm/insight/change_behind.html",
        found=found,
        more=more,
        page=page,
        named=asking.named(one.customer_id for one in found),
        what=rules.COLUMNS[column],
        meaning=rules.MEANINGS[column],
        whose=_whose(by, key),
        ways=WAYS,
        asked=asked,
        by=by,
        key=request.args.get("key"),
        column=column,
        address=_address,
    )


WAYS: dict[str, Sentence] = {
    "": _("still held"),
    "created": _("created"),
    "applied": _("applied for"),
    "assigned": _("assigned"),
    "handed_over": _("handed over"),
    "by_rule": _("by a rule"),
    "imported": _("imported"),
    "undone": _("undone"),
    "merged": _("merged"),
    "released": _("released"),
    "unlocked": _("unlocked by a rule"),
    "closed": _("closed"),
}


def title(by: By, row: Change) -> str:
    """What a row is called."""
    if by == "month":
        return f"{row.key:%Y-%m}"
    return row.title or str(_("In no department"))


def _by() -> By:
    return next((one for one in get_args(By) if one == request.args.get("by")), "owner")


def _asked() -> Asked:
    last = read_day(f"{request.args.get('to', '')}-01") or business_date(clock.now())
    first = read_day(f"{request.args.get('from', '')}-01")
    last = min(max(last, date(1980, 1, 1)), date(8999, 12, 1))
    first = min(max(first or rules.months_on(last, 1 - USUAL_MONTHS), date(1970, 1, 1)), date(8999, 12, 1))
    return Asked.of(first, last, *asking.whose())


def _address(endpoint: str, asked: Asked, by: By, /, **more: Any) -> str:
    more |= {"from": f"{asked.first:%Y-%m}", "to": f"{asked.last:%Y-%m}"}
    return url_for(endpoint, by=by, owner=asked.owner_id, department=asked.department_id, **more)


def _key(by: By) -> Any:
    """The row a number stands in; "" for the total."""
    text = request.args.get("key")
    if text is None:
        return ""
    if by == "month":
        return read_day(text) or ""
    return int(text) if text.isdecimal() and len(text) < 19 else None


def _whose(by: By, key: Any) -> str:
    if key == "":
        return ""
    if by == "month":
        return f"{key:%Y-%m}"
    model: Any = Employee if by == "owner" else Department
    found = Sessions().get(model, key) if key is not None else None
    return found.name if found is not None else str(_("In no department"))


def _excel(asked: Asked, by: By, rows: list[Change], total: Change) -> BaseResponse:
    heads = [Head(str(TITLES[by])), *(Head(str(text), "number") for text in rules.COLUMNS.values())]
    named = [(title(by, row), row) for row in rows] + [(str(_("Together")), total)]
    cells = [[name, *(getattr(row, column) for column in rules.COLUMNS)] for name, row in named]
    return report_response(f"{_('Customer change')} {asked.first:%Y-%m}–{asked.last:%Y-%m}", heads, cells)
