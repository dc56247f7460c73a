"""One value of one field: from what was sent to what is stored, and from there to what expressions reckon with."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any

from babel.numbers import get_currency_precision

from engine.forms.fields import Field
from engine.forms.words import unprintable
from engine.i18n import Sentence, _

EMPTY: tuple[Any, ...] = (None, "", [], {})

LONGEST = {"text": 200, "textarea": 5000}
LARGEST_NUMBER = Decimal(10) ** 15


class Refused(Exception):
    """This value does not fit its field."""

    def __init__(self, message: Sentence) -> None:
        super().__init__(message)
        self.message = message


def read(field: Field, value: Any) -> Any:
    """The value as it is stored (JSON); raises Refused. Choices and references are looked up elsewhere."""
    return _READERS[field.type](field, value)


def fact(field: Field, value: Any) -> Any:
    """A stored value as expressions reckon with it."""
    if value is None:
        return [] if field.type in ("table", "multi", "attachment") or field.multiple else None
    match field.type:
        case "money":
            return Decimal(value["amount"] if isinstance(value, Mapping) else value)
        case "number":
            return Decimal(value)
        case "table":
            return [facts(field.columns, row) for row in value]
        case _:
            return value


def facts(fields: Iterable[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    return {one.id: fact(one, values.get(one.id)) for one in fields if one.type != "section"}


# ------------------------------------------------------------------------------------------------- text


def _text(field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise Refused(_("Please write text here."))
    text = value.replace("\r\n", "\n").strip()
    longest = field.max_length or LONGEST[field.type]
    if len(text) > longest:
        raise Refused(_("At most {count} characters fit here.", count=longest))
    if len(text) < field.min_length:
        raise Refused(_("At least {count} characters are needed.", count=field.min_length))
    if field.type == "text" and "\n" in text:
        raise Refused(_("Please write a single line."))
    if unprintable(text):
        raise Refused(_("This contains characters that cannot be printed."))
    if field.pattern and not _compiled(field.pattern).fullmatch(text):
        raise Refused(_("This does not have the expected form."))
    return text


@lru_cache(maxsize=500)
def _compiled(pattern: str) -> re.Pattern[str]:
    return re.compile(pattern)


_ATOM = re.compile(
    r"(?P<atom>\\[dwsDWS]|\\[^\w\s]|\[\^?(?:[^\[\]\\]|\\[^a-zA-Z0-9]|\\[dws])+\]|[^\\\[\](){}*+?|^$])"
    r"(?:\{(?P<least>\d{1,3})(?:,(?P<most>\d{0,3}))?\}|(?P<sign>[*+?]))?"
)


def pattern_problem(pattern: str) -> Sentence | None:
    """Why a pattern may not be used: matching must stay fast whatever is typed.

    Allowed is a row of characters and classes with counts, at most one of them without an upper bound.
    """
    at, unbounded, ways = 0, 0, 1
    while at < len(pattern):
        match = _ATOM.match(pattern, at)
        if match is None:
            return _("“{rest}” cannot be used in a pattern: no groups, no alternatives.", rest=pattern[at:])
        at = match.end()
        if match["sign"] in ("*", "+") or match["most"] == "":
            unbounded += 1
        elif match["sign"] == "?":
            ways *= 2
        elif match["most"]:
            ways *= max(int(match["most"]) - int(match["least"]) + 1, 1)
    if unbounded > 1 or ways > 1000:
        return _("This pattern leaves too many ways to match; give counts like {{4}} instead of * and +.")
    try:
        _compiled(pattern)
    except re.error as error:
        return _("This pattern cannot be read: {reason}.", reason=str(error))
    return None


# ------------------------------------------------------------------------------------------------- numbers


def _decimal(value: Any) -> Decimal:
    if isinstance(value, bool) or not isinstance(value, (str, int, float, Decimal)):
        raise Refused(_("Please write a number."))
    try:
        number = Decimal(str(value).strip())
    except InvalidOperation:
        raise Refused(_("Please write a number.")) from None
    if not number.is_finite() or abs(number) >= LARGEST_NUMBER:
        raise Refused(_("Please write a number."))
    return number


def _check_range(field: Field, number: Decimal) -> None:
    if field.min is not None and number < Decimal(field.min):
        raise Refused(_("This must be at least {limit}.", limit=field.min))
    if field.max is not None and number > Decimal(field.max):
        raise Refused(_("This must be at most {limit}.", limit=field.max))


def _exact(number: Decimal, decimals: int) -> str:
    rounded = number.quantize(Decimal(1).scaleb(-decimals))
    if rounded != number:
        raise Refused(_("At most {count} decimals are possible.", count=decimals))
    return f"{rounded + 0:f}"


def _number(field: Field, value: Any) -> str:
    """Kept as text, so that 0.1 stays 0.1."""
    number = _decimal(value)
    _check_range(field, number)
    if field.decimals is not None:
        return _exact(number, field.decimals)
    text = f"{number + 0:f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def _money(field: Field, value: Any) -> dict[str, str]:
    """{"amount": "12.30", "currency": "CNY"} or "12.30"."""
    if isinstance(value, Mapping):
        if not {"amount"} <= value.keys() <= {"amount", "currency"}:
            raise Refused(_("Please write an amount, for example 12.30."))
        if value.get("currency", field.currency) != field.currency:
            raise Refused(_("Amounts here are in {currency}.", currency=field.currency))
        value = value["amount"]
    if isinstance(value, float):
        raise Refused(_('Send amounts as text, for example "12.30".'))
    amount = _decimal(value)
    _check_range(field, amount)
    return {"amount": _exact(amount, get_currency_precision(field.currency)), "currency": field.currency}


# ------------------------------------------------------------------------------------------------- days and the rest


def _date(field: Field, value: Any) -> str:
    day = value if isinstance(value, date) and not isinstance(value, datetime) else _iso(date.fromisoformat, value)
    text = day.isoformat()
    if field.min is not None and text < field.min:
        raise Refused(_("This must not lie before {limit}.", limit=field.min))
    if field.max is not None and text > field.max:
        raise Refused(_("This must not lie after {limit}.", limit=field.max))
    return text


def _datetime(_field: Field, value: Any) -> str:
    instant = value if isinstance(value, datetime) else _iso(datetime.fromisoformat, value)
    if instant.tzinfo is None:
        raise Refused(_("An instant needs its time zone, for example 2026-05-04T09:00+08:00."))
    return instant.astimezone(UTC).isoformat()


def _iso(parse: Callable[[str], Any], value: Any) -> Any:
    try:
        return parse(value)
    except (TypeError, ValueError):
        raise Refused(_("Please write a date, for example 2026-05-04.")) from None


def _switch(_field: Field, value: Any) -> bool:
    if not isinstance(value, bool):
        raise Refused(_("Please answer yes or no."))
    return value


def _select(_field: Field, value: Any) -> str:
    if not isinstance(value, str):
        raise Refused(_("Please choose one of the offered values."))
    return value


def _several(field: Field, value: Any, one: Callable[[Any], Any]) -> list[Any]:
    """A list without repetitions, each member read by `one`."""
    if not isinstance(value, list):
        raise Refused(_("Please choose from the list."))
    if field.max_items is not None and len(value) > field.max_items:
        raise Refused(_("At most {count} are possible.", count=field.max_items))
    if len(value) < field.min_items:
        raise Refused(_("At least {count} are needed.", count=field.min_items))
    return list(dict.fromkeys(one(member) for member in value))


def _multi(field: Field, value: Any) -> list[str]:
    return _several(field, value, lambda member: _select(field, member))


def _id(value: Any) -> int:
    if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, str) and value.isdecimal())):
        raise Refused(_("There is no such record."))
    number = int(value)
    if not 0 < number < 2**63:
        raise Refused(_("There is no such record."))
    return number


def _record(field: Field, value: Any) -> int | list[int]:
    return _several(field, value, _id) if field.multiple else _id(value)


def _attachment(field: Field, value: Any) -> list[int]:
    return _several(field, value, _id)


_READERS: dict[str, Callable[[Field, Any], Any]] = {
    "text": _text,
    "textarea": _text,
    "number": _number,
    "money": _money,
    "date": _date,
    "datetime": _datetime,
    "switch": _switch,
    "select": _select,
    "multi": _multi,
    "person": _record,
    "department": _record,
    "reference": _record,
    "attachment": _attachment,
}


def references(value: Any) -> Iterator[int]:
    """The record ids a stored value names."""
    if isinstance(value, list):
        yield from value
    elif value is not None:
        yield value
