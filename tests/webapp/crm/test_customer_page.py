"""The page of a customer: what it shows to whom, and its fields changed one by one."""

from __future__ import annotations

import re

from sqlalchemy import select

from engine.db import Sessions, transaction
from engine.models import RecordAudit
from processes.party.models import Contact
from tests.demo_house import DemoHouse, Facts
from tests.webapp.crm.conftest import COLLEAGUE, MAIL, MANAGER, NEWCOMER, PHONE, SELLER, SUPERIOR, Trade

MINE, FOREIGN, POOL, CLOSED = "华宇智联科技", "鹏讯电子", "晨光教育", "旧日贸易"
SHOWN_PHONE = "138 0013 8000"


def test_three_zones_for_its_owner(house: DemoHouse, trade: Trade) -> None:
    page = house.login(SELLER).get(f"/party/customer/show/{trade.ids[MINE]}").text
    assert f"<h1>{MINE}" in page
    assert "已锁定" in page
    assert "王磊" in page
    for tab in ("crm-contacts", "crm-history"):
        assert f'id="tab-{tab}"' in page
    assert SHOWN_PHONE in page
    assert MAIL in page
    assert f"/party/customer/field/{trade.ids[MINE]}/phone" in page
    assert house.login(SELLER).get("/party/customer/show/999999").status_code == 404


def test_a_field_is_changed_in_its_place_and_refused_beside_it(house: DemoHouse, trade: Trade) -> None:
    seller, url = house.login(SELLER), f"/party/customer/field/{trade.ids[MINE]}"
    form = seller.get(f"{url}/phone", partial=True).text
    assert 'value="+8613800138000"' in form
    version = re.search(r'name="version" value="(\d+)"', form)
    assert version
    bad = seller.post(f"{url}/phone", {"phone": "12", "version": version.group(1)}, partial=True)
    assert bad.status_code == 422
    assert 'id="errors-phone"' in bad.text
    assert 'value="12"' in bad.text
    good = seller.post(f"{url}/phone", {"phone": "021-5555 0001", "version": version.group(1)}, partial=True)
    assert good.status_code == 200
    assert good.headers["HX-Trigger"] == "yl:record-changed"
    assert "021-55550001" in good.text
    stale = seller.post(f"{url}/phone", {"phone": PHONE, "version": version.group(1)}, partial=True)
    assert stale.status_code == 422
    assert "王磊" in stale.text  # who was faster
    assert trade.customer(MINE).phone == "+862155550001"
    long = seller.post(f"{url}/note", {"note": "第一行\n第二行", "version": ""}, partial=True)
    assert long.status_code == 200
    assert trade.customer(MINE).note == "第一行\n第二行"


def test_what_looks_like_another_asks_why_in_its_place_too(house: DemoHouse, trade: Trade) -> None:
    shared = "13900139777"
    trade.add("星河物流", Facts().person("王磊"), phone=shared)
    seller, url = house.login(SELLER), f"/party/customer/field/{trade.ids[MINE]}/phone"
    assert 'name="duplicate_reason"' not in seller.get(url, partial=True).text  # asked when there is something to ask
    asked = seller.post(url, {"phone": shared, "version": ""}, partial=True)
    assert asked.status_code == 422
    assert 'name="duplicate_reason"' in asked.text
    assert f'value="{shared}"' in asked.text
    said = seller.post(url, {"phone": shared, "version": "", "duplicate_reason": "同一集团总机"}, partial=True)
    assert said.status_code == 200
    assert "duplicate_reason" not in said.text
    assert trade.customer(MINE).phone == f"+86{shared}"


def test_what_is_fixed_unknown_or_not_ones_own_has_no_form(house: DemoHouse, trade: Trade) -> None:
    seller = house.login(SELLER)
    for name, what in ((MINE, "kind"), (MINE, "owner"), (MINE, "nothing"), (POOL, "phone"), (CLOSED, "phone")):
        refusal = 404 if name == MINE else 403  # he sees the others, and is told why he may not
        assert seller.get(f"/party/customer/field/{trade.ids[name]}/{what}").status_code == refusal, (name, what)
        posted = seller.post(f"/party/customer/field/{trade.ids[name]}/{what}", {what: "A"})
        assert posted.status_code == 404, (name, what)
    assert seller.get(f"/party/customer/field/{trade.ids[FOREIGN]}/phone").status_code == 404
    for name in (POOL, CLOSED):
        assert seller.get(f"/party/customer/edit/{trade.ids[name]}").status_code == 403
    assert house.login(NEWCOMER).get(f"/party/customer/show/{trade.ids[POOL]}").status_code == 403


def test_the_whole_form_saves(house: DemoHouse, trade: Trade) -> None:
    seller, url = house.login(SELLER), f"/party/customer/edit/{trade.ids[MINE]}"
    assert 'name="kind"' not in seller.get(url).text
    assert 'name="kind"' in seller.get("/party/customer/add").text
    answer = seller.post(url, {"name": "云启集团", "level": "B", "stage": "dealt", "phone": PHONE})
    assert answer.status_code == 302, answer.text
    changed = trade.customer(MINE)
    assert (changed.name, changed.level, changed.stage) == ("云启集团", "B", "dealt")


def test_others_see_it_masked_until_they_uncover_it_which_is_noted(house: DemoHouse, trade: Trade) -> None:
    seller, key = house.login(SELLER), trade.ids[POOL]
    page = seller.get(f"/party/customer/show/{key}").text
    assert "138****8000" in page
    assert "i***@example.com" in page
    assert "上海市浦东新****" in page
    for whole in (SHOWN_PHONE, PHONE, MAIL, "张江路"):
        assert whole not in page
    assert SHOWN_PHONE in seller.post(f"/party/customer/reveal/{key}/phone", partial=True).text
    assert seller.post(f"/party/customer/reveal/{key}/level").status_code == 404
    assert seller.post(f"/party/customer/reveal/{trade.ids[FOREIGN]}/phone").status_code == 404
    with transaction() as session:
        looked = session.scalars(select(RecordAudit).where(RecordAudit.action == "revealed")).one()
        assert (looked.record_type, looked.record_id, looked.after) == ("party.customer", key, {"field": "phone"})
    Sessions.remove()
    contacts = seller.get(f"/party/customer/contacts/{key}", partial=True).text
    assert "139****9001" in contacts
    assert "139 0013 9001" not in contacts
    history = seller.get(f"/party/customer/history/{key}", partial=True).text
    assert "138****8000" in history
    assert PHONE not in history
    assert SHOWN_PHONE in house.login(MANAGER).get(f"/party/customer/show/{key}").text


def test_contacts_are_added_changed_and_leave_in_the_drawer(house: DemoHouse, trade: Trade) -> None:
    seller, key = house.login(SELLER), trade.ids[MINE]
    add = f"/party/contact/drawer/{key}/add"
    assert f"{MINE}" in seller.get(add, partial=True).text
    assert seller.post(add, {"name": ""}, partial=True).status_code == 422
    made = seller.post(add, {"name": "林一", "title": "采购总监", "role": "decides", "is_main": "true"}, partial=True)
    assert (made.status_code, made.headers["HX-Trigger"]) == (204, "yl:saved")
    table = seller.get(f"/party/customer/contacts/{key}", partial=True).text
    assert "采购总监" in table
    roles = table[table.index("yl-roles") : table.index("yl-table-card")]
    assert re.search(r"决策人.*?林一.*?采购总监.*?从未联系", roles, re.DOTALL)
    assert roles.count("尚无已知人员") == 2, "who uses it and who pays: nobody is known"
    with transaction() as session:
        contact = session.scalars(select(Contact).where(Contact.name == "林一")).one()
        contact_id, version = contact.id, contact.version
    Sessions.remove()
    edit = f"/party/contact/drawer/{contact_id}/edit"
    assert 'name="employer"' not in seller.get(edit, partial=True).text
    form = {"name": "林一凡", "title": "总经理", "role": "decides", "version": str(version)}
    assert seller.post(edit, form, partial=True).status_code == 204
    assert seller.post(edit, form, partial=True).status_code == 422  # stale
    assert "林一凡" in seller.get(f"/party/contact/show/{contact_id}").text
    assert seller.post(f"/party/contact/left/{contact_id}", partial=True).status_code == 204
    assert seller.get(edit, partial=True).status_code == 403
    assert house.login(COLLEAGUE).get(add).status_code == 404
    assert house.login(SUPERIOR).get(add).status_code == 200
    assert seller.post(f"/party/contact/drawer/{trade.ids[POOL]}/add", {"name": "某人"}).status_code == 422


def test_a_closed_customer_says_so(house: DemoHouse, trade: Trade) -> None:
    page = house.login(SELLER).get(f"/party/customer/show/{trade.ids[CLOSED]}").text
    assert "yl-tone-grey" in page
    assert "/field/" not in page


def test_one_talks_about_a_customer_and_asks_for_something_where_it_is(house: DemoHouse, trade: Trade) -> None:
    seller, customer = house.login(SELLER), trade.ids[MINE]
    page = seller.get(f"/party/customer/show/{customer}").text
    assert f'hx-get="/comments/party.customer/{customer}"' in page
    assert "app/pages/comments" in page
    assert f"/tasks/new?record_type=party.customer&amp;record_id={customer}" in page
    assert f'hx-get="/tasks/of/party.customer/{customer}"' in page
    said = seller.post(f"/comments/party.customer/{customer}", {"text": "周五前报价", "submission": "1"})
    assert said.status_code < 400
    assert "周五前报价" in house.login(SUPERIOR).get(f"/comments/party.customer/{customer}").text
    closed = seller.get(f"/party/customer/show/{trade.ids[CLOSED]}").text
    assert "/tasks/new" not in closed.split('id="crm-head"')[1].split("</header>")[0]
