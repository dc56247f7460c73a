"""The company's working calendar: a year at a glance, changed day by day or from an announcement."""

from __future__ import annotations

from flask import Flask

from engine.i18n import _
from webapp.calendar import pages
from webapp.skin.navigation import Entry, navigation


def add_pages(app: Flask) -> None:
    app.register_blueprint(pages.pages)
    navigation().add(Entry("system", _("Working calendar"), "calendar", "calendar.index", order=30))
