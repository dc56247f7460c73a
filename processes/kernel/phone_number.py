"""Phone numbers: whatever people type becomes E.164 ("+8613800138000"), or is refused."""

from __future__ import annotations

import re
import unicodedata

from engine.errors import RuleViolation
from engine.i18n import _

_SEPARATORS = re.compile(r"[\s\-‐-―().·]+")
_MOBILE = re.compile(r"1[3-9]\d{9}")
_LANDLINE = re.compile(r"0(10|2\d|[3-9]\d{2})\d{7,8}")
_SERVICE = re.compile(r"[48]00\d{7}")
_FOREIGN = re.compile(r"\+[1-9]\d{6,14}")
_CHINA = "+86"


def parse(text: str) -> str:
    """Read "138 0013 8000", "０１０－１２３４５６７８", "+86-755-12345678" or a foreign number with its plus sign.

    Full-width digits, blanks, dashes and brackets are forgiven; a landline needs its area code.
    """
    digits = _SEPARATORS.sub("", unicodedata.normalize("NFKC", text))
    if digits.startswith("00"):
        digits = "+" + digits[2:]
    if digits.startswith("+") and not digits.startswith(_CHINA):
        if _FOREIGN.fullmatch(digits):
            return digits
        raise _refused(text)
    national = digits.removeprefix(_CHINA)
    if _MOBILE.fullmatch(national.removeprefix("86")):
        return _CHINA + national.removeprefix("86")
    if digits.startswith(_CHINA) and not national.startswith("0") and not _SERVICE.fullmatch(national):
        national = "0" + national  # +86 755 … is written without the trunk zero
    if _LANDLINE.fullmatch(national) or _SERVICE.fullmatch(national):
        return _CHINA + national.removeprefix("0")
    raise _refused(text)


def is_mobile(number: str) -> bool:
    """Whether an SMS can reach this E.164 number; foreign numbers are taken at their word."""
    national = number.removeprefix(_CHINA)
    return national == number or _MOBILE.fullmatch(national) is not None


def can_be_texted(number: str) -> bool:
    """Whether a person can write an SMS there: no landline, no service number, no extension, no name."""
    return number.startswith("+") and is_mobile(number)


def shown(number: str) -> str:
    """As people here write it: without +86, with the area code's zero, mobile numbers in groups; others as they are."""
    national = number.removeprefix(_CHINA)
    if national == number:
        return number
    if _MOBILE.fullmatch(national):
        return f"{national[:3]} {national[3:7]} {national[7:]}"
    if _SERVICE.fullmatch(national):
        return f"{national[:3]} {national[3:6]} {national[6:]}"
    area = 2 if national.startswith(("10", "2")) else 3
    return f"0{national[:area]}-{national[area:]}"


def masked(number: str) -> str:
    """For logs: only the last four digits."""
    return "*" * max(len(number) - 4, 0) + number[-4:]


def _refused(text: str) -> RuleViolation:
    return RuleViolation(
        _("{text} is not a phone number.", text=text),
        code="not_a_phone_number",
        remedy=_("Write eleven digits for a mobile phone, or the area code before a landline number."),
    )
