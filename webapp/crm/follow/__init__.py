"""Following up: the call list with its queues, contact records, appointments, what superiors look at."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from flask import Flask, url_for
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.i18n import _
from processes.activity.operations import due_now
from processes.activity.permissions import APPOINTMENT, POOL_IS_CLOSED, RECORD, TEAM, WRITE, why_not
from processes.party.models import Customer
from processes.party.permissions import USE
from webapp.crm import parts
from webapp.crm.follow import appointments, calendar, call_list, callers, gone, lists, records, supervising, words
from webapp.crm.follow.places import customer_page
from webapp.registers.interface import endpoint_of
from webapp.skin import watermark
from webapp.skin.navigation import Entry, navigation

_ROOMS = (appointments, calendar, lists, records, supervising)
"""imported for the pages they put on the blueprint"""


def add_pages(app: Flask) -> None:
    app.register_blueprint(call_list.pages)
    watermark.over(call_list.pages.name, *(endpoint_of(one) for one in (RECORD, APPOINTMENT)))
    filters: dict[str, Any] = {
        "contact_way": lambda name: words.WAYS.get(name, words.WAYS["other"]),
        "contact_result": words.RESULTS.get,
        "appointment_due": words.due_word,
        "appointment_closing": words.closing,
        "appointment_move": words.move_reason,
        "customer_page": customer_page,
        "follow_seal": gone.sealed,
    }
    app.jinja_env.filters.update(filters)
    app.jinja_env.globals.update(contact_ways=words.WAYS, contact_results=words.RESULTS)
    callers.register()
    tab = parts.Tab("timeline", _("Timeline"), lambda customer: url_for("follow.timeline", customer_id=customer.id), 10)
    if all(one.name != tab.name for one in parts.TABS):
        parts.TABS.append(tab)
        parts.MODULES.append("app/pages/follow.js")
    if _buttons not in parts.BUTTONS:
        parts.BUTTONS.insert(0, _buttons)  # what is done most stands first
    for entry in (
        Entry(
            "customer",
            _("Call list"),
            "phone-outgoing",
            "follow.index",
            WRITE,
            order=15,
            counted_by=due_now,
            live="follow",
        ),
        Entry("customer", _("My team’s contact records"), "message-circle", "follow.team", TEAM, order=60),
        Entry("reports", _("Contact analysis"), "chart-bar", "follow.analysis", USE, order=40),
    ):
        navigation().add(entry)


def _buttons(session: Session, actor: Actor, customer: Customer) -> Iterable[parts.Button]:
    refusal = why_not(session, actor, customer)
    if refusal is not None and refusal.code != POOL_IS_CLOSED:
        return
    said = None if refusal is None else _("{what} {remedy}", what=refusal.message, remedy=refusal.remedy or "")
    note = url_for("follow.new", customer=customer.id)
    is_own = customer.owner_id == actor.person_id
    yield parts.Button(note, "writing", _("Note a contact"), is_primary=is_own, refusal=said)
    plan = url_for("follow.plan", customer=customer.id)
    yield parts.Button(plan, "calendar-event", _("Make an appointment"), refusal=said)
