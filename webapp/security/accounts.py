"""Changes of logins: made, changed, closed, passwords; each checks its right and leaves a trace."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import exists, func, or_, select
from sqlalchemy.orm import Session

from engine import clock, journal
from engine.actor import Actor
from engine.errors import Forbidden, InvalidForm, NotFound, Problem, RuleViolation
from engine.i18n import _
from processes.kernel.entry import Entry
from webapp.security import passwords
from webapp.security.models import LoginLog
from webapp.security.roles import ADMIN, MANAGE_LOGINS

RECORD_TYPE = "security.login"

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._@-]{1,63}")
_MAIL = re.compile(r"[^@\s]{1,64}@[^@\s]{1,189}")


def _require(actor: Actor) -> None:
    if not actor.may(MANAGE_LOGINS):
        raise Forbidden(_("Your roles do not include this."))


def _read(session: Session, values: Mapping[str, Any], *, record_id: int | None) -> dict[str, Any]:
    entry = Entry(session, values, is_new=record_id is None)
    entry.text("username", required=True, longest=64)
    entry.text("last_name", required=True, longest=64)
    entry.text("first_name", longest=64)
    entry.text("email", required=True, longest=254)
    entry.flag("active")
    entry.references("roles", Role)
    name, mail = entry.clean.get("username"), entry.clean.get("email")
    if name is not None and not _NAME.fullmatch(name):
        entry.problem(
            "username", _("Letters, digits, dot, dash, underscore and @ make a user name; it has 2 to 64 signs.")
        )
    if mail is not None and not _MAIL.fullmatch(mail):
        entry.problem("email", _("{text} is not a mail address.", text=mail))
    for field, value in (("username", name), ("email", mail)):
        if value and _taken(session, value, record_id):
            entry.problem(field, _("Another login has this already."))
    if entry.clean.get("first_name", "") is None:
        entry.clean["first_name"] = ""
    return entry.finish()


def _taken(session: Session, value: str, record_id: int | None) -> bool:
    """A name is also refused when it is somebody's address, and the other way round: both may be typed to sign in."""
    lower = value.lower()
    same = or_(func.lower(User.username) == lower, func.lower(User.email) == lower)
    return bool(session.scalar(select(exists().where(same, User.id != (record_id or 0)))))


def create_login(session: Session, actor: Actor, *, values: Mapping[str, Any], password: str | None = None) -> User:
    """A new login; without a password nobody can use it until one is set."""
    _require(actor)
    clean = _read(session, values, record_id=None)
    user = User(**{"first_name": "", "active": True, **clean}, fail_login_count=0, login_count=0)
    if password is not None:
        user.password = passwords.hash_password(password)
    user.created_on = user.changed_on = clock.now().replace(tzinfo=None)
    session.add(user)
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, user.id, "created", None, _facts(user, clean))
    return user


def change_login(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> User:
    """Names, mail, roles, and whether it may be used at all."""
    _require(actor)
    user = _fetch(session, record_id)
    clean = _read(session, values, record_id=record_id)
    before = _facts(user, clean)
    if clean.get("active") is False and user.active:
        _check_may_close(session, actor, user)
    if "roles" in clean and ADMIN not in {role.name for role in clean["roles"]}:
        _check_not_last_admin(session, user)
    for name, value in clean.items():
        setattr(user, name, value)
    user.changed_on = clock.now().replace(tzinfo=None)
    session.flush()
    after = _facts(user, clean)
    changed = [name for name in clean if before[name] != after[name]]
    if changed:
        journal.audit(
            session,
            actor,
            RECORD_TYPE,
            user.id,
            "changed",
            {n: before[n] for n in changed},
            {n: after[n] for n in changed},
        )
    return user


def close_login(session: Session, actor: Actor, *, record_id: int) -> None:
    """Deactivate: open sessions end with their next request."""
    _require(actor)
    user = _fetch(session, record_id)
    if user.active:
        _check_may_close(session, actor, user)
        user.active = False
        session.flush()
        journal.audit(session, actor, RECORD_TYPE, user.id, "deactivated", {"active": True}, {"active": False})


def reset_password(session: Session, actor: Actor, *, record_id: int) -> str:
    """Give a login a new random password, to be handed over once."""
    _require(actor)
    user = _fetch(session, record_id)
    password = passwords.make_password()
    _set_password(session, actor, user, password, "password_reset")
    return password


def change_own_password(session: Session, user_id: int, actor: Actor, *, old: str, new: str, minimum: int) -> User:
    """Change one's own; every other session of the login ends."""
    user = _fetch(session, user_id)
    if not passwords.matches(user.password, old):
        raise InvalidForm([Problem("old", _("This is not your present password."))])
    found = passwords.weaknesses(new, username=user.username, minimum=minimum)
    if passwords.matches(user.password, new):
        found.append(_("This is your present password; choose another one."))
    if found:
        raise InvalidForm([Problem("new", sentence) for sentence in found])
    _set_password(session, actor, user, new, "password_changed")
    return user


def unlock(session: Session, actor: Actor, *, record_id: int) -> None:
    """Forget the wrong passwords of a login; both names it can be signed in by."""
    _require(actor)
    user = _fetch(session, record_id)
    for name in {user.username.lower(), user.email.lower()}:
        session.add(LoginLog(at=clock.now(), name=name, user_id=user.id, outcome="unlocked", road="command"))
    journal.audit(session, actor, RECORD_TYPE, user.id, "unlocked", None, None)


def _set_password(session: Session, actor: Actor, user: User, password: str, action: str) -> None:
    user.password = passwords.hash_password(password)
    user.changed_on = clock.now().replace(tzinfo=None)
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, user.id, action, None, None)


def _fetch(session: Session, record_id: int) -> User:
    user = session.get(User, record_id, with_for_update=True)
    if user is None:
        raise NotFound
    return user


def _check_may_close(session: Session, actor: Actor, user: User) -> None:
    if user.id == actor.user_id:
        raise RuleViolation(_("Nobody can close their own login."), code="own_login")
    _check_not_last_admin(session, user)


def _check_not_last_admin(session: Session, user: User) -> None:
    if ADMIN not in {role.name for role in user.roles} or not user.active:
        return
    others = session.scalar(
        select(func.count(User.id)).where(User.roles.any(Role.name == ADMIN), User.active, User.id != user.id)
    )
    if not others:
        raise RuleViolation(
            _("{name} is the last administrator.", name=user.username),
            code="last_admin",
            remedy=_("Make somebody else an administrator first."),
        )


def _facts(user: User, fields: Mapping[str, Any]) -> dict[str, Any]:
    """The named fields as the audit keeps them."""
    facts = {name: getattr(user, name) for name in fields}
    if "roles" in facts:
        facts["roles"] = [{"id": role.id, "name": role.name} for role in facts["roles"]]
    return facts
