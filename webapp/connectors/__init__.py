"""What left the house and by which road: sent messages, and how the roads are."""

from __future__ import annotations

from flask import Flask

from engine.i18n import _
from webapp.connectors import messages
from webapp.skin.navigation import Entry, navigation


def add_pages(app: Flask) -> None:
    app.register_blueprint(messages.pages)
    navigation().add(Entry("workbench", _("Messages"), "messages", "messages.index", order=40, phone="messages"))
