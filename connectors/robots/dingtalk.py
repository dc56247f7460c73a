"""DingTalk (钉钉): signed in the address; more than 20 messages a minute, and it is deaf for ten."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from connectors.robots.kinds import Kind, Request, as_json, number, signature


def build(url: str, secret: str, text: str, now: datetime) -> Request:
    """The sign is HMAC-SHA256(secret, milliseconds LF secret); a robot without one goes by keywords or addresses."""
    if secret:
        stamp = str(int(now.timestamp() * 1000))
        signed = urlencode({"timestamp": stamp, "sign": signature(secret, f"{stamp}\n{secret}")})
        url = f"{url}{'&' if '?' in url else '?'}{signed}"
    return Request(url, as_json({"msgtype": "text", "text": {"content": text}}))


def code_of(said: Mapping[str, Any]) -> int | None:
    return number(said, "errcode")


DINGTALK = Kind(
    name="dingtalk",
    hosts=("oapi.dingtalk.com",),
    longest=15_000,
    rates=((20, 62.0),),
    punished=timedelta(minutes=10),
    build=build,
    code_of=code_of,
    too_fast=frozenset({130101, 410100}),
    busy=frozenset({-1}),
)
