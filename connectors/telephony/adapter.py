"""The exchange as its listener sees it: one loop of events, and commands from any thread."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime
from threading import Event
from time import time
from typing import Literal, Protocol

from connectors.outcome import BadMessage, Health, Trial
from connectors.telephony.events import ExchangeEvent

Sink = Callable[[ExchangeEvent], None]

TransferKind = Literal["blind", "attended"]

_NUMBER = re.compile(r"[0-9+*#]{1,40}")


class PbxAdapter(Protocol):
    """An exchange. Commands return when the exchange has taken them; what becomes of them comes as events.

    They raise LinkDown (nothing was sent), BadMessage (never will be), PeerRefused (its code says why) or PeerSilent
    (it may have been done: a person looks).
    """

    name: str

    def run(self, sink: Sink, stop: Event) -> None:
        """Hold the link until told to stop: connect again after each loss, say what is there after each login."""
        ...

    def originate(
        self, call_id: str, agent: str, number: str, *, show_number: str | None = None, timeout_s: int = 30
    ) -> None:
        """Ring the agent, then call the number; the whole call is known under `call_id`."""
        ...

    def hangup(self, call_id: str) -> None: ...

    def transfer(self, call_id: str, agent: str, to: str, kind: TransferKind = "blind") -> None:
        """Hand the call on. `agent`: whose part in it goes over."""
        ...

    def pause(self, agent: str, queue: str, on: bool, reason: str = "") -> None:
        """Get no calls for a while, or again. queue "" = all of the agent's queues."""
        ...

    def sign_in(self, agent: str, queue: str) -> None: ...

    def sign_out(self, agent: str, queue: str) -> None: ...

    def health(self) -> Health: ...

    def try_out(self) -> list[Trial]:
        """Reach it without touching a call; from another thread than the loop's."""
        ...


def checked_number(text: str) -> str:
    """What may be dialled and nothing else: a number is part of a command line at most exchanges."""
    if not _NUMBER.fullmatch(text):
        raise BadMessage("A number to dial has only digits, +, * and #.", code="bad_number")
    return text


def checked_word(text: str) -> str:
    """One line without control signs: a line break would begin a command of its own."""
    if any(ord(sign) < 32 or ord(sign) == 127 for sign in text):
        raise BadMessage("A value for the exchange must not contain control signs.", code="bad_value")
    return text


def now() -> datetime:
    """When something happened at an exchange that does not say so."""
    return datetime.fromtimestamp(time(), UTC)
