"""The published functions of the expression language; `Function.help` is what the designer shows."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from typing import Any

from engine import clock
from engine.expressions import values
from engine.expressions.values import HOUSE_ZONE, ExpressionError, UnknownName, WorkingTime, shown
from engine.i18n import Sentence, _

Lazy = Callable[[Mapping[str, Any]], Any]


@dataclass(frozen=True, slots=True)
class Function:
    name: str
    call: Callable[..., Any]
    least: int
    most: int
    help: Sentence

    def check_count(self, given: int) -> None:
        if not self.least <= given <= self.most:
            raise ExpressionError(
                _(
                    "{name} takes {least} to {most} values, not {given}.",
                    name=self.name,
                    least=self.least,
                    most=self.most,
                    given=given,
                )
            )


def _items(value: Any) -> list[Any]:
    if value is None:
        return []
    if isinstance(value, (list, tuple)):
        return list(value)
    raise ExpressionError(_("{value} is not a list.", value=shown(value)))


def _fields(value: Any, field: Any) -> Iterable[Any]:
    return _items(value) if field is None else (values.member(one, str(field)) for one in _items(value))


def _length(value: Any) -> int:
    if value is None:
        return 0
    if isinstance(value, (str, list, tuple, Mapping)):
        return len(value)
    raise ExpressionError(_("{value} has no length.", value=shown(value)))


def _sum(value: Any, field: Any = None) -> Any:
    total: Any = 0
    for one in _fields(value, field):
        if one is not None and one != "":
            total = values.add(total, _number(one))
    return total


def _number(value: Any) -> int | Decimal:
    found = values.number(value)
    if found is None:
        raise ExpressionError(_("{value} is not a number.", value=shown(value)))
    return found


def _extreme(sign: int) -> Callable[..., Any]:
    def pick(*given: Any) -> Any:
        present = [one for one in (_items(given[0]) if len(given) == 1 else given) if one is not None]
        best = present[0] if present else None
        for one in present[1:]:
            if values.order(one, best) * sign > 0:
                best = one
        return best

    return pick


def _text(value: Any) -> str:
    if value is None or isinstance(value, str):
        return value or ""
    raise ExpressionError(_("{value} is not text.", value=shown(value)))


def _any(value: Any, field: Any = None, wanted: Any = True) -> bool:
    return any(_matches(one, wanted) for one in _fields(value, field))


def _all(value: Any, field: Any = None, wanted: Any = True) -> bool:
    return all(_matches(one, wanted) for one in _fields(value, field))


def _matches(value: Any, wanted: Any) -> bool:
    return values.truth(value) if wanted is True else values.equal(value, wanted)


def _today() -> date:
    return clock.now().astimezone(HOUSE_ZONE).date()


def _plus_days(day: Any, count: Any) -> date:
    moment, days = values.as_moment(day), _number(count)
    try:
        return moment + timedelta(days=float(days))
    except OverflowError:
        raise ExpressionError(_("The date lies too far away.")) from None


def _working_days(count: Any) -> WorkingTime:
    days = _number(count)
    if days != int(days) or not 0 <= days <= 10_000:
        raise ExpressionError(_("{value} is not a number of working days.", value=shown(count)))
    return WorkingTime(days=int(days))


def _working_hours(count: Any) -> WorkingTime:
    hours = _number(count)
    if not 0 <= hours <= 100_000:
        raise ExpressionError(_("{value} is not a number of working hours.", value=shown(count)))
    return WorkingTime(hours=float(hours))


def _now() -> datetime:
    return clock.now()


FUNCTIONS: dict[str, Function] = {
    function.name: function
    for function in (
        Function("len", _length, 1, 1, _("how many items or signs")),
        Function("sum", _sum, 1, 2, _("the sum of a list, or of one field of its items")),
        Function("min", _extreme(-1), 1, 50, _("the smallest of a list or of the values given")),
        Function("max", _extreme(1), 1, 50, _("the largest of a list or of the values given")),
        Function("round", values.rounded, 1, 2, _("rounded half up to so many decimal places")),
        Function("abs", lambda x: abs(_number(x)), 1, 1, _("without its sign")),
        Function("number", _number, 1, 1, _("text read as a number")),
        Function("text", values.text, 1, 1, _("a value written as text")),
        Function("today", _today, 0, 0, _("today's date on the company's clock")),
        Function("now", _now, 0, 0, _("this instant")),
        Function("date", values.as_date, 1, 1, _("the day of a date, an instant or ISO text")),
        Function("plus_days", _plus_days, 2, 2, _("a date so many days later")),
        Function("working_days", _working_days, 1, 1, _("a span of working days, for timers and due dates")),
        Function("working_hours", _working_hours, 1, 1, _("a span of working hours, for timers and due dates")),
        Function("contains", lambda a, b: values.within(b, a), 2, 2, _("whether a list or text holds a value")),
        Function("starts_with", lambda a, b: _text(a).startswith(_text(b)), 2, 2, _("whether text begins so")),
        Function("lower", lambda a: _text(a).lower(), 1, 1, _("in small letters")),
        Function("upper", lambda a: _text(a).upper(), 1, 1, _("in capital letters")),
        Function("any", _any, 1, 3, _("whether one item holds, or has this value in this field")),
        Function("all", _all, 1, 3, _("whether every item holds, or has this value in this field")),
        Function(
            "coalesce", lambda *given: None, 1, 50, _("the first value that is there; unknown variables are skipped")
        ),
        Function("exists", lambda given: None, 1, 1, _("whether the variable is there and not null")),
    )
}


def _coalesce(arguments: list[Lazy], names: Mapping[str, Any]) -> Any:
    for argument in arguments:
        try:
            value = argument(names)
        except UnknownName:
            continue
        if value is not None:
            return value
    return None


def _exists(arguments: list[Lazy], names: Mapping[str, Any]) -> bool:
    return _coalesce(arguments, names) is not None


SPECIAL_FORMS: dict[str, Callable[[list[Lazy], Mapping[str, Any]], Any]] = {"coalesce": _coalesce, "exists": _exists}
"""Called with their arguments unevaluated, so that a variable that is not there is no error."""
