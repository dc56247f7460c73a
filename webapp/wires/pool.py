"""The roads by which SMS of one house leave: modems, a spool, a gateway; who of them sends when not all are well.

All lease from the same outbox, so a message is in one hand at a time. A road that is not up leaves the messages to
those that are; when none is, each goes on asking, so that people read why their messages wait, and for how long.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path

from engine import health
from engine.db import Sessions
from webapp.settings import Settings

SMS = "sms"
GATEWAY = "sms-gateway"
SPOOL = "sms-spool"

Ask = Callable[[], tuple[str, str]]

_RANK = ("up", "degraded", "down")


@dataclass(frozen=True)
class Modem:
    """A port with its PIN. `name`: of its process, and of its line among the roads."""

    name: str
    port: str
    pin: str
    pin_marker: Path


def modems(settings: Settings) -> tuple[Modem, ...]:
    """A lone modem is called like the channel; several are numbered in the order of the setting."""
    if settings.devices_simulated:
        return ()
    ports, pins = split(settings.sms_modem), [pin.strip() for pin in settings.sms_pin.split(",")]
    if len(ports) == 1:
        return (Modem(SMS, ports[0], pins[0], settings.data_dir / "sms_pin_refused"),)
    found = []
    for number, port in enumerate(ports, start=1):
        pin = pins[0] if len(pins) == 1 else pins[number - 1]
        name = f"{SMS}-{number}"
        found.append(Modem(name, port, pin, settings.data_dir / f"sms_pin_refused.{name}"))
    return tuple(found)


def devices(settings: Settings) -> tuple[str, ...]:
    """The roads with a process of their own: modems, and smsd's spool; one alone is called like the channel."""
    found = tuple(modem.name for modem in modems(settings))
    if not settings.sms_spool or settings.devices_simulated:
        return found
    return (*found, SPOOL) if found or settings.sms_gateway_url else (SMS,)


def split(text: str) -> list[str]:
    return [part.strip() for part in text.split(",") if part.strip()]


def names(settings: Settings) -> tuple[str, ...]:
    """Every road of the house that sends for itself, the one of last resort at the end."""
    if settings.devices_simulated:
        return ()
    own = devices(settings)
    if not settings.sms_gateway_url:
        return own
    return (*own, GATEWAY) if own else (SMS,)


def others_up(name: str, roads: Iterable[str]) -> bool:
    """Whether another road could send now, as its process has said lately."""
    seen = health.seen(Sessions())
    return any(seen[other].state == "up" for other in roads if other != name and other in seen)


def of_channel(name: str, own: Ask, roads: Iterable[str]) -> Ask:
    """The health of SMS altogether: as well as its best road; that something of it is broken stands with each road."""

    def ask() -> tuple[str, str]:
        seen = health.seen(Sessions())
        said = [own(), *((seen[other].state, seen[other].reason) for other in roads if other != name and other in seen)]
        return min(said, key=lambda one: _RANK.index(one[0]))

    return ask
