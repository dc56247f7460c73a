"""Long incoming messages put together from parts that come in any order, twice, or never. No I/O.

The parts themselves are kept by the caller (as PDUs, in a table); this is one reader's memory, rebuilt by adding them
again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from connectors.sms.pdu import Deliver, text_of

PATIENCE = timedelta(hours=24)
GAP = "〔缺第{index}段〕"

Key = tuple[str, int, int, int]
"""(sender, reference, total, width of the reference): 8- and 16-bit references are two number spaces."""


@dataclass(frozen=True)
class Message:
    """A whole incoming message; `missing` lists the parts that never came."""

    sender: str
    text: str
    sent_at: datetime | None
    missing: tuple[int, ...] = ()


@dataclass
class _Waiting:
    since: datetime
    parts: dict[int, Deliver] = field(default_factory=dict)


class Reassembly:
    def __init__(self, patience: timedelta = PATIENCE) -> None:
        self._patience = patience
        self._waiting: dict[Key, _Waiting] = {}

    def add(self, part: Deliver, at: datetime) -> Message | None:
        """The message when this part completes it. `at`: the instant the part came in."""
        if part.concat is None:
            return Message(part.sender, part.text, part.sent_at)
        key = (part.sender, part.concat.ref, part.concat.total, part.concat.width)
        waiting = self._waiting.setdefault(key, _Waiting(at))
        waiting.parts.setdefault(part.concat.index, part)
        if len(waiting.parts) < part.concat.total:
            return None
        del self._waiting[key]
        return _message(waiting.parts, part.concat.total)

    def overdue(self, now: datetime) -> list[Message]:
        """Messages whose first part has waited too long, given out with the gaps marked."""
        due = [key for key, waiting in self._waiting.items() if now - waiting.since >= self._patience]
        return [_message(self._waiting.pop(key).parts, total=key[2]) for key in due]


def _message(parts: dict[int, Deliver], total: int) -> Message:
    missing = tuple(index for index in range(1, total + 1) if index not in parts)
    pieces: list[str] = []
    run: list[Deliver] = []
    for index in range(1, total + 1):
        if index in parts and (not run or run[0].alphabet is parts[index].alphabet):
            run.append(parts[index])
            continue
        if run:
            pieces.append(text_of(run))
        run = [parts[index]] if index in parts else []
        if index not in parts:
            pieces.append(GAP.format(index=index))
    if run:
        pieces.append(text_of(run))
    first = parts[min(parts)]
    return Message(first.sender, "".join(pieces), first.sent_at, missing)
