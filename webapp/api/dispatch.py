"""The one road every call of the interface takes: who, in which language, reading what, doing it once, answering."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
from flask import Response, current_app, request
from sqlalchemy.exc import DataError, OperationalError
from sqlalchemy.orm import Session
from werkzeug.exceptions import (
    HTTPException,
    RequestEntityTooLarge,
    ServiceUnavailable,
    Unauthorized,
    UnsupportedMediaType,
)

from engine import i18n
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, NotFound
from engine.i18n import Sentence, _
from engine.runtime import perform
from webapp.api import idempotency
from webapp.api.endpoint import Call, Empty, Endpoint
from webapp.api.idempotency import Remembered
from webapp.api.limits import limits
from webapp.api.reading import Unreadable, check_printable, json_object, shape
from webapp.api.uploads import MOST_FILES, Upload, read_uploads
from webapp.security.bearer import asked_language, authenticate
from webapp.security.manager import LOCALES

LONGEST_PLACE = 200


def view_of(endpoint: Endpoint) -> Callable[..., Response]:
    """The Flask view behind a declared call."""

    def view(**places: Any) -> Response:
        request.max_content_length = endpoint.limit
        request.max_form_parts = MOST_FILES
        try:
            return _serve(endpoint, places)
        except OperationalError as error:
            return _refuse(_overloaded(error))
        except DataError:
            return _refuse(Unreadable(_("The database cannot store one of these values.")))
        except (AppError, HTTPException) as refusal:
            return _refuse(refusal)

    view.__name__ = endpoint.name
    return view


def _serve(endpoint: Endpoint, places: Mapping[str, Any]) -> Response:
    actor = _caller(endpoint)
    asked = asked_language()
    with i18n.reading_as(LOCALES[asked] if asked else actor.locale):
        try:
            arguments, uploads = _read(endpoint, places)

            def run(session: Session) -> tuple[Any, dict[str, str]]:
                call = Call(session, actor, dict(request.headers), uploads)
                return endpoint.function(call, **arguments), call.headers

            key = request.headers.get(idempotency.HEADER)
            if endpoint.writes and endpoint.method == "POST" and key is not None:
                return _answer(_once(endpoint, actor, key, run, uploads))
            result, headers = perform(run) if endpoint.writes else run(_reader())
            if isinstance(result, Response):
                result.headers.update(headers)
                return result
            return _answer(Remembered(endpoint.status, msgspec.to_builtins(result, enc_hook=_text), headers))
        except (AppError, HTTPException) as refusal:
            return _refuse(refusal)


# ------------------------------------------------------------------------------------------------- who, in which words


def _caller(endpoint: Endpoint) -> Actor:
    """Who calls; the database is left again before a body is read, which may come slowly."""
    _reader()
    try:
        actor = authenticate()
    except Unauthorized:
        limits().spend(f"address:{request.remote_addr}")
        raise
    limits().spend(f"person:{actor.person_id}")
    if endpoint.method != "GET":
        Sessions().commit()
    return actor


def _reader() -> Session:
    """The session for reading: on SQLite it does not queue behind the one writer."""
    session = Sessions()
    if not session.in_transaction() and session.get_bind().dialect.name == "sqlite":
        session.connection(execution_options={"read_only": True})
    return session


# ------------------------------------------------------------------------------------------------- reading


def _read(endpoint: Endpoint, places: Mapping[str, Any]) -> tuple[dict[str, Any], tuple[Upload, ...]]:
    """The function's arguments, and the uploaded files."""
    arguments = {name: _place(kind, places[name]) for name, kind in endpoint.places.items()}
    if endpoint.query is not None:
        given = request.args.to_dict()
        for value in given.values():
            check_printable(value)
        arguments["query"] = shape(given, endpoint.query, words=True)
    if endpoint.multipart:
        if request.mimetype != "multipart/form-data":
            raise UnsupportedMediaType
        if request.form:
            raise Unreadable(_("Send nothing but files here."))
        return arguments, read_uploads(request.files)
    if endpoint.body is not None:
        arguments["body"] = shape(json_object(_raw()), endpoint.body)
    elif endpoint.method == "POST":
        shape(json_object(_raw()), Empty)
    return arguments, ()


def _place(kind: Any, text: str) -> Any:
    """A place of the path; what cannot be one names nothing."""
    if len(text) > LONGEST_PLACE or "\0" in text:
        raise NotFound
    try:
        return msgspec.convert(text, kind, strict=False)
    except msgspec.ValidationError:
        raise NotFound from None


def _raw() -> bytes:
    raw = request.get_data(cache=True)
    if len(raw) > (request.max_content_length or 0):
        raise RequestEntityTooLarge
    if raw and request.mimetype not in {"application/json", "application/merge-patch+json"}:
        raise UnsupportedMediaType
    return raw


# ------------------------------------------------------------------------------------------------- doing, answering


def _once(
    endpoint: Endpoint,
    actor: Actor,
    key: str,
    run: Callable[[Session], tuple[Any, dict[str, str]]],
    uploads: tuple[Upload, ...],
) -> Remembered:
    idempotency.check_key(key)
    raw = b"" if endpoint.multipart else request.get_data(cache=True)
    body_sha256 = idempotency.fingerprint(f"{request.method} {request.path}", raw, uploads)

    def work(session: Session) -> Remembered:
        known = idempotency.take(session, actor, key, body_sha256)
        if known is not None:
            return Remembered(known.status, known.body, {**known.headers, idempotency.REPLAYED: "true"})
        result, headers = run(session)
        answer = Remembered(endpoint.status, msgspec.to_builtins(result, enc_hook=_text), headers)
        kept = {**answer.body, **dict.fromkeys(endpoint.shown_once, "")} if endpoint.shown_once else answer.body
        idempotency.remember(session, actor, key, Remembered(answer.status, kept, headers))
        return answer

    return perform(work)


def _text(value: Any) -> str:
    if isinstance(value, Sentence):
        return str(value)
    raise NotImplementedError(type(value))


def _answer(answer: Remembered) -> Response:
    if answer.status == 204:
        return Response(status=204, headers=answer.headers)
    body = msgspec.json.encode(answer.body)
    return Response(body, status=answer.status, mimetype="application/json", headers=answer.headers)


def _refuse(refusal: Exception) -> Response:
    """The house's own answer to a refusal, in the caller's language."""
    response: Response = current_app.handle_user_exception(refusal)  # type: ignore[assignment]
    return response


class Overloaded(AppError):
    """The database cannot take this now."""

    status = 503
    code = "unavailable"
    retry_after = 5


def _overloaded(error: OperationalError) -> Exception:
    """A lock that did not come free in time passes; anything else is an outage and is logged as one."""
    said = str(error.orig).lower()
    if "locked" in said or "deadlock" in said or "timeout" in said:
        return Overloaded(_("The database is busy."), remedy=_("Please try again."))
    current_app.logger.error("api.database_failed", exc_info=error)
    return ServiceUnavailable(retry_after=30)
