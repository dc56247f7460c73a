"""What people say, are told and ask of each other: the talk on records, the bell and its page, tasks."""

from __future__ import annotations

from flask import Flask

from engine.i18n import _
from processes.notices.operations import unread_count
from processes.tasks.operations import open_count
from webapp.collaboration import comments, notices, tasks
from webapp.skin.navigation import Entry, navigation


def add_pages(app: Flask) -> None:
    for room in (comments, notices, tasks):
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
    navigation().add(Entry("workbench", _("Tasks"), "clipboard-list", "tasks.index", order=25, count=open_count))
