"""While a customer or a contact is typed in: who looks like it already."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from flask import Blueprint, render_template, request

from engine.db import Sessions
from engine.errors import RuleViolation
from engine.i18n import Sentence, _
from processes.kernel import phone_number
from processes.party import permissions
from processes.party.models import Contact, Customer
from processes.party.operations import Alike, employer_of_ours, find_alike
from processes.party.operations.parties import read_mail
from processes.party.rules import STATES, credit_code
from webapp.registers.views import FORM_HINTS
from webapp.security.access import current_actor, requires

pages = Blueprint("party_hints", __name__)

FORM_HINTS[permissions.CUSTOMER] = "party_hints.customer"
FORM_HINTS[permissions.CONTACT] = "party_hints.contact"

SHORTEST = 2
STATE_WORDS: dict[str, Sentence] = {**STATES, "active": _("Works there"), "left": _("Has left")}


@pages.get("/customers/alike")
@requires(permissions.USE)
def customer() -> str:
    kind = "person" if request.args.get("kind") == "person" else "organization"
    return _hints(kind, request.args.get("of", type=int))


@pages.get("/contacts/alike")
@requires(permissions.USE)
def contact() -> str:
    of = request.args.get("of", type=int)
    known = Sessions().get(Contact, of) if of is not None else None
    employer = request.args.get("employer", "").strip()[:200] if known is None else ""
    return _hints("person", known.person_id if known else None, employer)


def _hints(kind: str, party_id: int | None, employer: str = "") -> str:
    name = request.args.get("name", "").strip()[:200]
    phone, mail = _read("phone", phone_number.parse), _read("email", read_mail)
    hits = find_alike(
        Sessions(),
        current_actor(),
        kind=kind,
        name=name if len(name) >= SHORTEST else "",
        credit_code=_read("credit_code", credit_code),
        phones=[phone] if phone else (),
        mails=[mail] if mail else (),
        exclude=[party_id] if party_id else (),
    )
    of_ours, meant = _employers(employer)
    return render_template(
        "crm/alike.html", hits=hits, states=STATE_WORDS, kind=kind, employer=of_ours, employers_meant=meant
    )


def _employers(name: str) -> tuple[Customer | None, list[Alike]]:
    """The customer whose contact it becomes by the name typed; else those that may be meant by it."""
    session, actor = Sessions(), current_actor()
    if len(name) < SHORTEST:
        return None, []
    customer = employer_of_ours(session, actor, name)
    if customer is not None:
        return customer, []
    alike = find_alike(session, actor, kind="organization", name=name)
    return None, [
        one
        for one in alike
        if one.part == "customer"
        and one.is_visible
        and one.party_id
        and permissions.may_work(session, actor, one.party_id, "contacts")
    ]


def _read(field: str, read: Callable[[str], Any]) -> str:
    """What is still being typed is no mistake yet."""
    try:
        return str(read(request.args.get(field, "")))
    except RuleViolation:
        return ""
