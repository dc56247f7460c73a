"""The connectors as those see them who look after them: how each is, what waits, what went wrong, and does it work."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import func, select, union_all
from sqlalchemy.orm import Session

from engine import clock, gates, health, wire_tests
from engine.i18n import Sentence, _
from engine.models import OutboxAttempt, WireTest
from processes.messaging.rules import TITLES, reason_of, remedy_of, title_of
from webapp.connectors.queues import STATES, TONES, Heap, heaps

TESTED = ("sms", "mail", "mailbox", "telephony", "word")
ERRORS_SHOWN = 5
DAY = timedelta(hours=24)

ICONS = {
    "sms": "device-mobile",
    "mail": "mail",
    "mailbox": "inbox",
    "telephony": "phone",
    "webhook": "webhook",
    "robot": "message-2",
    "word": "file-text",
    "archive": "files",
}

STEPS: dict[str, Sentence] = {
    "connect": _("Reach the peer"),
    "tls": _("Encrypt, and check the certificate"),
    "login": _("Sign in"),
    "calls": _("See the calls"),
    "device": _("Open the device"),
    "sim": _("SIM card"),
    "network": _("Mobile network"),
    "folder": _("Open the mail folder"),
    "folders": _("Folders of smsd"),
    "program": _("Program that makes PDFs"),
    "answer": _("Get an answer"),
    "simulated": _("A simulator stands in; there is nothing to reach"),
}


@dataclass(frozen=True)
class Trouble:
    """An attempt that did not bring the message away."""

    message_id: int
    at: datetime
    outcome: str
    error: str
    number: int


@dataclass(frozen=True)
class Wire:
    name: str
    state: str
    """up | degraded | down | "" (nobody has ever reported)"""
    reason: Sentence | str
    since: datetime | None
    remedy: Sentence | str
    """what a person can do about it; "" where nothing is wrong, or nobody knows"""
    waiting: Heap
    in_doubt: Heap
    left: int
    """attempts that brought a message away in the last 24 hours"""
    missed: int
    """attempts in the last 24 hours that did not"""
    troubles: Sequence[Trouble]
    closed_until: datetime | None
    """left alone until then, after attempts that came to nothing"""
    test: WireTest | None

    @property
    def title(self) -> Sentence | str:
        return title_of(self.name)

    @property
    def has_queue(self) -> bool:
        return self.name in TITLES

    @property
    def has_test(self) -> bool:
        """Where one peer can be tried; behind webhooks and robots lie many, each with a test of its own."""
        return bool(self.state) and (self.name in TESTED or self.name.startswith(("sms-", "mailbox-")))

    @property
    def icon(self) -> str:
        return ICONS.get(self.name) or ("device-mobile" if self.name.startswith("sms-") else "plug")

    @property
    def tone(self) -> str:
        return TONES.get(self.state, "grey")

    @property
    def word(self) -> Sentence:
        return STATES.get(self.state, _("Not known here"))

    @property
    def is_being_tried(self) -> bool:
        return self.test is not None and self.test.answered_at is None and not wire_tests.is_forsaken(self.test)

    @property
    def is_forsaken(self) -> bool:
        return self.test is not None and wire_tests.is_forsaken(self.test)


def names(session: Session) -> list[str]:
    """Every wire the house knows: those that report, and those it can always use."""
    return sorted({*TITLES, *health.seen(session)}, key=lambda name: (name not in TITLES, name))


def all_wires(session: Session) -> list[Wire]:
    return _wires(session, names(session))


def one(session: Session, name: str) -> Wire | None:
    return next(iter(_wires(session, [name])), None) if name in names(session) else None


def _wires(session: Session, known: Sequence[str]) -> list[Wire]:
    """The same few questions, however many wires."""
    seen, shut = health.seen(session), gates.closed(session, known)
    tests, counts = wire_tests.latest(session, known), _counts_of_a_day(session)
    heaped = heaps(session, TITLES, ("queued", "unknown"))
    troubles = _troubles(session, [name for name in known if name in TITLES])
    found = []
    for name in known:
        how = seen.get(name)
        reason = how.reason if how else health.GONE
        found.append(
            Wire(
                name=name,
                state=how.state if how else "",
                reason=reason_of(reason),
                since=how.since if how else None,
                remedy=remedy_of(name, reason),
                waiting=heaped.get((name, "queued"), Heap()),
                in_doubt=heaped.get((name, "unknown"), Heap()),
                left=counts.get((name, True), 0),
                missed=counts.get((name, False), 0),
                troubles=troubles[name],
                closed_until=shut.get(name),
                test=tests.get(name),
            )
        )
    return found


def _counts_of_a_day(session: Session) -> dict[tuple[str, bool], int]:
    accepted = OutboxAttempt.outcome == "accepted"
    counted = (
        select(OutboxAttempt.channel, accepted, func.count())
        .where(OutboxAttempt.at > clock.now() - DAY)
        .group_by(OutboxAttempt.channel, accepted)
    )
    return {(channel, bool(brought)): count for channel, brought, count in session.execute(counted)}


def _troubles(session: Session, channels: Sequence[str]) -> Mapping[str, Sequence[Trouble]]:
    """The newest few of each channel, newest first."""
    found: dict[str, list[Trouble]] = defaultdict(list)
    newest = [
        select(
            OutboxAttempt.channel,
            OutboxAttempt.message_id,
            OutboxAttempt.at,
            OutboxAttempt.outcome,
            OutboxAttempt.error,
            OutboxAttempt.number,
            OutboxAttempt.id,
        )
        .where(OutboxAttempt.channel == channel, OutboxAttempt.outcome != "accepted")
        .order_by(OutboxAttempt.id.desc())
        .limit(ERRORS_SHOWN)
        .subquery()
        for channel in channels
    ]
    if newest:
        rows = session.execute(union_all(*(select(few) for few in newest))).all()
        for channel, *trouble, _id in sorted(rows, key=lambda row: -row.id):
            found[channel].append(Trouble(*trouble))
    return found
