"""Screens for logins, roles and one's own account; they replace FAB's security pages altogether."""

from __future__ import annotations

from typing import Any, cast

from flask import current_app, flash, g, make_response, redirect, request, session as cookie, url_for
from flask_appbuilder import AppBuilder, BaseView, expose
from flask_appbuilder.actions import action
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import ColumnElement, true
from sqlalchemy.orm import Session
from werkzeug.exceptions import BadRequest
from werkzeug.wrappers import Response as BaseResponse

from engine import attachments, db
from engine.actor import Actor
from engine.catalog import CATALOG, Column, Manifest, Register
from engine.db import Sessions
from engine.errors import InvalidForm, NotFound, Problem, RuleViolation
from engine.i18n import _, listed
from processes.organization.operations import (
    ensure_employee_for_login,
    remove_signature,
    set_signature,
    signature_of,
)
from processes.organization.rules import SIGNATURE_BYTES
from webapp.bootstrap import LANGUAGES
from webapp.registers.build import add_register, view_of
from webapp.registers.cells import Cell
from webapp.registers.views import RegisterView
from webapp.security import accounts, roles
from webapp.security.access import current_actor, requires, signed_in
from webapp.security.login import stamp_session
from webapp.security.models import LoginLog
from webapp.security.people import full_name
from webapp.settings import Settings
from webapp.skin.navigation import Entry, navigation


def _all(_actor: Actor) -> ColumnElement[bool]:
    """Whoever may open these registers sees every row."""
    return true()


ROLES = Register(
    name="security.role",
    title=_("Roles"),
    model=Role,
    columns=(Column("name", _("Name")),),
    scope=_all,
    group="system",
    icon="shield-lock",
    order_by=("id", "asc"),
    search=("name",),
    permission=roles.MANAGE_LOGINS,
)

LOGINS = Register(
    name="security.login",
    title=_("Logins"),
    model=User,
    columns=(
        Column("username", _("User name")),
        Column("last_name", _("Family name")),
        Column("first_name", _("Given name")),
        Column("email", _("Mail"), phone=False),
        Column("roles", _("Roles"), kind="reference", sortable=False),
        Column("active", _("May sign in"), kind="bool"),
    ),
    fields=(
        Column("username", _("User name")),
        Column("email", _("Mail"), hint=_("An employee entered with this mail gets the login.")),
        Column("last_name", _("Family name")),
        Column("first_name", _("Given name")),
        Column("roles", _("Roles"), kind="reference"),
        Column("active", _("May sign in"), kind="bool"),
    ),
    scope=_all,
    group="system",
    icon="user-cog",
    order_by=("username", "asc"),
    search=("username", "last_name", "first_name", "email"),
    permission=roles.MANAGE_LOGINS,
    create=accounts.create_login,
    change=accounts.change_login,
    archive=accounts.close_login,
)

LOGIN_LOG = Register(
    name="security.login_log",
    title=_("Login log"),
    model=LoginLog,
    columns=(
        Column("at", _("When"), kind="datetime"),
        Column("name", _("Typed user name")),
        Column(
            "outcome",
            _("Outcome"),
            kind="state",
            choices={
                "ok": _("Signed in"),
                "wrong": _("Wrong password"),
                "locked": _("Locked"),
                "inactive": _("Closed login"),
                "logout": _("Signed out"),
                "unlocked": _("Unlocked"),
            },
        ),
        Column(
            "road",
            _("By"),
            kind="state",
            choices={"page": _("page"), "api": _("interface"), "command": _("administrator")},
        ),
        Column("address", _("Address")),
        Column("client", _("Browser"), phone=False),
    ),
    scope=_all,
    group="system",
    icon="history",
    order_by=("id", "desc"),
    search=("name", "address"),
    permission=roles.READ_LOGIN_LOG,
)

MANIFESTS = {
    "process": Manifest(title=_("Processes"), permissions=roles.OF_PROCESSES),
    "security": Manifest(
        title=_("Logins and roles"), registers=(LOGINS, ROLES, LOGIN_LOG), permissions=roles.OF_LOGINS
    ),
}


class LoginsView(RegisterView):
    """The register of logins, with what only logins have: passwords and locks."""

    register = LOGINS

    def name_of(self, record: Any) -> str:
        return full_name(record.last_name, record.first_name) or str(record.username)

    def cell(self, record: Any, column: Column) -> Cell:
        """Shipped roles read in the reader's language."""
        if column.name != "roles":
            return super().cell(record, column)
        titles = [roles.role_title(role.name) for role in record.roles]
        return Cell(column, titles, listed(titles))

    def created(self, session: Session, record: Any) -> Any:
        """Every login is somebody."""
        ensure_employee_for_login(session, record)
        return record

    def after_create(self, record: Any) -> BaseResponse:
        """A new login is of no use without its password, so it is shown at once."""
        return self._show_password(record)

    @action(
        "reset_password", _("Reset password"), _("The present password stops working at once."), "key", multiple=False
    )
    def reset_password(self, records: Any) -> BaseResponse:
        return self._show_password(records[0])

    @action("unlock", _("Unlock"), "", "lock-open", multiple=True)
    def unlock(self, records: Any) -> None:
        with db.transaction() as session:
            for record in records:
                accounts.unlock(session, current_actor(), record_id=record.id)
        flash(str(_("Wrong passwords are forgotten.")), "success")

    def _show_password(self, record: Any) -> BaseResponse:
        with db.transaction() as session:
            password = accounts.reset_password(session, current_actor(), record_id=record.id)
        html = self._render(
            "yl/security/password_once.html",
            title=_("Password of {name}", name=self.name_of(record)),
            record=record,
            password=password,
            back=self.url("show", pk=record.id),
        )
        response = make_response(html)
        response.headers["Cache-Control"] = "no-store"
        return response


class RoleMatrixView(BaseView):
    """Who may do what: permissions down, roles across, one tick each."""

    route_base = "/security/matrix"
    default_view = "matrix"

    @expose("/")
    @requires(roles.MANAGE_ROLES)
    def matrix(self) -> str:
        return self._page()

    @expose("/", methods=["POST"])
    @requires(roles.MANAGE_ROLES)
    def save(self) -> BaseResponse:
        """Takes only the ticks that were changed: on=3:organization.employee.manage, off=…"""
        changes = {
            _change(text): holds for key, holds in (("on", True), ("off", False)) for text in request.form.getlist(key)
        }
        with db.transaction() as session:
            changed = roles.save_matrix(session, current_actor(), changes)
        flash(
            str(_("{count} permissions changed.", count=changed) if changed else _("Nothing was changed.")), "success"
        )
        return redirect(url_for("RoleMatrixView.matrix"))

    @expose("/roles", methods=["POST"])
    @requires(roles.MANAGE_ROLES)
    def add_role(self) -> BaseResponse:
        try:
            with db.transaction() as session:
                roles.create_role(session, current_actor(), name=request.form.get("name", ""))
        except InvalidForm as refusal:
            return make_response(self._page(refusal.by_field(), request.form.get("name", "")), 422)
        flash(str(_("The role has been made; tick what it may do.")), "success")
        return redirect(url_for("RoleMatrixView.matrix"))

    def _page(self, errors: dict[str, str] | None = None, name: str = "") -> str:
        return cast(
            str,
            self.render_template(
                "yl/security/matrix.html",
                title=_("Permissions"),
                matrix=roles.matrix(Sessions()),
                errors=errors or {},
                new_name=name,
            ),
        )


def _change(text: str) -> tuple[int, str]:
    role, _colon, permission = text.partition(":")
    if not role.isdecimal() or not permission:
        raise BadRequest
    return int(role), permission


class ProfileView(BaseView):
    """One's own page: who I am, my password, my signature, my language."""

    route_base = "/me"
    default_view = "show"

    @expose("/")
    @signed_in
    def show(self) -> str:
        return self._page({})

    @expose("/password", methods=["POST"])
    @signed_in
    def password(self) -> BaseResponse:
        settings: Settings = current_app.config["SETTINGS"]
        form = request.form
        actor, new = current_actor(), form.get("new", "")
        try:
            _check_same(new, form.get("again", ""))
            with db.transaction() as session:
                user = accounts.change_own_password(
                    session,
                    actor.user_id or 0,
                    actor,
                    old=form.get("old", ""),
                    new=new,
                    minimum=settings.password_min_length,
                )
        except InvalidForm as refusal:
            problems: dict[str, list[str]] = {}
            for problem in refusal.problems:
                problems.setdefault(problem.where, []).append(str(problem.message))
            return make_response(self._page(problems), 422)
        stamp_session(user)
        flash(str(_("Your password has been changed; your other sessions have ended.")), "success")
        return redirect(url_for("ProfileView.show"))

    @expose("/signature")
    @signed_in
    def signature(self) -> BaseResponse:
        """One's own picture, to look at; others meet it on paper only."""
        sha256 = signature_of(Sessions(), current_actor().person_id)
        try:
            content = attachments.path_of(sha256).read_bytes() if sha256 else b""
        except FileNotFoundError:
            content = b""
        if not content:
            raise NotFound
        return make_response(content, {"Content-Type": "image/png", "Cache-Control": "private, no-store"})

    @expose("/signature", methods=["POST"])
    @signed_in
    def save_signature(self) -> BaseResponse:
        given = request.files.get("signature")
        content = given.read(SIGNATURE_BYTES + 1) if given else b""
        try:
            with db.transaction() as session:
                set_signature(session, current_actor(), content=content)
        except RuleViolation as refusal:
            problems = {"signature": [str(problem.message) for problem in refusal.problems]}
            return make_response(self._page(problems), 422)
        flash(str(_("Your signature has been saved.")), "success")
        return redirect(url_for("ProfileView.show"))

    @expose("/signature/remove", methods=["POST"])
    @signed_in
    def drop_signature(self) -> BaseResponse:
        with db.transaction() as session:
            remove_signature(session, current_actor())
        flash(str(_("Your signature has been removed; what you have signed keeps it.")), "success")
        return redirect(url_for("ProfileView.show"))

    @expose("/language/<language>", methods=["POST"])
    @signed_in
    def language(self, language: str) -> BaseResponse:
        if language not in LANGUAGES:
            raise BadRequest
        cookie["locale"] = language
        return redirect(_back())

    def _page(self, problems: dict[str, list[str]]) -> str:
        settings: Settings = current_app.config["SETTINGS"]
        user = g.user
        return cast(
            str,
            self.render_template(
                "yl/security/profile.html",
                title=_("My account"),
                user=user,
                role_titles=[roles.role_title(role.name) for role in user.roles],
                problems=problems,
                minimum=settings.password_min_length,
                signature=signature_of(Sessions(), current_actor().person_id),
                signature_kb=SIGNATURE_BYTES // 1024,
            ),
        )


def _check_same(new: str, again: str) -> None:
    if new != again:
        raise InvalidForm([Problem("again", _("The two new passwords differ."))])


def _back() -> str:
    """The page the person came from, if it is one of ours."""
    referrer = request.referrer or ""
    return referrer if referrer.startswith(request.host_url) else url_for("ProfileView.show")


def add_views(appbuilder: AppBuilder) -> None:
    CATALOG.manifests.update(MANIFESTS)
    for view in (ProfileView, RoleMatrixView):
        appbuilder.add_view_no_menu(view)
    add_register(appbuilder, view_of(LOGINS, LoginsView))
    appbuilder.add_view_no_menu(view_of(ROLES))
    navigation().add(
        Entry("system", _("Permissions"), "shield-lock", "RoleMatrixView.matrix", roles.MANAGE_ROLES, order=210)
    )
