"""A list of customers is brought along: columns told once, looked at, imported, faulty rows back."""

from __future__ import annotations

import io

import pytest
from sqlalchemy import select

from connectors.tables import reading
from engine.actor import SYSTEM
from engine.db import transaction
from processes.party import jobs
from processes.party.models import Contact, Customer, DuplicateDecision, PartyImport
from processes.party.operations import create_contact, importing
from tests.demo_house import Browser, DemoHouse
from tests.webapp.crm.people import keep

TABLE = """公司,级别,我们的电话,联系人,手机,理由
新源仓储有限公司,A,021-55550001,陈平,13800138001,
新源仓储 有限公司,,,林一,13800138002,
鹏讯电子集团,B,,,,
鹏讯电子股份有限公司,B,,周二,13800138003,另一法人
错误级别公司,Z,,,,
,A,,,,
远帆物流,,,,,
"""


def bring(seller: Browser, text: str = TABLE) -> str:
    answer = seller.post("/customers/import", {"file": (io.BytesIO(text.encode("gb18030")), "客户.csv")})
    assert answer.status_code == 302, answer.text
    return str(answer.headers["Location"])


MAPPING = ["name", "level", "phone", "contact_name", "contact_phone", "duplicate_reason"]


def test_from_file_to_customers(house: DemoHouse) -> None:
    keep("李娜", name="鹏讯电子有限公司")
    keep("李娜", name="远帆物流")
    seller = house.login("wang.lei")
    page = bring(seller)
    shown = seller.get(page).text
    for field in ("name", "level", "contact_name", "contact_phone"):  # guessed by their words
        assert f'value="{field}" selected' in shown
    assert 'value="duplicate_reason" selected' not in shown
    assert house.login("li.na").get(page).status_code == 404
    assert seller.post(page, {"field": ["level", "", "", "", "", ""], "wish": "look"}).status_code == 422
    assert seller.post(page, {"field": MAPPING, "wish": "look"}).status_code == 302
    assert 'hx-trigger="every 1s"' in seller.get(page).text
    assert jobs.go_on_importing() == 1
    assert seller.get(page, partial=True).headers["HX-Refresh"] == "true"
    with transaction() as session:
        assert session.scalars(select(Customer.name).order_by(Customer.id)).all() == ["鹏讯电子有限公司", "远帆物流"]
        looked = session.scalars(select(PartyImport)).one()
        assert (looked.state, looked.counts) == ("looked", {"customers": 2, "contacts": 3})
        assert sorted(looked.faults) == ["4", "6", "7", "8"]
    assert "李娜" in seller.get(page).text  # whose it is already
    assert seller.post(page, {"field": MAPPING, "wish": "import"}).status_code == 302
    jobs.go_on_importing()
    with transaction() as session:
        made = session.scalars(select(Customer).order_by(Customer.id)).all()[2:]
        assert [(one.name, one.level) for one in made] == [("新源仓储有限公司", "A"), ("鹏讯电子股份有限公司", "B")]
        assert made[0].phone == "+862155550001"
        contacts = session.execute(select(Contact.name, Contact.organization_id).order_by(Contact.id)).all()
        assert [tuple(one) for one in contacts] == [("陈平", made[0].id), ("林一", made[0].id), ("周二", made[1].id)]
        assert session.scalars(select(DuplicateDecision.reason)).first() is not None
        wang = session.scalars(select(PartyImport.created_by)).one()
        assert {one.created_by for one in made} == {wang}
    back = reading.read(seller.get(f"{page}/faults.xlsx").data)
    assert [row.cells[0] for row in back.rows] == ["鹏讯电子集团", "错误级别公司", "", "远帆物流"]
    assert "李娜" in back.rows[3].cells[6]
    assert "A / B / C / D" in back.rows[1].cells[6]  # what may stand there
    assert seller.post(page, {"field": MAPPING, "wish": "import"}).status_code == 302  # done is done
    assert jobs.go_on_importing() == 0


def test_all_that_is_wrong_with_a_row_is_said_at_once_and_with_no_right_row_nothing_is_imported(
    house: DemoHouse,
) -> None:
    seller = house.login("wang.lei")
    page = bring(seller, "公司,级别,我们的电话\n金石公司,Z,12\n")
    seller.post(page, {"field": ["name", "level", "phone"], "wish": "look"})
    jobs.go_on_importing()
    with transaction() as session:
        looked = session.scalars(select(PartyImport)).one()
        assert [where for where, _words in looked.faults["2"]] == ["level", "phone"]
        assert session.scalars(select(Customer)).all() == []
    shown = seller.get(page).text
    assert 'value="look"' in shown
    assert 'value="import"' not in shown
    assert "没有一行可以导入" in shown


def test_a_choice_is_taken_however_people_write_it(house: DemoHouse) -> None:
    written = ("江苏", "江苏省", "上海市", "广西壮族自治区", "香港特别行政区", "Guangdong", "４４", "内蒙古自治区")
    rows = "".join(
        f"第{n}家{sign}仓储,{text},ａ\n" for n, (sign, text) in enumerate(zip("甲乙丙丁戊己庚辛", written, strict=True))
    )
    seller = house.login("wang.lei")
    page = bring(seller, f"公司,省份,级别\n{rows}不在地图上,江苏江苏省,A\n")
    assert seller.post(page, {"field": ["name", "region", "level"], "wish": "look"}).status_code == 302
    jobs.go_on_importing()
    assert seller.post(page, {"field": ["name", "region", "level"], "wish": "import"}).status_code == 302
    jobs.go_on_importing()
    with transaction() as session:
        made = session.execute(select(Customer.region, Customer.level).order_by(Customer.id)).all()
        assert [one.region for one in made] == ["32", "32", "31", "45", "81", "44", "44", "15"]
        assert {one.level for one in made} == {"A"}
        assert list(session.scalars(select(PartyImport)).one().faults) == ["10"]


def test_columns_are_remembered_for_the_next_file(house: DemoHouse) -> None:
    seller = house.login("wang.lei")
    seller.post(bring(seller), {"field": MAPPING, "wish": "look"})
    shown = seller.get(bring(seller)).text
    assert 'value="duplicate_reason" selected' in shown
    assert 'value="duplicate_reason" selected' not in house.login("li.na").get(bring(house.login("li.na"))).text


MERGED = """客户名称,等级,联系人,手机,客户名称
海晏科技,A,陈平,13800138001,海晏
,,林一,13800138002,
坏等级,Z,周二,13800138003,
,,吴三,13800138004,
,B,,,
"""


def test_a_cell_merged_over_several_contacts_is_one_customer(house: DemoHouse) -> None:
    seller = house.login("wang.lei")
    page = bring(seller, MERGED)
    mapping = ["name", "level", "contact_name", "contact_phone", ""]
    for wish in ("look", "import"):
        assert seller.post(page, {"field": mapping, "wish": wish}).status_code == 302
        jobs.go_on_importing()
        with transaction() as session:
            record = session.scalars(select(PartyImport)).one()
            assert record.counts == {"customers": 1, "contacts": 2}
            assert sorted(record.faults) == ["4", "5", "6"], "whose customer is left out, and who has no name at all"
    with transaction() as session:
        (made,) = session.scalars(select(Customer))
        contacts = session.execute(select(Contact.name, Contact.organization_id).order_by(Contact.id)).all()
        assert [tuple(one) for one in contacts] == [("陈平", made.id), ("林一", made.id)]
    shown = seller.get(bring(seller, MERGED)).text
    assert 'value="name" selected' in shown, "that the second of that name was left out is not remembered of the first"


REPEATED = """公司,级别,联系人,手机
常青园林公司,A,陈平,13800138001
常青 园林公司,B,,
云栖测绘,A,,
常青园林公司,,林一,13800138002
已有客户公司,A,,
"""


def test_a_repeated_customer_without_a_contact_is_told_as_such(
    house: DemoHouse, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also where the row it stands in first was looked at in an earlier batch, and left nothing behind."""
    keep("王磊", name="已有客户公司")
    seller = house.login("wang.lei")
    for batch in (50, 1):
        monkeypatch.setattr(importing, "BATCH", batch)
        page = bring(seller, REPEATED)
        for wish in ("look", "import") if batch == 1 else ("look",):
            assert seller.post(page, {"field": ["name", "level", "contact_name", "contact_phone"], "wish": wish})
            jobs.go_on_importing()
            with transaction() as session:
                record = session.scalars(select(PartyImport).order_by(PartyImport.id.desc())).first()
                assert record is not None
                assert record.counts == {"customers": 2, "contacts": 2}, (batch, wish)
                assert sorted(record.faults) == ["3", "6"], (batch, wish)
                assert "第 2 行" in record.faults["3"][0][1]
                assert "已有客户公司" in record.faults["6"][0][1]
    back = reading.read(seller.get(f"{page}/faults.xlsx").data)
    assert [row.cells[0] for row in back.rows] == ["常青 园林公司", "已有客户公司"]
    assert all("没有写联系人" in row.cells[4] for row in back.rows)


WRONG = """公司,种类,级别,电话,联系人,手机,联系人邮箱,理由
错处多公司,,Z,12,陈平,34,x,
远帆物流,,A,12,周二,13800138009,,
某个人,个人,Z,12,他的人,56,,
"""


def test_faults_of_the_contact_are_told_together_with_those_of_the_customer(house: DemoHouse) -> None:
    keep("李娜", name="远帆物流")
    other = keep("李娜", name="别人的客户公司")
    with transaction() as session:
        values = {"name": "周二", "customer": other, "phone": "13800138009", "duplicate_reason": "测试"}
        create_contact(session, SYSTEM, values=values)
    seller = house.login("wang.lei")
    page = bring(seller, WRONG)
    mapping = ["name", "kind", "level", "phone", "contact_name", "contact_phone", "contact_email", "duplicate_reason"]
    assert seller.post(page, {"field": mapping, "wish": "look"}).status_code == 302
    jobs.go_on_importing()
    with transaction() as session:
        looked = session.scalars(select(PartyImport)).one()
        told = {row: [where for where, _words in faults] for row, faults in looked.faults.items()}
        assert told["2"] == ["level", "phone", "contact_phone", "contact_email"]
        assert told["3"] == ["phone", "name", "contact_name"], "who is there already is told beside what is no number"
        assert sorted(told["4"]) == ["contact_phone", "customer", "level", "phone"]
        assert session.scalars(select(Customer.name).order_by(Customer.id)).all() == ["远帆物流", "别人的客户公司"]
        assert session.scalars(select(Contact.name)).all() == ["周二"], "what was tried has left nothing"
