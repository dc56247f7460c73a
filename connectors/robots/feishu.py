"""Feishu (飞书): signed in the body; 100 messages a minute and 5 a second, 20 KB all in all."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.robots.kinds import Kind, Request, as_json, number, signature


def build(url: str, secret: str, text: str, now: datetime) -> Request:
    """The sign is HMAC-SHA256 of nothing under the key: seconds, LF, secret."""
    body: dict[str, Any] = {"msg_type": "text", "content": {"text": text}}
    if secret:
        stamp = str(int(now.timestamp()))
        body = {"timestamp": stamp, "sign": signature(f"{stamp}\n{secret}", ""), **body}
    return Request(url, as_json(body))


def code_of(said: Mapping[str, Any]) -> int | None:
    return number(said, "code", "StatusCode")


FEISHU = Kind(
    name="feishu",
    hosts=("open.feishu.cn", "open.larksuite.com"),
    longest=9_000,  # 20 KB of JSON, in which a sign may take twice its room
    rates=((100, 62.0), (5, 1.1)),
    punished=timedelta(minutes=1),
    build=build,
    code_of=code_of,
    too_fast=frozenset({11232, 11233}),
    busy=frozenset(),
)
