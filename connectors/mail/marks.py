"""How an answer tells which mail it answers: our mark in Message-ID and ENVID, and a short one in the subject.

A mark is the hash of our key and our number of the mail: whoever keeps the mails finds the number and checks the hash,
so that a number somebody guessed or mistyped leads nowhere.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass

HASH_SIGNS = 32
SHORT_SIGNS = 6

_MARK = re.compile(rf"(?<![0-9a-z])([0-9a-f]{{{HASH_SIGNS}}})\.([0-9]{{1,18}})(?![0-9])")
_IN_SUBJECT = re.compile(rf"[\[［【]#([0-9]{{1,18}})-([0-9a-f]{{{SHORT_SIGNS}}})[\]］】]", re.IGNORECASE)
"""Chinese input methods and mail programs turn brackets into full-width ones."""


@dataclass(frozen=True, slots=True)
class Mark:
    number: int
    proof: str
    """the hash of the mail's key, or its beginning"""

    def fits(self, key: str) -> bool:
        return hashed(key).startswith(self.proof)


def hashed(key: str) -> str:
    """The key is hashed: it may hold a name or a number that strangers need not read."""
    return hashlib.sha256(key.encode()).hexdigest()[:HASH_SIGNS]


def of_mail(key: str, number: int = 0) -> str:
    """Our mark, the same for the same mail at every attempt. number: 0 for a mail nobody keeps a number of."""
    return f"{hashed(key)}.{number}" if number else hashed(key)


def for_subject(key: str, number: int) -> str:
    """Like "[#4711-3fa9c1]": it survives mail programs that lose every header."""
    return f"[#{number}-{hashed(key)[:SHORT_SIGNS]}]"


def find(text: str) -> Mark | None:
    """The first mark in a Message-ID, an ENVID, or whatever a bounce quotes."""
    found = _MARK.search(text)
    return Mark(int(found[2]), found[1]) if found else None


def find_in_subject(subject: str) -> Mark | None:
    """The last one: "Re: Fwd: … [#4711-3fa9c1]"."""
    found = _IN_SUBJECT.findall(subject)
    return Mark(int(found[-1][0]), found[-1][1].lower()) if found else None


def without(subject: str) -> str:
    """The subject as its writer put it: an answer bears a mark of its own."""
    return " ".join(_IN_SUBJECT.sub("", subject).split())
