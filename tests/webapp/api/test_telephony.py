"""The telephone through the interface."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from connectors.telephony.events import AgentEvent, CallEvent
from engine import clock, health
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from processes.organization.models import Employee
from processes.telephony import operations
from tests.webapp.callers import ADMIN, EMPLOYEE, FINANCE, MANAGER, OTHER, SUPERIOR, House, refused

CALLS, AGENTS = "/connectors/telephony/calls", "/connectors/telephony/agents"


@pytest.fixture
def connected(people: House) -> House:
    """The demo company with 8001 for EMPLOYEE and 8002 for OTHER."""
    with transaction() as session:
        health.report(session, {"telephony": lambda: ("up", "")})
    Sessions.remove()
    return people


def rings(call_id: str = "t-1") -> int:
    with transaction() as session:
        for kind in ("ringing", "answered"):
            event = CallEvent(call_id, clock.now(), kind, "in", "13800138000", agent="8001")  # type: ignore[arg-type]
            made = operations.note_call(session, event).id
    Sessions.remove()
    return made


def test_a_call_is_dialled_once_and_followed(connected: House) -> None:
    me = connected(EMPLOYEE)
    made = me.post(CALLS, {"number": "138 0013 8000"}, key="call-1")
    assert made["state"] == "dialling"
    assert me.post(CALLS, {"number": "138 0013 8000"}, key="call-1") == made
    seen = me.get(f"{CALLS}/{made['id']}")
    assert (seen["number"], seen["direction"], seen["commands"][0]["state"]) == ("+8613800138000", "out", "queued")
    assert [one["id"] for one in me.get(f"{CALLS}?view=live&count=true")["items"]] == [made["id"]]
    refused(me.call("POST", CALLS, {"number": "139 0013 9000"}), 409)


def test_what_cannot_be_dialled_is_refused(connected: House) -> None:
    me = connected(EMPLOYEE)
    refused(me.call("POST", CALLS, {"number": "abc"}), 422)
    refused(me.call("POST", CALLS, {"number": ""}), 422)
    refused(me.call("POST", CALLS, {"number": "13800138000", "record": {"type": "nothing", "id": 1}}), 422)
    refused(connected(FINANCE).call("POST", CALLS, {"number": "13800138000"}), 422)  # no extension
    with transaction() as session:
        health.report(session, {"telephony": lambda: ("down", "unreachable")})
    Sessions.remove()
    refused(me.call("POST", CALLS, {"number": "13800138000"}), 422)


def test_who_sees_and_steers_a_call(connected: House) -> None:
    call = rings()
    assert connected(MANAGER).get(f"{CALLS}/{call}")["parts"][0]["extension"] == "8001"
    refused(connected(FINANCE).call("GET", f"{CALLS}/{call}"), 404)
    for action, body in (("hangup", {}), ("transfer", {"to": "8002"}), ("note", {"text": "x"})):
        refused(connected(SUPERIOR).call("POST", f"{CALLS}/{call}/actions/{action}", body), 403)
        refused(connected(FINANCE).call("POST", f"{CALLS}/{call}/actions/{action}", body), 404)
    me = connected(EMPLOYEE)
    assert me.post(f"{CALLS}/{call}/actions/note", {"text": "要报价"})["note"] == "要报价"
    assert me.post(f"{CALLS}/{call}/actions/transfer", {"to": "8002", "kind": "attended"})["kind"] == "transfer"
    assert me.post(f"{CALLS}/{call}/actions/hangup", {}, key="h")["state"] == "queued"
    refused(me.call("POST", f"{CALLS}/{call}/actions/transfer", {"to": "8002", "kind": "by hand"}), 422)
    refused(connected(OTHER).call("POST", f"{CALLS}/{call}/actions/hangup", {}), 404)  # was not rung


def test_lists_are_narrowed(connected: House) -> None:
    call = rings()
    me = connected(ADMIN)
    assert [one["id"] for one in me.get(f"{CALLS}?view=live")["items"]] == [call]
    assert me.get(f"{CALLS}?number=%2B8613800138000&count=true")["total"] == 1
    assert me.get(f"{CALLS}?view=missed&q=x")["items"] == []
    refused(me.call("GET", f"{CALLS}?view=sideways"), 422)


def test_agents_and_their_pauses(connected: House) -> None:
    with transaction() as session:
        operations.note_presence(session, AgentEvent("8001", clock.now(), "idle"))
    Sessions.remove()
    seen: dict[str, Any] = connected(FINANCE).get(AGENTS)
    assert seen["connected"]
    assert [(one["extension"], one["state"]) for one in seen["items"]] == [("8001", "idle"), ("8002", "")]
    me = connected(EMPLOYEE)
    assert me.post(f"{AGENTS}/me/actions/pause", {"on": True, "reason": "午餐"})["kind"] == "pause"
    assert me.post(f"{AGENTS}/me/actions/sign-in", {})["kind"] == "sign_in"
    assert me.post(f"{AGENTS}/me/actions/sign-out", {})["kind"] == "sign_out"
    refused(connected(FINANCE).call("POST", f"{AGENTS}/me/actions/pause", {"on": True}), 422)
    refused(me.call("POST", f"{AGENTS}/me/actions/pause", {"on": True, "reason": "x" * 81}), 422)


def test_the_register_of_agents_is_for_those_who_keep_it(connected: House) -> None:
    with transaction() as session:
        person = session.scalars(select(Employee).order_by(Employee.id).limit(1)).one()
        assert operations.create_agent(session, SYSTEM, values={"person": person, "extension": "8003"}).id
    Sessions.remove()
    assert connected(ADMIN).client.get("/telephony/agent/list/").status_code in (200, 302)


def test_the_board_and_the_statistics_for_programs(connected: House) -> None:
    call = rings()
    figures = "/connectors/telephony/statistics"
    boss = connected(SUPERIOR)
    board = boss.get("/connectors/telephony/board")
    assert (board["talking"], board["answered"], board["within"], board["connected"]) == (1, 1, 20, True)
    assert [one["extension"] for one in board["agents"]] == ["8001", "8002"]
    over = boss.get(f"{figures}?by=direction&since=2026-01-01&until=2026-12-31")
    assert over["total"]["offered"] == over["total"]["answered"] + over["total"]["missed"]
    assert sum(one["offered"] for one in over["items"]) == over["total"]["offered"]
    for one in over["items"]:
        query = f"by=direction&key={one['key']}&which=missed&count=true&since=2026-01-01&until=2026-12-31"
        found = boss.get(f"{figures}/calls?{query}")
        assert found["total"] == one["missed"]
    assert call not in [one["id"] for one in boss.get(f"{figures}/calls")["items"]], "it is not over"
    refused(boss.call("GET", f"{figures}?by=sideways"), 422)
    refused(boss.call("GET", f"{figures}/calls?by=hour&key=noon"), 422)
    for path in ("/connectors/telephony/board", figures, f"{figures}/calls"):
        refused(connected(EMPLOYEE).call("GET", path), 403)


def test_a_call_is_tied_to_what_it_was_about(connected: House) -> None:
    call, me = rings(), connected(EMPLOYEE)
    person = {"type": "organization.employee", "id": me.person_id}
    assert me.post(f"{CALLS}/{call}/actions/link", {"record": person})["record"] == person
    assert me.post(f"{CALLS}/{call}/actions/link", {"record": None})["record"] is None
    refused(me.call("POST", f"{CALLS}/{call}/actions/link", {"record": {"type": "party.customer", "id": 10**9}}), 422)
    refused(connected(SUPERIOR).call("POST", f"{CALLS}/{call}/actions/link", {"record": person}), 403)
