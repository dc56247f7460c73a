"""Where other systems call us: no login, a signature instead. Stored first, acknowledged after the commit."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from flask import Flask, Response, jsonify, request
from flask_wtf.csrf import CSRFProtect
from sqlalchemy.exc import DataError
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException, NotFound, RequestEntityTooLarge, ServiceUnavailable

from connectors.outcome import ConnectorError
from engine.errors import AppError
from engine.i18n import _
from engine.runtime import perform
from processes.webhooks import operations
from webapp import errors, wires
from webapp.api.endpoint import PREFIX
from webapp.api.limits import limits
from webapp.api.reading import Unreadable
from webapp.security.access import public

logger = logging.getLogger(__name__)

LARGEST = 256 * 1024
"""Bytes of a callback's body."""
LONGEST_KEY = 120
BAD_SIGNATURE = "bad_signature"
GATEWAY = "gateway"
"""The one SMS gateway of a house."""


class NotSigned(AppError):
    """Says nothing of what is wrong with it: whoever guesses learns nothing."""

    status = 401
    code = BAD_SIGNATURE


@dataclass(frozen=True)
class Acknowledged:
    """What the caller is answered, once everything is committed. `refusal`: kept, and not done."""

    body: Mapping[str, Any] = field(default_factory=dict)
    refusal: AppError | None = None


Callback = Callable[[Session, str, Mapping[str, str], bytes], Acknowledged]
"""(session, key of the address, headers, body) -> the answer. It checks the signature itself and raises a
ConnectorError of code "bad_signature"; it stores what came in by its sender's own id, so that the same again changes
nothing."""


def _webhook(session: Session, key: str, headers: Mapping[str, str], body: bytes) -> Acknowledged:
    taken = operations.receive(session, key, headers, body)
    return Acknowledged({"id": taken.message_id, "instance_id": taken.instance_id}, taken.refusal)


def _sms(session: Session, key: str, headers: Mapping[str, str], body: bytes) -> Acknowledged:
    """The SMS gateway: delivery reports and answers."""
    if key != GATEWAY:
        raise NotFound
    wires.take_callback(session, headers, body)
    return Acknowledged()


CALLBACKS: dict[str, Callback] = {"webhook": _webhook, "sms": _sms}
"""Connector -> who reads what is called in for it."""


def init_app(app: Flask, csrf: CSRFProtect) -> None:
    view = public(receive)
    csrf.exempt(view)
    app.add_url_rule(f"{PREFIX}/connectors/<name>/callbacks/<key>", "api.callbacks.receive", view, methods=["POST"])


def receive(name: str, key: str) -> Response:
    """200 means that we have it. 401: not signed by whom we know. 5xx and 429: come again."""
    try:
        return _receive(name, key)
    except (AppError, HTTPException) as refusal:
        return _refuse(refusal)
    except DataError:
        return _refuse(Unreadable(_("The database cannot store one of these values.")))
    except Exception:
        logger.exception("callback.failed", extra={"connector": name})
        return _refuse(ServiceUnavailable(retry_after=30))


def _receive(name: str, key: str) -> Response:
    limits().spend(f"callback:{request.remote_addr}")
    function = CALLBACKS.get(name)
    if function is None or len(key) > LONGEST_KEY or "\0" in key:
        raise NotFound
    request.max_content_length = LARGEST
    body = request.get_data(cache=False)
    if len(body) > LARGEST:
        raise RequestEntityTooLarge
    headers = dict(request.headers)
    try:
        answer = perform(lambda session: function(session, key, headers, body))
    except ConnectorError as error:
        logger.warning("callback.refused", extra={"connector": name, "code": error.code, "why": str(error)})
        if error.code == BAD_SIGNATURE:
            raise NotSigned(_("This is not signed by somebody we know, or not now.")) from None
        raise Unreadable(_("The body is not what this address takes.")) from None
    if answer.refusal is not None:
        return _refuse(answer.refusal)
    response: Response = jsonify(dict(answer.body))
    return response


def _refuse(refusal: AppError | HTTPException) -> Response:
    return errors.refused(refusal) if isinstance(refusal, AppError) else errors.refuse(refusal)
