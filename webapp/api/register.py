"""Puts the declared calls, their description and the health addresses on the application."""

from __future__ import annotations

import importlib.metadata
import re

from flask import Flask, Response, jsonify
from flask_wtf.csrf import CSRFProtect
from limits.strategies import RateLimiter

from webapp.api import (  # noqa: F401 - importing a module declares its calls
    activity,
    appointments,
    attachments,
    call_figures,
    call_quality,
    callbacks,
    campaigns,
    comments,
    connectors,
    contact_analysis,
    customer_files,
    customers,
    definitions,
    delegations,
    drafts,
    employee_imports,
    field_rules,
    handing_over,
    health,
    inbound_hooks,
    inbox,
    incidents,
    insight,
    instance_actions,
    instances,
    item_actions,
    keys,
    limits,
    messages,
    migrations,
    notices,
    numbers,
    openapi,
    ownership,
    printing,
    received,
    received_mail,
    robots,
    sight,
    sms_rules,
    tasks,
    telephony,
    urging,
    views,
    webhooks,
    word,
    work_items,
)
from webapp.api.dispatch import view_of
from webapp.api.endpoint import ENDPOINTS, PREFIX
from webapp.security.bearer import authenticate

_PLACE = re.compile(r"\{(\w+)\}")


def add_api(app: Flask, csrf: CSRFProtect, limiter: RateLimiter, rate_limit: str) -> None:
    """Called once when the app is built. The CSRF guard lets calls pass: they ask it where a browser's session acts."""
    for endpoint in ENDPOINTS.values():
        view = view_of(endpoint)
        csrf.exempt(view)
        app.add_url_rule(PREFIX + _PLACE.sub(r"<\1>", endpoint.path), endpoint.name, view, methods=[endpoint.method])
    app.add_url_rule(f"{PREFIX}/_openapi", "api.openapi", _openapi)
    callbacks.init_app(app, csrf)
    limits.init_app(app, limiter, rate_limit)
    health.init_app(app)


def version() -> str:
    try:
        return importlib.metadata.version("yunliu")
    except importlib.metadata.PackageNotFoundError:  # a checkout that was never installed
        return "0"


def _openapi() -> Response:
    authenticate()
    return jsonify(openapi.document(version()))
