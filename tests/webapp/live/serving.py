"""The web process as it runs in a house, on a free port, and a browser that listens to it."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, Queue
from typing import Any

from tests.servers import free_port
from webapp.settings import Settings

READY_SECONDS = 40


@dataclass
class Served:
    port: int
    process: subprocess.Popen[bytes]

    def stop(self) -> float:
        """Ask it to end; how long it took."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        self.process.wait(20)
        return time.monotonic() - began


@contextmanager
def serve(settings: Settings, database_url: str, redis_url: str = "") -> Iterator[Served]:
    environment = {
        **os.environ,
        "DATA_DIR": str(settings.data_dir),
        "DATABASE_URL": database_url,
        "REDIS_URL": redis_url,
        "DEMO": "1",
    }
    port = free_port()
    command = [sys.executable, "-m", "webapp.cli", "web", "--host", "127.0.0.1", "--port", str(port)]
    process = subprocess.Popen(command, env=environment, start_new_session=True)
    try:
        _wait_until_ready(port)
        yield Served(port, process)
    finally:
        if process.poll() is None:
            process.terminate()
            try:
                process.wait(10)
            except subprocess.TimeoutExpired:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()


def _wait_until_ready(port: int) -> None:
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
        try:
            connection.request("GET", "/healthz")
            if connection.getresponse().status == 200:
                return
        except OSError:
            time.sleep(0.1)
        finally:
            connection.close()
    raise TimeoutError("the web process did not become ready")


@dataclass
class Event:
    id: int
    kind: str
    data: Any


class Listener:
    """An EventSource: reads events in a thread until it is closed."""

    def __init__(self, port: int, headers: dict[str, str]) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=30)
        self._connection.request("GET", "/api/v1/live", headers=headers)
        assert self._connection.sock is not None
        self._socket = self._connection.sock
        self._response = self._connection.getresponse()
        self.status = self._response.status
        self.headers = self._response.headers
        self.events: Queue[Event] = Queue()
        self.ended = threading.Event()
        if self.status == 200:
            threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        fields: dict[str, str] = {}
        try:
            for raw in self._response:
                line = raw.decode().rstrip("\r\n")
                if line:
                    name, _colon, value = line.partition(":")
                    fields[name] = value.strip()
                else:
                    if "event" in fields:
                        self.events.put(Event(int(fields["id"]), fields["event"], json.loads(fields["data"])))
                    fields = {}
        except (OSError, ValueError, http.client.HTTPException, AttributeError):
            pass  # closed by the test, or cut by the server
        self.ended.set()

    def next(self, kind: str, seconds: float = 5.0) -> Event:
        """The next event of this kind; others are passed over."""
        deadline = time.monotonic() + seconds
        while (left := deadline - time.monotonic()) > 0:
            try:
                event = self.events.get(timeout=left)
            except Empty:
                break
            if event.kind == kind:
                return event
        raise TimeoutError(f"no {kind} within {seconds} s")

    def is_silent(self, seconds: float) -> bool:
        try:
            self.events.get(timeout=seconds)
        except Empty:
            return True
        return False

    def close(self) -> None:
        if not self.ended.is_set() and self.status == 200:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)
            self.ended.wait(5)
        self._response.close()
        self._connection.close()
