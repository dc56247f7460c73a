"""Listening on a pseudo-terminal modem: messages, reports, and nothing acknowledged before it is stored."""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import given, strategies as st

from connectors.outcome import LinkState, Verdict
from connectors.sms.at import LONGEST_LINE, PROMPT, Refused, Scanner
from connectors.sms.modem import ModemSms
from connectors.sms.pdu import DeliveryState
from connectors.sms.reassembly import Reassembly
from connectors.sms.transport import HealthChanged, OutSms, Received, Report, SmsEvent, Unreadable
from tests.connectors.conftest import Listener
from tests.connectors.pdu_peer import WHEN, deliver, status_report
from tests.connectors.pty_modem import PtyModem
from tests.connectors.test_modem_send import NUMBER, eventually, sms

OpenModem = Callable[..., ModemSms]
Listen = Callable[..., Listener]
SENDER = "+8613900000000"


def texts(events: list[Received]) -> list[str]:
    return [event.part.text for event in events]


def test_what_waits_in_the_modem_is_taken_first_and_drafts_are_left(
    peer: PtyModem, open_modem: OpenModem, listen: Listen
) -> None:
    peer.store(deliver(SENDER, "unread"), announce=False)
    peer.store(deliver(SENDER, "read"), state=1, announce=False)
    peer.store(deliver(SENDER, "a draft"), state=2, announce=False)
    listener = listen(open_modem(peer))
    assert texts(listener.wait_for(Received, 2)) == ["unread", "read"]
    eventually(lambda: [state for state, _pdu in peer.memories["SM"].values()] == [2])
    assert peer.commands.index("+CNMI=2,1,0,1,0") < peer.commands.index("+CMGL=4")


def test_a_message_comes_in_and_is_deleted_after_it_was_handled(
    peer: PtyModem, open_modem: OpenModem, listen: Listen
) -> None:
    kept_while_handled: list[int] = []

    def handle(event: SmsEvent) -> None:
        if isinstance(event, Received):
            kept_while_handled.append(len(peer.memories["SM"]))

    listener = listen(open_modem(peer), handle=handle)
    listener.wait_for(HealthChanged)
    peer.receive(SENDER, "同意 7788")
    (event,) = listener.wait_for(Received)
    assert (event.part.sender, event.part.text, event.part.sent_at) == (SENDER, "同意 7788", WHEN)
    eventually(lambda: peer.memories["SM"] == {})
    assert kept_while_handled == [1]


def test_a_handler_that_fails_gets_the_event_again(peer: PtyModem, open_modem: OpenModem, listen: Listen) -> None:
    failures = [ValueError("the database is away")] * 4

    def handle(event: SmsEvent) -> None:
        if isinstance(event, Received | Report) and failures:
            raise failures.pop()

    listener = listen(open_modem(peer), handle=handle)
    listener.wait_for(HealthChanged)
    peer.receive(SENDER, "stored")
    assert texts(listener.wait_for(Received, 5)) == ["stored"] * 5
    eventually(lambda: peer.memories["SM"] == {})
    failures.extend([ValueError("again")] * 2)
    peer.report(9, NUMBER)
    assert {event.ref for event in listener.wait_for(Report, 3)} == {9}


@pytest.mark.parametrize("wide", [False, True])
def test_parts_in_any_order_become_one_message(
    peer: PtyModem, open_modem: OpenModem, listen: Listen, wide: bool
) -> None:
    listener = listen(open_modem(peer))
    for index, text in ((3, "三"), (1, "一😀"), (3, "三"), (2, "二")):
        peer.store(deliver(SENDER, text, concat=(200, 3, index), wide=wide))
    reassembly = Reassembly()
    messages = [reassembly.add(event.part, WHEN) for event in listener.wait_for(Received, 4)]
    assert [message.text for message in messages if message] == ["一😀二三"]


def test_a_delete_that_fails_loses_nothing_and_repeats_nothing(
    peer: PtyModem, open_modem: OpenModem, listen: Listen
) -> None:
    peer.answers["+CMGD"] = "+CMS ERROR: 500"
    listener = listen(open_modem(peer))
    peer.receive(SENDER, "first")
    listener.wait_for(Received, 1)
    peer.receive(SENDER, "second")
    assert texts(listener.wait_for(Received, 2)) == ["first", "second"]
    del peer.answers["+CMGD"]
    peer.receive(SENDER, "third")
    eventually(lambda: peer.memories["SM"] == {})
    assert texts(listener.wait_for(Received, 3)) == ["first", "second", "third"]


def test_a_list_that_fails_is_asked_for_again(peer: PtyModem, open_modem: OpenModem, listen: Listen) -> None:
    peer.answers["+CMGL"] = "+CMS ERROR: 314"
    listener = listen(open_modem(peer))
    peer.receive(SENDER, "patience")
    eventually(lambda: peer.commands.count("+CMGL=4") >= 2)
    del peer.answers["+CMGL"]
    assert texts(listener.wait_for(Received)) == ["patience"]


def test_messages_and_reports_in_other_memories_are_fetched(
    peer: PtyModem, open_modem: OpenModem, listen: Listen
) -> None:
    listener = listen(open_modem(peer))
    listener.wait_for(HealthChanged)
    peer.store(deliver(SENDER, "in ME"), memory="ME")
    assert texts(listener.wait_for(Received)) == ["in ME"]
    peer.store(status_report(17, NUMBER), memory="SR")
    assert [event.ref for event in listener.wait_for(Report)] == [17]
    peer.receive(SENDER, "in SM")
    assert texts(listener.wait_for(Received, 2)) == ["in ME", "in SM"]
    eventually(lambda: not any(peer.memories.values()))


def test_memory_full_makes_room(peer: PtyModem, open_modem: OpenModem, listen: Listen) -> None:
    modem = open_modem(peer)
    assert modem.send(sms(want_report=False)).outcome.is_accepted
    listener = listen(modem)
    listener.wait_for(HealthChanged)
    peer.store(deliver(SENDER, "unannounced"), announce=False)
    peer.behaviours.append("+CMS ERROR: 322")
    outcome = modem.send(sms()).outcome
    assert (outcome.verdict, outcome.retry_after) == (Verdict.DEFERRED, timedelta(seconds=30))
    assert texts(listener.wait_for(Received)) == ["unannounced"]
    eventually(lambda: peer.memories["SM"] == {})


def test_a_memory_that_stays_full_is_told_and_sending_goes_on(
    peer: PtyModem, open_modem: OpenModem, listen: Listen
) -> None:
    peer.capacity = 2
    for draft in ("a", "b"):
        peer.store(deliver(SENDER, draft), state=2, announce=False)
    modem = open_modem(peer)
    listen(modem)
    eventually(lambda: (modem.health().state, modem.health().reason) == (LinkState.DOWN, "memory_full"))
    assert modem.send(sms(want_report=False)).outcome.is_accepted
    assert len(peer.memories["SM"]) == 2, "drafts are somebody's"
    peer.memories["SM"].popitem()
    eventually(lambda: modem.health().state is LinkState.UP)


def test_a_modem_that_says_nothing_of_its_memory_is_not_called_full(peer: PtyModem, open_modem: OpenModem) -> None:
    for answer in ("+CMS ERROR: 303", '+CPMS: "SM",0,0,"SM",0,0,"SM",0,0', '+CPMS: "SM",50,50'):
        peer.answers["+CPMS?"] = answer
        modem = open_modem(peer)
        assert modem.send(sms(want_report=False)).outcome.is_accepted
        assert modem.health().state is LinkState.UP
        modem.close()


@pytest.mark.parametrize(
    ("status", "state"),
    [
        (0x00, DeliveryState.DELIVERED),
        (0x30, DeliveryState.TRYING),
        (0x46, DeliveryState.FAILED),
        (0x63, DeliveryState.GAVE_UP),
    ],
)
def test_status_reports_name_the_part(
    peer: PtyModem, open_modem: OpenModem, listen: Listen, status: int, state: DeliveryState
) -> None:
    peer.report_status = status
    modem = open_modem(peer)
    listener = listen(modem)
    result = modem.send(sms("云" * 80))
    reports = listener.wait_for(Report, 2)
    assert {report.ref for report in reports} == {part.ref for part in result.parts}
    assert {(report.to, report.state, report.at, report.status) for report in reports} == {
        (NUMBER, state, WHEN, status)
    }


def test_a_modem_that_wants_acknowledgements_gets_them(peer: PtyModem, open_modem: OpenModem, listen: Listen) -> None:
    peer.wants_acknowledgement = True
    listener = listen(open_modem(peer))
    listener.wait_for(HealthChanged)
    for ref in (1, 2, 3):
        peer.report(ref, NUMBER)
    peer.pass_through("+CMT", deliver(SENDER, "straight through"))
    assert [report.ref for report in listener.wait_for(Report, 3)] == [1, 2, 3]
    assert texts(listener.wait_for(Received)) == ["straight through"]
    eventually(lambda: peer.acknowledged == 4)


def test_what_cannot_be_read_is_shown_once_and_does_not_block(
    peer: PtyModem, open_modem: OpenModem, listen: Listen
) -> None:
    peer.store("0004FF", announce=False)
    listener = listen(open_modem(peer))
    assert listener.wait_for(Unreadable)[0].pdu == "0004FF"
    peer.receive(SENDER, "after it")
    assert texts(listener.wait_for(Received)) == ["after it"]
    assert len(listener.wait_for(Unreadable)) == 1


def test_unplugged_and_plugged_in_again_the_listener_goes_on(
    peer: PtyModem, open_modem: OpenModem, listen: Listen
) -> None:
    modem = open_modem(peer)
    listener = listen(modem)
    listener.wait_for(HealthChanged)
    peer.unplug()
    states = [event.health.state for event in listener.wait_for(HealthChanged, 2)]
    assert states == [LinkState.UP, LinkState.DOWN]
    peer.store(deliver(SENDER, "while away"), announce=False)
    peer.plug()
    assert texts(listener.wait_for(Received)) == ["while away"]
    assert modem.send(sms()).outcome.is_accepted


def test_health_is_told_when_it_changes(peer: PtyModem, open_modem: OpenModem, listen: Listen) -> None:
    listener = listen(open_modem(peer))
    listener.wait_for(HealthChanged)
    peer.csq = "99,99"
    assert listener.wait_for(HealthChanged, 2)[-1].health.reason == "no_signal"
    peer.csq = "15,0"
    assert listener.wait_for(HealthChanged, 3)[-1].health.state is LinkState.UP


def test_sending_and_receiving_at_once_mix_nothing_up(peer: PtyModem, open_modem: OpenModem, listen: Listen) -> None:
    modem = open_modem(peer)
    listener = listen(modem)
    refs: list[int | None] = []
    noise = threading.Thread(target=lambda: [peer.receive(SENDER, f"in {number}") for number in range(20)])
    noise.start()
    for number in range(20):
        result = modem.send(OutSms(str(number), NUMBER, f"out {number}", concat_ref=number))
        refs += [part.ref for part in result.parts]
    noise.join()
    assert refs == [(251 + number) % 256 for number in range(20)]
    assert [message.text for message in peer.messages()] == [f"out {number}" for number in range(20)]
    assert sorted(texts(listener.wait_for(Received, 20))) == sorted(f"in {number}" for number in range(20))
    assert {report.ref for report in listener.wait_for(Report, 20)} == set(refs)


@pytest.mark.parametrize("kind", ["+CMS", "+CME"])
def test_numbers_no_modem_has_are_no_numbers(kind: str) -> None:
    assert Refused(f"{kind} ERROR: {'9' * 5000}").number is None
    assert Refused(f"{kind} ERROR: 38").number == 38


def test_a_device_that_never_ends_its_line_fills_no_memory() -> None:
    scanner = Scanner()
    for _piece in range(1000):
        assert list(scanner.feed(b"x" * 4096)) == []
    assert list(scanner.feed(b"\r\nOK\r\n")) == ["x" * LONGEST_LINE, "OK"]


STREAM = b'\r\nOK\r\nAT+CSQ\r\r\n+CSQ: 21,0\r\n\r\n> \r\n+CMGS: 5\r\n\r\nOK\r\n+CMTI: "SM",3\r\n'
TOKENS = ["OK", "AT+CSQ", "+CSQ: 21,0", PROMPT, "+CMGS: 5", "OK", '+CMTI: "SM",3']


@given(st.lists(st.integers(0, len(STREAM))))
def test_the_line_is_read_alike_however_it_is_cut(cuts: list[int]) -> None:
    scanner = Scanner()
    pieces = pairwise([0, *sorted(cuts), len(STREAM)])
    assert [token for start, end in pieces for token in scanner.feed(STREAM[start:end])] == TOKENS
