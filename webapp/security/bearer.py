"""Who calls the interface: a token, a key, or the browser's own session with its CSRF token."""

from __future__ import annotations

from flask import current_app, g, request
from flask_appbuilder.security.sqla.models import User
from flask_jwt_extended import decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from jwt import PyJWTError
from werkzeug.exceptions import Unauthorized

from engine.actor import Actor
from engine.db import Sessions
from webapp.security import access, api_keys

SAFE_METHODS = frozenset({"GET", "HEAD", "OPTIONS"})


def authenticate() -> Actor:
    """The caller of this request; 401 for nobody.

    A header that is there but worth nothing is refused, never overlooked in favour of a cookie. A cookie alone must
    come with its CSRF token where something is to be changed: a browser sends cookies for foreign pages too.
    """
    credentials = request.headers.get("Authorization", "")
    if credentials:
        user = _bearer(credentials)
        if user is None:
            raise Unauthorized(www_authenticate=None)
        g.user = user
        access.forget_actor()
        return access.current_actor()
    actor = access.current_actor()
    if request.method not in SAFE_METHODS:
        current_app.extensions["csrf"].protect()
    return actor


def _bearer(credentials: str) -> User | None:
    scheme, _space, text = credentials.partition(" ")
    text = text.strip()
    if scheme.lower() != "bearer" or not text:
        return None
    session = Sessions()
    if text.startswith(api_keys.PREFIX):
        return api_keys.find_user(session, text)
    try:
        claims = decode_token(text)
    except (PyJWTError, JWTExtendedException, ValueError):
        return None
    subject = str(claims.get("sub", ""))
    if claims.get("type") != "access" or not subject.isascii() or not subject.isdigit():
        return None
    user = session.get(User, int(subject))
    return user if user is not None and user.active else None
