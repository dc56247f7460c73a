"""How many segments a text costs, and where it is cut."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from connectors.outcome import BadMessage
from connectors.sms.alphabet import is_gsm7, to_septets

MOST_PARTS = 255


class Alphabet(StrEnum):
    GSM7 = "gsm7"
    UCS2 = "ucs2"
    BINARY = "binary"


@dataclass(frozen=True)
class Limits:
    """Units (septets, or UTF-16 code units) that fit into a single message and into one part of several."""

    single: int
    part: int
    part_with_wide_ref: int


LIMITS = {Alphabet.GSM7: Limits(160, 153, 152), Alphabet.UCS2: Limits(70, 67, 66)}


@dataclass(frozen=True)
class Count:
    """What the composer shows beside the text: segments to be charged and units left in the last one."""

    alphabet: Alphabet
    segments: int
    units: int
    left: int


def alphabet_of(text: str) -> Alphabet:
    return Alphabet.GSM7 if is_gsm7(text) else Alphabet.UCS2


def units_of(text: str, alphabet: Alphabet) -> int:
    if alphabet is Alphabet.GSM7:
        return len(to_septets(text))
    return len(text.encode("utf-16-be")) // 2


def split(text: str, *, wide_ref: bool = False) -> list[str]:
    """The parts in order. An escape pair or a surrogate pair is never cut in two.

    wide_ref: the parts carry a 16-bit reference, which takes one unit more.
    """
    try:
        alphabet = alphabet_of(text)
        total = units_of(text, alphabet)
    except UnicodeEncodeError as error:
        raise BadMessage("The text holds half of a character (a lone surrogate).", code="bad_text") from error
    limits = LIMITS[alphabet]
    if total <= limits.single:
        return [text]
    room = limits.part_with_wide_ref if wide_ref else limits.part
    parts, start, used = [], 0, 0
    for position, char in enumerate(text):
        size = units_of(char, alphabet)
        if used + size > room:
            parts.append(text[start:position])
            start, used = position, 0
        used += size
    parts.append(text[start:])
    if len(parts) > MOST_PARTS:
        raise BadMessage(f"The text needs {len(parts)} parts; {MOST_PARTS} is the most.", code="text_too_long")
    return parts


def count(text: str) -> Count:
    """Segments of a text as they will be charged (8-bit references)."""
    parts = split(text)
    alphabet = alphabet_of(text)
    limits = LIMITS[alphabet]
    room = limits.single if len(parts) == 1 else limits.part
    return Count(alphabet, len(parts), units_of(text, alphabet), room - units_of(parts[-1], alphabet))
