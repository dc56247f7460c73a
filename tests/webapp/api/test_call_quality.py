"""Quality of calls through the interface."""

from __future__ import annotations

import pytest
from sqlalchemy import select

from connectors.telephony.events import CallEvent
from engine import clock
from engine.db import Sessions, transaction
from processes.telephony import operations
from processes.telephony.models import Agent
from tests.webapp.callers import ADMIN, EMPLOYEE, FINANCE, MANAGER, OTHER, House, refused

CALLS, QUALITY = "/connectors/telephony/calls", "/connectors/telephony/quality"


@pytest.fixture
def spoken(people: House) -> tuple[int, int]:
    """A call EMPLOYEE answered at 8001: its id and the agent's."""
    with transaction() as session:
        for kind in ("started", "ringing", "answered", "left", "ended"):
            told = CallEvent("q-1", clock.now(), kind, "in", "13800138000", agent="8001")  # type: ignore[arg-type]
            call = operations.note_call(session, told).id
        agent = session.scalars(select(Agent.id).where(Agent.extension == "8001")).one()
    Sessions.remove()
    return call, agent


def test_a_sample_is_drawn_scored_and_counted(people: House, spoken: tuple[int, int]) -> None:
    call, agent = spoken
    manager = people(MANAGER)
    (line,) = [
        one for one in manager.get(f"{QUALITY}/sample?agent={agent}&size=50")["items"] if one["call"]["id"] == call
    ]
    assert line["score"] is None
    criteria = manager.get(f"{QUALITY}/criteria")["items"]
    body = {"agent_id": agent, "points": {one["key"]: one["most"] for one in criteria}, "remark": "清楚"}
    refused(manager.call("POST", f"{CALLS}/{call}/actions/score", {**body, "points": {}}), 422)
    made = manager.post(f"{CALLS}/{call}/actions/score", body)
    assert (made["share"], made["by"]["id"]) == (100, manager.person_id)
    refused(manager.call("POST", f"{CALLS}/{call}/actions/score", body), 409)
    body["points"][criteria[0]["key"]] = 0
    assert manager.post(f"{CALLS}/{call}/actions/score", {**body, "version": made["version"]})["share"] == 90
    assert [one["share"] for one in manager.get(f"{QUALITY}/scores?agent={agent}")["items"]] == [90]
    rows = {one["key"]: one for one in manager.get("/connectors/telephony/statistics")["items"]}
    assert (rows[str(agent)]["scored"], rows[str(agent)]["quality"]) == (1, 90)
    assert people(EMPLOYEE).get(f"{CALLS}/{call}")["scores"][0]["remark"] == "清楚"
    refused(people(EMPLOYEE).call("POST", f"{CALLS}/{call}/actions/score", body), 403)
    refused(people(OTHER).call("GET", f"{QUALITY}/sample?agent={agent}"), 403)
    refused(people(FINANCE).call("GET", f"{QUALITY}/scores"), 403)
    refused(manager.call("GET", f"{QUALITY}/sample?agent=999999"), 404)


def test_a_record_of_the_call_counts_for_whoever_wrote_it(people: House, spoken: tuple[int, int]) -> None:
    call, agent = spoken
    employee, statistics = people(EMPLOYEE), "/connectors/telephony/statistics"
    customer = employee.post("/customers", {"name": "来电问价的五金店"})["id"]
    body = {"customer_id": customer, "way": "call", "content": "问了报价，周五回复他", "source_type": "telephony.call"}
    before = people(MANAGER).get(statistics)["total"]["recorded"]
    employee.post("/contact-records", {**body, "source_id": call})
    found = people(MANAGER).get(statistics)
    recorded = {one["key"]: one["recorded"] for one in found["items"]}
    assert recorded[str(agent)] + sum(n for key, n in recorded.items() if key != str(agent)) == before + 1
    assert found["total"]["recorded"] == before + 1
    assert all(one["recorded"] == 0 for one in people(MANAGER).get(f"{statistics}?by=day")["items"])


def test_a_program_says_where_a_call_is_recorded(people: House, spoken: tuple[int, int]) -> None:
    call, _agent = spoken
    address = {"address": "https://pbx.example/q-1.wav"}
    refused(people(EMPLOYEE).call("POST", f"{CALLS}/{call}/actions/recording", address), 403)
    refused(people(ADMIN).call("POST", f"{CALLS}/{call}/actions/recording", {"address": "javascript:1"}), 422)
    assert people(ADMIN).post(f"{CALLS}/{call}/actions/recording", address)["recording"] == address["address"]
    assert people(EMPLOYEE).get(f"{CALLS}/{call}")["recording"] == address["address"]
