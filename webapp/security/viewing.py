"""Looking through another's eyes (row 137): customers as he sees them; nothing can be written meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from flask import Flask, g, has_request_context, request, session as cookie
from sqlalchemy.orm import Session

from engine import clock, db, journal
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.db import Sessions
from engine.errors import Forbidden, NotFound, RuleViolation
from engine.i18n import _
from processes.kernel.working_time import ZONE
from processes.organization.models import Employee

VIEW_AS = "security.person.view_as"
"""See customers as any employee sees them."""

LONGEST = timedelta(hours=1)
"""Then it ends by itself."""

PERSON = "organization.employee"
SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})
END = "view_as.end"

_KEY = "viewing_as"
_BARE = frozenset({"static", "service_worker", "manifest", "offline", "view_as"})
"""What belongs to no person."""
_OPEN: dict[str, Callable[[], bool]] = {}


def open_to_viewers(name: str, when: Callable[[], bool] = lambda: True) -> None:
    """Declared once by each room that shows customers: a view or blueprint, or "api.<module>" of the interface."""
    _OPEN[name] = when


def eyes_of(actor: Actor) -> Actor:
    """The person looked through by whoever is signed in, or he himself. A token or key never looks through another."""
    asked = _asked()
    if asked is None:
        return actor
    person_id, _until = asked
    found = CATALOG.actors(Sessions(), [person_id]).get(person_id) if CATALOG.actors is not None else None
    if found is None or not actor.may(VIEW_AS):
        cookie.pop(_KEY, None)
        return actor
    g.viewer = actor
    return replace(found, client=actor.client, locale=actor.locale)


def viewer() -> Actor | None:
    """Who really sits there, while he looks through another's eyes."""
    found: Actor | None = g.get("viewer") if has_request_context() else None
    return found


def lock(session: Session, person_id: int) -> Employee | None:
    """The person, whose history is written by one after the other."""
    return session.get(Employee, person_id, with_for_update={"key_share": True})


def begin(session: Session, actor: Actor, person_id: int) -> Employee:
    """Note with this person that the actor looks through his eyes; `hold` makes it so once that is kept."""
    if not actor.may(VIEW_AS):
        raise Forbidden(_("Your roles do not include this."), code="permission_missing")
    person = lock(session, person_id)
    if person is None or not person.is_active:
        raise NotFound
    if person.id == actor.person_id:
        raise RuleViolation(_("You see with your own eyes already."), code="oneself")
    until = f"{(clock.now() + LONGEST).astimezone(ZONE):%Y-%m-%d %H:%M}"
    journal.audit(session, actor, PERSON, person.id, "viewing_begun", None, {"until": until})
    return person


def hold(person_id: int) -> None:
    """From the next request on the pages are those of this person."""
    cookie[_KEY] = [person_id, (clock.now() + LONGEST).isoformat()]


def end(session: Session, actor: Actor, person_id: int) -> None:
    """Note that it is over. actor: who really sits there."""
    lock(session, person_id)
    journal.audit(session, actor, PERSON, person_id, "viewing_ended", None, None)


def let_go() -> None:
    """Back to one's own eyes with the next request."""
    cookie.pop(_KEY, None)


def init_app(app: Flask, actor_or_none: Callable[[], Actor | None]) -> None:
    """Every request asks here first."""

    def guard() -> None:
        if _KEY not in cookie or actor_or_none() is None:
            return
        sits = viewer()
        if sits is None or request.endpoint == END:
            return
        if request.endpoint == "LoginView.logout":
            with db.transaction() as session:
                end(session, sits, g.actor.person_id)
            return
        if request.method not in SAFE_METHODS:
            raise Forbidden(
                _("While you look through the eyes of {name}, nothing can be written.", name=g.actor.name),
                code="only_viewing",
                remedy=_("Go back to your own eyes first."),
            )
        if not _is_open(request.endpoint or ""):
            raise Forbidden(
                _("Through the eyes of {name} you see customers only.", name=g.actor.name),
                code="only_viewing",
                remedy=_("Go back to your own eyes first."),
            )
        g.only_reading = db.only_reading()
        g.only_reading.__enter__()

    def release(_error: BaseException | None) -> None:
        held = g.pop("only_reading", None)
        if held is not None:
            held.__exit__(None, None, None)

    app.before_request(guard)
    app.teardown_request(release)


def shows(endpoint: str) -> bool:
    """Whether a page may be opened now: all of them, or while looking through another's eyes those of customers."""
    return viewer() is None or _head(endpoint) in _OPEN


def _is_open(endpoint: str) -> bool:
    if endpoint.endswith((".export", ".excel")):
        return False  # a file leaves the house, and nobody could tell whose eyes made it
    head = _head(endpoint)
    return head in _BARE or (head in _OPEN and _OPEN[head]())


def _head(endpoint: str) -> str:
    parts = endpoint.split(".")
    return ".".join(parts[:2]) if parts[0] == "api" else parts[0]


def _asked() -> tuple[int, str] | None:
    """(person, until) as the session has it, while it holds."""
    if not has_request_context() or "Authorization" in request.headers:
        return None
    held = cookie.get(_KEY)
    if not isinstance(held, list) or len(held) != 2 or str(held[1]) <= clock.now().isoformat():
        return None
    return int(held[0]), str(held[1])
