"""Designers of the demo company at work: 郑凯, who may design, and 吴婷, who may too once `second` asks for her."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import select
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from engine import repository
from engine.db import transaction
from tests import demo_house
from tests.demo_house import Browser, DemoHouse

DESIGNER, SECOND, EMPLOYEE = "zheng.kai", "wu.ting", "wang.lei"


@pytest.fixture(scope="session")
def _demo_house(tmp_path_factory: pytest.TempPathFactory) -> DemoHouse:
    return demo_house.build(tmp_path_factory.mktemp("demo_house"))


@pytest.fixture
def house(_demo_house: DemoHouse, tmp_path: Path) -> Iterator[DemoHouse]:
    with _demo_house.opened(tmp_path) as opened:
        repository.forget_all()  # definitions are known by id, and each database counts its own
        yield opened
        repository.forget_all()


class Designer:
    """Somebody at the designer's pages; `revision` is what the page was opened with, as the modeler keeps it."""

    def __init__(self, browser: Browser) -> None:
        self.browser = browser
        self.token = browser.token()
        self.revision = ""

    def open(self, key: str, file: str = "") -> str:
        """The diagram's text."""
        answer = self.browser.get(f"/designer/{key}/diagram", query_string={"file": file} if file else {})
        assert answer.status_code == 200, answer.text
        self.revision = answer.headers["ETag"]
        return str(answer.text)

    def write(self, method: str, key: str, action: str, xml: str, file: str = "") -> TestResponse:
        answer = self.browser.client.open(
            f"/designer/{key}/{action}",
            method=method,
            query_string={"file": file or f"{key}.bpmn", "_l_": "en"},
            data=json.dumps({"xml": xml}),
            content_type="application/json",
            headers={"X-CSRFToken": self.token, "If-Match": self.revision, "Accept": "application/json"},
        )
        if answer.status_code == 200 and action != "lint":
            self.revision = f'"{answer.get_json()["revision"]}"'
        return answer

    def save(self, key: str, xml: str, file: str = "") -> TestResponse:
        return self.write("PUT", key, "diagram", xml, file)

    def deploy(self, key: str, xml: str, file: str = "") -> TestResponse:
        return self.write("POST", key, "deploy", xml, file)

    def lint(self, key: str, xml: str, file: str = "") -> list[dict[str, str]]:
        found: list[dict[str, str]] = self.write("POST", key, "lint", xml, file).get_json()["problems"]
        return found

    def import_files(self, files: Mapping[str, str | bytes]) -> TestResponse:
        parts = [(io.BytesIO(one.encode() if isinstance(one, str) else one), name) for name, one in files.items()]
        data: MultiDict[str, object] = MultiDict([("csrf_token", self.token), *(("files", part) for part in parts)])
        return self.browser.client.post(
            "/designer/import", data=data, content_type="multipart/form-data", query_string={"_l_": "en"}
        )

    def new(self, key: str, name: str) -> None:
        answer = self.browser.post("/designer/", {"key": key, "name": name})
        assert answer.status_code == 302, answer.text


@pytest.fixture
def designer(house: DemoHouse) -> Designer:
    return Designer(house.login(DESIGNER))


@pytest.fixture
def second(house: DemoHouse) -> Designer:
    with transaction() as session:
        user = session.scalars(select(User).where(User.username == SECOND)).one()
        user.roles.append(session.scalars(select(Role).where(Role.name == "ProcessDesigner")).one())
    return Designer(house.login(SECOND))
