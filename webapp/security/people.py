"""Login -> person: name in the reader's order, positions and departments, joined through the organization."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

CJK = range(0x3400, 0xA000)


@dataclass(frozen=True)
class Person:
    id: int
    name: str
    groups: frozenset[int] = frozenset()
    """principals of the positions and departments the person belongs to"""
    locale: str = ""
    """the language the person chose; "" = none yet"""


def full_name(family: str, given: str) -> str:
    """张 + 伟 -> 张伟; Smith + Ann -> Ann Smith."""
    family, given = family.strip(), given.strip()
    if any(ord(sign) in CJK for sign in family + given):
        return f"{family}{given}"
    return f"{given} {family}".strip()


def _login_itself(session: Session, user: Any) -> Person:
    return Person(id=user.id, name=full_name(user.last_name, user.first_name))


_source: Callable[[Session, Any], Person] = _login_itself


def install(source: Callable[[Session, Any], Person]) -> None:
    """Say where people come from; the app points this at the organization."""
    global _source
    _source = source


def person_of(session: Session, user: Any) -> Person:
    return _source(session, user)
