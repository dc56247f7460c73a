"""Webhooks from an event to the peer: who hears what, signed, retried, given up, sent again, switched off."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import standardwebhooks
from sqlalchemy import select

from connectors.safe_http import NOTHING_PRIVATE, Allowed
from connectors.webhook.sending import HttpHooks
from engine import delivering, jobs, outbox
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from processes.organization.models import Employee
from processes.organization.operations import archive_employee
from processes.webhooks.models import Webhook
from processes.webhooks.operations import allow_private, sweep
from tests.conftest import TestClock
from tests.connectors.http_peer import Peer, http_peer
from tests.servers import free_port
from tests.webapp.callers import ADMIN, EMPLOYEE, OTHER, SUPERIOR, House, refused, request_of
from webapp.wires.webhook import WebhookHandler

HOOKS = "/webhooks"
HERE = Allowed.parse("127.0.0.1")
PAGE = Path(__file__).parents[3] / "docs" / "webhooks.md"
START = "/process-definitions/expense_request/start"


@pytest.fixture
def peer(monkeypatch: pytest.MonkeyPatch) -> Iterator[Peer]:
    """A receiver on this machine, and a road that may reach it."""
    monkeypatch.setattr(outbox, "HANDLERS", {"webhook": WebhookHandler(HttpHooks(HERE, timeout=2))})
    allow_private(HERE)
    with http_peer() as made:
        yield made
    allow_private(NOTHING_PRIVATE)


def make(people: House, peer: Peer, *events: str, by: str = ADMIN, **fields: Any) -> dict[str, Any]:
    body = {"name": "ERP", "url": peer.url, "events": list(events) or ["process.instance.completed"], **fields}
    made: dict[str, Any] = people(by).post(HOOKS, body)
    return made


def deliver() -> None:
    delivering.deliver_outbox()
    Sessions.remove()


def only(people: House, hook: dict[str, Any]) -> dict[str, Any]:
    (found,) = people(ADMIN).get(f"{HOOKS}/{hook['webhook']['id']}/deliveries")["items"]
    return found


def test_what_happens_in_a_process_is_told(people: House, peer: Peer) -> None:
    hook = make(
        people, peer, "process.instance.started", "process.instance.rejected", "work_item.opened", "work_item.done"
    )
    instance = people(EMPLOYEE).post(START, request_of("80.00"))
    (item,) = people(SUPERIOR).inbox()
    assert people(SUPERIOR).act(item, "reject", opinion="不去").status_code == 200
    deliver()
    told = [asked.body for asked in peer.asked]
    assert sorted(one["type"] for one in told) == [
        "process.instance.rejected",
        "process.instance.started",
        "work_item.done",
        "work_item.opened",
    ]
    by_type = {one["type"]: one["data"] for one in told}
    assert {one["instance"]["id"] for one in by_type.values()} == {instance["id"]}
    assert by_type["process.instance.rejected"]["instance"]["state"] == "rejected"
    assert by_type["work_item.opened"]["work_item"]["id"] == item["item_id"]
    done = by_type["work_item.done"]
    assert (done["outcome"], done["actor"]["id"]) == ("reject", people(SUPERIOR).person_id)
    assert all("form" not in one for one in by_type.values())
    headers, secret = peer.asked[0].headers, standardwebhooks.Webhook(hook["secret"])
    (row,) = [one for one in rows() if one.payload["id"] == headers["webhook-id"]]
    assert row.state == "sent"
    assert re.fullmatch("v1,.{44}", headers["webhook-signature"])
    assert secret is not None


def rows() -> list[OutboxMessage]:
    with transaction() as session:
        found = list(
            session.scalars(select(OutboxMessage).where(OutboxMessage.channel == "webhook").order_by(OutboxMessage.id))
        )
        for one in found:
            session.refresh(one)
            session.expunge(one)
    Sessions.remove()
    return found


def test_a_hook_hears_only_what_its_maker_may_read(people: House, peer: Peer) -> None:
    """The hook of an employee without oversight: somebody else's request stays unknown to it."""
    hook = make(people, peer, "process.instance.started", with_form=True)
    with transaction() as session:
        session.get_one(Webhook, hook["webhook"]["id"]).owner_id = people(OTHER).person_id
    people(EMPLOYEE).post(START, request_of("80.00"))
    assert rows() == []
    people(OTHER).post(START, request_of("70.00"))
    (told,) = rows()
    assert told.payload["data"]["form"]["title"] == "拜访上海客户"


def test_what_is_undone_is_not_told(people: House, peer: Peer) -> None:
    make(people, peer, "process.instance.started")
    refused(people(EMPLOYEE).call("POST", START, {"variables": {"title": ""}}), 422)
    assert rows() == []


def test_comments_and_failed_messages_are_told(people: House, peer: Peer, started: dict[str, Any]) -> None:
    make(people, peer, "comment.added", "message.failed")
    people(EMPLOYEE).post("/comments", {"record_type": "process.instance", "record_id": started["id"], "text": "急"})
    with transaction() as session:
        sms = outbox.enqueue(session, channel="sms", key="k", payload={"to": "+8613800138000", "text": "x"})
    Sessions.remove()

    class Refusing:
        retry_unknown = False

        def deliver(self, _message: object) -> outbox.Delivery:
            return outbox.Delivery("rejected", error="no")

    outbox.HANDLERS["sms"] = Refusing()
    delivering.deliver_outbox()
    deliver()
    said = {asked.body["type"]: asked.body["data"] for asked in peer.asked}
    assert said["comment.added"]["record"] == {"type": "process.instance", "id": started["id"]}
    assert "text" not in said["comment.added"]["comment"]
    assert (said["message.failed"]["message"]["id"], said["message.failed"]["message"]["state"]) == (sms, "failed")


def test_retries_end_and_a_person_sends_again(people: House, peer: Peer, clock: TestClock) -> None:
    hook = make(people, peer)
    people(ADMIN).post(f"{HOOKS}/{hook['webhook']['id']}/actions/test")
    peer.says(500, {"text": "坏了"})
    waited = []
    for _attempt in range(7):
        deliver()
        seen = only(people, hook)
        waited.append(seen["state"])
        clock.advance(hours=6)
    assert waited == ["queued"] * 6 + ["failed"]
    assert (seen["attempts"], len(seen["tries"])) == (7, 7)
    assert {(one["status"], "坏了" in one["error"]) for one in seen["tries"]} == {(500, True)}
    peer.says(204)
    path = f"{HOOKS}/{hook['webhook']['id']}/deliveries/{seen['id']}"
    people(ADMIN).post(f"{path}/actions/resend")
    deliver()
    assert people(ADMIN).get(path)["state"] == "sent"
    assert len({asked.headers["webhook-id"] for asked in peer.asked}) == 1, "it is the same message each time"
    refused(people(ADMIN).call("POST", f"{path}/actions/resend", {}), 409)


def test_410_switches_the_hook_off(people: House, peer: Peer) -> None:
    hook = make(people, peer, "process.instance.started")
    people(ADMIN).post(f"{HOOKS}/{hook['webhook']['id']}/actions/test")
    peer.says(410)
    deliver()
    seen = people(ADMIN).get(f"{HOOKS}/{hook['webhook']['id']}")
    assert (seen["state"], seen["off_reason"]) == ("off", "gone")
    people(EMPLOYEE).post(START, request_of("80.00"))
    assert len(rows()) == 1, "while it is off nothing is told"
    peer.says(200)
    people(ADMIN).call("PATCH", f"{HOOKS}/{hook['webhook']['id']}", {"state": "on"})
    people(EMPLOYEE).post(START, request_of("80.00"))
    deliver()
    assert [one.state for one in rows()] == ["failed", "sent"]


def test_a_silent_peer_keeps_nobody_waiting(people: House, peer: Peer) -> None:
    """One attempt finds out; the others wait without being counted as attempts."""
    outbox.HANDLERS["webhook"] = WebhookHandler(HttpHooks(HERE, timeout=0.3))
    hook = make(people, peer)
    peer.hang = True
    for _n in range(5):
        people(ADMIN).post(f"{HOOKS}/{hook['webhook']['id']}/actions/test")
    began = time.monotonic()
    deliver()
    assert time.monotonic() - began < 2
    assert sorted(one.attempts for one in rows()) == [0, 0, 0, 0, 1]
    assert {one.state for one in rows()} == {"queued"}


def test_a_sender_killed_in_the_middle_sends_again(people: House, peer: Peer, clock: TestClock) -> None:
    hook = make(people, peer)
    people(ADMIN).post(f"{HOOKS}/{hook['webhook']['id']}/actions/test")
    with transaction() as session:
        (leased,) = outbox.lease(session, ["webhook"], "dead")
    with transaction() as session:
        assert outbox.begin_attempts(session, [leased])
    clock.advance(hours=1)
    jobs.sweep()
    deliver()
    assert only(people, hook)["state"] == "sent"


def test_a_rotated_secret_signs_beside_the_old_one_for_a_day(people: House, peer: Peer, clock: TestClock) -> None:
    hook = make(people, peer)
    path = f"{HOOKS}/{hook['webhook']['id']}"
    new = people(ADMIN).post(f"{path}/actions/rotate-secret", key="r")["secret"]
    assert new != hook["secret"]
    assert people(ADMIN).post(f"{path}/actions/rotate-secret", key="r")["secret"] == "", "a repeat shows no secret"
    for hours, signatures in ((1, 2), (24, 1)):
        clock.advance(hours=hours)
        people(ADMIN).post(f"{path}/actions/test")
        deliver()
        assert len(peer.asked[-1].headers["webhook-signature"].split()) == signatures
    assert hook["secret"] not in str(people(ADMIN).get(path))


def test_who_leaves_listens_no_more_and_another_takes_over(people: House, peer: Peer) -> None:
    hook = make(people, peer, "process.instance.started")
    path = f"{HOOKS}/{hook['webhook']['id']}"
    with transaction() as session:
        session.get_one(Webhook, hook["webhook"]["id"]).owner_id = people(OTHER).person_id
        archive_employee(session, SYSTEM, record_id=session.get_one(Employee, people(OTHER).person_id).id)
    assert people(ADMIN).get(path)["off_reason"] == "owner_left"
    assert people(ADMIN).post(f"{path}/actions/take-over")["owner"]["id"] not in (0, people(OTHER).person_id)


def test_a_deleted_hook_is_told_nothing_more(people: House, peer: Peer) -> None:
    hook = make(people, peer)
    people(ADMIN).post(f"{HOOKS}/{hook['webhook']['id']}/actions/test")
    assert people(ADMIN).call("DELETE", f"{HOOKS}/{hook['webhook']['id']}").status_code == 204
    deliver()
    assert peer.asked == []
    assert [one.last_error for one in rows()] == ["hook_deleted"]
    refused(people(ADMIN).call("GET", f"{HOOKS}/{hook['webhook']['id']}"), 404)


def test_a_faulty_hook_is_refused(people: House) -> None:
    for change in (
        {"url": "https://10.0.0.1/"},
        {"url": "http://erp.example.cn/"},
        {"url": "https://user:word@erp.example.cn/"},
        {"events": []},
        {"events": ["nothing.such"]},
        {"name": " "},
    ):
        body = {"name": "ERP", "url": "https://erp.example.cn/", "events": ["comment.added"], **change}
        problem = refused(people(ADMIN).call("POST", HOOKS, body), 422)
        assert {error["field"] for error in problem["errors"]} == set(change)


def test_a_stale_change_is_refused(people: House, peer: Peer) -> None:
    hook = make(people, peer)
    path = f"{HOOKS}/{hook['webhook']['id']}"
    people(ADMIN).call("PATCH", path, {"version": 1, "name": "ERP 2"})
    refused(people(ADMIN).call("PATCH", path, {"version": 1, "name": "ERP 3"}), 409)


def test_an_employee_may_not(people: House) -> None:
    for method, path in (
        ("GET", HOOKS),
        ("GET", "/webhook-events"),
        ("GET", f"{HOOKS}/1"),
        ("DELETE", f"{HOOKS}/1"),
        ("POST", f"{HOOKS}/1/actions/test"),
        ("POST", f"{HOOKS}/1/actions/rotate-secret"),
        ("GET", f"{HOOKS}/1/deliveries"),
    ):
        refused(people(EMPLOYEE).call(method, path, {} if method == "POST" else None), 403)


def test_what_was_told_long_ago_is_forgotten(people: House, peer: Peer, clock: TestClock) -> None:
    hook = make(people, peer)
    people(ADMIN).post(f"{HOOKS}/{hook['webhook']['id']}/actions/test")
    deliver()
    clock.advance(hours=24 * 31)
    with transaction() as session:
        assert sweep(session) == 1
    Sessions.remove()


def test_the_receiver_of_the_page_takes_what_we_send(people: House, peer: Peer, tmp_path: Path) -> None:
    (code,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    port = free_port()
    peer.port = port
    hook = make(people, peer)
    file = tmp_path / "receiver.py"
    file.write_text(code, encoding="utf-8")
    running = subprocess.Popen(
        [sys.executable, file],
        env={**os.environ, "SECRET": hook["secret"], "PORT": str(port)},
        stderr=subprocess.DEVNULL,
    )
    try:
        _until_open(port)
        people(ADMIN).post(f"{HOOKS}/{hook['webhook']['id']}/actions/test")
        deliver()
        assert [one["status"] for one in only(people, hook)["tries"]] == [204]
    finally:
        running.kill()
        running.wait()


def _until_open(port: int) -> None:
    for _n in range(200):
        with socket.socket() as line:
            if line.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("the receiver did not start")
