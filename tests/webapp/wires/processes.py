"""A listener as the supervisor starts it: a process of its own, which can be killed at any moment."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.databases import Database


def start(database: Database, folder: Path, name: str, **settings: str) -> subprocess.Popen[bytes]:
    environment = {
        **os.environ,
        "DATABASE_URL": database.url,
        "DATA_DIR": str(folder),
        "SECRET_KEY": "k" * 40,
        **{key.upper(): value for key, value in settings.items()},
    }
    with (folder / f"{name}.log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-m", "webapp.cli", "listener", name], env=environment, stdout=log, stderr=log
        )


@contextmanager
def listeners(database: Database, folder: Path, *names: str, **settings: str) -> Iterator[None]:
    running = [start(database, folder, name, **settings) for name in names]
    try:
        yield
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait(30)
