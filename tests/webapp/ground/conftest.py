"""An app with a made-up package: customers, deals that belong to somebody, and notes on them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from flask_appbuilder.security.sqla.models import Role
from werkzeug.test import TestResponse

from engine import i18n
from engine.actor import SYSTEM
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from tests.counting import statements
from tests.databases import Database
from tests.kept import write_or_copy
from tests.webapp.ground import house
from webapp import bootstrap
from webapp.app import create_app
from webapp.security import accounts
from webapp.security.roles import create_permissions
from webapp.settings import Settings

PASSWORD = "right-horse-7"


SETTINGS = Settings(
    data_dir=Path("unused"), database_url="sqlite://", secret_key="k" * 40, login_rate_limit="1000 per minute"
)


def build(settings: Settings) -> Flask:
    """The app with the made-up registers, on whatever database the session is bound to."""
    i18n.install(bootstrap.translate)
    bootstrap.join_parts()
    with declared():
        return create_app(settings, start=False)


@contextmanager
def declared() -> Iterator[None]:
    if "made_up" in CATALOG.manifests:
        yield
        return
    CATALOG.manifests["made_up"] = house.MANIFEST
    CATALOG.search |= {r.name: (r.model, r.search) for r in house.MANIFEST.registers if r.search}
    yield
    del CATALOG.manifests["made_up"]
    for register in house.MANIFEST.registers:
        CATALOG.search.pop(register.name, None)


@pytest.fixture(scope="session")
def shared_app() -> Flask:
    """Building takes a while; the app keeps nothing of a request, so all tests may share one."""
    return build(SETTINGS)


@pytest.fixture
def made_up(database: Database) -> Iterator[None]:
    """The package declared and its tables made; both gone afterwards."""
    house.Base.metadata.create_all(database.engine)
    with declared():
        yield
    Sessions.remove()
    house.Base.metadata.drop_all(database.engine)


@pytest.fixture
def app(shared_app: Flask, made_up: None, database: Database) -> Iterator[Flask]:
    write_or_copy(database, "the rights of the made-up package", lambda: create_permissions(shared_app))
    add_records()
    yield shared_app
    Sessions.remove()


def prepare(app: Flask) -> None:
    create_permissions(app)
    add_records()


def add_records() -> None:
    with transaction() as session:
        session.add_all(house.records())
    Sessions.remove()


Login = Callable[..., "Browser"]
CountQueries = Callable[[], AbstractContextManager[list[str]]]


class Browser:
    """A test client that sends the token with everything it posts, as the pages do."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client
        self.person_id = 0

    def get(self, url: str, **options: Any) -> TestResponse:
        return self.client.get(url, **options)

    def token(self) -> str:
        page = self.client.get("/me/").text or ""
        found = re.search(r'<meta name="csrf-token" content="([^"]+)"', page) or re.search(
            r'<meta name="csrf-token" content="([^"]+)"', self.client.get("/login/").text
        )
        assert found
        return found.group(1)

    def post(self, url: str, data: dict[str, Any] | None = None, **options: Any) -> TestResponse:
        return self.client.post(url, data={"csrf_token": self.token(), **(data or {})}, **options)


@pytest.fixture
def anonymous(app: Flask) -> Browser:
    return Browser(app.test_client())


@pytest.fixture
def login(app: Flask) -> Login:
    """login("li", roles=["Employee"]): make the login and sign in; the browser knows its person."""

    def sign_in(username: str, roles: tuple[str, ...] = ("Employee",)) -> Browser:
        with app.app_context(), transaction() as session:
            held = session.query(Role).filter(Role.name.in_(roles)).all()
            values = {
                "username": username,
                "last_name": "李",
                "first_name": username,
                "email": f"{username}@example.cn",
            }
            accounts.create_login(session, SYSTEM, values={**values, "roles": held}, password=PASSWORD)
        Sessions.remove()
        browser = Browser(app.test_client())
        answer = browser.post("/login/", {"username": username, "password": PASSWORD})
        assert answer.status_code == 302, answer.text
        page = browser.get("/me/").text
        browser.person_id = int(re.search(r'data-yl-person="(\d+)"', page).group(1))  # type: ignore[union-attr]
        return browser

    return sign_in


@pytest.fixture
def admin(login: Login) -> Browser:
    return login("root", ("Admin",))


@pytest.fixture
def count_queries(app: Flask) -> CountQueries:
    return statements
