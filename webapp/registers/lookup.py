"""Twenty matching records for a select: never a whole table, never a row the asker may not see."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, jsonify, request
from flask_appbuilder import BaseView, expose
from sqlalchemy import Select, inspect, select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG, Register
from engine.db import Sessions
from webapp.registers.interface import primary_key
from webapp.registers.listing import LONGEST_SEARCH, finding
from webapp.security.access import demand, signed_in

OFFERED = 20


class LookupView(BaseView):
    route_base = "/lookup"
    default_view = "lookup"

    @expose("/<name>")
    @signed_in
    def lookup(self, name: str) -> Response:
        register = CATALOG.registers.get(name)
        if register is None:
            abort(404)
        actor = demand(register.permission)
        records = matches(Sessions(), register, actor, request.args.get("q", ""))
        key = primary_key(register.model).key
        return jsonify([{"value": str(getattr(one, key)), "text": str(one)} for one in records])


def matches(session: Session, register: Register, actor: Actor, text: str) -> list[Any]:
    """Visible records whose searched columns contain the text; without a text the first ones of the register."""
    model = register.model
    query: Select[Any] = select(model).where(register.scope(actor))
    if _has_archive(register):
        query = query.where(model.state == "active")  # type: ignore[attr-defined]
    text = text.strip()[:LONGEST_SEARCH]
    if text and register.search:
        query = query.where(finding(session, register, actor, text))
    name, direction = register.order_by
    order = getattr(model, name)
    query = query.order_by(order.desc() if direction == "desc" else order.asc(), primary_key(model).asc())
    return list(session.scalars(query.limit(OFFERED)))


def _has_archive(register: Register) -> bool:
    """Archived records stay readable but are not offered for new work."""
    states = next((c.choices for c in register.columns if c.name == "state"), {})
    return "active" in states and "state" in inspect(register.model).column_attrs
