"""SMS to many in the browser: written, looked over, sent off, followed; what leaves later."""

from __future__ import annotations

import io
import re
from datetime import timedelta

import pytest
from openpyxl import Workbook
from sqlalchemy import select

from engine import clock
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from processes.kernel.working_time import ZONE
from processes.messaging.models import SmsCampaign, SmsRecipient
from processes.messaging.operations import campaign_drafts, quotas
from processes.organization.models import Department
from tests.demo_house import DemoHouse

NEW = "/messages/bulk/new"
LIST = "13800138000，张三\n13800138001，李四\n010-12345678，前台"


def written(**more: object) -> dict[str, object]:
    return {"wish": "a1", "title": "放假通知", "text": "{name}您好，元旦放假三天。", "numbers": LIST, **more}


def ours() -> SmsCampaign:
    with transaction() as session:
        return session.scalars(select(SmsCampaign).where(SmsCampaign.title == "放假通知")).one()


def test_from_the_form_to_the_last_message(house: DemoHouse) -> None:
    zhou = house.login("zhou.ming")
    assert 'name="organization.department"' in zhou.get(NEW).text
    answer = zhou.post(NEW, written())
    assert answer.status_code == 302
    assert zhou.post(NEW, written()).headers["Location"] == answer.headers["Location"], "a double click is one campaign"
    url = answer.headers["Location"]
    page = zhou.get(url).text
    for part in ("张三您好，元旦放假三天。", "没有手机号", "发送给 2 人", "销售中心"):
        assert part in page
    for _twice in range(2):
        assert zhou.post(f"{url}/send").status_code == 302
    with transaction() as session:
        campaign = campaign_drafts.RECORD_TYPE
        texts = select(OutboxMessage).where(OutboxMessage.record_type == campaign, OutboxMessage.record_id == ours().id)
        assert [one.state for one in session.scalars(texts)] == ["queued"] * 2
    page = zhou.get(url).text
    assert 'hx-trigger="every 4s"' in page
    assert "停止发送" in page
    zhou.post(f"{url}/cancel")
    page = zhou.get(url).text
    assert "every 4s" not in page, "when nothing waits any more the page rests"
    assert "已取消" in page


def test_mistakes_keep_what_was_typed(house: DemoHouse) -> None:
    answer = house.login("zhou.ming").post(NEW, written(title="", send_at="yesterday"))
    assert answer.status_code == 422
    assert "13800138001，李四" in answer.text
    answer = house.login("zhou.ming").post(NEW, written(title=""))
    assert "标题为 1 到 100 个字" in answer.text


@pytest.mark.parametrize("kind", ["xlsx", "csv", "gbk"])
def test_a_list_comes_from_a_file(house: DemoHouse, kind: str) -> None:
    rows = [["手机号", "姓名", "金额"], [13800138000, "张三", 1200.5], [13800138001.0, "李四", None]]
    if kind == "xlsx":
        book = Workbook()
        for row in rows:
            book.active.append(row)  # type: ignore[union-attr]
        file = io.BytesIO()
        book.save(file)
        content, name = file.getvalue(), "名单.xlsx"
    else:
        text = "手机号,姓名,金额\n13800138000,张三,1200.5\n13800138001,李四,\n"
        content, name = text.encode("utf-8-sig" if kind == "csv" else "gbk"), "名单.csv"
    upload = {"numbers": "", "text": "{姓名}，款项 {金额} 元已到账", "file": (io.BytesIO(content), name)}
    answer = house.login("zhou.ming").post(NEW, written(**upload))
    assert answer.status_code == 302, re.findall(r"<p>.*?</p>", answer.text)
    with transaction() as session:
        found = session.scalars(
            select(SmsRecipient).where(SmsRecipient.campaign_id == ours().id).order_by("position")
        ).all()
        assert [(one.number, one.text, one.left_out) for one in found] == [
            ("+8613800138000", "张三，款项 1200.5 元已到账", ""),
            ("+8613800138001", "", "no_value"),
        ]


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"PK\x03\x04 broken", "这既不是 Excel（.xlsx）也不是 CSV 文件"),
        (b"\x00\x01\x02\xff\xfe", "既不是 UTF-8 也不是 GB18030"),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "另存为 .xlsx"),
    ],
)
def test_a_file_that_is_none_is_refused_with_a_sentence(house: DemoHouse, content: bytes, said: str) -> None:
    answer = house.login("zhou.ming").post(NEW, written(numbers="", file=(io.BytesIO(content), "x.xlsx")))
    assert answer.status_code == 422
    assert said in answer.text


def test_a_list_that_no_form_could_hold_is_refused(house: DemoHouse) -> None:
    rows = "号码,备注\n" + "\n".join(f"{13800000000 + n},{'长' * 60}" for n in range(2600))
    answer = house.login("zhou.ming").post(NEW, written(numbers="", file=(io.BytesIO(rows.encode()), "x.csv")))
    assert answer.status_code == 422
    assert "名单太长" in answer.text


def test_too_small_a_quota_offers_three_ways(house: DemoHouse) -> None:
    with transaction() as session:
        department = session.scalars(select(Department).where(Department.name == "华东销售部")).one()
        values = {"department": department, "month": clock.now().date(), "segments": 1}
        one = quotas.create_quota(session, SYSTEM, values=values)
        one.segments = one.used + 1
    zhou = house.login("zhou.ming")
    url = zhou.post(NEW, written()).headers["Location"]
    page = zhou.get(url).text
    for way in ("reduce", "wait", "ask"):
        assert f'action="{url}/{way}"' in page
    assert f'action="{url}/send"' not in page
    refused = zhou.post(f"{url}/send")
    assert refused.status_code == 422
    assert "华东销售部" in refused.text
    assert zhou.post(f"{url}/ask").status_code == 302
    assert zhou.post(f"{url}/reduce").status_code == 302
    assert "超出限额，本次不发" in zhou.get(url).text
    assert zhou.post(f"{url}/send").status_code == 302


def test_rights(house: DemoHouse) -> None:
    url = house.login("zhou.ming").post(NEW, written()).headers["Location"]
    clerk = house.login("wang.lei")
    assert clerk.get(NEW).status_code == 403
    assert clerk.get(url).status_code == 404
    assert clerk.post(f"{url}/send").status_code == 403
    assert clerk.get("/messages/bulk").status_code == 200
    other = house.login("huang.jie")
    assert other.get(url).status_code == 404
    assert other.post(f"{url}/send").status_code == 404
    assert house.visitor().get(url).status_code == 302


def test_the_calendar_of_what_leaves_later(house: DemoHouse) -> None:
    zhou = house.login("zhou.ming")
    day = (clock.now().astimezone(ZONE) + timedelta(days=40)).date()
    url = zhou.post(NEW, written(send_at=f"{day}T23:30")).headers["Location"]
    zhou.post(f"{url}/send")
    page = zhou.get("/messages/scheduled?_l_=en").text
    assert f'title="{day}: 2 messages"' in page, "the month in which the next one leaves, days as they are in China"
    assert "2 messages in this month" in page
    assert "放假通知" in zhou.get(f"/messages/scheduled?day={day}").text
    other = zhou.get(f"/messages/scheduled?day={day - timedelta(days=1)}&_l_=en").text
    assert "放假通知" not in other
    assert "Nothing leaves on this day." in other
    before = zhou.get(f"/messages/scheduled?month={clock.now():%Y-%m}&_l_=en").text
    assert "Nothing leaves in this month." in before
    for junk in ("month=x", "month=2026-13", "day=9999-12-31", "day=0001-01-01", "day=2026-02-30"):
        assert zhou.get(f"/messages/scheduled?{junk}").status_code == 200
    assert "2 messages" not in house.login("huang.jie").get(f"/messages/scheduled?day={day}&_l_=en").text


def test_what_leaves_later_is_moved_and_taken_back(house: DemoHouse) -> None:
    zhou = house.login("zhou.ming")
    later = (clock.now() + timedelta(days=3)).strftime("%Y-%m-%dT%H:%M")
    url = zhou.post(NEW, written(send_at=later)).headers["Location"]
    zhou.post(f"{url}/send")
    page = zhou.get("/messages/scheduled").text
    assert "放假通知" in page
    assert "2 条" in page
    move = re.findall(r'action="(/messages/scheduled/\d+)"', page)[0]
    further = (clock.now() + timedelta(days=5)).strftime("%Y-%m-%dT%H:%M")
    assert zhou.post(move, {"send_at": further}).status_code == 302
    assert further in zhou.get("/messages/scheduled").text
    assert house.login("huang.jie").post(move, {"send_at": later}).status_code == 404
    zhou.post(move, {"send_at": "2020-01-01T10:00"})
    assert further in zhou.get("/messages/scheduled").text
    zhou.post(move, {"send_at": ""})
    assert "没有定时等待的消息" in zhou.get("/messages/scheduled").text
    _take_back(int(move.rpartition("/")[2]))
    stale = zhou.post(f"{move}?_l_=en", {"send_at": further})
    assert stale.status_code == 302, "a page older than the message leads back"
    assert "It is no longer waiting for its time." in zhou.get("/messages/scheduled?_l_=en").text


def _take_back(message_id: int) -> None:
    with transaction() as session:
        session.get_one(OutboxMessage, message_id).state = "cancelled"
    Sessions.remove()


def test_the_demo_company_shows_a_finished_campaign_and_quotas(house: DemoHouse) -> None:
    kai = house.login("zheng.kai")
    assert "年度预算说明会" in kai.get("/messages/bulk").text
    page = kai.get("/messaging/quota/list/").text
    assert "销售中心" in page
    assert "yl-bar" in page
