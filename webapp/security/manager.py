"""FAB's security manager made ours: login -> Actor in one query of rights, logins that lock, nothing public."""

from __future__ import annotations

import hashlib
import logging
from collections.abc import Iterable, Mapping
from datetime import timedelta
from typing import Any

from flask import Flask, current_app, g, has_request_context, request, session as cookie
from flask_appbuilder.security.sqla.manager import SecurityManager
from flask_appbuilder.security.sqla.models import (
    Permission,
    PermissionView,
    User,
    ViewMenu,
    assoc_permissionview_role,
    assoc_user_role,
)
from flask_jwt_extended import JWTManager
from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from engine import clock, db
from engine.actor import Actor
from engine.assignment import group_principal
from engine.db import Sessions
from webapp.security import access, lockout, passwords, people
from webapp.security.login import LoginApi, LoginView
from webapp.security.models import LoginLog
from webapp.security.naming import named
from webapp.settings import Settings

logger = logging.getLogger(__name__)

LOCALES = {"zh": "zh_CN", "en": "en"}


def password_stamp(user: User) -> str:
    """Kept in every session and token: when the password changes, the others end."""
    return hashlib.sha256(f"{user.id}:{user.password}".encode()).hexdigest()[:16]


Rights = tuple[frozenset[int], frozenset[str]]
"""Role ids and permission names."""

_GRANTED = (
    assoc_permissionview_role.join(
        PermissionView.__table__, PermissionView.id == assoc_permissionview_role.c.permission_view_id
    )
    .join(Permission.__table__, Permission.id == PermissionView.permission_id)
    .join(ViewMenu.__table__, ViewMenu.id == PermissionView.view_menu_id)
)


def rights_of(session: Session, user_id: int) -> Rights:
    """What one login may do, in one query (a role without permissions still counts)."""
    rows = session.execute(
        select(assoc_user_role.c.role_id, Permission.name, ViewMenu.name)
        .select_from(assoc_user_role)
        .outerjoin(_GRANTED, assoc_permissionview_role.c.role_id == assoc_user_role.c.role_id)
        .where(assoc_user_role.c.user_id == user_id)
    ).all()
    return (
        frozenset(role for role, _p, _v in rows),
        frozenset(named(permission, view) for _r, permission, view in rows if permission),
    )


def rights_of_many(session: Session, user_ids: Iterable[int]) -> dict[int, Rights]:
    """What many logins may do, in two queries: they share few roles, whose permissions are read once."""
    roles: dict[int, set[int]] = {user_id: set() for user_id in user_ids}
    held = select(assoc_user_role.c.user_id, assoc_user_role.c.role_id).where(assoc_user_role.c.user_id.in_(roles))
    for user_id, role_id in session.execute(held):
        roles[user_id].add(role_id)
    grants: dict[int, set[str]] = {role_id: set() for role_id in set().union(*roles.values())}
    wanted = select(assoc_permissionview_role.c.role_id, Permission.name, ViewMenu.name).select_from(_GRANTED)
    for role_id, permission, view in session.execute(wanted.where(assoc_permissionview_role.c.role_id.in_(grants))):
        grants[role_id].add(named(permission, view))
    return {
        user_id: (frozenset(mine), frozenset().union(*(grants[role_id] for role_id in mine)))
        for user_id, mine in roles.items()
    }


class CachedSecurityManager(SecurityManager):
    """Only what differs from FAB; its own user, role and permission screens are not registered at all."""

    authdbview = LoginView
    security_api = LoginApi

    def register_views(self) -> None:
        """Login page and login API; the screens for people and rights are registers of our own."""
        self.appbuilder.add_api(self.security_api)
        self.auth_view = self.authdbview()
        self.appbuilder.add_view_no_menu(self.auth_view)

    def create_db(self) -> None:
        """Tables come from migrations, roles from `roles.sync_roles`; nothing is created behind the operator's back."""

    # ------------------------------------------------------------------------------------------------ who is asking

    def stamp(self, user: User) -> str:
        return password_stamp(user)

    def load_user(self, pk: str | int) -> User | None:
        """The login of a session cookie or token; nobody when it was closed or its password has changed since."""
        user = Sessions().get(User, int(pk))
        if user is None or not user.active:
            return None
        if has_request_context() and "_user_id" in cookie and cookie.get("stamp") != password_stamp(user):
            return None
        return user

    def create_jwt_manager(self, app: Flask) -> JWTManager:
        """FAB's, whose tokens carry the stamp."""
        manager: JWTManager = super().create_jwt_manager(app)
        manager.additional_claims_loader(self._claims)
        return manager

    def _claims(self, identity: str) -> dict[str, str]:
        user = Sessions().get(User, int(identity))
        return {"stamp": password_stamp(user)} if user is not None else {}

    def load_user_jwt(self, _header: Mapping[str, Any], claims: Mapping[str, Any]) -> User | None:
        """The login of a token that was made under its present password."""
        user = Sessions().get(User, int(claims["sub"]))
        if user is None or not user.active or claims.get("stamp") != password_stamp(user):
            return None
        g.user = user
        return user

    def actor_of(self, user: Any) -> Actor:
        """The login as an actor: person, pools, named permissions."""
        session = Sessions()
        person = people.person_of(session, user)
        roles, permissions = rights_of(session, user.id)
        return Actor(
            person_id=person.id,
            name=person.name,
            groups=person.groups | {group_principal("role", role) for role in roles},
            permissions=permissions,
            locale=LOCALES[chosen_language(person.locale)],
            user_id=user.id,
            client=request.headers.get("User-Agent", "")[:200] if has_request_context() else "",
        )

    def has_access(self, permission_name: str, view_name: str) -> bool:
        """FAB's question, answered from the actor; the public role is never asked."""
        actor = access.actor_or_none()
        return actor is not None and actor.may(named(permission_name, view_name))

    def is_item_public(self, permission_name: str, view_name: str) -> bool:
        return False

    # ------------------------------------------------------------------------------------------------ signing in

    def sign_in(self, name: str, password: str, road: str) -> User | lockout.Locked | None:
        """The login, or why not: a lock with its end, or None for everything else (which is not told apart)."""
        settings: Settings = current_app.config["SETTINGS"]
        key = name.strip().lower()[:128]
        session = Sessions()
        until = lockout.locked_until(
            session, key, allowed=settings.login_attempts, first=timedelta(seconds=settings.login_lock_seconds)
        )
        user = session.scalars(
            select(User).where(or_(func.lower(User.username) == key, func.lower(User.email) == key)).limit(1)
        ).first()
        stored = user.password if user else None
        session.rollback()  # the slow comparison below must not hold the database's only write lock
        if until is not None:
            self.note(key, user, "locked", road)
            return lockout.Locked(until)
        right = passwords.matches(stored, password)
        if user is None or not right:
            self.note(key, user, "wrong", road)
            return None
        if not user.active:
            self.note(key, user, "inactive", road)
            return None
        self.note(key, user, "ok", road)
        return user

    def auth_user_db(self, username: str | None, password: str | None) -> User | None:
        """FAB's own entry, kept for whatever calls it."""
        found = self.sign_in(username or "", password or "", "page")
        return found if isinstance(found, User) else None

    def note(self, name: str, user: User | None, outcome: str, road: str) -> None:
        """Write the login log, in a transaction of its own: a refusal must leave its trace."""
        with db.transaction() as session:
            session.add(
                LoginLog(
                    at=clock.now(),
                    name=name,
                    user_id=user.id if user else None,
                    outcome=outcome,
                    road=road,
                    address=(request.remote_addr or "")[:45],
                    client=request.headers.get("User-Agent", "")[:200],
                )
            )
        logger.info("login.%s", outcome, extra={"road": road, "user_id": user.id if user else None})


def chosen_language(of_person: str = "") -> str:
    """Of this request: asked for in the address, chosen in this browser, kept with the person, or Chinese."""
    if has_request_context():
        asked = request.args.get("_l_", "") or cookie.get("locale", "")
        if asked in LOCALES:
            return str(asked)
        if "language" in g:
            return str(g.language)
    return of_person.split("_", maxsplit=1)[0] if of_person.split("_", maxsplit=1)[0] in LOCALES else "zh"
