"""What leads on from a list in which nothing stands yet; what will stand there is said by its register (`empty`)."""

from __future__ import annotations

from collections.abc import Callable

from engine.catalog import Register
from engine.i18n import Sentence, _

Way = tuple[str, str, Sentence]
"""address, icon, words"""
WAYS: dict[str, Callable[[], tuple[Way, ...]]] = {}
"""register -> by what its records come, as far as the reader may; the nearest one first"""


def ways(register: Register, form: str, may_manage: bool, of_list: tuple[Way, ...]) -> tuple[Way, ...]:
    """form: address of an empty one.  of_list: what stands above the list."""
    own: tuple[Way, ...] = ((form, "plus", _("New")),) if register.create is not None and may_manage else ()
    return (*own, *(WAYS[register.name]() if register.name in WAYS else ()), *of_list)
