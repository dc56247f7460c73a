"""What a password must be like, and how it is kept."""

from __future__ import annotations

import secrets

from werkzeug.security import check_password_hash, generate_password_hash

from engine.i18n import Sentence, _

COMMON = frozenset(
    "password passw0rd p@ssword p@ssw0rd qwertyuiop qwerty12345 qwerty123456 1qaz2wsx3edc 1q2w3e4r5t admin12345 "
    "administrator iloveyou welcome123 letmein123 woaini1314 woaini520 5201314520 a123456789 abc123456789 "
    "zxcvbnm123 asdfghjkl1 changeme123 yunliu12345 password12 password123 password1234".split()
)

_ABSENT = generate_password_hash(secrets.token_urlsafe(16))
"""Checked when the login does not exist, so that both answers take the same time."""


def weaknesses(password: str, *, username: str, minimum: int) -> list[Sentence]:
    """Every reason why this password will not do; empty = it will."""
    found = []
    plain = password.lower()
    if len(password) < minimum:
        found.append(_("Use at least {minimum} characters.", minimum=minimum))
    if password.isdigit() or password.isalpha():
        found.append(_("Mix letters with digits or signs."))
    if len(username) >= 3 and username.lower() in plain:
        found.append(_("Leave the user name out of it."))
    if plain in COMMON or len(set(plain)) < 5:
        found.append(_("This one is among the first that attackers try."))
    return found


def hash_password(password: str) -> str:
    return generate_password_hash(password)


def matches(stored: str | None, password: str) -> bool:
    """Slow on purpose, and as slow when nothing is stored."""
    return check_password_hash(stored or _ABSENT, password) and bool(stored)


def make_password() -> str:
    """A random one that passes the policy, to be handed over once."""
    return f"{secrets.token_urlsafe(9)}-{secrets.randbelow(90) + 10}"
