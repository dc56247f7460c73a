"""Signing in and out: the page, and the interface's login, under one limit and one lock."""

from __future__ import annotations

from typing import Any

from flask import Response, current_app, jsonify, make_response, redirect, request, session as cookie
from flask_appbuilder import expose
from flask_appbuilder.security.api import SecurityApi
from flask_appbuilder.security.views import AuthDBView
from flask_appbuilder.utils.base import get_safe_redirect
from flask_jwt_extended import create_access_token, create_refresh_token
from flask_login import current_user, login_user, logout_user
from flask_wtf import FlaskForm
from werkzeug.exceptions import BadRequest, Unauthorized
from werkzeug.wrappers import Response as BaseResponse
from wtforms import PasswordField, StringField

from engine.errors import AppError
from engine.i18n import Sentence, _
from webapp.bootstrap import LANGUAGES
from webapp.security.access import forget_actor, public
from webapp.security.bearer import CHALLENGE, owner_of
from webapp.security.lockout import Locked


class SignInRefused(AppError):
    """The interface's login says no; the status says why."""

    code = "bad_request"

    def __init__(self, message: Sentence, *, status: int, code: str | None = None, retry_after: int = 0) -> None:
        super().__init__(message, code=code)
        self.status = status
        self.retry_after = retry_after


WRONG = _("User name or password is wrong.")


def locked_sentence(locked: Locked) -> Sentence:
    if locked.seconds < 90:
        return _("Too many wrong passwords. Try again in {seconds} seconds.", seconds=locked.seconds)
    return _("Too many wrong passwords. Try again in {minutes} minutes.", minutes=-(-locked.seconds // 60))


def too_many_from_here(seconds: int) -> SignInRefused:
    """The answer to an address that tries too often, whatever names it tries."""
    return SignInRefused(
        _("Too many attempts from your address. Try again in {seconds} seconds.", seconds=seconds),
        status=429,
        code="too_many_attempts",
        retry_after=seconds,
    )


class LoginForm(FlaskForm):
    username = StringField(filters=[lambda text: (text or "").strip()])
    password = PasswordField()


class LoginView(AuthDBView):
    """The login page; what was typed as name stays in the form."""

    login_template = "appbuilder/general/security/login_db.html"

    @expose("/login/", methods=["GET", "POST"])
    @public
    def login(self) -> BaseResponse:
        if current_user.is_authenticated:
            return redirect(self._get_safe_next_url())
        if request.args.get("_l_") in LANGUAGES:
            cookie["locale"] = request.args["_l_"]
        form = LoginForm()
        refusal: Sentence | None = None
        status = 200
        if form.validate_on_submit():
            found = self.appbuilder.sm.sign_in(form.username.data or "", form.password.data or "", "page")
            if found is not None and not isinstance(found, Locked):
                enter(found)
                return redirect(get_safe_redirect(request.args.get("next", "")))
            refusal, status = (locked_sentence(found), 429) if isinstance(found, Locked) else (WRONG, 401)
        page = self.render_template(self.login_template, title=_("Sign in"), form=form, refusal=refusal)
        response = make_response(page, status)
        response.headers["Cache-Control"] = "no-store"
        return response

    @expose("/logout/", methods=["POST"])
    @public
    def logout(self) -> BaseResponse:
        """By POST only: a link in a mail must not sign anybody out."""
        if current_user.is_authenticated:
            self.appbuilder.sm.note(current_user.username.lower(), current_user, "logout", "page")
        logout_user()
        language = cookie.get("locale")
        cookie.clear()
        if language:
            cookie["locale"] = language
        forget_actor()
        return redirect(self.appbuilder.get_url_for_login)


def enter(user: Any) -> None:
    """Begin the session of a login: fresh, and stamped with its present password."""
    language = cookie.get("locale")
    cookie.clear()  # nothing of the anonymous session (tokens, history) lives on
    if language:
        cookie["locale"] = language
    login_user(user)
    stamp_session(user)
    forget_actor()


def stamp_session(user: Any) -> None:
    cookie["stamp"] = current_app.appbuilder.sm.stamp(user)  # type: ignore[attr-defined]


class LoginApi(SecurityApi):
    """FAB's token login with the lock and the limit it lacks."""

    @expose("/login", methods=["POST"])
    @public
    def login(self) -> Response:
        """Exchange user name and password for a token.
        ---
        post:
          description: Returns an access token, and a refresh token when asked for
          requestBody:
            required: true
            content:
              application/json:
                schema:
                  type: object
                  required: [username, password]
                  properties:
                    username: {type: string}
                    password: {type: string}
                    provider: {type: string, enum: [db]}
                    refresh: {type: boolean}
          responses:
            200:
              description: Signed in
              content:
                application/json:
                  schema:
                    type: object
                    properties:
                      access_token: {type: string}
                      refresh_token: {type: string}
            400: {$ref: '#/components/responses/400'}
            401: {$ref: '#/components/responses/401'}
            429: {description: Locked or too many attempts; see Retry-After}
        """
        body = request.get_json(silent=True)
        if not isinstance(body, dict) or not all(isinstance(body.get(k), str) for k in ("username", "password")):
            raise BadRequest
        if body.get("provider", "db") != "db":
            raise SignInRefused(_("This way of signing in is not known here."), status=400)
        found = self.appbuilder.sm.sign_in(body["username"], body["password"], "api")
        if isinstance(found, Locked):
            raise SignInRefused(locked_sentence(found), status=429, code="locked", retry_after=found.seconds)
        if found is None:
            raise SignInRefused(WRONG, status=401, code="wrong_credentials")
        answer = {"access_token": create_access_token(identity=str(found.id), fresh=True)}
        if body.get("refresh"):
            answer["refresh_token"] = create_refresh_token(identity=str(found.id))
        return jsonify(answer)

    @expose("/refresh", methods=["POST"])
    @public
    def refresh(self) -> Response:
        """Exchange a refresh token for a new token.
        ---
        post:
          description: Takes the refresh token as Authorization, Bearer; returns an access token
          security: [{jwt_refresh: []}]
          responses:
            200:
              description: A new token
              content:
                application/json:
                  schema:
                    type: object
                    properties:
                      access_token: {type: string}
            401: {$ref: '#/components/responses/401'}
        """
        scheme, _space, token = request.headers.get("Authorization", "").partition(" ")
        user = owner_of(token.strip(), "refresh") if scheme.lower() == "bearer" else None
        if user is None:
            raise Unauthorized(www_authenticate=CHALLENGE)
        return jsonify(access_token=create_access_token(identity=str(user.id), fresh=False))
