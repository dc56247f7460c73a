"""Webhooks, inbound webhooks, robots and the import of employees, as their pages are used."""

from __future__ import annotations

import io
import re

import pytest
from openpyxl import load_workbook
from sqlalchemy import func, select

from engine import delivering
from engine.db import Sessions, transaction
from processes.organization.models import Employee
from tests.demo_house import DemoHouse

ADMIN = "zheng.kai"
HOOK = {"name": "用友 ERP", "url": "https://erp.example.cn/hooks", "events": ["comment.added"]}


def test_a_webhook_is_made_tried_changed_and_deleted(house: DemoHouse) -> None:
    admin = house.login(ADMIN)
    assert "New webhook" in admin.get("/webhooks?_l_=en").text
    made = admin.post("/webhooks", HOOK).text
    secret = re.search(r"whsec_[\w+/=]{44}", made)
    assert secret is not None
    assert f'id="hook-secret">{secret[0]}<' in made
    assert 'data-yl-copy="#hook-secret"' in made
    admin.post("/webhooks/1/test", {})
    delivering.deliver_outbox()
    page = admin.get("/webhooks/1").text
    assert "webhook.test" in page
    assert secret[0] not in page
    refused = admin.post("/webhooks/1", {**HOOK, "url": "https://127.0.0.1/", "version": "1"})
    assert refused.status_code == 422
    assert "WEBHOOK_ALLOW_PRIVATE" not in refused.text
    assert "127.0.0.1" in refused.text, "what was typed is kept"
    assert "whsec_" in admin.post("/webhooks/1/rotate", {}).text
    admin.post("/webhooks/1/off", {})
    assert admin.post("/webhooks/1/delete", {}).status_code == 302
    assert admin.get("/webhooks/1").status_code == 404


def test_an_inbound_webhook_shows_its_address(house: DemoHouse) -> None:
    admin = house.login(ADMIN)
    body = {"name": "商城", "action": "message", "target": "order_paid", "variable": "payload"}
    page = admin.post("/inbound-webhooks", body).text
    assert re.search(r"/api/v1/connectors/webhook/callbacks/[\w-]{24}", page)
    assert "whsec_" in page
    assert "商城" in admin.get("/inbound-webhooks").text
    assert admin.post("/inbound-webhooks", {**body, "business_key": "a..b"}).status_code == 422
    assert admin.post("/inbound-webhooks/1/delete", {}).status_code == 302


def test_a_robot_speaks_and_hides_its_address(house: DemoHouse) -> None:
    admin = house.login(ADMIN)
    url = "https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=geheim"
    admin.post("/robots", {"name": "销售群", "kind": "wecom", "url": url, "secret": ""})
    admin.post("/robots/1/test", {})
    delivering.deliver_outbox()
    for address in ("/robots/1", "/robots/1/edit", "/robots"):
        page = admin.get(address).text
        assert "销售群" in page
        assert "geheim" not in page
    assert admin.post("/robots", {"name": "x", "kind": "feishu", "url": url}).status_code == 422


@pytest.mark.parametrize("address", ["/webhooks", "/inbound-webhooks", "/robots", "/employees/import"])
def test_others_do_not_come_in(house: DemoHouse, address: str) -> None:
    assert house.login("wang.lei").get(address).status_code == 403


# ------------------------------------------------------------------------------------------------- importing


def people() -> int:
    with transaction() as session:
        found = session.scalar(select(func.count(Employee.id))) or 0
    Sessions.remove()
    return found


def upload(house: DemoHouse, text: str, wish: str) -> object:
    browser = house.login("wu.ting")
    return browser.post("/employees/import", {"file": (io.BytesIO(text.encode("gb18030")), "p.csv"), "wish": wish})


GOOD = "工号,姓名,手机\nN-1,周婷,13900000011\nN-2,吴强,\n"
BAD = "工号,姓名,手机\nN-1,周婷,12\nN-2,吴强,\n"


def test_a_table_of_employees_is_checked_then_imported(house: DemoHouse) -> None:
    before = people()
    assert upload(house, GOOD, "check").status_code == 200  # type: ignore[attr-defined]
    assert people() == before
    assert upload(house, GOOD, "import").status_code == 302  # type: ignore[attr-defined]
    assert people() == before + 2


def test_a_faulty_row_stops_all_and_comes_back_as_excel(house: DemoHouse) -> None:
    before = people()
    refused = upload(house, BAD, "import")
    assert refused.status_code == 422  # type: ignore[attr-defined]
    assert people() == before
    answer = upload(house, BAD, "faults")
    sheet = load_workbook(io.BytesIO(answer.data)).worksheets[0]  # type: ignore[attr-defined]
    rows = [[cell.value for cell in row] for row in sheet.iter_rows()]
    assert len(rows) == 2
    assert rows[1][:3] == ["N-1", "周婷", "12"]
    assert rows[1][3]


def test_what_is_no_table_is_said_so(house: DemoHouse) -> None:
    assert upload(house, "", "check").status_code == 422  # type: ignore[attr-defined]
    assert upload(house, "a,b\n1,2\n", "check").status_code == 422  # type: ignore[attr-defined]


def test_the_template_can_be_imported(house: DemoHouse) -> None:
    file = house.login("wu.ting").get("/employees/import/template.xlsx").data
    answer = house.login("wu.ting").post("/employees/import", {"file": (io.BytesIO(file), "t.xlsx"), "wish": "check"})
    assert answer.status_code == 200
