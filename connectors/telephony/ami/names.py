"""Which channels are agents' phones: PJSIP/1001-0000001a is the phone of extension 1001, a trunk has another name."""

from __future__ import annotations

import re

_EXTENSION = re.compile(r"[0-9]{2,6}")
_UNIQUE_TAIL = re.compile(r"-[0-9a-fA-F]{6,}(;[12])?$")


def is_local(channel: str) -> bool:
    """Half of a loop inside the exchange; it is optimised away sooner or later and is nobody's phone."""
    return channel.startswith("Local/")


def agent_of_channel(channel: str) -> str:
    """The extension whose phone this channel is; "" for trunks and loops."""
    return "" if is_local(channel) else _extension(_UNIQUE_TAIL.sub("", channel))


def agent_of_interface(interface: str) -> str:
    """The extension of a queue member: PJSIP/1001, or Local/1001@from-queue/n."""
    return _extension(interface)


def _extension(name: str) -> str:
    _technology, _slash, rest = name.partition("/")
    endpoint = rest.split("@", 1)[0].split("/", 1)[0]
    return endpoint if _EXTENSION.fullmatch(endpoint) else ""


def is_extension(number: str) -> bool:
    return _EXTENSION.fullmatch(number) is not None
