"""Builds the web application: Flask-AppBuilder on our session, the skin over it, a register for every manifest."""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import timedelta
from math import ceil
from typing import Any

from flask import Flask, Response, g, jsonify, make_response, render_template, request
from flask_appbuilder import AppBuilder
from flask_babel import Domain, get_babel
from flask_limiter import RequestLimit
from flask_wtf.csrf import CSRFError, CSRFProtect
from werkzeug.exceptions import BadRequest
from werkzeug.middleware.proxy_fix import ProxyFix

from engine import clock, i18n
from engine.db import Sessions
from processes.party.permissions import guesses_counted_by
from webapp import (
    bootstrap,
    calendar,
    collaboration,
    connectors,
    errors,
    home,
    modeler,
    skin,
    telephony,
    wires,
    workflow,
)
from webapp.api import add_api
from webapp.crm import customers, follow, insight, ownership, parties, sight
from webapp.home import Workbench
from webapp.registers import accounts, archive, build, employees, numbers, word
from webapp.security import access, organization, viewing
from webapp.security.bearer import asked_language
from webapp.security.guessing import Guesses
from webapp.security.login import too_many_from_here
from webapp.security.manager import LOCALES, CachedSecurityManager, chosen_language
from webapp.settings import Settings
from webapp.skin.assets import serve, static_url
from webapp.skin.keys import KeyConverter

logger = logging.getLogger(__name__)

APP_NAME = "云流"
LARGEST_REQUEST = 32 * 1024 * 1024
SESSION_LENGTH = timedelta(hours=12)


class OurDomain(Domain):
    """FAB's and WTForms' strings come from our one catalogue, in the language of the request."""

    def gettext(self, string: str, **variables: Any) -> str:
        text = bootstrap.translate(string, i18n.current_locale())
        return text % variables if variables else text

    def ngettext(self, singular: str, plural: str, num: int, **variables: Any) -> str:
        return self.gettext(singular if num == 1 else plural, num=num, **variables)


def create_app(settings: Settings, *, start: bool = True) -> Flask:
    """The WSGI application. start=False: the parts are joined and the database is bound already (tests)."""
    if start:
        bootstrap.start(settings)
    app = Flask("webapp", static_folder=None)
    app.url_map.converters["int"] = KeyConverter
    app.config.from_mapping(_configuration(settings))
    app.json.ensure_ascii = False  # type: ignore[attr-defined]
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    app.before_request(_open)
    app.teardown_request(_close)
    viewing.init_app(app, access.actor_or_none)
    skin.init_app(app)
    errors.register_errors(app)
    app.register_error_handler(CSRFError, _csrf_refused)
    organization.join()
    wires.expect_callbacks(settings)
    with app.app_context():
        csrf = CSRFProtect(app)
        appbuilder = AppBuilder(
            app,
            Sessions,
            indexview=Workbench,
            base_template="yl/base.html",
            security_manager_class=CachedSecurityManager,
            update_perms=False,
        )
        get_babel(app).instance.domain_instance = OurDomain()
        get_babel(app).locale_selector = lambda: g.get("language", "zh")
        skin.speak(app)
        accounts.add_views(appbuilder)
        numbers.add_views(appbuilder)
        archive.add_views(appbuilder)
        word.add_views(appbuilder)
        employees.add_views(appbuilder)
        customers.add_views(appbuilder)
        follow.lists.add_views(appbuilder)
        build.add_registers(appbuilder)
        _limit_logins(app, appbuilder, settings)
        guesses_counted_by(Guesses(appbuilder.sm.limiter.limiter))
        add_api(app, csrf, appbuilder.sm.limiter.limiter, settings.api_rate_limit)
        for room in (
            home,
            workflow,
            modeler,
            connectors,
            calendar,
            collaboration,
            telephony,
            ownership,
            follow,
            insight,
            parties,
            sight,
        ):
            room.add_pages(app)
    for name, view in app.view_functions.items():
        if name.startswith(("LoginApi.", "OpenApi.")):
            csrf.exempt(view)
    _add_shell(app)
    return app


def _configuration(settings: Settings) -> dict[str, Any]:
    return {
        "SETTINGS": settings,
        "SECRET_KEY": settings.secret_key,
        "JWT_ACCESS_TOKEN_EXPIRES": timedelta(hours=1),
        "APP_NAME": APP_NAME,
        "BABEL_DEFAULT_LOCALE": "zh",
        "LANGUAGES": {tag: {"flag": "", "name": name} for tag, name in bootstrap.LANGUAGES.items()},
        "FAB_CREATE_DB": False,
        "FAB_UPDATE_PERMS": False,
        "FAB_API_SWAGGER_UI": True,
        "RATELIMIT_ENABLED": True,
        "RATELIMIT_STORAGE_URI": settings.redis_url or "memory://",
        "SESSION_COOKIE_NAME": "yunliu",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.secure,
        "PERMANENT_SESSION_LIFETIME": SESSION_LENGTH,
        "WTF_CSRF_TIME_LIMIT": None,  # as long as the session lives
        "WTF_CSRF_SSL_STRICT": settings.secure,
        "MAX_CONTENT_LENGTH": LARGEST_REQUEST,
    }


def _open() -> None:
    """Before anything asks the database: readers do not queue behind SQLite's one writer. Then the language."""
    if request.endpoint == "static":
        return
    Sessions.remove()  # whatever this thread did before must not be read, nor its transaction continued
    session = Sessions()
    if request.method in {"GET", "HEAD"} and session.get_bind().dialect.name == "sqlite":
        session.connection(execution_options={"read_only": True})
    actor = access.actor_or_none() if not errors.wants_json() else None
    asked = asked_language() if errors.wants_json() else None
    g.language = asked or chosen_language(actor.locale if actor else "")
    g.reading = i18n.reading_as(LOCALES[g.language])
    g.reading.__enter__()


def _close(_error: BaseException | None) -> None:
    reading = g.pop("reading", None)
    if reading is not None:
        with suppress(ValueError):  # a streamed answer may end in another context than it began in
            reading.__exit__(None, None, None)
    Sessions.remove()


def _csrf_refused(error: CSRFError) -> Response:
    logger.info("web.csrf_refused", extra={"reason": error.description, "path": request.path})
    return errors.refuse(BadRequest())


def _limit_logins(app: Flask, appbuilder: AppBuilder, settings: Settings) -> None:
    """One budget per address for the page and the interface together."""

    def refuse(breach: RequestLimit) -> Response:
        wait = max(1, ceil(breach.reset_at - clock.now().timestamp()))
        return errors.refused(too_many_from_here(wait))

    limit = appbuilder.sm.limiter.shared_limit(
        settings.login_rate_limit, scope="login", methods=["POST"], on_breach=refuse
    )
    for endpoint in ("LoginView.login", "LoginApi.login"):
        app.view_functions[endpoint] = limit(app.view_functions[endpoint])


def _add_shell(app: Flask) -> None:
    """What makes the site installable on a phone; nothing of the business is in it."""

    @app.get("/sw.js")
    def service_worker() -> Response:
        response = serve("app/sw.js")
        response.headers["Service-Worker-Allowed"] = "/"
        return response

    @app.get("/manifest.webmanifest")
    def manifest() -> Response:
        return _manifest()

    @app.get("/offline")
    def offline() -> Response:
        return make_response(render_template("yl/offline.html"))


def _manifest() -> Response:
    icons = [
        {
            "src": static_url(f"app/icon-{size}.png"),
            "sizes": f"{size}x{size}",
            "type": "image/png",
            "purpose": "any maskable",
        }
        for size in (192, 512)
    ]
    response = jsonify(
        name=APP_NAME,
        short_name=APP_NAME,
        start_url="/",
        scope="/",
        display="standalone",
        lang="zh-CN",
        background_color="#f6f7f9",
        theme_color="#2f5bea",
        icons=icons,
    )
    response.mimetype = "application/manifest+json"
    return response
