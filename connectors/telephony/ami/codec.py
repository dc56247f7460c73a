"""AMI messages: lines "Key: value", an empty line after each message; bytes in, messages out, and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime

from connectors.outcome import PeerRefused
from connectors.telephony.adapter import checked_word

LONGEST_MESSAGE = 1024 * 1024
"""A peer that sends more without an empty line does not speak AMI."""


@dataclass(frozen=True, slots=True)
class Message:
    """One message. Keys may repeat (ChanVariable) and are compared without regard to case."""

    fields: tuple[tuple[str, str], ...]

    def get(self, key: str, default: str = "") -> str:
        wanted = key.lower()
        return next((value for name, value in self.fields if name.lower() == wanted), default)

    def all(self, key: str) -> list[str]:
        wanted = key.lower()
        return [value for name, value in self.fields if name.lower() == wanted]

    @property
    def event(self) -> str:
        """The name of the event, "" for an answer. OriginateResponse has `Response:` too and is an event."""
        return self.get("Event")

    @property
    def is_response(self) -> bool:
        return not self.event and bool(self.get("Response"))

    @property
    def at(self) -> datetime | None:
        """When it happened; said where manager.conf has timestampevents=yes."""
        try:
            return datetime.fromtimestamp(float(self.get("Timestamp")), UTC)
        except (ValueError, OverflowError, OSError):
            return None


class Reader:
    """Cuts a stream of bytes into messages, however the bytes arrive."""

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> Iterator[Message]:
        """Every message that is complete now. The greeting line has no colon and belongs to none."""
        self._rest += data
        *whole, self._rest = self._rest.replace(b"\r\n", b"\n").split(b"\n\n")
        if len(self._rest) > LONGEST_MESSAGE:
            raise PeerRefused("The peer does not speak AMI.", code="not_ami")
        for part in whole:
            message = _parsed(part)
            if message.fields:
                yield message


def _parsed(part: bytes) -> Message:
    lines = part.decode("utf-8", "replace").replace("\0", "").split("\n")
    pairs = (line.partition(":") for line in lines)
    return Message(
        tuple((key.strip(), value.removeprefix(" ")) for key, colon, value in pairs if colon and key.strip())
    )


def render(action: str, fields: Iterable[tuple[str, str]] = ()) -> bytes:
    """An action on the wire; empty values are left out. Raises BadMessage for a value that would end its line."""
    lines = [("Action", action), *((key, value) for key, value in fields if value)]
    return "".join(f"{key}: {checked_word(value)}\r\n" for key, value in lines).encode() + b"\r\n"
