"""Contact records that calls have become: counted by agent, read with the call."""

from __future__ import annotations

from datetime import timedelta

import pytest

from engine.actor import Actor
from engine.errors import Conflict, Forbidden
from processes.activity import operations
from processes.activity.permissions import WRITE
from processes.party.permissions import CUSTOMER, USE
from processes.telephony import permissions
from processes.telephony.models import Call
from processes.telephony.operations import Asked
from tests.processes.company import actor_of
from tests.processes.followers import customer_of
from tests.processes.test_call_statistics import TODAY, WEEK, Period
from tests.processes.test_telephony import Desk, course, desk, keep  # noqa: F401 - fixtures


def write(desk: Desk, call: Call, who: Actor, content: str = "要两台打印机，周五报价") -> int:  # noqa: F811
    customer = customer_of(desk.session, who, f"南山五金{call.id}{content[:4]}")
    values = {"customer": customer.id, "way": "call", "content": content, "source_type": permissions.CALL}
    return operations.create_record(desk.session, who, values=values | {"source_id": call.id}, plans=False).id


def test_a_call_counts_once_for_whoever_wrote_of_it(desk: Desk) -> None:  # noqa: F811
    li = actor_of(desk.company.li, USE, WRITE, permissions.READ_CALLS)
    superior = actor_of(desk.company.wang, permissions.TEAM)
    first, second, third = (keep(desk.session, course(f"yun-{n}.1")) for n in (1, 2, 3))
    week = Asked(WEEK if first.started_at >= WEEK.begins else Period.of(TODAY - timedelta(days=30), TODAY))
    assert operations.recorded_by_agents(desk.session, superior, week) == {}
    write(desk, first, li)
    write(desk, first, li, "他又问了交货期，答应明天回")
    void = write(desk, second, li)
    operations.void_record(desk.session, li, record_id=void, reason="写错了客户")
    assert operations.recorded_by_agents(desk.session, superior, week) == {desk.li.id: 1}
    write(desk, third, li)
    assert operations.recorded_by_agents(desk.session, superior, week) == {desk.li.id: 2}
    for none in (Asked(week.period, "out"), Asked(week.period, agent_id=desk.zhao.id)):
        assert operations.recorded_by_agents(desk.session, superior, none) == {}
    yesterday = Period.of(TODAY - timedelta(days=60), TODAY - timedelta(days=50))
    assert operations.recorded_by_agents(desk.session, superior, Asked(yesterday)) == {}
    with pytest.raises(Forbidden):
        operations.recorded_by_agents(desk.session, li, week)


def test_the_records_of_a_call_are_read_by_whoever_may(desk: Desk) -> None:  # noqa: F811
    li = actor_of(desk.company.li, USE, WRITE, permissions.READ_CALLS)
    call = keep(desk.session, course())
    written = [write(desk, call, li), write(desk, call, li, "再次确认了地址和联系人")]
    assert [one.id for one in operations.records_of_call(desk.session, li, call.id)] == written[::-1]
    assert operations.records_of_call(desk.session, actor_of(desk.company.zhao, USE), call.id) == []
    assert operations.records_of_call(desk.session, li, call.id + 1) == []


def test_a_call_is_written_of_once_for_a_customer_on_every_road(desk: Desk) -> None:  # noqa: F811
    """Asked by the operation, under the customer's lock: the page, the interface and a second window find the same."""
    li = actor_of(desk.company.li, USE, WRITE, permissions.READ_CALLS)
    call = keep(desk.session, course())
    customer = customer_of(desk.session, li, "南山五金")
    values = {"customer": customer.id, "way": "call", "content": "要两台打印机，周五报价"}
    of_call = values | {"source_type": permissions.CALL, "source_id": call.id}
    first = operations.create_record(desk.session, li, values=of_call, origin="form:a", plans=False)
    again = operations.create_record(desk.session, li, values=of_call, origin="form:a", plans=False)
    assert again.id == first.id, "the same wish is the same record"
    with pytest.raises(Conflict, match="stands already"):
        operations.create_record(desk.session, li, values=of_call, origin="form:b", plans=False)
    assert (call.record_type, call.record_id) == (CUSTOMER, customer.id), "the call was about him"
    operations.void_record(desk.session, li, record_id=first.id, reason="写错了")
    assert operations.create_record(desk.session, li, values=of_call, origin="form:b", plans=False).id != first.id
