"""How much of a sensitive field somebody sees, from the rules that speak to him (row 65): values in, an answer out."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Protocol

from engine.i18n import Sentence, _

SEES: Mapping[str, Sentence] = {"hidden": _("Nothing"), "masked": _("Masked"), "visible": _("Whole")}
"""From least to most."""
EXTENTS: Mapping[str, Sentence] = {
    "everywhere": _("Everywhere, one’s own customers too"),
    "others": _("Customers one does not work on oneself"),
}
FIELDS: Mapping[str, Sentence] = {
    "customer.phone": _("Customer: phone"),
    "customer.email": _("Customer: mail"),
    "customer.wechat": _("Customer: WeChat"),
    "customer.credit_code": _("Customer: credit code"),
    "customer.address": _("Customer: address"),
    "contact.phone": _("Contact: phone"),
    "contact.email": _("Contact: mail"),
    "contact.wechat": _("Contact: WeChat"),
}

NUMBERS = tuple(name for name in FIELDS if not name.endswith("address"))
"""Fields the search finds by their parts or as a whole."""

_RANK = {name: rank for rank, name in enumerate(SEES)}


class Rule(Protocol):
    """What counts of a FieldRule."""

    @property
    def extent(self) -> str: ...
    @property
    def sees(self) -> str: ...
    @property
    def reveals(self) -> bool: ...
    @property
    def narrows(self) -> bool: ...


@dataclass(frozen=True)
class Sight:
    sees: str
    """hidden | masked | visible"""
    reveals: bool = True
    """of a masked one: may be uncovered"""


WHOLE = Sight("visible")
MASKED = Sight("masked")


def usual(*, is_worked: bool) -> Sight:
    """Where no rule speaks: whole for whoever works on the customer, masked for all others who see it."""
    return WHOLE if is_worked else MASKED


def sight(rules: Iterable[Rule], *, is_worked: bool, otherwise: Sight) -> Sight:
    """The widest of the rules that speak to somebody about one field; one that narrows is never exceeded.

    is_worked: it is about a customer he works on himself, for which rules about others' customers say nothing.
    otherwise: what holds where no rule speaks.
    """
    held = [one for one in rules if one.extent == "everywhere" or not is_worked]
    found = max((one for one in held if not one.narrows), key=_width, default=None)
    best = Sight(found.sees, found.reveals) if found is not None else otherwise
    for limit in (one for one in held if one.narrows):
        if _width(limit) < (_RANK[best.sees], best.reveals):
            best = Sight(limit.sees, limit.reveals)
    return best


def _width(rule: Rule) -> tuple[int, bool]:
    return _RANK[rule.sees], rule.reveals
