"""How long a package is kept, what its number looks like, and how the values of a form read on paper."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from babel.dates import format_date, format_datetime
from babel.numbers import format_decimal

from engine import states
from engine.catalog import Process
from engine.forms import Field
from engine.i18n import Sentence, _
from processes.kernel.money import DEFAULT_CURRENCY, in_capitals, written
from processes.kernel.working_time import ZONE

DASH = "—"

UNFINISHED = ("draft", "running", "suspended")
ENDINGS = tuple(state for state in states.INSTANCE if state not in UNFINISHED)

RESULTS = {
    "start": _("Submitted"),
    "submit": _("Submitted"),
    "approve": _("Agreed"),
    "reject": _("Rejected"),
    "return": _("Returned"),
    "abstain": _("Abstained"),
    "withdraw": _("Withdrawn"),
    "terminate": _("Terminated"),
    "void": _("Declared void"),
    "reopen": _("Reopened"),
    "jump": _("Moved to another step"),
    "auto": _("Passed automatically"),
    "consult": _("Consulted"),
    "expired": _("Expired"),
    "open": _("In progress"),
    "none": _("Done"),
}
"""The word for what somebody decided, as it stands in the table of opinions."""


def result_word(outcome: str) -> Sentence:
    return RESULTS.get(outcome) or RESULTS["none"]


# ------------------------------------------------------------------------------------------------- keeping


@dataclass(frozen=True)
class Keeping:
    """Which ends of a process are filed, and for how long."""

    endings: tuple[str, ...] = Process.filed_endings
    years: int = Process.retention_years


def keeping_of(process: Process | None) -> Keeping:
    """As its package declares; a process that people have drawn themselves is kept as most are."""
    return Keeping(process.filed_endings, process.retention_years) if process else Keeping()


def keep_until(ended_on: date, years: int) -> date:
    """The last day of the retention: full years after the end of the year in which the process ended (档案保管期限)."""
    return date(min(ended_on.year + years, date.max.year), 12, 31)


def file_number(year: int, running: int) -> str:
    return f"AP-{year}-{running:06d}"


def running_of(number: str) -> int:
    """The running part of a file number."""
    return int(number.rpartition("-")[2])


_UNSAFE = re.compile(r"[\x00-\x1f\x7f/\\:*?\"<>|]+")


def is_sha256(text: str) -> bool:
    return re.fullmatch("[0-9a-f]{64}", text) is not None


def part_name(name: str) -> str:
    """A file's name as part of a package: no folders, nothing a file system chokes on."""
    clean = _UNSAFE.sub("_", name).strip(". ")[:120]
    return clean or "file"


# ------------------------------------------------------------------------------------------------- values on paper


def instant(at: datetime, locale: str) -> str:
    return str(format_datetime(at.astimezone(ZONE), "yyyy-MM-dd HH:mm", locale=locale))


def day(on: date, locale: str) -> str:
    return str(format_date(on, "yyyy-MM-dd", locale=locale))


def file_size(size: int) -> str:
    return f"{size / 1048576:.1f} MB" if size >= 1048576 else f"{-(-size // 1024)} KB"


def amount_of(field: Field, value: Any) -> tuple[Decimal, str] | None:
    """(amount, currency) of a stored money value; None when it is none."""
    given = value.get("amount") if isinstance(value, Mapping) else value
    currency = str(value.get("currency") or field.currency) if isinstance(value, Mapping) else field.currency
    try:
        amount = Decimal(str(given))
    except InvalidOperation:
        return None
    return (amount, currency) if amount.is_finite() else None


def text_of(field: Field, value: Any, locale: str) -> str:
    """A stored value as people read it, as far as it says so by itself. Unreadable ones (drafts) are shown as typed."""
    if value is None or value in ("", []):
        return ""
    try:
        match field.type:
            case "money":
                found = amount_of(field, value)
                return written(*found, locale) if found else str(value)
            case "number":
                return str(format_decimal(Decimal(str(value)), locale=locale))
            case "date":
                return day(date.fromisoformat(str(value)), locale)
            case "datetime":
                return instant(datetime.fromisoformat(str(value)), locale)
            case "switch":
                return str(_("yes") if value else _("no"))
    except (ValueError, InvalidOperation):
        pass
    return str(value)


def capitals_of(field: Field, value: Any) -> str:
    """人民币大写 of an amount in yuan; "" for everything else."""
    found = amount_of(field, value) if field.type == "money" and value not in (None, "") else None
    return in_capitals(found[0]) if found and found[1] == DEFAULT_CURRENCY else ""


def total_of(field: Field, values: Iterable[Any], locale: str) -> str:
    """The sum of a column of amounts; "" where there is none to be had."""
    if field.type != "money":
        return ""
    found = [amount_of(field, value) for value in values if value not in (None, "")]
    amounts = [one for one in found if one is not None]
    currencies = {currency for _amount, currency in amounts}
    if len(amounts) != len(found) or len(currencies) != 1:
        return ""
    return written(sum((amount for amount, _currency in amounts), Decimal(0)), currencies.pop(), locale)
