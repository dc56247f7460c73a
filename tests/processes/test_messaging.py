"""Messages written from templates in the reader's language, once each, to whoever can be reached."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from jinja2 import UndefinedError
from jinja2.exceptions import SecurityError
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import SYSTEM
from engine.errors import Forbidden, InvalidForm, RuleViolation
from engine.i18n import DEFAULT_LOCALE
from engine.models import OutboxMessage, PushEvent
from engine.service_tasks import TOPICS, StepFacts
from processes.messaging import operations, permissions
from processes.messaging.models import SentMessage
from processes.messaging.operations import templates
from processes.organization import operations as organization
from tests.processes.company import Company, actor_of

FACTS = StepFacts(3, "expense_request", None, 4, 12, "notify", None)
ABOUT = {"number": "EXP-000007", "title": "拜访 <客户>", "amount": {"amount": "12345.60", "currency": "CNY"}}
ABSENCE = {
    "delegator_name": "王芳",
    "delegate_name": "孙悦",
    "starts": "2026-11-23T01:00:00+00:00",
    "ends": "2026-11-27T10:00:00+00:00",
    "handled": 3,
    "returned": 1,
}

MEETING = {
    "what": "changed",
    "place": "三楼会议室",
    "text": "请带样品",
    "starts": "2026-11-23T01:00:00+00:00",
    "ends": "2026-11-23T02:00:00+00:00",
}

EVERY_TEMPLATE = sorted(
    {(path.name.partition(".")[0], path.parent.name) for path in templates.TEMPLATES.glob("*/*.txt")}
)


def outbox(session: Session) -> list[OutboxMessage]:
    return list(session.scalars(select(OutboxMessage).order_by(OutboxMessage.id)))


def test_an_sms_is_written_in_the_readers_language(session: Session, company: Company) -> None:
    organization.change_employee(session, SYSTEM, record_id=company.wang.id, values={"locale": "en"})
    for reader in (company.li, company.wang):
        answer = operations.notify_sms(
            session, SYSTEM, FACTS, recipient=reader.id, template="expense_approved", about=ABOUT
        )
        assert answer["queued"] is True
    chinese, english = outbox(session)
    assert chinese.payload == {
        "to": "+8619900000004",
        "text": "【云流】李娜，您的费用申请 EXP-000007（¥12,345.60）已通过审批，预算已预留。",
        "recipient": "李娜 +8619900000004",
    }
    assert english.payload["text"].startswith("Yunliu: 王芳, your expense request EXP-000007 (¥12,345.60)")
    assert (chinese.channel, chinese.instance_id, chinese.record_id) == ("sms", 3, company.li.id)


def test_told_twice_is_told_once(session: Session, company: Company) -> None:
    first, second = (
        operations.notify_sms(session, SYSTEM, FACTS, recipient=company.li.id, template="expense_approved", about=ABOUT)
        for _twice in range(2)
    )
    assert first == second
    assert len(outbox(session)) == 1
    later = StepFacts(3, "expense_request", None, 4, 13, "notify", None)
    operations.notify_sms(session, SYSTEM, later, recipient=company.li.id, template="expense_approved", about=ABOUT)
    assert len(outbox(session)) == 2


def test_a_mail_has_subject_text_and_escaped_html(session: Session, company: Company) -> None:
    operations.notify_mail(session, SYSTEM, FACTS, recipient=company.li.id, template="expense_rejected", about=ABOUT)
    (mail,) = outbox(session)
    assert mail.payload["to"] == ["lina@example.com"]
    assert mail.payload["subject"] == "费用申请 EXP-000007 未获批准"
    assert "拜访 <客户>" in mail.payload["text"]
    assert "拜访 &lt;客户&gt;" in mail.payload["html"]
    assert "<客户>" not in mail.payload["html"]


@pytest.mark.parametrize(("topic", "reason"), [("notify_sms", "no_mobile_number"), ("notify_mail", "no_mail_address")])
def test_whoever_cannot_be_reached_is_told_on_open_pages(
    session: Session, company: Company, topic: str, reason: str
) -> None:
    notify = TOPICS[f"messaging.{topic}"].function
    answer = notify(session, SYSTEM, FACTS, recipient=company.zhao.id, template="expense_approved", about=ABOUT)
    assert answer == {"queued": False, "message": None, "reason": reason}
    assert outbox(session) == []
    assert [push.principal for push in session.scalars(select(PushEvent))] == [company.zhao.id]


def test_a_landline_gets_no_sms(session: Session, company: Company) -> None:
    organization.change_employee(session, SYSTEM, record_id=company.li.id, values={"phone": "010 12345678"})
    answer = operations.notify_sms(
        session, SYSTEM, FACTS, recipient=company.li.id, template="expense_approved", about=ABOUT
    )
    assert answer["reason"] == "no_mobile_number"


def test_a_message_that_must_leave_says_why_it_cannot(session: Session, company: Company) -> None:
    for name, sentence in (("messaging.send_sms", "no mobile number"), ("messaging.send_mail", "no mail address")):
        topic = TOPICS[name]
        assert topic.kind == "connector"
        with pytest.raises(RuleViolation, match=sentence):
            topic.function(session, SYSTEM, FACTS, recipient=company.zhao.id, template="expense_approved", about=ABOUT)
        with pytest.raises(RuleViolation, match="no person 999"):
            topic.function(session, SYSTEM, FACTS, recipient=999, template="expense_approved", about=ABOUT)
        message = topic.function(
            session, SYSTEM, FACTS, recipient=company.li.id, template="expense_approved", about=ABOUT
        )
        assert session.get_one(OutboxMessage, message).state == "queued"


def test_a_mistake_in_the_diagram_is_not_hidden(session: Session, company: Company) -> None:
    with pytest.raises(RuleViolation, match="no template"):
        operations.notify_sms(session, SYSTEM, FACTS, recipient=company.li.id, template="../../etc/passwd", about={})
    with pytest.raises(UndefinedError):
        operations.notify_sms(session, SYSTEM, FACTS, recipient=company.li.id, template="expense_approved", about={})


@pytest.mark.parametrize("attempt", ["{{ ''.__class__.__mro__ }}", "{{ about.clear() }}"])
def test_templates_reach_nothing_but_their_values(attempt: str) -> None:
    with pytest.raises(SecurityError):
        templates._environment().from_string(attempt).render(about={}, locale="zh_CN")


@pytest.mark.parametrize(("name", "folder"), EVERY_TEMPLATE)
def test_every_template_speaks_both_languages_and_fills(name: str, folder: str) -> None:
    values: dict[str, Any] = {
        "about": {**ABOUT, **ABSENCE, **MEETING},
        "recipient": {"name": "李娜"},
        "starter": "赵磊",
        "title": "费用申请",
        "step": "上级审批",
        "waiting_hours": 9,
        "holder": "王芳",
        "who": "李娜",
        "due": "11-24 18:00",
        "text": "一句话",
        "notices": [{"title": "周明在“差旅”中提到了你", "text": "", "at": datetime(2026, 11, 23, 1, 0, tzinfo=UTC)}],
        "count": 3,
        "more": 2,
        "code": "******",
        "may_refuse": True,
        "agreed": True,
        "reason": "王芳抢先一步",
    }
    endings = ("txt", "html") if folder == "mail" else ("txt",)
    for locale in (DEFAULT_LOCALE, "en"):
        assert all(Path(templates.TEMPLATES, folder, f"{name}.{locale}.{ending}").exists() for ending in endings)
        if folder == "mail":
            mail = templates.mail(name, locale, values)
            assert all((mail.subject, mail.text.strip(), mail.html))
        else:
            text = templates.sms_text(name, locale, values)
            assert text
            assert "\n" not in text


# ------------------------------------------------------------------------------------------------- by hand


def test_an_sms_by_hand(session: Session, company: Company) -> None:
    actor = actor_of(company.li, permissions.SEND_SMS)
    first = operations.send_sms(session, actor, to="199 0000 0009", text=" 您好 ", key="a1")
    again = operations.send_sms(session, actor, to="199 0000 0009", text=" 您好 ", key="a1")
    assert first == again
    (message,) = outbox(session)
    assert message.payload == {"to": "+8619900000009", "text": "您好", "recipient": "+8619900000009"}
    with pytest.raises(InvalidForm) as refused:
        operations.send_sms(session, actor, to="010 12345678", text="", key="a2")
    assert set(refused.value.by_field()) == {"to", "text"}


def test_a_mail_by_hand(session: Session, company: Company) -> None:
    actor = actor_of(company.li, permissions.SEND_MAIL)
    operations.send_mail(session, actor, to=["a@example.com"], subject="你好", text="正文", key="m1")
    assert outbox(session)[0].payload["recipient"] == "a@example.com"
    with pytest.raises(InvalidForm) as refused:
        operations.send_mail(session, actor, to=["a", "b@c"], cc=["d e@f"], subject="x\nBcc: y", text=" ", key="m2")
    assert set(refused.value.by_field()) == {"to.0", "cc.0", "subject", "text"}
    with pytest.raises(InvalidForm):
        operations.send_mail(session, actor, to=[], subject="x", text="x", key="m3")


def test_sending_by_hand_needs_the_right(session: Session, company: Company) -> None:
    with pytest.raises(Forbidden):
        operations.send_sms(session, actor_of(company.li), to="19900000009", text="x", key="1")
    with pytest.raises(Forbidden):
        operations.send_mail(session, actor_of(company.li), to=["a@b"], subject="x", text="x", key="1")


def test_one_reads_what_one_wrote_or_was_sent_and_with_the_right_all(session: Session, company: Company) -> None:
    actor = actor_of(company.li, permissions.SEND_SMS)
    operations.send_sms(session, actor, to="199 0000 0009", text="您好", key="a1")
    operations.notify_mail(
        session, actor_of(company.wang), FACTS, recipient=company.li.id, template="expense_approved", about=ABOUT
    )

    def seen(reader: Any) -> list[str]:
        found = select(SentMessage.recipient).where(permissions.visible_to(reader)).order_by(SentMessage.id)
        return list(session.scalars(found))

    assert seen(actor) == ["+8619900000009", "李娜 lina@example.com"], "written by her, and to her"
    assert seen(actor_of(company.zhao)) == []
    assert seen(actor_of(company.sun, permissions.READ_ALL)) == ["+8619900000009", "李娜 lina@example.com"]


def test_the_register_shows_what_exists() -> None:
    from processes.messaging.manifest import MANIFEST

    assert all(hasattr(register.model, column.name) for register in MANIFEST.registers for column in register.columns)
