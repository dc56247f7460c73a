"""The administrators' page of what is told by SMS: kept, shown with a sample, refused with the reason."""

from __future__ import annotations

from sqlalchemy import select

from engine.db import Sessions, transaction
from processes.notices.models import SmsRule
from tests.demo_house import DemoHouse

LIST, ADD = "/notices/sms_rule/list/", "/notices/sms_rule/add"
FORM = {
    "name": "新待办",
    "event": "process.item_opened",
    "text": "{name}您好，有新的待办：{title}",
    "audience": "superior",
    "state": "on",
}


def kept() -> list[tuple[str, str, str]]:
    with transaction() as session:
        found = [(one.event, one.audience, one.state) for one in session.scalars(select(SmsRule))]
    Sessions.remove()
    return found


def test_a_rule_is_written_and_shown_as_it_reads(house: DemoHouse) -> None:
    admin = house.login("zheng.kai")
    page = admin.get(ADD).text
    for words in ("有新的待办", "当事人的上级", "占位符按收信人填写"):
        assert words in page
    refused = admin.post(ADD, {**FORM, "text": "{nobody}您好"})
    assert "没有占位符“nobody”" in refused.text
    assert kept() == []
    assert admin.post(ADD, FORM).status_code == 302
    assert kept() == [("process.item_opened", "superior", "on")]
    assert "张三您好，有新的待办：费用申请 EX-2026-0001" in admin.get(LIST).text


def test_nobody_else_comes_in(house: DemoHouse) -> None:
    for address in (LIST, ADD):
        assert house.login("wang.lei").get(address).status_code in {403, 404}
    assert "/notices/sms_rule/list/" not in house.login("wang.lei").get("/").text
