"""Who reads, drawn faintly over pages that show customers: a photograph of a screen says whose screen it was (row 65).

It deters and does not prevent: whoever changes the page in his browser can take it away. What he may not see is not in
the page at all.
"""

from __future__ import annotations

from dataclasses import dataclass

from flask import Flask, current_app, g, request

from engine import clock
from engine.actor import Actor
from engine.db import Sessions
from processes.organization.models import Employee
from processes.party.permissions import is_kept_back
from webapp.security import viewing
from webapp.security.access import actor_or_none
from webapp.skin import formats

_ROOMS: set[str] = set()


@dataclass(frozen=True)
class Mark:
    who: str
    """name and number of whoever sits there, also while he looks through another's eyes"""
    when: str


def over(*rooms: str) -> None:
    """Declared once by each room that shows customers: a view or blueprint."""
    _ROOMS.update(rooms)


def lies_over(endpoint: str) -> bool:
    return endpoint.partition(".")[0] in _ROOMS


def who(actor: Actor) -> str:
    """Name and number, as on the badge: two people may have one name."""
    person = Sessions().get(Employee, actor.person_id)
    return f"{actor.name} {person.number}" if person is not None else actor.name


def mark() -> Mark | None:
    """What this page bears; asked for once a page."""
    if "watermark" not in g:
        actor = actor_or_none()
        g.watermark = _mark(actor) if actor is not None and _is_wanted(actor) else None
    found: Mark | None = g.watermark
    return found


def _mark(actor: Actor) -> Mark:
    return Mark(who(viewing.viewer() or actor), formats.instant(clock.now()))


def _is_wanted(actor: Actor) -> bool:
    wanted = current_app.config["SETTINGS"].watermark
    if wanted in {"off", "everywhere"}:
        return bool(wanted == "everywhere")
    return lies_over(request.endpoint or "") and (wanted == "customers" or is_kept_back(Sessions(), actor))


def init_app(app: Flask) -> None:
    app.jinja_env.globals["watermark"] = mark
