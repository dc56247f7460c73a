"""What people write beside a form, and the names and keys programs give: it must be readable and storable anywhere."""

from __future__ import annotations

from engine.errors import InvalidForm, Problem, RuleViolation
from engine.i18n import _

OPINION_LIMIT = 2000
KEY_LIMIT = 120


def unprintable(text: str) -> bool:
    """Whether it contains what no page shows and not every database stores: control signs, halves of characters."""
    return any((sign < " " and sign not in "\n\t") or "\ud800" <= sign <= "\udfff" for sign in text)


def check_opinion(where: str, text: str) -> None:
    """An opinion or reason goes into the log for good."""
    if len(text) > OPINION_LIMIT:
        raise InvalidForm([Problem(where, _("An opinion may have {limit} characters.", limit=OPINION_LIMIT))])
    if unprintable(text.replace("\r\n", "\n")):
        raise InvalidForm([Problem(where, _("This contains characters that cannot be printed."))])


def check_key(text: str) -> None:
    """A business key, or the name or id of a message: it must fit its column."""
    if len(text) > KEY_LIMIT or unprintable(text):
        raise RuleViolation(_("A name or key has at most {limit} printable signs.", limit=KEY_LIMIT))
