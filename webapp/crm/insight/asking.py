"""What the reports on customers are asked: whose, and which of the customers behind a number may be named."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from flask import request
from sqlalchemy import select

from engine.db import Sessions
from processes.organization.models import Department, Employee
from processes.party.models import Customer
from processes.party.permissions import visible_customers
from webapp.security.access import current_actor
from webapp.skin.keys import read_key

PAGE_SIZE = 20


def whose() -> tuple[int | None, int | None]:
    """args: owner, department."""
    return request.args.get("owner", type=read_key), request.args.get("department", type=read_key)


def chosen(model: type[Employee | Department], key: int | None) -> list[tuple[int, str]]:
    """The option a select begins with."""
    named: Any = model
    found = Sessions().execute(select(named.id, named.name).where(named.id == key)).first() if key else None
    return [(found.id, found.name)] if found is not None else []


def page() -> int:
    return min(max(1, request.args.get("page", 1, type=int)), 10_000)


def named(customers: Iterable[int]) -> set[int]:
    """Those of them the reader may see now: a customer that was counted may be with somebody else today."""
    wanted = select(Customer.id).where(Customer.id.in_(set(customers)), visible_customers(current_actor()))
    return set(Sessions().scalars(wanted))


def cut(rows: Sequence[Any]) -> tuple[Sequence[Any], bool]:
    """A page of them, and whether there is more."""
    return rows[:PAGE_SIZE], len(rows) > PAGE_SIZE
