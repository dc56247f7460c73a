"""A form names more than one record: each is asked for its rights, and none is named to whoever must not know it."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import func, select

from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from processes.activity.models import Appointment, ContactRecord
from processes.party import operations as party
from processes.party.models import PartyMerge, Relation
from processes.tasks.models import Task
from processes.telephony.models import CallCommand
from tests.demo_house import DemoHouse
from tests.webapp.crm.test_matrix import ADMIN, LOCKED, OWN, SELLER, Trade, text_of, trade

__all__ = ["trade"]

FORMS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/customers/{c}/relations", {"other": "{foreign_c}", "kind": "partner"}),
    ("/duplicates/merge", {"kept": "{c}", "gone": "{foreign_c}", "reason": "同一家"}),
    ("/duplicates/merge", {"kept": "{foreign_c}", "gone": "{c}", "reason": "同一家"}),
    ("/customers/{c}/employment", {"customer": "{foreign_c}", "title": "总"}),
    ("/follow/new", {"customer": "{c}", "contact": "{foreign_k}", "way": "call", "content": "谈了很多很多"}),
    ("/follow/new", {"customer": "{foreign_c}", "contact": "{k}", "way": "call", "content": "谈了很多很多"}),
    ("/follow/save", {"customer": "{c}", "contact": "{foreign_k}", "way": "call", "content": "谈了很多很多"}),
    ("/follow/appointments", {"customer": "{c}", "contact": "{foreign_k}", "due_on": "2099-01-01"}),
    ("/follow/appointments/{foreign_a}/join", {}),
    (
        "/tasks/new",
        {"title": "看看", "assignee": "{me}", "record_type": "party.customer", "record_id": "{foreign_c}"},
    ),
    ("/customers/hand-over", {"ids": "{c},{foreign_c}", "to": "{me}", "reason": "要"}),
)
CALLS: tuple[tuple[str, dict[str, Any]], ...] = (
    ("/contact-records", {"customer_id": "{c}", "contact_id": "{foreign_k}", "way": "call", "content": "谈了很多"}),
    ("/appointments", {"customer_id": "{c}", "contact_id": "{foreign_k}", "due_on": "2099-01-01"}),
    ("/tasks", {"title": "看看", "assignee": "{me}", "record_type": "party.customer", "record_id": "{foreign_c}"}),
    (
        "/connectors/telephony/calls",
        {"number": "13812345678", "record": {"type": "party.customer", "id": "{foreign_c}"}},
    ),
    ("/customers/actions/handover", {"customers": ["{c}", "{foreign_c}"], "to": "{me}"}),
    ("/customers/actions/preview-handover", {"customers": ["{c}", "{foreign_c}"], "to": "{me}"}),
)
PAGES = (
    "/party/contact/list/?f.customer.is={foreign_c}",
    "/party/customer/list/?f.id.is={foreign_c}",
    "/activity/record/list/?f.customer.is={foreign_c}&f.contact.is={foreign_k}",
    "/activity/appointment/list/?f.customer.is={foreign_c}",
    "/activity/record/excel?f.customer.is={foreign_c}",
    "/party/contact/add?customer={foreign_c}",
    "/activity/appointment/add?customer={foreign_c}",
    "/follow/new?customer={c}&contact={foreign_k}",
    "/follow/new?customer={foreign_c}&contact={k}",
    "/follow/?customer={foreign_c}",
    "/tasks/new?record_type=party.customer&record_id={foreign_c}",
    "/tasks/of/party.customer/{foreign_c}",
    "/tasks/of/activity.record/{foreign_r}",
    "/duplicates/merge?kept={c}&gone={foreign_c}",
    "/duplicates/merge?kept={foreign_c}&gone={c}",
    "/reports/customer-change/customers?key={owner}",
    "/customers/hand-over?ids={c},{foreign_c}",
    "/api/v1/contacts?customer_id={foreign_c}",
    "/api/v1/contact-records?customer_id={foreign_c}",
    "/api/v1/appointments?customer_id={foreign_c}",
    "/api/v1/tasks?record_type=party.customer&record_id={foreign_c}",
    "/api/v1/customers/{foreign_c}/sight?person_id={me}",
)


def filled(value: Any, places: dict[str, Any]) -> Any:
    if isinstance(value, dict):
        return {name: filled(one, places) for name, one in value.items()}
    if isinstance(value, list):
        return [filled(one, places) for one in value]
    if not isinstance(value, str) or "{" not in value:
        return value
    name = value.strip("{}")
    return places[name] if name in places else value.format(**places)


def made() -> list[int]:
    """How much there is of what these roads would make."""
    with transaction() as session:
        kinds = (Relation, PartyMerge, ContactRecord, Appointment, Task, CallCommand)
        found = [session.scalar(select(func.count()).select_from(kind)) or 0 for kind in kinds]
    Sessions.remove()
    return found


@pytest.mark.timeout(300)
def test_a_foreign_record_beside_ones_own_is_refused_and_not_named(house: DemoHouse, trade: Trade) -> None:
    browser = house.login(SELLER)
    places = {**trade.places(OWN, SELLER), **{f"foreign_{name}": key for name, key in trade.ids[LOCKED].items()}}
    secret, wrong, before = set(trade.words(LOCKED).values()), [], made()
    for address, values in FORMS:
        answer = browser.post(address.format(**places), filled(values, places))
        wrong += [(address, word) for word in secret if word in text_of(answer)]
    for address, body in CALLS:
        headers = {"X-CSRFToken": browser.token()}
        answer = browser.client.post(f"/api/v1{address}", json=filled(body, places), headers=headers)
        wrong += [(address, word) for word in secret if word in text_of(answer)]
        if answer.status_code < 400:
            wrong.append((address, f"{answer.status_code} {answer.text[:200]}"))
    for address in PAGES:
        answer = browser.get(address.format(**places))
        wrong += [(address, word) for word in secret if word in text_of(answer)]
        if answer.status_code >= 500:
            wrong.append((address, str(answer.status_code)))
    assert made() == before
    assert wrong == [], "\n".join(map(str, wrong))


def test_a_relation_is_told_to_those_who_see_both(house: DemoHouse, trade: Trade) -> None:
    """On the tab, in the drawing and in the history of one's own customer alike."""
    own, foreign = trade.ids[OWN]["c"], trade.ids[LOCKED]["c"]
    name = trade.words(LOCKED)["name"]
    with transaction() as session:
        party.add_relation(session, SYSTEM, party_id=own, values={"other": foreign, "kind": "partner", "note": ""})
    Sessions.remove()
    pages = (f"/customers/{own}/relations", f"/party/customer/history/{own}", f"/party/customer/show/{own}")
    seller = house.login(SELLER)
    for page in pages:
        answer = seller.get(page)
        assert answer.status_code == 200
        assert name not in answer.text, page
    assert "您无权查看的客户" in seller.get(pages[1]).text
    chief = house.login(ADMIN)
    assert all(name in chief.get(page).text for page in pages[:2])
