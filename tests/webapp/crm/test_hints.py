"""While a customer is typed in, the form says who looks like it; saving asks what the hints announced."""

from __future__ import annotations

from tests.demo_house import DemoHouse
from tests.webapp.crm.people import keep


def test_the_form_asks_while_one_types(house: DemoHouse) -> None:
    seller = house.login("wang.lei")
    assert 'hx-get="/customers/alike"' in seller.get("/party/customer/add").text
    keep("李娜", name="鹏讯电子有限公司", phone="13800138000", city="深圳")
    number = keep(name="鹏讯电子科技有限公司")
    page = seller.get("/customers/alike?name=鹏讯电子（集团）&phone=138").text
    assert "鹏讯电子有限公司" in page
    assert "李娜" in page
    assert "深圳" not in page
    assert "138" not in page.replace("鹏讯", "")
    assert f"/party/customer/show/{number}" in page  # the pool's is open to all, that of others is no link
    assert page.count("<a ") == 1
    assert seller.get("/customers/alike?name=毫不相干").text.strip() == ""
    assert house.visitor().get("/customers/alike?name=鹏讯电子").status_code == 302


def test_what_looks_alike_is_saved_with_a_reason_only(house: DemoHouse) -> None:
    keep("李娜", name="鹏讯电子有限公司")
    seller = house.login("wang.lei")
    typed = {"name": "鹏讯电子集团", "kind": "organization"}
    refused = seller.post("/party/customer/add", typed)
    assert refused.status_code == 422
    assert "鹏讯电子有限公司" in refused.text
    assert "鹏讯电子集团" in refused.text
    assert seller.post("/party/customer/add", {**typed, "name": "鹏讯电子 有限公司"}).status_code == 422
    kept = seller.post("/party/customer/add", {**typed, "duplicate_reason": "母公司，另一法人"})
    assert kept.status_code == 302
    assert "为什么是另一个" not in seller.get(kept.headers["Location"]).text  # asked, but no field of the record


def test_an_employer_of_ones_own_is_told_for_a_customer(house: DemoHouse) -> None:
    keep("王磊", name="澄怀仪器有限公司")
    keep("李娜", name="涤尘仪器有限公司")
    seller = house.login("wang.lei")
    assert (
        "将作为您的客户“澄怀仪器有限公司”的联系人保存" in seller.get("/contacts/alike?employer=澄怀仪器 有限公司").text
    )
    near = seller.get("/contacts/alike?employer=澄怀仪器").text
    assert "<li>澄怀仪器有限公司</li>" in near
    assert seller.get("/contacts/alike?employer=涤尘仪器有限公司").text.strip() == ""
    made = seller.post("/party/contact/add", {"name": "梅试", "employer": "澄怀仪器有限公司", "role": "other"})
    assert "/party/customer/show/" in seller.get(made.headers["Location"]).text
