"""Looks at one wire as people do: its line on the connectors' page in both languages, and what they are told of it."""

from __future__ import annotations

import html
import re
import threading
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from sqlalchemy import select

from engine import health, jobs
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from processes.messaging.permissions import LOOK_AFTER
from processes.notices.models import Notice
from processes.notices.subscribers import WIRE_DOWN
from processes.organization.models import Employee
from tests.conftest import TestClock
from tests.demo_house import DemoHouse
from webapp.security.organization import people_as_actors


def until(holds: Callable[[], object], seconds: float = 30) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError("it did not come about")
        time.sleep(0.02)


@contextmanager
def held(hold: Callable[[threading.Event], None]) -> Iterator[None]:
    """A listener in a thread, as its process runs it."""
    stop = threading.Event()
    thread = threading.Thread(target=hold, args=(stop,))
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join(30)
    assert not thread.is_alive()


def look(message_id: int) -> OutboxMessage:
    with transaction() as session:
        found = session.get_one(OutboxMessage, message_id, populate_existing=True)
        session.expunge(found)
    Sessions.remove()
    return found


@dataclass(frozen=True)
class Line:
    """What stands on the page: the state's word, the reason, what to do."""

    word: str
    reason: str
    remedy: str


@dataclass
class Watched:
    """A wire under the eyes of those who look after it."""

    house: DemoHouse
    clock: TestClock
    wire: str
    says: Callable[[], None] = lambda: None
    """makes the process report that holds the wire, where no listener does by itself"""

    def state(self) -> tuple[str, str]:
        self.says()
        with transaction() as session:
            seen = health.seen(session).get(self.wire)
        Sessions.remove()
        return (seen.state, seen.reason) if seen is not None else ("", "")

    def is_up(self) -> None:
        until(lambda: self.state()[0] == "up")

    def shows(self, language: str, line: Line) -> None:
        card = self.house.login("zheng.kai").get(f"/connectors/{self.wire}?_l_={language}", partial=True).text
        words = html.unescape(re.sub(r"<[^>]+>", "\n", card)).split("\n")
        assert {line.word, line.reason, line.remedy} <= set(words)

    def told(self) -> list[str]:
        """What each of those was told who may look after connectors; nobody else, and all of them alike."""
        notices: dict[int, list[str]] = defaultdict(list)
        with transaction() as session:
            entitled = [
                person
                for person, actor in people_as_actors(session, session.scalars(select(Employee.id))).items()
                if actor.may(LOOK_AFTER)
            ]
            about = select(Notice).where(Notice.kind == WIRE_DOWN, Notice.key.startswith(f"wire:{self.wire}:"))
            for notice in session.scalars(about.order_by(Notice.id)):
                assert notice.link == "/connectors"
                notices[notice.person_id].append(notice.title.in_locale("en"))
        Sessions.remove()
        assert entitled
        assert set(notices) <= set(entitled)
        (alike,) = {tuple(notices[person]) for person in entitled}
        return list(alike)

    def alarms(self, english: Line, chinese: Line) -> None:
        """It is down: the line says so at once, people hear of it once, after a minute."""
        until(lambda: self.state()[0] == "down")
        state, reason = self.state()
        self.shows("en", english)
        self.shows("zh", chinese)
        before = self.told()
        jobs.watch_wires()
        assert self.told() == before, "a restart is no alarm"
        self.clock.advance(seconds=61)
        self._says_a_second_process(state, reason)
        self._watch_twice_at_once()
        expected = [*before, f"“{self._title()}” is down: {english.reason}"]
        assert self.told() == expected
        for _more in range(3):
            self.clock.advance(minutes=2)
            self.says()
            self._says_a_second_process(state, reason)
            jobs.watch_wires()
        assert self.told() == expected, "once is enough"

    def is_back(self) -> None:
        before = self.told()
        self.is_up()
        self._watch_twice_at_once()
        assert self.told() == [*before, f"“{self._title()}” works again."]
        self.clock.advance(seconds=70)
        self.is_up()
        jobs.watch_wires()
        assert len(self.told()) == len(before) + 1

    def _title(self) -> str:
        return {"sms": "SMS", "mail": "Mail", "mailbox": "Mailbox", "telephony": "Telephone"}[self.wire]

    def _says_a_second_process(self, state: str, reason: str) -> None:
        with transaction() as session:
            health.report(session, {self.wire: lambda: (state, reason)})
        Sessions.remove()

    @staticmethod
    def _watch_twice_at_once() -> None:
        second = threading.Thread(target=jobs.watch_wires)
        second.start()
        jobs.watch_wires()
        second.join(30)
        assert not second.is_alive()
