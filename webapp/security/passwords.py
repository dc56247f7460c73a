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

METHOD = "scrypt:32768:8:1"
"""Slow on purpose: a tenth of a second and 32 MiB a guess."""


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
    return generate_password_hash(password, METHOD)


def matches(stored: str | None, password: str) -> bool:
    """Slow on purpose, and as slow when nothing is stored."""
    return check_password_hash(stored or _absent(), password) and bool(stored)


def _absent() -> str:
    """Looks like a hash and is none's: checked when nothing is stored, so that both answers take the same time."""
    return f"{METHOD}${secrets.token_urlsafe(12)}${secrets.token_hex(64)}"


def make_password() -> str:
    """A random one that passes the policy, to be handed over once."""
    return f"{secrets.token_urlsafe(9)}-{secrets.randbelow(90) + 10}"
