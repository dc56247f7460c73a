"""Reading hints: each once, also those that were committed after a later one."""

from __future__ import annotations

import asyncio

import pytest
from sqlalchemy.orm import Session

from engine import live
from engine.actor import Actor
from engine.db import Sessions, transaction
from engine.models import PushEvent
from tests.databases import Database
from webapp.live import reader
from webapp.live.hub import MOST_PENDING, RESYNC, Hub, Stream
from webapp.live.reader import Hint, Reader

LI = Actor(4, "李娜", frozenset({-7}))


def push(principal: int, kind: str, **data: object) -> None:
    with transaction() as session:
        live.push(session, [principal], kind, data)
    Sessions.remove()


def kinds(hints: list[Hint]) -> list[str]:
    return [hint.kind for hint in hints]


def test_a_hint_is_read_once_and_only_when_it_is_new(database: Database) -> None:
    push(4, "before")
    look = Reader()
    look.begin()
    assert look.new() == []
    push(4, "first")
    push(5, "second")
    assert kinds(look.new()) == ["first", "second"]
    assert look.new() == []


@pytest.mark.databases("postgresql")
def test_a_hint_committed_after_a_later_one_is_not_lost(database: Database) -> None:
    look = Reader()
    look.begin()
    with Session(database.engine) as slow:
        slow.add(PushEvent(principal=4, kind="slow", data={}, at=live.clock.now()))
        slow.flush()  # has its number
        push(4, "quick")
        assert kinds(look.new()) == ["quick"]
        slow.commit()
    assert kinds(look.new()) == ["slow"]
    assert look.new() == []


@pytest.mark.databases("postgresql")
def test_a_hint_underway_when_the_reader_begins_is_not_lost(database: Database) -> None:
    with Session(database.engine) as slow:
        slow.add(PushEvent(principal=4, kind="slow", data={}, at=live.clock.now()))
        slow.flush()
        push(4, "quick")
        look = Reader()
        look.begin()
        slow.commit()
    assert kinds(look.new()) == ["slow"]


def test_what_was_missed_is_one_persons_own(database: Database) -> None:
    push(4, "old")
    look = Reader()
    look.begin()
    push(4, "mine")
    push(5, "another's")
    push(-7, "my pool's")
    assert kinds(reader.missed(LI.principals, look.last)) == ["mine", "my pool's"]


def test_a_rolled_back_hint_is_never_told(database: Database) -> None:
    look = Reader()
    look.begin()
    session = Sessions()
    live.push(session, [4], "regretted")
    session.rollback()
    push(4, "meant")
    assert kinds(look.new()) == ["meant"]


def test_a_stream_keeps_the_newest_of_the_same_and_gives_up_on_too_much() -> None:
    stream = Stream(LI)
    stream.put(1, "inbox", {"open": 1})
    stream.put(2, "notice", {"n": 1})
    stream.put(3, "inbox", {"open": 2})
    stream.put(4, "notice", {"n": 1})
    assert stream.take() == b'id: 3\nevent: inbox\ndata: {"open":2}\n\nid: 4\nevent: notice\ndata: {"n":1}\n\n'
    assert stream.take() == b""
    for number in range(MOST_PENDING + 1):
        stream.put(number, "notice", {"n": number})
    frames = stream.take().decode()
    assert frames.count("event:") == 2
    assert f"event: {RESYNC}" in frames


def test_the_hub_tells_those_who_hold_a_right(database: Database) -> None:
    right = "telephony.team.read"

    async def scene() -> tuple[bytes, bytes]:
        hub = Hub()
        running = asyncio.create_task(hub.run())
        boss = await hub.open(Actor(11, "周明", permissions=frozenset({right})), None)
        li = await hub.open(LI, None)
        boss.take(), li.take()
        await asyncio.to_thread(push, live.holders_of(right), "board")
        await asyncio.wait_for(boss.wake.wait(), 5)
        told = boss.take(), li.take()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        return told

    to_boss, to_li = asyncio.run(scene())
    assert b"event: board" in to_boss
    assert to_li == b""


def test_the_hub_tells_members_of_a_pool_and_nobody_else(database: Database) -> None:
    async def scene() -> tuple[bytes, bytes]:
        hub = Hub()
        running = asyncio.create_task(hub.run())
        li, wang = await hub.open(LI, None), await hub.open(Actor(9, "王磊"), None)
        greeting = li.take()
        assert b"event: inbox" in greeting
        wang.take()
        await asyncio.to_thread(push, -7, "notice", text="给销售")
        await asyncio.wait_for(li.wake.wait(), 5)
        told = li.take(), wang.take()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
        assert li.closed
        assert wang.closed
        return told

    to_li, to_wang = asyncio.run(scene())
    assert "给销售" in to_li.decode()
    assert to_wang == b""
