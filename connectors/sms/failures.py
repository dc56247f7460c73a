"""What the modem's error numbers mean for a message (3GPP TS 27.005, 3.2.5; TS 24.011 annex E). No I/O."""

from __future__ import annotations

from datetime import timedelta
from enum import Enum, auto

from connectors.outcome import Outcome
from connectors.sms.at import Refused

RETRY_AFTER = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10))
"""Pauses after the first, second and third temporary failure; after the fourth the message is rejected."""

HOLD_RETRY = timedelta(seconds=60)
"""Without network or modem a message keeps waiting, however long, until its validity ends."""

STOPPED_RETRY = timedelta(minutes=10)
"""How long another modem, or a person, is given before a stopped modem is asked again."""


class Meaning(Enum):
    TEMPORARY = auto()
    NO_NETWORK = auto()
    MEMORY_FULL = auto()
    SIM = auto()
    PERMANENT = auto()
    RETRY_ONCE = auto()


_CMS = {
    **dict.fromkeys((27, 38, 41, 42, 47, 314, 320, 332), Meaning.TEMPORARY),
    331: Meaning.NO_NETWORK,
    322: Meaning.MEMORY_FULL,
    **dict.fromkeys((310, 311, 312, 313, 315, 316, 317, 318), Meaning.SIM),
    **dict.fromkeys((1, 8, 10, 21, 28, 30, 50, 69, 304, 305), Meaning.PERMANENT),
    500: Meaning.RETRY_ONCE,
}
_CME = {
    **dict.fromkeys((10, 11, 12, 13, 15, 16, 17, 18), Meaning.SIM),
    20: Meaning.MEMORY_FULL,
    30: Meaning.NO_NETWORK,
    100: Meaning.RETRY_ONCE,
}


def meaning_of(refusal: Refused) -> Meaning:
    """Numbers nobody has written down are taken as temporary: a refusal says that nothing was sent."""
    if refusal.number is None:
        return Meaning.RETRY_ONCE
    table = _CMS if refusal.kind == "CMS" else _CME
    return table.get(refusal.number, Meaning.TEMPORARY)


def code_of(refusal: Refused) -> str:
    return f"{refusal.kind.lower()}_{refusal.number}" if refusal.number is not None else "error"


def deferred(attempt: int, code: str, text: str = "") -> Outcome:
    """Temporary: pause as long as this attempt deserves, or give up."""
    if attempt > len(RETRY_AFTER):
        return Outcome.rejected(code, text)
    return Outcome.deferred(RETRY_AFTER[attempt - 1], code, text)


def outcome_of(refusal: Refused, attempt: int) -> Outcome:
    code, text = code_of(refusal), refusal.line
    match meaning_of(refusal):
        case Meaning.PERMANENT | Meaning.RETRY_ONCE:
            return Outcome.rejected(code, text)
        case Meaning.SIM:
            return Outcome.held(STOPPED_RETRY, code, text)
        case Meaning.NO_NETWORK:
            return Outcome.held(HOLD_RETRY, code, text)
        case Meaning.TEMPORARY | Meaning.MEMORY_FULL:
            return deferred(attempt, code, text)
