"""The application with the demo company in it: made once, every test gets a fresh copy of its database."""

from __future__ import annotations

import contextlib
import re
import shutil
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from engine import attachments, repository
from engine.db import Sessions, transaction
from engine.models import Instance, WorkItem
from processes.organization.models import Employee
from tests.databases import Files, SqliteTemplate
from webapp import bootstrap, demo, house, wires
from webapp.app import create_app
from webapp.security.roles import create_permissions
from webapp.settings import Settings

SECRET = "k" * 40


@dataclass
class DemoHouse:
    """One Flask application; its database is changed under it between tests."""

    app: Flask
    file: Path
    """the database as it is after the demo company has moved in"""
    files: Files = field(default_factory=Files)
    cookies: dict[str, str] = field(default_factory=dict)
    """login -> its session cookie: signing in is slow on purpose"""

    @contextlib.contextmanager
    def opened(self, folder: Path) -> Iterator[DemoHouse]:
        """The house with a database of its own in `folder`."""
        file = folder / "demo.db"
        shutil.copy(self.file, file)
        with self.files.bound(file):
            attachments.install(folder / "attachments")
            yield self

    def visitor(self) -> Browser:
        """Somebody who has not signed in."""
        return Browser(self.app.test_client())

    def login(self, username: str) -> Browser:
        browser = self.visitor()
        name = self.app.config["SESSION_COOKIE_NAME"]
        if username not in self.cookies:
            answer = browser.post("/login/", {"username": username, "password": demo.PASSWORD})
            assert answer.status_code == 302, answer.text
            cookie = browser.client.get_cookie(name)
            assert cookie is not None
            self.cookies[username] = cookie.value
        browser.client.set_cookie(name, self.cookies[username])
        return browser


def build(folder: Path) -> DemoHouse:
    """Schema, permissions, processes, demo company."""
    template = SqliteTemplate(folder)
    settings = Settings(
        data_dir=folder,
        database_url=f"sqlite:///{template.file}",
        secret_key=SECRET,
        login_rate_limit="100000 per minute",
        demo=True,
    )
    repository.forget_all()
    engine = bootstrap.start(settings)
    app = create_app(settings, start=False)
    create_permissions(app)
    with transaction() as session:
        house.deploy_shipped(session)
        demo.load(session)
        demo.send_samples(session)
    Sessions.remove()
    engine.dispose()
    wires.install(settings)
    return DemoHouse(app, template.file)


class Browser:
    """A test client that sends the token with everything it posts, as the pages do."""

    def __init__(self, client: FlaskClient) -> None:
        self.client = client

    def get(self, url: str, *, partial: bool = False, **options: Any) -> TestResponse:
        """partial: asked for by htmx, which takes a fragment."""
        return self.client.get(url, headers={"HX-Request": "true"} if partial else {}, **options)

    def post(
        self, url: str, data: dict[str, Any] | None = None, *, partial: bool = False, **options: Any
    ) -> TestResponse:
        headers = {"HX-Request": "true"} if partial else {}
        form = {"csrf_token": self.token(), **(data or {})}
        return self.client.post(url, data=form, headers=headers, **options)

    def token(self) -> str:
        for page in ("/me/", "/login/"):
            found = re.search(r'<meta name="csrf-token" content="([^"]+)"', self.client.get(page).text)
            if found:
                return found.group(1)
        raise AssertionError("no page has a token")


class Facts:
    """Looks into the database between two requests."""

    def instance(self, said: str) -> int:
        """The request about this."""
        with transaction() as session:
            found = session.scalars(select(Instance.id).where(Instance.title.endswith(said))).one()
        Sessions.remove()
        return found

    def state(self, instance_id: int) -> str:
        with transaction() as session:
            found = session.scalars(select(Instance.state).where(Instance.id == instance_id)).one()
        Sessions.remove()
        return found

    def open_item(self, said: str) -> WorkItem:
        """The one open item of the request about this."""
        with transaction() as session:
            item = session.scalars(
                select(WorkItem).join(Instance).where(Instance.title.endswith(said), WorkItem.state == "open")
            ).one()
            session.expunge(item)
        Sessions.remove()
        return item

    def person(self, name: str) -> int:
        with transaction() as session:
            found = session.scalars(select(Employee.id).where(Employee.name == name)).one()
        Sessions.remove()
        return found
