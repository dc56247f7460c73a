"""Static files: addressed by their content, kept by browsers for a year, sent compressed."""

from __future__ import annotations

import gzip
import hashlib
import mimetypes
import re
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from threading import Lock

from flask import Flask, Response, abort, make_response, request
from markupsafe import Markup

STATIC = Path(__file__).parent.parent / "static"
A_YEAR = 365 * 24 * 3600
WORTH_COMPRESSING = 1024
_TEXT = {"text/css", "text/javascript", "application/javascript", "image/svg+xml", "text/html", "application/json"}


@dataclass(frozen=True)
class Asset:
    content: bytes
    compressed: bytes | None
    media_type: str
    hash: str
    changed_ns: int


_assets: dict[str, Asset] = {}
_looked: dict[str, tuple[Asset | None, float]] = {}
A_MOMENT = 1.0
"""Seconds before a file is looked at again: a page names the sprite of icons a hundred times."""
_lock = Lock()


def asset(name: str) -> Asset | None:
    """The file below static/, read once and again when it changes; None when there is none of that name."""
    seen, last_look = _looked.get(name, (None, -A_MOMENT))
    if seen is not None and time.monotonic() - last_look < A_MOMENT:
        return seen
    found = _read(name)
    _looked[name] = found, time.monotonic()
    return found


def _read(name: str) -> Asset | None:
    path = (STATIC / name).resolve()
    if not path.is_relative_to(STATIC) or not path.is_file():
        return None
    changed = path.stat().st_mtime_ns
    known = _assets.get(name)
    if known is not None and known.changed_ns == changed:
        return known
    content = path.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    compressed = None
    if media_type in _TEXT and len(content) > WORTH_COMPRESSING:
        compressed = gzip.compress(content, 6, mtime=0)
    made = Asset(content, compressed, media_type, hashlib.sha256(content).hexdigest()[:12], changed)
    with _lock:
        _assets[name] = made
    return made


def static_url(name: str) -> str:
    """Address of a static file with its hash; a missing file is a defect of the page that asks."""
    found = asset(name)
    if found is None:
        raise FileNotFoundError(f"static/{name}")
    return f"/static/{name}?v={found.hash}"


def icon(name: str, label: str = "") -> Markup:
    """An icon of the sprite; with a label it speaks, without it is decoration."""
    if name not in _drawn():
        name = "point"
    spoken = Markup('role="img" aria-label="{}"').format(label) if label else Markup('aria-hidden="true"')
    return Markup('<svg class="icon" {}><use href="{}#{}"/></svg>').format(spoken, static_url("dist/icons.svg"), name)


@cache
def _drawn() -> frozenset[str]:
    """The icons of the sprite; a name it does not have (a package's new register) becomes a dot, not a hole."""
    sprite = (STATIC / "dist" / "icons.svg").read_text(encoding="utf-8")
    return frozenset(re.findall(r'<symbol id="([^"]+)"', sprite))


def serve(filename: str) -> Response:
    found = asset(filename)
    if found is None:
        abort(404)
    compress = found.compressed is not None and request.accept_encodings["gzip"] > 0
    response = make_response(found.compressed if compress and found.compressed is not None else found.content)
    response.mimetype = found.media_type
    if compress:
        response.headers["Content-Encoding"] = "gzip"
    if found.compressed is not None:
        response.vary.add("Accept-Encoding")
    response.set_etag(found.hash + ("-gz" if compress else ""))
    response.cache_control.public = True
    if request.args.get("v") == found.hash:
        response.cache_control.max_age = A_YEAR
        response.cache_control.immutable = True
    else:
        response.cache_control.no_cache = True
    response.make_conditional(request)
    return response


def init_app(app: Flask) -> None:
    app.add_url_rule("/static/<path:filename>", "static", serve)
    app.jinja_env.globals.update(static_url=static_url, icon=icon)
