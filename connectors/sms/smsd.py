"""The folders of smstools' smsd as a road: one file a message, handed over by a rename, named by our id.

    <spool>/outgoing  checked  sent  failed  incoming  report      smsd's own; `taken` is ours

Handing the same message over again finds its file in one of the folders and does nothing: nothing of this road is ever
in doubt. A file that was read moves to `taken` (what we sent) or is removed (what came in), after its event is stored.
"""

from __future__ import annotations

import hashlib
import logging
import os
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from threading import Event

from connectors.outcome import BadMessage, Health, LinkState, Outcome, Trial
from connectors.sms import segments
from connectors.sms.alphabet import is_gsm7
from connectors.sms.pdu import DeliveryState, encode_address
from connectors.sms.transport import (
    Handed,
    Incoming,
    OutSms,
    PartRef,
    ProviderReport,
    Report,
    SmsCaps,
    SmsEvent,
    SmsResult,
    Unreadable,
)

logger = logging.getLogger(__name__)

OURS = "yunliu-"
TAKEN = "taken"
THEIRS = ("outgoing", "checked", "sent", "failed")
"""Where a message of ours may lie, in the order in which it wanders."""
STUCK = timedelta(minutes=10)
"""A message that lies in `outgoing` for so long: nobody empties it."""
TAKEN_KEPT = timedelta(days=7)
"""How long the names of finished messages are remembered."""
POLL = 1.0
SETTLED = 2.0
"""Seconds before a finished message is looked at: the hand-over is noted by then."""
LATER = timedelta(minutes=1)

_HEADER = re.compile(rb"([A-Za-z_-]+): ?([^\r\n]*)\r?\n")


@dataclass(frozen=True)
class SpoolFile:
    """Headers, names in small letters, and the body as it stands."""

    headers: dict[str, str]
    body: bytes

    @classmethod
    def read(cls, content: bytes) -> SpoolFile:
        headers: dict[str, str] = {}
        at = 0
        while (line := _HEADER.match(content, at)) is not None:
            headers[line[1].decode("ascii").lower()] = line[2].decode("utf-8", "replace").strip()
            at = line.end()
        rest = content[at:]
        return cls(headers, rest.removeprefix(b"\r\n") if rest.startswith(b"\r\n") else rest.removeprefix(b"\n"))

    @property
    def text(self) -> str:
        match self.headers.get("alphabet", "").upper():
            case "UCS2" | "UCS":
                return self.body.decode("utf-16-be", "replace")
            case "UTF-8":
                return self.body.decode("utf-8", "replace")
            case "BINARY":
                return self.body.hex()
        return self.body.decode("latin-1")


class SmsdSpool:
    """An SmsTransport. `send` from one thread, `events` from another; one process per spool."""

    def __init__(self, folder: Path) -> None:
        self.caps = SmsCaps(per_second=50.0)
        self.name = f"smsd:{folder}"
        self._folder = folder

    # --- out ---

    def send(self, m: OutSms) -> SmsResult:
        try:
            total = segments.count(m.text).segments
            encode_address(m.to)
        except BadMessage as error:
            return SmsResult(Outcome.rejected(error.code, str(error)))
        try:
            if not self._lies_anywhere(m.id):
                self._hand_over(m)
        except OSError as error:
            # Nothing shows in `outgoing` before the rename, and the rename is the last that can fail.
            logger.warning("sms.spool_failed", extra={"sms_id": m.id, "error": type(error).__name__})
            return SmsResult(Outcome.held(LATER, "spool_missing"), (), total)
        outcome = Outcome.accepted()
        return SmsResult(outcome, tuple(PartRef(index, outcome) for index in range(1, total + 1)), total)

    def _lies_anywhere(self, message_id: str) -> bool:
        """Twice over, for smsd may move it from a folder not looked at yet into one that was."""
        places = [self._folder / name / f"{OURS}{message_id}" for name in (*THEIRS, TAKEN, *THEIRS)]
        return any(place.exists() for place in places)

    def _hand_over(self, m: OutSms) -> None:
        """Whole or not at all, and not lost by a power cut."""
        draft = self._folder / TAKEN / f".{OURS}{m.id}"
        draft.parent.mkdir(exist_ok=True)
        plain = is_gsm7(m.text)
        number = m.to.removeprefix("+") if m.to.startswith("+") else f"s{m.to}"
        head = [f"To: {number}", f"Report: {'yes' if m.want_report else 'no'}"]
        head += [f"Alphabet: {'UTF-8' if plain else 'UCS'}", "Autosplit: 3", f"Validity: {m.validity_min} min"]
        body = m.text.encode("utf-8" if plain else "utf-16-be")
        with draft.open("wb") as file:
            file.write("\n".join([*head, "", ""]).encode() + body)
            file.flush()
            os.fsync(file.fileno())
        draft.rename(self._folder / "outgoing" / f"{OURS}{m.id}")

    # --- in ---

    def events(self, stop: Event) -> Iterator[SmsEvent]:
        while not stop.is_set():
            yield from self._results()
            yield from self._reports()
            yield from self._incoming()
            self._forget()
            stop.wait(POLL)

    def _results(self) -> Iterator[SmsEvent]:
        for folder, state in (("sent", DeliveryState.TRYING), ("failed", DeliveryState.FAILED)):
            for path in self._files(folder, f"{OURS}*", SETTLED):
                said = SpoolFile.read(path.read_bytes()).headers
                message_id = path.name.removeprefix(OURS)
                if state is DeliveryState.FAILED:
                    why = said.get("fail_reason", "")[:60] or "failed"
                    yield ProviderReport("", message_id, said.get("to", ""), state, None, why)
                else:
                    yield Handed(message_id, tuple(int(ref) for ref in re.findall(r"\d+", said.get("message_id", ""))))
                path.rename(self._folder / TAKEN / path.name)

    def _reports(self) -> Iterator[SmsEvent]:
        for path in self._files("report", "*", 0):
            yield self._report(SpoolFile.read(path.read_bytes()))
            path.unlink()

    def _report(self, file: SpoolFile) -> SmsEvent:
        ref = re.search(r"Message_id: (\d+)", file.text)
        status = re.search(r"Status: (\d+)", file.text)
        if ref and status:
            code = int(status[1])
            return Report(int(ref[1]), file.headers.get("from", ""), DeliveryState.of(code), None, code)
        return Unreadable(file.body.hex(), "This report names no message.")

    def _incoming(self) -> Iterator[SmsEvent]:
        for path in self._files("incoming", "*", 0):
            content = path.read_bytes()
            file = SpoolFile.read(content)
            if "from" not in file.headers:
                yield Unreadable(content.hex(), "This file names no sender.")
            elif file.text.startswith("SMS STATUS REPORT"):  # where smsd has no folder of their own for reports
                yield self._report(file)
            else:
                digest = hashlib.sha256(path.name.encode() + b"\n" + content).hexdigest()
                yield Incoming(digest, _international(file.headers), file.text, None)
            path.unlink()

    def _files(self, folder: str, pattern: str, age: float) -> list[Path]:
        """Those at rest, the oldest first; smsd's helpers and what is still being written are left alone."""
        found = []
        for path in (self._folder / folder).glob(pattern):
            if path.name.startswith(("smsd_", ".")) or path.name.endswith(".LOCK"):
                continue
            try:
                changed = path.stat().st_mtime
            except FileNotFoundError:
                continue
            if path.is_file() and time.time() - changed >= age:
                found.append((changed, path))
        return [path for _changed, path in sorted(found)]

    def _forget(self) -> None:
        for path in self._files(TAKEN, f"{OURS}*", TAKEN_KEPT.total_seconds()):
            path.unlink(missing_ok=True)

    # --- health ---

    def try_out(self) -> list[Trial]:
        """Whether the folders are there and smsd empties them; nothing is laid in."""
        found = self.health()
        return [Trial("folders", found.state is not LinkState.DOWN, found.reason or self.name)]

    def health(self) -> Health:
        missing = [name for name in (*THEIRS, "incoming") if not (self._folder / name).is_dir()]
        if missing or not os.access(self._folder / "outgoing", os.W_OK):
            return Health(LinkState.DOWN, "spool_missing")
        if self._files("outgoing", f"{OURS}*", STUCK.total_seconds()):
            return Health(LinkState.DEGRADED, "spool_not_emptied")
        return Health(LinkState.UP)

    def close(self) -> None:
        """Nothing is held open."""


def _international(headers: dict[str, str]) -> str:
    number, kind = headers["from"], headers.get("from_toa", "")
    return f"+{number}" if kind.startswith("91") and number.isdigit() else number
