"""The AT line of a modem: one reader thread, one command at a time, unsolicited lines to a callback."""

from __future__ import annotations

import logging
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from queue import Empty, Queue
from typing import Protocol

from connectors.outcome import LinkDown, PeerRefused, PeerSilent

logger = logging.getLogger(__name__)

CTRL_Z, ESC = b"\x1a", b"\x1b"
PROMPT = "> "
LONGEST_LINE = 16 * 1024
"""Bytes without a line end: a device that sends more speaks something else, and must not fill our memory."""
LOST = "\0lost"
"""A token, never a line: the reader has ended."""

_FINAL_ERRORS = ("ERROR", "+CMS ERROR", "+CME ERROR", "COMMAND NOT SUPPORT", "TOO MANY PARAMETERS")
_WITH_PDU = ("+CMT:", "+CDS:")
_UNSOLICITED = (*_WITH_PDU, "+CMTI:", "+CDSI:")


class SerialLine(Protocol):
    """The part of pyserial we use."""

    @property
    def in_waiting(self) -> int: ...
    def read(self, size: int = 1, /) -> bytes: ...
    def write(self, data: bytes, /) -> int | None: ...
    def cancel_read(self) -> None: ...
    def close(self) -> None: ...


@dataclass(frozen=True)
class Timing:
    """Seconds. The defaults are those of real modems on a real network."""

    command: float = 5.0
    prompt: float = 5.0
    final: float = 60.0
    quiet: float = 0.3
    """After trouble: how long the line must be silent before it is trusted again."""
    reopen_first: float = 1.0
    reopen_most: float = 60.0
    poll: float = 0.5
    """How often the event loop looks up from waiting."""
    signal: float = 30.0
    """How old a reading of signal and registration may be."""


@dataclass(frozen=True)
class Unsolicited:
    """A line nobody asked for, with the PDU that followed it, if any."""

    head: str
    pdu: str = ""


class Refused(PeerRefused):
    """A final error. `kind` is "CMS", "CME" or "" for a bare ERROR; `number` is None when the modem gave none."""

    def __init__(self, line: str) -> None:
        super().__init__(f"The modem answered: {line}")
        match = re.fullmatch(r"\+(CM[SE]) ERROR:\s*(\d{1,4}(?!\d))?.*", line)
        self.kind = match[1] if match else ""
        self.number = int(match[2]) if match and match[2] else None
        self.line = line


class NoPrompt(PeerSilent):
    """AT+CMGS was not answered by the prompt: nothing of the message was written."""

    code = "no_prompt"


class InDoubt(PeerSilent):
    """The message was handed over and no final answer came: it may have left."""

    code = "in_doubt"


class Scanner:
    """Bytes to lines and prompts. No I/O."""

    def __init__(self) -> None:
        self._buffer = b""

    def feed(self, data: bytes) -> Iterator[str]:
        *lines, rest = (self._buffer + data).split(b"\n")
        self._buffer = rest[-LONGEST_LINE:]
        for line in lines:
            yield from self._tokens(line)
        # The prompt has no line end; a modem that still echoes may put it behind an echoed carriage return.
        start = self._buffer.lstrip(b"\r ")
        if start.startswith(b">"):
            self._buffer = start[1:]
            yield PROMPT

    def _tokens(self, line: bytes) -> Iterator[str]:
        text = line.decode("ascii", "replace").strip()
        if text.startswith(">"):
            yield PROMPT
            text = text[1:].strip()
        if text:
            yield text


class AtLine:
    """Commands over an open serial line. Raises LinkDown once the line is gone; then make a new one."""

    def __init__(self, serial: SerialLine, timing: Timing, on_unsolicited: Callable[[Unsolicited], None]) -> None:
        self._serial = serial
        self._timing = timing
        self._on_unsolicited = on_unsolicited
        self._replies: Queue[str] = Queue()
        self._command_lock = threading.RLock()
        self._listening = False
        self._head_without_pdu = ""
        self._lost = threading.Event()
        self._reader = threading.Thread(target=self._read, name="at-reader", daemon=True)
        self._reader.start()

    @property
    def is_lost(self) -> bool:
        return self._lost.is_set()

    def close(self) -> None:
        """Give the device back. Safe to call twice, and from any thread but the reader."""
        self._lost.set()
        try:
            self._serial.cancel_read()
            self._reader.join(timeout=2)
            self._serial.close()
        except (OSError, TypeError):
            # An unplugged device cannot be closed in good order; the descriptor is gone either way.
            logger.debug("sms.at.close_failed")

    def command(self, text: str, timeout: float | None = None) -> list[str]:
        """The lines before OK. Raises Refused, PeerSilent (the line is in step again) or LinkDown."""
        with self._command_lock, self._conversation():
            self._write(f"{text}\r".encode())
            try:
                return self._lines_until_final(timeout or self._timing.command)
            except PeerSilent:
                self._resync()
                raise

    def submit(self, length: int, pdu: str) -> int | None:
        """AT+CMGS: hand over one part; its message reference, None when the modem tells none.

        Raises Refused, NoPrompt or LinkDown (nothing left), InDoubt (it may have left).
        """
        with self._command_lock, self._conversation():
            self._write(f"AT+CMGS={length}\r".encode())
            self._await_prompt()
            self._write(pdu.encode())
            doubt = InDoubt("The modem took the message and did not say what became of it.")
            try:
                self._write(CTRL_Z)  # a write that fails may still have reached the wire, hence inside
                return _message_ref(self._lines_until_final(self._timing.final))
            except LinkDown as error:
                raise doubt from error
            except PeerSilent as error:
                with suppress(LinkDown):
                    self._resync()
                raise doubt from error

    def synchronise(self) -> None:
        """Leave a prompt that may be open and make sure that commands are answered. Raises PeerSilent or LinkDown."""
        with self._command_lock, self._conversation():
            self._resync()

    # --- within a conversation ---

    @contextmanager
    def _conversation(self) -> Iterator[None]:
        """While it is open replies are kept; stale ones are thrown away at its start."""
        while not self._replies.empty():
            self._replies.get_nowait()
        self._listening = True
        if self._lost.is_set():
            self._replies.put(LOST)
        try:
            yield
        finally:
            self._listening = False

    def _await_prompt(self) -> None:
        deadline = time.monotonic() + self._timing.prompt
        try:
            while (token := self._next(deadline)) != PROMPT:
                if token.startswith(_FINAL_ERRORS):
                    raise Refused(token)
        except PeerSilent as silence:
            self._resync()
            raise NoPrompt("The modem did not ask for the message.") from silence

    def _resync(self) -> None:
        """ESC out of an open prompt, then AT until it answers and the line is quiet."""
        self._write(ESC)
        self._drain()
        for _attempt in range(3):
            self._write(b"AT\r")
            try:
                self._lines_until_final(min(1.0, self._timing.command))
            except Refused:
                continue
            except PeerSilent:
                self._write(ESC)
                continue
            self._drain()
            return
        self._lost.set()
        raise LinkDown("The modem no longer answers.", code="modem_silent")

    def _drain(self) -> None:
        try:
            while True:
                self._next(time.monotonic() + self._timing.quiet)
        except PeerSilent:
            return

    def _lines_until_final(self, timeout: float) -> list[str]:
        deadline = time.monotonic() + timeout
        lines: list[str] = []
        while (token := self._next(deadline)) != "OK":
            if token.startswith(_FINAL_ERRORS):
                raise Refused(token)
            lines.append(token)
        return lines

    def _next(self, deadline: float) -> str:
        try:
            token = self._replies.get(timeout=max(0.0, deadline - time.monotonic()))
        except Empty:
            raise PeerSilent("The modem did not answer in time.") from None
        if token == LOST:
            self._replies.put(LOST)
            raise LinkDown("The modem was unplugged.", code="modem_lost")
        return token

    def _write(self, data: bytes) -> None:
        try:
            self._serial.write(data)
        except (OSError, TypeError) as error:
            # TypeError: pyserial's way of saying that another thread has closed the device.
            self._lost.set()
            raise LinkDown("The modem was unplugged.", code="modem_lost") from error

    # --- the reader thread ---

    def _read(self) -> None:
        scanner = Scanner()
        try:
            while not self._lost.is_set():
                chunk = self._serial.read(1)
                if chunk:
                    chunk += self._serial.read(self._serial.in_waiting)
                for token in scanner.feed(chunk):
                    self._route(token)
        except (OSError, TypeError) as error:
            logger.warning("sms.at.line_lost", extra={"error": type(error).__name__})
        finally:
            self._lost.set()
            self._replies.put(LOST)

    def _route(self, token: str) -> None:
        if self._head_without_pdu:
            head, self._head_without_pdu = self._head_without_pdu, ""
            self._on_unsolicited(Unsolicited(head, token))
        elif token.startswith(_WITH_PDU):
            self._head_without_pdu = token
        elif token.startswith(_UNSOLICITED):
            self._on_unsolicited(Unsolicited(token))
        elif self._listening:
            self._replies.put(token)


def _message_ref(lines: list[str]) -> int | None:
    for line in lines:
        if match := re.match(r"\+CMGS:\s*(\d{1,3}(?!\d))", line):
            return int(match[1])
    return None
