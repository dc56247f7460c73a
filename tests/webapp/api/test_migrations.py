"""Versions through the interface: one instance with a dry run first, runs in portions, and who may."""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import select

from engine import jobs
from engine.db import Sessions, transaction
from tests.webapp.api.drawings import END, START, drawing, flow
from tests.webapp.api.test_definitions import deploy
from tests.webapp.callers import ADMIN, EMPLOYEE, OTHER, House, good, refused

DESIGNER = "zheng.kai"
KEY = "errand"


def line(*tasks: str) -> str:
    ways = ["start", *tasks, "end"]
    drawn = [f'<bpmn:userTask id="{task}" name="step {task}" camunda:assignee="starter"/>' for task in tasks]
    flows = [flow(source, target) for source, target in pairwise(ways)]
    return drawing(KEY, START + "".join(drawn) + END + "".join(flows))


@pytest.fixture
def running(people: House) -> dict[str, Any]:
    """An instance on version 1, while version 2 is in force."""
    good(deploy(people(ADMIN), {"errand.bpmn": line("a", "b")}))
    started: dict[str, Any] = people(EMPLOYEE).post(f"/process-definitions/{KEY}/start")
    good(deploy(people(ADMIN), {"errand.bpmn": line("a", "n", "b")}))
    return started


def test_one_instance_is_tried_and_then_taken_over(people: House, running: dict[str, Any]) -> None:
    admin, path = people(ADMIN), f"/process-instances/{running['id']}"
    seen = admin.get(path)
    assert seen["definition_version"] == 1
    version = {"version": seen["version"]}
    tried = admin.post(f"{path}/actions/migrate", {**version, "dry_run": True})
    assert (tried["done"], tried["verdict"], tried["from_version"], tried["to_version"]) == (False, "fits", 1, 2)
    assert {one["old"]: one["reason"] for one in tried["map"]} == {"start": "same", "a": "same", "b": "same"}
    assert admin.get(path)["definition_version"] == 1
    done = admin.post(f"{path}/actions/migrate", version)
    assert done["done"]
    assert done["instance"]["waits_for"] == "step a"
    assert admin.get(path)["definition_version"] == 2
    refused(admin.call("POST", f"{path}/actions/migrate", version), 422)
    (item,) = people(EMPLOYEE).inbox()
    good(people(EMPLOYEE).act(item, "submit"))
    assert admin.get(path)["items"][0]["node"] == "n"


def test_a_stale_version_and_a_map_that_cannot_be_are_refused(people: House, running: dict[str, Any]) -> None:
    admin, path = people(ADMIN), f"/process-instances/{running['id']}/actions/migrate"
    refused(admin.call("POST", path, {"version": 99}), 409, "conflict")
    refused(admin.call("POST", path, {"version": 1, "map": {"a": "end"}}), 422, "invalid_form")
    refused(admin.call("POST", path, {"version": 1, "to": 7}), 404)
    refused(admin.call("POST", path, {}), 422)
    version = admin.get(f"/process-instances/{running['id']}")["version"]
    problem = refused(admin.call("POST", path, {"version": version, "map": {"a": ""}}), 422, "cannot_migrate")
    assert "step a" in problem["detail"]


def test_who_may(people: House, running: dict[str, Any]) -> None:
    path = f"/process-instances/{running['id']}/actions/migrate"
    refused(people(EMPLOYEE).call("POST", path, {"version": 1}), 403)
    refused(people(OTHER).call("POST", path, {"version": 1}), 404)
    for caller in (people(EMPLOYEE), people(OTHER)):
        refused(caller.call("POST", f"/process-definitions/{KEY}/migrations", {"from_version": 1}), 403)
        refused(caller.call("GET", f"/process-definitions/{KEY}/migrations/1"), 403)
    with transaction() as session:
        user = session.scalars(select(User).where(User.username == OTHER)).one()
        user.roles.append(session.scalars(select(Role).where(Role.name == "ProcessDesigner")).one())
    Sessions.remove()
    seen = people(OTHER).post(path, {"version": 1, "dry_run": True})
    assert seen["instance"] is None, "a designer does not read what people have asked for"


def test_a_run_simulates_goes_in_portions_and_back(people: House, running: dict[str, Any]) -> None:
    designer = people(DESIGNER)
    begun = designer.post(f"/process-definitions/{KEY}/migrations", {"from_version": 1})
    path = f"/process-definitions/{KEY}/migrations/{begun['id']}"
    assert (begun["state"], begun["total"], begun["to_version"]) == ("simulating", 1, 2)
    refused(designer.call("POST", f"{path}/actions/run", {"portion": "one"}), 422)
    jobs.migrate_instances()
    ready = designer.get(path)
    assert (ready["state"], ready["fits"], ready["waiting"]) == ("ready", 1, 1)
    first = designer.call("POST", f"{path}/actions/run", {"portion": "one"}, key="press-1")
    again = designer.call("POST", f"{path}/actions/run", {"portion": "one"}, key="press-1")
    assert good(first) == good(again), "a double click is one click"
    jobs.migrate_instances()
    assert designer.get(path)["migrated"] == 1
    refused(designer.call("POST", f"{path}/actions/run", {"portion": "all"}), 409)
    good(designer.call("POST", f"{path}/actions/revert", {}))
    jobs.migrate_instances()
    assert designer.get(path)["reverted"] == 1
    (item,) = designer.get(f"{path}/instances?state=reverted")["items"]
    assert (item["instance_id"], item["verdict"], item["reasons"]) == (running["id"], "fits", [])
    assert people(ADMIN).get(f"/process-instances/{running['id']}")["definition_version"] == 1
    refused(designer.call("GET", f"/process-definitions/expense_request/migrations/{begun['id']}"), 404)
