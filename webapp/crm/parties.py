"""The pages about who customers are: duplicates, merging, relations, competitors, conversions, import."""

from __future__ import annotations

from flask import Flask

from engine.i18n import _
from processes.party import permissions
from webapp.crm import converting, files, hints, importing, merging, relations
from webapp.registers.interface import endpoint_of
from webapp.skin import watermark
from webapp.skin.navigation import Entry, navigation


def add_pages(app: Flask) -> None:
    app.register_blueprint(hints.pages)
    for room in (merging, relations, files, converting, importing):
        app.register_blueprint(room.pages)
        watermark.over(room.pages.name)
    watermark.over(*(endpoint_of(one) for one in (permissions.CUSTOMER, permissions.CONTACT, permissions.COMPETITOR)))
    app.before_request(merging.forward)
    navigation().add(
        Entry("customer", _("Employers"), "briefcase", "party_converting.employers", permissions.MANAGE, order=230)
    )
    navigation().add(Entry("customer", _("Duplicates"), "copy", "party_merging.index", permissions.MANAGE, order=240))
