"""Gives birth to listeners that can be killed at once: everything is imported before, each is a fork.

As a process: a line on stdin starts a listener and is answered by its pid; the next line reaps the one that was killed.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Self

from tests.databases import Database


class Nursery:
    """Of listeners that hold the modem of this setting."""

    def __init__(self, database: Database, folder: Path, **settings: str) -> None:
        environment = {**os.environ, "DATABASE_URL": database.url, "DATA_DIR": str(folder), "SECRET_KEY": "k" * 40}
        environment |= {key.upper(): value for key, value in settings.items()}
        self._log = (folder / "listeners.log").open("ab")
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.webapp.wires.killing"],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._log,
            text=True,
            bufsize=1,
        )

    def __enter__(self) -> Self:
        self._ask()  # ready when it has answered once
        return self

    def __exit__(self, *_exc: object) -> None:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.close()
        self._process.wait(10)
        self._process.stdout.close()
        self._log.close()

    def start(self) -> int:
        return self._ask()

    def kill(self, pid: int) -> None:
        os.kill(pid, signal.SIGKILL)
        self._ask()

    def _ask(self) -> int:
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        self._process.stdin.write("\n")
        return int(self._process.stdout.readline())


def main() -> None:
    from webapp.listeners import run
    from webapp.settings import load_settings

    settings = load_settings()
    pid = 0
    for number, _line in enumerate(sys.stdin):
        if number and number % 2:
            pid = os.fork()
            if pid == 0:
                run(settings, "", threading.Event())
                os._exit(0)
        elif number:
            os.waitpid(pid, 0)
        sys.stdout.write(f"{pid}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
