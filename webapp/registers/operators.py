"""How each kind of column can be asked: contains, at least, is one of …"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal, InvalidOperation
from typing import Any, cast

from sqlalchemy import ColumnElement, Date, DateTime, inspect, or_
from sqlalchemy.orm import MANYTOONE, InstrumentedAttribute

from engine import clock
from engine.catalog import Column
from engine.i18n import Sentence, _
from processes.kernel.working_time import ZONE, business_date
from webapp.registers.interface import primary_key, read_key

MOST_DAYS = 36_500


class NoAnswer(Exception):
    """The value asked for cannot be read as this kind of column."""


@dataclass(frozen=True)
class Operator:
    code: str
    title: Sentence
    apply: Callable[[Any, Any], ColumnElement[bool]]
    takes_value: bool = True
    reads: str = ""
    """kind of its value when that is not the column's own"""


HAS = Operator("has", _("contains"), lambda column, value: column.icontains(value, autoescape=True))
STARTS = Operator("starts", _("starts with"), lambda column, value: column.istartswith(value, autoescape=True))
IS = Operator("is", _("is"), lambda column, value: column == value)
IS_NOT = Operator("not", _("is not"), lambda column, value: column.is_distinct_from(value))
AT_LEAST = Operator("from", _("at least"), lambda column, value: column >= value)
AT_MOST = Operator("to", _("at most"), lambda column, value: column <= value)
SINCE = Operator("from", _("from"), lambda column, value: column >= value)
UNTIL = Operator("to", _("until"), lambda column, value: column <= value)
EMPTY = Operator("empty", _("is empty"), lambda column, _value: column.is_(None), takes_value=False)


def _older(column: Any, days: Decimal) -> ColumnElement[bool]:
    moment = clock.now() - timedelta(days=min(int(days), MOST_DAYS))
    before = business_date(moment) if isinstance(column.type, Date) else moment
    return or_(column < before, column.is_(None))


OLDER = Operator("older", _("longer ago than … days, or never"), _older, reads="number")

BY_KIND: dict[str, tuple[Operator, ...]] = {
    "text": (HAS, IS, STARTS, EMPTY),
    "long": (HAS, EMPTY),
    "number": (IS, AT_LEAST, AT_MOST, EMPTY),
    "money": (IS, AT_LEAST, AT_MOST, EMPTY),
    "date": (IS, SINCE, UNTIL, OLDER, EMPTY),
    "datetime": (SINCE, UNTIL, OLDER, EMPTY),
    "bool": (IS,),
    "state": (IS, IS_NOT),
    "person": (IS, IS_NOT, EMPTY),
    "reference": (IS, IS_NOT, EMPTY),
    "phone": (HAS, IS, STARTS, EMPTY),
}


def operators(column: Column) -> tuple[Operator, ...]:
    return BY_KIND[column.kind]


def attribute(model: type, name: str) -> InstrumentedAttribute[Any] | None:
    """The mapped column behind a name; None for what a list only shows (properties)."""
    mapper: Any = inspect(model)
    if name in mapper.column_attrs or name in mapper.relationships:
        found: InstrumentedAttribute[Any] = getattr(model, name)
        return found
    return None


def condition(model: type, column: Column, code: str, text: str) -> ColumnElement[bool]:
    """The SQL of one filter. Raises NoAnswer when operator or value make no sense for the column."""
    operator = next((one for one in operators(column) if one.code == code), None)
    target = attribute(model, column.name)
    if operator is None or target is None:
        raise NoAnswer
    if column.name in inspect(model).relationships:
        return _related(target, operator, text)
    if not operator.takes_value:
        return target.is_(None)
    if operator.reads:
        return operator.apply(target, read(replace(column, kind=operator.reads), text))
    value = read(column, text, end_of_day=operator.code == "to")
    if column.kind == "datetime" and isinstance(value, datetime) and _is_naive(target):
        value = value.astimezone(UTC).replace(tzinfo=None)
    return operator.apply(target, value)


def _related(target: Any, operator: Operator, text: str) -> ColumnElement[bool]:
    """A relation is filtered by the key of the record behind it; whether the asker may see that is no secret kept here:
    the rows that come back are his own.
    """
    relation = target.property
    if relation.direction is MANYTOONE and len(relation.local_remote_pairs) == 1:
        return _by_its_key(relation.local_remote_pairs[0][0], operator, text)
    has: ColumnElement[bool] = target.any() if relation.uselist else target.has()
    if not operator.takes_value:
        return ~has
    key = read_key(text)
    if key is None:
        raise NoAnswer
    same = primary_key(relation.mapper.class_) == key
    found: ColumnElement[bool] = target.any(same) if relation.uselist else target.has(same)
    return ~found if operator is IS_NOT else found


def _by_its_key(column: Any, operator: Operator, text: str) -> ColumnElement[bool]:
    """The row holds the key itself, so that an index on it carries the question."""
    if not operator.takes_value:
        return cast("ColumnElement[bool]", column.is_(None))
    key = read_key(text)
    if key is None:
        raise NoAnswer
    return cast("ColumnElement[bool]", column.is_distinct_from(key) if operator is IS_NOT else column == key)


def _is_naive(target: Any) -> bool:
    """FAB's own tables keep naive UTC instants."""
    return isinstance(target.type, DateTime) and not target.type.timezone


def read(column: Column, text: str, *, end_of_day: bool = False) -> Any:
    """Text of an address as a value of the column's kind."""
    try:
        match column.kind:
            case "number" | "money":
                return _number(text)
            case "date":
                return date.fromisoformat(text)
            case "datetime":
                return _instant(text, end_of_day=end_of_day)
            case "bool":
                return {"true": True, "false": False}[text]
            case "state":
                if text not in column.choices:
                    raise NoAnswer
                return text
            case "person" | "reference":
                return _key(text)
            case _:
                return text
    except (KeyError, ValueError, InvalidOperation) as error:
        raise NoAnswer from error


def _number(text: str) -> Decimal:
    value = Decimal(text.replace(",", ""))
    if not value.is_finite() or abs(value) >= 10**14:
        raise NoAnswer
    return value.quantize(Decimal("0.0001")) if value != value.to_integral_value() else value


def _key(text: str) -> int:
    key = read_key(text)
    if key is None:
        raise NoAnswer
    return key


def _instant(text: str, *, end_of_day: bool) -> datetime:
    """A day or a minute on the company's clock; "until" a day means to its end."""
    moment = datetime.fromisoformat(text)
    if len(text) <= len("2026-11-23"):
        day_end = timedelta(days=1) - timedelta(microseconds=1) if end_of_day else timedelta(0)
        moment = datetime.combine(moment.date(), time()) + day_end
    return moment if moment.tzinfo else moment.replace(tzinfo=ZONE)
