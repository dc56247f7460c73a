"""Where a form leads when it is done."""

from __future__ import annotations

from flask import request, url_for

from processes.party.permissions import CUSTOMER
from webapp.registers.interface import endpoint_of


def customer_page(customer_id: int) -> str:
    return url_for(f"{endpoint_of(CUSTOMER)}.show", pk=customer_id)


def back_to(customer_id: int | None = None) -> str:
    """The page of this house that the form came from; else the customer's, else the call list."""
    asked = request.values.get("back", "")
    if asked.startswith("/") and not asked.startswith(("//", "/\\")):
        return asked
    return customer_page(customer_id) if customer_id is not None else url_for("follow.index")
