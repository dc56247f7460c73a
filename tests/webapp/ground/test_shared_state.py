"""FAB keeps a request's search on the view object that all threads share; ours keep nothing there."""

from __future__ import annotations

import re
import sys
import threading
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from engine.db import Sessions
from tests.webapp.ground import house
from tests.webapp.ground.conftest import Browser, Login


@pytest.fixture
def quick_switching() -> Iterator[None]:
    """Threads change places every half millisecond, so that a race shows."""
    before = sys.getswitchinterval()
    sys.setswitchinterval(0.0005)
    yield
    sys.setswitchinterval(before)


def in_parallel(*jobs: Any) -> None:
    def run(job: Any) -> None:
        try:
            job()
        finally:
            Sessions.remove()

    threads = [threading.Thread(target=run, args=(job,)) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def test_notes_added_under_two_deals_at_once_land_where_they_belong(
    app: Flask, login: Login, quick_switching: None
) -> None:
    """The repro of the design: two people add under two parents; with FAB's filters some land on the other's."""

    def adder(browser: Browser, deal: int) -> Any:
        def add() -> None:
            for number in range(25):
                form = browser.get(f"/made_up/note/add?deal={deal}").text
                chosen = re.search(r'<option value="(\d+)" selected>', form)
                assert chosen
                browser.client.post(
                    "/made_up/note/add",
                    data={"csrf_token": token(form), "text": f"for-{deal}-{number}", "deal": chosen.group(1)},
                )

        return add

    in_parallel(adder(login("one", ("Admin",)), 1), adder(login("two", ("Admin",)), 3))
    Sessions.remove()
    notes = Sessions().query(house.Note).filter(house.Note.text.startswith("for-")).all()
    placed = Counter((note.deal_id, note.text.split("-")[1]) for note in notes)
    assert placed == {(1, "1"): 25, (3, "3"): 25}


def test_lists_asked_at_once_answer_their_own_question(app: Flask, login: Login, quick_switching: None) -> None:
    wrong: list[str] = []

    def asker(browser: Browser, question: str, mine: str, other: str) -> Any:
        def ask() -> None:
            for _number in range(25):
                page = browser.get(f"/made_up/deal/list/?{question}").text
                if f">{mine}</a>" not in page or f">{other}</a>" in page:
                    wrong.append(question)

        return ask

    in_parallel(
        asker(login("one"), "f.name.has=采购", "采购合同", "100%_续约"),
        asker(login("two"), "f.name.has=续约", "100%_续约", "采购合同"),
    )
    assert wrong == []


def test_a_request_leaves_nothing_on_a_view(app: Flask, login: Login) -> None:
    browser = login("one", ("Admin",))
    views = [view for view in app.appbuilder.baseviews if str(view.endpoint).startswith("made_up")]  # type: ignore[attr-defined]
    before = [dict(vars(view)) for view in views]
    browser.get("/made_up/deal/list/?q=x&f.won.is=true&order=-name&page=2")
    browser.get("/made_up/deal/edit/1")
    browser.post("/made_up/deal/add", {"name": "neu"})
    assert [dict(vars(view)) for view in views] == before
    for view in views:
        with pytest.raises(TypeError):
            view._filters = object()


def token(page: str) -> str:
    found = re.search(r'<meta name="csrf-token" content="([^"]+)"', page)
    assert found
    return found.group(1)
