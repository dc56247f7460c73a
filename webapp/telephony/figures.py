"""Statistics of calls: a picture with the table beside it, the calls behind every number, the same as Excel."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Any, get_args

from flask import Blueprint, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response as BaseResponse

from connectors.tables.writing import Head
from engine.db import Sessions
from engine.i18n import Sentence, _
from processes.activity.operations import recorded_by_agents
from processes.organization.models import Department
from processes.telephony import operations, permissions
from processes.telephony.models import Agent
from processes.telephony.operations import Asked, Average, By, Figures, Which
from processes.telephony.permissions import SCORE, TEAM
from webapp.registers.export import report_response
from webapp.security.access import current_actor, requires
from webapp.skin import formats
from webapp.skin.keys import read_key
from webapp.skin.periods import QUICK, asked_period, read_day
from webapp.telephony import words

pages = Blueprint("call_figures", __name__)

USUAL_DAYS = 7
PAGE_SIZE = 20

TITLES: dict[By, Sentence] = {
    "agent": _("By agent"),
    "department": _("By department"),
    "hour": _("By hour"),
    "day": _("By day"),
    "direction": _("By direction"),
}
COLUMNS: dict[Which, Sentence] = {
    "offered": _("Offered"),
    "answered": _("Answered"),
    "missed": _("Missed"),
    "given_up": _("Given up"),
}


@pages.get("/calls/statistics")
@requires(TEAM)
def index() -> str | BaseResponse:
    """args: by, from, to, direction, agent; as=excel gives the table as a file."""
    session, actor, asked, by = Sessions(), current_actor(), _asked(), _by()
    rows = operations.statistics(session, actor, asked, by)
    total = operations.total(session, actor, asked)
    quality = operations.averages(session, actor, asked) if by == "agent" else {}
    recorded = recorded_by_agents(session, actor, asked) if by == "agent" else {}
    if request.args.get("as") == "excel":
        return _excel(asked, by, rows, total, quality, recorded)
    watched = select(Agent).where(permissions.watched_agents(actor)).options(joinedload(Agent.person))
    agents = session.scalars(watched.order_by(Agent.extension)).all()
    return render_template(
        "telephony/figures.html",
        rows=rows,
        total=total,
        quality=quality,
        recorded=recorded,
        quality_of_all=operations.together(quality),
        most=max((row.offered for row in rows), default=0),
        asked=asked,
        by=by,
        titles=TITLES,
        columns=COLUMNS,
        title_of=lambda row: title(by, row),
        address=_address,
        agents=agents,
        scores_of={one.id for one in agents if actor.may(SCORE) and one.person_id != actor.person_id},
        directions=words.DIRECTIONS,
        quick=[(text, days) for text, days in QUICK],
    )


@pages.get("/calls/statistics/calls")
@requires(TEAM)
def behind() -> str:
    """args: those of the statistics, and key and which of the number."""
    session, actor, asked, by = Sessions(), current_actor(), _asked(), _by()
    page = min(max(1, request.args.get("page", 1, type=int)), 10_000)
    which: Which = next((one for one in operations.COUNTED if one == request.args.get("which")), "offered")
    key = _key(by)
    wanted = operations.behind(actor, asked, by, key, which).offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)
    found = list(session.scalars(wanted))
    return render_template(
        "telephony/behind.html",
        found=found[:PAGE_SIZE],
        more=len(found) > PAGE_SIZE,
        page=page,
        what=COLUMNS[which],
        whose=title(by, Figures(key, _name(by, key))) if key is not None else "",
        asked=asked,
        by=by,
        key=request.args.get("key", "") if key is not None else None,
        which=which,
        address=_address,
        matches=operations.matches(session, actor, [call.number for call in found]),
    )


def title(by: By, row: Figures) -> str:
    """What a row is called."""
    if by == "hour":
        return f"{row.key:02d}:00–{(row.key + 1) % 24:02d}:00"
    if by == "day":
        return formats.day(row.key)
    if by == "department":
        return row.title or str(_("In no department"))
    if by == "direction":
        return str(words.DIRECTIONS.get(row.key, words.DIRECTIONS[""]).text)
    return row.title


def clock_time(seconds: int | None) -> str:
    """Seconds as a clock shows them; nothing as a dash."""
    if seconds is None:
        return formats.DASH
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _by() -> By:
    return next((one for one in get_args(By) if one == request.args.get("by")), "agent")


def _asked() -> Asked:
    direction = request.args.get("direction", "")
    return Asked(
        asked_period(USUAL_DAYS),
        direction if direction in operations.DIRECTIONS else "",
        request.args.get("agent", type=read_key),
    )


def _address(endpoint: str, asked: Asked, by: By, /, **more: Any) -> str:
    more |= {"from": asked.period.first, "to": asked.period.last, "agent": asked.agent_id}
    return url_for(endpoint, by=by, direction=asked.direction or None, **more)


def _key(by: By) -> int | str | date | None:
    """The row a number stands in, None for the total."""
    text = request.args.get("key")
    if text is None:
        return None
    if by == "day":
        return read_day(text)
    if by == "direction":
        return text if text in operations.DIRECTIONS else ""
    return int(text) if text.isdecimal() and len(text) < 19 else 0


def _name(by: By, key: Any) -> str:
    if by == "department":
        found = Sessions().get(Department, key)
        return found.name if found is not None else ""
    return _agent_name(key) if by == "agent" else ""


def _agent_name(agent_id: Any) -> str:
    agent = (
        Sessions()
        .scalars(select(Agent).where(Agent.id == agent_id, permissions.watched_agents(current_actor())))
        .first()
    )
    return agent.person.name if agent is not None else ""


def _excel(
    asked: Asked,
    by: By,
    rows: list[Figures],
    total: Figures,
    quality: Mapping[int, Average],
    recorded: Mapping[int, int],
) -> BaseResponse:
    heads = [
        Head(str(TITLES[by])),
        *(Head(str(text), "number") for text in COLUMNS.values()),
        *(
            Head(str(text), "number")
            for text in (
                _("Average wait (s)"),
                _("Average talk (s)"),
                _("Talk, total (s)"),
                _("After the call, total (s)"),
                _("Called back"),
                _("Until called back, average (s)"),
            )
        ),
    ]
    named = [(title(by, row), row) for row in rows] + [(str(_("All calls")), total)]
    cells = [
        [
            name,
            *(getattr(row, one) for one in COLUMNS),
            row.average_wait,
            row.average_talk,
            row.talked,
            row.after,
            row.called_back,
            row.average_back,
        ]
        for name, row in named
    ]
    if by == "agent":
        titles = (_("Contacts recorded"), _("Calls scored"), _("Quality (%)"))
        heads += [Head(str(text), "number") for text in titles]
        written = [*(recorded.get(row.key, 0) for row in rows), sum(recorded.values())]
        averages = [*(quality.get(row.key) for row in rows), operations.together(quality)]
        cells = [
            [*line, count, one.scored if one else 0, one.share if one else None]
            for line, count, one in zip(cells, written, averages, strict=True)
        ]
    period = asked.period
    return report_response(f"{_('Call statistics')} {period.first}–{period.last}", heads, cells)
