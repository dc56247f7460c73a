"""What a mailbox offers to whoever reads it, and how long to wait after what went wrong."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Protocol

from connectors.outcome import ConnectorError, Health, PeerRefused, Trial

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
REFUSED_PAUSE = 3600.0
"""After a refused login: asking again soon would lock the account."""


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a mailbox has been read. UIDs mean something under their UIDVALIDITY only."""

    validity: int = 0
    uid: int = 0


@dataclass(frozen=True, slots=True)
class Fetched:
    """A mail as it lies in the mailbox. whole: False when it is too large and `raw` is its header alone."""

    at: Cursor
    raw: bytes
    size: int
    whole: bool = True


class MailSource(Protocol):
    """Every method may raise a ConnectorError; the next call connects anew."""

    @property
    def name(self) -> str:
        """Names the mailbox in logs and in the database; never with its password."""

    def fetch(self, after: Cursor, since: date) -> Iterator[Fetched]:
        """What lies behind the cursor, oldest first; all that came since that day when the cursor means nothing."""

    def file(self, uid: int) -> None:
        """Put away what has been stored: mark it as read, or move it."""

    def wait(self, seconds: float, stop: threading.Event) -> bool:
        """Whether something new may have come, at the latest after so long."""

    def close(self) -> None: ...

    def health(self) -> Health: ...

    def try_out(self) -> list[Trial]:
        """Reach it without reading anything; from another thread than the one that reads."""


class Patience:
    """The pause before the next attempt: 1, 2, 4 … 60 s, an hour when the login was refused."""

    def __init__(self) -> None:
        self._next = FIRST_PAUSE

    def after(self, error: ConnectorError) -> float:
        if isinstance(error, PeerRefused) and error.code == "auth_refused":
            return REFUSED_PAUSE
        pause, self._next = self._next, min(self._next * 2, LONGEST_PAUSE)
        return pause

    def reset(self) -> None:
        self._next = FIRST_PAUSE
