"""Customer state: how customers stood on two days by state, stage or level, and what became of whom."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Blueprint, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from connectors.tables.writing import Head
from engine import clock
from engine.db import Sessions
from engine.i18n import Sentence, _
from processes.insight.operations import standing
from processes.insight.operations.standing import Asked, Flow, Sight
from processes.insight.permissions import TEAM
from processes.kernel.working_time import business_date
from processes.organization.models import Department, Employee
from processes.party.rules import LEVELS, STAGES, STATES
from webapp.crm.insight import asking
from webapp.registers.export import report_response
from webapp.security.access import current_actor, requires
from webapp.skin import formats
from webapp.skin.periods import read_day

pages = Blueprint("customer_state", __name__, url_prefix="/reports/customer-state")

USUAL_DAYS = 30

TITLES: dict[Sight, Sentence] = {"state": _("Locked or open"), "stage": _("Stage"), "level": _("Level")}
VALUES: Mapping[Sight, Mapping[str, Sentence]] = {"state": STATES, "stage": STAGES, "level": LEVELS}
_ELSEWHERE = _("Not here")


@pages.get("/")
@requires(TEAM)
def index() -> str | BaseResponse:
    """args: sight, from, to, owner, department; as=excel gives the table as a file."""
    session, actor, asked, sight = Sessions(), current_actor(), _asked(), _sight()
    flow = standing.flow(session, actor, asked, sight)
    words = {**VALUES[sight], standing.ELSEWHERE: _ELSEWHERE}
    if request.args.get("as") == "excel":
        return _excel(sight, flow, words)
    return render_template(
        "crm/insight/state.html",
        flow=flow,
        words=words,
        values=VALUES[sight],
        most=max((max(flow.was(one), flow.is_now(one)) for one in VALUES[sight]), default=0),
        asked=asked,
        sight=sight,
        titles=TITLES,
        address=_address,
        owners=asking.chosen(Employee, asked.owner_id),
        departments=asking.chosen(Department, asked.department_id),
    )


@pages.get("/customers")
@requires(TEAM)
def behind() -> str:
    """args: those of the report, and was and now of the number, each left out for "whatever it was"."""
    session, actor, asked, sight = Sessions(), current_actor(), _asked(), _sight()
    page, was, now = asking.page(), _value(sight, "was"), _value(sight, "now")
    wanted = standing.moved(session, actor, asked, sight, was, now)
    wanted = wanted.offset((page - 1) * asking.PAGE_SIZE).limit(asking.PAGE_SIZE + 1)
    found, more = asking.cut(session.execute(wanted).all())
    return render_template(
        "crm/insight/state_behind.html",
        found=found,
        more=more,
        page=page,
        named=asking.named(row[0].id for row in found),
        words={**VALUES[sight], standing.ELSEWHERE: _ELSEWHERE},
        asked=asked,
        sight=sight,
        titles=TITLES,
        was=was,
        now=now,
        address=_address,
    )


def _sight() -> Sight:
    return next((one for one in standing.SIGHTS if one == request.args.get("sight")), "stage")


def _value(sight: Sight, name: str) -> str | None:
    """None = whatever it was: also for what no customer ever is."""
    value = request.args.get(name)
    return value if value == standing.ELSEWHERE or value in VALUES[sight] else None


def _asked() -> Asked:
    last = read_day(request.args.get("to", "")) or business_date(clock.now())
    first = read_day(request.args.get("from", "")) or last - min(timedelta(days=USUAL_DAYS), last - last.min)
    return Asked(min(first, last), max(first, last), *asking.whose())


def _address(endpoint: str, asked: Asked, sight: Sight, /, **more: Any) -> str:
    more |= {"from": asked.first, "to": asked.last}
    return url_for(endpoint, sight=sight, owner=asked.owner_id, department=asked.department_id, **more)


def _excel(sight: Sight, flow: Flow, words: Mapping[str, Sentence]) -> BaseResponse:
    days = f"{formats.day(flow.first)}–{formats.day(flow.last)}"
    heads = [
        Head(f"{TITLES[sight]} {formats.day(flow.first)}"),
        *(Head(str(text), "number") for text in words.values()),
        Head(str(_("Together")), "number"),
    ]
    rows = [
        [str(text), *(flow.table.get((was, now), 0) for now in words), flow.was(was)] for was, text in words.items()
    ]
    rows.append([str(_("Together")), *(flow.is_now(now) for now in words), sum(flow.table.values())])
    return report_response(f"{_('Customer state')} {days}", heads, rows)
