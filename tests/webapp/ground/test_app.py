"""What every answer carries, how refusals look, and what a browser may keep."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import event

from engine.db import Sessions
from engine.errors import AppError, Conflict, Forbidden, InvalidForm, NotFound, Problem, RuleViolation
from engine.i18n import Sentence, _
from tests.webapp.ground.conftest import SETTINGS, Browser, Login, build
from webapp.bootstrap import catalogue, translate
from webapp.security.access import public
from webapp.skin.assets import static_url
from webapp.skin.navigation import GROUPS

JSON = {"Accept": "application/json"}


# ------------------------------------------------------------------------------------------------ headers and files


@pytest.mark.parametrize("page", ["/login/", "/made_up/deal/list/", "/nowhere", "/api/v1/nowhere"])
def test_every_answer_is_locked_down(app: Flask, login: Login, page: str) -> None:
    headers = login("reader").get(page).headers
    policy = headers["Content-Security-Policy"]
    assert "default-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0]
    assert "'unsafe-eval'" not in policy
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"


def test_inline_scripts_carry_this_answers_nonce(app: Flask, login: Login) -> None:
    browser = login("reader")
    nonces = set()
    for _number in range(2):
        answer = browser.get("/made_up/deal/list/")
        nonce = re.search(r"script-src 'self' 'nonce-([^']+)'", answer.headers["Content-Security-Policy"])
        assert nonce
        nonces.add(nonce.group(1))
        for script in re.findall(r"<script\b(?![^>]*\bsrc=)[^>]*>", answer.text):
            assert f'nonce="{nonce.group(1)}"' in script
    assert len(nonces) == 2


PAGES = (
    "/login/",
    "/made_up/deal/list/",
    "/made_up/deal/show/1",
    "/made_up/deal/add",
    "/me/",
    "/security/matrix/",
    "/security/login/list/",
    "/search/?q=采",
    "/nowhere",
)


@pytest.mark.parametrize("page", PAGES)
def test_pages_have_no_inline_styles_or_handlers(app: Flask, login: Login, page: str) -> None:
    text = login("root", ("Admin",)).get(page).text
    assert not re.search(r"<[^>]+\sstyle=", text)
    assert not re.search(r"<[^>]+\son[a-z]+=", text)
    assert not re.search(r"<[^>]+\shx-on", text)
    assert "<style" not in text


def test_the_session_cookie_is_for_us_alone(anonymous: Browser) -> None:
    cookie = anonymous.get("/login/").headers["Set-Cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=Lax" in cookie
    assert "Secure" not in cookie


def test_over_https_the_cookie_stays_on_https(made_up: None) -> None:
    secure = build(replace(SETTINGS, base_url="https://office.example.cn"))
    answer = secure.test_client().get("/login/", base_url="https://office.example.cn")
    assert "Secure" in answer.headers["Set-Cookie"]
    assert "Strict-Transport-Security" in answer.headers


def test_proxies_are_believed_only_when_told(made_up: None) -> None:
    forged = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "10.9.8.7"}
    assert "Strict-Transport-Security" not in build(SETTINGS).test_client().get("/login/", headers=forged).headers
    behind = build(replace(SETTINGS, trusted_proxies=1)).test_client().get("/login/", headers=forged)
    assert "Strict-Transport-Security" in behind.headers


def test_a_static_file_is_kept_by_its_hash_and_sent_small(app: Flask) -> None:
    client = app.test_client()
    url = static_url("app/app.css")
    answer = client.get(url, headers={"Accept-Encoding": "gzip"})
    assert "immutable" in answer.headers["Cache-Control"]
    assert answer.headers["Content-Encoding"] == "gzip"
    assert len(answer.data) < len(client.get(url).data) / 2
    assert "no-cache" in client.get("/static/app/app.css").headers["Cache-Control"]
    assert client.get(url, headers={"If-None-Match": client.get(url).headers["ETag"]}).status_code == 304


@pytest.mark.parametrize("path", ["../app.py", "%2e%2e/app.py", "app", "nothing.css", "..%2fsettings.py"])
def test_only_static_files_are_served(app: Flask, path: str) -> None:
    assert app.test_client().get(f"/static/{path}").status_code in {404, 308}


def test_the_shell_is_installable_and_holds_no_business(app: Flask) -> None:
    client = app.test_client()
    manifest = client.get("/manifest.webmanifest").json
    assert manifest["display"] == "standalone"
    for icon in manifest["icons"]:
        assert client.get(icon["src"]).status_code == 200
    assert client.get("/sw.js").headers["Service-Worker-Allowed"] == "/"
    assert client.get("/offline").status_code == 200


# ------------------------------------------------------------------------------------------------ refusals


@pytest.fixture
def refusing(app: Flask, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """An address whose behaviour the test chooses."""
    chosen: dict[str, Any] = {}

    @public
    def view() -> str:
        raise chosen["error"]

    monkeypatch.setitem(app.view_functions, "SearchView.search", view)
    return chosen


REFUSALS = [
    (RuleViolation(_("Not twice."), remedy=_("Do it once.")), 422, "rule_violation"),
    (NotFound(), 404, "not_found"),
    (Forbidden(_("Not you.")), 403, "forbidden"),
    (Conflict(_("Too late.")), 409, "conflict"),
]


@pytest.mark.parametrize(("error", "status", "code"), REFUSALS)
def test_a_refusal_is_a_page_for_people(
    refusing: dict[str, Any], login: Login, error: AppError, status: int, code: str
) -> None:
    refusing["error"] = error
    answer = login("reader").get("/search/?_l_=en")
    assert answer.status_code == status
    assert error.message.in_locale("en") in answer.text
    assert "<html" in answer.text


@pytest.mark.parametrize(("error", "status", "code"), REFUSALS)
def test_a_refusal_is_problem_json_for_machines(
    refusing: dict[str, Any], anonymous: Browser, error: Exception, status: int, code: str
) -> None:
    refusing["error"] = error
    answer = anonymous.get("/search/?_l_=en", headers=JSON)
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")
    assert answer.json["code"] == code
    assert answer.json["status"] == status
    assert {"type", "title", "detail", "errors"} <= answer.json.keys()


def test_every_field_is_told_at_once(refusing: dict[str, Any], anonymous: Browser) -> None:
    refusing["error"] = InvalidForm([Problem("a", _("This is required.")), Problem("b", _("This cannot be read."))])
    told = anonymous.get("/search/", headers=JSON).json["errors"]
    assert [one["field"] for one in told] == ["a", "b"]


@pytest.mark.parametrize("headers", [{}, JSON])
def test_a_crash_shows_a_number_and_nothing_of_the_inside(
    refusing: dict[str, Any], login: Login, caplog: pytest.LogCaptureFixture, headers: dict[str, str]
) -> None:
    refusing["error"] = ZeroDivisionError("secret detail")
    answer = login("reader").get("/search/", headers=headers)
    assert answer.status_code == 500
    assert "secret detail" not in answer.text
    assert "Traceback" not in answer.text
    (crash,) = [record for record in caplog.records if record.message == "web.crash"]
    assert crash.incident in answer.text  # type: ignore[attr-defined]


def test_what_is_not_there_is_said_in_the_skin(app: Flask, login: Login) -> None:
    answer = login("reader").get("/nowhere?_l_=en")
    assert answer.status_code == 404
    assert 'class="yl-side"' in answer.text


# ------------------------------------------------------------------------------------------------ session and language


@pytest.mark.databases("sqlite")  # the only one with one writer for all
def test_reading_pages_take_no_write_lock(app: Flask, login: Login) -> None:
    browser = login("reader")
    begun: list[str] = []
    engine = Sessions.get_bind()

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        if statement.startswith("BEGIN"):
            begun.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    for page in ("/made_up/deal/list/", "/made_up/deal/show/1", "/me/", "/search/?q=x"):
        _all = browser.get(page).data
    assert set(begun) == {"BEGIN"}
    begun.clear()
    _all = browser.get("/made_up/deal/export").data
    event.remove(engine, "before_cursor_execute", note)
    assert begun == ["BEGIN", "BEGIN IMMEDIATE", "BEGIN"], "who took it is noted between counting and reading the rows"


def test_a_session_never_outlives_its_request(app: Flask, login: Login) -> None:
    login("reader").get("/made_up/deal/list/")
    assert not Sessions.registry.has()


def test_the_language_is_chosen_per_person(app: Flask, login: Login) -> None:
    browser = login("reader")
    assert '<html lang="zh-CN"' in browser.get("/me/").text
    browser.post("/me/language/en")
    assert '<html lang="en"' in browser.get("/me/").text
    assert browser.post("/me/language/tlh").status_code == 400


def test_sentences_are_resolved_for_their_reader(app: Flask) -> None:
    sentence = Sentence("Save", {})
    assert sentence.in_locale("en") == "Save"
    assert sentence.in_locale("zh_CN") == catalogue("zh")["Save"] == translate("Save", "zh-Hans") != "Save"


def test_a_group_without_entries_is_not_there(app: Flask, login: Login) -> None:
    shown = set(re.findall(r'data-yl-group="([a-z]+)"', login("reader").get("/made_up/deal/list/").text))
    assert {"customer", "sales"} <= shown
    assert "reports" not in shown
    assert shown < {group.key for group in GROUPS}
