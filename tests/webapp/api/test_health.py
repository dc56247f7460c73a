"""What supervisors and Prometheus ask."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from engine import clock, outbox
from engine.db import Sessions, transaction
from tests.webapp.callers import ADMIN, EMPLOYEE, House, refused
from webapp import checks
from webapp.checks import Finding

pytestmark = pytest.mark.databases("sqlite")


def test_the_process_is_alive(app: Flask) -> None:
    assert app.test_client().get("/healthz").data == b"ok\n"


@pytest.mark.parametrize(
    ("tables", "schema", "broker", "status"),
    [
        ("up", "up", "up", 200),
        ("up", "up", "degraded", 200),
        ("up", "down", "up", 503),
        ("down", "up", "up", 503),
        ("up", "up", "down", 200),
    ],
)
def test_it_is_ready_when_database_and_schema_are(
    app: Flask, monkeypatch: pytest.MonkeyPatch, tables: str, schema: str, broker: str, status: int
) -> None:
    found = [Finding("database", tables), Finding("schema", schema, "0001"), Finding("broker", broker)]
    monkeypatch.setattr(checks, "look_around", lambda: found)
    answer = app.test_client().get("/readyz")
    assert answer.status_code == status
    body = answer.get_json()
    assert body["status"] == ("ready" if status == 200 else "down")
    assert body["checks"]["schema"] == {"state": schema, "reason": "0001"}


def test_figures_show_requests_and_what_waits(app: Flask, people: House) -> None:
    people(EMPLOYEE).get("/work-items/counts")
    with transaction() as session:
        for number in range(3):
            outbox.enqueue(session, channel="sms", key=f"sms:{number}", payload={})
        outbox.enqueue(session, channel="sms", key="later", payload={}, send_at=clock.now() + timedelta(hours=1))
    Sessions.remove()
    text = app.test_client().get("/metrics").text
    assert 'yunliu_backlog{queue="outbox"} 4.0' in text
    assert 'yunliu_backlog{queue="timers"} 0.0' in text
    assert "process_resident_memory_bytes" in text
    counted = [line for line in text.splitlines() if line.startswith("yunliu_http_request_seconds_count")]
    assert any('endpoint="api.inbox.count_items",method="GET",status="200"' in line for line in counted)


def test_figures_are_not_for_the_world(app: Flask, people: House) -> None:
    client = app.test_client()

    def ask(**headers: str) -> int:
        return client.get("/metrics", headers={"X-Forwarded-For": "203.0.113.9", **headers}).status_code

    assert ask() in (302, 401), "asked through a proxy"
    assert client.get("/metrics", environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code in (302, 401)
    assert ask(Authorization=f"Bearer {people(EMPLOYEE).token}") == 403
    assert ask(Authorization=f"Bearer {people(ADMIN).token}") == 200
    refused(client.get("/metrics", headers={"X-Forwarded-For": "x", "Accept": "application/json"}), 401)
