"""The web process: what needs no thread is answered by asyncio, every page by Flask in a pool of threads."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, MutableMapping, Sequence
from typing import Any

from a2wsgi import WSGIMiddleware
from flask import Flask

from webapp import broker, garbage, live, logs
from webapp.app import create_app
from webapp.settings import Settings, load_settings

Scope = MutableMapping[str, Any]
Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
Application = Callable[[Scope, Receive, Send], Awaitable[None]]
Background = Callable[[], Awaitable[None]]
"""Runs as long as the process, e.g. the reader that hands pushed events to the open streams."""


class Front:
    """One port: `routes` (exact paths) are answered here without holding a thread, all else goes to the pages."""

    def __init__(
        self,
        pages: Application,
        routes: Mapping[str, Application] | None = None,
        background: Sequence[Background] = (),
    ) -> None:
        self._pages = pages
        self._routes = {"/healthz": alive, **(routes or {})}
        self._background = background

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        elif scope["type"] == "http":
            await self._routes.get(scope["path"], self._pages)(scope, receive, send)

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        running = [asyncio.ensure_future(work()) for work in self._background]
        await send({"type": "lifespan.startup.complete"})
        await receive()
        for task in running:
            task.cancel()
        for task in running:
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await send({"type": "lifespan.shutdown.complete"})


async def alive(_scope: Scope, _receive: Receive, send: Send) -> None:
    """The process accepts connections; whether it can do its work is /readyz."""
    headers = [(b"content-type", b"text/plain; charset=utf-8"), (b"cache-control", b"no-store")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"ok\n"})


def threaded(flask: Flask, threads: int) -> Application:
    """Flask behind ASGI. a2wsgi wants coroutines where granian hands out other awaitables, hence the two wrappers."""
    wsgi = WSGIMiddleware(flask.wsgi_app, workers=threads)  # type: ignore[arg-type]

    async def pages(scope: Scope, receive: Receive, send: Send) -> None:
        async def receive_one() -> Message:
            return await receive()

        async def send_one(message: Message) -> None:
            await send(message)

        await wsgi(scope, receive_one, send_one)  # type: ignore[arg-type]

    return pages


def create(settings: Settings) -> Front:
    flask = create_app(settings)
    broker.connect(settings)
    hub = live.Hub(settings.redis_url)
    return Front(threaded(flask, settings.web_threads), {live.PATH: live.Streams(flask, hub)}, [hub.run])


def make() -> Front:
    """What the server calls in each of its processes."""
    logs.configure()
    front = create(load_settings())
    garbage.settle()
    return front
