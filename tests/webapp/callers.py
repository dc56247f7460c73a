"""Who the tests of the interface call as: the demo company behind the whole application.

A conftest imports the fixtures it offers.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder.security.sqla.models import Role, User
from flask_jwt_extended import create_access_token
from sqlalchemy import select
from werkzeug.test import TestResponse

from engine import attachments, repository
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from processes.organization.models import Employee
from processes.spending.operations import create_category
from processes.spending.operations.categories import expense_categories
from tests.databases import Database
from tests.kept import write_or_copy
from webapp import bootstrap, demo, house
from webapp.app import create_app
from webapp.security import accounts, roles
from webapp.settings import Settings, load_settings

EMPLOYEE, SUPERIOR, HEAD, FINANCE, MANAGER = "wang.lei", "zhou.ming", "lin.xiaoyan", "zhao.min", "chen.guoqiang"
OTHER = "li.na"
ADMIN = "root"
CATEGORY = "travel"
APPROVERS = (SUPERIOR, HEAD, FINANCE, MANAGER)

LANGUAGE = {"Accept-Language": "en"}


@pytest.fixture(scope="session")
def settings(tmp_path_factory: pytest.TempPathFactory) -> Settings:
    return load_settings(
        {"DATA_DIR": str(tmp_path_factory.mktemp("data")), "DEMO": "1", "API_RATE_LIMIT": "100000/hour"}
    )


@pytest.fixture(scope="session")
def application(settings: Settings) -> Flask:
    """Built once; it asks whichever database the test has bound."""
    bootstrap.start(settings)
    return create_app(settings, start=False)


@pytest.fixture
def app(application: Flask, database: Database, tmp_path: Path) -> Iterator[Flask]:
    """The application over the demo company, with the shipped processes and an administrator."""
    attachments.install(tmp_path / "attachments")
    write_or_copy(database, "the demo company behind the interface", lambda: _move_in(application))
    repository.forget_all()
    Sessions.remove()
    yield application
    Sessions.remove()


def _move_in(application: Flask) -> None:
    repository.forget_all()
    roles.create_permissions(application)
    with transaction() as session:
        demo.load(session)
        admin = session.scalars(select(Role).where(Role.name == roles.ADMIN)).one()
        values = {
            "username": ADMIN,
            "last_name": "管",
            "first_name": "理",
            "email": "root@example.com",
            "roles": [admin.id],
        }
        accounts.create_login(session, SYSTEM, values=values, password="correct horse 9")
        house.deploy_shipped(session)
        if CATEGORY not in {choice.value for choice in expense_categories(session, SYSTEM)}:
            create_category(session, SYSTEM, values={"code": CATEGORY, "name": "差旅费"})


@dataclass
class Caller:
    """Somebody with a token."""

    client: FlaskClient
    token: str
    person_id: int
    headers: dict[str, str] = field(default_factory=lambda: dict(LANGUAGE))

    def call(self, method: str, path: str, body: Any = None, *, key: str | None = None, **more: Any) -> TestResponse:
        headers = {**self.headers, "Authorization": f"Bearer {self.token}", **more.pop("headers", {})}
        if key is not None:
            headers["Idempotency-Key"] = key
        if body is not None:
            more |= {"data": json.dumps(body), "content_type": "application/json"}
        response = self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)
        Sessions.remove()
        return response

    def get(self, path: str, **more: Any) -> Any:
        return good(self.call("GET", path, **more))

    def post(self, path: str, body: Any = None, **more: Any) -> Any:
        return good(self.call("POST", path, {} if body is None else body, **more))

    def inbox(self) -> list[dict[str, Any]]:
        items: list[dict[str, Any]] = self.get("/work-items")["items"]
        return items

    def act(self, item: dict[str, Any], action: str, **body: Any) -> TestResponse:
        path = f"/work-items/{item['item_id']}/actions/{action}"
        return self.call("POST", path, {"version": item["version"], **body})


def good(response: TestResponse) -> Any:
    assert response.status_code < 300, response.get_data(as_text=True)
    return response.get_json()


def refused(response: TestResponse, status: int, code: str | None = None) -> dict[str, Any]:
    """The problem of an answer that must be this refusal."""
    assert response.status_code == status, response.get_data(as_text=True)
    assert response.mimetype == "application/problem+json"
    problem: dict[str, Any] = response.get_json()
    assert problem["status"] == status
    assert {"type", "title", "detail", "code", "errors"} <= problem.keys()
    if code is not None:
        assert problem["code"] == code
    return problem


class House:
    def __init__(self, app: Flask) -> None:
        self.app = app
        self._callers: dict[str, Caller] = {}

    def __call__(self, username: str) -> Caller:
        if username not in self._callers:
            self._callers[username] = self.caller(username)
        return self._callers[username]

    def caller(self, username: str) -> Caller:
        """A fresh client for this login, for threads."""
        with self.app.app_context():
            session = Sessions()
            user = session.scalars(select(User).where(User.username == username)).one()
            person = session.scalar(select(Employee.id).where(Employee.user_id == user.id))
            token = create_access_token(identity=str(user.id))
            Sessions.remove()
        return Caller(self.app.test_client(), token, person or 0)


@pytest.fixture
def people(app: Flask) -> House:
    return House(app)


def request_of(amount: str, **fields: Any) -> dict[str, Any]:
    """The variables of an expense request with one line."""
    line = {"category": CATEGORY, "amount": amount, "purpose": "高铁"}
    return {"variables": {"title": "拜访上海客户", "lines": [line], **fields}}


@pytest.fixture
def started(people: House) -> dict[str, Any]:
    """An expense request of 12,345.60, sent by the employee; it waits for the superior."""
    instance: dict[str, Any] = people(EMPLOYEE).post(
        "/process-definitions/expense_request/start", request_of("12345.60")
    )
    return instance
