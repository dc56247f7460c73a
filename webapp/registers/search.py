"""The search of the top bar: the first hits of every register the person may open."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, cast

from flask import request
from flask_appbuilder import BaseView, expose

from engine.catalog import CATALOG, Register
from engine.db import Sessions
from engine.i18n import _
from webapp.registers.addresses import record_url
from webapp.registers.interface import endpoint_of
from webapp.registers.lookup import matches
from webapp.security.access import current_actor, signed_in

PER_REGISTER = 5


@dataclass(frozen=True)
class Hits:
    register: Register
    endpoint: str
    records: tuple[tuple[Any, str], ...]
    """record, address"""
    more: bool

    def beside(self, record: Any) -> str:
        """What tells it from others of its name."""
        told = (getattr(record, name) for name in self.register.beside)
        return " · ".join(str(one) for one in told if one)


class SearchView(BaseView):
    route_base = "/search"
    default_view = "search"

    @expose("/")
    @signed_in
    def search(self) -> str:
        """The page; as a fragment the drop-down under the search field."""
        text = request.args.get("q", "").strip()
        fragment = bool(request.headers.get("HX-Request"))
        template = "yl/search_hits.html" if fragment else "yl/search.html"
        return cast(str, self.render_template(template, title=_("Search"), q=text, found=hits(text) if text else ()))


def hits(text: str) -> tuple[Hits, ...]:
    actor, session = current_actor(), Sessions()
    found = []
    searched = (CATALOG.registers[name] for name in CATALOG.search if name in CATALOG.registers)
    for register in sorted(searched, key=lambda one: one.sought):
        if register.permission and not actor.may(register.permission):
            continue
        records = matches(session, register, actor, text)
        if records:
            shown = tuple((one, record_url(one)) for one in records[:PER_REGISTER])
            found.append(Hits(register, endpoint_of(register.name), shown, len(records) > PER_REGISTER))
    return tuple(found)
