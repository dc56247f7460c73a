"""What came in and waits in the modem: listed, handed out, deleted after the handler has committed."""

from __future__ import annotations

import logging
import re
import threading
from collections import deque
from collections.abc import Iterator
from itertools import pairwise

from connectors.sms import pdu
from connectors.sms.at import AtLine, Refused, Unsolicited
from connectors.sms.transport import Received, Report, SmsEvent, Unreadable

logger = logging.getLogger(__name__)

CURRENT_MEMORY = ""
_RECEIVED = (0, 1)
"""List states received-unread and received-read; the others are drafts and sent copies, which are left alone."""

_LIST_TIMEOUT = 30.0


def event_of(pdu_text: str) -> SmsEvent:
    try:
        content = pdu.decode(pdu_text)
    except pdu.BadPdu as error:
        return Unreadable(pdu_text, str(error))
    if isinstance(content, pdu.StatusReport):
        return Report(content.ref, content.to, content.state, content.at or content.sent_at, content.status)
    return Received(pdu_text, content)


class Inbox:
    """Fed by the reader thread (`announce`), emptied by the event loop (`take`)."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._direct: deque[str] = deque()
        self._memories: dict[str, None] = {}
        self._handled: set[tuple[int, str]] = set()
        self._home = self._selected = CURRENT_MEMORY
        self.wake = threading.Event()
        self.taken_out = 0
        """messages deleted from the modem, ever"""

    def announce(self, line: Unsolicited) -> None:
        with self._lock:
            if line.pdu:
                self._direct.append(line.pdu)
            else:
                match = re.search(r'"(\w+)"', line.head)
                self._memories[match[1] if match else CURRENT_MEMORY] = None
        self.wake.set()

    def sweep_later(self, *, reopened: bool = False) -> None:
        """Look through the modem's memory at the next turn. reopened: which memory it has selected is unknown again."""
        with self._lock:
            if reopened:
                self._home = self._selected = CURRENT_MEMORY
            self._memories[CURRENT_MEMORY] = None
        self.wake.set()

    def take(self, line: AtLine) -> Iterator[SmsEvent]:
        """Everything waiting. Asking for the next one acknowledges the last.

        What was handed out and not acknowledged stays, here or in the modem, and comes again.
        """
        self.wake.clear()
        while self._direct:
            yield event_of(self._direct[0])
            self._direct.popleft()
            self._acknowledge(line)
        while self._memories:
            with self._lock:
                memory, _none = self._memories.popitem()
            try:
                yield from self._sweep(line, memory)
            except BaseException:  # the modem failed or the handler did: the rest is still due
                with self._lock:
                    self._memories[memory] = None
                raise

    def _acknowledge(self, line: AtLine) -> None:
        """Phase 2+ modems stop delivering without it; others refuse the command, which does no harm."""
        try:
            line.command("AT+CNMA")
        except Refused:
            logger.debug("sms.modem.no_acknowledgement_wanted")

    def _sweep(self, line: AtLine, memory: str) -> Iterator[SmsEvent]:
        self._select(line, memory)
        for index, content in _listed(line.command("AT+CMGL=4", timeout=_LIST_TIMEOUT)):
            key = (index, content)
            if key not in self._handled:
                yield event_of(content)
            try:
                line.command(f"AT+CMGD={index}")
                self._handled.discard(key)
                self.taken_out += 1
            except Refused:
                # Not handed out twice; deleting is tried again at the next sweep.
                self._handled.add(key)
                logger.warning("sms.modem.delete_refused", extra={"index": index})

    def _select(self, line: AtLine, memory: str) -> None:
        if not self._selected:
            self._home = self._selected = _current_memory(line)
        wanted = memory or self._home
        if wanted != self._selected:
            line.command(f'AT+CPMS="{wanted}"')
            self._selected = wanted


def _current_memory(line: AtLine) -> str:
    try:
        answer = " ".join(line.command("AT+CPMS?"))
    except Refused:
        return CURRENT_MEMORY
    match = re.search(r'\+CPMS:\s*"(\w+)"', answer)
    return match[1] if match else CURRENT_MEMORY


def _listed(lines: list[str]) -> Iterator[tuple[int, str]]:
    """(index, PDU) of received messages out of `+CMGL: index,state,[name],length` and the line after it."""
    for head, content in pairwise(lines):
        match = re.match(r"\+CMGL:\s*(\d{1,5})\s*,\s*(\d{1,2})\b", head)
        if match and int(match[2]) in _RECEIVED:
            yield int(match[1]), content
