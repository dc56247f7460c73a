"""What a token may carry: JSON's values, exact numbers and dates; copied on the way in, tagged on the way to bytes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Any

import msgspec

from engine.i18n import Sentence, _

_PLAIN = frozenset({str, int, float, bool, type(None)})
_SMALL = 1 << 62
MAX_NESTING = 40

_TAGS: dict[type, int] = {Decimal: 1, datetime: 2, date: 3, time: 4, timedelta: 5, int: 6}
"""Extension codes of the snapshot; never renumbered."""


class NotStorable(Exception):
    """A value no token may carry."""

    code = "value"

    def __init__(self, message: Sentence) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


def clean(value: Any, depth: int = 0) -> Any:
    """A copy that shares nothing with the giver; tuples and sets become lists, what cannot be stored is refused."""
    kind = type(value)
    if kind in _PLAIN or kind in _TAGS:
        return value
    if depth > MAX_NESTING:
        raise NotStorable(_("The value is nested too deeply to be kept in a process."))
    if isinstance(value, Mapping):
        return {
            (key if type(key) is str else _key(key)): (one if type(one) in _PLAIN else clean(one, depth + 1))
            for key, one in value.items()
        }
    if isinstance(value, (list, tuple)):
        return [one if type(one) in _PLAIN else clean(one, depth + 1) for one in value]
    if isinstance(value, (set, frozenset)):
        return sorted((clean(one, depth + 1) for one in value), key=repr)
    for allowed in (str, bool, int, float, Decimal):
        if isinstance(value, allowed):
            return allowed(value)
    raise NotStorable(_("A process cannot keep a value of type {type}.", type=kind.__name__))


def _key(key: object) -> str:
    if isinstance(key, (str, int)):
        return str(key)
    raise NotStorable(_("A process cannot keep a value of type {type}.", type=type(key).__name__))


def encode(value: Any) -> bytes:
    return _ENCODER.encode(_tagged(value))


def decode(raw: bytes) -> Any:
    return _DECODER.decode(raw)


def _tagged(value: Any) -> Any:
    kind = type(value)
    if kind is dict:
        return {key: one if type(one) in _ASIS else _tagged(one) for key, one in value.items()}
    if kind is list or kind is tuple:
        return [one if type(one) in _ASIS else _tagged(one) for one in value]
    if kind is int:
        return value if -_SMALL < value < _SMALL else msgspec.msgpack.Ext(_TAGS[int], str(value).encode())
    if kind in _TAGS:
        text = (
            str(value.total_seconds())
            if kind is timedelta
            else value.isoformat()
            if kind is not Decimal
            else str(value)
        )
        return msgspec.msgpack.Ext(_TAGS[kind], text.encode())
    return value


_ASIS = frozenset({str, float, bool, type(None)})


def _untagged(code: int, data: memoryview) -> Any:
    text = bytes(data).decode()
    if code == 1:
        return Decimal(text)
    if code == 5:
        return timedelta(seconds=float(text))
    if code == 6:
        return int(text)
    return _FROM_ISO[code](text)


_FROM_ISO: dict[int, Callable[[str], Any]] = {
    2: datetime.fromisoformat,
    3: date.fromisoformat,
    4: time.fromisoformat,
}
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(ext_hook=_untagged)
