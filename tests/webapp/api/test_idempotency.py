"""The same request twice is one, whoever wins; a refusal is forgotten."""

from __future__ import annotations

import io
import json
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from werkzeug.test import TestResponse

from engine.db import Sessions
from tests.webapp.api.drawings import WAITS_FOR_MESSAGE
from tests.webapp.callers import ADMIN, EMPLOYEE, OTHER, SUPERIOR, Caller, House, good, refused, request_of

START = "/process-definitions/expense_request/start"
RACERS = 8


def started_by(caller: Caller) -> int:
    total: int = caller.get("/process-instances?count=true")["total"]
    return total


def test_a_repeat_gets_the_same_answer_and_does_nothing(people: House) -> None:
    employee = people(EMPLOYEE)
    first = employee.call("POST", START, request_of("10.00"), key="order-1")
    again = employee.call("POST", START, request_of("10.00"), key="order-1")
    assert (first.status_code, good(first)) == (again.status_code, good(again))
    assert again.headers["Location"] == first.headers["Location"]
    assert "Idempotent-Replayed" not in first.headers
    assert again.headers["Idempotent-Replayed"] == "true"
    assert started_by(employee) == 1


def test_a_key_belongs_to_one_person_one_address_and_one_body(people: House) -> None:
    employee, other = people(EMPLOYEE), people(OTHER)
    good(employee.call("POST", START, request_of("10.00"), key="k"))
    refused(employee.call("POST", START, request_of("11.00"), key="k"), 422, "idempotency_key_reused")
    answer = employee.call("POST", "/process-definitions/other/start", request_of("10.00"), key="k")
    refused(answer, 422, "idempotency_key_reused")
    good(other.call("POST", START, request_of("10.00"), key="k"))
    good(employee.call("POST", START, request_of("10.00"), key="k2"))
    assert (started_by(employee), started_by(other)) == (2, 1)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("key", ["", "x" * 121, "空", "a\tb"])
def test_an_odd_key_is_refused(people: House, key: str) -> None:
    answer = people(EMPLOYEE).call("POST", START, request_of("1.00"), headers={"Idempotency-Key": key})
    refused(answer, 422, "invalid_request")
    assert started_by(people(EMPLOYEE)) == 0


def test_a_refusal_leaves_no_trace(people: House) -> None:
    employee, superior = people(EMPLOYEE), people(SUPERIOR)
    refused(employee.call("POST", START, {"variables": {}}, key="k"), 422, "invalid_form")
    good(employee.call("POST", START, request_of("10.00"), key="k"))
    (item,) = superior.inbox()
    path = f"/work-items/{item['item_id']}/actions/reject"
    refused(superior.call("POST", path, {"version": item["version"]}, key="r"), 422)
    good(superior.call("POST", path, {"version": item["version"], "opinion": "否"}, key="r"))
    again = superior.call("POST", path, {"version": item["version"], "opinion": "否"}, key="r")
    assert good(again)["outcome"] == "reject", "the repeat is answered although its version is stale by now"


def test_a_multipart_repeat_may_choose_another_boundary(people: House) -> None:
    admin = people(ADMIN)

    def deploy(text: str) -> TestResponse:
        data = {"files": [(io.BytesIO(text.encode()), "waits.bpmn")]}
        return admin.call("POST", "/process-definitions", data=data, key="deploy-1")

    first, again = deploy(WAITS_FOR_MESSAGE), deploy(WAITS_FOR_MESSAGE)
    assert good(first) == good(again)
    assert again.headers["Idempotent-Replayed"] == "true"
    refused(deploy(WAITS_FOR_MESSAGE.replace("waits", "waits2")), 422, "idempotency_key_reused")


# ------------------------------------------------------------------------------------------------- races


def race(people: House, username: str, path: str, bodies: list[object], key: str | None) -> list[TestResponse]:
    """Every body at the same moment, each from a client of its own."""
    callers = [people.caller(username) for _ in bodies]
    line = Barrier(len(bodies))

    def run(caller: Caller, body: object) -> TestResponse:
        line.wait(20)
        try:
            return caller.call("POST", path, body, key=key)
        finally:
            Sessions.remove()

    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(run, callers, bodies))


def test_the_same_key_at_the_same_moment_runs_once(people: House) -> None:
    answers = race(people, EMPLOYEE, START, [request_of("10.00")] * RACERS, key="order-1")
    assert len({json.dumps(good(answer), sort_keys=True) for answer in answers}) == 1
    assert sum("Idempotent-Replayed" in answer.headers for answer in answers) == RACERS - 1
    assert started_by(people(EMPLOYEE)) == 1


def test_the_same_key_with_other_bodies_runs_one_of_them(people: House) -> None:
    bodies: list[object] = [request_of(f"{number + 1}.00") for number in range(RACERS)]
    answers = race(people, EMPLOYEE, START, bodies, key="order-1")
    assert Counter(answer.status_code for answer in answers) == {201: 1, 422: RACERS - 1}
    assert started_by(people(EMPLOYEE)) == 1


def test_one_of_many_simultaneous_decisions_wins(people: House) -> None:
    people(EMPLOYEE).post(START, request_of("10.00"))
    (item,) = people(SUPERIOR).inbox()
    path = f"/work-items/{item['item_id']}/actions/approve"
    answers = race(people, SUPERIOR, path, [{"version": item["version"]}] * RACERS, key=None)
    assert Counter(answer.status_code for answer in answers) == {200: 1, 409: RACERS - 1}
    for answer in answers:
        if answer.status_code == 409:
            refused(answer, 409, "conflict")
    history = people(EMPLOYEE).get(f"/process-instances/{item['instance_id']}/history")["items"]
    assert [line["action"] for line in history].count("approve") == 1
