"""Ids of records as an address says them."""

from __future__ import annotations

from werkzeug.routing import IntegerConverter, Map

LARGEST = 2**63 - 1
"""that a database keeps"""


def read_key(text: str) -> int:
    """For `request.args.get(..., type=read_key)`: what cannot be an id counts as not said."""
    number = int(text)
    if not 0 < number <= LARGEST:
        raise ValueError(text)
    return number


def key_or_none(text: str) -> int | None:
    """An id that a form or an address carries among its values."""
    try:
        return read_key(text)
    except ValueError:
        return None


def read_place(text: str) -> int:
    """A page, or how many rows to pass over: what lies beyond every end counts as the end."""
    return min(max(0, int(text)), 1_000_000)


class KeyConverter(IntegerConverter):
    """`<int:…>` of an address: what no database could keep is not there, instead of a crash in its driver."""

    def __init__(self, map: Map, fixed_digits: int = 0) -> None:
        super().__init__(map, fixed_digits, max=LARGEST)
