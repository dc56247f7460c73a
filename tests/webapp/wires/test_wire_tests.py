"""Does a connector work? Asked on the page, tried by the process that holds it, without sending anything."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from connectors.mail.imap import ImapMailbox
from connectors.mail.simulator import SimulatedMailRoad
from connectors.mail.smtp import SmtpTransport
from connectors.sms.gateway import GatewaySms
from connectors.sms.modem import ModemSms
from connectors.telephony.ami.exchange import AsteriskExchange
from connectors.telephony.ami.link import AmiSettings
from engine import wire_tests
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.models import WireTest
from tests.conftest import TestClock
from tests.connectors.ami_exchange import AmiExchange
from tests.connectors.http_peer import http_peer
from tests.connectors.imap_peer import scripted_imap
from tests.connectors.pty_modem import PtyModem
from tests.connectors.smtp_peers import HOST, Postbox, mail_server, make_certificate
from tests.databases import Database
from webapp.wires import MailHandler
from webapp.wires.answers import trial_of


@pytest.fixture(autouse=True)
def no_trials(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire_tests, "TRIALS", {})


def ask(name: str = "mail") -> int:
    with transaction() as session:
        made = wire_tests.ask(session, SYSTEM, name)
    Sessions.remove()
    return made


def look(test_id: int) -> WireTest:
    with transaction() as session:
        found = session.get_one(WireTest, test_id, populate_existing=True)
        session.expunge(found)
    Sessions.remove()
    return found


def test_the_process_that_holds_the_wire_answers(database: Database) -> None:
    made = ask()
    assert wire_tests.answer() == 0, "this process holds no wire"
    assert look(made).answered_at is None
    wire_tests.TRIALS["mail"] = trial_of(MailHandler(SimulatedMailRoad("a@example.cn"), "a@example.cn"))
    assert wire_tests.answer() == 1
    answered = look(made)
    assert (answered.passed, answered.steps) == (True, [{"step": "simulated", "ok": True, "words": ""}])
    assert wire_tests.answer() == 0, "once is enough"


def test_a_question_asked_twice_is_one_and_one_nobody_takes_is_forsaken(database: Database, clock: TestClock) -> None:
    made = ask()
    assert ask() == made
    assert not wire_tests.is_forsaken(look(made))
    clock.advance(seconds=61)
    assert wire_tests.is_forsaken(look(made))
    assert ask() != made


def test_a_trial_that_breaks_is_an_answer_too(database: Database) -> None:
    def broken() -> list[wire_tests.Step]:
        raise RuntimeError("no such thing")

    wire_tests.TRIALS["mail"] = broken
    made = ask()
    wire_tests.answer()
    assert look(made).passed is False
    assert "no such thing" in look(made).steps[0]["words"]


# ------------------------------------------------------------------------------------------------- what each road tries


def steps_of(tried: list[object]) -> list[tuple[str, bool]]:
    return [(one.step, one.ok) for one in tried]  # type: ignore[attr-defined]


def test_a_mail_server_is_greeted_and_gets_no_mail() -> None:
    with mail_server(box := Postbox()) as port:
        road = SmtpTransport.from_url(f"smtp://127.0.0.1:{port}", "云流 <bpm@example.cn>")
        assert steps_of(road.try_out()) == [("connect", True), ("answer", True)]
    assert not box.mails


def test_a_mail_server_that_is_not_there_and_one_that_cannot_encrypt() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    dead = SmtpTransport.from_url(f"smtp://127.0.0.1:{port}", "bpm@example.cn")
    assert steps_of(dead.try_out()) == [("connect", False)]
    with mail_server(Postbox()) as plain:
        bare = SmtpTransport.from_url(f"smtp+starttls://127.0.0.1:{plain}", "bpm@example.cn")
        assert steps_of(bare.try_out()) == [("connect", True), ("tls", False)]


def test_a_gateway_is_reached_and_asked_nothing() -> None:
    with http_peer() as peer:
        assert steps_of(GatewaySms.from_url(peer.url).try_out()) == [("connect", True)]
        assert not any(asked.line for asked in peer.asked)
    assert steps_of(GatewaySms.from_url(peer.url).try_out()) == [("connect", False)]


def test_a_modem_says_how_far_it_comes(tmp_path: Path) -> None:
    with PtyModem() as modem:
        road = ModemSms(str(modem.device))
        assert steps_of(road.try_out()) == [("device", True), ("sim", True), ("network", True)]
        road.close()
    absent = ModemSms(str(tmp_path / "ttyUSB7"))
    assert steps_of(absent.try_out()) == [("device", False)]


def test_a_mailbox_is_signed_in_to_and_its_folder_opened(tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path)

    def box(port: int, ca: bool = True) -> ImapMailbox:
        option = f"?ca={certificate[0]}" if ca else ""
        return ImapMailbox.from_url(f"imaps://bpm%40example.cn:secret@{HOST}:{port}/{option}")

    steps = ["connect", "tls", "login", "folder"]
    with scripted_imap(certificate) as (port, _heard):
        assert steps_of(box(port).try_out()) == [(step, True) for step in steps]
        assert steps_of(box(port, ca=False).try_out()) == [("connect", True), ("tls", False)]
    with scripted_imap(certificate, LOGIN="NO [AUTHENTICATIONFAILED] no") as (port, _heard):
        assert steps_of(box(port).try_out()) == [("connect", True), ("tls", True), ("login", False)]
    with scripted_imap(certificate, SELECT="NO no such folder") as (port, _heard):
        assert steps_of(box(port).try_out())[-1] == ("folder", False)
    assert steps_of(box(port).try_out()) == [("connect", False)]


def test_an_exchange_is_signed_in_to_and_no_call_touched() -> None:
    with AmiExchange() as peer:
        road = AsteriskExchange(AmiSettings.parse(peer.url))
        assert steps_of(road.try_out()) == [("connect", True), ("login", True), ("calls", True)]
        peer.answers["CoreShowChannels"] = "Permission denied"
        assert steps_of(road.try_out()) == [("connect", True), ("login", True), ("calls", False)]
        peer.refuse_login = True
        assert steps_of(road.try_out()) == [("connect", True), ("login", False)]
    assert steps_of(road.try_out()) == [("connect", False)]
