"""What every page wears: navigation, static files, headers, and how values read."""

from __future__ import annotations

from typing import Any

from flask import Flask, current_app, request
from markupsafe import Markup

from engine.i18n import _, current_locale
from webapp.bootstrap import LANGUAGES, language_of
from webapp.security.access import actor_or_none
from webapp.skin import assets, banners, formats, headers, navigation, watermark

THEMES = ("light", "dark")


def init_app(app: Flask) -> None:
    """Give the templates what they need; every page of the house is drawn with these names."""
    for part in (assets, formats, headers, navigation, watermark):
        part.init_app(app)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.context_processor(_context)


def speak(app: Flask) -> None:
    """After FAB has put Flask-Babel's functions into the templates: ours, which know named places in braces."""
    app.jinja_env.globals.update(_=sentence, gettext=sentence)


def sentence(template: str, **values: object) -> str:
    """`_()` of the templates: sentences, places and catalogue as in Python; a `<time>` in a place stays one."""
    if any(isinstance(value, Markup) for value in values.values()):
        return Markup(str(_(template))).format(**values)  # noqa: S704 - the catalogue is ours, other values are escaped
    return str(_(template, **values))


def _context() -> dict[str, Any]:
    actor = actor_or_none()
    language = language_of(current_locale())
    theme = request.cookies.get("theme", "")
    return {
        "actor": actor,
        "may": lambda permission: actor is not None and actor.may(permission),
        "navigation": navigation,
        "banners": banners.shown,
        "language": language,
        "languages": LANGUAGES,
        "html_language": {"zh": "zh-CN"}.get(language, language),
        "theme": theme if theme in THEMES else "",
        "devices_simulated": current_app.config["SETTINGS"].devices_simulated,
        "nav_folded": request.cookies.get("nav") == "folded",
    }
