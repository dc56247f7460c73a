"""The call list: the queue at the left, the customer in the middle, the record at the right, one after the other."""

from __future__ import annotations

from typing import Any

from flask import Blueprint, make_response, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import runtime
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, NotFound
from engine.i18n import _
from processes.activity import operations
from processes.activity.operations import Line
from processes.activity.permissions import WRITE
from processes.activity.rules import QUEUES, Queue
from processes.party import permissions as party
from processes.party.permissions import CUSTOMER
from webapp.crm.follow import words
from webapp.crm.follow.asking import address_of, asked_contacts
from webapp.crm.follow.forms import Card, Typed, card_of, card_of_gone, save
from webapp.crm.follow.gone import gone
from webapp.registers.interface import endpoint_of
from webapp.security.access import current_actor, requires
from webapp.skin.keys import key_or_none, read_key, read_place

pages = Blueprint("follow", __name__, url_prefix="/follow")

PAGE_SIZE = 30
CHOSEN = "chosen"
"""beside the queues: the customers behind a number of the analysis (row 104)"""


@pages.get("/")
@requires(WRITE)
def index() -> str:
    """Opened without a queue: the first that has somebody in it, overdue before today before the rest."""
    partial = "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers
    return _page(current_actor(), "crm/follow/_work.html" if partial else "crm/follow/index.html")


@pages.post("/save")
@requires(WRITE)
def note() -> BaseResponse:
    """Keep the record and show the next of the queue; what is refused stays in the form."""
    actor, form = current_actor(), request.form
    try:
        runtime.perform(lambda session: save(session, actor, form).id)
    except AppError as refusal:
        Sessions().rollback()
        return make_response(_refused(actor, refusal), 422)
    Sessions().rollback()
    answer = make_response(_page(actor, "crm/follow/_work.html", said=str(_("Saved."))))
    chosen = address_of(asked_contacts()) if form.get("queue") == CHOSEN else {}
    answer.headers["HX-Push-Url"] = url_for("follow.index", queue=form.get("queue") or None, **chosen)  # type: ignore[arg-type]
    return answer


def _refused(actor: Actor, refusal: AppError) -> str:
    """The form again beside its customer; alone when he stands in the queue no more: never beside another one."""
    form, card = request.form, None
    customer_id = form.get("customer", 0, type=read_key)
    if found := gone(CUSTOMER, customer_id):
        card, refusal = card_of_gone(found, customer_id), found.refusal
    typed = Typed(form.to_dict(), refusal, form.get("submission", ""))
    return _page(actor, "crm/follow/_work.html", typed, card)


def _page(actor: Actor, template: str, typed: Typed | None = None, known: Card | None = None, said: str = "") -> str:
    """known: of the customer the form is about, when the actor sees it no more."""
    session = Sessions()
    asked = request.values
    person = _whose(session, actor)
    counts = operations.counts(session, actor, person)
    skip = asked.get("skip", 0, type=read_place)
    if asked.get("queue") == CHOSEN:
        queue, queues = CHOSEN, {**words.QUEUES, CHOSEN: words.CHOSEN}
        lines, more = operations.to_speak_to(session, actor, asked_contacts(), size=PAGE_SIZE, skip=skip)
    else:
        found = _queue(asked.get("queue", ""), counts)
        queue, queues = str(found), dict(words.QUEUES)
        lines, more = operations.lines(session, actor, found, person_id=person, size=PAGE_SIZE, skip=skip)
    shown: dict[str, int | str] = {str(name): count for name, count in counts.items()}
    shown[CHOSEN] = f"{skip + len(lines)}{'+' if more else ''}"
    wanted = "" if said else asked.get("line", "")
    chosen = _chosen(lines, wanted, asked.get("after", "") if said else "")
    if typed is not None and (known is not None or _is_another(chosen, typed)):
        customer_id = key_or_none(typed.values.get("customer", "")) or 0
        card = known or card_of(session, actor, party.readable(session, actor, customer_id), None)
        return render_template("crm/follow/_refused.html", card=card, typed=typed, place="yl-follow")
    return render_template(
        template,
        **_form(session, actor, chosen, typed),
        counts=shown,
        waiting=sum(counts.values()),
        due=counts["overdue"] + counts["today"],
        queue=queue,
        queues=queues,
        chosen_by=address_of(asked_contacts()) if queue == CHOSEN else {},
        lines=lines,
        more=more,
        skip=skip,
        size=PAGE_SIZE,
        chosen=chosen,
        person=person if person != actor.person_id else None,
        team=operations.people_below(session, actor),
        said=said,
        pool_address=lambda: f"{url_for(f'{endpoint_of(CUSTOMER)}.list')}?_flt_0_state=open",
    )


def _whose(session: Session, actor: Actor) -> int:
    """Whose list it is; his who writes, when the other one has left his people since the form was opened."""
    try:
        return operations.person_in(session, actor, request.values.get("person", type=read_key))
    except NotFound:
        if request.method == "GET":
            raise
        return actor.person_id


def _queue(asked: str, counts: dict[Queue, int]) -> Queue:
    for queue in QUEUES:
        if queue == asked:
            return queue
    return next((queue for queue in QUEUES if counts[queue]), "today")


def _chosen(lines: list[Line], wanted: str, after: str) -> Line | None:
    """The one asked for; after a record the one that stood next; else the first."""
    by_key = {line.key: line for line in lines}
    return by_key.get(wanted) or by_key.get(after) or (lines[0] if lines else None)


def _is_another(chosen: Line | None, typed: Typed) -> bool:
    """Whether the queue stands at somebody else than what was typed is about."""
    return chosen is None or str(chosen.customer.id) != typed.values.get("customer")


def _form(session: Session, actor: Actor, chosen: Line | None, typed: Typed | None) -> dict[str, Any]:
    if chosen is None:
        return {"card": None, "typed": Typed()}
    return {
        "card": card_of(session, actor, chosen.customer, chosen.contact),
        "typed": typed or Typed({"contact": str(chosen.contact.id) if chosen.contact is not None else ""}),
    }
