"""Templates in `templates/`: one file per language, filled in a sandbox in which a missing value is an error."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from babel.dates import format_datetime
from jinja2 import FileSystemLoader, StrictUndefined, Template, TemplateNotFound, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment

from engine.errors import RuleViolation
from engine.i18n import DEFAULT_LOCALE, _
from processes.kernel.money import Money, written
from processes.kernel.working_time import ZONE

TEMPLATES = Path(__file__).parents[3] / "templates"


@dataclass(frozen=True, slots=True)
class Mail:
    subject: str
    text: str
    html: str


def sms_text(template: str, locale: str, values: Mapping[str, Any]) -> str:
    """The words of `sms/<template>.<locale>.txt`, in one line as a phone shows them."""
    return " ".join(_render(f"sms/{template}", locale, "txt", values).split())


def mail(template: str, locale: str, values: Mapping[str, Any]) -> Mail:
    """`mail/<template>.<locale>.txt`, whose first line is the subject, and the `.html` beside it."""
    subject, _newline, text = _render(f"mail/{template}", locale, "txt", values).partition("\n")
    html = _render(f"mail/{template}", locale, "html", values)
    return Mail(subject=" ".join(subject.split()), text=text.strip() + "\n", html=html)


def _render(name: str, locale: str, ending: str, values: Mapping[str, Any]) -> str:
    return _find(name, locale, ending).render(values, locale=locale).strip()


def _find(name: str, locale: str, ending: str) -> Template:
    for language in (locale, DEFAULT_LOCALE):
        try:
            return _environment().get_template(f"{name}.{language}.{ending}")
        except TemplateNotFound:
            continue
    raise RuleViolation(_("There is no template “{name}”.", name=name), code="no_such_template")


@cache
def _environment() -> ImmutableSandboxedEnvironment:
    environment = ImmutableSandboxedEnvironment(
        loader=FileSystemLoader(TEMPLATES),
        undefined=StrictUndefined,
        autoescape=lambda name: name is not None and name.endswith(".html"),
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"money": _money, "local_time": _local_time}
    return environment


@pass_context
def _money(context: Context, amount: object) -> str:
    """¥12,345.60 for {"amount": "12345.60", "currency": "CNY"} or a bare amount in yuan."""
    money = Money.parse(amount)
    return written(money.amount, money.currency, context["locale"])


@pass_context
def _local_time(context: Context, instant: datetime | str) -> str:
    """An instant on the clock in Shanghai, to the minute; as tokens carry it, too: in ISO 8601."""
    if isinstance(instant, str):
        instant = datetime.fromisoformat(instant)
    return format_datetime(instant, "short", tzinfo=ZONE, locale=context["locale"])
