"""The telephone: which exchange a house has."""

from __future__ import annotations

from connectors.telephony.adapter import PbxAdapter
from connectors.telephony.ami.exchange import AsteriskExchange
from connectors.telephony.simulator import SimulatedExchange
from engine import runtime
from engine.db import Sessions
from processes.telephony import operations
from processes.telephony.rules import EXCHANGE
from webapp.settings import Settings

TELEPHONY = EXCHANGE


def has_exchange(settings: Settings) -> bool:
    return bool(settings.ami_url) or settings.devices_simulated


def exchange(settings: Settings) -> PbxAdapter:
    """The listener's exchange; in the demo company one that is none."""
    if settings.devices_simulated:
        return SimulatedExchange(_extensions)
    return AsteriskExchange.from_url(settings.ami_url)


def _extensions() -> list[str]:
    try:
        return runtime.perform(operations.extensions)
    finally:
        Sessions.remove()
