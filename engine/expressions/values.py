"""How values of process data meet in an expression: exact decimals, numbers as text, dates, empty values, bounds."""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, timezone
from decimal import ROUND_HALF_UP, Context, Decimal, DecimalException, InvalidOperation
from typing import Any, cast

from engine.i18n import Sentence, _

MAX_DIGITS = 40
MAX_TEXT = 100_000
MAX_ITEMS = 100_000
HOUSE_ZONE = timezone(timedelta(hours=8), "Asia/Shanghai")
"""The company's wall clock; mainland China has had no daylight saving time since 1991."""

_CONTEXT = Context(prec=MAX_DIGITS, rounding=ROUND_HALF_UP)


class ExpressionError(Exception):
    """An expression that cannot be read, or that met values it cannot work with."""

    code = "expression"

    def __init__(self, message: Sentence) -> None:
        super().__init__(message)
        self.message = message

    def __str__(self) -> str:
        return str(self.message)


class UnknownName(ExpressionError):
    def __init__(self, name: str) -> None:
        super().__init__(_("There is no variable {name} here.", name=name))
        self.name = name


@dataclass(frozen=True, slots=True)
class WorkingTime:
    """What working_days(n) and working_hours(n) yield: a span on the company's calendar."""

    days: int = 0
    hours: float = 0


class Layered(Mapping[str, Any]):
    """A few names over many: reads `top` first, then `below`, copying nothing."""

    __slots__ = ("below", "top")

    def __init__(self, top: Mapping[str, Any], below: Mapping[str, Any]) -> None:
        self.top = top
        self.below = below

    def __getitem__(self, name: str) -> Any:
        return self.top[name] if name in self.top else self.below[name]

    def __contains__(self, name: object) -> bool:
        return name in self.top or name in self.below

    def __iter__(self) -> Iterator[str]:
        return iter({**dict.fromkeys(self.below), **dict.fromkeys(self.top)})

    def __len__(self) -> int:
        return len(set(self.below) | set(self.top))


# ------------------------------------------------------------------------------------------------------ numbers


def number(value: Any) -> int | Decimal | None:
    """The exact number in a value: a number, or text that is one ("1200.50"); None for anything else."""
    kind = type(value)
    if kind is int:
        return value  # type: ignore[no-any-return]
    if kind is Decimal:
        return value if value.is_finite() else None  # "not a number" compares with nothing
    if kind is float:
        value = repr(value)
    elif kind is not str or len(value) > MAX_DIGITS:
        return None
    try:
        found = Decimal(value.strip())
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def from_literal(value: Any) -> Any:
    if isinstance(value, float):
        return Decimal(repr(value))
    if value is None or isinstance(value, (bool, int, str)):
        return value
    raise ExpressionError(_("This is not allowed in an expression: {text}", text=repr(value)[:40]))


def _operands(a: Any, b: Any, sign: str) -> tuple[int | Decimal, int | Decimal]:
    x, y = number(a), number(b)
    if x is None or y is None:
        wrong = a if x is None else b
        raise ExpressionError(
            _("{value} is not a number, so {sign} cannot work with it.", value=shown(wrong), sign=sign)
        )
    return x, y


def _checked(value: int | Decimal) -> int | Decimal:
    if isinstance(value, int):
        if value.bit_length() > 130:
            raise ExpressionError(_("The number becomes too large."))
    elif not value.is_finite() or value.adjusted() > MAX_DIGITS:
        raise ExpressionError(_("The number becomes too large."))
    return value


def add(a: Any, b: Any) -> Any:
    if isinstance(a, str) and isinstance(b, str):
        return bounded(a + b)
    if isinstance(a, list) and isinstance(b, list):
        if len(a) + len(b) > MAX_ITEMS:
            raise ExpressionError(_("The list becomes too long."))
        return a + b
    if any(isinstance(one, str) and number(one) is None for one in (a, b)):
        return bounded(text(a) + text(b))
    x, y = _operands(a, b, "+")
    return _arithmetic("add", x, y)


def subtract(a: Any, b: Any) -> Any:
    if isinstance(a, date) and isinstance(b, date):
        return (as_date(a) - as_date(b)).days
    return _arithmetic("subtract", *_operands(a, b, "-"))


def multiply(a: Any, b: Any) -> Any:
    return _arithmetic("multiply", *_operands(a, b, "*"))


def divide(a: Any, b: Any) -> Any:
    return _arithmetic("divide", *_operands(a, b, "/"))


def floor_divide(a: Any, b: Any) -> Any:
    return _arithmetic("divide_int", *_operands(a, b, "//"))


def modulo(a: Any, b: Any) -> Any:
    return _arithmetic("remainder", *_operands(a, b, "%"))


_INT: dict[str, Callable[[int, int], int]] = {"add": operator.add, "subtract": operator.sub, "multiply": operator.mul}
_WHOLE = frozenset({"divide_int", "remainder"})


def _arithmetic(operation: str, x: int | Decimal, y: int | Decimal) -> int | Decimal:
    """Whole numbers stay whole, everything else is decimal to 40 digits."""
    _checked(x)
    _checked(y)
    whole = isinstance(x, int) and isinstance(y, int)
    if whole and operation in _INT:
        return _checked(_INT[operation](cast("int", x), cast("int", y)))
    try:
        result: Decimal = getattr(_CONTEXT, operation)(Decimal(x), Decimal(y))
    except (DecimalException, ZeroDivisionError):
        raise ExpressionError(_("{x} and {y} cannot be divided or combined.", x=str(x), y=str(y))) from None
    _checked(result)
    return int(result) if whole and operation in _WHOLE else result


def rounded(value: Any, places: Any = 0) -> int | Decimal:
    """Half up, as invoices round: round(2.345, 2) is 2.35."""
    x, n = _operands(value, places, "round")
    if n != int(n) or not -20 <= n <= 20:
        raise ExpressionError(_("{value} is not a number of decimal places.", value=shown(places)))
    try:
        result = Decimal(x).quantize(Decimal(1).scaleb(-int(n)), context=_CONTEXT)
    except DecimalException:
        raise ExpressionError(_("The number becomes too large.")) from None
    return int(result) if n == 0 else result


# ------------------------------------------------------------------------------------------------------ comparing


def equal(a: Any, b: Any) -> bool:
    if a is None or b is None or isinstance(a, bool) or isinstance(b, bool):
        return a is b
    if isinstance(a, str) and isinstance(b, str):
        return a == b
    if isinstance(a, date) or isinstance(b, date):
        x, y = _moments(a, b)
        return x is not None and x == y
    x, y = number(a), number(b)
    if x is not None and y is not None:
        return x == y
    try:
        return bool(type(a) is type(b) and a == b)
    except InvalidOperation:  # a signalling NaN, bare or inside a list, equals nothing
        return False


def order(a: Any, b: Any) -> int:
    """-1, 0 or 1; numbers (also as text), dates and text with their like, nothing else."""
    if isinstance(a, date) or isinstance(b, date):
        x, y = _moments(a, b)
    elif isinstance(a, str) and isinstance(b, str):
        x, y = number(a), number(b)
        if x is None or y is None:
            x, y = a, b
    else:
        x, y = number(a), number(b)
    if x is None or y is None:
        raise ExpressionError(_("{a} and {b} cannot be compared.", a=shown(a), b=shown(b)))
    return int(x > y) - int(x < y)


def _moments(a: Any, b: Any) -> tuple[Any, Any]:
    """Two instants when both know the time of day, else two days."""
    try:
        x, y = as_moment(a), as_moment(b)
    except ExpressionError:
        return None, None
    if isinstance(x, datetime) and isinstance(y, datetime):
        return x, y
    return as_date(x), as_date(y)


def as_moment(value: Any) -> date:
    """A date or an aware instant, also from ISO text; a text without zone is on the company's clock."""
    if isinstance(value, str):
        try:
            value = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value)
        except ValueError:
            value = None
    if not isinstance(value, date):
        raise ExpressionError(_("{value} is not a date.", value=shown(value)))
    if isinstance(value, datetime) and value.tzinfo is None:
        return value.replace(tzinfo=HOUSE_ZONE)
    return value


def as_date(value: Any) -> date:
    moment = as_moment(value)
    return moment.astimezone(HOUSE_ZONE).date() if isinstance(moment, datetime) else moment


def within(a: Any, b: Any) -> bool:
    """`x in list`, `key in mapping`, `part in text`."""
    if isinstance(b, str):
        return isinstance(a, str) and a in b
    if isinstance(b, Mapping):
        return isinstance(a, str) and a in b
    if isinstance(b, (list, tuple)):
        return any(equal(a, one) for one in b)
    if b is None:
        return False
    raise ExpressionError(_("{value} holds nothing that could be looked for.", value=shown(b)))


def truth(value: Any) -> bool:
    """true, a number other than 0, non-empty text and lists hold; null does not."""
    if value is True or value is False:
        return value
    return bool(value)


# ------------------------------------------------------------------------------------------------------ structures


def member(value: Any, key: str) -> Any:
    """`value.key`: a key of a mapping, null where it is missing or there is no value."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return value.get(key)
    raise ExpressionError(_("{value} has no part named {key}.", value=shown(value), key=key))


def item(value: Any, index: Any) -> Any:
    if isinstance(value, Mapping) and isinstance(index, str):
        return value.get(index)
    if isinstance(value, (list, tuple, str)) and type(index) is int:
        return value[index] if -len(value) <= index < len(value) else None
    if value is None:
        return None
    raise ExpressionError(_("{value} has no part numbered {key}.", value=shown(value), key=shown(index)))


def assigned(before: Any, path: Sequence[str], value: Any) -> Any:
    """`before` with `value` at `path`, copied along the way so that other tokens keep theirs."""
    if not path:
        return value
    if before is not None and not isinstance(before, Mapping):
        raise ExpressionError(_("{value} has no part named {key}.", value=shown(before), key=path[0]))
    start = dict(before or {})
    start[path[0]] = assigned(start.get(path[0]), path[1:], value)
    return start


def text(value: Any) -> str:
    """A value as a person writes it, for templates and joining."""
    if value is None:
        return ""
    if value is True or value is False:
        return "true" if value else "false"
    if isinstance(value, Decimal):
        return format(value, "f")
    if isinstance(value, (list, tuple)):
        return bounded(", ".join(text(one) for one in value))
    return value.isoformat() if isinstance(value, date) else bounded(str(value))


def bounded(value: str) -> str:
    if len(value) > MAX_TEXT:
        raise ExpressionError(_("The text becomes too long."))
    return value


def shown(value: Any) -> str:
    """A value in an error: short, and telling text from numbers."""
    out = "null" if value is None else f'"{value}"' if isinstance(value, str) else str(value)
    return out if len(out) <= 40 else out[:39] + "…"
