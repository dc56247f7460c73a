"""From the outbox to a real mail house and back: bounces find their mail, answers their process, refusals a person."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from connectors.mail import marks, reading
from connectors.mail.mailbox import Cursor
from connectors.mail.simulator import SimulatedMailbox, SimulatedMailRoad
from connectors.outcome import Outcome, PeerRefused
from engine import attachments, clock, delivering, health, outbox
from engine.actor import SYSTEM
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from processes.messaging.models import ReceivedMail
from processes.messaging.operations import receiving_mail
from tests.connectors.mail_house import MailHouse
from tests.databases import Database
from webapp import listeners, wires
from webapp.listeners import mail as listener
from webapp.settings import Settings

PDF = "报价单—设备采购（2026年11月）𠮷.pdf"


@pytest.fixture(autouse=True)
def wireless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    attachments.install(tmp_path / "files")
    monkeypatch.setattr(health, "PERIOD", 0.2)
    kept, reports = dict(outbox.HANDLERS), dict(CATALOG.health)
    outbox.HANDLERS.clear()
    yield
    outbox.HANDLERS.clear()
    outbox.HANDLERS.update(kept)
    CATALOG.health.clear()
    CATALOG.health.update(reports)


def put(payload: dict[str, Any], key: str = "mail:7:k") -> int:
    with transaction() as session:
        made = outbox.enqueue(session, channel="mail", key=key, payload=payload)
    Sessions.remove()
    return made


def look(message_id: int) -> OutboxMessage:
    with transaction() as session:
        found = session.get_one(OutboxMessage, message_id, populate_existing=True)
        session.expunge(found)
    Sessions.remove()
    return found


def received() -> list[ReceivedMail]:
    with transaction() as session:
        found = list(session.scalars(select(ReceivedMail).order_by(ReceivedMail.id)))
        session.expunge_all()
    Sessions.remove()
    return found


def until(holds: Callable[[], Any], seconds: float = 20) -> Any:
    end = time.monotonic() + seconds
    while not (found := holds()):
        if time.monotonic() > end:
            raise AssertionError("it did not come about")
        time.sleep(0.05)
    return found


@pytest.fixture
def house(mail_house: MailHouse) -> MailHouse:
    mail_house.empty()
    return mail_house


@pytest.fixture
def settings(house: MailHouse) -> Settings:
    return Settings(
        smtp_url=house.smtp_url(),
        mail_from="云流 <bpm@example.cn>",
        mail_bounces_to="bounce@example.cn",
        imap_url=f"{house.imap_url('bpm', filed='Done')} {house.imap_url('bounce')}",
    )


class Held:
    """A listener in a thread, as its process runs it."""

    def __init__(self, run: Callable[[threading.Event], None]) -> None:
        self.stop = threading.Event()
        self._thread = threading.Thread(target=run, args=(self.stop,))
        self._thread.start()

    def end(self) -> None:
        self.stop.set()
        self._thread.join(20)
        assert not self._thread.is_alive()


@pytest.fixture
def hold() -> Iterator[Callable[[Callable[[threading.Event], None]], Held]]:
    held: list[Held] = []

    def start(run: Callable[[threading.Event], None]) -> Held:
        held.append(Held(run))
        return held[-1]

    yield start
    for one in held:
        one.end()


def answer_to(raw: bytes, **headers: str) -> EmailMessage:
    """As a customer's mail program answers what it got."""
    got = message_from_bytes(raw, _class=EmailMessage, policy=policy.SMTP)
    mail = EmailMessage(policy=policy.SMTP)
    mail["From"] = '"李娜, 采购" <li@example.cn>'
    mail["To"] = "bpm@example.cn"
    mail["Subject"] = f"回复: {got['Subject']}"
    mail["In-Reply-To"] = got["Message-ID"]
    mail["Message-ID"] = "<answer-1@customer.cn>"
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content("同意，见附件。\n\n在 2026年11月23日，云流 写道：\n> 请查收\n")
    mail.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename=PDF)
    return mail


# ------------------------------------------------------------------------------------------------- there and back


def test_an_answer_and_a_bounce_find_the_mails_they_are_about(
    database: Database, house: MailHouse, settings: Settings, hold: Callable[..., Held]
) -> None:
    wires.install(settings)
    asked = put({"to": ["li@example.cn"], "subject": "报价单", "text": "请查收", "answerable": True})
    lost = put({"to": ["nobody@example.cn"], "subject": "报价单", "text": "请查收"}, "mail:7:l")
    delivering.deliver_outbox()
    assert (look(asked).state, look(lost).state) == ("sent", "sent")
    assert listeners.names(settings) == ("mailbox", "mailbox-2")
    for name in ("mailbox", "mailbox-2"):
        hold(lambda stop, name=name: listener.run(settings, name, stop))

    until(lambda: look(lost).state == "failed")
    assert "5.1.1" in look(lost).last_error
    assert look(lost).result["reports"]["nobody@example.cn"]["action"] == "failed"

    (raw,) = house.until("li", 1)
    assert marks.find_in_subject(reading.read(raw).subject) is not None
    house.inject(answer_to(raw), "bpm")
    found = until(lambda: [one for one in received() if one.kind == "letter" and one.state == "sorted"])[0]
    assert (found.outbox_id, found.from_recipient, found.sender_name) == (asked, True, "李娜, 采购")
    with transaction() as session:
        row = session.get_one(ReceivedMail, found.id)
        assert [file.name for file in receiving_mail.files_of(session, row)] == [PDF]
    Sessions.remove()
    house.until("bpm", 1, folder="Done")  # put away after it was kept
    assert house.until("bpm", 0) == []


@pytest.mark.databases("sqlite")
def test_what_came_while_nobody_looked_is_read_and_nothing_is_read_twice(
    database: Database, house: MailHouse, settings: Settings, hold: Callable[..., Held]
) -> None:
    for number in range(3):
        house.inject(f"Message-ID: <{number}@x>\r\nSubject: {number}\r\n\r\nx".encode(), "bounce")
    house.until("bounce", 3)
    first = hold(lambda stop: listener.run(settings, "mailbox-2", stop))
    until(lambda: len(received()) == 3)
    first.end()
    house.inject(b"Message-ID: <1@x>\r\nSubject: 1\r\n\r\nx", "bounce")  # the same again
    house.inject(b"Message-ID: <3@x>\r\nSubject: 3\r\n\r\nx", "bounce")
    house.until("bounce", 5)
    hold(lambda stop: listener.run(settings, "mailbox-2", stop))
    until(lambda: len(received()) == 4)
    assert sorted(one.subject for one in received()) == ["0", "1", "2", "3"]
    assert until(lambda: _health("mailbox-2")) == ("up", "")


def _health(name: str) -> tuple[str, str] | None:
    with transaction() as session:
        seen = health.seen(session).get(name)
    Sessions.remove()
    return (seen.state, seen.reason) if seen is not None and seen.reason != "not_opened" else None


@pytest.mark.databases("sqlite")
def test_a_refused_login_is_told_and_not_repeated(
    database: Database, house: MailHouse, hold: Callable[..., Held]
) -> None:
    settings = Settings(imap_url=house.imap_url("wang", password="wrong"))
    before = (house.root / "mail.log").read_text().count("auth failed")
    hold(lambda stop: listener.run(settings, "mailbox", stop))
    until(lambda: _health("mailbox") == ("down", "auth_refused"))
    time.sleep(1.5)
    assert (house.root / "mail.log").read_text().count("auth failed") - before <= 1


# ------------------------------------------------------------------------------------------------- between the lines


class Stumbling(SimulatedMailbox):
    """Refuses to put mails away."""

    def file(self, uid: int) -> None:
        raise PeerRefused("no room", code="imap_refused")


def test_a_mail_that_cannot_be_put_away_holds_up_no_other(database: Database) -> None:
    box = Stumbling()
    box.waiting = [b"Subject: a\r\n\r\nx", b"Subject: b\r\n\r\nx"]
    for mail in box.fetch(Cursor(), _today()):
        listener.take(box, mail)
    assert [one.subject for one in received()] == ["a", "b"]
    with transaction() as session:
        assert receiving_mail.cursor(session, box.name) == (1, 2)
    Sessions.remove()


def test_killed_between_keeping_and_putting_away_it_is_met_again_and_known(database: Database) -> None:
    box = SimulatedMailbox()
    box.waiting = [b"Message-ID: <1@x>\r\nSubject: a\r\n\r\nx"]
    (mail,) = box.fetch(Cursor(), _today())
    with transaction() as session:  # ... and here the power fails
        receiving_mail.keep(session, box=box.name, uid_validity=1, uid=1, raw=mail.raw, size=mail.size)
    Sessions.remove()
    listener.take(box, mail)
    assert len(received()) == 1
    assert box.filed == [1]


def test_what_cannot_be_kept_is_not_put_away(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    box = SimulatedMailbox()
    box.waiting = [b"Subject: a\r\n\r\nx"]

    def full(*_args: object, **_more: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(attachments, "adopt", full)
    with pytest.raises(OSError, match="no space"):
        listener.take(box, next(iter(box.fetch(Cursor(), _today()))))
    assert (received(), box.filed) == ([], [])


@pytest.mark.databases("sqlite")
def test_one_the_database_does_not_take_is_kept_as_bytes_and_holds_up_no_other(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever a stranger writes, the mails behind it come in."""
    read = reading.read

    def spoilt(raw: bytes) -> reading.InMail:
        return replace(read(raw), subject="\ud800") if b"bad" in raw else read(raw)

    monkeypatch.setattr(reading, "read", spoilt)
    box = SimulatedMailbox()
    box.waiting = [b"Subject: bad\r\n\r\nx", b"Subject: good\r\n\r\nx"]
    for mail in box.fetch(Cursor(), _today()):
        listener.take(box, mail)
    bad, good = received()
    assert (bad.subject, bad.automatic, good.subject, good.state) == ("", "unreadable", "good", "sorted")
    with transaction() as session:
        assert b"bad" in receiving_mail.raw_of(session, bad)
    Sessions.remove()


def test_a_second_listener_waits_for_the_first(database: Database, hold: Callable[..., Held]) -> None:
    first, second = SimulatedMailbox("one"), SimulatedMailbox("one")
    hold(lambda stop: listener.hold(first, "mailbox", stop))
    until(lambda: _health("mailbox"))
    second.waiting = [b"Subject: b\r\n\r\nx"]
    hold(lambda stop: listener.hold(second, "mailbox", stop))
    time.sleep(1.5)
    assert second.filed == []


def _today() -> Any:
    return clock.now().date()


# ------------------------------------------------------------------------------------------------- sending again


def _with(road: SimulatedMailRoad) -> None:
    outbox.HANDLERS["mail"] = wires.MailHandler(road, "bpm@example.cn")


def _again(message_id: int) -> None:
    with transaction() as session:
        outbox.resend(session, SYSTEM, message_id)
    Sessions.remove()
    delivering.deliver_outbox()


@pytest.mark.parametrize("first", [Outcome.unknown("in_doubt"), Outcome.rejected("smtp_550", "no")])
def test_a_person_sends_again_what_was_refused_or_is_in_doubt(database: Database, first: Outcome) -> None:
    outcomes = [first, Outcome.accepted("smtp_250")]
    road = SimulatedMailRoad("bpm@example.cn", script=lambda _m: outcomes.pop(0))
    _with(road)
    made = put({"to": ["li@example.cn"], "subject": "s", "text": "t"})
    delivering.deliver_outbox()
    assert look(made).state in ("unknown", "failed")
    _again(made)
    assert look(made).state == "sent"
    assert len(road.sent) == 1


def test_a_bounced_mail_sent_again_goes_to_whom_it_did_not_reach(database: Database) -> None:
    asked: list[frozenset[str]] = []
    road = SimulatedMailRoad("bpm@example.cn", script=lambda m: asked.append(m.settled) or Outcome.accepted())
    _with(road)
    made = put({"to": ["li@example.cn", "wang@example.cn"], "subject": "s", "text": "t"})
    delivering.deliver_outbox()
    with transaction() as session:
        row = session.get_one(OutboxMessage, made)
        told = {"action": "failed", "status": "5.1.1", "text": ""}
        row.state, row.result = "failed", {**row.result, "reports": {"wang@example.cn": told}}
    Sessions.remove()
    _again(made)
    assert asked == [frozenset(), frozenset({"li@example.cn"})]
    assert look(made).result["reports"] == {}


# ------------------------------------------------------------------------------------------------- what stands where


def test_demo_data_simulates_the_mailbox(house: MailHouse, settings: Settings) -> None:
    demo = Settings(demo=True, imap_url=settings.imap_url)
    assert not [name for name in listeners.names(demo) if name.startswith("mailbox")]
    wires.install(demo)
    assert CATALOG.health["mailbox"]() == ("up", "simulated")
    assert isinstance(wires.mailbox(demo, "mailbox"), SimulatedMailbox)


def test_without_a_mailbox_nobody_reads_and_no_subject_is_marked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CATALOG, "health", {})
    wires.install(Settings(mail_from="bpm@example.cn"))
    handler = outbox.HANDLERS["mail"]
    assert isinstance(handler, wires.MailHandler)
    assert not handler.tags
    assert "mailbox" not in CATALOG.health
