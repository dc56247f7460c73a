"""Events told by SMS through the interface: rules kept, changed, looked at, fired; who may."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import select

from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from tests.webapp.callers import ADMIN, EMPLOYEE, SUPERIOR, House, refused, request_of

RULES = "/connectors/sms/rules"
RULE: dict[str, Any] = {
    "name": "新待办",
    "event": "process.item_opened",
    "text": "{name}您好，有新的待办：{title}",
    "audience": "concerned",
}


def test_a_rule_is_kept_changed_and_deleted(people: House) -> None:
    admin = people(ADMIN)
    made = admin.post(RULES, RULE)
    assert made["sample"] == "张三您好，有新的待办：费用申请 EX-2026-0001"
    path = f"{RULES}/{made['id']}"
    changed = admin.call("PATCH", path, {"version": made["version"], "state": "off"}).get_json()
    assert (changed["state"], changed["version"]) == ("off", made["version"] + 1)
    refused(admin.call("PATCH", path, {"version": made["version"], "state": "on"}), 409)
    people_of = {"audience": "people", "people": [people(EMPLOYEE).person_id]}
    assert [one["name"] for one in admin.call("PATCH", path, people_of).get_json()["people"]] == ["王磊"]
    assert [one["id"] for one in admin.get(RULES)["items"]] == [made["id"]]
    assert admin.call("DELETE", path).status_code == 204
    refused(admin.call("GET", path), 404)


def test_the_events_and_a_preview(people: House) -> None:
    told = people(ADMIN).get("/connectors/sms/rule-events")
    names = {one["name"] for one in told["items"]}
    assert {"process.item_opened", "telephony.call_missed", "approval.due", "approval.ended", "tasks.assigned"} <= names
    assert told["places"] == ["name", "concerned", "title", "text"]
    seen = people(ADMIN).post(f"{RULES}/actions/preview", {"text": "{concerned}：{title}"})
    assert seen == {"text": "李四：费用申请 EX-2026-0001", "segments": 1}
    problem = refused(people(ADMIN).call("POST", RULES, {**RULE, "text": "{nobody}"}), 422)
    assert [error["field"] for error in problem["errors"]] == ["text"]


def test_a_request_that_comes_in_is_told_to_whom_it_lies_with(people: House) -> None:
    people(ADMIN).post(RULES, RULE)
    people(EMPLOYEE).post("/process-definitions/expense_request/start", request_of("10.00"))
    with transaction() as session:
        sent = list(session.scalars(select(OutboxMessage).where(OutboxMessage.key.startswith("sms:rule:"))))
        words = [(message.record_id, str(message.payload["text"])) for message in sent]
    Sessions.remove()
    assert [person for person, _text in words] == [people(SUPERIOR).person_id]
    assert words[0][1].startswith("周明您好，有新的待办：")


CALLS = (
    ("GET", "/connectors/sms/rule-events", None, 200),
    ("GET", RULES, None, 200),
    ("GET", "{rule}", None, 200),
    ("PATCH", "{rule}", {"state": "off"}, 200),
    ("POST", f"{RULES}/actions/preview", {"text": "x"}, 200),
    ("POST", RULES, {**RULE, "name": "another"}, 201),
    ("DELETE", "{rule}", None, 204),
)


@pytest.mark.databases("sqlite")
def test_who_may_call_what(people: House) -> None:
    path = f"{RULES}/{people(ADMIN).post(RULES, RULE)['id']}"
    for method, address, body, status in CALLS:
        url = address.format(rule=path)
        for stranger in (EMPLOYEE, SUPERIOR):
            assert people(stranger).call(method, url, body).status_code == 403, (method, url)
        assert people(ADMIN).call(method, url, body).status_code == status, (method, url)
