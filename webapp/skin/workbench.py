"""What stands on the workbench: every room puts its own figures and panels there, the page only arranges them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Literal

from flask import Flask, current_app
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.i18n import Sentence


@dataclass(frozen=True)
class Figure:
    """A number that leads to its list."""

    title: Sentence
    value: int | str
    icon: str
    url: str
    tone: str = "blue"
    note: Sentence | None = None
    """what is special about it ("2 overdue")"""
    note_tone: str = "grey"
    live: str = ""
    """kind of push message that carries the new number"""


@dataclass(frozen=True)
class Panel:
    """A card of the workbench: a template with what it shows; None = not for this person today."""

    template: str
    content: Callable[[Session, Actor], dict[str, Any] | None]
    order: int = 100
    side: Literal["main", "side"] = "main"


FigureSource = Callable[[Session, Actor], "list[Figure]"]


@dataclass
class Workbench:
    figures: list[FigureSource] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)

    def add_figures(self, source: FigureSource) -> None:
        if source not in self.figures:
            self.figures.append(source)

    def add_panel(self, panel: Panel) -> None:
        if panel not in self.panels:
            self.panels.append(panel)


def workbench(app: Flask | None = None) -> Workbench:
    """The workbench of this application, made when the first room asks for it."""
    found: Workbench = (app or current_app).extensions.setdefault("yl-workbench", Workbench())
    return found
