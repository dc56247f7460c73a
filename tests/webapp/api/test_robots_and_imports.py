"""Robots of group chats and the import of employees through the interface; who may."""

from __future__ import annotations

import io
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook
from sqlalchemy import func, select

from engine.db import Sessions, transaction
from processes.organization.models import Employee
from tests.webapp.callers import ADMIN, EMPLOYEE, House, refused

ROBOTS, IMPORTS = "/robots", "/employees/imports"
HR = "wu.ting"
ROBOT = {"name": "销售群", "kind": "wecom", "url": "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=geheim"}
GOOD = "工号,姓名,手机\nN-1,周婷,13900000011\nN-2,吴强,\n"
BAD = "工号,姓名,手机\nN-1,周婷,12\nN-2,吴强,\n"


# ------------------------------------------------------------------------------------------------- robots


def test_a_robot_is_made_tried_changed_and_deleted(people: House) -> None:
    admin = people(ADMIN)
    made = admin.post(ROBOTS, ROBOT)
    path = f"{ROBOTS}/{made['id']}"
    said = admin.post(f"{path}/actions/test")
    assert said["state"] == "queued"
    assert [one["message"] for one in admin.get(f"{path}/messages")["items"]] == [said["message"]]
    changed = admin.call("PATCH", path, {"version": made["version"], "state": "off", "name": "华东群"}).get_json()
    assert (changed["state"], changed["name"], changed["version"]) == ("off", "华东群", made["version"] + 1)
    refused(admin.call("PATCH", path, {"version": made["version"], "name": "x"}), 409)
    refused(admin.call("POST", f"{path}/messages/{said['message']}/actions/resend", {}), 409)
    for answer in (admin.get(ROBOTS), admin.get(path), changed):
        assert "geheim" not in str(answer)
    assert admin.call("DELETE", path).status_code == 204
    refused(admin.call("GET", path), 404)


@pytest.mark.parametrize(
    ("change", "field"), [({"url": "https://evil.example/x"}, "url"), ({"kind": "irc"}, "kind"), ({"name": ""}, "name")]
)
def test_a_bad_robot_is_refused(people: House, change: dict[str, str], field: str) -> None:
    problem = refused(people(ADMIN).call("POST", ROBOTS, {**ROBOT, **change}), 422)
    assert [error["field"] for error in problem["errors"]] == [field]


def test_two_robots_of_one_name_are_refused(people: House) -> None:
    people(ADMIN).post(ROBOTS, ROBOT)
    problem = refused(people(ADMIN).call("POST", ROBOTS, ROBOT), 422)
    assert [error["field"] for error in problem["errors"]] == ["name"]


# ------------------------------------------------------------------------------------------------- employees


def employees() -> int:
    with transaction() as session:
        found = session.scalar(select(func.count(Employee.id))) or 0
    Sessions.remove()
    return found


def upload(people: House, content: bytes, *, dry_run: bool = False, by: str = HR, name: str = "p.csv") -> Any:
    query = "?dry_run=true" if dry_run else ""
    data = {"file": (io.BytesIO(content), name)}
    return people(by).call("POST", f"{IMPORTS}{query}", data=data, content_type="multipart/form-data")


def test_a_table_is_looked_at_then_imported(people: House) -> None:
    before = employees()
    seen = upload(people, GOOD.encode("gb18030"), dry_run=True).get_json()
    assert (seen["done"], seen["created"], seen["faults"], seen["faulty_rows"]) == (False, 2, [], None)
    assert employees() == before
    done = upload(people, GOOD.encode()).get_json()
    assert (done["done"], done["created"], done["changed"], done["unchanged"]) == (True, 2, 0, 0)
    assert employees() == before + 2
    again = upload(people, GOOD.encode()).get_json()
    assert (again["created"], again["unchanged"]) == (0, 2)


def test_one_faulty_row_stops_all_and_comes_back_as_a_file(people: House) -> None:
    before = employees()
    answer = upload(people, BAD.encode()).get_json()
    assert (answer["done"], employees()) == (False, before)
    (fault,) = answer["faults"]
    assert (fault["row"], fault["field"], fault["value"]) == (2, "phone", "12")
    content = people(HR).call("GET", answer["faulty_rows"]["url"].removeprefix("/api/v1")).data
    rows = [[cell.value for cell in row] for row in load_workbook(io.BytesIO(content)).worksheets[0].iter_rows()]
    assert rows[1] == ["N-1", "周婷", "12", fault["message"]]
    refused(people(EMPLOYEE).call("GET", answer["faulty_rows"]["url"].removeprefix("/api/v1")), 404)


def test_excel_is_read_as_well(people: House) -> None:
    book = Workbook()
    for row in (["工号", "姓名"], ["N-9", "钱多"]):
        book.active.append(row)  # type: ignore[union-attr]
    file = io.BytesIO()
    book.save(file)
    assert upload(people, file.getvalue(), name="p.xlsx").get_json()["created"] == 1


@pytest.mark.parametrize("content", [b"", b"a,b\n1,2\n", b"\x00\x01\xff\xfe"])
def test_what_is_no_table_of_employees_is_refused(people: House, content: bytes) -> None:
    refused(upload(people, content), 422)


# ------------------------------------------------------------------------------------------------- who may

CALLS = (
    # method, path, body, then the status for: an employee, the personnel office, an administrator
    ("GET", ROBOTS, None, 403, 403, 200),
    ("GET", "{robot}", None, 403, 403, 200),
    ("GET", "{robot}/messages", None, 403, 403, 200),
    ("PATCH", "{robot}", {"state": "off"}, 403, 403, 200),
    ("POST", "{robot}/actions/test", {}, 403, 403, 201),
    ("POST", "{robot}/messages/999999/actions/resend", {}, 403, 403, 404),
    ("DELETE", "{robot}", None, 403, 403, 204),
    ("POST", ROBOTS, {**ROBOT, "name": "another"}, 403, 403, 201),
)


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize("number", range(3), ids=["employee", "personnel", "admin"])
def test_who_may_call_what(people: House, number: int) -> None:
    who = (EMPLOYEE, HR, ADMIN)[number]
    robot = f"{ROBOTS}/{people(ADMIN).post(ROBOTS, ROBOT)['id']}"
    seen = [
        (method, path, people(who).call(method, path.format(robot=robot), body).status_code)
        for method, path, body, *_statuses in CALLS
    ]
    assert seen == [(method, path, statuses[number]) for method, path, _body, *statuses in CALLS]
    assert upload(people, GOOD.encode(), dry_run=True, by=who).status_code == (403, 200, 200)[number]
