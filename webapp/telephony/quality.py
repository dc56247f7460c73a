"""Quality of calls: the sample drawn by lot, the form that scores one, the scores of a period."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import joinedload
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.db import Sessions
from engine.errors import AppError, InvalidForm, NotFound
from engine.i18n import _
from processes.kernel.periods import Period
from processes.telephony import operations, permissions, rules
from processes.telephony.models import Agent
from processes.telephony.operations import LARGEST_DRAW, USUAL_SIZE
from processes.telephony.permissions import SCORE
from webapp.security.access import current_actor, requires
from webapp.skin.keys import read_key, read_place
from webapp.skin.periods import QUICK, asked_period

pages = Blueprint("call_quality", __name__, url_prefix="/calls/quality")

USUAL_DAYS = 7
PAGE_SIZE = 20
SIZES = (3, 5, 10, 20)


@pages.get("/")
@requires(SCORE)
def index() -> str:
    """args: agent, from, to, size, draw. Without an agent the first of those one scores."""
    session, actor = Sessions(), current_actor()
    agents = session.scalars(
        select(Agent).where(permissions.scored_agents(actor), Agent.state == "active")
        .options(joinedload(Agent.person)).order_by(Agent.extension)
    ).all()  # fmt: skip
    chosen = request.args.get("agent", type=read_key) or (agents[0].id if agents else None)
    agent = operations.scored_agent(session, actor, chosen) if chosen is not None else None
    period, size, number = asked_period(USUAL_DAYS), _size(), _draw()
    drawn = operations.draw(session, actor, agent_id=agent.id, period=period, size=size, number=number) if agent else []
    shares = [one.score.share for one in drawn if one.score is not None]
    return render_template(
        "telephony/quality.html",
        drawn=drawn,
        agent=agent,
        agents=agents if agent is None or agent in agents else [*agents, agent],
        period=period,
        size=size,
        sizes=SIZES,
        number=number,
        largest=LARGEST_DRAW,
        done=len(shares),
        average=rules.share_of(sum(shares), 100 * len(shares)) if shares else None,
        address=_address,
        quick=QUICK,
        matches=operations.matches(session, actor, [one.call.number for one in drawn]),
    )


@pages.get("/scores")
@requires(SCORE)
def scores() -> str:
    """args: agent, from, to, page: what lies behind an average."""
    session, actor, period = Sessions(), current_actor(), asked_period(USUAL_DAYS)
    chosen, page = request.args.get("agent", type=read_key), max(1, request.args.get("page", 1, type=read_place))
    agent = operations.scored_agent(session, actor, chosen) if chosen is not None else None
    wanted = operations.scored(actor, period, agent_id=chosen).offset((page - 1) * PAGE_SIZE).limit(PAGE_SIZE + 1)
    found = session.scalars(wanted).all()
    return render_template(
        "telephony/scores.html",
        found=found[:PAGE_SIZE],
        more=len(found) > PAGE_SIZE,
        page=page,
        agent=agent,
        period=period,
        address=lambda number: url_for("call_quality.scores", **_days(period), agent=chosen, page=number),
        matches=operations.matches(session, actor, [one.call.number for one in found]),
    )


@pages.get("/<int:call_id>/<int:agent_id>")
@requires(SCORE)
def form(call_id: int, agent_id: int) -> str:
    """args: those of the sample, to go on with it."""
    return _form(call_id, agent_id)


@pages.post("/<int:call_id>/<int:agent_id>")
@requires(SCORE)
def score(call_id: int, agent_id: int) -> BaseResponse:
    """form: points.<criterion>, remark, version; the next of the sample that is not scored follows."""
    actor, sent = current_actor(), request.form
    points = {name.removeprefix("points."): value for name, value in sent.items() if name.startswith("points.")}
    try:
        runtime.perform(
            lambda session: operations.score_call(
                session, actor, call_id=call_id, agent_id=agent_id, points=points,
                remark=sent.get("remark", ""), version=sent.get("version", type=read_key),
            ).id
        )  # fmt: skip
    except NotFound:
        raise
    except AppError as refusal:
        Sessions().rollback()
        return make_response(_form(call_id, agent_id, refusal), refusal.status)
    flash(str(_("The score is kept.")), "success")
    return redirect(_after(agent_id))


def _form(call_id: int, agent_id: int, refusal: AppError | None = None) -> str:
    session, actor = Sessions(), current_actor()
    agent, call = operations.scored_agent(session, actor, agent_id), permissions.readable(session, actor, call_id)
    there = next((one for one in operations.scores_of(session, actor, call) if one.agent_id == agent.id), None)
    values: Mapping[str, Any] = {f"points.{one['key']}": one["points"] for one in there.points} if there else {}
    values = {"remark": there.remark if there else "", **values}
    return render_template(
        "telephony/score.html",
        call=call,
        agent=agent,
        score=there,
        criteria=operations.criteria(session),
        typed=request.form if refusal is not None else values,
        problems=refusal.by_field() if isinstance(refusal, InvalidForm) else {},
        refusal=refusal if refusal is not None and not isinstance(refusal, InvalidForm) else None,
        match=operations.matches(session, actor, [call.number])[call.number],
        may_listen=operations.may_listen(session, actor, call),
        back=_address(agent_id, asked_period(USUAL_DAYS), _size(), _draw()),
    )


def _after(agent_id: int) -> str:
    """The next call of the sample that nobody has scored, else the sample."""
    session, period, size, number = Sessions(), asked_period(USUAL_DAYS), _size(), _draw()
    session.rollback()
    drawn = operations.draw(session, current_actor(), agent_id=agent_id, period=period, size=size, number=number)
    left = next((one.call.id for one in drawn if one.score is None), None)
    if left is None:
        return _address(agent_id, period, size, number)
    more: dict[str, Any] = {**_days(period), "size": size, "draw": number}
    return url_for("call_quality.form", call_id=left, agent_id=agent_id, **more)


def _address(agent_id: int | None, period: Period, size: int, number: int) -> str:
    return url_for("call_quality.index", agent=agent_id, size=size, draw=number, **_days(period))


def _days(period: Period) -> dict[str, Any]:
    return {"from": period.first.isoformat(), "to": period.last.isoformat()}


def _size() -> int:
    return min(max(1, request.args.get("size", USUAL_SIZE, type=read_place)), rules.MOST_DRAWN)


def _draw() -> int:
    return min(max(1, request.args.get("draw", 1, type=read_place)), LARGEST_DRAW)
