"""The designer: processes drawn, checked, drafted, deployed and compared in the browser."""

from __future__ import annotations

from flask import Flask

from engine.i18n import _
from engine.repository import DEPLOY
from webapp.modeler import drawing, files, listing, moving, versions
from webapp.modeler.blueprint import pages
from webapp.skin.navigation import Entry, navigation

ROUTES = (listing, drawing, files, versions, moving)
"""Imported for the pages they hang on the blueprint."""


def add_pages(app: Flask) -> None:
    """Give the application these pages and their place in the navigation; inside its application context."""
    app.register_blueprint(pages)
    navigation().add(Entry("process", _("Designer"), "sitemap", "designer.index", permission=DEPLOY, order=10))
