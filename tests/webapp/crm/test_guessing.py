"""Nobody finds out a masked number by asking for one after another: searches, the duplicate check, calls, imports."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from engine import clock
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from processes.party import jobs
from processes.party.permissions import guesses_counted_by
from processes.party.rules import SENSITIVE
from processes.telephony.models import Call
from tests.demo_house import Browser, DemoHouse
from tests.webapp.crm.conftest import SELLER, Trade
from tests.webapp.crm.test_import_customers import bring
from tests.webapp.crm.test_sight import OWN, POOL, rule
from webapp.api.customers import CONTACT_ORDERS, CUSTOMER_ORDERS
from webapp.registers import listing
from webapp.security.guessing import MOST_ALIKE, Guesses

NUMBER, MASKED = "13800138000", "138****8000"


@pytest.fixture(autouse=True)
def _fresh(house: DemoHouse) -> Iterator[None]:
    """The counter of the house outlives a test."""
    limiter = house.app.appbuilder.sm.limiter.limiter  # type: ignore[attr-defined]
    limiter.storage.reset()
    guesses_counted_by(Guesses(limiter))
    yield
    limiter.storage.reset()


def alike(middle: int) -> str:
    return f"138{middle:04d}8000"


ROADS = (
    "/party/customer/list/?q={number}",
    "/search/?q={number}",
    "/lookup/party.contact?q={number}",
    "/customers/alike?name=&phone={number}",
    "/contacts/alike?name=某人&phone={number}",
    "/api/v1/customers?q={number}",
    "/api/v1/contacts?q={number}",
    "/api/v1/connectors/telephony/calls?number=%2B86{number}",
)


@pytest.mark.parametrize("road", ROADS)
def test_one_after_another_ends_before_it_finds_anything(house: DemoHouse, trade: Trade, road: str) -> None:
    seller = house.login(SELLER)
    assert MASKED in seller.get(f"/party/customer/list/?q={POOL}").text
    said = [seller.get(road.format(number=alike(middle))).status_code for middle in range(100, 100 + MOST_ALIKE + 3)]
    assert said == [200] * MOST_ALIKE + [429] * 3
    for other in ROADS:
        answer = seller.get(other.format(number=NUMBER))
        assert answer.status_code == 429, "what is known now is known on every road"
        assert POOL not in answer.text
    assert seller.get("/party/customer/list/?q=13911112222").status_code == 200, (
        "another number is no guess at this one"
    )
    assert OWN in seller.get(f"/party/customer/list/?q={OWN}").text


def test_the_same_number_again_is_no_guess(house: DemoHouse, trade: Trade) -> None:
    seller = house.login(SELLER)
    for _time in range(MOST_ALIKE + 3):
        assert POOL in seller.get(f"/party/customer/list/?q={NUMBER}").text


def test_an_import_is_no_way_round(house: DemoHouse, trade: Trade) -> None:
    seller = house.login(SELLER)
    lines = ["名称,电话", *(f"试探第{middle}号公司,{alike(middle)}" for middle in range(MOST_ALIKE + 5))]
    page = bring(seller, "\n".join([*lines, f"试探的最后公司,{NUMBER}"]))
    answer = seller.post(page, {"field": ["name", "phone"], "wish": "look"}, follow_redirects=True)
    assert MASKED in answer.text, "why it is refused"
    assert jobs.go_on_importing() == 0
    assert POOL not in seller.get(page).text
    page = bring(seller, "\n".join(["名称,电话", *(f"来客第{last}号公司,1390000{last:04d}" for last in range(60))]))
    seller.post(page, {"field": ["name", "phone"], "wish": "look"})
    assert jobs.go_on_importing() == 1, "a file of people is none"


def test_a_hidden_number_is_found_in_no_list_of_calls(house: DemoHouse, trade: Trade) -> None:
    person = trade.customer(OWN).owner_id or 0
    with transaction() as session:
        for number in range(25):
            call = Call(uuid=f"u-{number}", exchange="pbx", direction="in", number=f"+86{NUMBER}", state="ended")
            call.result, call.started_at, call.ended_at, call.asked_by = "missed", clock.now(), clock.now(), person
            session.add(call)
    Sessions.remove()
    seller = house.login(SELLER)

    def found(browser: Browser) -> int:
        return len(browser.get(f"/api/v1/connectors/telephony/calls?number=%2B86{NUMBER}").json["items"])

    more = "before="
    assert found(seller) == 20
    assert more in seller.get(f"/calls?part=past&q={NUMBER[3:8]}").text
    rule(person, "hidden")
    assert found(seller) == 0
    assert more not in seller.get(f"/calls?part=past&q={NUMBER[3:8]}").text


def test_no_list_is_filtered_or_ordered_by_what_may_be_masked(house: DemoHouse, trade: Trade) -> None:
    """A filter "starts with 1380" or an order says digit by digit what the column does not show."""
    for register in CATALOG.registers.values():
        if register.sight is not None:
            asked = listing.filterable(register).keys() | listing.sortable(register) | set(register.search)
            assert asked & SENSITIVE.keys() == set(), register.name
    assert (CUSTOMER_ORDERS.keys() | CONTACT_ORDERS.keys()) & SENSITIVE.keys() == set()
    seller = house.login(SELLER)
    first = seller.get("/party/customer/list/?view=pool").text
    assert POOL in first
    for asked in ("f.phone.starts=139", "f.phone.is=1", "f.email.has=zzz", "f.address.has=zzz", "f.credit_code.empty="):
        assert POOL in seller.get(f"/party/customer/list/?view=pool&{asked}").text, asked
    assert seller.get("/api/v1/customers?order=phone").status_code == 422
    assert seller.get("/api/v1/customers?phone=138").status_code == 422
