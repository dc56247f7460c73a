"""Quality of calls for programs: the sample drawn by lot, the score of one, where it can be listened to."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

import msgspec

from engine import clock
from processes.kernel import known_numbers
from processes.kernel.periods import Period
from processes.kernel.working_time import business_date
from processes.telephony import operations, rules
from processes.telephony.models import CallScore
from webapp.api.connectors import TAG
from webapp.api.endpoint import Answer, Body, Call, Id, Query, Version, endpoint
from webapp.api.paging import ListQuery, Page, page_of, rows, total_of
from webapp.api.telephony import CallLine, ScoreLine, call_line, score_lines

Points = Annotated[int, msgspec.Meta(ge=0, le=rules.MOST_POINTS)]
USUAL_DAYS = 7


class CriterionLine(Answer):
    key: str
    title: str
    most: int
    """points, when nothing is to be said against it"""


class Criteria(Answer):
    items: list[CriterionLine]


class SampleQuery(Query):
    agent: Id
    """its id, as `.../agents` gives it"""
    since: date | None = None
    """first day; without it the last seven days"""
    until: date | None = None
    size: Annotated[int, msgspec.Meta(ge=1, le=rules.MOST_DRAWN)] = operations.USUAL_SIZE
    draw: Annotated[int, msgspec.Meta(ge=1, le=operations.LARGEST_DRAW)] = 1
    """the first drawing, the second … of this agent and these days"""


class SampleLine(Answer):
    call: CallLine
    recording: str
    """where it can be listened to; "" = nowhere"""
    score: ScoreLine | None


class Sample(Answer):
    since: date
    until: date
    items: list[SampleLine]


class ScoresQuery(ListQuery):
    agent: Id | None = None
    since: date | None = None
    until: date | None = None


class ScoreRequest(Body):
    agent_id: Id
    points: Annotated[dict[str, Points], msgspec.Meta(max_length=100)]
    """key of each criterion -> points"""
    remark: Annotated[str, msgspec.Meta(max_length=rules.LONGEST_REMARK)] = ""
    version: Version | None = None
    """of the score that is changed; null: there is none yet"""


class RecordingRequest(Body):
    address: Annotated[str, msgspec.Meta(max_length=rules.LONGEST_ADDRESS)]
    """https://… or http://…; "" = nowhere any more"""


class Recording(Answer):
    id: int
    recording: str


@endpoint("GET", "/connectors/telephony/quality/criteria", tag=TAG)
def list_criteria(call: Call) -> Criteria:
    """What calls are scored by, in the order of the form."""
    found = operations.criteria(call.session)
    return Criteria(items=[CriterionLine(key=one.key, title=str(one.title), most=one.most) for one in found])


@endpoint("GET", "/connectors/telephony/quality/sample", tag=TAG)
def draw_sample(call: Call, query: SampleQuery) -> Sample:
    """A sample of the calls an agent answered, drawn by lot; the same question gives the same calls.

    Needs the right `telephony.team.score`; the agent is somebody below you.
    """
    period = _period(query)
    drawn = operations.draw(
        call.session, call.actor, agent_id=query.agent, period=period, size=query.size, number=query.draw
    )
    seen = known_numbers.shown(call.session, call.actor, {one.call.number for one in drawn})
    lines = {one.call_id: one for one in score_lines(call.session, [one.score for one in drawn if one.score])}
    items = [
        SampleLine(
            call=CallLine(**call_line(one.call, seen[one.call.number])),
            recording=one.call.recording,
            score=lines.get(one.call.id),
        )
        for one in drawn
    ]
    return Sample(since=period.first, until=period.last, items=items)


@endpoint("GET", "/connectors/telephony/quality/scores", tag=TAG)
def list_scores(call: Call, query: ScoresQuery) -> Page[ScoreLine]:
    """The scores of calls of people below you, newest call first. Needs the right `telephony.team.score`."""
    wanted = operations.scored(call.actor, _period(query), agent_id=query.agent)
    total = total_of(call.session, query, wanted, CallScore.id)
    found = rows(call.session, query, wanted)
    lines = {(one.call_id, one.agent_id): one for one in score_lines(call.session, [row[0] for row in found])}
    return page_of(query, found, total, lambda row: lines[row[0].call_id, row[0].agent_id])


@endpoint("POST", "/connectors/telephony/calls/{call_id}/actions/score", tag=TAG, refusals=(409, 422))
def score(call: Call, call_id: Id, body: ScoreRequest) -> ScoreLine:
    """Say how well somebody below you spoke in a call: points for every criterion, and a remark."""
    made = operations.score_call(
        call.session,
        call.actor,
        call_id=call_id,
        agent_id=body.agent_id,
        points=body.points,
        remark=body.remark,
        version=body.version,
    )
    return score_lines(call.session, [made])[0]


@endpoint("POST", "/connectors/telephony/calls/{call_id}/actions/recording", tag=TAG, refusals=(422,))
def keep_recording(call: Call, call_id: Id, body: RecordingRequest) -> Recording:
    """Say where a call can be listened to: for the program that records calls.

    Needs the right `telephony.recording.write`. The address is shown to those who took part and to those who score.
    """
    kept = operations.keep_recording(call.session, call.actor, call_id=call_id, address=body.address)
    return Recording(id=kept.id, recording=kept.recording)


def _period(query: SampleQuery | ScoresQuery) -> Period:
    until = query.until or business_date(clock.now())
    since = query.since or until - min(timedelta(days=USUAL_DAYS - 1), until - date.min)
    return Period.of(since, until)
