"""Hears that the server is about to end, which ASGI tells only when the last open stream is gone."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType


@contextmanager
def when_told_to_end(act: Callable[[], None]) -> Iterator[None]:
    """Inside, SIGTERM and SIGINT also call `act` in the running loop; the server's own handlers are called as before.

    asyncio hears of signals through its wake-up file, whatever handler Python has; uvicorn's handler is chained.
    """
    if threading.current_thread() is not threading.main_thread():
        yield  # only the main thread may set handlers; such servers are tests'
        return
    loop = asyncio.get_running_loop()
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}

    def told(number: int, frame: FrameType | None) -> None:
        loop.call_soon_threadsafe(act)
        theirs = before[signal.Signals(number)]
        if callable(theirs):
            theirs(number, frame)

    for number in before:
        signal.signal(number, told)
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
