"""The whole house in its own processes: it opens on an empty folder, works, survives a killed worker, and closes."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from sqlalchemy import Engine, insert, select

from engine import clock, db
from engine.models import OutboxMessage
from tests import servers
from webapp import migrations
from webapp.house import environment_of_children
from webapp.settings import load_settings

READY_SECONDS = 60
SECOND_START_SECONDS = 10
DELIVERY_SECONDS = 20


def eventually(holds: Callable[[], bool], seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.1)
    return False


@dataclass
class House:
    folder: Path
    port: int = field(default_factory=servers.free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(encoding="utf-8")

    def open(self) -> None:
        command = [sys.executable, "-m", "webapp.cli", "serve", "--demo", "--port", str(self.port)]
        with (self.folder / "log").open("wb") as log:
            environment = os.environ | {"DATA_DIR": str(self.folder / "data")}
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)
        assert eventually(lambda: "ready at" in self.log, READY_SECONDS), self.log

    def seconds_to_ready(self) -> float:
        found = re.search(r"after ([\d.]+) s", self.log)
        assert found, self.log
        return float(found[1])

    def close(self) -> int:
        assert self.process is not None
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(30)

    def get(self, path: str) -> int:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=20)
        try:
            connection.request("GET", path)
            return connection.getresponse().status
        finally:
            connection.close()

    def children(self) -> dict[str, int]:
        """Command -> process id of the supervised processes."""
        assert self.process is not None
        found = {}
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                parent = int(stat.read_text().rpartition(")")[2].split()[1])
                words = (stat.parent / "cmdline").read_text().split("\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if parent == self.process.pid and "webapp.cli" in words:
                found[words[words.index("webapp.cli") + 1]] = int(stat.parent.name)
        return found

    def database(self) -> Engine:
        return db.make_engine(f"sqlite:///{self.folder / 'data' / 'yunliu.db'}")


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    if made.process is not None and made.process.poll() is None:
        made.process.kill()
        made.process.wait()


def queue_sms(engine: Engine, key: str) -> None:
    row = {
        "channel": "sms", "key": key, "payload": {"to": "+8613900000001", "text": "您的申请已通过"}, "state": "queued",
        "attempts": 0, "available_at": clock.now(), "fence": 0, "result": {}, "last_error": "",
        "created_at": clock.now(), "created_by": 0,
    }  # fmt: skip
    with engine.begin() as connection:
        connection.execute(insert(OutboxMessage), [row])


def state_of(engine: Engine, key: str) -> str | None:
    with engine.connect() as connection:
        return connection.scalar(select(OutboxMessage.state).where(OutboxMessage.key == key))


@pytest.mark.slow
@pytest.mark.timeout(240)
def test_a_house_opens_works_survives_and_closes(house: House) -> None:
    house.open()
    assert "administrator: admin   password: " in house.log
    assert "wang.lei" in house.log
    assert house.get("/login/") == 200
    engine = house.database()

    queue_sms(engine, "before")
    assert eventually(lambda: state_of(engine, "before") in {"sent", "delivered"}, DELIVERY_SECONDS), house.log

    killed = house.children()["worker"]
    os.kill(killed, signal.SIGKILL)
    queue_sms(engine, "while away")
    assert eventually(lambda: state_of(engine, "while away") in {"sent", "delivered"}, DELIVERY_SECONDS), house.log
    assert house.children()["worker"] != killed

    engine.dispose()
    left = list(house.children().values())
    assert len(left) == 4  # web, worker, beat, and the listener of the simulated exchange
    assert house.close() == 0
    assert not any(Path(f"/proc/{pid}").exists() for pid in left)

    house.open()
    assert "password: " not in house.log.split("demo people")[0]
    assert house.seconds_to_ready() <= SECOND_START_SECONDS
    assert house.close() == 0


@pytest.fixture(params=["folder", "redis"])
def broker_url(request: pytest.FixtureRequest) -> str:
    if request.param == "folder":
        return ""
    url: str = request.getfixturevalue("redis_url")
    return url


@pytest.mark.slow
@pytest.mark.parametrize("empty_kind", ["postgresql"])
def test_worker_and_beat_work_over_each_broker(empty: Engine, broker_url: str, tmp_path: Path) -> None:
    migrations.upgrade(empty)
    environment = os.environ | {
        "DATA_DIR": str(tmp_path),
        "DATABASE_URL": empty.url.render_as_string(hide_password=False),
        "BROKER_URL": broker_url,
    }
    log = (tmp_path / "log").open("wb")
    processes = [
        subprocess.Popen([sys.executable, "-m", "webapp.cli", role], env=environment, stdout=log, stderr=log)
        for role in ("worker", "beat")
    ]
    try:
        queue_sms(empty, "over the broker")
        delivered = eventually(lambda: state_of(empty, "over the broker") in {"sent", "delivered"}, DELIVERY_SECONDS)
        assert delivered, (tmp_path / "log").read_text()
    finally:
        for process in processes:
            process.terminate()
        codes = [process.wait(30) for process in processes]
        log.close()
    assert codes == [0, 0]


def test_addresses_lead_to_the_port_that_was_chosen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    settings = load_settings({"DATA_DIR": str(tmp_path)})
    monkeypatch.delenv("BASE_URL", raising=False)
    assert environment_of_children(settings, 8123, simulated=True)["BASE_URL"] == "http://localhost:8123"
    monkeypatch.setenv("BASE_URL", "https://yunliu.example.com")
    assert environment_of_children(settings, 8123, simulated=True)["BASE_URL"] == "https://yunliu.example.com"
    monkeypatch.delenv("BASE_URL")
    monkeypatch.setenv("BASE_URL_FILE", str(tmp_path / "address"))
    assert "BASE_URL" not in environment_of_children(settings, 8123, simulated=True)
