"""Robots as their services would judge us: signatures as each writes them down, limits, refusals in a 200."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from connectors.outcome import Verdict
from connectors.robots.catalogue import KINDS
from connectors.robots.kinds import TOO_FAST, merged, wait_for
from connectors.robots.sending import HttpRobots, OutRobot
from connectors.safe_http import Allowed
from tests.connectors.http_peer import Peer, http_peer

NOW = datetime(2026, 11, 27, 4, 0, 0, 123000, tzinfo=UTC)
HERE = Allowed.parse("127.0.0.1")
OK = {"wecom": {"errcode": 0, "errmsg": "ok"}, "dingtalk": {"errcode": 0, "errmsg": "ok"}, "feishu": {"code": 0}}


@pytest.fixture
def peer() -> Iterator[Peer]:
    with http_peer() as made:
        yield made


def send(peer: Peer, kind: str, text: str = "合同已批准", secret: str = "SECxyz") -> Verdict:
    return HttpRobots(HERE, timeout=1).send(OutRobot(kind, peer.url, secret, text, NOW)).verdict


def digest(key: str, message: str) -> str:
    return base64.b64encode(hmac.new(key.encode(), message.encode(), digestmod=hashlib.sha256).digest()).decode()


def test_wecom_is_told_in_its_words(peer: Peer) -> None:
    peer.says(200, OK["wecom"])
    assert send(peer, "wecom") is Verdict.ACCEPTED
    assert peer.asked[0].body == {"msgtype": "text", "text": {"content": "合同已批准"}}


def test_dingtalk_checks_the_sign_in_the_address(peer: Peer) -> None:
    peer.says(200, OK["dingtalk"])
    assert send(peer, "dingtalk") is Verdict.ACCEPTED
    given = parse_qs(urlsplit(peer.asked[0].line.split()[1]).query)
    stamp = given["timestamp"][0]
    assert stamp == "1795752000123"
    assert given["sign"][0] == digest("SECxyz", f"{stamp}\nSECxyz")
    assert given["channel"] == ["1"], "what stood in the address stays"


def test_feishu_checks_the_sign_in_the_body(peer: Peer) -> None:
    peer.says(200, OK["feishu"])
    assert send(peer, "feishu") is Verdict.ACCEPTED
    body = peer.asked[0].body
    assert body["timestamp"] == "1795752000"
    assert body["sign"] == digest(f"{body['timestamp']}\nSECxyz", "")
    assert body["content"] == {"text": "合同已批准"}


@pytest.mark.parametrize("kind", ["dingtalk", "feishu"])
def test_a_robot_without_a_secret_is_not_signed(peer: Peer, kind: str) -> None:
    peer.says(200, OK[kind])
    assert send(peer, kind, secret="") is Verdict.ACCEPTED
    assert "sign" not in peer.asked[0].line + json.dumps(peer.asked[0].body)


@pytest.mark.parametrize(
    ("kind", "status", "said", "verdict", "code"),
    [
        ("wecom", 200, {"errcode": 93000, "errmsg": "invalid webhook url"}, "rejected", "93000"),
        ("wecom", 200, {"errcode": 45009, "errmsg": "api freq out of limit"}, "deferred", TOO_FAST),
        ("wecom", 200, {"errcode": -1, "errmsg": "system busy"}, "deferred", "-1"),
        ("dingtalk", 200, {"errcode": 310000, "errmsg": "sign not match"}, "rejected", "310000"),
        ("dingtalk", 200, {"errcode": 130101, "errmsg": "send too fast"}, "deferred", TOO_FAST),
        (
            "feishu",
            200,
            {"code": 19021, "msg": "sign match fail"},
            "rejected",
            "19021",
        ),
        ("feishu", 400, {"code": 9499, "msg": "Bad Request"}, "rejected", "9499"),
        ("feishu", 200, {"code": 11232, "msg": "frequency limited"}, "deferred", TOO_FAST),
        ("feishu", 200, {"StatusCode": 0, "StatusMessage": "success"}, "accepted", "0"),
        ("feishu", 200, None, "unknown", "http_200"),
        ("wecom", 200, {"errcode": True}, "unknown", "http_200"),
        ("wecom", 404, None, "rejected", "http_404"),
        ("wecom", 503, None, "deferred", "http_503"),
        ("wecom", 500, None, "unknown", "http_500"),
    ],
)
def test_a_200_is_judged_by_the_code_in_it(
    peer: Peer, kind: str, status: int, said: object, verdict: str, code: str
) -> None:
    peer.says(status, said)
    outcome = HttpRobots(HERE).send(OutRobot(kind, peer.url, "s", "x", NOW))
    assert (outcome.verdict.value, outcome.code) == (verdict, code)


def test_dingtalk_is_left_alone_for_ten_minutes() -> None:
    outcome = KINDS["dingtalk"].judge(200, {"errcode": 130101})
    assert outcome.retry_after == timedelta(minutes=10)


def test_a_silent_service_is_doubt_and_an_absent_one_none(peer: Peer) -> None:
    peer.hang = True
    assert send(peer, "wecom") is Verdict.UNKNOWN
    outcome = HttpRobots(HERE).send(OutRobot("wecom", "http://127.0.0.1:1/", "", "x", NOW))
    assert (outcome.verdict, outcome.tried) == (Verdict.DEFERRED, False)


# ------------------------------------------------------------------------------------------------- limits


def test_texts_leave_together_as_far_as_they_fit() -> None:
    assert merged(["一", "二", "三"], 100) == ("一\n\n二\n\n三", 3)
    assert merged(["一" * 30, "二" * 5], 100) == ("一" * 30, 1)
    assert merged(["一", "二" * 100, "三"], 20) == ("一", 1), "the order is kept"


@pytest.mark.parametrize("sign", ["a", "云", "🎉"])
def test_a_text_too_long_is_cut_between_signs(sign: str) -> None:
    longest = KINDS["wecom"].longest
    text, count = merged([sign * 3000], longest)
    assert count == 1
    assert longest - 4 < len(text.encode()) <= longest
    assert set(text) == {sign, "…"}


def test_feishu_stays_below_20_kb_whatever_is_said() -> None:
    text, _count = merged(['"' * 9000 + "云" * 9000], KINDS["feishu"].longest)
    assert len(KINDS["feishu"].build("u", "s", text, NOW).body) < 20 * 1024


def test_no_window_ever_holds_more_than_the_service_allows() -> None:
    """Greedy senders that always wait as they are told."""
    for kind in KINDS.values():
        now, sent = 0.0, []
        for _n in range(250):
            now += wait_for(kind.rates, sent, now)
            sent.append(now)
        for at in sent:
            assert sum(at <= other < at + 60 for other in sent) <= (100 if kind.name == "feishu" else 20)
            assert kind.name != "feishu" or sum(at <= other < at + 1 for other in sent) <= 5
