"""Whose an address is, to somebody who writes there: of numbers and mail addresses those he sees whole."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG
from processes.kernel.known_numbers import Known

Finder = Callable[[Session, Actor, str, Sequence[str]], Mapping[str, Sequence[Known]]]
"""kind (phone | mail), numbers in E.164 or addresses in small letters -> people whose address the actor sees whole:
else naming them would tell whoever tries one after another what a masked one is.
"""

_FINDERS: dict[str, Finder] = {}


def register(package: str, finder: Finder) -> None:
    """Declared once by each package that keeps addresses, when it is imported."""
    _FINDERS[package] = finder


def find(session: Session, actor: Actor, kind: str, addresses: Sequence[str]) -> dict[str, list[Known]]:
    """Address in small letters -> those of its people the actor may read, in the order of the packages' names."""
    wanted = list(dict.fromkeys(address.casefold() for address in addresses))
    found: dict[str, list[Known]] = {address: [] for address in wanted}
    for _package, finder in sorted(_FINDERS.items()) if wanted else ():
        for address, people in finder(session, actor, kind, wanted).items():
            found[address] += [
                one for one in people if CATALOG.may_read(session, actor, one.record_type, one.record_id)
            ]
    return found
