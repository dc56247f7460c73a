"""Quality of calls: a sample drawn by lot, points for each criterion, the average of an agent (row 89)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session, joinedload

from engine import journal
from engine.actor import Actor
from engine.errors import Conflict, InvalidForm, NotFound, Problem, RuleViolation
from engine.forms import unprintable
from engine.i18n import _
from processes.kernel.columns import lock_for_change, stamp
from processes.kernel.periods import Period
from processes.telephony import permissions, rules
from processes.telephony.models import Agent, Call, CallLeg, CallScore
from processes.telephony.operations.criteria import criteria
from processes.telephony.operations.reading import calls
from processes.telephony.operations.statistics import Asked

USUAL_SIZE = 5
LARGEST_DRAW = 99


@dataclass(frozen=True)
class Drawn:
    call: Call
    score: CallScore | None


@dataclass(frozen=True)
class Average:
    """Of an agent, or of several together."""

    scored: int
    total: int
    """per cent, all scores added up"""

    @property
    def share(self) -> int:
        return rules.share_of(self.total, 100 * self.scored)


def draw(
    session: Session, actor: Actor, *, agent_id: int, period: Period, size: int = USUAL_SIZE, number: int = 1
) -> list[Drawn]:
    """A sample of the calls an agent answered in a period, oldest first; the same question gives the same calls.

    number: the first drawing, the second … of this agent and period.
    """
    agent = scored_agent(session, actor, agent_id)
    answered = (
        select(Call.id)
        .join(CallLeg, CallLeg.call_id == Call.id)
        .where(
            period.holds(Call.started_at.expression),
            Call.ended_at.is_not(None),
            Call.direction.in_(("in", "out")),
            CallLeg.agent_id == agent.id,
            CallLeg.answered_at.is_not(None),
        )
    )
    seed = f"{agent.id}:{period.first}:{period.last}:{number}"
    chosen = rules.sample(session.scalars(answered), min(max(1, size), rules.MOST_DRAWN), seed)
    found = session.scalars(calls(actor).where(Call.id.in_(chosen)).order_by(Call.started_at, Call.id)).all()
    of_call = {one.call_id: one for one in session.scalars(_scores(agent.id).where(CallScore.call_id.in_(chosen)))}
    return [Drawn(call, of_call.get(call.id)) for call in found]


def score_call(
    session: Session,
    actor: Actor,
    *,
    call_id: int,
    agent_id: int,
    points: Mapping[str, Any],
    remark: str = "",
    version: int | None = None,
) -> CallScore:
    """Say how well an agent spoke in a call. points: criterion's key -> whole points, each of them.

    version: of the score that is changed; None = there is none yet.
    """
    agent, call = scored_agent(session, actor, agent_id), permissions.readable(session, actor, call_id)
    if agent not in scorable_in(session, actor, call):
        raise RuleViolation(_("Only a call that this agent has answered and that is over can be scored."))
    given, remark = _read(session, points, remark)
    share = rules.share_of(sum(one["points"] for one in given), sum(one["most"] for one in given))
    there = session.scalars(_scores(agent.id).where(CallScore.call_id == call.id)).first()
    if there is None:
        made = CallScore(
            call_id=call.id, agent_id=agent.id, points=given, share=share, remark=remark,
            created_by=actor.person_id, changed_by=actor.person_id,
        )  # fmt: skip
        try:
            with session.begin_nested():
                session.add(made)
                session.flush()
        except IntegrityError:
            raise _scored_meanwhile() from None
        journal.audit(session, actor, permissions.CALL, call.id, "scored", None, _trace(made))
        return made
    if version is None:
        raise _scored_meanwhile()
    score = lock_for_change(session, CallScore, there.id, version)
    before = _trace(score)
    score.points, score.share, score.remark = given, share, remark
    if _trace(score) != before:
        stamp(score, actor)
        session.flush()
        journal.audit(session, actor, permissions.CALL, call.id, "scored", before, _trace(score))
    return score


def scores_of(session: Session, actor: Actor, call: Call) -> list[CallScore]:
    """Those of one's own part, and of people whose calls one scores."""
    mine = Agent.person_id == actor.person_id
    seen = mine | permissions.scored_agents(actor) if actor.may(permissions.SCORE) else mine
    wanted = select(CallScore).join(Agent, Agent.id == CallScore.agent_id).where(CallScore.call_id == call.id, seen)
    shown = joinedload(CallScore.agent).joinedload(Agent.person)
    return list(session.scalars(wanted.options(shown).order_by(CallScore.id)))


def scorable_in(session: Session, actor: Actor, call: Call) -> list[Agent]:
    """Whom the actor can score in it: who answered, and whose calls he scores."""
    answered = [leg.agent_id for leg in call.legs if leg.answered_at is not None]
    if not answered or call.ended_at is None or not actor.may(permissions.SCORE):
        return []
    wanted = select(Agent).where(Agent.id.in_(answered), permissions.scored_agents(actor))
    return list(session.scalars(wanted.options(joinedload(Agent.person)).order_by(Agent.extension)))


def averages(session: Session, actor: Actor, asked: Asked) -> dict[int, Average]:
    """By agent, of the calls asked for that were scored."""
    permissions.require(actor, permissions.TEAM)
    wanted = (
        select(CallScore.agent_id, func.count(), func.sum(CallScore.share))
        .join(Call, Call.id == CallScore.call_id)
        .join(Agent, Agent.id == CallScore.agent_id)
        .where(asked.period.holds(Call.started_at.expression), permissions.watched_agents(actor))
    )
    if asked.direction:
        wanted = wanted.where(Call.direction == asked.direction)
    if asked.agent_id is not None:
        wanted = wanted.where(CallScore.agent_id == asked.agent_id)
    rows = session.execute(wanted.group_by(CallScore.agent_id))
    return {row[0]: Average(row[1], int(row[2])) for row in rows}


def together(all_of: Mapping[int, Average]) -> Average | None:
    """Every score counts as much; None: there is none."""
    if not all_of:
        return None
    return Average(sum(one.scored for one in all_of.values()), sum(one.total for one in all_of.values()))


def scored(actor: Actor, period: Period, *, agent_id: int | None = None) -> Select[CallScore]:
    """The scores of a period, newest call first."""
    permissions.require(actor, permissions.SCORE)
    wanted = (
        select(CallScore)
        .join(Call, Call.id == CallScore.call_id)
        .join(Agent, Agent.id == CallScore.agent_id)
        .where(period.holds(Call.started_at.expression), permissions.scored_agents(actor))
        .options(joinedload(CallScore.call), joinedload(CallScore.agent).joinedload(Agent.person))
        .order_by(Call.started_at.desc(), CallScore.id.desc())
    )
    return wanted.where(CallScore.agent_id == agent_id) if agent_id is not None else wanted


def scored_agent(session: Session, actor: Actor, agent_id: int) -> Agent:
    """One whose calls the actor scores; there is no other."""
    permissions.require(actor, permissions.SCORE)
    wanted = select(Agent).where(Agent.id == agent_id, permissions.scored_agents(actor))
    agent = session.scalars(wanted.options(joinedload(Agent.person))).first()
    if agent is None:
        raise NotFound
    return agent


def keep_recording(session: Session, actor: Actor, *, call_id: int, address: str) -> Call:
    """Say where a call can be listened to; "" = nowhere any more."""
    permissions.require(actor, permissions.WRITE_RECORDINGS)
    call = lock_for_change(session, Call, call_id)
    try:
        address = rules.check_address(address)
    except RuleViolation as refusal:
        raise InvalidForm([Problem("address", refusal.message)]) from refusal
    if address != call.recording:
        was, call.recording = call.recording, address
        session.flush()
        journal.audit(session, actor, permissions.CALL, call.id, "changed", {"recording": was}, {"recording": address})
    return call


def may_listen(session: Session, actor: Actor, call: Call) -> bool:
    """To the recording: who took part, and who scores."""
    return bool(call.recording) and (actor.may(permissions.SCORE) or permissions.takes_part(session, actor, call))


def _scores(agent_id: int) -> Select[CallScore]:
    return select(CallScore).where(CallScore.agent_id == agent_id)


def _read(session: Session, points: Mapping[str, Any], remark: str) -> tuple[list[dict[str, Any]], str]:
    """Every criterion once, nothing else; all mistakes together."""
    known, problems, given = criteria(session), [], []
    for one in known:
        value = points.get(one.key)
        text = "" if value is None or isinstance(value, bool) else str(value).strip()
        if not text.isdecimal() or len(text) > 4 or int(text) > one.most:
            problems.append(Problem(f"points.{one.key}", _("Please give 0 to {most} points.", most=one.most)))
        else:
            given.append({"key": one.key, "title": str(one.title), "points": int(text), "most": one.most})
    problems += [
        Problem(f"points.{key}", _("There is no such criterion.")) for key in points.keys() - {one.key for one in known}
    ]
    remark = remark.replace("\r\n", "\n").strip()
    if len(remark) > rules.LONGEST_REMARK:
        problems.append(Problem("remark", _("At most {count} characters fit here.", count=rules.LONGEST_REMARK)))
    elif unprintable(remark):
        problems.append(Problem("remark", _("This contains characters that cannot be printed.")))
    if problems:
        raise InvalidForm(problems)
    return given, remark


def _trace(score: CallScore) -> dict[str, Any]:
    return {"agent": score.agent_id, "points": score.points, "share": score.share, "remark": score.remark}


def _scored_meanwhile() -> Conflict:
    return Conflict(_("Somebody has scored this call meanwhile."), remedy=_("Load it again."))
