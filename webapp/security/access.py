"""The actor of this request, and the guards in front of every page."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any, TypeVar, cast

from flask import current_app, g
from flask_login import current_user
from werkzeug.exceptions import Unauthorized

from engine.actor import Actor
from engine.errors import Forbidden
from engine.i18n import _
from webapp.security import viewing

View = TypeVar("View", bound=Callable[..., Any])

GUARD = "guarded_by"
"""Attribute that names the guard of a page; a test demands it of every exposed method."""


def actor_or_none() -> Actor | None:
    """The person this request acts for, when somebody is signed in; built once a request. It is whoever signed in,
    or the one he looks through the eyes of (webapp.security.viewing).
    """
    if "actor" not in g:
        user = g.get("user", current_user)
        known = user is not None and user.is_authenticated and user.is_active
        sits = current_app.appbuilder.sm.actor_of(user) if known else None  # type: ignore[attr-defined]
        g.actor = viewing.eyes_of(sits) if sits is not None else None
    return cast("Actor | None", g.actor)


def current_actor() -> Actor:
    """The person behind this request; nobody signed in ends the request with 401 (a page: the login form)."""
    actor = actor_or_none()
    if actor is None:
        raise Unauthorized
    return actor


def forget_actor() -> None:
    """After a login, a logout or a change of one's own rights within the request."""
    g.pop("actor", None)
    g.pop("viewer", None)


def demand(permission: str) -> Actor:
    """The actor, if he holds the permission ("" = everybody signed in); else the request ends with 401 or 403."""
    actor = current_actor()
    if permission and not actor.may(permission):
        raise Forbidden(_("Your roles do not include this."), code="permission_missing")
    return actor


def requires(permission: str) -> Callable[[View], View]:
    """Guard a page by a named permission."""

    def decorate(view: View) -> View:
        @wraps(view)
        def guarded(*args: Any, **kwargs: Any) -> Any:
            demand(permission)
            return view(*args, **kwargs)

        setattr(guarded, GUARD, permission or "signed in")
        return cast(View, guarded)

    return decorate


def signed_in(view: View) -> View:
    """Guard a page that every employee may open."""
    return requires("")(view)


def public(view: View) -> View:
    """Say aloud that a page needs no login."""
    setattr(view, GUARD, "public")
    return view
