"""Pages of whose customers are: the pool, what can be done with one, handing over, one's own lists, the rules."""

from __future__ import annotations

from flask import Flask, url_for
from sqlalchemy import select

from engine.db import Sessions
from engine.i18n import Sentence, _
from processes.ownership import permissions, rules as words
from processes.party.models import Customer
from processes.party.permissions import CUSTOMER, customers_in_pool
from webapp.crm.ownership import acts, handing, lists, many, on_page, pool, rules
from webapp.registers import history
from webapp.registers.nothing_yet import WAYS, Way
from webapp.security.access import current_actor
from webapp.skin import watermark
from webapp.skin.navigation import Entry, navigation

_DEEDS: dict[str, Sentence] = {
    "locked": _("locked it"),
    "released": _("released it"),
    "assigned": _("assigned the customer"),
    "handed_over": _("handed the customer over"),
    "undone": _("took a handing over back"),
    "merged": _("merged it"),
    "unmerged": _("took the merge apart"),
    "reopened": _("opened the customer again"),
    "protected": _("changed how long it is protected"),
    "shared": _("shared it"),
    "share_revoked": _("took a share back"),
    "relation_added": _("noted a relation"),
    "relation_removed": _("removed a relation"),
    "competitor_put": _("noted a competitor"),
    "competitor_removed": _("removed a competitor"),
    "file_added": _("added a file"),
    "file_removed": _("removed a file"),
}
_NOTED: dict[str, Sentence] = {
    "how": _("Came by"),
    "protected_until": _("Protected until"),
    "with_whom": _("Colleague or department"),
    "with": _("Merged with"),
    "may": _("May"),
    "other": _("Customer"),
    "competitor": _("Competitor"),
    "role": _("Role"),
    "file": _("File"),
}


def _from_the_pool() -> tuple[Way, ...]:
    """Customers come from there as well as by hand, while some lie in it."""
    actor = current_actor()
    there = select(Customer.id).where(customers_in_pool(actor)).limit(1)
    if not actor.may(permissions.APPLY) or Sessions().scalar(there) is None:
        return ()
    return ((url_for("pool.index"), "users-plus", _("To the pool")),)


def add_pages(app: Flask) -> None:
    for room in (pool, acts, handing, lists, many, rules):
        app.register_blueprint(room.pages)
        watermark.over(room.pages.name)
    app.context_processor(on_page.context)
    on_page.join()
    WAYS[CUSTOMER] = _from_the_pool
    many.join()
    history.teach(actions=_DEEDS, names=_NOTED, values={"how": words.HOW, "may": words.SHARE_LEVELS})
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
