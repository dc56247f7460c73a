"""The simulated road behaves like the modem's, without a modem."""

from __future__ import annotations

import threading
from datetime import timedelta

import pytest

from connectors.outcome import Outcome, Verdict
from connectors.sms.simulator import SimulatedSms, SimulatedSmsRoad
from connectors.sms.transport import OutSms, Received, Report, SmsTransport
from tests.connectors.pdu_peer import deliver, status_report

NUMBER = "+8613800138000"


def sms(text: str = "已通过", **more: object) -> OutSms:
    return OutSms(**({"id": "7", "to": NUMBER, "text": text, "concat_ref": 7} | more))


def test_what_left_is_read_and_reported() -> None:
    road = SimulatedSmsRoad()
    transport: SmsTransport = road
    result = transport.send(sms("云" * 71))
    assert road.sent == [SimulatedSms("7", NUMBER, "云" * 71, 2)]
    events = transport.events(threading.Event())
    reports = [next(events), next(events)]
    assert [report.ref for report in reports if isinstance(report, Report)] == [part.ref for part in result.parts]


def test_what_the_modem_would_refuse_is_refused() -> None:
    road = SimulatedSmsRoad()
    assert road.send(sms(to="12 34")).outcome.verdict is Verdict.REJECTED
    assert road.sent == []


def test_the_script_decides() -> None:
    gathered: list[SimulatedSms] = []
    outcomes = [Outcome.deferred(timedelta(seconds=30), "cms_38"), Outcome.unknown("in_doubt"), Outcome.accepted()]
    road = SimulatedSmsRoad(gathered.append, script=lambda _m: outcomes.pop(0))
    verdicts = [road.send(sms()).outcome.verdict for _attempt in range(3)]
    assert verdicts == [Verdict.DEFERRED, Verdict.UNKNOWN, Verdict.ACCEPTED]
    assert len(gathered) == 1


def test_messages_come_in() -> None:
    road = SimulatedSmsRoad()
    road.receive(deliver(NUMBER, "同意"))
    event = next(road.events(threading.Event()))
    assert isinstance(event, Received)
    assert event.part.text == "同意"
    with pytest.raises(TypeError):
        road.receive(status_report(1, NUMBER))
