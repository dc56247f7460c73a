"""What every test may ask for: a database, a clock, a Redis, a browser; and how a missing one is reported."""

from __future__ import annotations

import ast
import gc
import os
import shutil
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from sqlalchemy import Engine
from sqlalchemy.orm import Session

from engine import clock as engine_clock, python_syntax
from engine.db import Sessions, make_engine
from engine.i18n import reading_as
from tests import databases, foreign, servers
from tests.connectors.mail_house import MailHouse, Missing as MailHouseMissing, running as mail_house_running
from tests.databases import Database
from webapp.security import passwords

HASHED_WITH = passwords.METHOD
"""what the house itself uses: tests are in more of a hurry"""

if sys.version_info < (3, 12, 2):
    # A house is built (its routes are parsed) while another, served by a thread of this process, reads expressions.
    _parse = ast.parse

    def _parse_alone(*arguments: Any, **options: Any) -> Any:
        with python_syntax.undisturbed():
            return _parse(*arguments, **options)

    ast.parse = _parse_alone

# Each of the many processes that tests start would compile the house anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

MONDAY_MORNING = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
"""9:00 in Shanghai on a working day"""

CHROMIUM_MISSING = "no Chromium: apt-get install chromium, or point YUNLIU_CHROMIUM at one"

# A busy machine is slow, not wrong: the time limit of a test is pytest-timeout's.
hypothesis.settings.register_profile("house", deadline=None, print_blob=True)
hypothesis.settings.load_profile("house")

# ------------------------------------------------------------------------------------------------- speed


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Long tests first, so that none is left for the end; whoever has nothing to do steals from the others' rest."""
    items.sort(key=lambda item: not any(item.iter_markers("slow")))


def pytest_collection_finish() -> None:
    """What is imported by now stays: the collector need not look through it again and again."""
    gc.collect()
    gc.freeze()


# ------------------------------------------------------------------------------------------------- options


def pytest_addoption(parser: pytest.Parser) -> None:
    group = parser.getgroup("yunliu")
    group.addoption("--strict-skips", action="store_true", help="a skipped test is an error: nothing may be missing")
    group.addoption("--database", choices=databases.NAMES, help="run the database tests on this one only")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `database` runs on each; `@pytest.mark.databases("postgresql")` names fewer."""
    if "database" not in metafunc.fixturenames:
        return
    marker = metafunc.definition.get_closest_marker("databases")
    names = marker.args if marker else databases.NAMES
    chosen = metafunc.config.getoption("--database")
    metafunc.parametrize("database", [n for n in names if chosen in (None, n)], indirect=True, scope="function")


# ------------------------------------------------------------------------------------------------- skips are visible


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
    report = yield
    _refuse_skip(item.config, report)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector) -> Iterator[None]:
    report = yield
    _refuse_skip(collector.config, report)
    return report


def _refuse_skip(config: pytest.Config, report: pytest.TestReport | pytest.CollectReport) -> None:
    expected_to_fail = hasattr(report, "wasxfail")
    if not report.skipped or expected_to_fail or _reason(report).startswith(foreign.ABSENT):
        return
    if config.getoption("--strict-skips"):
        report.outcome = "failed"
        report.longrepr = f"skipped, but nothing may be skipped here: {_reason(report)}"


def _reason(report: pytest.TestReport | pytest.CollectReport) -> str:
    longrepr = report.longrepr
    return longrepr[2].removeprefix("Skipped: ") if isinstance(longrepr, tuple) else str(longrepr)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    skipped = Counter(_reason(report) for report in terminalreporter.stats.get("skipped", ()))
    for reason, count in skipped.most_common():
        terminalreporter.write_line(f"not tested here ({count} tests): {reason}", yellow=True)


# ------------------------------------------------------------------------------------------------- databases


@pytest.fixture(scope="session")
def postgres_url(worker_id: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a PostgreSQL server: the one named by YUNLIU_TEST_POSTGRES, else one of our own."""
    if named := os.environ.get("YUNLIU_TEST_POSTGRES"):
        yield named
        return
    with ExitStack() as stack:
        try:
            url = stack.enter_context(servers.postgres())
        except servers.CannotStart as error:
            pytest.skip(str(error))
        yield url


@pytest.fixture(scope="session")
def _postgres_database(postgres_url: str, worker_id: str) -> Iterator[databases.PostgresDatabase]:
    made = databases.PostgresDatabase(postgres_url, f"yunliu_test_{os.getpid()}_{worker_id}")
    yield made
    made.drop()


@pytest.fixture(scope="session")
def _sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> databases.SqliteTemplate:
    return databases.SqliteTemplate(tmp_path_factory.mktemp("sqlite"))


@pytest.fixture
def database(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Database]:
    """An empty database with the newest schema; `engine.db.Sessions` is bound to it, commits are real."""
    if request.param == "sqlite":
        template: databases.SqliteTemplate = request.getfixturevalue("_sqlite_template")
        with template.database(tmp_path) as made:
            yield made
    else:
        server: databases.PostgresDatabase = request.getfixturevalue("_postgres_database")
        with server.database() as made:
            yield made


@pytest.fixture(params=databases.NAMES)
def empty_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
def empty(empty_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A database without a single table, of each kind."""
    yield from _without_tables(empty_kind, request, tmp_path / "empty.db")


@pytest.fixture(params=databases.NAMES)
def another_kind(request: pytest.FixtureRequest) -> str:
    kind: str = request.param
    return kind


@pytest.fixture
def another_empty(another_kind: str, request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """A second one, so that the test moves data between all pairs of kinds."""
    yield from _without_tables(another_kind, request, tmp_path / "another.db")


def _without_tables(kind: str, request: pytest.FixtureRequest, file: Path) -> Iterator[Engine]:
    if kind == "sqlite":
        engine = make_engine(f"sqlite:///{file}")
        yield engine
        engine.dispose()
        return
    with databases.without_tables(request.getfixturevalue("postgres_url")) as engine:
        yield engine


@pytest.fixture
def engine_url(database: Database) -> str:
    return database.url


@pytest.fixture
def session(database: Database) -> Session:
    """The thread's own session, the one `engine.db.transaction()` uses."""
    return Sessions()


# ------------------------------------------------------------------------------------------- servers, browser, clock


@pytest.fixture(scope="session")
def redis_url() -> Iterator[str]:
    """An empty Redis: the one named by YUNLIU_TEST_REDIS, else one of our own."""
    if named := os.environ.get("YUNLIU_TEST_REDIS"):
        yield named
        return
    with ExitStack() as stack:
        try:
            url = stack.enter_context(servers.redis_server())
        except servers.CannotStart as error:
            pytest.skip(str(error))
        yield url


@pytest.fixture(scope="session")
def mail_house() -> Iterator[MailHouse]:
    """Postfix and Dovecot of our own, each worker's on ports of its own."""
    with ExitStack() as stack:
        try:
            house = stack.enter_context(mail_house_running())
        except MailHouseMissing as missing:
            pytest.skip(str(missing))
        yield house


@pytest.fixture(scope="session")
def chromium() -> str:
    """Path of a Chromium that runs headless."""
    named = os.environ.get("YUNLIU_CHROMIUM")
    found = named or next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if not found:
        pytest.skip(CHROMIUM_MISSING)
    return found


@pytest.fixture(scope="session", autouse=True)
def _passwords_are_hashed_quickly() -> Iterator[None]:
    """The house spends a tenth of a second on each; thousands of tests make logins and sign in."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(passwords, "METHOD", "pbkdf2:sha256:1")
        yield


@pytest.fixture(autouse=True)
def _in_english() -> Iterator[None]:
    """Sentences read as they are written, whatever catalogue another test's application has installed; pages choose."""
    with reading_as("en"):
        yield


class TestClock:
    """A clock that stands still until it is turned."""

    __test__ = False

    def __init__(self, at: datetime) -> None:
        self.at = at

    def __call__(self) -> datetime:
        return self.at

    def advance(self, **duration: float) -> datetime:
        """advance(hours=8): that much later."""
        self.at += timedelta(**duration)
        return self.at

    def turn_to(self, at: datetime) -> None:
        self.at = at


@pytest.fixture
def clock() -> Iterator[TestClock]:
    """`engine.clock` standing at nine o'clock on a working Monday in Shanghai."""
    turned = TestClock(MONDAY_MORNING)
    with engine_clock.turned_to(turned):
        yield turned
