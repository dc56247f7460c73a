"""The customer's tab of relations: a small drawing to walk along, the same as a table, and what may be told anew."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import cos, pi, sin
from typing import Any

from flask import Blueprint, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import runtime
from engine.db import Sessions
from engine.errors import InvalidForm, RuleViolation
from engine.i18n import _
from processes.party import operations, permissions
from processes.party.models import Customer
from processes.party.operations.relations import AT, KINDS, Link
from webapp.crm import parts
from webapp.security.access import current_actor, requires

pages = Blueprint("party_relations", __name__)

WIDTH, HEIGHT = 720, 400
MOST_DRAWN = 14
_LONGEST = 9


@dataclass(frozen=True)
class Node:
    """One around the middle."""

    link: Link
    x: int
    y: int
    label_x: int
    label_y: int
    url: str
    name: str


@pages.get("/customers/<int:customer_id>/relations")
@requires(permissions.USE)
def tab(customer_id: int) -> str:
    return _tab(customer_id)


def _tab(customer_id: int, problems: Mapping[str, str] | None = None) -> str:
    session, actor = Sessions(), current_actor()
    customer = permissions.readable(session, actor, customer_id)
    found = operations.links(session, actor, customer_id)
    may_work = actor.may(permissions.MANAGE) and session.scalar(
        select(Customer.id).where(Customer.id == customer_id, permissions.workable_customers(actor))
    )
    return render_template(
        "crm/relations.html",
        customer=customer,
        links=[(one, url_of(one)) for one in found],
        nodes=_around(found[:MOST_DRAWN]),
        width=WIDTH,
        height=HEIGHT,
        may_work=may_work,
        kinds=KINDS,
        at=AT,
        problems=problems or {},
        typed=request.form,
    )


def url_of(link: Link) -> str:
    if link.contact_id is not None:
        return url_for("party_contact.show", pk=link.contact_id)
    if link.what == "competitor":
        return url_for("party_competitor.show", pk=link.party_id)
    return url_for("party_customer.show", pk=link.customer_id) if link.customer_id is not None else ""


def _around(links: list[Link]) -> list[Node]:
    """On an ellipse, the first at the top, clockwise."""
    nodes = []
    for number, link in enumerate(links):
        angle = 2 * pi * number / len(links) - pi / 2
        x, y = cos(angle), sin(angle)
        at_x, at_y = round(WIDTH / 2 + x * WIDTH * 0.38), round(HEIGHT / 2 + y * HEIGHT * 0.36)
        label_x, label_y = round((at_x + WIDTH / 2) / 2), round((at_y + HEIGHT / 2) / 2)
        name = link.name if len(link.name) <= _LONGEST else link.name[: _LONGEST - 1] + "…"
        nodes.append(Node(link, at_x, at_y, label_x, label_y, url_of(link), name))
    return nodes


@pages.post("/customers/<int:customer_id>/relations")
@requires(permissions.MANAGE)
def add(customer_id: int) -> str | tuple[str, int]:
    return _write(
        customer_id,
        lambda session, values: operations.add_relation(session, current_actor(), party_id=customer_id, values=values),
        ("other", "kind", "note"),
    )


@pages.post("/customers/<int:customer_id>/competitors")
@requires(permissions.MANAGE)
def put(customer_id: int) -> str | tuple[str, int]:
    return _write(
        customer_id,
        lambda session, values: operations.put_competitor_at(
            session, current_actor(), customer_id=customer_id, values=values
        ),
        ("competitor", "role", "note"),
    )


@pages.post("/customers/<int:customer_id>/relations/<string:what>/<int:row_id>/remove")
@requires(permissions.MANAGE)
def remove(customer_id: int, what: str, row_id: int) -> str:
    actor = current_actor()

    def take_away(session: Session) -> None:
        if what == "competitor":
            operations.remove_competitor_at(session, actor, customer_id=customer_id, row_id=row_id)
        else:
            operations.remove_relation(session, actor, party_id=customer_id, relation_id=row_id)

    runtime.perform(take_away)
    return _tab(customer_id)


def _write(customer_id: int, operation: Any, fields: tuple[str, ...]) -> str | tuple[str, int]:
    values = {name: request.form.get(name, "") for name in fields}
    try:
        runtime.perform(lambda session: operation(session, values))
    except InvalidForm as refusal:
        return _tab(customer_id, {one.where: str(one.message) for one in refusal.problems}), 422
    except RuleViolation as refusal:
        return _tab(customer_id, {"": str(refusal)}), 422
    return _tab(customer_id)


parts.TABS.append(
    parts.Tab("relations", _("Relations"), lambda one: url_for("party_relations.tab", customer_id=one.id), order=60)
)
