"""An item tells programs what the same kind of request got before."""

from __future__ import annotations

from tests.webapp.callers import EMPLOYEE, SUPERIOR, House, good, request_of


def test_an_item_says_what_the_same_got_before(people: House) -> None:
    path = "/process-definitions/expense_request/start"
    first = people(EMPLOYEE).post(path, request_of("500.00"))["id"]
    (item,) = people(SUPERIOR).inbox()
    good(people(SUPERIOR).act(item, "reject", opinion="超出预算"))
    people(EMPLOYEE).post(path, request_of("510.00"))
    (item,) = people(SUPERIOR).inbox()
    before = people(SUPERIOR).get(f"/work-items/{item['item_id']}")["before"]
    (past,) = before["instances"]
    assert (past["id"], past["state"], past["amount"]) == (first, "rejected", {"amount": "500.00", "currency": "CNY"})
    assert (before["counts"], before["of_starter"], before["near"]) == ({"rejected": 1},) * 3
