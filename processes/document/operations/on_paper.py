"""The office that turns a Word file into PDF; a house without one files and prints the rest."""

from __future__ import annotations

from collections.abc import Callable

Office = Callable[[bytes], bytes]
"""a .docx -> its PDF; raises connectors.word's NotPrinted"""

_office: Office | None = None


def install_office(office: Office | None) -> None:
    """Called once at start, by whoever joins the house's wires."""
    global _office
    _office = office


def office() -> Office | None:
    return _office
