"""A refusal becomes a page for people and problem+json (RFC 9457) for machines; never a trace, never a bare 500."""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from http import HTTPStatus
from typing import Any
from urllib.parse import quote

from flask import (
    Flask,
    Response,
    g,
    has_request_context,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
    url_for,
)
from sqlalchemy.exc import DataError, SQLAlchemyError
from werkzeug.exceptions import HTTPException

from engine.db import Sessions
from engine.errors import AppError, DeploymentRefused, NotFound, Problem
from engine.i18n import Sentence, _

logger = logging.getLogger(__name__)

API_PREFIX = "/api/"

SAID = "X-Refusal"
"""header with the words of a refusal, percent-encoded: htmx swaps no page of an error in, the browser tells it"""

TITLES = {
    308: _("Moved"),
    400: _("This request cannot be read"),
    401: _("Please sign in"),
    403: _("You may not do this"),
    404: _("Not found"),
    405: _("This address does not take that request"),
    409: _("Somebody else was faster"),
    412: _("Somebody else was faster"),
    413: _("Too large"),
    415: _("This kind of content is not accepted"),
    422: _("Please correct what is marked"),
    429: _("Too many attempts"),
    500: _("Something went wrong on our side"),
    503: _("Temporarily not available"),
}

EXPLANATIONS = {
    400: _("The page may have been open for too long. Reload it and try again."),
    401: _("Your session has ended."),
    403: _("Your roles do not include this. Ask an administrator if you need it."),
    404: _("This does not exist, or you may not see it."),
    405: _("Go back and use the buttons of the page."),
    409: _("Reload the page to see the present state."),
    412: _("Reload the page to see the present state."),
    413: _("Send less at once."),
    415: _("Send it in one of the formats the documentation names."),
    422: _("Nothing was saved."),
    429: _("Wait a moment, then try again."),
    500: _("It has been noted. Tell an administrator the number below if it happens again."),
    503: _("Try again in a minute."),
}

FOR_PROGRAMS = {
    400: _("The request cannot be read."),
    401: _("Send a token or an API key, or sign in."),
    403: _("Your roles do not include this."),
    405: _("Use one of the methods in the header Allow."),
}
"""Where the same status needs other words than on a page."""


def wants_json() -> bool:
    """Machines: everything below /api/, and any caller that asks for JSON rather than a page."""
    if not has_request_context():
        return False
    best = request.accept_mimetypes.best_match(["text/html", "application/json"])
    return request.path.startswith(API_PREFIX) or best == "application/json"


def problem(
    status: int,
    *,
    code: str,
    detail: Sentence | str,
    errors: list[dict[str, Any]] | None = None,
    incident: str = "",
) -> Response:
    """One answer body for every refusal of the interface."""
    body: dict[str, Any] = {
        "type": "about:blank",
        "title": str(TITLES.get(status, TITLES[500])),
        "status": status,
        "detail": str(detail),
        "code": code,
        "errors": errors or [],
    }
    if incident:
        body["incident"] = incident
    response = jsonify(body)
    response.status_code = status
    response.mimetype = "application/problem+json"
    return response


def page(status: int, detail: Sentence | str, *, remedy: Sentence | str = "", incident: str = "") -> Response:
    """The same as a page in the skin; still a page when the skin's own data cannot be read."""
    title = TITLES.get(status, TITLES[500])
    html = render_template("yl/error.html", status=status, title=title, detail=detail, remedy=remedy, incident=incident)
    return make_response(html, status)


def register_errors(app: Flask) -> None:
    app.register_error_handler(AppError, refused)
    app.register_error_handler(HTTPException, refuse)
    app.register_error_handler(OverflowError, _beyond)
    app.register_error_handler(DataError, _beyond)
    app.register_error_handler(Exception, _crashed)


def refused(error: AppError) -> Response:
    Sessions.rollback()
    if wants_json():
        response = problem(
            error.status,
            code=error.code,
            detail=str(error),
            errors=[_listed(error, p) for p in error.problems],
        )
    else:
        response = page(error.status, error.message, remedy=error.remedy or "")
    if "HX-Request" in request.headers:
        response.headers[SAID] = quote(str(error))
    if retry_after := getattr(error, "retry_after", 0):
        response.headers["Retry-After"] = str(retry_after)
    if location := getattr(error, "location", ""):
        response.headers["Location"] = location
    return response


def _listed(error: AppError, problem: Problem) -> dict[str, Any]:
    """A fault by its field, or by its element of a diagram."""
    place = "element" if isinstance(error, DeploymentRefused) else "field"
    return {place: problem.where, **{name: value for name, value in problem.as_dict().items() if name != "where"}}


def refuse(error: HTTPException) -> Response:
    if error.response is not None:  # a redirect or an answer somebody made on purpose
        return make_response(error.response)
    status = error.code or 500
    if status < 400:
        return make_response(error.get_response())
    detail = EXPLANATIONS.get(status, EXPLANATIONS[400 if status < 500 else 500])
    if status == HTTPStatus.UNAUTHORIZED and not wants_json():
        return make_response(redirect(url_for("LoginView.login", next=_here())))
    if wants_json():
        detail = FOR_PROGRAMS.get(status, detail)
        response = problem(status, code=error.name.lower().replace(" ", "_"), detail=detail)
    else:
        response = page(status, detail)
    for name, value in error.get_headers():
        if name.lower() in {"retry-after", "allow", "www-authenticate"}:
            response.headers[name] = value
    return response


def _here() -> str:
    """Where to come back to after the login; only an address that was being looked at."""
    return request.full_path.rstrip("?") if request.method == "GET" else ""


def _beyond(error: Exception) -> Response:
    """A number no column holds, in an address or a form somebody typed, names nothing: that is no crash of ours."""
    is_sqlite = isinstance(error, OverflowError) and "SQLite INTEGER" in str(error)
    is_postgresql = isinstance(error, DataError) and type(error.orig).__name__ == "NumericValueOutOfRange"
    return refused(NotFound()) if is_sqlite or is_postgresql else _crashed(error)


def _crashed(error: Exception) -> Response:
    """Log with a number people can quote; show nothing of the inside."""
    incident = secrets.token_hex(4)
    logger.error(
        "web.crash", exc_info=error, extra={"incident": incident, "path": request.path, "method": request.method}
    )
    with suppress(SQLAlchemyError):
        Sessions.rollback()
    g.actor = None  # what failed may fail again: the page is drawn without asking who reads it
    if wants_json():
        return problem(500, code="internal_error", detail=EXPLANATIONS[500], incident=incident)
    return page(500, EXPLANATIONS[500], incident=incident)
