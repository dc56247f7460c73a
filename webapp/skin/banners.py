"""What a person must not forget on any page: every room may say something above the content."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from flask import Flask, current_app, g
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.db import Sessions
from engine.i18n import Sentence


@dataclass(frozen=True)
class Banner:
    """A sentence, a link to more, and perhaps one button that posts."""

    text: Sentence
    icon: str
    url: str
    button: Sentence | None = None
    action: str = ""
    confirm: Sentence | None = None
    fields: tuple[tuple[str, str], ...] = ()


Source = Callable[[Session, Actor], list[Banner]]


def add_source(app: Flask, source: Source) -> None:
    """Declare a source at start; twice the same is once."""
    known: list[Source] = app.extensions.setdefault("yl-banners", [])
    if source not in known:
        known.append(source)


def shown(actor: Actor) -> list[Banner]:
    """Asked once a request."""
    if "banners" not in g:
        sources: list[Source] = current_app.extensions.get("yl-banners", [])
        g.banners = [banner for source in sources for banner in source(Sessions(), actor)]
    found: list[Banner] = g.banners
    return found
