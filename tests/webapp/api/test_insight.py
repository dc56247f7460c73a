"""Reports on customers through the interface."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from engine import clock
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from processes.insight.operations import looking
from processes.kernel.working_time import business_date
from processes.organization.models import Employee
from processes.ownership.operations import holding
from processes.party import operations as party
from tests.webapp.callers import EMPLOYEE, SUPERIOR, House, refused

CHANGES, STATES = "/reports/customer-changes", "/reports/customer-states"


def test_the_reports_say_what_the_pages_say(people: House) -> None:
    with transaction() as session:
        owner = session.scalars(select(Employee).where(Employee.name == "王磊")).one()
        made = party.create_customer(session, SYSTEM, values={"name": "鼎信安防公司"}).id
        customer = holding.take(session, [made], [owner.id])[made]
        holding.begin(session, SYSTEM, customer, owner, "applied")
        owner_id = owner.id
    Sessions.remove()
    today = business_date(clock.now())
    looking.look(today - timedelta(days=9))
    boss = people(SUPERIOR)
    for by in ("owner", "department", "month"):
        found = boss.get(f"{CHANGES}?by={by}")
        assert (found["total"]["locked"], found["total"]["closing"]) == (1, 1)
        (row,) = [one for one in found["items"] if one["locked"]]
        behind = boss.get(f"{CHANGES}/customers?by={by}&key={row['key']}&column=locked&count=true")
        assert behind["total"] == 1
        assert behind["items"][0]["customer"] == {"id": made, "name": "鼎信安防公司"}
    assert boss.get(f"{CHANGES}?owner={owner_id}&department=1")["total"]["closing"] in (0, 1)
    flow = boss.get(f"{STATES}?sight=state")
    assert (flow["since"], flow["until"]) == (str(today - timedelta(days=9)),) * 2
    assert flow["items"] == [{"was": "locked", "now": "locked", "count": 1}]
    moved = boss.get(f"{STATES}/customers?sight=state&was=locked&now=locked&count=true")
    assert (moved["total"], moved["items"][0]["customer"]["id"]) == (1, made)
    refused(boss.call("GET", f"{CHANGES}/customers?by=owner&key=x"), 422)
    refused(boss.call("GET", f"{STATES}?sight=colour"), 422)
    for path in (CHANGES, f"{CHANGES}/customers", STATES, f"{STATES}/customers"):
        refused(people(EMPLOYEE).call("GET", path), 403)
