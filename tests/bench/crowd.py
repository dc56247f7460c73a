"""Many people at one step: a thousand signers, many stages side by side, sixteen who press at once over HTTP."""

from __future__ import annotations

import http.client
import json
import os
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from engine import db, repository, runtime, work_items
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.models import Instance, InstanceLog, WorkItem
from engine.runtime.cache import LIVE
from tests import servers
from tests.bench.house import STARTER
from tests.engine.workflow.drawing import Drawing
from webapp import serve

SIGNERS = 1_000
STAGES = 14
CROWD = 16
WEB_PROCESSES = 4
PASSWORD = "bench-Crowd-2026"


def draw_approval(d: Drawing, id: str, rule: str, **policies: str) -> None:
    texts = "".join(f'<camunda:property name="approval.{name}" value="{text}"/>' for name, text in policies.items())
    inner = f"<extensionElements><camunda:properties>{texts}</camunda:properties></extensionElements>"
    d.user(id, inner, camunda_candidateUsers=rule)


def _deploy(d: Drawing) -> str:
    with transaction() as session:
        key: str = repository.deploy(session, SYSTEM, {"main.bpmn": d.xml()}).key
    Sessions.remove()
    return key


def thousand() -> tuple[float, float, float]:
    """(ms to open, median and p95 ms of one approval) of a countersign of a thousand; the last one ends it."""
    d = Drawing("bench_thousand")
    d.start()
    draw_approval(d, "sign", ",".join(f"bench({person})" for person in range(1000, 1000 + SIGNERS)), sign="all")
    d.end()
    d.chain("start", "sign", "end")
    key = _deploy(d)
    LIVE.resize(1000)
    began = time.perf_counter()
    started = runtime.perform(lambda session: runtime.start(session, STARTER, key))
    opened = (time.perf_counter() - began) * 1000
    with transaction() as session:
        wanted = select(WorkItem.id, WorkItem.assignee_id).where(WorkItem.instance_id == started.instance_id)
        items = session.execute(wanted).all()
    Sessions.remove()
    assert len(items) == SIGNERS
    times = []
    for item, person in items[:60] + items[-60:]:
        actor = Actor(person_id=person, name=f"签字人{person}")
        began = time.perf_counter()
        runtime.perform(lambda session, a=actor, i=item: work_items.act(session, a, i, "approve", version=1))
        times.append((time.perf_counter() - began) * 1000)
        Sessions.remove()
    return opened, statistics.median(times), statistics.quantiles(times, n=20)[-1]


def stages() -> float:
    """ms to start a process of fourteen parallel stages, one behind the other."""
    d = Drawing("bench_stages")
    d.start()
    behind = "start"
    for number in range(STAGES):
        d.add("parallelGateway", f"split{number}")
        d.add("parallelGateway", f"join{number}")
        d.flow(behind, f"split{number}")
        for side in ("a", "b"):
            draw_approval(d, f"sign{number}{side}", f"bench({2 + number})", sign="or")
            d.chain(f"split{number}", f"sign{number}{side}", f"join{number}")
        behind = f"join{number}"
    d.end()
    d.flow(behind, "end")
    key = _deploy(d)
    times = []
    for _round in range(20):
        began = time.perf_counter()
        runtime.perform(lambda session: runtime.start(session, STARTER, key))
        times.append((time.perf_counter() - began) * 1000)
        Sessions.remove()
    return statistics.median(times)


# ------------------------------------------------------------------------------------------------- over HTTP


@contextmanager
def _houses(url: str) -> Iterator[list[int]]:
    """Ports of several web processes on one database."""
    with tempfile.TemporaryDirectory(prefix="yunliu-crowd-") as folder:
        environment = {
            **os.environ,
            "DATABASE_URL": url,
            "DATA_DIR": folder,
            "SECRET_KEY": "k" * 40,
            "API_RATE_LIMIT": "100000 per minute",
            "LOGIN_RATE_LIMIT": "1000 per minute",
        }
        ours = [sys.executable, "-m", "webapp.cli"]
        subprocess.run([*ours, "migrate"], env=environment, check=True, capture_output=True)
        subprocess.run([sys.executable, "-m", "tests.bench.crowd_people"], env=environment, check=True)
        ports = [servers.free_port() for _each in range(WEB_PROCESSES)]
        log = (Path(folder) / "web.log").open("wb")
        running = [
            subprocess.Popen([*ours, "web", "--port", str(port)], env=environment, stdout=log, stderr=log)
            for port in ports
        ]
        try:
            assert all(serve.wait_until_ready("127.0.0.1", port, 120) for port in ports)
            yield ports
        finally:
            for process in running:
                process.terminate()
            for process in running:
                process.wait(20)
            log.close()


def _call(port: int, method: str, path: str, body: Any = None, token: str = "") -> tuple[int, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    headers = {"Content-Type": "application/json", "Accept-Language": "en"}
    if token:
        headers["Authorization"] = f"Bearer {token}"
    connection.request(method, path, json.dumps(body) if body is not None else None, headers)
    answer = connection.getresponse()
    raw = answer.read()
    connection.close()
    return answer.status, json.loads(raw) if raw else None


def together(url: str, rounds: int) -> dict[str, Any]:
    """Sixteen signers press at once, each at another of four web processes: what they were told, and what is true."""
    told: dict[int, int] = {}
    words: set[str] = set()
    waits: list[float] = []
    whole = 0
    with _houses(url) as ports:
        login = {"password": PASSWORD, "provider": "db", "refresh": False}
        tokens = [
            _call(ports[n % WEB_PROCESSES], "POST", "/api/v1/security/login", {**login, "username": f"crowd{n}"})[1][
                "access_token"
            ]
            for n in range(CROWD + 1)
        ]
        for _round in range(rounds):
            status, begun = _call(ports[0], "POST", "/api/v1/process-definitions/bench_crowd/start", {}, tokens[CROWD])
            assert status == 201, begun
            items = [
                _call(ports[0], "GET", "/api/v1/work-items", None, token)[1]["items"][0] for token in tokens[:CROWD]
            ]
            gate = threading.Barrier(CROWD)

            def press(n: int, items: list[Any] = items, gate: threading.Barrier = gate) -> None:
                path = f"/api/v1/work-items/{items[n]['item_id']}/actions/approve"
                gate.wait()
                began = time.perf_counter()
                status, answer = _call(ports[n % WEB_PROCESSES], "POST", path, {"version": 1}, tokens[n])
                waits.append((time.perf_counter() - began) * 1000)
                told[status] = told.get(status, 0) + 1
                if status != 200:
                    words.add(str(answer))

            threads = [threading.Thread(target=press, args=(n,)) for n in range(CROWD)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            whole += _is_whole(url, begun["id"])
    return {
        "told": told,
        "words": sorted(words)[:3],
        "whole": whole,
        "median": statistics.median(waits),
        "slowest": max(waits),
    }


def _is_whole(url: str, instance_id: int) -> bool:
    """Ended once, by sixteen approvals, each in the log once, and nothing is left lying."""
    db.bind(url)
    with transaction() as session:
        approved = session.scalar(
            select(func.count()).where(WorkItem.instance_id == instance_id, WorkItem.outcome == "approve")
        )
        lines = session.scalar(
            select(func.count()).where(InstanceLog.instance_id == instance_id, InstanceLog.action == "approve")
        )
        state = session.get_one(Instance, instance_id).state
    Sessions.remove()
    return (approved, lines, state) == (CROWD, CROWD, "completed")
