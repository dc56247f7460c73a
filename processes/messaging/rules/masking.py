"""What may be shown of a message to whom."""

from __future__ import annotations

import re

from processes.kernel import phone_number

_NUMBER = re.compile(r"\+?\d{7,}")
_ADDRESS = re.compile(r"([\w.+-])[\w.+-]*@")


def masked(recipient: str) -> str:
    """Numbers keep their last digits, addresses their first sign: enough to tell them apart, too little to use them."""
    return _ADDRESS.sub(r"\1***@", _NUMBER.sub(lambda found: phone_number.masked(found[0]), recipient))
