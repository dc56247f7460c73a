"""Roles as sums of named permissions: what a new house starts with, and the matrix an administrator edits."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from flask import Flask
from flask_appbuilder.security.sqla.models import Permission as FabPermission, PermissionView, Role, ViewMenu
from sqlalchemy import select
from sqlalchemy.orm import Session, selectinload

from engine import db, journal
from engine.actor import Actor
from engine.catalog import CATALOG, Permission
from engine.errors import Forbidden, InvalidForm, NotFound, Problem, RuleViolation
from engine.i18n import Sentence, _
from engine.repository import DEPLOY
from engine.work_items import HAND_OVER
from engine.work_items.rights import ADMINISTER, BACK_DATE, MONITOR, PUBLISH
from webapp.security.naming import named, pair
from webapp.security.viewing import VIEW_AS

logger = logging.getLogger(__name__)

ADMIN = "Admin"

MANAGE_LOGINS = "security.login.manage"
MANAGE_ROLES = "security.role.manage"
READ_LOGIN_LOG = "security.login_log.read"

OF_PROCESSES = (
    Permission(MONITOR, _("Follow every process, whoever started it")),
    Permission(ADMINISTER, _("Terminate and repair processes")),
    Permission(DEPLOY, _("Design and deploy processes")),
    Permission(PUBLISH, _("Send messages and signals to processes")),
    Permission(HAND_OVER, _("Hand everything that lies with somebody over to another")),
    Permission(BACK_DATE, _("Enter decisions that were made on paper")),
)
OF_LOGINS = (
    Permission(MANAGE_LOGINS, _("Make, change and close logins, reset passwords")),
    Permission(MANAGE_ROLES, _("Make roles and decide what they may do")),
    Permission(VIEW_AS, _("Look through an employee’s eyes: his customers, read only; noted")),
    Permission(READ_LOGIN_LOG, _("Read who signed in when and from where")),
)
PERMISSIONS = (*OF_PROCESSES, *OF_LOGINS)


@dataclass(frozen=True)
class RoleSum:
    """A role that ships with the house: all that `includes` may do, and what the patterns name."""

    name: str
    title: Sentence
    includes: tuple[str, ...] = ()
    grants: tuple[str, ...] = ()


ROLES = (
    RoleSum(
        "Employee",
        _("Employee"),
        grants=(
            *("OpenApi.get", "SwaggerView.show", "MenuApi.get"),
            *("document.document.make", "messaging.sms.send", "messaging.mail.send"),
        ),
    ),
    RoleSum(
        "Sales",
        _("Sales person"),
        ("Employee",),
        (
            "party.customer.use",
            "party.customer.manage",
            "party.customer.export",
            "party.sensitive.reveal",
            "ownership.lock.apply",
            "activity.record.write",
        ),
    ),
    RoleSum("Supervisor", _("Supervisor"), ("Sales",), ("*.team.*", "messaging.bulk.send")),
    RoleSum("DepartmentHead", _("Department head"), ("Supervisor",), ("*.department_report.*",)),
    RoleSum(
        "GeneralManager",
        _("General manager"),
        ("DepartmentHead",),
        (
            "*.read",
            "*.report.*",
            MONITOR,
            "ownership.rule.manage",
            "ownership.everybody.assign",
            "activity.policy.*",
            "views.*",
        ),
    ),
    RoleSum("Finance", _("Finance"), ("Employee",), ("spending.*",)),
    RoleSum(
        "HumanResources",
        _("Human resources"),
        ("Employee",),
        ("organization.*", "office.*", "numbering.*", HAND_OVER, "approval.delegation.manage", "messaging.bulk.send"),
    ),
    RoleSum("ProcessDesigner", _("Process designer"), ("Employee",), ("modeler.*", DEPLOY)),
    RoleSum(
        "ProcessAdmin",
        _("Process administrator"),
        ("ProcessDesigner",),
        ("process.*", "messaging.*", "notices.*", "approval.*", "document.*", "webhooks.*", "views.*"),
    ),
    RoleSum(ADMIN, _("Administrator"), ("ProcessAdmin", "Finance", "HumanResources", "GeneralManager"), ("*",)),
)

BY_NAME: Mapping[str, RoleSum] = {role.name: role for role in ROLES}


def patterns(role: str) -> frozenset[str]:
    """Everything a shipped role may do by default, the roles it includes with it."""
    own = BY_NAME[role]
    return frozenset(own.grants).union(*(patterns(included) for included in own.includes))


def granted(role: str, permission: str) -> bool:
    return any(fnmatchcase(permission, pattern) for pattern in patterns(role))


def role_title(name: str) -> str:
    """The shipped role in the reader's language; a role of one's own as it was named."""
    return str(BY_NAME[name].title) if name in BY_NAME else name


# ------------------------------------------------------------------------------------------------ at migration


def create_permissions(app: Flask) -> None:
    """The command behind the migration: permissions of manifests and FAB's own views, and the roles on them."""
    with app.app_context():
        views = app.appbuilder.baseviews  # type: ignore[attr-defined]
        of_fab = {
            named(permission, view.class_permission_name)
            for view in views
            for permission in view.base_permissions or ()
        }
        with db.transaction() as session:
            sync_roles(session, of_fab)


def sync_roles(session: Session, further: Iterable[str] = ()) -> None:
    """Make missing permissions and roles. What an administrator has decided since stays: a shipped role is given a
    permission only when either of the two is new; the administrator's role always holds everything.
    """
    wanted = sorted({*CATALOG.permissions, *(p.name for p in PERMISSIONS), *further})
    known = _links(session)
    fresh = set()
    for name in wanted:
        if name not in known:
            known[name] = _link(session, name)
            fresh.add(name)
    roles = {role.name: role for role in session.scalars(select(Role).options(selectinload(Role.permissions)))}
    for shipped in ROLES:
        role = roles.get(shipped.name)
        is_new = role is None
        if role is None:
            role = Role(name=shipped.name, permissions=[])
            session.add(role)
        held = {link.id for link in role.permissions}
        for name in wanted:
            due = is_new or name in fresh or shipped.name == ADMIN
            if due and granted(shipped.name, name) and known[name].id not in held:
                role.permissions.append(known[name])
    session.flush()
    logger.info("roles.synced", extra={"permissions": len(wanted), "new": len(fresh)})


def _links(session: Session) -> dict[str, PermissionView]:
    return {named(link.permission.name, link.view_menu.name): link for link in session.scalars(select(PermissionView))}


def _link(session: Session, name: str) -> PermissionView:
    verb, noun = pair(name)
    permission = session.scalars(select(FabPermission).where(FabPermission.name == verb)).first()
    view = session.scalars(select(ViewMenu).where(ViewMenu.name == noun)).first()
    link = PermissionView(permission=permission or FabPermission(name=verb), view_menu=view or ViewMenu(name=noun))
    session.add(link)
    session.flush()
    return link


# ------------------------------------------------------------------------------------------------ the matrix


@dataclass(frozen=True)
class Row:
    """One permission across all roles."""

    name: str
    title: str
    held_by: frozenset[int]


@dataclass(frozen=True)
class Section:
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True)
class Matrix:
    roles: tuple[tuple[int, str, bool], ...]
    """id, title, fixed (the administrator's role cannot lose anything)"""
    sections: tuple[Section, ...]


def matrix(session: Session) -> Matrix:
    """Who may do what, grouped by package; permissions nobody declares any more are left out."""
    roles = session.scalars(select(Role).options(selectinload(Role.permissions))).all()
    place = {role.name: number for number, role in enumerate(ROLES)}
    ordered = sorted(roles, key=lambda role: (place.get(role.name, len(ROLES)), role.id))
    held = {role.id: {link.id for link in role.permissions} for role in ordered}
    links = _links(session)
    sections = []
    for manifest in CATALOG.manifests.values():
        rows = tuple(
            Row(p.name, str(p.title), frozenset(r for r in held if links[p.name].id in held[r]))
            for p in manifest.permissions
            if p.name in links
        )
        if rows:
            sections.append(Section(str(manifest.title), rows))
    return Matrix(tuple((r.id, role_title(r.name), r.name == ADMIN) for r in ordered), tuple(sections))


def save_matrix(session: Session, actor: Actor, changes: Mapping[tuple[int, str], bool]) -> int:
    """Grant or withdraw permissions: {(role id, permission): held}. Answers how many really changed.

    Only what differs from the page as it was opened is sent, so two administrators do not undo each other.
    """
    if not actor.may(MANAGE_ROLES):
        raise Forbidden(_("Your roles do not include this."))
    links = _links(session)
    changed = 0
    for role_id in sorted({role_id for role_id, _name in changes}):
        role = session.get(Role, role_id, with_for_update=True)
        if role is None:
            raise NotFound
        before = {named(link.permission.name, link.view_menu.name) for link in role.permissions}
        after = set(before)
        for (of_role, name), holds in changes.items():
            if of_role != role_id:
                continue
            if name not in links or name not in CATALOG.permissions:
                raise NotFound
            (after.add if holds else after.discard)(name)
        if role.name == ADMIN and before - after:
            raise RuleViolation(_("The administrator's role keeps every permission."), code="admin_is_fixed")
        role.permissions = [link for name, link in links.items() if name in after]
        added, removed = sorted(after - before), sorted(before - after)
        if added or removed:
            changed += len(added) + len(removed)
            journal.audit(
                session, actor, "security.role", role_id, "changed", {"permissions": removed}, {"permissions": added}
            )
    session.flush()
    return changed


def create_role(session: Session, actor: Actor, *, name: str) -> Role:
    """A role of one's own, empty at first."""
    if not actor.may(MANAGE_ROLES):
        raise Forbidden(_("Your roles do not include this."))
    name = name.strip()
    if not 2 <= len(name) <= 64:
        raise InvalidForm([Problem("name", _("A role's name has 2 to 64 characters."))])
    if session.scalars(select(Role.id).where(Role.name == name)).first() is not None:
        raise InvalidForm([Problem("name", _("There is a role of this name already."))])
    role = Role(name=name, permissions=[])
    session.add(role)
    session.flush()
    journal.audit(session, actor, "security.role", role.id, "created", None, {"name": name})
    return role
