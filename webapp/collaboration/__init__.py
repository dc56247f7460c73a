"""What people say and are told: the talk on records, the bell and its page."""

from __future__ import annotations

from flask import Flask

from engine.i18n import _
from processes.notices.operations import unread_count
from webapp.collaboration import comments, notices
from webapp.skin.navigation import Entry, navigation


def add_pages(app: Flask) -> None:
    for room in (comments, notices):
        app.register_blueprint(room.pages)
    navigation().add(
        Entry(
            "workbench",
            _("Notices"),
            "bell",
            "notices.index",
            order=35,
            count=unread_count,
            live="notice",
            phone="bell",
        )
    )
