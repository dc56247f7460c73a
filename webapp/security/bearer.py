"""Who calls the interface: a token, a key, or the browser's own session with its CSRF token."""

from __future__ import annotations

from flask import current_app, g, request, session as cookie
from flask_appbuilder.security.sqla.models import User
from flask_jwt_extended import decode_token
from flask_jwt_extended.exceptions import JWTExtendedException
from flask_wtf.csrf import CSRFError
from jwt import PyJWTError
from werkzeug.datastructures import WWWAuthenticate
from werkzeug.exceptions import Unauthorized

from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError
from engine.i18n import _
from webapp.bootstrap import LANGUAGES
from webapp.security import access, api_keys
from webapp.security.viewing import SAFE_METHODS

CHALLENGE = WWWAuthenticate("bearer")


class ForeignPage(AppError):
    """A browser's session acts without the token of one of our pages."""

    status = 400
    code = "csrf"


def authenticate() -> Actor:
    """The caller of this request; 401 for nobody.

    A header that is there but worth nothing is refused, never overlooked in favour of a cookie. A cookie alone must
    come with its CSRF token where something is to be changed: a browser sends cookies for foreign pages too.
    """
    credentials = request.headers.get("Authorization", "")
    if credentials:
        user = _bearer(credentials)
        if user is None:
            raise Unauthorized(www_authenticate=CHALLENGE)
        g.user = user
        access.forget_actor()
        return access.current_actor()
    actor = access.actor_or_none()
    if actor is None:
        raise Unauthorized(www_authenticate=CHALLENGE)
    if request.method not in SAFE_METHODS:
        try:
            current_app.extensions["csrf"].protect()
        except CSRFError as error:
            raise ForeignPage(_("Send the CSRF token of the page as X-CSRFToken.")) from error
    return actor


def asked_language() -> str | None:
    """What a program says in Accept-Language, when it names a language of ours; a browser reads what its page reads."""
    if "_user_id" in cookie and "Authorization" not in request.headers:
        return None
    return request.accept_languages.best_match(list(LANGUAGES))


def _bearer(credentials: str) -> User | None:
    scheme, _space, text = credentials.partition(" ")
    text = text.strip()
    if scheme.lower() != "bearer" or not text:
        return None
    if text.startswith(api_keys.PREFIX):
        return api_keys.find_user(Sessions(), text)
    return owner_of(text, "access")


def owner_of(token: str, kind: str) -> User | None:
    """The login a token of this kind (access | refresh) was given to, if both are still good."""
    try:
        claims = decode_token(token)
    except (PyJWTError, JWTExtendedException, ValueError):
        return None
    if claims.get("type") != kind:
        return None
    found: User | None = current_app.appbuilder.sm.load_user_jwt({}, claims)  # type: ignore[attr-defined]
    return found
