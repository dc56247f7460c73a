"""Messages from outside find the instance that waits; failed nodes are retried or skipped by administrators."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy.orm import Session

from engine import jobs, repository
from engine.actor import Actor
from engine.service_tasks import TOPICS, StepFacts, service_task
from tests.webapp.api.drawings import FAILS, WAITS_FOR_MESSAGE
from tests.webapp.api.test_definitions import deploy
from tests.webapp.callers import ADMIN, EMPLOYEE, MANAGER, OTHER, House, good, refused


@pytest.fixture
def waiting(people: House) -> dict[str, Any]:
    """An instance that waits for `billing.paid` about order-7."""
    good(deploy(people(ADMIN), {"waits.bpmn": WAITS_FOR_MESSAGE}))
    instance: dict[str, Any] = people(EMPLOYEE).post("/process-definitions/waits/start", {"business_key": "order-7"})
    return instance


def message(**more: Any) -> dict[str, Any]:
    return {"name": "billing.paid", "message_id": "m-1", "business_key": "order-7", "variables": {"a": 0.5}, **more}


def test_a_message_sends_on_whoever_waits_for_it(people: House, waiting: dict[str, Any]) -> None:
    admin = people(ADMIN)
    matched = admin.post("/messages", message())
    assert (matched["state"], matched["instance_id"]) == ("matched", waiting["id"])
    assert people(EMPLOYEE).get(f"/process-instances/{waiting['id']}")["state"] == "completed"
    assert admin.post("/messages", message()) == matched, "the same message again is the same message"


def test_a_message_that_comes_early_is_kept(people: House) -> None:
    admin = people(ADMIN)
    good(deploy(admin, {"waits.bpmn": WAITS_FOR_MESSAGE}))
    early = admin.post("/messages", message(ttl=3600))
    assert (early["state"], early["instance_id"]) == ("waiting", None)
    started = people(EMPLOYEE).post("/process-definitions/waits/start", {"business_key": "order-7"})
    jobs.correlate_messages()
    assert people(EMPLOYEE).get(f"/process-instances/{started['id']}")["state"] == "completed"


def test_who_may_feed_processes(people: House, waiting: dict[str, Any]) -> None:
    for username in (EMPLOYEE, MANAGER, OTHER):
        refused(people(username).call("POST", "/messages", message()), 403)
    problem = refused(people(ADMIN).call("POST", "/messages", message(name="", ttl=0, kind="letter")), 422)
    assert {error["field"] for error in problem["errors"]} == {"name", "ttl", "kind"}
    assert people(ADMIN).post("/messages", message(business_key="order-8"))["state"] == "waiting"


# ------------------------------------------------------------------------------------------------- incidents


@pytest.fixture
def shaky() -> Iterator[dict[str, bool]]:
    """The topic `tests.shaky`, which works only when told to."""
    mood = {"works": False}

    @service_task("tests.shaky")
    def call(_session: Session, _actor: Actor, _facts: StepFacts) -> dict[str, bool]:
        if not mood["works"]:
            raise LookupError("the other side is away")
        return {"done": True}

    yield mood
    del TOPICS["tests.shaky"]
    repository.forget_all()


@pytest.fixture
def incident(people: House, shaky: dict[str, bool]) -> dict[str, Any]:
    good(deploy(people(ADMIN), {"fails.bpmn": FAILS}))
    people(EMPLOYEE).post("/process-definitions/fails/start", {})
    (found,) = people(ADMIN).get("/incidents?state=open")["items"]
    incident: dict[str, Any] = found
    return incident


def test_a_failed_node_waits_and_is_listed(people: House, incident: dict[str, Any]) -> None:
    admin = people(ADMIN)
    assert incident["node"] == "call"
    assert "the other side is away" in incident["cause"]
    assert incident["detail"]
    assert incident["instance"]["state"] == "running"
    assert [one["id"] for one in admin.get("/incidents?definition=fails&q=away")["items"]] == [incident["id"]]
    assert admin.get(f"/incidents?instance={incident['instance']['id']}&count=true")["total"] == 1
    assert admin.get("/incidents?state=resolved")["items"] == []
    assert admin.get("/incidents?definition=other")["items"] == []
    diagram = admin.get(f"/process-instances/{incident['instance']['id']}/diagram")
    assert diagram["failed"] == ["call"]


def test_only_administrators_repair_and_supervisors_only_look(people: House, incident: dict[str, Any]) -> None:
    for username in (EMPLOYEE, OTHER):
        refused(people(username).call("GET", "/incidents"), 403)
    (seen,) = people(MANAGER).get("/incidents")["items"]
    assert seen["detail"] == "", "the inside is for administrators"
    for username in (EMPLOYEE, MANAGER):
        refused(people(username).call("POST", f"/incidents/{incident['id']}/actions/retry"), 403)
        refused(people(username).call("POST", f"/incidents/{incident['id']}/actions/skip", {"reason": "x"}), 403)
    refused(people(ADMIN).call("POST", "/incidents/999/actions/retry"), 404)


def test_a_retry_succeeds_when_the_cause_is_gone(
    people: House, incident: dict[str, Any], shaky: dict[str, bool]
) -> None:
    admin = people(ADMIN)
    path = f"/incidents/{incident['id']}/actions/retry"
    again = admin.post(path)
    assert (again["state"], again["attempts"]) == ("open", 2)
    shaky["works"] = True
    assert admin.post(path)["instance"]["state"] == "completed"
    refused(admin.call("POST", path), 409)


def test_a_skip_goes_on_and_says_who_decided_so(people: House, incident: dict[str, Any]) -> None:
    admin = people(ADMIN)
    path = f"/incidents/{incident['id']}/actions/skip"
    refused(admin.call("POST", path, {}), 422)
    after = admin.post(path, {"reason": "已电话办理", "result": {"done": True}})
    assert after["instance"]["state"] == "completed"
    history = admin.get(f"/process-instances/{incident['instance']['id']}/history")["items"]
    assert ("skip", "已电话办理") in {(line["action"], line["text"]) for line in history}
