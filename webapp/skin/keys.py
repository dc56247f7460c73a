"""Ids of records as an address says them."""

from __future__ import annotations

LARGEST = 2**63 - 1
"""that a database keeps"""


def read_key(text: str) -> int:
    """For `request.args.get(..., type=read_key)`: what cannot be an id counts as not said."""
    number = int(text)
    if not 0 < number <= LARGEST:
        raise ValueError(text)
    return number
