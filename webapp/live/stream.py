"""`GET /api/v1/live`: one coroutine for each open browser, no thread held."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import time
from collections.abc import Awaitable, Callable, MutableMapping
from http import HTTPStatus
from typing import Any

from a2wsgi.wsgi import build_environ
from flask import Flask
from werkzeug.exceptions import HTTPException

from engine.actor import Actor
from engine.errors import AppError
from webapp.live.hub import Hub, Stream
from webapp.security.bearer import authenticate
from webapp.security.viewing import viewer

PATH = "/api/v1/live"

KEEP_ALIVE_SECONDS = 20.0
RECHECK_SECONDS = 60.0
"""How long somebody who was locked out, or whose rights changed, may still be told things."""
STREAMS_PER_PERSON = 20

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


class Streams:
    """The ASGI application behind PATH."""

    def __init__(self, flask: Flask, hub: Hub) -> None:
        self._flask = flask
        self._hub = hub

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] != "GET":
            return await _refuse(send, 405, "method_not_allowed", {"Allow": "GET"})
        actor = await asyncio.to_thread(self._caller, scope)
        if actor is None:
            return await _refuse(send, 401, "unauthorized", {})
        if self._hub.of_person(actor.person_id) >= STREAMS_PER_PERSON:
            return await _refuse(send, 429, "too_many_streams", {"Retry-After": "60"})
        stream = await self._hub.open(actor, _last_seen(scope))
        gone = asyncio.ensure_future(_disconnected(receive))
        try:
            await self._write(scope, stream, gone, send)
        finally:
            self._hub.leave(stream)
            gone.cancel()

    def _caller(self, scope: Scope) -> Actor | None:
        """Who asks: the same tokens, keys and sessions as everywhere; nobody when the login was closed."""
        with self._flask.request_context(build_environ(scope, io.BytesIO())):  # type: ignore[arg-type]
            try:
                actor = authenticate()
                return viewer() or actor
            except (HTTPException, AppError):
                return None

    async def _write(self, scope: Scope, stream: Stream, gone: asyncio.Future[None], send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": _HEADERS})
        await send({"type": "http.response.body", "body": b"retry: 3000\n\n", "more_body": True})
        checked_at = time.monotonic()
        while not stream.closed and not gone.done():
            woken = asyncio.ensure_future(_wait(stream.wake))
            await asyncio.wait({woken, gone}, timeout=KEEP_ALIVE_SECONDS, return_when=asyncio.FIRST_COMPLETED)
            woken.cancel()
            if gone.done() or stream.closed:
                break
            if time.monotonic() - checked_at > RECHECK_SECONDS:
                actor = await asyncio.to_thread(self._caller, scope)
                if actor is None or actor.person_id != stream.actor.person_id:
                    break
                stream.actor, checked_at = actor, time.monotonic()
            frames = stream.take() or b": still here\n\n"
            await send({"type": "http.response.body", "body": frames, "more_body": True})
        if not gone.done():
            with contextlib.suppress(OSError, RuntimeError):  # the browser may have gone this very moment
                await send({"type": "http.response.body", "body": b""})


_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    (b"x-accel-buffering", b"no"),  # nginx must not collect the pieces
    (b"x-content-type-options", b"nosniff"),
]


async def _wait(event: asyncio.Event) -> None:
    await event.wait()


async def _disconnected(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


def _last_seen(scope: Scope) -> int | None:
    """The number a browser that comes back says it saw last."""
    for name, value in scope["headers"]:
        if name == b"last-event-id" and value.isdigit() and len(value) < 19:
            return int(value)
    return None


async def _refuse(send: Send, status: int, code: str, headers: dict[str, str]) -> None:
    title = HTTPStatus(status).phrase
    problem = {"type": "about:blank", "title": title, "status": status, "detail": title, "code": code, "errors": []}
    sent = [(b"content-type", b"application/problem+json"), (b"cache-control", b"no-store")]
    sent += [(name.lower().encode(), value.encode()) for name, value in headers.items()]
    await send({"type": "http.response.start", "status": status, "headers": sent})
    await send({"type": "http.response.body", "body": json.dumps(problem).encode()})
