"""SMS to many through the interface: a draft, what it would mean, sent off once, stopped, followed; who may."""

from __future__ import annotations

from typing import Any

import pytest

from engine.db import Sessions, transaction
from processes.messaging.models import SmsCampaign
from tests.webapp.callers import ADMIN, EMPLOYEE, SUPERIOR, House, refused

CAMPAIGNS = "/connectors/sms/campaigns"
LIST = [
    {"number": "13800138000", "name": "张三", "values": {"amount": "1,200；50"}},
    {"number": "13800138001", "name": "李四", "values": {"amount": "8"}},
    {"number": "010-12345678"},
]
WRITTEN: dict[str, Any] = {"title": "奖金", "text": "{name}您好，{amount}元已到账。", "recipients": LIST}


def draft(people: House, by: str = SUPERIOR, **more: Any) -> dict[str, Any]:
    made: dict[str, Any] = people(by).post(CAMPAIGNS, {**WRITTEN, **more})
    return made


def test_a_draft_says_what_sending_it_would_mean(people: House) -> None:
    zhou = people(SUPERIOR)
    made = zhou.post(CAMPAIGNS, WRITTEN, key="c-1")
    assert zhou.post(CAMPAIGNS, WRITTEN, key="c-1")["id"] == made["id"]
    assert (made["state"], made["recipients"], made["progress"]) == ("draft", 2, {})
    seen = made["preview"]
    assert (seen["recipients"], seen["segments"], seen["left_out"]) == (2, 2, {"no_mobile": 1})
    assert (seen["needs_approval"], seen["fits"]) == (False, True)
    lines = zhou.get(f"{CAMPAIGNS}/{made['id']}/recipients")["items"]
    assert [line["text"] for line in lines] == ["张三您好，1,200；50元已到账。", "李四您好，8元已到账。", ""]
    assert lines[0]["number"] == "+8613800138000"
    left = zhou.get(f"{CAMPAIGNS}/{made['id']}/recipients?left_out=true")["items"]
    assert [line["left_out"] for line in left] == ["no_mobile"]


def test_it_is_sent_off_once_and_followed_and_stopped(people: House) -> None:
    zhou, made = people(SUPERIOR), draft(people)
    path = f"{CAMPAIGNS}/{made['id']}"
    for _twice in range(2):
        sent = zhou.post(f"{path}/actions/submit")
        assert (sent["state"], sent["progress"], sent["preview"]) == ("sent", {"queued": 2}, None)
    assert [one["progress"] for one in zhou.get(CAMPAIGNS)["items"]] == [{"queued": 2}]
    assert zhou.get(f"{CAMPAIGNS}?state=draft")["items"] == []
    assert {line["state"] for line in zhou.get(f"{path}/recipients?left_out=false")["items"]} == {"queued"}
    stopped = zhou.post(f"{path}/actions/cancel")
    assert (stopped["stopped"], stopped["campaign"]["progress"]) == (2, {"cancelled": 2})


def test_many_recipients_go_into_an_approval(people: House) -> None:
    crowd = [{"number": f"138001{number:05}"} for number in range(300)]
    made = draft(people, text="元旦放假三天。", recipients=crowd)
    assert made["preview"]["needs_approval"]
    sent = people(SUPERIOR).post(f"{CAMPAIGNS}/{made['id']}/actions/submit")
    assert sent["state"] == "in_approval"
    assert sent["instance_id"]
    refused(people(SUPERIOR).call("POST", f"{CAMPAIGNS}/{made['id']}/actions/cancel"), 422, "in_approval")


def test_it_is_written_anew_and_by_groups(people: House) -> None:
    made = draft(people)
    with transaction() as session:
        department = session.get_one(SmsCampaign, made["id"]).department_id
    Sessions.remove()
    body = {"title": "放假", "text": "{name}：放假。", "groups": {"organization.department": [department]}}
    changed = people(SUPERIOR).call("PUT", f"{CAMPAIGNS}/{made['id']}", body).get_json()
    assert (changed["title"], changed["recipients"] > 0) == ("放假", True)
    numbers = [line["number"] for line in people(SUPERIOR).get(f"{CAMPAIGNS}/{made['id']}/recipients")["items"]]
    assert all("*" in number for number in numbers), "colleagues' numbers stay hidden"


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"recipients": []}, "numbers"),
        ({"groups": {"no.such": [1]}}, "groups.no.such"),
        ({"send_at": "2020-01-01T00:00:00Z"}, "send_at"),
        ({"purpose": "fun"}, "purpose"),
    ],
)
def test_what_is_wrong_is_named(people: House, change: dict[str, Any], field: str) -> None:
    problem = refused(people(SUPERIOR).call("POST", CAMPAIGNS, {**WRITTEN, **change}), 422)
    assert [error["field"] for error in problem["errors"]] == [field]


# ------------------------------------------------------------------------------------------------- who may

CALLS = (
    # method, path, body, then the status for: its author, a colleague with the right, an employee, an administrator
    ("GET", CAMPAIGNS, None, 200, 200, 200, 200),
    ("GET", "{one}", None, 200, 404, 404, 200),
    ("GET", "{one}/recipients", None, 200, 404, 404, 200),
    ("PUT", "{one}", WRITTEN, 200, 404, 403, 200),
    ("POST", "{one}/actions/submit", {}, 200, 404, 403, 200),
    ("POST", "{one}/actions/repeat", {}, 422, 404, 403, 422),
    ("POST", "{one}/actions/cancel", {}, 200, 404, 404, 200),
    ("POST", CAMPAIGNS, WRITTEN, 201, 201, 403, 201),
)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("number", range(4), ids=["author", "colleague", "employee", "admin"])
def test_who_may_call_what(people: House, number: int) -> None:
    who = people((SUPERIOR, "lin.xiaoyan", EMPLOYEE, ADMIN)[number])
    seen = []
    for method, path, body, *_statuses in CALLS:
        one = f"{CAMPAIGNS}/{draft(people)['id']}"
        seen.append((method, path, who.call(method, path.format(one=one), body).status_code))
    assert seen == [(method, path, statuses[number]) for method, path, _body, *statuses in CALLS]
