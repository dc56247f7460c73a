"""Two customers side by side, made one on the page; old links lead on; taken apart again."""

from __future__ import annotations

from sqlalchemy import select

from engine import clock
from engine.db import transaction
from processes.party.models import Customer, DuplicatePair
from tests.demo_house import DemoHouse
from tests.webapp.crm.people import keep


def test_two_become_one_on_the_page_and_two_again(house: DemoHouse) -> None:
    kept = keep("王磊", name="鹏讯电子有限公司", city="深圳")
    gone = keep("王磊", name="鹏讯电子集团", level="A", phone="13800138000", duplicate_reason="待查")
    seller = house.login("wang.lei")
    page = seller.get(f"/duplicates/merge?kept={kept}&gone={gone}").text
    assert "鹏讯电子集团" in page
    assert 'name="take-level" value="gone"' in page
    assert 'name="take-city"' not in page  # only one says anything
    answer = seller.post("/duplicates/merge", {"kept": str(kept), "gone": str(gone), "take-level": "gone"})
    assert answer.headers["Location"] == f"/party/customer/show/{kept}"
    old = seller.get(f"/party/customer/show/{gone}")
    assert (old.status_code, old.headers["Location"]) == (302, f"/party/customer/show/{kept}")
    assert house.login("ma.chao").get(f"/party/customer/show/{gone}").status_code == 404
    with transaction() as session:
        assert session.get_one(Customer, kept).level == "A"
    undone = seller.post("/merges/1/undo", {"back": str(kept)})
    assert undone.headers["Location"] == f"/party/customer/show/{kept}"
    assert seller.get(f"/party/customer/show/{gone}").status_code == 200
    with transaction() as session:
        assert session.get_one(Customer, kept).level == "C"


def test_what_moves_along_is_told_whole(house: DemoHouse) -> None:
    kept, gone = keep("王磊", name="鹏讯电子有限公司"), keep("王磊", name="澄怀仪器有限公司")
    seller = house.login("wang.lei")
    seller.post("/party/contact/add", {"name": "梅试", "employer": "澄怀仪器有限公司", "role": "other"})
    written = {"customer": str(gone), "way": "call", "result": "reached", "content": "谈了年度维保合同和价格"}
    assert seller.post("/follow/new", written).status_code == 302  # a record, and the appointment that follows
    page = seller.get(f"/duplicates/merge?kept={kept}&gone={gone}").text
    for told in ("1 条联系人", "1 条联系记录", "1 条预约"):
        assert told in page


def test_others_customers_are_not_merged(house: DemoHouse) -> None:
    mine, other = keep("王磊", name="鹏讯电子有限公司"), keep("马朝", name="远帆物流")
    seller = house.login("wang.lei")
    assert seller.post("/duplicates/merge", {"kept": str(mine), "gone": str(other)}).status_code == 404
    assert seller.get(f"/duplicates/merge?kept={other}").status_code == 404


def test_the_report_shows_pairs_one_may_see_and_forgets_those_put_aside(house: DemoHouse) -> None:
    a, b = keep("王磊", name="鹏讯电子有限公司"), keep("", name="云山数据有限公司")
    hidden = keep("马朝", name="远帆物流")
    with transaction() as session:
        for one, other in ((a, b), (b, hidden)):
            session.add(DuplicatePair(a_id=one, b_id=other, grounds="phone", score=92, found_at=clock.now()))
    seller = house.login("wang.lei")
    page = seller.get("/duplicates").text
    assert "云山数据有限公司" in page
    assert "远帆物流" not in page
    with transaction() as session:
        pair, other_pair = session.scalars(select(DuplicatePair.id).order_by(DuplicatePair.id))
    assert seller.post(f"/duplicates/{other_pair}/dismiss").status_code == 404
    assert seller.post(f"/duplicates/{pair}/dismiss").status_code == 302
    assert "鹏讯电子有限公司" not in seller.get("/duplicates").text
    assert "鹏讯电子有限公司" in seller.get("/duplicates?state=dismissed").text
