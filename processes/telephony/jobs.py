"""Clearing commands nobody will carry out any more."""

from __future__ import annotations

from engine import runtime
from engine.db import Sessions
from engine.queue import periodic
from processes.telephony import operations


@periodic("telephony.sweep_commands", seconds=15)
def sweep_commands() -> int:
    """A listener that died leaves its commands in doubt; one that is away lets them grow old."""
    try:
        return runtime.perform(operations.sweep)
    finally:
        Sessions.remove()
