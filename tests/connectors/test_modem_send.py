"""Sending over a pseudo-terminal modem: every row of the failure table."""

from __future__ import annotations

import errno
import logging
import shutil
import subprocess
import time
from collections import deque
from collections.abc import Callable
from datetime import timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from connectors.outcome import LinkState, Verdict
from connectors.sms.at import SerialLine
from connectors.sms.modem import ModemSms, open_serial, stable_name
from connectors.sms.transport import OutSms
from tests.connectors import pty_modem
from tests.connectors.conftest import IMPATIENT
from tests.connectors.pty_modem import Message, PtyModem

OpenModem = Callable[..., ModemSms]
NUMBER = "+8613800138000"
LONG = "云流😀" * 45  # three parts


def sms(text: str = "您的报销单已通过", **more: object) -> OutSms:
    return OutSms(**({"id": "7", "to": NUMBER, "text": text, "concat_ref": 300} | more))


def eventually(condition: Callable[[], bool], seconds: float = 5.0) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_a_text_leaves(peer: PtyModem, open_modem: OpenModem) -> None:
    modem = open_modem(peer)
    result = modem.send(sms())
    assert result.outcome.verdict is Verdict.ACCEPTED
    assert [(part.index, part.ref) for part in result.parts] == [(1, 251)]
    assert peer.messages() == [Message(NUMBER, "您的报销单已通过", 1)]
    assert peer.parts[0].validity == timedelta(days=1)
    assert modem.health().state is LinkState.UP
    assert modem.health().facts == {"operator": "CHINA MOBILE", "signal_dbm": "-71"}


def test_start_goes_in_order(peer: PtyModem, open_modem: OpenModem) -> None:
    open_modem(peer).send(sms())
    started = [command for command in peer.commands if command]
    assert started[:8] == ["E0", "+CMEE=1", "+CPIN?", "+CMGF=0", "+CNMI=2,1,0,1,0", "+CSQ", "+CREG?", "+COPS?"]


def test_a_long_text_leaves_in_parts_under_one_reference(peer: PtyModem, open_modem: OpenModem) -> None:
    result = open_modem(peer).send(sms(LONG))
    assert [part.ref for part in result.parts] == [251, 252, 253]
    assert {part.ref for part in peer.parts} == {300 & 0xFF}
    assert peer.messages() == [Message(NUMBER, LONG, 3)]


@pytest.mark.parametrize(("to", "code"), [("138 0013", "bad_number"), ("", "bad_number")])
def test_what_cannot_be_encoded_never_reaches_the_modem(
    peer: PtyModem, open_modem: OpenModem, to: str, code: str
) -> None:
    outcome = open_modem(peer).send(sms(to=to)).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.REJECTED, code)
    assert peer.commands == []


# --- PIN and SIM ---


def test_the_right_pin_opens_the_sim(open_modem: OpenModem, tmp_path: Path) -> None:
    marker = tmp_path / "pin-tried"
    with PtyModem(pin="1234") as peer:
        assert open_modem(peer, pin="1234", pin_marker=marker).send(sms()).outcome.is_accepted
        assert peer.pin_tries == ["1234"]
        assert not marker.exists()


def test_a_wrong_pin_is_entered_once_and_never_again(open_modem: OpenModem, tmp_path: Path) -> None:
    marker = tmp_path / "pin-tried"
    with PtyModem(pin="1234") as peer:
        for _restart in range(3):
            modem = open_modem(peer, pin="9999", pin_marker=marker)
            for _attempt in range(2):
                outcome = modem.send(sms()).outcome
                assert (outcome.verdict, outcome.code, outcome.tried) == (Verdict.DEFERRED, "sim_pin_refused", False)
            assert (modem.health().state, modem.health().reason) == (LinkState.DOWN, "sim_pin_refused")
            modem.close()
        assert peer.pin_tries == ["9999"]
        marker.unlink()
        assert open_modem(peer, pin="1234", pin_marker=marker).send(sms()).outcome.is_accepted


@pytest.mark.parametrize("pin", ["", "12x4", '1";+CFUN=0'])
def test_without_a_usable_pin_none_is_entered(open_modem: OpenModem, pin: str) -> None:
    with PtyModem(pin="1234") as peer:
        modem = open_modem(peer, pin=pin)
        assert modem.send(sms()).outcome.code in ("sim_pin_missing", "sim_pin_malformed")
        assert peer.pin_tries == []


@pytest.mark.parametrize(
    ("answer", "code"),
    [("+CPIN: SIM PUK", "sim_puk"), ("+CPIN: PH-NET PIN", "sim_locked"), ("+CME ERROR: 10", "sim_missing")],
)
def test_a_sim_that_needs_a_person_stops_the_modem(
    peer: PtyModem, open_modem: OpenModem, answer: str, code: str
) -> None:
    peer.answers["+CPIN?"] = answer
    modem = open_modem(peer, pin="1234")
    assert modem.send(sms()).outcome.code == code
    del peer.answers["+CPIN?"]
    peer.commands.clear()
    assert modem.send(sms()).outcome.code == code
    assert peer.commands == []
    assert modem.health().reason == code


def test_a_sim_that_is_still_starting_is_asked_again(peer: PtyModem, open_modem: OpenModem) -> None:
    peer.answers["+CPIN?"] = "+CME ERROR: 14"
    modem = open_modem(peer)
    outcome = modem.send(sms()).outcome
    assert (outcome.code, outcome.tried) == ("sim_busy", False)
    del peer.answers["+CPIN?"]
    eventually(lambda: modem.send(sms()).outcome.is_accepted)


@pytest.mark.parametrize("number", [310, 311, 312, 313, 316])
def test_a_sim_error_while_sending_stops_the_modem(peer: PtyModem, open_modem: OpenModem, number: int) -> None:
    peer.behaviours.append(f"+CMS ERROR: {number}")
    modem = open_modem(peer)
    outcome = modem.send(sms()).outcome
    assert (outcome.verdict, outcome.code, outcome.tried) == (Verdict.DEFERRED, f"cms_{number}", False)
    assert modem.health().state is LinkState.DOWN
    peer.commands.clear()
    assert modem.send(sms()).outcome.code == f"cms_{number}"
    assert peer.commands == []


# --- network ---


@pytest.mark.parametrize(("answers", "reason"), [({"csq": "99,99"}, "no_signal"), ({"creg": "0,2"}, "not_registered")])
def test_without_network_messages_are_held_until_it_is_back(
    peer: PtyModem, open_modem: OpenModem, answers: dict[str, str], reason: str
) -> None:
    before = {name: getattr(peer, name) for name in answers}
    for name, value in answers.items():
        setattr(peer, name, value)
    modem = open_modem(peer)
    outcome = modem.send(sms(attempt=99)).outcome
    assert (outcome.verdict, outcome.code, outcome.tried) == (Verdict.DEFERRED, reason, False)
    assert (modem.health().state, modem.health().reason) == (LinkState.DEGRADED, reason)
    for name, value in before.items():
        setattr(peer, name, value)
    eventually(lambda: modem.send(sms()).outcome.is_accepted)
    assert len(peer.parts) == 1


def test_network_lost_while_sending_holds_the_message(peer: PtyModem, open_modem: OpenModem) -> None:
    peer.behaviours.append("+CMS ERROR: 331")
    modem = open_modem(peer)
    first = modem.send(sms(attempt=99))
    assert (first.outcome.verdict, first.outcome.code, first.outcome.tried) == (Verdict.DEFERRED, "cms_331", False)
    assert modem.health().state is LinkState.DEGRADED
    assert sms(attempt=2).again(first).attempt == 2


# --- the modem's answers ---


@pytest.mark.parametrize("number", [27, 38, 41, 42, 47, 314, 320, 332, 512])
def test_a_temporary_error_waits_longer_each_time_and_then_ends(
    peer: PtyModem, open_modem: OpenModem, number: int
) -> None:
    modem = open_modem(peer)
    message, pauses = sms(), []
    peer.behaviours.extend([f"+CMS ERROR: {number}"] * 4)
    for _attempt in range(3):
        result = modem.send(message)
        assert result.outcome.verdict is Verdict.DEFERRED
        pauses.append(result.outcome.retry_after)
        message = message.again(result)
    assert pauses == [timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10)]
    last = modem.send(message).outcome
    assert (last.verdict, last.code) == (Verdict.REJECTED, f"cms_{number}")
    assert peer.parts == []


@pytest.mark.parametrize("number", [1, 8, 10, 21, 28, 30, 50, 69, 304, 305])
def test_a_permanent_error_is_final(peer: PtyModem, open_modem: OpenModem, number: int) -> None:
    peer.behaviours.append(f"+CMS ERROR: {number}")
    outcome = open_modem(peer).send(sms()).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.REJECTED, f"cms_{number}")


@pytest.mark.parametrize(("line", "code"), [("ERROR", "error"), ("+CMS ERROR: 500", "cms_500")])
def test_an_error_that_says_nothing_is_tried_once_more(
    peer: PtyModem, open_modem: OpenModem, line: str, code: str
) -> None:
    peer.behaviours.append(line)
    modem = open_modem(peer)
    assert modem.send(sms()).outcome.is_accepted
    assert len(peer.parts) == 1
    peer.behaviours.extend([line, line])
    outcome = modem.send(sms()).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.REJECTED, code)
    assert len(peer.parts) == 1


def test_no_prompt_is_safe_to_try_again(peer: PtyModem, open_modem: OpenModem) -> None:
    peer.behaviours.append(pty_modem.HANG_BEFORE_PROMPT)
    modem = open_modem(peer)
    assert modem.send(sms()).outcome.is_accepted
    peer.behaviours.extend([pty_modem.HANG_BEFORE_PROMPT] * 2)
    outcome = modem.send(sms()).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.DEFERRED, "no_prompt")
    assert len(peer.parts) == 1


def test_no_answer_after_the_message_is_unknown_and_not_repeated(peer: PtyModem, open_modem: OpenModem) -> None:
    peer.behaviours.append(pty_modem.HANG_AFTER_MESSAGE)
    modem = open_modem(peer)
    result = modem.send(sms())
    assert (result.outcome.verdict, result.outcome.code) == (Verdict.UNKNOWN, "in_doubt")
    assert result.parts[0].ref is None
    assert len(peer.parts) == 1
    assert modem.send(sms("next")).outcome.is_accepted
    assert [message.text for message in peer.messages()] == ["您的报销单已通过", "next"]


def test_part_two_of_three_fails_and_only_the_rest_is_sent_again(peer: PtyModem, open_modem: OpenModem) -> None:
    peer.behaviours.extend([pty_modem.OK, "+CMS ERROR: 38"])
    modem = open_modem(peer)
    message = sms(LONG)
    first = modem.send(message)
    assert (first.outcome.verdict, first.sent, first.total) == (Verdict.DEFERRED, {1}, 3)
    assert peer.messages() == []
    second = modem.send(message.again(first))
    assert (second.outcome.verdict, second.sent) == (Verdict.ACCEPTED, {2, 3})
    assert [part.index for part in peer.parts] == [1, 2, 3]
    assert peer.messages() == [Message(NUMBER, LONG, 3)]


# --- the cable ---


def test_unplugged_before_the_message_nothing_left(peer: PtyModem, open_modem: OpenModem) -> None:
    peer.behaviours.append(pty_modem.UNPLUG_BEFORE_PROMPT)
    modem = open_modem(peer)
    outcome = modem.send(sms()).outcome
    assert (outcome.verdict, outcome.code, outcome.tried) == (Verdict.DEFERRED, "modem_lost", False)
    assert modem.health().state is LinkState.DOWN
    assert peer.parts == []
    peer.plug()
    eventually(lambda: modem.send(sms()).outcome.is_accepted)


class BreakingCable:
    """A serial line that breaks when it is asked to write bytes that begin like this."""

    def __init__(self, line: SerialLine, beginning: bytes) -> None:
        self._line = line
        self._beginning = beginning

    def write(self, data: bytes) -> int | None:
        if data.startswith(self._beginning):
            raise OSError(errno.EIO, "Input/output error")
        return self._line.write(data)

    def __getattr__(self, name: str) -> object:
        return getattr(self._line, name)


@pytest.mark.parametrize(
    ("beginning", "verdict"), [(b"AT+CMGS", Verdict.DEFERRED), (b"00", Verdict.DEFERRED), (b"\x1a", Verdict.UNKNOWN)]
)
def test_a_write_that_fails_is_in_doubt_only_for_the_last_byte(
    peer: PtyModem, open_modem: OpenModem, beginning: bytes, verdict: Verdict
) -> None:
    modem = open_modem(peer, connect=lambda *where: BreakingCable(open_serial(*where), beginning))
    outcome = modem.send(sms()).outcome
    assert outcome.verdict is verdict
    assert outcome.tried is (verdict is Verdict.UNKNOWN)
    assert peer.parts == []


def test_unplugged_after_the_message_is_unknown(peer: PtyModem, open_modem: OpenModem) -> None:
    peer.behaviours.append(pty_modem.UNPLUG_AFTER_MESSAGE)
    modem = open_modem(peer)
    assert modem.send(sms()).outcome.verdict is Verdict.UNKNOWN
    assert (modem.health().state, modem.health().reason) == (LinkState.DOWN, "modem_lost")
    peer.plug()
    eventually(lambda: modem.send(sms("next")).outcome.is_accepted)
    assert [message.text for message in peer.messages()] == ["您的报销单已通过", "next"]


def test_an_absent_modem_is_looked_for_at_growing_intervals(tmp_path: Path) -> None:
    looks: list[float] = []

    def absent(device: str, _baud: int) -> pty_modem.PtyModem:
        looks.append(time.monotonic())
        raise FileNotFoundError(2, "No such file", device)

    modem = ModemSms(str(tmp_path / "none"), timing=IMPATIENT, connect=absent)
    end = time.monotonic() + 0.9
    while time.monotonic() < end:
        outcome = modem.send(sms()).outcome
        assert (outcome.code, outcome.tried) == ("modem_absent", False)
        time.sleep(0.005)
    pauses = [later - earlier for earlier, later in pairwise(looks)]
    assert 3 <= len(pauses) <= 6
    assert all(pause >= least for pause, least in zip(pauses, (0.05, 0.1, 0.2, 0.2, 0.2, 0.2), strict=False))


def test_the_port_belongs_to_one_process(peer: PtyModem, open_modem: OpenModem) -> None:
    assert open_modem(peer).send(sms()).outcome.is_accepted
    outcome = open_modem(peer).send(sms()).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.DEFERRED, "port_busy")


def test_a_modem_that_says_nothing_at_all_is_down(peer: PtyModem, open_modem: OpenModem) -> None:
    peer.deaf = True
    modem = open_modem(peer)
    assert modem.send(sms()).outcome.code == "modem_silent"
    assert (modem.health().state, modem.health().reason) == (LinkState.DOWN, "modem_silent")
    peer.deaf = False
    eventually(lambda: modem.send(sms()).outcome.is_accepted)


def test_a_modem_left_at_its_prompt_is_brought_back(peer: PtyModem, open_modem: OpenModem) -> None:
    peer.abandon_prompt()
    assert open_modem(peer).send(sms()).outcome.is_accepted


def test_modest_modems_do(peer: PtyModem, open_modem: OpenModem) -> None:
    peer.answers |= {
        "+CMEE=1": "ERROR",
        "+CNMI=2,1,0,1,0": "ERROR",
        "+COPS?": "ERROR",
        "+CSQ": "ERROR",
        "+CREG?": "ERROR",
    }
    assert open_modem(peer).send(sms()).outcome.is_accepted
    assert "+CNMI=2,1,0,2,0" in peer.commands


@pytest.mark.parametrize("needed", ["+CMGF=0", "+CNMI"])
def test_a_modem_that_cannot_do_what_we_need_is_down(peer: PtyModem, open_modem: OpenModem, needed: str) -> None:
    peer.answers[needed] = "ERROR"
    modem = open_modem(peer)
    outcome = modem.send(sms()).outcome
    assert (outcome.verdict, modem.health().state) == (Verdict.DEFERRED, LinkState.DOWN)


def test_the_stable_name_follows_the_device(tmp_path: Path) -> None:
    names = tmp_path / "by-id"
    names.mkdir()
    device = tmp_path / "ttyUSB0"
    device.touch()
    assert stable_name(str(device), names) == str(device)
    (names / "usb-Huawei-if00").symlink_to(device)
    assert stable_name(str(device), names) == str(names / "usb-Huawei-if00")


def test_logs_hold_neither_pin_nor_number_nor_text(
    open_modem: OpenModem, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    # eight digits: four stand in a time or an address of the log by chance
    with PtyModem(pin="47118250", behaviours=deque(["+CMS ERROR: 38"])) as peer:
        modem = open_modem(peer, pin="47118250")
        modem.send(sms())
        modem.send(sms())
    told = " ".join(str(vars(record)) for record in caplog.records) + repr(vars(modem))
    assert "sms.tried" in told
    assert "…8000" in told
    for secret in ("47118250", "13800138000", "报销"):
        assert secret not in told


@pytest.mark.skipif(shutil.which("gammu") is None, reason="no gammu: apt-get install gammu")
def test_a_foreign_driver_takes_our_terminal_for_a_modem(peer: PtyModem, tmp_path: Path) -> None:
    config = tmp_path / "gammurc"
    config.write_text(f"[gammu]\nport = {Path(peer.device).resolve()}\nconnection = at115200\nmodel = at\n")
    text = "云流：您好 ok"
    subprocess.run(
        ["gammu", "-c", str(config), "sendsms", "TEXT", NUMBER, "-unicode", "-text", text],
        check=True,
        timeout=60,
        capture_output=True,
        env={"LC_ALL": "C.UTF-8", "PATH": "/usr/bin:/bin"},
    )
    assert peer.messages() == [Message(NUMBER, text, 1)]
