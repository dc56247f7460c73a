"""The pages of numbering rules and numbers: reserved, voided, accounted for; closed to those without the right."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import select

from engine import clock
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.errors import Conflict
from engine.i18n import _
from processes.numbering import operations
from processes.numbering.models import SerialNumber
from processes.organization import operations as organization
from tests.webapp.ground.conftest import Browser, CountQueries, Login

RULES, NUMBERS = "/numbering/rule", "/numbering/number"
RULE = "official_document"
RECORD = ("organization.employee", 1)


@pytest.fixture
def rule(app: object) -> int:
    with transaction() as session:
        made = operations.make_official_rule(session)
        operations.assign(session, SYSTEM, rule=made.code, record=RECORD)
        operations.assign(session, SYSTEM, rule=made.code, record=("organization.department", 10**6))
    Sessions.remove()
    return made.id


@pytest.fixture
def clerk(login: Login, rule: int) -> Browser:
    return login("clerk", ("HumanResources",))


def numbers() -> list[SerialNumber]:
    with transaction() as session:
        found = list(session.scalars(select(SerialNumber).order_by(SerialNumber.value)))
    Sessions.remove()
    return found


def test_numbers_are_listed_with_what_holds_them(clerk: Browser) -> None:
    first = numbers()[0]
    page = clerk.get(f"{NUMBERS}/list/").text
    assert first.text in page
    assert "#1000000" in page, "a record the reader cannot see is named by its kind and id"
    assert first.text in clerk.get(f"{NUMBERS}/list/?q={first.text}").text
    assert first.text not in clerk.get(f"{NUMBERS}/list/?q=nothing").text
    with transaction() as session:
        own = operations.assign(session, SYSTEM, rule=RULE, record=("organization.employee", clerk.person_id))
    shown = clerk.get(f"{NUMBERS}/show/{own.id}").text
    assert f"{NUMBERS}/void/{own.id}" in shown
    assert f"/organization/employee/show/{clerk.person_id}" in shown
    for closed in (f"{NUMBERS}/add", f"{NUMBERS}/edit/{first.id}"):
        assert clerk.get(closed).status_code == 404


def test_a_page_of_numbers_asks_for_their_holders_once(clerk: Browser, count_queries: CountQueries, rule: int) -> None:
    """Two kinds of record and a kind nobody lists."""
    asked = []
    for more in (1, 12):
        with transaction() as session:
            for number in range(more):
                for record_type in ("organization.employee", "organization.department", "process.instance", "gone"):
                    operations.assign(session, SYSTEM, rule=RULE, record=(record_type, 100 * more + number))
        Sessions.remove()
        clerk.get(f"{NUMBERS}/list/?size=100")
        with count_queries() as seen:
            clerk.get(f"{NUMBERS}/list/?size=100")
        asked.append(len(seen))
    assert asked[0] == asked[1]


def test_a_number_is_voided_with_a_reason_and_once(clerk: Browser) -> None:
    first = numbers()[0]
    address = f"{NUMBERS}/void/{first.id}"
    assert first.text in clerk.get(address).text
    refused = clerk.post(address, {"reason": "  ", "version": "1"})
    assert refused.status_code == 422
    stale = clerk.post(address, {"reason": "文稿撤回", "version": "9"})
    assert stale.status_code == 409
    assert "文稿撤回" in stale.text, "what was typed stays"
    assert numbers()[0].state == "issued"
    assert clerk.post(address, {"reason": "文稿撤回", "version": "1"}).status_code == 302
    assert (numbers()[0].state, numbers()[0].reason, numbers()[0].changed_by) == ("void", "文稿撤回", clerk.person_id)
    assert clerk.post(address, {"reason": "again", "version": "2"}).status_code == 422
    shown = clerk.get(f"{NUMBERS}/show/{first.id}").text
    assert address not in shown
    assert "文稿撤回" in clerk.get(f"{NUMBERS}/history/{first.id}").text


def test_numbers_are_reserved_from_the_page_of_their_rule(clerk: Browser, rule: int) -> None:
    address = f"{RULES}/reserve/{rule}"
    assert address in clerk.get(f"{RULES}/show/{rule}").text
    assert clerk.get(address).status_code == 200
    for wrong in ({"count": "0", "reason": "x"}, {"count": "1e3", "reason": "x"}, {"count": "1", "reason": ""}):
        assert clerk.post(address, wrong).status_code == 422
    assert clerk.post(address, {"count": "2", "reason": "年终表彰"}).status_code == 302
    assert [(one.value, one.state) for one in numbers()] == [
        (1, "issued"), (2, "issued"), (3, "reserved"), (4, "reserved"),
    ]  # fmt: skip


def test_a_double_click_reserves_once(clerk: Browser, rule: int) -> None:
    address = f"{RULES}/reserve/{rule}"
    found = re.search(r'name="submission" value="([^"]+)"', clerk.get(address).text)
    assert found
    wish = {"count": "2", "reason": "年终表彰", "submission": found.group(1)}
    refused = clerk.post(address, {**wish, "reason": ""})
    assert found.group(1) in refused.text, "a wish that was refused may be sent again"
    for _click in range(2):
        answer = clerk.post(address, wish)
        assert answer.status_code == 302
    reserved = [one for one in numbers() if one.state == "reserved"]
    assert [one.value for one in reserved] == [3, 4]
    told = clerk.get(answer.location).text
    assert all(one.text in told for one in reserved)
    clerk.post(address, {"count": "1", "reason": "又一个"})
    assert len([one for one in numbers() if one.state == "reserved"]) == 3


def test_a_refusal_keeps_its_own_status(clerk: Browser, rule: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def busy(*_args: object, **_values: object) -> None:
        raise Conflict(_("Somebody else was faster"))

    monkeypatch.setattr(operations, "reserve", busy)
    refused = clerk.post(f"{RULES}/reserve/{rule}", {"count": "1", "reason": "年终表彰"})
    assert refused.status_code == 409
    assert "年终表彰" in refused.text


def test_a_rule_of_departments_asks_which(clerk: Browser) -> None:
    with transaction() as session:
        sales = organization.create_department(session, SYSTEM, values={"name": "销售部", "code": "销"})
        values = {
            "code": "by_department",
            "name": "发文",
            "pattern": "{department_code}-{year}-{n}",
            "scope": "department",
        }
        made = operations.create_rule(session, SYSTEM, values=values)
    address = f"{RULES}/reserve/{made.id}"
    assert 'name="department"' in clerk.get(address).text
    assert clerk.post(address, {"count": "1", "reason": "x"}).status_code == 422
    assert clerk.post(address, {"count": "1", "reason": "x", "department": "999999"}).status_code == 422
    assert clerk.post(address, {"count": "1", "reason": "x", "department": str(sales.id)}).status_code == 302
    assert [one.text for one in numbers() if one.text.startswith("销-20")]


def test_the_gap_report_accounts_for_every_number(clerk: Browser, rule: int) -> None:
    assert "yl-tone-green" in clerk.get(f"{RULES}/gaps/{rule}").text
    first, second = numbers()
    with transaction() as session:
        operations.void(session, SYSTEM, number_id=first.id, reason="文稿撤回")
        last_year = clock.now() - timedelta(days=366)
        operations.assign(session, SYSTEM, rule=RULE, record=RECORD, at=last_year)
    page = clerk.get(f"{RULES}/gaps/{rule}").text
    assert "文稿撤回" in page
    assert f"period={int(first.period) - 1}" in page
    with transaction() as session:
        session.delete(session.get_one(SerialNumber, second.id))
    assert "yl-tone-red" in clerk.get(f"{RULES}/gaps/{rule}?period={first.period}").text
    older = clerk.get(f"{RULES}/gaps/{rule}?period={int(first.period) - 1}").text
    assert "yl-tone-green" in older
    assert "文稿撤回" not in older


def test_a_bad_pattern_is_refused_on_the_form(clerk: Browser) -> None:
    values = {"name": "发文", "code": "letters", "pattern": "第{n}号", "reset": "yearly", "scope": "none"}
    answer = clerk.post(f"{RULES}/add", {**values, "mode": "gap_free", "start": "1"})
    assert answer.status_code == 422
    assert "第{n}号" in answer.text
    answer = clerk.post(f"{RULES}/add", {**values, "pattern": "发〔{year}〕{n}号", "mode": "gap_free", "start": "1"})
    assert answer.status_code == 302


def test_who_has_nothing_to_do_with_numbers_is_kept_out(login: Login, rule: int) -> None:
    first = numbers()[0]
    employee = login("li")
    for page in (
        f"{RULES}/list/", f"{RULES}/show/{rule}", f"{RULES}/gaps/{rule}", f"{RULES}/reserve/{rule}",
        f"{NUMBERS}/list/", f"{NUMBERS}/show/{first.id}", f"{NUMBERS}/void/{first.id}",
    ):  # fmt: skip
        assert employee.get(page).status_code == 403, page
    assert employee.post(f"{NUMBERS}/void/{first.id}", {"reason": "x"}).status_code == 403
    reader = login("manager", ("GeneralManager",))
    assert reader.get(f"{NUMBERS}/show/{first.id}").status_code == 200
    assert f"{NUMBERS}/void/" not in reader.get(f"{NUMBERS}/show/{first.id}").text
    assert f"{RULES}/reserve/" not in reader.get(f"{RULES}/show/{rule}").text
    assert reader.get(f"{NUMBERS}/void/{first.id}").status_code == 403
    assert reader.post(f"{RULES}/reserve/{rule}", {"count": "1", "reason": "x"}).status_code == 403
    assert [one.state for one in numbers()] == ["issued", "issued"]
