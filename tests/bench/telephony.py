"""The telephone: raw events of an exchange folded and kept, and how soon an agent's open page hears of a call."""

from __future__ import annotations

import contextlib
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from queue import Empty

from flask_appbuilder.security.sqla.models import User
from flask_jwt_extended import create_access_token
from sqlalchemy import select

from connectors.telephony.ami.codec import Message
from connectors.telephony.ami.folding import CallFolding
from connectors.telephony.events import CallEvent
from engine import clock, live
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from processes.organization import operations as organization
from processes.telephony import operations
from tests import servers
from tests.bench.lists import Timing
from tests.connectors import call_traces as traces
from tests.webapp.live.serving import Listener, serve
from webapp import demo, house
from webapp.listeners import telephony as listener
from webapp.settings import load_settings

AGENT, EXTENSION = "wang.lei", "8001"


def throughput(calls: int) -> tuple[float, float]:
    """Raw events a second that are folded and kept, with durable commits in batches; and folded alone."""
    with transaction() as session:
        for number in ("1001", "1002"):
            person = organization.create_employee(session, SYSTEM, values={"number": f"T{number}", "name": number})
            operations.create_agent(session, SYSTEM, values={"person": person, "extension": number})
    Sessions.remove()
    heard = [
        Message(tuple(event.items()))
        for number in range(calls)
        for event in traces.queue_answered(f"bench-{time.monotonic_ns()}.{number}").events
    ]
    began = time.perf_counter()
    told = list(_told(heard))
    folded = time.perf_counter()
    for at in range(0, len(told), listener.BATCH):
        listener._keep(told[at : at + listener.BATCH])
    kept = time.perf_counter()
    return len(heard) / (kept - began), len(heard) / (folded - began)


def _told(heard: list[Message]) -> Iterator[CallEvent]:
    folding = CallFolding()
    for message in heard:
        yield from folding.take(message)
    yield from folding.settle(at_once=True)


def to_browser(rounds: int, *, with_redis: bool) -> Timing:
    """From the exchange's event in the listener's hands to the open stream of the agent's browser, in milliseconds."""
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yunliu-bench-phone-")))
        redis_url = stack.enter_context(servers.redis_server()) if with_redis else ""
        settings = load_settings({"DATA_DIR": str(folder), "DEMO": "1", "REDIS_URL": redis_url})
        app = house.bring_up_to_date(settings)
        with transaction() as session:
            demo.load(session)
            user = session.scalars(select(User.id).where(User.username == AGENT)).one()
        Sessions.remove()
        with app.app_context():
            token = create_access_token(str(user))
        Sessions.remove()  # making a token asks the database
        if redis_url:
            live.connect(redis_url)
        served = stack.enter_context(serve(settings, settings.database_url, redis_url))
        browser = Listener(served.port, {"Authorization": f"Bearer {token}"})
        stack.callback(browser.close)
        browser.next("inbox")
        return _timed(browser, rounds)


def _timed(browser: Listener, rounds: int) -> Timing:
    taken = []
    for number in range(rounds):
        event = CallEvent(f"browser-{number}", clock.now(), "started", "in", "13800138000")
        listener._keep([event])
        with contextlib.suppress(Empty):
            while True:
                browser.events.get_nowait()
        time.sleep(0.037 * (number % 7))  # not in step with the looks
        before = time.perf_counter()
        listener._keep([replace(event, kind="ringing", agent=EXTENSION)])
        browser.next("call", 10.0)
        taken.append((time.perf_counter() - before) * 1000)
    return Timing(statistics.median(taken), statistics.quantiles(taken, n=20)[-1])
