"""Contact records and appointments as lists: within the scope of their customers, with a drawer beside the rows."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from engine import clock
from engine.db import Sessions, transaction
from processes.activity.models import Appointment, ContactRecord
from processes.kernel.working_time import business_date
from processes.organization.models import Employee
from tests.demo_house import DemoHouse
from tests.webapp.crm.people import keep

RECORDS, APPOINTMENTS = "/activity/record/list/", "/activity/appointment/list/"
MINE, FOREIGN = "华宇智联", "鹏讯电子"


def spoken_to(customer: int, who: str, said: str) -> tuple[int, int]:
    with transaction() as session:
        person = session.scalars(select(Employee.id).where(Employee.name == who)).one()
        record = ContactRecord(customer_id=customer, person_id=person, at=clock.now(), way="call", content=said)
        day = business_date(clock.now() - timedelta(days=2))
        planned = Appointment(customer_id=customer, person_id=person, due_on=day, purpose=said)
        session.add_all([record, planned])
        session.flush()
        ids = record.id, planned.id
    Sessions.remove()
    return ids


def test_lists_of_what_was_said_and_planned_show_only_visible_customers(house: DemoHouse) -> None:
    record, planned = spoken_to(keep("王磊", name=MINE), "王磊", "谈妥了交货期")
    other, _planned = spoken_to(keep("徐芳", name=FOREIGN), "徐芳", "改天再谈价格")
    seller = house.login("wang.lei")
    for address in (RECORDS, APPOINTMENTS, f"{RECORDS}?view=mine&f.way.is=call", f"{APPOINTMENTS}?view=overdue"):
        page = seller.get(address).text
        assert ("谈妥了交货期" in page, "改天再谈价格" in page) == (True, False), address
    assert "谈妥了交货期" in seller.get(f"/activity/record/card/{record}").text
    assert "谈妥了交货期" in seller.get(f"/activity/appointment/card/{planned}").text
    assert seller.get(f"/activity/record/card/{other}").status_code == 404
    assert seller.get(f"/activity/record/show/{record}").headers["Location"].endswith(f"/records/{record}")
    assert "谈妥了交货期" in seller.get(f"/activity/appointment/show/{planned}").text
    assert house.login("zheng.kai").get(RECORDS).status_code == 403
