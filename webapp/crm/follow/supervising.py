"""What superiors look at: the records of their people by person and period, and what the contacts say together."""

from __future__ import annotations

from datetime import datetime

from flask import redirect, render_template, request
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.db import Sessions
from processes.activity import operations
from processes.activity.permissions import TEAM
from processes.activity.rules import RESULTS
from processes.party.permissions import USE
from processes.party.rules import LEVELS, STAGES
from webapp.crm.follow.asking import ANALYSIS_DAYS, address_of, asked_contacts
from webapp.crm.follow.call_list import pages
from webapp.crm.follow.places import back_to
from webapp.security.access import current_actor, requires
from webapp.skin.keys import key_or_none, read_key, read_place
from webapp.skin.periods import QUICK, asked_period

PAGE_SIZE = 20
USUAL_DAYS = 7


# ------------------------------------------------------------------------------------------------- the list


@pages.get("/team")
@requires(TEAM)
def team() -> str:
    session, actor = Sessions(), current_actor()
    period, person = asked_period(USUAL_DAYS), request.args.get("who", type=read_key)
    unread = request.args.get("unread") == "1"
    found, more = operations.team_records(
        session, actor, period, person_id=person, unread=unread, before=_before(), size=PAGE_SIZE
    )
    return render_template(
        "crm/follow/_team_rows.html" if request.args.get("before") else "crm/follow/team.html",
        found=found,
        more=more,
        period=period,
        who=person,
        unread=unread,
        progress=operations.progress(session, actor, period) if not request.args.get("before") else [],
        superiors=operations.progress_of_superiors(session, actor, period) if not request.args.get("before") else [],
    )


def _before() -> tuple[datetime, int] | None:
    """The last record of the page before: "2026-11-23T01:00:00+00:00 17"."""
    at, _blank, number = request.args.get("before", "").rpartition(" ")
    try:
        moment = datetime.fromisoformat(at)
    except ValueError:
        return None
    last = key_or_none(number)
    return (moment, last) if moment.tzinfo is not None and last is not None else None


@pages.post("/team/read")
@requires(TEAM)
def read_all() -> BaseResponse:
    """form: id of every record that was shown."""
    actor, ids = current_actor(), request.form.getlist("id", type=read_key)[:200]
    runtime.perform(lambda session: operations.mark_read(session, actor, ids))
    return redirect(back_to())


# ------------------------------------------------------------------------------------------------- the analysis


@pages.get("/analysis")
@requires(USE)
def analysis() -> str:
    session, actor, period = Sessions(), current_actor(), asked_period(ANALYSIS_DAYS)
    said = operations.analyse(session, actor, period)
    rows = [(stage, [said.table.get((stage, result), 0) for result in (*RESULTS, "")]) for stage in STAGES]
    return render_template(
        "crm/follow/analysis.html",
        period=period,
        said=said,
        rows=rows,
        most=max((sum(counts) for _stage, counts in rows), default=0),
        results=(*RESULTS, ""),
        stages=STAGES,
        levels=LEVELS,
        quick=QUICK,
    )


@pages.get("/analysis/customers")
@requires(USE)
def drilled() -> str:
    session, actor, asked = Sessions(), current_actor(), asked_contacts()
    page = max(1, request.args.get("page", 1, type=read_place))
    found, more = operations.drilled(session, actor, asked, skip=(page - 1) * PAGE_SIZE, size=PAGE_SIZE)
    return render_template(
        "crm/follow/drilled.html",
        found=found,
        more=more,
        page=page,
        asked=asked,
        address=address_of(asked),
        stages=STAGES,
        levels=LEVELS,
    )
