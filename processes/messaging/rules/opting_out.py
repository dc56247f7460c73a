"""What people answer when they want no more texts (退订)."""

from __future__ import annotations

import re
import unicodedata

_AROUND = re.compile(r"^[\W_]+|[\W_]+$")
_BLANKS = re.compile(r"\s+")
_WISH = re.compile(r"(?:请|我要|要求)?(?:回复?)?(?:(?:r|t|td)?(?:退订|退訂|取消订阅)|r|t|td|unsubscribe|stop)(?:谢谢)?")


def wants_out(text: str) -> bool:
    """R, T, TD, 退订 and what people make of them: any width and case, with brackets, blanks or a full stop around."""
    said = _BLANKS.sub("", unicodedata.normalize("NFKC", text)).casefold()
    return _WISH.fullmatch(_AROUND.sub("", said)) is not None
