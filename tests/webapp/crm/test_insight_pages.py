"""The reports on customers, as pages and for programs: every number leads to what is behind it."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import openpyxl
import pytest
from sqlalchemy import select

from engine import clock
from engine.db import Sessions, transaction
from processes.insight.operations import looking
from processes.kernel.working_time import business_date
from processes.organization.models import Employee
from processes.ownership.models import Ownership
from processes.party.models import Customer
from tests.demo_house import DemoHouse
from tests.webapp.crm.people import keep

SELLER, COLLEAGUE, SUPERIOR = "wang.lei", "xu.fang", "zhou.ming"
CHANGE, STATE = "/reports/customer-change", "/reports/customer-state"


@pytest.fixture
def history(house: DemoHouse) -> DemoHouse:
    """王磊 has taken two customers and lost one; 徐芳, of another department, has one of them now."""
    keep("王磊", name="鼎信安防公司")
    passed, pool = keep("徐芳", name="远航机电公司"), keep("", name="新安数码公司")
    now = clock.now()
    with transaction() as session:
        people = {one.name: one for one in session.scalars(select(Employee))}
        facts = {"started_at": now - timedelta(minutes=9), "how": "applied"}
        for key, owner, ended in ((passed - 1, "王磊", ""), (passed, "王磊", "handed_over"), (passed, "徐芳", "")):
            person = people[owner]
            session.add(
                Ownership(
                    customer_id=key, owner_id=person.id, department_id=person.department_id,
                    ended_at=now if ended else None, ended_how=ended, **facts,
                )
            )  # fmt: skip
            session.flush()
            facts = {**facts, "started_at": now} if ended else facts
    Sessions.remove()
    looking.look(business_date(now) - timedelta(days=3))
    with transaction() as session:
        session.get_one(Customer, pool).stage = "dealt"
    Sessions.remove()
    looking.look(business_date(now))
    return house


def numbers(page: str, path: str) -> list[tuple[str, int]]:
    found = re.findall(rf'<a href="({path}/customers\?[^"]*)">(\d+)</a>', page)
    return [(link.replace("&amp;", "&"), int(number)) for link, number in found]


def test_each_number_of_the_change_leads_to_its_customers(history: DemoHouse) -> None:
    boss = history.login(SUPERIOR)
    for by in ("owner", "department", "month"):
        page = boss.get(f"{CHANGE}/?by={by}").text
        assert "does not add up" not in page
        links = numbers(page, CHANGE)
        assert len(links) >= 6
        for link, number in links:
            behind = boss.get(link).text
            assert behind.count('<td class="yl-first">') == number
    given = boss.get(f"{CHANGE}/customers?column=given").text
    assert "远航机电公司" not in given, "it is with somebody he does not see"
    assert "现由他人负责的客户" in given
    sheet = openpyxl.load_workbook(io.BytesIO(boss.get(f"{CHANGE}/?by=owner&as=excel").data)).active
    assert sheet is not None
    *rows, total = [row[1:] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert [sum(column) for column in zip(*rows, strict=True)] == list(total)


def test_each_number_of_the_state_leads_to_its_customers(history: DemoHouse) -> None:
    boss = history.login(SUPERIOR)
    for sight in ("state", "stage", "level"):
        page = boss.get(f"{STATE}/?sight={sight}").text
        links = numbers(page, STATE)
        assert links
        for link, number in links:
            assert boss.get(link).text.count('<td class="yl-first">') == number
    dealt = boss.get(f"{STATE}/customers?sight=stage&was=prospect&now=dealt").text
    assert "新安数码公司" in dealt
    assert boss.get(f"{STATE}/?as=excel").status_code == 200


def test_nonsense_in_the_address_is_borne_and_sellers_are_kept_out(history: DemoHouse) -> None:
    boss = history.login(SUPERIOR)
    for asked in (
        f"{CHANGE}/?by=x&from=x&to=0000-99&owner=x&department=-1",
        f"{CHANGE}/?from=9999-12&to=0001-01",
        f"{CHANGE}/customers?by=month&key=x&column=x&page=-1",
        f"{CHANGE}/customers?by=department&key=-",
        f"{CHANGE}/customers?by=owner&key=99999999999999999999",
        f"{STATE}/?sight=x&from=0001-01-01&to=9999-12-31&owner=99999999999999999999",
        f"{STATE}/customers?was=x&now=%00&page=99999999",
    ):
        assert boss.get(asked).status_code == 200, asked
    for path in (f"{CHANGE}/", f"{CHANGE}/customers", f"{STATE}/", f"{STATE}/customers"):
        assert history.login(SELLER).get(path).status_code == 403
