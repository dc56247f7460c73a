"""What a gateway calls back with: whose it must be, and what is read of it."""

from __future__ import annotations

import base64
import json
from datetime import UTC, datetime, timedelta

import pytest

from connectors.outcome import BadMessage, BadSignature
from connectors.signatures import sign
from connectors.sms.gateway import GatewaySettings, GatewaySms
from connectors.sms.pdu import DeliveryState
from connectors.sms.transport import Incoming, ProviderReport, SmsEvent

NOW = datetime(2026, 11, 27, 1, 30, tzinfo=UTC)
STAMP = int(NOW.timestamp())
SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"


def road(secret: str = SECRET) -> GatewaySms:
    return GatewaySms(GatewaySettings.parse("https://sms.example.cn/send", secret=secret))


def call(body: bytes, *, secret: str = SECRET, now: datetime = NOW, **changed: str) -> list[SmsEvent]:
    headers = {name.title(): value for name, value in sign([SECRET], "m1", NOW, body).items()}
    return road(secret).parse_callback(headers | changed, body, now)


def signature(secret: str, webhook_id: str, at: datetime, body: bytes) -> str:
    return sign([secret], webhook_id, at, body)["webhook-signature"]


def body(*events: object) -> bytes:
    return json.dumps({"events": events}, ensure_ascii=False).encode()


REPORT = {"type": "report", "id": "BizId-9", "message": 4711, "to": "13800138000", "state": "failed", "code": "DB:0141"}
ANSWER = {"type": "received", "id": "up-1", "from": "13800138000", "text": "好的𠮷", "at": "2026-11-27T09:30:15+08:00"}


def test_reports_and_answers_are_read() -> None:
    report, answer = call(body(REPORT, ANSWER))
    assert report == ProviderReport("BizId-9", "4711", "13800138000", DeliveryState.FAILED, None, "DB:0141")
    assert isinstance(answer, Incoming)
    assert (answer.external_id, answer.sender, answer.text) == ("up-1", "13800138000", "好的𠮷")
    assert answer.at == datetime(2026, 11, 27, 1, 30, 15, tzinfo=UTC)


def test_the_signature_is_that_of_the_standard() -> None:
    """The example of the standard-webhooks documentation."""
    payload = b'{"test": 2432232314}'
    at = datetime.fromtimestamp(1614265330, UTC)
    assert signature(SECRET, "msg_p5jXN8AQM9LWM0D4loKWxJek", at, payload) == (
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
    )
    other = "whsec_" + base64.b64encode(b"other").decode()
    assert signature("plain", "m", NOW, b"") != signature(other, "m", NOW, b"")


def test_several_signatures_while_the_secret_is_changed() -> None:
    text = body()
    both = f"v1,AAAA {signature(SECRET, 'm1', NOW, text)} v2,whatever"
    assert call(text, **{"Webhook-Signature": both}) == []


@pytest.mark.parametrize(
    "changed",
    [
        {"Webhook-Signature": "v1,AAAA"},
        {"Webhook-Signature": ""},
        {"Webhook-Signature": "v1,ü"},
        {"Webhook-Id": "m2"},
        {"Webhook-Id": ""},
        {"Webhook-Timestamp": str(STAMP + 1)},
        {"Webhook-Timestamp": "soon"},
        {"Webhook-Timestamp": "٣"},
    ],
)
def test_a_call_that_is_not_signed_so_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(BadSignature):
        call(body(REPORT), **changed)


def test_a_body_that_was_changed_is_refused() -> None:
    signed = signature(SECRET, "m1", NOW, body(REPORT))
    with pytest.raises(BadSignature):
        call(body(ANSWER), **{"Webhook-Signature": signed})


@pytest.mark.parametrize("late", [timedelta(minutes=5, seconds=1), timedelta(minutes=-6)])
def test_an_old_call_is_refused(late: timedelta) -> None:
    with pytest.raises(BadSignature):
        call(body(REPORT), now=NOW + late)


@pytest.mark.parametrize("secret", ["", "whsec_not base64"])
def test_without_a_secret_nothing_is_taken(secret: str) -> None:
    with pytest.raises(BadSignature):
        call(body(REPORT), secret=secret)


@pytest.mark.parametrize(
    "said",
    [
        b"",
        b"{}",
        b"[1]",
        b"\xff",
        b"[" * 50_000,
        body(*[{}] * 1001),
        body({**REPORT, "state": "gone"}),
        body({**REPORT, "type": "other"}),
        body({**ANSWER, "id": ""}),
        body({**ANSWER, "id": "x" * 101}),
        body({**ANSWER, "id": "a\u0000b"}),
        body({**ANSWER, "from": None}),
        body({**ANSWER, "text": 5.5}),
        body({**ANSWER, "text": "x" * 10_001}),
        body({**ANSWER, "at": "yesterday"}),
        body({**ANSWER, "at": "2026-11-27T09:30:15"}),
        body({**ANSWER, "at": 5}),
    ],
)
def test_a_body_that_cannot_be_read_is_refused_whole(said: bytes) -> None:
    with pytest.raises(BadMessage):
        call(said)


def test_the_secret_shows_nowhere() -> None:
    settings = GatewaySettings.parse("https://sms.example.cn/send", "token-1", secret=SECRET)
    assert SECRET not in repr(settings)
