"""Reports on customers: how they came and went, how they stand and moved on."""

from __future__ import annotations

from flask import Flask

from engine.i18n import _
from processes.insight.permissions import TEAM
from webapp.crm.insight import change, state
from webapp.skin import watermark
from webapp.skin.navigation import Entry, navigation


def add_pages(app: Flask) -> None:
    for room in (change, state):
        app.register_blueprint(room.pages)
        watermark.over(room.pages.name)
    for entry in (
        Entry("reports", _("Customer change"), "arrows-exchange", "customer_change.index", TEAM, order=20),
        Entry("reports", _("Customer state"), "chart-pie", "customer_state.index", TEAM, order=30),
    ):
        navigation().add(entry)
