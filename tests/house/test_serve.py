"""The supervisor: a killed child comes back, and nothing of the house is left behind however it ends."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from webapp import serve

PATIENCE_SECONDS = 20


def eventually(holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < deadline:
        if holds():
            return True
        time.sleep(0.05)
    return False


def runs(pid: int) -> bool:
    """Not a zombie either: without an init process nobody may collect an orphan."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@dataclass
class SmallHouse:
    folder: Path
    process: subprocess.Popen[bytes]

    def pids(self, child: str) -> list[int]:
        """Of every start of this child."""
        return [int(path.suffix[1:]) for path in self.folder.glob(f"{child}.*") if path.read_text()]

    def helpers(self) -> list[int]:
        return [int(text) for path in self.folder.iterdir() if (text := path.read_text())]

    def everybody(self) -> list[int]:
        return [*self.pids("web"), *self.pids("worker"), *self.helpers()]

    def all_gone(self) -> bool:
        return not any(map(runs, self.everybody()))


@pytest.fixture
def house(tmp_path: Path) -> Iterator[SmallHouse]:
    command = [sys.executable, "-m", "tests.house.small_house", str(tmp_path)]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL)
    made = SmallHouse(tmp_path, process)
    assert eventually(lambda: bool(made.pids("web") and made.pids("worker")))
    yield made
    process.kill()
    process.wait()
    for pid in filter(runs, made.everybody()):
        os.kill(pid, signal.SIGKILL)


def test_a_killed_child_comes_back_and_its_helper_goes_with_it(house: SmallHouse) -> None:
    (killed,) = house.pids("worker")
    (helper,) = (int((house.folder / f"worker.{killed}").read_text()),)
    os.kill(killed, signal.SIGKILL)
    assert eventually(lambda: len(house.pids("worker")) == 2)
    assert eventually(lambda: not runs(helper))
    assert len(house.pids("web")) == 1


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_house_stops_with_everybody_in_it(house: SmallHouse, number: signal.Signals) -> None:
    house.process.send_signal(number)
    assert house.process.wait(PATIENCE_SECONDS) == 0
    assert eventually(house.all_gone)  # SIGKILL has been sent to the last of them, but the kernel takes its time


def test_children_notice_that_their_supervisor_was_killed(house: SmallHouse) -> None:
    house.process.kill()
    house.process.wait()
    assert eventually(house.all_gone)


def test_a_child_that_cannot_start_is_tried_again_in_growing_pauses() -> None:
    child = serve.Child("broken", [sys.executable, "-c", "raise SystemExit(1)"])
    pauses = []
    reading, writing = os.pipe()
    for _ in range(4):
        child.start(os.environ, reading)
        assert child.process is not None
        child.process.wait()
        assert child.ended()
        pauses.append(round(child.restart_at - time.monotonic()))
    os.close(reading)
    os.close(writing)
    assert pauses == [0, 1, 2, 4]


def test_a_taken_port_is_named_before_anything_starts() -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(serve.PortTaken, match=str(port)):
            serve.check_port("127.0.0.1", port)
