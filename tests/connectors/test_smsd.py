"""The spool of smsd: files written and read by ourselves, then by the real smsd over our modem."""

from __future__ import annotations

import os
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from connectors.outcome import LinkState, Verdict
from connectors.sms.pdu import DeliveryState
from connectors.sms.smsd import SETTLED, SmsdSpool, SpoolFile
from connectors.sms.transport import Handed, Incoming, OutSms, ProviderReport, Report, SmsEvent, Unreadable
from tests.connectors.pdu_peer import deliver
from tests.connectors.pty_modem import PtyModem
from tests.connectors.smsd_peer import make_folders, smsd, there

TO = "+8619900000001"
TEXT = "【云流】😀𠮷您好，" * 12


@pytest.fixture
def spool(tmp_path: Path) -> Path:
    return make_folders(tmp_path)


def sms(id: str = "4711", text: str = TEXT, to: str = TO) -> OutSms:
    return OutSms(id=id, to=to, text=text, concat_ref=1)


def look(road: SmsdSpool) -> list[SmsEvent]:
    """Once through the folders."""
    return [*road._results(), *road._reports(), *road._incoming()]


def test_a_message_is_one_file_that_appears_whole(spool: Path) -> None:
    result = SmsdSpool(spool).send(sms())
    assert (result.outcome.verdict, result.total) == (Verdict.ACCEPTED, 2)
    (path,) = (spool / "outgoing").iterdir()
    file = SpoolFile.read(path.read_bytes())
    assert (path.name, file.headers["to"], file.headers["alphabet"]) == ("yunliu-4711", "8619900000001", "UCS")
    assert file.text == TEXT
    assert list((spool / "taken").iterdir()) == []


def test_a_service_number_and_plain_text(spool: Path) -> None:
    SmsdSpool(spool).send(sms(text="CXYE {1}", to="10086"))
    file = SpoolFile.read((spool / "outgoing" / "yunliu-4711").read_bytes())
    assert (file.headers["to"], file.headers["alphabet"], file.body) == ("s10086", "UTF-8", b"CXYE {1}")


@pytest.mark.parametrize("folder", ["outgoing", "checked", "sent", "failed", "taken"])
def test_handed_over_again_it_is_still_one(spool: Path, folder: str) -> None:
    road = SmsdSpool(spool)
    road.send(sms())
    (spool / "taken").mkdir(exist_ok=True)
    (spool / "outgoing" / "yunliu-4711").rename(spool / folder / "yunliu-4711")
    assert road.send(sms()).outcome.is_accepted
    assert len([path for path in spool.rglob("yunliu-*") if path.is_file()]) == 1


def test_without_folders_messages_wait(tmp_path: Path) -> None:
    road = SmsdSpool(tmp_path / "nowhere")
    outcome = road.send(sms()).outcome
    assert (outcome.verdict, outcome.tried) == (Verdict.DEFERRED, False)
    assert (road.health().state, road.health().reason) == (LinkState.DOWN, "spool_missing")


def test_what_lies_there_for_long_shows(spool: Path) -> None:
    road = SmsdSpool(spool)
    road.send(sms())
    assert road.health().state is LinkState.UP
    os.utime(spool / "outgoing" / "yunliu-4711", (1, 1))
    assert (road.health().state, road.health().reason) == (LinkState.DEGRADED, "spool_not_emptied")


def test_a_number_that_cannot_be_written_is_refused(spool: Path) -> None:
    assert SmsdSpool(spool).send(sms(to="1\nTo: 2")).outcome.verdict is Verdict.REJECTED
    assert list((spool / "outgoing").iterdir()) == []


def test_what_was_not_stored_comes_again(spool: Path) -> None:
    (spool / "incoming" / "GSM1.a").write_bytes(b"From: 8613800138000\nFrom_TOA: 91 x\nAlphabet: UTF-8\n\n\xe5\xa5\xbd")
    road = SmsdSpool(spool)
    events = road._incoming()
    first = next(events)
    events.close()  # as when the handler raises
    (again,) = road._incoming()
    assert first == again
    assert isinstance(again, Incoming)
    assert (again.sender, again.text) == ("+8613800138000", "好")
    assert list((spool / "incoming").iterdir()) == []


@pytest.mark.parametrize(
    ("head", "body", "text"),
    [
        ("Alphabet: UCS2", "好𠮷".encode("utf-16-be"), "好𠮷"),
        ("Alphabet: ISO", "né".encode("latin-1"), "né"),
        ("Alphabet: binary", b"\x01\xff", "01ff"),
        ("Alphabet: UTF-8", "To: 无头\n第二行".encode(), "To: 无头\n第二行"),
    ],
)
def test_every_alphabet_of_smsd_is_read(head: str, body: bytes, text: str) -> None:
    assert SpoolFile.read(f"From: 1\n{head}\n\n".encode() + body).text == text


def test_files_that_say_nothing_are_shown(spool: Path) -> None:
    (spool / "incoming" / "junk").write_bytes(b"\xff\xfe")
    (spool / "report" / "junk").write_bytes(b"From: 1\n\nSMS STATUS REPORT\n")
    assert [type(event) for event in look(SmsdSpool(spool))] == [Unreadable, Unreadable]


def test_a_failure_says_why(spool: Path) -> None:
    road = SmsdSpool(spool)
    road.send(sms())
    path = spool / "failed" / "yunliu-4711"
    (spool / "outgoing" / "yunliu-4711").rename(path)
    path.write_bytes(b"Fail_reason: No destination\n" + path.read_bytes())
    assert look(road) == [], "the hand-over itself may not be noted yet"
    os.utime(path, (time.time() - SETTLED, time.time() - SETTLED))
    (event,) = look(road)
    assert event == ProviderReport("", "4711", "8619900000001", DeliveryState.FAILED, None, "No destination")


# ------------------------------------------------------------------------------------------------- the real one


def until(road: SmsdSpool, done: Callable[[list[SmsEvent]], bool], seconds: float = 40) -> list[SmsEvent]:
    found: list[SmsEvent] = []
    end = time.monotonic() + seconds
    while not done(found):
        assert time.monotonic() < end, found
        found += look(road)
        time.sleep(0.1)
    return found


@pytest.mark.skipif(not there(), reason="smsd is not installed")
def test_the_real_smsd_sends_reports_and_receives(spool: Path, tmp_path: Path) -> None:
    road = SmsdSpool(spool)
    with PtyModem() as modem:
        modem.store(deliver("+8613800138000", "收到𠮷"), announce=False)
        road.send(sms("1"))
        road.send(sms("2", "Hello {world} €"))
        with smsd(tmp_path, spool, modem.device):
            events = until(road, lambda found: sum(isinstance(e, Report | Handed | Incoming) for e in found) >= 6)
        texts = {message.text: message.parts for message in modem.messages()}
    assert texts == {TEXT: 2, "Hello {world} €": 1}
    handed = {event.message_id: event.refs for event in events if isinstance(event, Handed)}
    reports = {event.ref for event in events if isinstance(event, Report) and event.state is DeliveryState.DELIVERED}
    assert set(handed) == {"1", "2"}
    assert {ref for refs in handed.values() for ref in refs} <= reports
    (answer,) = (event for event in events if isinstance(event, Incoming))
    assert (answer.sender, answer.text) == ("+8613800138000", "收到𠮷")
    assert road.send(sms("1")).outcome.is_accepted
    assert list((spool / "outgoing").iterdir()) == [], "a repeat is harmless"
