"""Every command of docs/api.md and docs/integrators.md, run in one shell against the demo as `make demo` serves it."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.servers import free_port

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "api.md"
CONNECTORS = ROOT / "docs" / "integrators.md"
READY_SECONDS = 90

pytestmark = [pytest.mark.slow, pytest.mark.timeout(300)]


@dataclass
class Demo:
    url: str
    admin_key: str


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Demo]:
    """A house of its own with the demo company in it: web, worker and beat."""
    folder = tmp_path_factory.mktemp("house")
    output = (folder / "output.txt").open("w+")
    port = free_port()
    unset = {"DATABASE_URL", "REDIS_URL", "BROKER_URL", "SECRET_KEY"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    process = subprocess.Popen(
        [sys.executable, "-m", "webapp.cli", "serve", "--demo", "--port", str(port)],
        env={**environment, "DATA_DIR": str(folder / "data"), "PYTHONUNBUFFERED": "1"},
        cwd=ROOT,
        stdout=output,
        start_new_session=True,
    )
    try:
        url = f"http://127.0.0.1:{port}"
        yield Demo(url, _admin_key(url, _password(folder / "output.txt")))
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        output.close()


def _password(output: Path) -> str:
    """The administrator's, which is shown once, when the pages answer."""
    deadline = time.monotonic() + READY_SECONDS
    while time.monotonic() < deadline:
        if found := re.search(r"administrator: admin\s+password: (\S+)", output.read_text()):
            return found[1]
        time.sleep(0.2)
    raise TimeoutError(f"the demo did not become ready: {output.read_text()}")


def _admin_key(url: str, password: str) -> str:
    def post(path: str, body: dict[str, str], token: str = "") -> dict[str, str]:
        headers = {"Content-Type": "application/json", **({"Authorization": f"Bearer {token}"} if token else {})}
        request = urllib.request.Request(f"{url}/api/v1/{path}", json.dumps(body).encode(), headers)
        for patience in (5, 10, 20, 0):
            try:
                with urllib.request.urlopen(request, timeout=60) as answer:
                    found: dict[str, str] = json.load(answer)
                    return found
            except urllib.error.HTTPError as refused:
                # The house has just moved in and its worker sends: what a busy database asks a client to do.
                if refused.code != 503 or not patience:
                    raise
                time.sleep(patience)
        raise AssertionError("unreachable")

    token = post("security/login", {"username": "admin", "password": password, "provider": "db"})["access_token"]
    return post("api-keys", {"name": "docs"}, token)["key"]


def commands(page: Path) -> list[str]:
    """The fenced shell blocks in the order they stand, without those that say they cannot be run."""
    return re.findall(r"^```sh\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)


def run(blocks: list[str], demo: Demo, folder: Path) -> str:
    """What they print, each block behind its number."""
    if not shutil.which("curl"):
        pytest.skip("no curl: apt-get install curl")
    (folder / "docs").symlink_to(ROOT / "docs")
    script = "\n".join(f"echo '--- {number}'\n{block}" for number, block in enumerate(blocks, start=1))
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env={"PATH": os.environ["PATH"], "YUNLIU": demo.url, "KEY": demo.admin_key},
        capture_output=True,
        text=True,
        timeout=180,
        check=False,
    )
    assert done.returncode == 0, f"{done.stdout[-3000:]}\n{done.stderr[-3000:]}"
    return done.stdout


def test_the_page_is_true(demo: Demo, tmp_path: Path) -> None:
    said = run(commands(PAGE), demo, tmp_path)
    assert "周明 was faster: approve" in said
    assert said.count("running\n") == 2
    assert said.count("completed\n") == 2
    assert "event: inbox" in said
    assert "华东客户大会" in said.split("--- 8")[1], "the SMS and the mail name the request"
    assert 'yunliu_backlog{queue="outbox"}' in said


def test_the_page_of_connectors_is_true(demo: Demo, tmp_path: Path) -> None:
    said = run([commands(PAGE)[0], *commands(CONNECTORS)], demo, tmp_path)
    assert "'outcome': 'accepted'" in said
    assert "No SMS can reach +861012345678." in said
    assert "has not agreed to commercial texts" in said
    assert "cancelled\n" in said
    assert '"field":"data.lines.0.count"' in said
    assert "管理员\n[]\n" in said, "the change has an author, and none is left when it is accepted"
    assert "webhook.test\noff\n" in said
    assert said.count('{"id":"msg_1"') == 2
    assert "{'no_mobile': 1}\n张三您好，奖金 1200.50 元已到账。\nsent\n" in said
    assert "this group hears Yunliu" in said or "能收到" in said
    assert "\n3\n2\n" in said, "row 3 is faulty, then both are created"
