"""The page of a year: who sees it, who changes it, what comes back when a change is refused."""

from __future__ import annotations

import io
import re
from typing import Any

import pytest
from sqlalchemy import select

from engine.db import Sessions, transaction
from processes.organization.models import CalendarDay, DueShift
from tests.demo_house import DemoHouse


def stored(model: type[Any]) -> list[Any]:
    with transaction() as session:
        found = list(session.scalars(select(model)))
        session.expunge_all()
    Sessions.remove()
    return found


def test_everybody_sees_the_year_and_only_its_keeper_may_press_a_day(house: DemoHouse) -> None:
    page = house.login("wang.lei").get("/calendar?year=2026&_l_=en").text
    assert "2026-10-01 · Holiday · National Day" in page
    assert "2026-10-10 · Make-up working day · National Day · 09:00-12:00, 13:00-18:00" in page
    assert "248 working days" in page
    assert "data-yl-day" not in page
    assert 'data-yl-day="2026-10-01"' in house.login("wu.ting").get("/calendar?year=2026").text


@pytest.mark.parametrize(
    ("address", "fields"),
    [
        ("/calendar/day", {"day": "2026-12-24", "kind": "holiday"}),
        ("/calendar/announcement", {"text": "2027-01-01,holiday,x"}),
        ("/calendar/shift", {}),
    ],
)
def test_nobody_else_changes_it(house: DemoHouse, address: str, fields: dict[str, str]) -> None:
    assert house.login("wang.lei").post(address, fields).status_code == 403
    assert stored(CalendarDay) == stored(DueShift) == []
    assert house.visitor().post(address, fields).status_code in (302, 401)


def test_a_day_is_changed_and_put_back(house: DemoHouse) -> None:
    keeper = house.login("wu.ting")
    day = {"day": "2026-12-24", "kind": "short", "hours": "9:00-12:00", "name": "圣诞前", "version": "0"}
    assert keeper.post("/calendar/day", day).status_code == 302
    page = keeper.get("/calendar?year=2026&_l_=en").text
    assert "2026-12-24 · Shortened day · 圣诞前 · 09:00-12:00" in page
    (made,) = stored(CalendarDay)
    stale = keeper.post("/calendar/day?_l_=en", {**day, "kind": "holiday", "hours": "", "version": "7"})
    assert stale.status_code == 409
    assert "Somebody else changed this in the meantime." in stale.text
    assert (
        keeper.post("/calendar/day", {"day": "2026-12-24", "kind": "usual", "version": str(made.version)}).status_code
        == 302
    )
    assert stored(CalendarDay) == []
    assert stored(DueShift) == [], "nothing that is set moves by itself"


def test_a_refused_day_comes_back_with_what_was_typed(house: DemoHouse) -> None:
    keeper = house.login("wu.ting")
    answer = keeper.post(
        "/calendar/day?_l_=en", {"day": "2026-12-24", "kind": "short", "hours": "9 to 5", "name": "早退"}
    )
    assert answer.status_code == 422
    assert 'data-yl-open="day"' in answer.text
    assert "9 to 5 are no office hours" in answer.text
    assert 'value="早退"' in answer.text
    for hostile in ("2026-13-01", "", "'; DROP TABLE calendar_day", "2026-12-24T00:00"):
        assert keeper.post("/calendar/day", {"day": hostile, "kind": "holiday"}).status_code == 404
    assert keeper.get("/calendar?year=99999").status_code == 404
    assert keeper.get("/calendar?year=2026&month=77").status_code == 200


def test_an_announcement_is_pasted_or_uploaded_and_the_warning_goes(house: DemoHouse, clock: Any) -> None:
    keeper = house.login("wu.ting")
    assert "The holidays of 2027 are not known yet" in keeper.get("/calendar?_l_=en").text
    file = io.BytesIO("日期,类型,名称\n2027-01-01..2027-01-03,放假,元旦\n".encode("gb18030"))
    answer = keeper.post("/calendar/announcement", {"file": (file, "2027.csv"), "shift": "1", "year": "2027"})
    assert answer.status_code == 302
    assert {str(day.day) for day in stored(CalendarDay)} == {"2027-01-01", "2027-01-02", "2027-01-03"}
    page = keeper.get("/calendar?year=2027&_l_=en").text
    assert "not known yet" not in page
    assert "Being recomputed since" in page
    (shift,) = stored(DueShift)
    assert shift.asked_by_name == "吴婷"
    refused = keeper.post("/calendar/announcement?_l_=en", {"text": "2027-02-30,放假,x\n2027-02-01,什么,y"})
    assert refused.status_code == 422
    assert re.search(r"Line 1: .*Line 2: ", refused.text, re.DOTALL)
    broken = io.BytesIO(b"\xff\xfe\x00\x81\x30")
    assert keeper.post("/calendar/announcement", {"file": (broken, "x.csv")}).status_code == 422


def test_the_registers_keep_the_same_rules(house: DemoHouse) -> None:
    keeper, other = house.login("wu.ting"), house.login("wang.lei")
    for address in ("/organization/calendar_day/list/", "/organization/office_hours/list/"):
        assert keeper.get(address).status_code == 200
        assert other.get(address).status_code == 403
    hours = {"weekday": "6", "hours": "9:00-12:00"}
    assert keeper.post("/organization/office_hours/add", hours).status_code == 302
    assert "Saturday" in keeper.get("/organization/office_hours/list/?_l_=en").text
    assert keeper.post("/organization/office_hours/add", hours).status_code == 422
    assert "<dt>Saturday</dt><dd>09:00-12:00</dd>" in keeper.get("/calendar?_l_=en").text
    assert keeper.post("/organization/office_hours/delete/1").status_code == 302
    assert "<dt>Saturday</dt><dd>nobody works</dd>" in keeper.get("/calendar?_l_=en").text
