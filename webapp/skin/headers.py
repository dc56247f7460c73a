"""What browsers are told about us: nothing foreign is loaded, nobody frames us, scripts carry this page's nonce."""

from __future__ import annotations

import secrets
from urllib.parse import quote

from flask import Flask, Response, g, request

_POLICY = (
    "default-src 'self'; script-src 'self' 'nonce-{nonce}'; style-src 'self' 'nonce-{nonce}'; "
    # diagram-js and the bpmn.io watermark (a condition of its licence) set style attributes; those cannot load anything
    "style-src-attr 'unsafe-inline'; img-src 'self' data: blob:; font-src 'self' data:; connect-src 'self'; "
    "worker-src 'self'; manifest-src 'self'; object-src 'none'; base-uri 'self'; form-action 'self'; "
    "frame-ancestors 'none'"
)


def file_headers(name: str, policy: str = "sandbox; default-src 'none'") -> dict[str, str]:
    """Of a file to be saved: never shown inside the site, never kept by anybody between."""
    return {
        "Content-Disposition": f"attachment; filename*=UTF-8''{quote(name)}",
        "Content-Security-Policy": policy,
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "private, no-store",
    }


def csp_nonce() -> str:
    """The nonce of this answer; templates put it on every inline script."""
    if "csp_nonce" not in g:
        g.csp_nonce = secrets.token_urlsafe(16)
    return str(g.csp_nonce)


def _tell(response: Response) -> Response:
    headers = response.headers
    headers.setdefault("Content-Security-Policy", _POLICY.format(nonce=csp_nonce()))
    headers.setdefault("X-Content-Type-Options", "nosniff")
    headers.setdefault("X-Frame-Options", "DENY")
    headers.setdefault("Referrer-Policy", "same-origin")
    headers.setdefault("Cross-Origin-Opener-Policy", "same-origin")
    headers.setdefault("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=()")
    if request.is_secure:
        headers.setdefault("Strict-Transport-Security", "max-age=31536000")
    if request.endpoint != "static":
        headers.setdefault(
            "Cache-Control", "no-store"
        )  # business pages are never kept: rights change, approvals go stale
    return response


def init_app(app: Flask) -> None:
    app.after_request(_tell)
    app.jinja_env.globals["csp_nonce"] = csp_nonce
