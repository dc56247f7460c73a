"""WeCom (企业微信): the key stands in the address, nothing is signed; 20 messages a minute, 2,048 bytes of text."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from connectors.robots.kinds import Kind, Request, as_json, number


def build(url: str, _secret: str, text: str, _now: datetime) -> Request:
    return Request(url, as_json({"msgtype": "text", "text": {"content": text}}))


def code_of(said: Mapping[str, Any]) -> int | None:
    return number(said, "errcode")


WECOM = Kind(
    name="wecom",
    hosts=("qyapi.weixin.qq.com",),
    longest=2048,
    rates=((20, 62.0),),
    punished=timedelta(minutes=1),
    build=build,
    code_of=code_of,
    too_fast=frozenset({45009}),
    busy=frozenset({-1}),
)
