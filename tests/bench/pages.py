"""A seller's pages over HTTP in a house of 200,000 customers and 2,000,000 contact records, beside the bare SQL."""

from __future__ import annotations

import contextlib
import http.client
import os
import re
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote, urlencode

from flask_appbuilder.security.sqla.models import User
from sqlalchemy import Engine, create_engine, select, text

from engine import repository
from engine.db import Sessions, analyze, transaction
from processes.lookup import operations as lookup
from processes.organization.models import Employee
from processes.party.models import Customer
from processes.party.permissions import FOUND_AS
from tests import servers
from tests.bench.lists import Timing, time_calls
from tests.webapp.live.serving import serve
from webapp import demo, house
from webapp.demo import large
from webapp.settings import Settings, load_settings

FILLED = "YUNLIU_BENCH_FILLED"
"""URL of a PostgreSQL database that `yunliu load-data` has filled already: saves some eight minutes"""
SELLER = "wang.lei"
TYPED = ("云启", "智联科技", "yunqi", "yqzl", "8123", "科技", "上海云", "zlkj")
BOUNDS = {"customer list": 150, "customer page": 200, "search": 150}
"""milliseconds, p95"""

BARE = {
    "customer list": "SELECT * FROM customer WHERE owner_id = :me OR owner_id IS NULL ORDER BY id DESC LIMIT 20",
    "customer page": "SELECT c.*, r.* FROM customer c JOIN contact_record r ON r.customer_id = c.id "
    "WHERE c.id = :customer ORDER BY r.at DESC LIMIT 20",
    "search": "SELECT id, name FROM customer WHERE (owner_id = :me OR owner_id IS NULL) AND name LIKE :word LIMIT 20",
}


@dataclass(frozen=True)
class Page:
    name: str
    ours: Timing
    bare: Timing

    @property
    def bound(self) -> int:
        return BOUNDS[self.name]


def measure(scale: int) -> Iterator[Page]:
    with contextlib.ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="yunliu-bench-pages-")))
        url = os.environ.get(FILLED) or stack.enter_context(servers.postgres(durable=True))
        settings = load_settings({"DATA_DIR": str(folder), "DATABASE_URL": url, "DEMO": "1"})
        me, customers = _fill(settings, scale)
        engine = create_engine(url)
        stack.callback(engine.dispose)
        served = stack.enter_context(serve(settings, url))
        browser = http.client.HTTPConnection("127.0.0.1", served.port, timeout=60)
        stack.callback(browser.close)
        key = _sign_in(browser)

        def get(path: str) -> None:
            browser.request("GET", path, headers={"Cookie": key})
            answer = browser.getresponse()
            answer.read()
            if answer.status != 200:
                raise RuntimeError(f"{path} answered {answer.status}: the bench measures nothing")

        paths = {
            "customer list": ["/party/customer/list/"],
            "customer page": [f"/party/customer/show/{one}" for one in customers],
            "search": [f"/search/?q={quote(word)}" for word in TYPED],
        }
        for name, wanted in paths.items():
            ours = time_calls(lambda n, wanted=wanted: get(wanted[n % len(wanted)]), 120)
            yield Page(name, ours, _bare(engine, BARE[name], me, customers))


def _fill(settings: Settings, scale: int) -> tuple[int, list[int]]:
    """The seller's id and some of his customers."""
    repository.forget_all()
    house.bring_up_to_date(settings)
    if FILLED not in os.environ:
        sizes = large.SIZES["load"]
        with transaction() as session:
            if demo.load(session):
                demo.move_in(session)
        with transaction() as session:
            large.fill(session, large.Sizes(sizes.customers // scale, sizes.records // scale))
        analyze()
        for _done in lookup.rebuild(FOUND_AS):
            pass
    with transaction() as session:
        me = session.scalars(
            select(Employee.id).join(User, User.id == Employee.user_id).where(User.username == SELLER)
        ).one()
        mine = select(Customer.id).where(Customer.owner_id == me).order_by(Customer.id.desc()).limit(100)
        customers = list(session.scalars(mine))
    Sessions.remove()
    return me, customers


def _sign_in(browser: http.client.HTTPConnection) -> str:
    """The cookie of the seller's session."""
    browser.request("GET", "/login/")
    answer = browser.getresponse()
    found = re.search(r'<meta name="csrf-token" content="([^"]+)"', answer.read().decode())
    if found is None:
        raise RuntimeError("the sign-in page has no token")
    form = urlencode({"username": SELLER, "password": demo.PASSWORD, "csrf_token": found[1]})
    headers = {"Content-Type": "application/x-www-form-urlencoded", "Cookie": _cookie(answer)}
    browser.request("POST", "/login/", form, headers)
    answer = browser.getresponse()
    answer.read()
    if answer.status != 302:
        raise RuntimeError(f"signing in answered {answer.status}")
    return _cookie(answer)


def _cookie(answer: http.client.HTTPResponse) -> str:
    return "; ".join(one.partition(";")[0] for one in answer.headers.get_all("Set-Cookie") or ())


def _bare(engine: Engine, statement: str, me: int, customers: list[int]) -> Timing:
    def ask(number: int) -> None:
        values = {
            "me": me,
            "customer": customers[number % len(customers)],
            "word": f"%{TYPED[number % len(TYPED)]}%",
        }
        with engine.connect() as connection:
            connection.execute(text(statement), values).all()

    return time_calls(ask, 120)
