"""Signing in: locks, limits, sessions that end when they must, and the log of it all."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from urllib.parse import urljoin, urlsplit

import pytest
from flask import Flask
from flask_appbuilder.security.sqla.models import Role, User

from engine import events
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from tests.conftest import HASHED_WITH, TestClock
from tests.webapp.ground.conftest import PASSWORD, SETTINGS, Browser, Login, build, prepare
from webapp.security import accounts, passwords
from webapp.security.lockout import LONGEST, lock_length
from webapp.security.models import LoginLog

FIRST = timedelta(seconds=30)


def known(username: str = "li", roles: tuple[str, ...] = ("Employee",)) -> int:
    with transaction() as session:
        held = session.query(Role).filter(Role.name.in_(roles)).all()
        values = {"username": username, "last_name": "李", "first_name": "娜", "email": f"{username}@example.cn"}
        user = accounts.create_login(session, SYSTEM, values={**values, "roles": held}, password=PASSWORD)
        user_id: int = user.id
    Sessions.remove()
    return user_id


def try_page(browser: Browser, password: str, username: str = "li") -> int:
    return browser.post("/login/?_l_=en", {"username": username, "password": password}).status_code


def try_api(browser: Browser, password: str, username: str = "li") -> int:
    body = {"username": username, "password": password}
    return browser.client.post("/api/v1/security/login", json=body).status_code


def outcomes() -> list[str]:
    Sessions.remove()
    return [row.outcome for row in Sessions().query(LoginLog).order_by(LoginLog.id)]


@pytest.mark.parametrize(
    ("wrong", "length"),
    [(0, 0), (4, 0), (5, 30), (6, 60), (7, 120), (11, 1920), (12, 3600), (500, 3600)],
)
def test_the_lock_doubles_up_to_an_hour(wrong: int, length: int) -> None:
    assert lock_length(wrong, 5, FIRST) == timedelta(seconds=length)
    assert lock_length(wrong, 5, FIRST) <= LONGEST


@pytest.mark.parametrize("try_login", [try_page, try_api])
def test_five_wrong_passwords_lock_both_roads(
    app: Flask, anonymous: Browser, clock: TestClock, try_login: Callable[[Browser, str], int]
) -> None:
    known()
    assert [try_login(anonymous, "wrong") for _ in range(5)] == [401] * 5
    assert (try_page(anonymous, PASSWORD), try_api(anonymous, PASSWORD)) == (429, 429), "even with the right one"
    clock.advance(seconds=31)
    assert try_login(anonymous, "wrong") == 401
    clock.advance(seconds=31)
    assert try_login(anonymous, PASSWORD) == 429, "the next lock is twice as long"
    clock.advance(seconds=30)
    assert try_login(anonymous, PASSWORD) in {200, 302}


def test_the_interface_says_how_long_to_wait(app: Flask, anonymous: Browser, clock: TestClock) -> None:
    known()
    for _ in range(5):
        try_api(anonymous, "wrong")
    answer = anonymous.client.post("/api/v1/security/login", json={"username": "li", "password": "x"})
    assert (answer.status_code, answer.mimetype) == (429, "application/problem+json")
    assert answer.headers["Retry-After"] == "30"
    assert answer.json["code"] == "locked"


def test_a_name_that_does_not_exist_locks_alike(app: Flask, anonymous: Browser, clock: TestClock) -> None:
    assert [try_page(anonymous, "x", "nobody") for _ in range(6)] == [401] * 5 + [429]


def test_a_success_forgets_the_failures(app: Flask, anonymous: Browser, clock: TestClock) -> None:
    known()
    for _ in range(4):
        try_api(anonymous, "wrong")
    assert try_api(anonymous, PASSWORD) == 200
    assert [try_api(anonymous, "wrong") for _ in range(4)] == [401] * 4
    assert try_api(anonymous, PASSWORD) == 200


def test_an_administrator_unlocks(app: Flask, anonymous: Browser, clock: TestClock) -> None:
    user_id = known()
    for _ in range(5):
        try_api(anonymous, "wrong")
    with transaction() as session:
        accounts.unlock(session, SYSTEM, record_id=user_id)
    assert try_api(anonymous, PASSWORD) == 200


def test_the_log_tells_who_and_how(app: Flask, anonymous: Browser, clock: TestClock) -> None:
    known()
    try_page(anonymous, "wrong")
    try_page(anonymous, PASSWORD)
    anonymous.post("/logout/")
    assert outcomes() == ["wrong", "ok", "logout"]
    row = Sessions().query(LoginLog).filter_by(outcome="ok").one()
    assert (row.name, row.road, row.address) == ("li", "page", "127.0.0.1")


def test_the_limit_counts_both_roads_together(made_up: None, tmp_path: Path) -> None:
    app = build(replace(SETTINGS, login_rate_limit="3 per minute"))
    prepare(app)
    known()
    browser = Browser(app.test_client())
    codes = [try_page(browser, "x"), try_api(browser, "x"), try_page(browser, "x"), try_api(browser, "x")]
    assert codes == [401, 401, 401, 429]
    assert try_page(browser, PASSWORD) == 429
    assert browser.get("/login/").status_code == 200, "looking at the form costs nothing"


def test_the_mail_address_signs_in_as_well(app: Flask, anonymous: Browser) -> None:
    known()
    assert try_api(anonymous, PASSWORD, "LI@example.cn") == 200


def test_what_was_typed_as_name_stays_and_the_answer_tells_nothing(app: Flask, anonymous: Browser) -> None:
    known()
    wrong = anonymous.post("/login/?_l_=en", {"username": "li", "password": "x"}).text
    nobody = anonymous.post("/login/?_l_=en", {"username": "nobody", "password": "x"}).text
    assert "User name or password is wrong." in wrong
    assert "User name or password is wrong." in nobody
    assert 'value="li"' in wrong


@pytest.mark.parametrize("evil", ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)"])
def test_the_way_back_never_leads_elsewhere(app: Flask, anonymous: Browser, evil: str) -> None:
    known()
    answer = anonymous.post(f"/login/?next={evil}", {"username": "li", "password": PASSWORD})
    assert answer.status_code == 302
    assert urlsplit(urljoin("http://localhost/", answer.headers["Location"])).netloc == "localhost"
    assert "\\" not in answer.headers["Location"], "browsers read a backslash as a slash"


def test_the_way_back_leads_to_the_page_one_wanted(app: Flask, anonymous: Browser) -> None:
    known()
    wanted = anonymous.get("/made_up/deal/list/?q=x").headers["Location"]
    answer = anonymous.post(wanted, {"username": "li", "password": PASSWORD})
    assert answer.headers["Location"] == "/made_up/deal/list/?q=x"


def test_a_closed_login_is_out_at_once_on_both_roads(app: Flask, login: Login) -> None:
    browser = login("li")
    token = browser.client.post("/api/v1/security/login", json={"username": "li", "password": PASSWORD}).json
    bearer = {"Authorization": f"Bearer {token['access_token']}"}
    assert browser.client.get("/api/v1/_openapi", headers=bearer).status_code == 200
    with transaction() as session:
        accounts.close_login(session, SYSTEM, record_id=session.query(User).filter_by(username="li").one().id)
    assert browser.get("/me/").status_code == 302
    assert app.test_client().get("/api/v1/_openapi", headers=bearer).status_code == 401
    assert try_api(browser, PASSWORD) == 401


def test_who_leaves_the_company_is_locked_out(app: Flask, login: Login) -> None:
    browser = login("li")
    with transaction() as session:
        user = session.query(User).filter_by(username="li").one()
        events.publish(session, "organization.employee_left", employee_id=1, user_id=user.id)
    assert browser.get("/me/").status_code == 302


def test_a_new_password_ends_the_other_sessions_but_not_this_one(app: Flask, login: Login) -> None:
    here = login("li")
    elsewhere = Browser(app.test_client())
    try_page(elsewhere, PASSWORD)
    assert elsewhere.get("/me/").status_code == 200
    fields = {"old": PASSWORD, "new": "another-horse-8", "again": "another-horse-8"}
    assert here.post("/me/password", fields).status_code == 302
    assert here.get("/me/").status_code == 200
    assert elsewhere.get("/me/").status_code == 302


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"old": "nope"}, "This is not your present password."),
        ({"again": "different-9"}, "The two new passwords differ."),
        ({"new": "short-1", "again": "short-1"}, "Use at least 10 characters."),
        ({"new": "abcdefghijklm", "again": "abcdefghijklm"}, "Mix letters with digits or signs."),
        ({"new": "password123", "again": "password123"}, "among the first that attackers try"),
        ({"new": PASSWORD, "again": PASSWORD}, "This is your present password"),
        ({"new": "xx-seller-11", "again": "xx-seller-11"}, "Leave the user name out of it."),
    ],
)
def test_a_weak_or_mistyped_password_is_refused_with_the_reason(
    app: Flask, login: Login, fields: dict[str, str], told: str
) -> None:
    browser = login("seller")
    good = {"old": PASSWORD, "new": "another-horse-8", "again": "another-horse-8"}
    answer = browser.post("/me/password?_l_=en", {**good, **fields})
    assert answer.status_code == 422
    assert told in answer.text


def test_signing_out_needs_the_button(app: Flask, login: Login) -> None:
    browser = login("li")
    assert browser.get("/logout/").status_code == 405
    assert browser.get("/me/").status_code == 200
    browser.post("/logout/")
    assert browser.get("/me/").status_code == 302


def test_a_session_begins_anew_at_login(app: Flask, anonymous: Browser) -> None:
    """A cookie planted before the login is worth nothing after it."""
    known()
    before = anonymous.token()
    try_page(anonymous, PASSWORD)
    assert anonymous.token() != before


def test_the_house_hashes_slowly_and_an_unknown_login_takes_as_long(monkeypatch: pytest.MonkeyPatch) -> None:
    assert HASHED_WITH == "scrypt:32768:8:1"
    monkeypatch.setattr(passwords, "METHOD", HASHED_WITH)
    stored, absent = passwords.hash_password(PASSWORD), passwords._absent()
    assert [len(part) for part in stored.split("$")] == [len(part) for part in absent.split("$")]
    assert stored.split("$")[0] == absent.split("$")[0] == HASHED_WITH
    assert passwords.matches(stored, PASSWORD)
    assert not passwords.matches(None, PASSWORD)
