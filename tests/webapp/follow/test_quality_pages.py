"""Samples of calls and their scores in the browser's words: drawn, scored, gone on with, changed, read by the agent."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import select

from engine.db import transaction
from processes.telephony.models import Agent, Call, CallScore
from processes.telephony.rules import USUAL_CRITERIA
from tests.demo_house import DemoHouse
from tests.webapp.follow.test_follow_pages import ask

SUPERIOR, AGENT, COLLEAGUE, CLERK = "zhou.ming", "wang.lei", "li.na", "wu.ting"
POINTS = {f"points.{key}": str(most) for key, (_title, most) in USUAL_CRITERIA.items()}


@pytest.fixture
def sample(house: DemoHouse) -> list[str]:
    """Addresses of the forms of a sample of Wang Lei's calls, oldest first."""
    agent = ask(lambda session: session.scalar(select(Agent.id).where(Agent.extension == "8001")))
    page = house.login(SUPERIOR).get(f"/calls/quality/?agent={agent}&last=90&size=3").text
    found = [one.replace("&amp;", "&") for one in re.findall(r'data-yl-href="(/calls/quality/\d+/\d+[^"]*)"', page)]
    assert found
    return found


def scores() -> list[Any]:
    found: list[Any] = ask(lambda session: list(session.scalars(select(CallScore).order_by(CallScore.id))))
    return found


def test_one_scores_call_after_call_and_the_average_stands_in_the_statistics(
    house: DemoHouse, sample: list[str]
) -> None:
    browser = house.login(SUPERIOR)
    assert "请填写 0 至 35 分" in browser.post(sample[0], {**POINTS, "points.answer": "36"}).text
    assert scores() == []
    answer = browser.post(sample[0], {**POINTS, "points.answer": "0", "remark": "<b>太快</b>"})
    assert answer.status_code == 302
    if len(sample) > 1:
        assert answer.headers["Location"].split("?")[0] == sample[1].split("?")[0], "the next that is not scored"
    (score,) = scores()
    assert score.share == 65
    again = browser.post(sample[0], POINTS)
    assert again.status_code == 409, "opened before somebody had scored it"
    assert browser.post(sample[0], {**POINTS, "version": str(score.version)}).status_code == 302
    assert scores()[0].share == 100
    assert "100 %" in browser.get("/calls/statistics?last=90").text
    assert "通话质检" in browser.get("/calls/statistics").text
    listed = browser.get(f"/calls/quality/scores?agent={score.agent_id}&last=90").text
    assert "100 %" in listed
    assert "&lt;b&gt;太快" not in listed, "the remark was changed with the score"


def test_the_agent_reads_his_own_score_and_scores_nobody(house: DemoHouse, sample: list[str]) -> None:
    assert house.login(SUPERIOR).post(sample[0], {**POINTS, "remark": "<b>很好</b>"}).status_code == 302
    (score,) = scores()
    with transaction() as session:
        session.get_one(Call, score.call_id).recording = "https://pbx.example/a.wav"
    page = house.login(AGENT).get(f"/calls/{score.call_id}").text
    assert "&lt;b&gt;很好&lt;/b&gt;" in page
    assert "https://pbx.example/a.wav" in page
    for nobody in (AGENT, CLERK):
        for address in ("/calls/quality/", "/calls/quality/scores", sample[0]):
            assert house.login(nobody).get(address).status_code == 403, address
        assert house.login(nobody).post(sample[0], POINTS).status_code == 403
    colleague = house.login(COLLEAGUE).get(f"/calls/{score.call_id}")
    assert colleague.status_code == 404 or "很好" not in colleague.text
