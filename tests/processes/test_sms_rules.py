"""Events told by SMS: rules of administrators, checked when they are kept, fired once for each event and reader."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM
from engine.errors import Conflict, Forbidden, InvalidForm
from engine.events import publish
from engine.i18n import _
from engine.models import OutboxMessage
from processes.messaging import subscribers as messaging_subscribers
from processes.messaging.models import SmsQuota
from processes.messaging.operations import house_rules
from processes.messaging.operations.opting_out import opt_out
from processes.messaging.operations.quotas import create_quota
from processes.messaging.permissions import MANAGE_QUOTAS
from processes.messaging.rules import QuietHours
from processes.notices import operations, rules, subscribers
from processes.notices.models import SmsRule
from processes.notices.permissions import MANAGE_SMS_RULES
from processes.organization.operations import change_employee
from processes.telephony.operations import MISSED
from tests.conftest import TestClock
from tests.processes.company import Company, actor_of
from tests.processes.talk import leave, running

EVENT = rules.kind("tests.told_by_sms", _("Something to be told by SMS"), ("in_app",))
VALUES: dict[str, Any] = {
    "name": "提醒",
    "event": EVENT,
    "text": "{name}您好：{title}（{concerned}）",
    "audience": "concerned",
}


assert messaging_subscribers.follow_messages  # declares itself


def admin(company: Company) -> Any:
    return actor_of(company.chen, MANAGE_SMS_RULES)


def rule(session: Session, company: Company, **more: Any) -> SmsRule:
    made = operations.create_sms_rule(session, admin(company), values={**VALUES, **more})
    session.commit()
    return made


def happens(session: Session, *people: Any, key: str = "k") -> None:
    operations.notify(
        session,
        SYSTEM,
        persons=[person.id for person in people],
        kind=EVENT,
        title=_("{what} has arrived", what="报价单"),
        key=key,
    )
    session.commit()


def sms(session: Session) -> list[OutboxMessage]:
    return list(session.scalars(select(OutboxMessage).where(OutboxMessage.channel == "sms").order_by(OutboxMessage.id)))


def told(session: Session) -> list[str]:
    return [str(message.payload["recipient"]).split()[0] for message in sms(session)]


# ------------------------------------------------------------------------------------------------- kept


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"text": "{nobody}您好"}, "text"),
        ({"text": "{name您好"}, "text"),
        ({"text": " "}, "text"),
        ({"text": "长" * 301}, "text"),
        ({"event": "no.such"}, "event"),
        ({"audience": "everybody"}, "audience"),
        ({"audience": "department"}, "department"),
        ({"audience": "position"}, "position"),
        ({"audience": "people", "people": []}, "people"),
        ({"name": ""}, "name"),
        ({"state": "perhaps"}, "state"),
    ],
)
def test_what_cannot_be_sent_is_not_kept(
    session: Session, company: Company, change: dict[str, Any], field: str
) -> None:
    with pytest.raises(InvalidForm) as refused:
        rule(session, company, **change)
    assert [problem.where for problem in refused.value.problems] == [field]


def test_two_rules_of_one_name_are_refused_and_an_old_page_does_not_win(session: Session, company: Company) -> None:
    first = rule(session, company)
    with pytest.raises(InvalidForm):
        rule(session, company)
    session.rollback()
    change = {"text": "{name}：{title}"}
    operations.change_sms_rule(session, admin(company), record_id=first.id, version=1, values=change)
    session.commit()
    with pytest.raises(Conflict):
        operations.change_sms_rule(session, admin(company), record_id=first.id, version=1, values=change)


def test_only_who_has_the_right_may_look_or_change(session: Session, company: Company) -> None:
    kept = rule(session, company).id
    stranger = actor_of(company.li)
    for attempt in (
        lambda: operations.sms_rules(session, stranger),
        lambda: operations.create_sms_rule(session, stranger, values=VALUES),
        lambda: operations.change_sms_rule(session, stranger, record_id=kept, values={"state": "off"}),
        lambda: operations.remove_sms_rule(session, stranger, record_id=kept),
        lambda: operations.preview(session, stranger, text="x"),
    ):
        with pytest.raises(Forbidden):
            attempt()


def test_a_preview_shows_the_words_and_what_they_cost(session: Session, company: Company) -> None:
    shown, segments = operations.preview(session, admin(company), text="{name}您好：{title}")
    assert (shown, segments) == ("张三您好：费用申请 EX-2026-0001", 1)
    assert rule(session, company).sample.startswith("张三您好：费用申请")


# ------------------------------------------------------------------------------------------------- fired


def test_it_is_told_once_for_each_event(session: Session, company: Company) -> None:
    rule(session, company)
    happens(session, company.li)
    happens(session, company.li)
    assert [message.payload["text"] for message in sms(session)] == ["李娜您好：报价单 has arrived（李娜）"]
    happens(session, company.li, key="another")
    assert told(session) == ["李娜", "李娜"]


def test_each_audience(session: Session, company: Company) -> None:
    for name, more in (
        ("上级", {"audience": "superior"}),
        ("部门", {"audience": "department", "department": company.finance.id}),
        ("岗位", {"audience": "position", "position": company.general_manager.id}),
        ("名单", {"audience": "people", "people": [company.li.id, company.sun.id]}),
    ):
        made = rule(session, company, name=name, **more)
        happens(session, company.li, company.zhao, key=name)
        operations.change_sms_rule(session, admin(company), record_id=made.id, values={"state": "off"})
        session.commit()
    assert told(session) == ["王芳", "孙悦", "陈明", "孙悦", "李娜"]


def test_what_is_off_or_removed_tells_nobody(session: Session, company: Company) -> None:
    off = rule(session, company, state="off")
    gone = rule(session, company, name="另一条", audience="people", people=[company.li.id])
    operations.remove_sms_rule(session, admin(company), record_id=gone.id)
    session.commit()
    happens(session, company.li)
    assert (told(session), off.state) == ([], "off")


def test_who_has_left_or_has_no_mobile_is_left_out_and_stops_nobody(session: Session, company: Company) -> None:
    rule(session, company, audience="people", people=[company.sun.id, company.zhao.id, company.li.id])
    leave(session, company.sun)
    happens(session, company.wang)
    assert told(session) == ["李娜"]  # 赵磊 has no number


def test_a_person_may_choose_another_road_unless_it_is_mandatory(session: Session, company: Company) -> None:
    operations.set_preferences(session, actor_of(company.li), channels={EVENT: ["in_app"]})
    made = rule(session, company)
    happens(session, company.li, company.wang)
    assert told(session) == ["王芳"]
    operations.change_sms_rule(session, admin(company), record_id=made.id, values={"mandatory": True})
    happens(session, company.li, key="2")
    assert told(session) == ["王芳", "李娜"]


def test_whoever_reads_it_by_sms_anyway_gets_one(session: Session, company: Company) -> None:
    operations.set_preferences(session, actor_of(company.li), channels={EVENT: ["in_app", "sms"]})
    rule(session, company, mandatory=True)
    happens(session, company.li)
    assert told(session) == ["李娜"]


def test_who_wants_no_texts_gets_none_unless_it_is_mandatory(session: Session, company: Company) -> None:
    assert company.li.phone
    opt_out(session, company.li.phone, how="reply")
    made = rule(session, company)
    happens(session, company.li)
    assert told(session) == []
    operations.change_sms_rule(session, admin(company), record_id=made.id, values={"mandatory": True})
    happens(session, company.li, key="2")
    assert told(session) == ["李娜"]


def test_the_night_is_left_in_peace(
    session: Session, company: Company, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(house_rules.HOUSE, "quiet", QuietHours.parse("21:00-08:00"))
    rule(session, company)
    clock.advance(hours=14)  # 23:00 in Shanghai
    happens(session, company.li)
    (message,) = sms(session)
    assert message.available_at == datetime(2026, 11, 24, 0, 0, tzinfo=UTC)  # eight in the morning


def test_a_quota_that_is_used_up_stops_the_text_and_not_the_event(session: Session, company: Company) -> None:
    values = {"department": company.sales, "month": "2026-11-01", "segments": 1}
    create_quota(session, actor_of(company.chen, MANAGE_QUOTAS), values=values)
    session.commit()
    rule(session, company)
    happens(session, company.li, company.wang)
    assert len(told(session)) == 1
    assert session.scalars(select(SmsQuota.used)).one() == 1


# ------------------------------------------------------------------------------------------------- without a notice


def test_an_item_that_opens_is_told_to_whom_it_lies_with(session: Session, company: Company) -> None:
    rule(session, company, event=subscribers.ITEM_OPENED, text="{name}，待办：{title}")
    running(session, company)
    assert told(session) == ["王芳"]
    assert str(sms(session)[0].payload["text"]).startswith("王芳，待办：")


def test_a_missed_call_is_told(session: Session, company: Company) -> None:
    change_employee(session, SYSTEM, record_id=company.wang.id, values={"locale": "en"})
    rule(session, company, event=subscribers.CALL_MISSED, audience="superior", text="{concerned}：{title}")
    for _twice in range(2):
        publish(session, MISSED, call_id=7, number="", people=[company.li.id])
        session.commit()
    assert told(session) == ["王芳"]
    assert sms(session)[0].payload["text"] == "李娜：A call from an unknown number was missed"


def test_a_long_word_of_somebody_is_cut(session: Session, company: Company) -> None:
    change_employee(session, SYSTEM, record_id=company.li.id, values={"locale": "en"})
    rule(session, company, text="{text}")
    operations.notify(
        session, SYSTEM, persons=[company.li.id], kind=EVENT, title=_("Money"), key="long", text="很长。" * 500
    )
    assert len(str(sms(session)[0].payload["text"])) == 200
