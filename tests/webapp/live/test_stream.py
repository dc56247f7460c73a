"""Server-sent events against the real web server: who is told what, when, and how it ends."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from flask.sessions import SecureCookieSessionInterface
from flask_appbuilder.security.sqla.models import User
from sqlalchemy import select

from engine import live
from engine.db import Sessions, transaction
from tests.databases import Database
from tests.webapp.callers import EMPLOYEE, FINANCE, OTHER, SUPERIOR, House, request_of
from tests.webapp.live.serving import Listener, Served, serve
from webapp.security.manager import password_stamp
from webapp.settings import Settings

Listen = Callable[..., Listener]


@pytest.fixture
def served(app: Flask, settings: Settings, database: Database) -> Iterator[Served]:
    with serve(settings, database.url) as running:
        yield running


@pytest.fixture
def listen(people: House) -> Iterator[Listen]:
    """listen(served, "li.na", **headers): a browser of theirs, closed at the end."""
    opened: list[Listener] = []

    def open_one(served: Served, username: str = "", **headers: str) -> Listener:
        signed = {"Authorization": f"Bearer {people(username).token}"} if username else {}
        opened.append(Listener(served.port, {**signed, **headers}))
        return opened[-1]

    yield open_one
    for listener in opened:
        listener.close()


def test_the_count_moves_when_work_arrives_and_goes(served: Served, people: House, listen: Listen) -> None:
    superior = listen(served, SUPERIOR)
    other = listen(served, OTHER)
    assert superior.headers["Content-Type"] == "text/event-stream; charset=utf-8"
    assert superior.next("inbox").data == {"open": 0, "cc": 0}
    assert other.next("inbox").data["open"] == 0

    people(EMPLOYEE).post("/process-definitions/expense_request/start", request_of("80.00"))
    arrived = superior.next("inbox")
    assert arrived.data == {"open": 1, "cc": 0}
    (item,) = people(SUPERIOR).inbox()
    people(SUPERIOR).act(item, "approve")
    gone = superior.next("inbox")
    assert gone.data["open"] == 0
    assert gone.id > arrived.id
    assert other.is_silent(1.5)


@pytest.mark.databases("sqlite")
def test_pools_roads_and_returning_browsers(served: Served, app: Flask, people: House, listen: Listen) -> None:
    # a pool's hint reaches its members
    finance, other = people(FINANCE).person_id, people(OTHER).person_id
    listener = listen(served, FINANCE)
    first = listener.next("inbox")
    with app.app_context():
        user = Sessions().scalars(select(User).where(User.username == FINANCE)).one()
        with app.test_request_context():
            groups = app.appbuilder.sm.actor_of(user).groups  # type: ignore[attr-defined]
        session_cookie = SecureCookieSessionInterface().get_signing_serializer(app)
        cookie = session_cookie.dumps({"_user_id": str(user.id), "_fresh": True, "stamp": password_stamp(user)})  # type: ignore[union-attr]
        user_id = user.id
        Sessions.remove()
    with transaction() as session:
        live.push(session, [min(groups)], "notice", {"text": "给财务"})
    told = listener.next("notice")
    assert told.data == {"text": "给财务"}
    listener.close()

    # what is said while the browser is away is told when it comes back with the last number it saw
    with transaction() as session:
        live.push(session, [finance], "notice", {"text": "错过的"})
        live.push(session, [other], "notice", {"text": "别人的"})
    back = listen(served, FINANCE, **{"Last-Event-ID": str(told.id)})
    assert back.next("notice").data == {"text": "错过的"}
    back.close()
    assert told.id > first.id

    # nobody, forged credentials, a session, and a login that was closed
    assert listen(served).status == 401
    assert listen(served, Authorization="Bearer nonsense").status == 401
    assert listen(served, Cookie="yunliu=nonsense").status == 401
    with_cookie = listen(served, Cookie=f"yunliu={cookie}")
    assert with_cookie.next("inbox").data["open"] == 0
    with transaction() as session:
        session.get_one(User, user_id).active = False
    assert listen(served, Cookie=f"yunliu={cookie}").status == 401
    assert listen(served, FINANCE).status == 401


@pytest.mark.databases("sqlite")
def test_open_streams_do_not_hold_up_the_end(served: Served, listen: Listen) -> None:
    listener = listen(served, SUPERIOR)
    listener.next("inbox")
    assert served.stop() < 4
    assert listener.ended.wait(3)


@pytest.mark.databases("sqlite")
def test_with_redis_nobody_waits_for_the_next_look(
    app: Flask,
    settings: Settings,
    database: Database,
    redis_url: str,
    people: House,
    listen: Listen,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(live, "_bell", None)
    live.connect(redis_url)
    superior = people(SUPERIOR).person_id
    with serve(settings, database.url, redis_url) as served:
        listener = listen(served, SUPERIOR)
        listener.next("inbox")
        waits = []
        for number in range(8):
            time.sleep(0.13 * (number + 1) % 0.7)  # at any moment between two looks
            with transaction() as session:
                live.push(session, [superior], "notice", {"number": number})
            began = time.monotonic()
            assert listener.next("notice").data == {"number": number}
            waits.append(time.monotonic() - began)
    assert max(waits) < 0.5, waits
