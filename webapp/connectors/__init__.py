"""What left the house and by which road: sent messages, how the roads are, Word documents."""

from __future__ import annotations

from flask import Flask

from engine.i18n import _
from processes.messaging.permissions import LOOK_AFTER
from processes.webhooks.permissions import MANAGE
from webapp.connectors import (
    bulk,
    comparing,
    documents,
    inbound,
    mail_answering,  # noqa: F401 - importing adds its pages
    mail_received,  # noqa: F401 - importing adds its pages
    mail_writing,
    messages,
    robots,
    sms_writing,  # noqa: F401 - importing adds its pages
    webhooks,
    wire_pages,
)
from webapp.skin import watermark
from webapp.skin.navigation import Entry, navigation


def add_pages(app: Flask) -> None:
    for room in (messages, mail_writing, documents, comparing, wire_pages, webhooks, inbound, robots):
        app.register_blueprint(room.pages)
    watermark.over(mail_writing.pages.name)
    navigation().add(Entry("workbench", _("Messages"), "messages", "messages.index", order=40, phone="messages"))
    navigation().add(Entry("system", _("Connectors"), "plug", "connectors.index", permission=LOOK_AFTER, order=20))
    navigation().add(Entry("system", _("Webhooks and robots"), "webhook", "webhooks.index", MANAGE, order=60))
    navigation().add(Entry("office", _("Document templates"), "file-text", "documents.index", order=190))
    bulk.add_pages(app)
