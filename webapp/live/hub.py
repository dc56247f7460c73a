"""Hands new hints to the streams that are open in this process."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
from collections import OrderedDict
from collections.abc import Iterable
from typing import Any

import redis.asyncio
from redis.exceptions import RedisError

from engine.actor import Actor
from engine.live import CHANNEL, holders_of
from webapp.live import reader
from webapp.live.ending import when_told_to_end
from webapp.live.reader import Hint, Reader

logger = logging.getLogger(__name__)

LOOK_SECONDS = 1.0
"""Between two looks at the table when nobody rings."""
REST_SECONDS = 0.05
"""Between two looks however much it rings."""
RECOVER_SECONDS = 2.0

INBOX = "inbox"
"""The kind whose hints carry the person's counts instead of what was written with them."""
RESYNC = "resync"
"""Told to a browser that was too slow to be told everything: load what you show again."""

MOST_PENDING = 100


class Stream:
    """One open browser, and what it was not sent yet: each kind with the same data once, under its newest number."""

    def __init__(self, actor: Actor) -> None:
        self.actor = actor
        self.principals = frozenset(actor.principals) | {holders_of(right) for right in actor.permissions}
        self.wake = asyncio.Event()
        self.closed = False
        self._pending: OrderedDict[str, tuple[int, str, str]] = OrderedDict()

    def put(self, number: int, kind: str, data: dict[str, Any]) -> None:
        text = json.dumps(data, ensure_ascii=False, separators=(",", ":"))
        key = kind if kind == INBOX else f"{kind} {text}"
        self._pending.pop(key, None)
        if len(self._pending) >= MOST_PENDING:
            self._pending.clear()
            self._pending[RESYNC] = (number, RESYNC, "{}")
        self._pending[key] = (number, kind, text)
        self.wake.set()

    def take(self) -> bytes:
        """Everything pending as one piece of the stream."""
        self.wake.clear()
        frames = "".join(
            f"id: {number}\nevent: {kind}\ndata: {text}\n\n" for number, kind, text in self._pending.values()
        )
        self._pending.clear()
        return frames.encode()

    def close(self) -> None:
        self.closed = True
        self.wake.set()


class Hub:
    """Looks at the table once a second while anybody listens, and at once when Redis rings."""

    def __init__(self, redis_url: str = "") -> None:
        self._redis_url = redis_url
        self._streams: set[Stream] = set()
        self._reader = Reader()
        self._reading = asyncio.Lock()
        self._bell = asyncio.Event()
        self._stopped = False

    def of_person(self, person_id: int) -> int:
        return sum(stream.actor.person_id == person_id for stream in self._streams)

    async def open(self, actor: Actor, after: int | None) -> Stream:
        """A new stream; it begins with the counts, and with what was missed since number `after`."""
        stream = Stream(actor)
        if self._stopped:
            stream.close()
            return stream
        self._streams.add(stream)
        try:
            async with self._reading:  # before the counts: what changes after them must be told
                if not self._reader.begun:
                    await asyncio.to_thread(self._reader.begin)
            await self._greet(stream, after)
        except BaseException:
            self.leave(stream)
            raise
        return stream

    async def _greet(self, stream: Stream, after: int | None) -> None:
        if after is not None:
            for hint in await asyncio.to_thread(reader.missed, stream.principals, after):
                if hint.kind != INBOX:
                    stream.put(hint.id, hint.kind, hint.data)
        found = await asyncio.to_thread(reader.counts, [stream.actor])
        stream.put(max(self._reader.last, after or 0), INBOX, found[stream.actor.person_id])

    def leave(self, stream: Stream) -> None:
        self._streams.discard(stream)

    # --------------------------------------------------------------------------------------------- running

    async def run(self) -> None:
        """As long as the process; at its end every stream is closed."""
        listener = asyncio.create_task(self._listen()) if self._redis_url else None
        try:
            with when_told_to_end(self.close):
                while True:
                    await self._look_or_recover()
        finally:
            self.close()
            if listener is not None:
                listener.cancel()
                with contextlib.suppress(asyncio.CancelledError):
                    await listener

    def close(self) -> None:
        """End every stream, and take no new one: browsers come back to the next process."""
        self._stopped = True
        for stream in self._streams:
            stream.close()

    async def _look_or_recover(self) -> None:
        try:
            await self._look()
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._bell.wait(), LOOK_SECONDS)
            self._bell.clear()
            await asyncio.sleep(REST_SECONDS)
        except Exception:
            logger.exception("live.look_failed")
            await asyncio.sleep(RECOVER_SECONDS)

    async def _look(self) -> None:
        async with self._reading:
            if not self._streams:
                self._reader.forget()
                return
            if not self._reader.begun:
                await asyncio.to_thread(self._reader.begin)
            hints = await asyncio.to_thread(self._reader.new)
        await self._deliver(hints)

    async def _deliver(self, hints: Iterable[Hint]) -> None:
        by_principal: dict[int, list[Hint]] = {}
        for hint in hints:
            by_principal.setdefault(hint.principal, []).append(hint)
        if not by_principal:
            return
        counted: dict[Stream, int] = {}
        for stream in self._streams:
            for principal in stream.principals & by_principal.keys():
                for hint in by_principal[principal]:
                    if hint.kind == INBOX:
                        counted[stream] = max(counted.get(stream, 0), hint.id)
                    else:
                        stream.put(hint.id, hint.kind, hint.data)
        if counted:
            actors = {stream.actor.person_id: stream.actor for stream in counted}
            found = await asyncio.to_thread(reader.counts, actors.values())
            for stream, number in counted.items():
                stream.put(number, INBOX, found[stream.actor.person_id])

    async def _listen(self) -> None:
        """Wait for the bell in Redis; while Redis is away the look every second goes on."""
        while True:
            try:
                # A blocking read has no timeout of its own; health checks notice a dead connection.
                client = redis.asyncio.Redis.from_url(self._redis_url, socket_timeout=None, health_check_interval=15)
                async with client, client.pubsub() as subscription:
                    await subscription.subscribe(CHANNEL)
                    async for _message in subscription.listen():
                        self._bell.set()
            except (RedisError, OSError) as error:
                logger.warning("live.redis_away", extra={"error": str(error)})
                await asyncio.sleep(RECOVER_SECONDS)
