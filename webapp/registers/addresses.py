"""Where records of one register lead to: their own page, and what points at them in another."""

from __future__ import annotations

from typing import Any

from flask import url_for
from sqlalchemy import inspect

from engine.catalog import CATALOG, Register
from webapp.registers.interface import endpoint_of, primary_key, register_of
from webapp.security.access import current_actor


def relation_to(register: Register, model: type) -> str | None:
    """The name by which records of this register point at one record of the model: a column it shows, else any."""
    mapper: Any = inspect(register.model)
    relations = {r.key for r in mapper.relationships if r.mapper.class_ is model and not r.uselist}
    shown = [c.name for c in (*register.columns, *register.fields) if c.name in relations]
    return shown[0] if shown else None


def address_in_register(record_type: str, record_id: int) -> str:
    """Address of a record's page in the register of its type, "" when it has none; it asks itself who may open it."""
    if record_type not in CATALOG.registers:
        return ""
    return url_for(f"{endpoint_of(record_type)}.show", pk=record_id)


def record_url(record: Any) -> str:
    """Address of a record's page in the register of its model; "" when there is none or the reader may not open it."""
    register = register_of(type(record))
    if register is None or (register.permission and not current_actor().may(register.permission)):
        return ""
    return url_for(f"{endpoint_of(register.name)}.show", pk=getattr(record, primary_key(type(record)).key))
