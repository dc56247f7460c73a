"""How values read: money, instants, days, people; in the reader's language and the company's time zone."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from babel.core import Locale
from babel.dates import format_timedelta
from babel.numbers import format_decimal
from flask import Flask, g
from markupsafe import Markup

from engine import clock
from engine.catalog import CATALOG, Hidden, Masked
from engine.db import Sessions
from engine.i18n import _, current_locale, listed, set_apart
from processes.kernel import phone_number
from processes.kernel.money import written
from processes.kernel.working_time import ZONE

DASH = "—"
LONG_AGO = timedelta(days=7)


def money(value: Any, currency: str = "CNY") -> str:
    """Decimal, Money or {"amount", "currency"} as ¥1,200.50; nothing as a dash."""
    if value is None or value == "":
        return DASH
    if isinstance(value, Mapping):
        value, currency = Decimal(str(value["amount"])), str(value.get("currency") or currency)
    elif hasattr(value, "amount"):
        value, currency = value.amount, value.currency
    return written(value, currency, babel_locale())


def number(value: Any) -> str:
    return DASH if value is None else str(format_decimal(value, locale=babel_locale()))


def local(instant: datetime) -> datetime:
    """An instant on the company's clock; FAB's own columns are naive and mean the server's UTC."""
    return (instant if instant.tzinfo else instant.replace(tzinfo=UTC)).astimezone(ZONE)


def instant(value: datetime | None) -> str:
    return DASH if value is None else f"{local(value):%Y-%m-%d %H:%M}"


def day(value: date | datetime | None) -> str:
    if value is None:
        return DASH
    if isinstance(value, datetime):
        value = local(value).date()
    return value.isoformat()


def upcoming(value: datetime) -> str:
    """A moment to come as people say it: the day only when it is another one."""
    away = (local(value).date() - local(clock.now()).date()).days
    hour = f"{local(value):%H:%M}"
    if away == 0:
        return str(_("today {hour}", hour=hour))
    return str(_("tomorrow {hour}", hour=hour)) if away == 1 else instant(value)


def ago(value: datetime | None) -> Markup | str:
    """Relative time with the exact one on hover; after a week the date."""
    if value is None:
        return DASH
    distance = local(value) - clock.now()
    if abs(distance) > LONG_AGO:
        text = day(value)
    elif abs(distance) < timedelta(minutes=1):
        text = str(_("just now"))
    else:
        text = format_timedelta(
            distance, granularity="minute", add_direction=True, locale=babel_locale(), threshold=1.2
        )
    return Markup('<time datetime="{}" title="{}">{}</time>').format(local(value).isoformat(), instant(value), text)


def people(ids: Iterable[int | None]) -> dict[int, str]:
    """Names of persons, asked for once a request."""
    known: dict[int, str] = g.setdefault("person_names", {0: str(_("System"))})
    missing = {i for i in ids if i is not None and i not in known}
    if missing and CATALOG.directory is not None:
        known.update(CATALOG.directory.names(Sessions(), sorted(missing)))
    return known


def person(person_id: int | None) -> str:
    if person_id is None:
        return DASH
    return people([person_id]).get(person_id, f"#{person_id}")


def phone(number: str | None) -> str:
    """A telephone number as people here write it, or what is left of it for the reader."""
    if isinstance(number, Hidden):
        return str(_("Number hidden"))
    if isinstance(number, Masked):
        return str(number)
    return phone_number.shown(number) if number else DASH


LONGEST_PERSON = 4
"""Signs of a Chinese person's name; what is longer names an organisation, or is written out from another language."""


def initials(name: str) -> str:
    """What stands in the round of a person: 伟 of 张伟, AS of Ann Smith; of a firm how it begins: all end alike."""
    words = name.split()
    if len(name) > LONGEST_PERSON and not name.isascii():
        return name[:2]
    if len(words) > 1:
        return (words[0][:1] + words[-1][:1]).upper()
    return name[-2:] if len(name) > 2 and not name.isascii() else name[:1].upper() if name.isascii() else name[-1:]


def babel_locale() -> Locale:
    return _parsed(current_locale().replace("-", "_"))


@cache
def _parsed(name: str) -> Locale:
    """Babel looks for the file of a locale that is given by name each time, a hundred times a page."""
    return Locale.parse(name)


def init_app(app: Flask) -> None:
    filters = (money, number, instant, day, ago, upcoming, person, phone, initials, listed)
    app.jinja_env.filters.update({one.__name__: one for one in filters})
    app.jinja_env.globals["set_apart"] = set_apart
    app.jinja_env.tests["masked"] = lambda value: isinstance(value, Masked)
    app.jinja_env.tests["textable"] = lambda value: isinstance(value, str) and phone_number.can_be_texted(value)
