"""Pages of whose customers are: the pool, what can be done with one, handing over, one's own lists, the rules."""

from __future__ import annotations

from flask import Flask

from engine.i18n import _
from processes.ownership import permissions
from webapp.crm.ownership import acts, handing, lists, many, on_page, pool, rules
from webapp.skin import watermark
from webapp.skin.navigation import Entry, navigation


def add_pages(app: Flask) -> None:
    for room in (pool, acts, handing, lists, many, rules):
        app.register_blueprint(room.pages)
        watermark.over(room.pages.name)
    app.context_processor(on_page.context)
    on_page.join()
    many.join()
    for entry in (
        Entry("customer", _("Pool"), "inbox", "pool.index", permissions.APPLY, order=220),
        Entry("customer", _("My lists"), "list-details", "customer_lists.index", permissions.APPLY, order=230),
        Entry(
            "customer", _("Hand over customers"), "user-share", "customer_handing.index", permissions.ASSIGN, order=240
        ),
        Entry(
            "system", _("Rules of assignment"), "users", "customer_rules.assignment", permissions.READ_RULES, order=210
        ),
        Entry(
            "system", _("Rules of unlocking"), "clock", "customer_rules.unlocking", permissions.READ_RULES, order=211
        ),
    ):
        navigation().add(entry)
