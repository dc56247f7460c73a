"""Money: an exact amount in one currency, rounded half-up only where a line says so."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from functools import cache

from babel.core import Locale
from babel.numbers import format_currency, get_currency_precision, list_currencies

from engine.errors import RuleViolation
from engine.i18n import _

DEFAULT_CURRENCY = "CNY"

LARGEST = Decimal(99_999_999_999_999)
"""What a stored amount can hold (columns.MoneyAmount keeps four decimals in 64 bits), with room for sums."""


@cache
def smallest_unit(currency: str) -> Decimal:
    """0.01 for CNY, 1 for JPY; an unknown code is refused."""
    if currency not in list_currencies():
        raise RuleViolation(_("{currency} is not a currency code.", currency=currency), code="unknown_currency")
    return Decimal(1).scaleb(-get_currency_precision(currency))


def written(amount: Decimal, currency: str, locale: str | Locale) -> str:
    """As people read it: ¥1,200.50. The bare sign is the yuan's in every language, never the yen's."""
    text: str = format_currency(amount, currency, locale=locale)
    if currency == DEFAULT_CURRENCY:
        return text.replace("CN¥", "¥")
    return text.replace("¥", "JP¥") if currency == "JPY" and "JP¥" not in text else text


@dataclass(frozen=True, slots=True)
class Money:
    amount: Decimal
    currency: str = DEFAULT_CURRENCY

    @classmethod
    def parse(cls, value: object, currency: str = DEFAULT_CURRENCY) -> Money:
        """Read "1200.50", Decimal("1200.5"), 1200 or {"amount": "1200.50", "currency": "CNY"}.

        A float, a text that is no number, more decimals than the currency has: refused, nothing is rounded in silence.
        """
        if isinstance(value, Money):
            return value
        if isinstance(value, Mapping):
            return cls.parse(value.get("amount"), str(value.get("currency") or currency))
        if isinstance(value, bool) or not isinstance(value, (str, int, Decimal)):
            raise _not_an_amount(value)
        try:
            amount = Decimal(value.strip() if isinstance(value, str) else value)
        except InvalidOperation:
            raise _not_an_amount(value) from None
        if not amount.is_finite() or abs(amount) > LARGEST:
            raise _not_an_amount(value)
        unit = smallest_unit(currency)
        exact = amount.quantize(unit)
        if exact != amount:
            raise RuleViolation(
                _("{amount} has more decimals than {currency} has.", amount=amount, currency=currency),
                code="too_many_decimals",
            )
        return cls(exact + 0, currency)  # + 0 turns -0.00 into 0.00

    @classmethod
    def zero(cls, currency: str = DEFAULT_CURRENCY) -> Money:
        return cls(Decimal(0).quantize(smallest_unit(currency)), currency)

    @classmethod
    def total(cls, parts: Iterable[Money], currency: str = DEFAULT_CURRENCY) -> Money:
        return sum(parts, start=cls.zero(currency))

    def times(self, factor: Decimal | int) -> Money:
        """The amount times a quantity or a rate, rounded half-up to the currency's smallest unit."""
        rounded = (self.amount * factor).quantize(smallest_unit(self.currency), ROUND_HALF_UP)
        return Money(rounded + 0, self.currency)

    def as_dict(self) -> dict[str, str]:
        """The form money has in JSON: {"amount": "1200.50", "currency": "CNY"}."""
        return {"amount": f"{self.amount:f}", "currency": self.currency}

    def __add__(self, other: Money) -> Money:
        return Money(self.amount + self._same_currency(other).amount, self.currency)

    def __sub__(self, other: Money) -> Money:
        return Money(self.amount - self._same_currency(other).amount, self.currency)

    def __lt__(self, other: Money) -> bool:
        return self.amount < self._same_currency(other).amount

    def __le__(self, other: Money) -> bool:
        return self.amount <= self._same_currency(other).amount

    def __gt__(self, other: Money) -> bool:
        return self.amount > self._same_currency(other).amount

    def __ge__(self, other: Money) -> bool:
        return self.amount >= self._same_currency(other).amount

    def __str__(self) -> str:
        return f"{self.amount:,f}" if self.currency == DEFAULT_CURRENCY else f"{self.currency} {self.amount:,f}"

    def _same_currency(self, other: Money) -> Money:
        if other.currency != self.currency:
            raise RuleViolation(
                _(
                    "{first} and {second} cannot be reckoned together without an exchange rate.",
                    first=self.currency,
                    second=other.currency,
                ),
                code="mixed_currencies",
            )
        return other


# ------------------------------------------------------------------------------------------------- in words

_DIGITS = "零壹贰叁肆伍陆柒捌玖"
_PLACES = ((1000, "仟"), (100, "佰"), (10, "拾"), (1, ""))


def in_capitals(amount: Decimal) -> str:
    """人民币大写, as cheques and forms spell an amount in yuan: 12345.60 -> 壹万贰仟叁佰肆拾伍元陆角整."""
    cents = int((abs(amount) * 100).to_integral_value(ROUND_HALF_UP))
    yuan, jiao, fen = cents // 100, cents // 10 % 10, cents % 10
    text = f"{_spelled(yuan)}元" if yuan else ""
    if jiao:
        text += f"{_DIGITS[jiao]}角"
    if fen:
        text += ("零" if yuan and not jiao else "") + f"{_DIGITS[fen]}分"
    else:
        text = (text or "零元") + "整"
    return f"负{text}" if amount < 0 and cents else text


def _spelled(number: int) -> str:
    for size, word in ((10**8, "亿"), (10**4, "万")):
        if number >= size:
            high, low = divmod(number, size)
            gap = "零" if 0 < low < size // 10 else ""
            return f"{_spelled(high)}{word}{gap}{_spelled(low)}"
    text, skipped = "", False
    for size, word in _PLACES:
        digit = number // size % 10
        if digit:
            text += ("零" if skipped else "") + _DIGITS[digit] + word
        skipped = not digit and bool(text)
    return text


def _not_an_amount(value: object) -> RuleViolation:
    return RuleViolation(_("{value} is not an amount of money.", value=repr(value)), code="not_an_amount")
