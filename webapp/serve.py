"""One command for a whole house: web, worker and beat as child processes. A killed child comes back."""

from __future__ import annotations

import http.client
import logging
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from webapp import lifeline

logger = logging.getLogger(__name__)

LOOK_SECONDS = 0.2
STOP_SECONDS = 15.0
STABLE_SECONDS = 30.0
"""A child that lived this long had no trouble starting: its next restart does not wait."""
LONGEST_PAUSE_SECONDS = 30.0
READY_SECONDS = 60.0
BEHIND_SECONDS = 20.0
"""So long the others wait at most for the pages to answer."""


class PortTaken(Exception):
    """Somebody else listens there."""


@dataclass
class Child:
    """A process to keep running; it leads a process group of its own, so that its helpers go with it."""

    name: str
    command: list[str]
    process: subprocess.Popen[bytes] | None = None
    started_at: float = 0.0
    quick_ends: int = 0
    restart_at: float = field(default=0.0)
    delay: float = 0.0
    """seconds it waits at most for the pages: on a small machine they answer first"""

    def start(self, environment: Mapping[str, str], pipe: int) -> None:
        self.process = subprocess.Popen(
            self.command,
            env={**environment, lifeline.VARIABLE: str(pipe)},
            pass_fds=(pipe,),
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
        self.started_at = time.monotonic()

    def ended(self) -> bool:
        """True once after each end; helpers that outlived it are killed, and the next start is planned."""
        if self.process is None or self.process.poll() is None:
            return False
        _signal_group(self.process.pid, signal.SIGKILL)
        stable = time.monotonic() - self.started_at > STABLE_SECONDS
        self.quick_ends = 0 if stable else self.quick_ends + 1
        pause = min(LONGEST_PAUSE_SECONDS, 2.0 ** (self.quick_ends - 2)) if self.quick_ends > 1 else 0.0
        self.restart_at = time.monotonic() + pause
        logger.warning("serve.child_ended", extra={"child": self.name, "code": self.process.returncode, "pause": pause})
        self.process = None
        return True

    def stop(self, deadline: float) -> None:
        if self.process is None:
            return
        try:
            self.process.wait(max(0.1, deadline - time.monotonic()))
        except subprocess.TimeoutExpired:
            logger.warning("serve.child_killed", extra={"child": self.name})
        _signal_group(self.process.pid, signal.SIGKILL)
        self.process.wait()


def _signal_group(leader: int, number: signal.Signals) -> None:
    try:
        os.killpg(leader, number)
    except (ProcessLookupError, PermissionError):
        return  # all gone; macOS says "not permitted" of a group of zombies


class Supervisor:
    """Keeps the children running until SIGINT or SIGTERM; when it dies itself, the lifeline ends them."""

    def __init__(self, children: list[Child], environment: Mapping[str, str] | None = None) -> None:
        self.children = children
        self._environment = dict(os.environ if environment is None else environment)
        self._stop = threading.Event()

    def run(self, *, when_started: threading.Thread | None = None) -> None:
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._on_signal)
        theirs, ours = os.pipe()
        try:
            for child in self.children:
                if child.delay:
                    child.restart_at = time.monotonic() + child.delay
                else:
                    child.start(self._environment, theirs)
            if when_started is not None:
                when_started.start()
            while not self._stop.wait(LOOK_SECONDS):
                self._look(theirs)
        finally:
            self._stop_all()
            os.close(theirs)
            os.close(ours)

    def let_others_begin(self) -> None:
        """The pages answer: whoever waited for them starts with the next look."""
        for child in self.children:
            if not child.started_at:
                child.restart_at = 0.0

    def _look(self, pipe: int) -> None:
        for child in self.children:
            child.ended()
            if child.process is None and time.monotonic() >= child.restart_at:
                child.start(self._environment, pipe)

    def _on_signal(self, _number: int, _frame: object) -> None:
        self._stop.set()

    def _stop_all(self) -> None:
        for child in self.children:
            if child.process is not None and child.process.poll() is None:
                child.process.terminate()
        deadline = time.monotonic() + STOP_SECONDS
        for child in self.children:
            child.stop(deadline)


def house(host: str, port: int, *, listeners: Sequence[str]) -> list[Child]:
    """The processes of the embedded default, as the commands that start each alone; a listener for each open link."""
    ours = [sys.executable, "-m", "webapp.cli"]
    children = [
        Child("web", [*ours, "web", "--host", host, "--port", str(port)]),
        Child("worker", [*ours, "worker"], delay=BEHIND_SECONDS),
        Child("beat", [*ours, "beat"], delay=BEHIND_SECONDS),
    ]
    return [
        *children,
        *(Child(f"listener {name}", [*ours, "listener", name], delay=BEHIND_SECONDS) for name in listeners),
    ]


def check_port(host: str, port: int) -> None:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTaken(f"port {port} on {host}: {error.strerror}") from error


def wait_until_ready(host: str, port: int, seconds: float = READY_SECONDS) -> bool:
    """Whether the pages answered in time."""
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        connection = http.client.HTTPConnection(host, port, timeout=10)
        try:
            connection.request("GET", "/readyz")
            if connection.getresponse().status < http.HTTPStatus.INTERNAL_SERVER_ERROR:
                return True
        except (OSError, http.client.HTTPException):
            pass
        finally:
            connection.close()
        time.sleep(LOOK_SECONDS)
    return False
