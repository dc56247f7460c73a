"""Each answer of an HTTP gateway, and each silence, and what becomes of the message."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

import pytest

from connectors.outcome import LinkState, Misconfigured, Verdict
from connectors.sms import gateway
from connectors.sms.gateway import PAUSES, GatewaySettings, GatewaySms
from connectors.sms.transport import OutSms
from tests.connectors.http_peer import Peer, http_peer
from tests.connectors.smtp_peers import free_port

TEXT = "【云流】李娜，您的费用申请“拜访上海客户”（¥12,345.60）已批准。" * 3
TOKEN = "t0ken-of-the-gateway"


@pytest.fixture
def peer() -> Iterator[Peer]:
    with http_peer() as found:
        yield found


def road(peer: Peer, timeout: float = 5) -> GatewaySms:
    return GatewaySms(GatewaySettings.parse(peer.url, TOKEN, timeout))


def sms(attempt: int = 1, text: str = TEXT) -> OutSms:
    return OutSms(id="4711", to="+8619900000001", text=text, concat_ref=1, attempt=attempt)


def test_a_message_is_handed_over_whole_with_its_key(peer: Peer) -> None:
    peer.says(202, {"id": "BizId-9", "text": "queued"})
    sender = road(peer)
    result = sender.send(sms())
    assert result.outcome.verdict is Verdict.ACCEPTED
    assert result.total == 2
    assert [part.provider_id for part in result.parts] == ["BizId-9", "BizId-9"]
    (asked,) = peer.asked
    assert asked.line == "POST /send?channel=1 HTTP/1.1"
    assert asked.body == {"id": "4711", "to": "+8619900000001", "text": TEXT, "segments": 2}
    assert asked.headers["authorization"] == f"Bearer {TOKEN}"
    assert asked.headers["idempotency-key"] == "4711"
    assert sender.health().state is LinkState.UP


@pytest.mark.parametrize("said", ["", "[]", "not json", '{"id": null}', "[" * 10_000])
def test_the_status_decides_whatever_the_body_is(peer: Peer, said: str) -> None:
    peer.answer = f"HTTP/1.1 200 OK\r\nContent-Length: {len(said)}\r\n\r\n{said}".encode()
    result = road(peer).send(sms())
    assert (result.outcome.verdict, result.parts[0].provider_id) == (Verdict.ACCEPTED, "")


def test_an_answer_that_breaks_off_has_still_been_given(peer: Peer) -> None:
    peer.answer = b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"id"'
    assert road(peer).send(sms()).outcome.verdict is Verdict.ACCEPTED


def test_a_refusal_is_final_and_says_why(peer: Peer) -> None:
    peer.says(422, {"code": "isv.MOBILE_NUMBER_ILLEGAL", "text": "号码不合法"})
    outcome = road(peer).send(sms()).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.REJECTED, "http_422")
    assert outcome.text == "isv.MOBILE_NUMBER_ILLEGAL 号码不合法"


@pytest.mark.parametrize("status", [408, 425, 429, 503])
def test_later_is_later(peer: Peer, status: int) -> None:
    peer.says(status)
    sender = road(peer)
    outcome = sender.send(sms(attempt=2)).outcome
    assert (outcome.verdict, outcome.retry_after) == (Verdict.DEFERRED, PAUSES[1])
    assert sender.health().state is LinkState.DEGRADED
    assert sender.send(sms(attempt=len(PAUSES) + 1)).outcome.verdict is Verdict.REJECTED


@pytest.mark.parametrize(
    ("named", "pause"),
    [
        ("90", timedelta(seconds=90)),
        ("99999", gateway.LONGEST_PAUSE),
        ("-1", PAUSES[0]),
        ("Fri, 27 Nov 2026 09:00:00 GMT", PAUSES[0]),
    ],
)
def test_the_gateway_may_name_the_pause(peer: Peer, named: str, pause: timedelta) -> None:
    peer.says(429, None, **{"Retry-After": named})
    assert road(peer).send(sms()).outcome.retry_after == pause


@pytest.mark.parametrize("status", [500, 502, 504])
def test_a_failure_after_the_handing_over_is_a_doubt(peer: Peer, status: int) -> None:
    peer.says(status)
    assert road(peer).send(sms()).outcome.verdict is Verdict.UNKNOWN


def test_silence_after_the_handing_over_is_a_doubt(peer: Peer) -> None:
    peer.hang = True
    sender = road(peer, timeout=0.3)
    outcome = sender.send(sms()).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.UNKNOWN, "in_doubt")
    assert sender.health().reason == "in_doubt"
    peer.hang, peer.answer = False, None
    assert sender.send(sms()).outcome.verdict is Verdict.UNKNOWN
    peer.answer = b"220 smtp.example.cn ready\r\n"
    assert sender.send(sms()).outcome.verdict is Verdict.UNKNOWN


def test_who_cannot_be_reached_has_got_nothing() -> None:
    sender = GatewaySms.from_url(f"http://127.0.0.1:{free_port()}/send")
    outcome = sender.send(sms()).outcome
    assert (outcome.verdict, outcome.code, outcome.tried) == (Verdict.DEFERRED, "unreachable", False)
    assert sender.health().state is LinkState.DOWN


@pytest.mark.parametrize(("status", "reason"), [(401, "auth_refused"), (403, "auth_refused"), (302, "redirected")])
def test_wrong_settings_stop_the_road_and_no_message_is_lost(peer: Peer, status: int, reason: str) -> None:
    peer.says(status, None, Location="http://127.0.0.1:1/")
    sender = road(peer)
    for _time in range(3):
        outcome = sender.send(sms()).outcome
        assert (outcome.verdict, outcome.code, outcome.tried) == (Verdict.DEFERRED, reason, False)
    assert len(peer.asked) == 1  # the account is not hammered
    assert (sender.health().state, sender.health().reason) == (LinkState.DOWN, reason)


def test_a_text_that_no_phone_takes_is_refused_before_the_line(peer: Peer) -> None:
    assert road(peer).send(sms(text="\ud800")).outcome.verdict is Verdict.REJECTED
    assert peer.asked == []


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sms.example.cn",
        "ftp://sms.example.cn/",
        "https:///send",
        "https://user:secret@sms.example.cn/",
        "https://sms.example.cn:x/",
        "https://sms.example.cn/a b",
        "https://sms.example.cn/发送",
        "http://sms.example.cn/send",
    ],
)
def test_an_address_that_cannot_be_right_is_refused_at_the_start(url: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        GatewaySettings.parse(url, TOKEN)
    assert TOKEN not in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_a_token_is_printed_nowhere(peer: Peer, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    settings = GatewaySettings.parse(peer.url, TOKEN)
    GatewaySms(settings).send(sms())
    assert TOKEN not in repr(settings)
    assert not any(TOKEN in str(vars(record)) or "19900000001" in str(vars(record)) for record in caplog.records)
    with pytest.raises(Misconfigured):
        GatewaySettings.parse(peer.url, "two\r\nlines")
