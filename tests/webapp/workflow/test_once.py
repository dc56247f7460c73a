"""Work of many transactions under one form: begun once, told when asked for, sent again where it was refused."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.db import Sessions, transaction
from engine.errors import NotFound, RuleViolation
from engine.i18n import _
from webapp.once import came_of, once_through

WANG, SUN = Actor(person_id=2, name="王磊"), Actor(person_id=5, name="孙宇")


def told(actor: Actor, key: str) -> dict[str, Any] | None:
    with transaction() as session:
        return came_of(session, actor, key)


def test_who_comes_second_does_nothing_and_is_told_how_it_stands(session: Session) -> None:
    seen: list[dict[str, Any] | None] = []

    def second() -> dict[str, Any]:
        raise AssertionError("done twice")

    def first() -> dict[str, Any]:
        with transaction():
            pass  # it commits as it goes
        once_through(WANG, "a", second)  # a double click
        seen.append(told(WANG, "a"))
        return {"done": 3}

    once_through(WANG, "a", first)
    once_through(WANG, "a", second)
    assert seen == [None]
    assert told(WANG, "a") == {"done": 3}
    with pytest.raises(NotFound):
        told(SUN, "a")
    Sessions.remove()


def test_what_was_refused_may_be_sent_again(session: Session) -> None:
    def refuse() -> dict[str, Any]:
        raise RuleViolation(_("Please give a reason."))

    with pytest.raises(RuleViolation):
        once_through(WANG, "b", refuse)
    once_through(WANG, "b", lambda: {"done": 1})
    assert told(WANG, "b") == {"done": 1}
    Sessions.remove()
