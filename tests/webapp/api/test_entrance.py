"""Who gets in, in which language they are refused, and what no body may be."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder.security.sqla.models import User
from flask_jwt_extended import create_access_token, create_refresh_token
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from engine import history
from engine.db import Sessions, transaction
from tests.conftest import TestClock
from tests.webapp.callers import ADMIN, EMPLOYEE, OTHER, Caller, House, refused
from webapp import demo
from webapp.api import limits
from webapp.security import passwords

pytestmark = pytest.mark.databases("sqlite")


def sign_in(app: Flask, username: str) -> tuple[FlaskClient, str]:
    """A browser of this person with the CSRF token of its page."""
    client = app.test_client()
    page = client.get("/login/").text
    answer = client.post("/login/", data={"username": username, "password": demo.PASSWORD, "csrf_token": _token(page)})
    assert answer.status_code == 302
    return client, _token(client.get("/me/").text)


def _token(page: str) -> str:
    return page.split('name="csrf-token" content="')[1].split('"', maxsplit=1)[0]


# ------------------------------------------------------------------------------------------------- who


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer x", "Basic d2FuZzp4", "Bearer yl_unknown", "Bearer é"])
def test_credentials_worth_nothing_are_refused(app: Flask, header: str) -> None:
    headers = {"Accept-Language": "en", **({"Authorization": header} if header else {})}
    answer = app.test_client().get("/api/v1/work-items", headers=headers)
    problem = refused(answer, 401)
    assert problem["title"] == "Please sign in"
    assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")


def test_the_login_gives_a_token_that_works(app: Flask) -> None:
    client = app.test_client()
    body = {"username": EMPLOYEE, "password": demo.PASSWORD, "provider": "db", "refresh": True}
    tokens = client.post("/api/v1/security/login", json=body).get_json()
    answer = client.get("/api/v1/work-items/counts", headers={"Authorization": f"Bearer {tokens['access_token']}"})
    assert answer.get_json() == {"open": 0, "cc": 0}
    again = client.get("/api/v1/work-items/counts", headers={"Authorization": f"Bearer {tokens['refresh_token']}"})
    refused(again, 401)  # a refresh token opens no other door
    wrong = client.post("/api/v1/security/login", json={**body, "password": "wrong"})
    refused(wrong, 401, "wrong_credentials")


@pytest.mark.parametrize("token", ["", "nonsense", "Bearer nonsense", "Bearer access"])
def test_only_a_refresh_token_is_refreshed(app: Flask, people: House, token: str) -> None:
    headers = {"Accept-Language": "zh", "Authorization": token.replace("access", people(EMPLOYEE).token)}
    answer = app.test_client().post("/api/v1/security/refresh", headers={k: v for k, v in headers.items() if v})
    problem = refused(answer, 401)
    assert problem["detail"].startswith("请发送令牌")
    assert answer.headers["WWW-Authenticate"].lower().startswith("bearer")


def test_tokens_end(app: Flask, people: House) -> None:
    caller = people(EMPLOYEE)
    with app.app_context():
        user = Sessions().scalars(select(User).where(User.username == EMPLOYEE)).one()
        expired = create_access_token(identity=str(user.id), expires_delta=timedelta(seconds=-1))
        nobody = create_access_token(identity="999999")
        refresh = create_refresh_token(identity=str(user.id))
        Sessions.remove()
    for token in (expired, nobody, refresh, caller.token[:-2]):
        refused(Caller(caller.client, token, 0).call("GET", "/work-items"), 401)
    with transaction() as session:
        session.get_one(User, user.id).active = False
    Sessions.remove()
    refused(caller.call("GET", "/work-items"), 401)


def test_a_browser_must_bring_its_pages_token_to_change_something(app: Flask) -> None:
    client, token = sign_in(app, EMPLOYEE)
    assert client.get("/api/v1/work-items").status_code == 200
    body = {"name": "脚本"}
    refused(client.post("/api/v1/api-keys", json=body), 400, "csrf")
    refused(client.post("/api/v1/api-keys", json=body, headers={"X-CSRFToken": "forged"}), 400, "csrf")
    assert client.post("/api/v1/api-keys", json=body, headers={"X-CSRFToken": token}).status_code == 201
    # a header that is worth nothing is not saved by the cookie beside it
    refused(client.get("/api/v1/work-items", headers={"Authorization": "Bearer x"}), 401)


def test_a_new_password_ends_the_tokens_of_the_old_one(app: Flask) -> None:
    client = app.test_client()
    body = {"username": EMPLOYEE, "password": demo.PASSWORD, "refresh": True}
    tokens = client.post("/api/v1/security/login", json=body).get_json()

    def status(token: str, path: str = "work-items", method: str = "GET") -> int:
        headers = {"Authorization": f"Bearer {token}"}
        return client.open(f"/api/v1/{path}", method=method, headers=headers).status_code

    refreshed = client.post("/api/v1/security/refresh", headers={"Authorization": f"Bearer {tokens['refresh_token']}"})
    again = refreshed.get_json()["access_token"]
    assert status(tokens["access_token"]) == status(again) == 200
    with transaction() as session:
        user = session.scalars(select(User).where(User.username == EMPLOYEE)).one()
        user.password = passwords.hash_password("another horse 9")
    Sessions.remove()
    assert status(tokens["access_token"]) == status(again) == 401
    assert status(tokens["refresh_token"], "security/refresh", "POST") == 401


# ------------------------------------------------------------------------------------------------- keys


def test_a_key_is_shown_once_works_and_can_be_revoked(app: Flask, people: House) -> None:
    owner = people(EMPLOYEE)
    made = owner.post("/api-keys", {"name": "夜间导入"}, key="make-1")
    assert made["key"].startswith(made["hint"])
    repeat = owner.post("/api-keys", {"name": "夜间导入"}, key="make-1")
    assert (repeat["id"], repeat["key"]) == (made["id"], "")
    assert "key" not in owner.get("/api-keys")["items"][0]

    program = Caller(app.test_client(), made["key"], owner.person_id)
    assert program.get("/work-items/counts") == {"open": 0, "cc": 0}
    refused(program.call("POST", "/api-keys", {"name": "noch einer"}), 403)
    refused(people(OTHER).call("POST", f"/api-keys/{made['id']}/actions/revoke"), 404)
    assert owner.call("POST", f"/api-keys/{made['id']}/actions/revoke").status_code == 204
    refused(program.call("GET", "/work-items/counts"), 401)
    assert owner.get("/api-keys")["items"] == []


def test_a_key_ends_on_its_day(app: Flask, people: House, clock: TestClock) -> None:
    owner = people(EMPLOYEE)
    refused(owner.call("POST", "/api-keys", {"name": "x", "expires_at": "2020-01-01T00:00:00Z"}), 422)
    made = owner.post("/api-keys", {"name": "x", "expires_at": (clock.at + timedelta(hours=1)).isoformat()})
    program = Caller(app.test_client(), made["key"], owner.person_id)
    assert program.call("GET", "/work-items").status_code == 200
    clock.advance(hours=1)
    refused(program.call("GET", "/work-items"), 401)


def test_nobody_has_more_than_a_handful_of_keys(people: House) -> None:
    owner = people(EMPLOYEE)
    answers = [owner.call("POST", "/api-keys", {"name": f"{n}"}).status_code for n in range(21)]
    assert answers == [201] * 20 + [422]


# ------------------------------------------------------------------------------------------------- language, limits


def test_programs_choose_their_language_and_people_keep_theirs(app: Flask, people: House) -> None:
    caller = people(EMPLOYEE)

    def detail(**headers: str) -> str:
        answer = caller.client.get(
            "/api/v1/process-instances/9", headers={"Authorization": f"Bearer {caller.token}", **headers}
        )
        text: str = refused(answer, 404)["detail"]
        return text

    assert detail(**{"Accept-Language": "en-GB,en;q=0.9"}) == "This does not exist, or you may not see it."
    in_chinese = detail(**{"Accept-Language": "zh-CN"})
    assert in_chinese != detail(**{"Accept-Language": "en"})
    assert detail(**{"Accept-Language": "fr"}) == in_chinese == detail()


def test_whoever_calls_too_often_waits(app: Flask, people: House, monkeypatch: pytest.MonkeyPatch) -> None:
    spent: list[str] = []
    few = limits.Limits(app.extensions[limits.EXTENSION]._limiter, "3 per hour")
    spend = few.spend
    monkeypatch.setattr(few, "spend", lambda who: (spent.append(who), spend(f"{who}:{id(few)}")))
    monkeypatch.setitem(app.extensions, limits.EXTENSION, few)
    caller = people(EMPLOYEE)
    assert [caller.call("GET", "/work-items").status_code for _ in range(3)] == [200] * 3
    answer = caller.call("GET", "/work-items")
    refused(answer, 429, "too_many_requests")
    assert int(answer.headers["Retry-After"]) > 0
    assert people(OTHER).call("GET", "/work-items").status_code == 200
    refused(app.test_client().get("/api/v1/work-items"), 401)
    assert spent[-1].startswith("address:")


# ------------------------------------------------------------------------------------------------- bodies, addresses


def test_bodies_are_bounded_and_of_one_kind(people: House) -> None:
    caller = people(EMPLOYEE)
    path = "/process-definitions/expense_request/start"
    refused(caller.call("POST", path, {"variables": {"a": "x" * 1_100_000}}), 413)
    refused(caller.call("POST", path, data="a=1", content_type="application/x-www-form-urlencoded"), 415)
    refused(caller.call("POST", path, data="{", content_type="application/json"), 400, "unreadable")
    refused(caller.call("POST", path, data='{"a": "\\u0000"}', content_type="application/json"), 400, "unreadable")
    problem = refused(caller.call("POST", path, {"variable": {}, "start": 1}), 422, "invalid_request")
    assert {error["field"] for error in problem["errors"]} == {"variable", "start"}
    refused(caller.call("POST", "/attachments", {"file": "x"}), 415)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing", 404),
        ("GET", "/process-instances/0", 404),
        ("GET", "/process-instances/99999999999999999999999", 404),
        ("GET", "/process-instances/x", 404),
        ("GET", "/process-definitions/%00", 404),
        ("GET", f"/process-definitions/{'k' * 300}", 404),
        ("POST", "/work-items/1/actions/dance", 404),
        ("DELETE", "/work-items", 405),
        ("GET", "/work-items?page=0", 422),
        ("GET", "/work-items?page_size=101", 422),
        ("GET", "/work-items?colour=red", 422),
        ("GET", "/work-items?order=colour", 422),
        ("GET", "/work-items?view=all", 422),
        ("GET", "/work-items?q=%00", 400),
    ],
)
def test_addresses_that_mean_nothing(people: House, method: str, path: str, status: int) -> None:
    refused(people(ADMIN).call(method, path, {"version": 1} if method == "POST" else None), status)


@pytest.mark.parametrize(
    ("said", "code"), [("database is locked", "unavailable"), ("disk is gone", "service_unavailable")]
)
def test_a_database_that_cannot_answer_is_no_fault_of_the_caller(
    people: House, monkeypatch: pytest.MonkeyPatch, said: str, code: str
) -> None:
    def fail(*_args: Any) -> None:
        raise OperationalError("SELECT secret", None, Exception(said))

    monkeypatch.setattr(history, "counts", fail)
    answer = people(EMPLOYEE).call("GET", "/work-items/counts")
    refused(answer, 503, code)
    assert int(answer.headers["Retry-After"]) > 0
    assert "secret" not in answer.text


def test_a_refusal_tells_nothing_of_the_inside(people: House, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_args: Any) -> None:
        raise LookupError("select secret from inside")

    monkeypatch.setattr(history, "counts", fail)
    answer = people(EMPLOYEE).call("GET", "/work-items/counts")
    problem = refused(answer, 500, "internal_error")
    assert "secret" not in json.dumps(problem)
    assert problem["incident"]
