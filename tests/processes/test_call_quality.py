"""Quality of calls: nobody chooses the sample, nobody scores himself, the averages are those of the scores behind."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from hypothesis import given, strategies as st
from sqlalchemy import select

from engine.actor import Actor
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from engine.models import RecordAudit
from processes.telephony import operations, permissions, rules
from processes.telephony.models import CallScore
from processes.telephony.operations import Asked
from tests.processes.company import actor_of
from tests.processes.test_call_statistics import WEEK, write
from tests.processes.test_telephony import Desk, course, desk, keep, missed  # noqa: F401 - fixtures

FULL = {key: most for key, (_title, most) in rules.USUAL_CRITERIA.items()}


def supervisor(desk: Desk) -> Actor:  # noqa: F811
    return actor_of(desk.company.wang, permissions.TEAM, permissions.SCORE)


def drawn(desk: Desk, **more: Any) -> list[int]:  # noqa: F811
    found = operations.draw(desk.session, supervisor(desk), agent_id=desk.li.id, period=WEEK, **more)
    return [one.call.id for one in found]


@given(
    st.sets(st.integers(1, 10_000), max_size=60), st.integers(1, 20), st.text(max_size=8), st.integers(10_001, 20_000)
)
def test_a_call_that_comes_later_takes_one_place_at_most(calls: set[int], size: int, seed: str, later: int) -> None:
    before = rules.sample(calls, size, seed)
    assert before == rules.sample(sorted(calls, reverse=True), size, seed), "in whatever order they are found"
    assert len(before) == min(size, len(calls))
    assert len(set(before) - set(rules.sample(calls | {later}, size, seed))) <= 1


def test_the_same_question_draws_the_same_calls_and_another_drawing_others(desk: Desk) -> None:  # noqa: F811
    write(desk, 3, 400)
    first = drawn(desk)
    assert len(first) == operations.USUAL_SIZE
    assert drawn(desk) == first
    others = {tuple(drawn(desk, number=number)) for number in range(1, 8)}
    assert len(others) > 1
    for one in operations.draw(desk.session, supervisor(desk), agent_id=desk.li.id, period=WEEK, size=50):
        assert one.call.ended_at is not None
        assert one.call.direction in ("in", "out")
        assert any(leg.agent_id == desk.li.id and leg.answered_at is not None for leg in one.call.legs)
        assert WEEK.begins <= one.call.started_at < WEEK.ends


def test_who_scores_whom(desk: Desk) -> None:  # noqa: F811
    call = keep(desk.session, course())
    session, give = desk.session, {"call_id": call.id, "agent_id": desk.li.id, "points": FULL}
    with pytest.raises(Forbidden):
        operations.score_call(session, actor_of(desk.company.wang, permissions.TEAM), **give)
    for nobody in (desk.company.sun, desk.company.li):
        with pytest.raises(NotFound):
            operations.score_call(session, actor_of(nobody, permissions.SCORE, permissions.READ_CALLS) if nobody is
                                  desk.company.li else actor_of(nobody, permissions.SCORE), **give)  # fmt: skip
    with pytest.raises(RuleViolation):
        operations.score_call(session, supervisor(desk), **(give | {"agent_id": desk.zhao.id}))
    score = operations.score_call(session, supervisor(desk), **give, remark="很好")
    assert (score.share, score.remark) == (100, "很好")
    assert operations.scores_of(session, actor_of(desk.company.li), call) == [score], "his own he reads"
    assert operations.scores_of(session, actor_of(desk.company.zhao), call) == [], "a colleague's he does not"
    missed_one = keep(session, missed("yun-9.9"))
    with pytest.raises(RuleViolation):
        operations.score_call(session, supervisor(desk), **(give | {"call_id": missed_one.id}))


def test_every_criterion_is_answered_within_its_points(desk: Desk) -> None:  # noqa: F811
    call = keep(desk.session, course())
    for wrong in ({}, FULL | {"tone": 16}, FULL | {"tone": -1}, FULL | {"tone": "1.5"}, FULL | {"tone": True},
                  FULL | {"tone": None}, FULL | {"another": 1}):  # fmt: skip
        with pytest.raises(InvalidForm):
            operations.score_call(desk.session, supervisor(desk), call_id=call.id, agent_id=desk.li.id, points=wrong)
    with pytest.raises(InvalidForm):
        operations.score_call(
            desk.session, supervisor(desk), call_id=call.id, agent_id=desk.li.id, points=FULL, remark="x" * 1001
        )
    assert desk.session.scalars(select(CallScore)).all() == []


def test_a_second_score_needs_the_version_of_the_first_and_leaves_its_trace(desk: Desk) -> None:  # noqa: F811
    call, session = keep(desk.session, course()), desk.session
    give = {"call_id": call.id, "agent_id": desk.li.id}
    first = operations.score_call(session, supervisor(desk), **give, points=FULL)
    session.commit()
    with pytest.raises(Conflict):
        operations.score_call(session, supervisor(desk), **give, points=FULL)
    changed = operations.score_call(
        session, supervisor(desk), **give, points=FULL | {"answer": 0}, version=first.version
    )
    assert (changed.id, changed.share) == (first.id, 65)
    with pytest.raises(Conflict):
        operations.score_call(session, supervisor(desk), **give, points=FULL, version=1)
    traces = session.scalars(select(RecordAudit).where(RecordAudit.action == "scored").order_by(RecordAudit.id)).all()
    assert [(one.before or {}).get("share") for one in traces] == [None, 100]


def test_the_averages_are_those_of_the_scores_behind_them(desk: Desk) -> None:  # noqa: F811
    write(desk, 5, 200)
    session, actor = desk.session, supervisor(desk)
    for agent, worst in ((desk.li, 3), (desk.zhao, 7)):
        for place, one in enumerate(operations.draw(session, actor, agent_id=agent.id, period=WEEK, size=4)):
            points = FULL | {"answer": place * worst}
            operations.score_call(session, actor, call_id=one.call.id, agent_id=agent.id, points=points)
    session.commit()
    for direction in ("", "in", "out"):
        averages = operations.averages(session, actor, Asked(WEEK, direction))
        scores = session.scalars(operations.scored(actor, WEEK)).all()
        for agent in (desk.li, desk.zhao):
            shares = [one.share for one in scores if one.agent_id == agent.id and direction in ("", one.call.direction)]
            found = averages.get(agent.id)
            assert (found.scored, found.total) == (len(shares), sum(shares)) if found else not shares
    whole = operations.together(operations.averages(session, actor, Asked(WEEK)))
    assert whole is not None
    assert whole.scored == 8
    before = WEEK.of(WEEK.first - timedelta(days=30), WEEK.first - timedelta(days=1))
    assert all(one.call.started_at < before.ends for one in session.scalars(operations.scored(actor, before)))
    assert operations.averages(session, actor_of(desk.company.sun, permissions.TEAM), Asked(WEEK)) == {}


def test_the_companys_own_criteria_replace_the_houses_and_kept_scores_stay(desk: Desk) -> None:  # noqa: F811
    call, session = keep(desk.session, course()), desk.session
    operations.score_call(session, supervisor(desk), call_id=call.id, agent_id=desk.li.id, points=FULL)
    keeper = actor_of(desk.company.wang, permissions.MANAGE_CRITERIA)
    with pytest.raises(Forbidden):
        operations.create_criterion(session, supervisor(desk), values={"title": "报价准确", "most": 10})
    for most in (0, 101, "x", True):
        with pytest.raises(InvalidForm):
            operations.create_criterion(session, keeper, values={"title": "报价准确", "most": most})
    made = operations.create_criterion(session, keeper, values={"title": "报价准确", "most": 4})
    assert [(one.key, one.most) for one in operations.criteria(session)] == [(str(made.id), 4)]
    (kept,) = operations.scores_of(session, supervisor(desk), call)
    assert [operations.criterion_title(one) for one in kept.points] == [
        str(title) for title, _most in rules.USUAL_CRITERIA.values()
    ]
    changed = operations.score_call(
        session, supervisor(desk), call_id=call.id, agent_id=desk.li.id, points={str(made.id): 3}, version=kept.version
    )
    assert changed.share == 75
    operations.archive_criterion(session, keeper, record_id=made.id)
    assert len(operations.criteria(session)) == len(FULL)


def test_a_recording_is_an_address_of_the_web_and_heard_by_few(desk: Desk) -> None:  # noqa: F811
    call, session = keep(desk.session, course()), desk.session
    program = actor_of(desk.company.sun, permissions.WRITE_RECORDINGS)
    with pytest.raises(Forbidden):
        operations.keep_recording(session, supervisor(desk), call_id=call.id, address="https://pbx.example/1.wav")
    for wrong in (
        "javascript:alert(1)",
        "data:text/html,x",
        "//pbx/1.wav",
        'https://x/"><script>',
        "https://x/" + "y" * 500,
    ):
        with pytest.raises(InvalidForm):
            operations.keep_recording(session, program, call_id=call.id, address=wrong)
    operations.keep_recording(session, program, call_id=call.id, address=" https://pbx.example/1.wav ")
    assert call.recording == "https://pbx.example/1.wav"
    assert operations.may_listen(session, actor_of(desk.company.li), call)
    assert operations.may_listen(session, supervisor(desk), call)
    assert not operations.may_listen(session, actor_of(desk.company.wang, permissions.TEAM), call)
    operations.keep_recording(session, program, call_id=call.id, address="")
    assert not operations.may_listen(session, actor_of(desk.company.li), call)
