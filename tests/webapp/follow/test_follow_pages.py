"""The call list, contact records, what superiors look at and what pops up with a call, in the demo company."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.telephony.events import CallEvent
from engine import clock, health
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from processes.activity import operations
from processes.activity.models import Appointment, ContactRecord, RecordRead
from processes.notices.models import Notice
from processes.organization.models import Employee
from processes.party import operations as party
from processes.party.models import Contact, Customer
from processes.telephony import operations as telephony
from processes.telephony.models import Call
from tests.demo_house import Browser, DemoHouse
from tests.processes.followers import SELL

SELLER, COLLEAGUE, SUPERIOR, STRANGER, CLERK = "wang.lei", "li.na", "zhou.ming", "xu.fang", "wu.ting"
PHONE = "+8613800139999"


def ask(question: Any) -> Any:
    with transaction() as session:
        answer = question(session)
        session.flush()
        session.expunge_all()
    Sessions.remove()
    return answer


def person(session: Session, name: str) -> int:
    return session.scalars(select(Employee.id).where(Employee.name == name)).one()


@pytest.fixture
def customer(house: DemoHouse) -> int:
    """Wang Lei's, with one contact, never spoken to."""

    def make(session: Session) -> int:
        made = party.create_customer(session, SYSTEM, values={"name": "鼎信安防公司", "level": "A"})
        made.owner_id, made.state = person(session, "王磊"), "locked"
        session.flush()
        values = {"name": "陈平", "customer": made.id, "phone": PHONE, "title": "采购经理"}
        party.create_contact(session, SYSTEM, values=values)
        return made.id

    found: int = ask(make)
    return found


def contact_id(customer: int) -> int:
    found: int = ask(lambda session: session.scalar(select(Contact.id).where(Contact.organization_id == customer)))
    return found


def form(page: str) -> dict[str, str]:
    """What the record's form holds already."""
    part = page[page.index("data-yl-record-form") :]
    hidden = re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)"', part[: part.index("</form>")])
    return {name: value for name, value in hidden if name != "csrf_token"}


def noted(customer: int) -> list[ContactRecord]:
    wanted = select(ContactRecord).where(ContactRecord.customer_id == customer).order_by(ContactRecord.id)
    found: list[ContactRecord] = ask(lambda session: list(session.scalars(wanted)))
    return found


def test_the_seller_writes_and_goes_on_without_leaving_the_page(house: DemoHouse, customer: int) -> None:
    browser = house.login(SELLER)
    page = browser.get("/follow/").text
    assert "鼎信安防公司" in page
    assert 'aria-current="page"' in page
    held = form(page)
    assert (held["customer"], held["queue"], held["line"]) == (str(customer), "never", f"c{customer}")
    written = {**held, "way": "call", "result": "reached", "content": ""}
    refused = browser.post("/follow/save", written, partial=True)
    assert refused.status_code == 422
    assert 'value="reached" checked' in refused.text, "what was typed stays"
    written |= {"content": "谈了报价，下周给方案", "contact": str(contact_id(customer)), "purpose": "送方案"}
    saved = browser.post("/follow/save", written, partial=True)
    assert saved.status_code == 200
    assert 'id="yl-follow"' in saved.text
    assert "<html" not in saved.text
    browser.post("/follow/save", written, partial=True)
    (record,) = noted(customer)
    assert (record.content, record.is_qualified) == ("谈了报价，下周给方案", True)
    (plan,) = ask(lambda session: list(session.scalars(select(Appointment).where(Appointment.state == "open"))))
    assert (plan.purpose, plan.contact_id) == ("送方案", record.contact_id)
    other = browser.post("/follow/new", {**written, "content": "后来又谈了付款"})
    assert other.status_code == 409, "the same form with other words: not lost without a word"
    assert "后来又谈了付款" in other.text
    assert len(noted(customer)) == 1


def test_when_all_are_spoken_to_the_pool_is_offered(house: DemoHouse) -> None:
    page = house.login(COLLEAGUE).get("/follow/").text
    assert "去公海" in page
    assert "/party/customer/list/" in page


def test_a_customer_that_is_nobodys_business_is_not_there(house: DemoHouse, customer: int) -> None:
    stranger = house.login(STRANGER)
    assert stranger.get(f"/follow/new?customer={customer}").status_code == 404
    assert stranger.get(f"/follow/of/{customer}").status_code == 404
    written = {"customer": str(customer), "way": "call", "content": "谈了价格和交货时间"}
    assert stranger.post("/follow/save", written, partial=True).status_code == 404
    assert stranger.post("/follow/new", written).status_code == 404
    assert stranger.get(f"/follow/?person={ask(lambda session: person(session, '王磊'))}").status_code == 404
    assert house.login(CLERK).get("/follow/").status_code == 403
    assert house.login(SELLER).get("/follow/team").status_code == 403
    assert noted(customer) == []


def test_an_appointment_is_moved_and_a_second_one_shows_who_has_it(house: DemoHouse, customer: int) -> None:
    browser, superior = house.login(SELLER), house.login(SUPERIOR)
    contact = str(contact_id(customer))
    wanted = {"customer": str(customer), "contact": contact}
    assert browser.post("/follow/appointments", wanted).status_code == 302
    taken = superior.post("/follow/appointments", wanted)
    assert taken.status_code == 409
    assert "王磊" in taken.text
    (plan,) = ask(lambda session: list(session.scalars(select(Appointment))))
    assert f"/follow/appointments/{plan.id}/take-over" in taken.text
    day = (plan.due_on + timedelta(days=1)).isoformat()
    moved = {"due_on": day, "reason": "客户出差", "version": str(plan.version), "back": "/follow/?queue=week"}
    answer = browser.post(f"/follow/appointments/{plan.id}/reschedule", moved)
    assert answer.headers["Location"] == "/follow/?queue=week"
    answer = browser.post(f"/follow/appointments/{plan.id}/cancel", {"reason": "", "back": "//evil.example"})
    assert "evil" not in answer.headers["Location"]
    assert superior.post(f"/follow/appointments/{plan.id}/join").status_code == 302
    (plan,) = ask(lambda session: list(session.scalars(select(Appointment))))
    assert (plan.due_on.isoformat(), plan.postponed, plan.state, len(plan.joined)) == (day, 1, "open", 1)


def test_an_appointment_is_made_on_a_page_of_its_own_and_only_once(house: DemoHouse, customer: int) -> None:
    browser = house.login(SELLER)
    shown = browser.get(f"/party/customer/show/{customer}").text
    assert f'href="/follow/appointments/new?customer={customer}"' in shown
    assert 'name="due_on"' in browser.get(f"/follow/appointments/new?customer={customer}").text
    typed = {"customer": str(customer), "contact": str(contact_id(customer)), "purpose": "上门看样机"}
    refused = browser.post("/follow/appointments", {**typed, "due_on": "2001-01-01"})
    assert refused.status_code == 422
    assert "上门看样机" in refused.text
    assert browser.post("/follow/appointments", typed).status_code == 302
    again = browser.post("/follow/appointments", typed)  # Back, and saved again
    assert again.status_code == 409
    assert "take-over" not in again.text, "nobody takes over from himself"
    assert f"/party/customer/show/{customer}" in again.text
    assert len(ask(lambda session: list(session.scalars(select(Appointment))))) == 1


def test_the_calendar_shows_a_month_of_ones_own_or_of_somebody_below(house: DemoHouse, customer: int) -> None:
    browser = house.login(SELLER)
    assert browser.post("/follow/appointments", {"customer": str(customer)}).status_code == 302
    (plan,) = ask(lambda session: list(session.scalars(select(Appointment))))
    month = f"/follow/calendar?month={plan.due_on:%Y-%m}"
    page = browser.get(month).text
    card = page[page.index(f"/follow/appointments/{plan.id}/reschedule") :]
    assert f'data-on="{plan.due_on}"' in card
    assert "鼎信安防公司" in card
    assert f'data-yl-drop="{plan.due_on}"' in page
    assert f'data-yl-drop="{operations.today() - timedelta(days=1)}"' not in page, "nothing is put into the past"
    seller = ask(lambda session: person(session, "王磊"))
    superior = house.login(SUPERIOR)
    assert "鼎信安防公司" not in superior.get(month).text
    assert "鼎信安防公司" in superior.get(f"{month}&person={seller}").text
    assert house.login(STRANGER).get(f"{month}&person={seller}").status_code == 404
    assert house.login(CLERK).get(month).status_code == 403
    for odd in ("0001-01", "9999-12", "2026-13", "x"):
        assert browser.get(f"/follow/calendar?month={odd}").status_code == 200
    assert "/follow/calendar" in browser.get("/activity/appointment/list/").text


HUGE = "9" * 30


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"/follow/?person={HUGE}&skip={HUGE}", 200),
        (f"/follow/team?who={HUGE}&before=2026-01-01T00:00:00%2B00:00%20{HUGE}", 200),
        (f"/follow/analysis/customers?page={HUGE}", 200),
        (f"/follow/new?customer={HUGE}&contact={HUGE}&call={HUGE}", 200),
        (f"/follow/of/{HUGE}", 404),
        (f"/follow/records/{HUGE}", 404),
        (f"/calls?before={HUGE}", 200),
        (f"/calls/{HUGE}", 404),
    ],
)
def test_a_number_no_database_keeps_names_nobody(house: DemoHouse, address: str, status: int) -> None:
    assert house.login(SUPERIOR).get(address).status_code == status


def note(customer: int, **more: Any) -> int:
    def write(session: Session) -> int:
        seller = session.get_one(Employee, person(session, "王磊"))
        actor = Actor(seller.id, seller.name, permissions=SELL)
        values = {"customer": customer, "way": "visit", "content": "谈了价格和交货时间", "result": "reached", **more}
        return operations.create_record(session, actor, values=values).id

    found: int = ask(write)
    return found


def test_the_superior_reads_comments_and_voids(house: DemoHouse, customer: int) -> None:
    record, superior, seller = note(customer), house.login(SUPERIOR), house.login(SELLER)
    page = superior.get("/follow/team").text
    assert "谈了价格和交货时间" in page
    assert "yl-unread-dot" in page
    shown = superior.get(f"/follow/records/{record}")
    assert "作废" in shown.text
    superior.post(f"/follow/records/{record}/read")
    seller.post(f"/follow/records/{record}/read")
    assert ask(lambda session: len(session.scalars(select(RecordRead)).all())) == 1
    assert "yl-unread-dot" not in superior.get("/follow/team").text
    said = superior.post(f"/comments/activity.record/{record}", {"text": "报价前先问交期"})
    assert said.status_code == 200
    (notice,) = ask(lambda session: list(session.scalars(select(Notice).where(Notice.kind == "activity.commented"))))
    opened = seller.get(f"/notices/{notice.id}")
    assert f"/follow/records/{record}" in opened.headers["Location"]
    assert superior.post(f"/follow/records/{record}/void", {"reason": ""}).status_code == 422
    assert superior.post(f"/follow/records/{record}/edit", {"content": "改写"}).status_code == 403
    changed = seller.post(f"/follow/records/{record}/edit", {"content": "谈了价格、交货时间和付款"})
    assert changed.status_code == 302
    assert "谈了价格和交货时间" in seller.get(f"/follow/records/{record}").text, "how it read before"
    assert superior.post(f"/follow/records/{record}/void", {"reason": "重复"}).status_code == 302
    assert noted(customer)[0].state == "void"


def test_the_analysis_leads_to_the_customers(house: DemoHouse, customer: int) -> None:
    note(customer)
    seller = house.login(SELLER)
    page = seller.get("/follow/analysis")
    assert page.status_code == 200
    link = re.search(r'href="(/follow/analysis/customers\?[^"]*result=reached[^"]*)"', page.text)
    assert link is not None
    assert "鼎信安防公司" in seller.get(link.group(1).replace("&amp;", "&")).text
    assert "鼎信安防公司" not in house.login(STRANGER).get("/follow/analysis/customers").text


def test_from_a_number_of_the_analysis_one_goes_on_to_speak_to_them(house: DemoHouse, customer: int) -> None:
    note(customer)
    seller = house.login(SELLER)
    listed = seller.get("/follow/analysis/customers?result=reached").text
    link = re.search(r'href="(/follow/\?[^"]*queue=chosen[^"]*)"', listed)
    assert link is not None
    address = link.group(1).replace("&amp;", "&")
    work = seller.get(address).text
    assert "来自联系分析" in work
    assert "鼎信安防公司" in work
    saved = re.search(r'action="(/follow/save\?[^"]*result=reached[^"]*)"', work)
    assert saved is not None
    sent = {**form(work), "customer": str(customer), "way": "call", "result": "interested", "content": "要了报价单"}
    answer = seller.post(saved.group(1).replace("&amp;", "&"), {key: value for key, value in sent.items() if value})
    assert answer.status_code == 200
    assert "queue=chosen" in answer.headers["HX-Push-Url"]
    assert "result=reached" in answer.headers["HX-Push-Url"]
    assert noted(customer)[-1].content == "要了报价单"
    assert "鼎信安防公司" not in seller.get(address).text, "his last outcome is another now"
    assert "鼎信安防公司" not in house.login(STRANGER).get(address).text


def test_the_timeline_is_a_part_of_the_customers_page(house: DemoHouse, customer: int) -> None:
    for _each in range(22):
        note(customer)
    seller = house.login(SELLER)
    first = seller.get(f"/follow/of/{customer}", partial=True)
    assert first.status_code == 200
    assert first.text.count("yl-said-head") >= 20
    written = {"customer": str(customer), "way": "mail", "content": "发了正式报价单给对方"}
    after = seller.post("/follow/new", written, partial=True)
    assert "发了正式报价单给对方" in after.text


def call_in(house: DemoHouse) -> int:
    ask(lambda session: health.report(session, {"telephony": lambda: ("up", "simulated")}))

    def tell(session: Session) -> int:
        now = clock.now()
        facts: dict[str, Any] = {"direction": "in", "number": PHONE.removeprefix("+86"), "queue": "demo"}
        for kind in ("ringing", "answered"):
            call = telephony.note_call(session, CallEvent("f-1", now, kind, agent="8001", **facts))
        call.note = "客户问到货时间，答应明天回"
        return call.id

    found: int = ask(tell)
    return found


def test_a_call_pops_up_with_what_is_known_and_becomes_a_record(house: DemoHouse, customer: int) -> None:
    note(customer)
    call, seller = call_in(house), house.login(SELLER)
    pop = seller.get("/phone/pops").text
    for word in ("陈平", "鼎信安防公司", "谈了价格和交货时间", "下次联系"):
        assert word in pop
    assert "&lt;time" not in pop
    link = re.search(r'href="(/follow/new\?[^"]*)"', pop)
    assert link is not None
    page = seller.get(link.group(1).replace("&amp;", "&")).text
    assert "客户问到货时间，答应明天回" in page, "the note of the call stands in the form"
    held = form(page)
    written = {**held, "way": "call", "content": "客户问到货时间，答应明天回", "result": "reached"}
    for _twice in range(2):
        assert seller.post("/follow/new", written).status_code == 302
    of_call = [one for one in noted(customer) if one.source_id == call]
    assert [one.source_type for one in of_call] == ["telephony.call"]


def test_of_several_with_the_same_number_one_chooses_for_whom_the_record_is(house: DemoHouse, customer: int) -> None:
    def second(session: Session) -> int:
        values = {"name": "同一总机的仓储公司", "phone": PHONE, "duplicate_reason": "the same switchboard"}
        made = party.create_customer(session, SYSTEM, values=values)
        made.owner_id, made.state = person(session, "王磊"), "locked"
        return made.id

    other = ask(second)
    call, seller = call_in(house), house.login(SELLER)
    pop = seller.get("/phone/pops").text
    ways = [one.replace("&amp;", "&") for one in re.findall(r'href="(/follow/new\?[^"]*)"', pop)]
    assert [f"customer={other}&" in one for one in ways] == [False, True], "a record for the contact, one for the other"
    assert 'btn btn-primary" href' not in pop, "none of them is the obvious one"
    assert len(re.findall(r'href="/follow/new', seller.get(f"/calls/{call}").text)) >= 2

    written = {
        **form(seller.get(ways[1]).text),
        "way": "call",
        "content": "问到货时间，答应明天回",
        "result": "reached",
    }
    assert seller.post("/follow/new", written).status_code == 302
    kept = ask(lambda session: session.get_one(Call, call))
    assert (kept.record_type, kept.record_id) == ("party.customer", other), "the call is about whom one wrote of"
    page = seller.get(f"/calls/{call}").text
    assert page.index("同一总机的仓储公司") < page.index("鼎信安防公司")
    assert "本次通话对象" in page
    pop = seller.get("/phone/pops").text
    assert f'href="/follow/records/{noted(other)[0].id}"' in pop, "written once, it is opened and not written again"
    assert "/follow/new" not in pop
    for shown, whose in ((True, other), (False, customer)):
        assert (f'href="/calls/{call}"' in seller.get(f"/follow/of/{whose}", partial=True).text) is shown, whose

    again = {**written, "content": "还要两台", "submission": "another form"}
    refused = seller.post("/follow/new", again)
    assert refused.status_code == 409, "it would be lost without a word"
    assert "您已为这通电话写过联系记录" in refused.text
    assert "还要两台" in refused.text
    assert seller.post("/follow/new", written).status_code == 302
    assert len(noted(other)) == 1
    assert seller.post("/follow/new", {**again, "customer": str(customer)}).status_code == 302, (
        "a call may be about both"
    )


def test_dialling_from_a_page_says_whom_the_call_is_about(house: DemoHouse, customer: int) -> None:
    seller, contact = house.login(SELLER), contact_id(customer)
    ask(lambda session: health.report(session, {"telephony": lambda: ("up", "simulated")}))
    for path in (f"/party/contact/show/{contact}", f"/party/customer/contacts/{customer}"):
        page = seller.get(path, partial=True).text
        assert f'data-yl-record="party.contact {contact}"' in page, path


def test_whoever_calls_from_an_unknown_number_is_entered_and_the_call_is_about_him(house: DemoHouse) -> None:
    call, seller = call_in(house), house.login(SELLER)
    pop = seller.get("/phone/pops").text
    links = [one.replace("&amp;", "&") for one in re.findall(r'href="(/party/\w+/add\?[^"]*)"', pop)]
    assert ["customer" in one for one in links] == [True, False], "a new customer, a new contact"
    page = seller.get(links[0]).text
    assert re.search(r'value="\+8613800139999"', page), "the number stands in the form already"
    made = seller.post(links[0], {"name": "新来的安防公司", "kind": "organization", "phone": PHONE})
    assert made.status_code == 302, made.text
    customer = ask(lambda session: session.scalars(select(Customer).where(Customer.name == "新来的安防公司")).one())
    kept = ask(lambda session: session.get_one(Call, call))
    assert (kept.record_type, kept.record_id) == ("party.customer", customer.id)
    assert "新来的安防公司" in seller.get("/phone/pops").text
    assert "/follow/new" in seller.get(f"/calls/{call}").text

    for chosen, about in (({}, None), ({"party.customer": str(customer.id)}, customer.id)):
        assert seller.post(f"/calls/{call}/about", chosen).status_code == 302
        assert ask(lambda session: session.get_one(Call, call)).record_id == about

    stranger = house.login(STRANGER)
    values = {"name": "别人的安防公司", "kind": "organization"}
    assert stranger.post(links[0], values).status_code == 302, "kept, though the call is somebody else's"
    assert ask(lambda session: session.get_one(Call, call)).record_id == customer.id


def test_the_number_of_a_customer_one_may_not_see_tells_no_name(house: DemoHouse, customer: int) -> None:
    def give_away(session: Session) -> None:
        session.get_one(Customer, customer).owner_id = person(session, "徐芳")

    ask(give_away)
    call_in(house)
    pop = house.login(SELLER).get("/phone/pops").text
    assert "陈平" not in pop
    assert "鼎信安防公司" not in pop


def test_the_menu_counts_what_is_due(house: DemoHouse, customer: int) -> None:
    note(customer)
    seller: Browser = house.login(SELLER)

    def due(session: Session) -> None:
        session.scalars(select(Appointment)).one().due_on = operations.today()

    ask(due)
    line = re.search(r'href="/follow/" title="[^"]*".*?</a>', seller.get("/calls").text, re.DOTALL)
    assert line is not None
    assert '<span class="yl-count" data-yl-count="follow" >1</span>' in line.group(0)
