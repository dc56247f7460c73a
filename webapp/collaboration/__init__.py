"""What people say, are told and ask of each other: the talk on records, the bell and its page, tasks."""

from __future__ import annotations

from flask import Flask

from engine.i18n import _
from processes.notices.operations import unread
from processes.tasks.operations import lying_with
from webapp.collaboration import comments, notices, tasks
from webapp.collaboration.links import address
from webapp.skin.navigation import Entry, navigation


def add_pages(app: Flask) -> None:
    app.jinja_env.filters["record_address"] = address
    for room in (comments, notices, tasks):
        app.register_blueprint(room.pages)
    navigation().add(
        Entry(
            "workbench",
            _("Notices"),
            "bell",
            "notices.index",
            order=35,
            counted_by=unread,
            live="notice",
            phone="bell",
        )
    )
    navigation().add(Entry("workbench", _("Tasks"), "clipboard-list", "tasks.index", order=25, counted_by=lying_with))
