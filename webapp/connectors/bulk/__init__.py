"""SMS to many: written, looked over, sent off, followed; and what is to leave later."""

from __future__ import annotations

from flask import Flask

from engine.i18n import _
from processes.messaging.permissions import SEND_BULK
from webapp.connectors.bulk import pages, scheduled
from webapp.skin.navigation import Entry, navigation


def add_pages(app: Flask) -> None:
    app.register_blueprint(pages.pages)
    app.register_blueprint(scheduled.pages)
    navigation().add(Entry("workbench", _("SMS to many"), "users-group", "bulk.index", permission=SEND_BULK, order=41))
    navigation().add(Entry("workbench", _("To be sent later"), "calendar-event", "scheduled.index", order=42))
