"""A record written right after dialling is laid to the call, though nobody said of which it is."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select

from engine import clock
from engine.db import Sessions, transaction
from processes.activity.models import ContactRecord
from processes.party.permissions import CUSTOMER
from processes.telephony.models import Call
from tests.demo_house import DemoHouse, Facts
from tests.webapp.crm.people import keep


def dialled(uuid: str, customer: int, person: int, ago: timedelta = timedelta()) -> int:
    with transaction() as session:
        call = Call(uuid=uuid, exchange="x", direction="out", number="+8613800138000", state="ended", transfers=[])
        call.started_at, call.asked_by = clock.now() - ago, person
        call.record_type, call.record_id = CUSTOMER, customer
        session.add(call)
        session.flush()
        made = call.id
    Sessions.remove()
    return made


def sources(customer: int) -> list[int | None]:
    with transaction() as session:
        wanted = select(ContactRecord.source_id).where(ContactRecord.customer_id == customer).order_by(ContactRecord.id)
        found = list(session.scalars(wanted))
    Sessions.remove()
    return found


def test_the_record_names_the_call_just_dialled_once(house: DemoHouse, facts: Facts) -> None:
    customer, other = keep("王磊", name="刚拨过的客户有限公司"), keep("王磊", name="没拨过的客户有限公司")
    wang, li = facts.person("王磊"), facts.person("李娜")
    dialled("old", customer, wang, timedelta(hours=2))
    call = dialled("new", customer, wang)
    dialled("hers", customer, li)
    browser = house.login("wang.lei")

    def write(whom: int, way: str, content: str) -> None:
        typed = {"customer": whom, "way": way, "content": content, "no_next": "1", "submission": content}
        assert browser.post("/follow/save", typed, partial=True).status_code == 200

    write(customer, "message", "微信里说的另一件事情")
    write(customer, "call", "电话里谈妥了两台打印机")
    write(customer, "call", "电话里谈妥了两台打印机")
    write(customer, "call", "后来又想起来补记的一句")
    write(other, "call", "用别的电话谈的一件事情")
    assert sources(customer) == [None, call, None]
    assert sources(other) == [None]
