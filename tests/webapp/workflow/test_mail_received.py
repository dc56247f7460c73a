"""Mails that came in, on pages: who reads them, what of them is shown, what of them cannot hurt."""

from __future__ import annotations

import re
from email.message import EmailMessage
from email.policy import SMTP
from typing import Any

import pytest
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import select

from connectors.mail import marks
from engine import attachments, health
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from processes.messaging import jobs
from processes.messaging.models import ReceivedMail
from processes.messaging.operations import receiving_mail
from processes.messaging.permissions import SEND_MAIL
from processes.organization.models import Employee
from tests.demo_house import DemoHouse, Facts
from tests.webapp.crm.people import keep
from webapp.security import roles

OWN = "拜访苏州客户"
"""wang.lei's request"""
ANSWER = "同意，预算请从我处出。"
HTML = (
    f'<p style="color:#c00">{ANSWER}</p><script>alert(1)</script><img src="https://tracker.example/p.gif">'
    '<a href="https://example.com/offer">报价</a>'
)


def comes(raw: bytes) -> int:
    with transaction() as session:
        kept = receiving_mail.keep(session, box="box", uid_validity=1, uid=1, raw=raw, size=len(raw))
    Sessions.remove()
    assert kept is not None
    jobs.sort_mail()
    return kept


def letter(answers: str = "", number: int = 1, html: str = "", **headers: str) -> bytes:
    mail = EmailMessage(policy=SMTP)
    mail["From"] = headers.pop("From", "采购部 王磊 <buyer@customer.example>")
    mail["To"] = headers.pop("To", "bpm@example.com")
    mail["Subject"] = headers.pop("Subject", "回复: 费用申请")
    mail["Message-ID"] = f"<{number}@customer.example>"
    if answers:
        mail["In-Reply-To"] = answers
    for name, value in headers.items():
        mail[name.replace("_", "-")] = value
    mail.set_content(f"{ANSWER}\n\n> 原文\n")
    if html:
        mail.add_alternative(html, subtype="html")
    mail.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename="报价单（𠮷）.pdf")
    mail.add_attachment(b"MZ", maintype="application", subtype="octet-stream", filename="打开我.exe")
    return mail.as_bytes()


@pytest.fixture
def sent(house: DemoHouse, facts: Facts) -> OutboxMessage:
    """The mail wang.lei's request has sent him."""
    instance_id = facts.instance(OWN)
    with transaction() as session:
        row = session.scalars(
            select(OutboxMessage).where(OutboxMessage.instance_id == instance_id, OutboxMessage.channel == "mail")
        ).first()
        assert row is not None
        row.state = "sent"
        session.flush()
        session.expunge(row)
    Sessions.remove()
    return row


@pytest.fixture
def answer(sent: OutboxMessage) -> int:
    return comes(letter(f"<{marks.of_mail(sent.key, sent.id)}@example.com>", html=HTML))


def row_of(mail_id: int) -> ReceivedMail:
    with transaction() as session:
        found = session.get_one(ReceivedMail, mail_id)
        session.expunge(found)
    Sessions.remove()
    return found


def test_an_answer_is_shown_to_whoever_it_concerns_and_to_nobody_else(house: DemoHouse, answer: int) -> None:
    wang = house.login("wang.lei")
    assert ANSWER in wang.get("/messages/mail-received").text
    assert ANSWER in wang.get(f"/messages/mail-received/{answer}").text
    assert ANSWER in house.login("zheng.kai").get("/messages/mail-received").text
    stranger = house.login("xu.fang")
    assert ANSWER not in stranger.get("/messages/mail-received").text
    for path in ("", "/body"):
        assert stranger.get(f"/messages/mail-received/{answer}{path}").status_code == 404


def test_a_customers_own_letter_stands_with_him(house: DemoHouse) -> None:
    customer = keep("孙宇", name="来信询价公司", email="buyer@inquiry.example")
    mail = comes(letter(From="采购 <Buyer@inquiry.example>", Subject="想要两台"))
    sun, page = house.login("sun.yu"), f"/messages/mail-received/{mail}"
    assert "想要两台" in sun.get(f"/follow/of/{customer}").text
    shown = sun.get(page).text
    assert "buyer@inquiry.example" in shown.lower()
    assert re.search(rf'href="/party/customer/show/{customer}">[^\n]*来信询价公司</a>', shown)
    assert "来信询价公司来信：想要两台" in sun.get("/notices").text
    assert house.login("wang.lei").get(page).status_code == 404
    assert sun.get(f"{page}/answer").status_code == 200


def test_it_stands_with_the_process_that_is_answered(house: DemoHouse, facts: Facts, answer: int) -> None:
    part = house.login("zhou.ming").get(f"/messages/of-instance/{facts.instance(OWN)}?_l_=en").text
    assert ANSWER in part
    assert "原文" not in part  # the quoted conversation is left out
    assert "报价单（𠮷）.pdf" in part
    assert "打开我.exe" in part
    assert house.login("xu.fang").get(f"/messages/of-instance/{facts.instance(OWN)}").status_code == 404


def test_files_are_given_to_those_who_may_read_the_mail(house: DemoHouse, answer: int) -> None:
    page = house.login("wang.lei").get(f"/messages/mail-received/{answer}").text
    links = re.findall(r'href="(/api/v1/attachments/\d+)"', page)
    assert len(links) == 2  # the PDF and the original; not the program
    for link in links:
        assert house.login("wang.lei").get(link).status_code == 200
        assert house.login("xu.fang").get(link).status_code == 404


def test_its_html_can_do_nothing(house: DemoHouse, answer: int) -> None:
    wang = house.login("wang.lei")
    frame = re.search(r"<iframe[^>]*>", wang.get(f"/messages/mail-received/{answer}", partial=True).text)
    assert frame
    assert 'sandbox="allow-popups allow-popups-to-escape-sandbox"' in frame[0]
    body = wang.get(f"/messages/mail-received/{answer}/body")
    policy = body.headers["Content-Security-Policy"]
    assert policy.startswith("sandbox allow-popups")
    assert "default-src 'none'" in policy
    assert "allow-scripts" not in policy
    assert "allow-same-origin" not in policy
    assert body.headers["X-Frame-Options"] == "SAMEORIGIN"
    assert ANSWER in body.text
    assert "tracker.example" not in body.text
    assert "script" not in body.text
    assert 'href="https://example.com/offer"' in body.text


def test_a_mail_without_html_has_no_frame(house: DemoHouse) -> None:
    plain = comes(letter())
    admin = house.login("zheng.kai")
    assert "<iframe" not in admin.get(f"/messages/mail-received/{plain}").text
    assert admin.get(f"/messages/mail-received/{plain}/body").status_code == 404


def test_kinds_and_search(house: DemoHouse, answer: int) -> None:
    comes(letter(number=2, Subject="新的询价"))
    comes(letter(number=3, Subject="自动回复: 休假"))
    admin = house.login("zheng.kai")

    def shown(query: str) -> set[int]:
        page = admin.get(f"/messages/mail-received?{query}", partial=True).text
        return {int(number) for number in re.findall(r'href="/messages/mail-received/(\d+)"', page)}

    assert shown("kind=answer") == {answer}
    assert shown("kind=letter") == {answer + 1}
    assert shown("kind=automatic") == {answer + 2}
    assert shown("q=询价") == {answer + 1}
    assert shown("q=buyer@customer") == {answer, answer + 1, answer + 2}
    assert shown("kind=nonsense") == {answer, answer + 1, answer + 2}


def test_addresses_of_others_are_masked_for_whoever_has_not_written_to_them(house: DemoHouse, answer: int) -> None:
    assert "buyer@customer.example" in house.login("zheng.kai").get(f"/messages/mail-received/{answer}").text
    page = house.login("wang.lei").get(f"/messages/mail-received/{answer}").text
    assert "buyer@customer.example" not in page
    assert "b***@customer.example" in page
    assert "采购部 王磊" in page


def test_an_answer_from_another_address_is_marked(house: DemoHouse, answer: int) -> None:
    assert "from another address" in house.login("zheng.kai").get(f"/messages/mail-received/{answer}?_l_=en").text


def test_long_lists_come_in_pages(house: DemoHouse) -> None:
    first = min([comes(letter(number=number)) for number in range(22)])
    admin = house.login("zheng.kai")
    page = admin.get("/messages/mail-received").text
    assert f'href="/messages/mail-received/{first}"' not in page
    following = re.search(r'href="(/messages/mail-received\?before=\d+)"', page)
    assert following
    assert f'href="/messages/mail-received/{first}"' in admin.get(following[1]).text


def test_an_empty_page_says_what_will_be_here_and_how_the_mailbox_is(house: DemoHouse) -> None:
    page = house.login("wang.lei").get("/messages/mail-received?_l_=en").text
    assert "No mail has come in yet." in page
    assert "No mailbox is read" in page
    with transaction() as session:
        health.report(session, {"mailbox": lambda: ("down", "auth_refused")})
    Sessions.remove()
    page = house.login("wang.lei").get("/messages/mail-received?_l_=en").text
    assert "Not reachable" in page
    assert "the server refused the login" in page


def test_bounced_recipients_are_shown_with_the_mail(house: DemoHouse, sent: OutboxMessage) -> None:
    told: dict[str, Any] = {"action": "failed", "status": "5.1.1", "text": "no such user wang.lei@example.com"}
    with transaction() as session:
        row = session.get_one(OutboxMessage, sent.id)
        row.state, row.result = "failed", {**row.result, "reports": {"wang.lei@example.com": told}}
    Sessions.remove()
    mine = house.login("wang.lei").get(f"/messages/{sent.id}?_l_=en").text
    assert "Not delivered" in mine
    assert "5.1.1 no such user wang.lei@example.com" in mine
    part = house.login("zhou.ming").get(f"/messages/of-instance/{sent.instance_id}?_l_=en").text
    assert "Not delivered" in part
    assert "5.1.1 no such user w***@example.com" in part


def test_a_bounce_rings_and_leads_to_the_message(house: DemoHouse, sent: OutboxMessage) -> None:
    mark = marks.of_mail(sent.key, sent.id)
    comes(
        b"From: MAILER-DAEMON@mx\nSubject: Undelivered\nMessage-ID: <9@mx>\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        b"--b\nContent-Type: message/delivery-status\n\nOriginal-Envelope-Id: " + mark.encode() + b"\n\n"
        b"Final-Recipient: rfc822; wang.lei@example.com\nAction: failed\nStatus: 5.1.1\n--b--\n"
    )
    wang = house.login("wang.lei")
    page = wang.get("/notices?_l_=en").text
    assert "A mail to w***@example.com did not arrive" in page
    number = re.search(r'href="(/notices/\d+)"', page[: page.index("did not arrive")][-900:])
    assert number
    assert wang.get(number[1]).headers["Location"] == f"/messages/{sent.id}"


# ------------------------------------------------------------------------------------------------- answering


@pytest.fixture
def written(house: DemoHouse) -> int:
    """A mail to the sales team and two others, with a wish where answers go."""
    return comes(
        letter(
            Subject="询价 [#7-3fa9c1]",
            Reply_To="desk@customer.example",
            To="bpm@example.com, Li <li@partner.example>",
            Cc="yunliu@localhost, DESK@customer.example",
        )
    )


def let_employees_send(*, may: bool) -> None:
    with transaction() as session:
        sellers = session.scalars(select(Role.id).where(Role.name.in_(("Employee", "Sales"))))
        roles.save_matrix(session, SYSTEM, {(role, SEND_MAIL): may for role in sellers})
    Sessions.remove()


def value_of(page: str, name: str) -> str:
    found = re.search(rf'value="([^"]*)"[^>]*\bname="{name}"', page)
    assert found, name
    return found[1]


def answers(mail_id: int) -> list[OutboxMessage]:
    with transaction() as session:
        ids = session.get_one(ReceivedMail, mail_id).answered_by
        found = list(session.scalars(select(OutboxMessage).where(OutboxMessage.id.in_(ids))))
        session.expunge_all()
    Sessions.remove()
    return found


def test_the_form_bears_what_an_answer_bears(house: DemoHouse, written: int) -> None:
    admin = house.login("zheng.kai")
    assert f'href="/messages/mail-received/{written}/answer"' in admin.get(f"/messages/mail-received/{written}").text
    page = admin.get(f"/messages/mail-received/{written}/answer?_l_=en").text
    assert value_of(page, "to") == "desk@customer.example"
    assert value_of(page, "cc") == "bpm@example.com, li@partner.example"
    assert value_of(page, "subject") == "Re: 询价"
    assert "采购部 王磊 wrote:\n&gt; 同意" in page


def test_an_answer_is_sent_once_in_its_thread_and_shown_with_the_mail(house: DemoHouse, written: int) -> None:
    admin = house.login("zheng.kai")
    files = {"wish": "w1", "to": "desk@customer.example；li@partner.example", "subject": "Re: 询价", "text": "好的。"}
    for _click in range(2):
        sent_off = admin.post(f"/messages/mail-received/{written}/answer", files)
        assert (sent_off.status_code, sent_off.headers["Location"]) == (302, f"/messages/mail-received/{written}")
    (ours,) = answers(written)
    assert ours.payload["to"] == ["desk@customer.example", "li@partner.example"]
    assert ours.payload["in_reply_to"] == "<1@customer.example>"
    shown = admin.get(f"/messages/mail-received/{written}?_l_=en").text
    assert "Our answers" in shown
    assert f'href="/messages/{ours.id}"' in shown
    assert "Answered" in admin.get("/messages/mail-received?_l_=en", partial=True).text
    admin.post(f"/messages/mail-received/{written}/answer", {**files, "wish": "w2"})
    assert len(answers(written)) == 2


def test_a_file_goes_with_it_and_the_second_click_finds_it_gone_already(house: DemoHouse, written: int) -> None:
    admin = house.login("zheng.kai")
    with transaction() as session:
        zheng = session.scalars(select(Employee).where(Employee.name == "郑凯")).one()
        number = attachments.store(session, Actor(person_id=zheng.id, name=zheng.name), "报价.pdf", b"%PDF-1").id
    Sessions.remove()
    form = {"wish": "f", "to": "a@b.example", "subject": "Re", "text": "x", "file": str(number)}
    codes = [admin.post(f"/messages/mail-received/{written}/answer", form).status_code for _click in range(2)]
    assert codes == [302, 302]
    (ours,) = answers(written)
    assert [file["name"] for file in ours.payload["attachments"]] == ["报价.pdf"]


def test_what_is_wrong_is_said_beside_its_field_and_nothing_is_lost(house: DemoHouse, written: int) -> None:
    form = {"wish": "w", "to": "desk@customer.example, oops", "cc": "also oops", "subject": " ", "text": "好的。"}
    refused = house.login("zheng.kai").post(f"/messages/mail-received/{written}/answer?_l_=en", form)
    assert refused.status_code == 422
    assert "oops is not a mail address" in refused.text.replace("“", "").replace("”", "")
    assert "好的。" in refused.text
    assert answers(written) == []


def test_who_does_not_see_the_address_answers_all_the_same(house: DemoHouse, sent: OutboxMessage, answer: int) -> None:
    wang = house.login("wang.lei")
    page = wang.get(f"/messages/mail-received/{answer}/answer?_l_=en").text
    assert "buyer@customer.example" not in page
    form = {"wish": "w", "subject": "Re: x", "text": "好的。"}
    assert wang.post(f"/messages/mail-received/{answer}/answer", form).status_code == 302
    (ours,) = answers(answer)
    assert ours.payload["to"] == ["buyer@customer.example"]
    assert ours.instance_id == sent.instance_id


def test_who_may_answer(house: DemoHouse, answer: int) -> None:
    path = f"/messages/mail-received/{answer}/answer"
    let_employees_send(may=False)
    wang = house.login("wang.lei")  # may read it, may not send mails
    assert path not in wang.get(f"/messages/mail-received/{answer}").text
    assert wang.get(path).status_code == 403
    assert wang.post(path, {"text": "x"}).status_code == 403
    let_employees_send(may=True)
    stranger = house.login("xu.fang")  # may send mails, may not read this one
    assert stranger.get(path).status_code == 404
    assert stranger.post(path, {"text": "x"}).status_code == 404
    assert answers(answer) == []


def test_a_report_has_no_reader(house: DemoHouse) -> None:
    report = comes(
        b"From: MAILER-DAEMON@mx\nSubject: Undelivered\nMessage-ID: <9@mx>\n"
        b"Content-Type: multipart/report; report-type=delivery-status; boundary=b\n\n"
        b"--b\nContent-Type: message/delivery-status\n\nReporting-MTA: dns; mx\n\n"
        b"Final-Recipient: rfc822; a@b.example\nAction: failed\nStatus: 5.1.1\n--b--\n"
    )
    admin = house.login("zheng.kai")
    assert "/answer" not in admin.get(f"/messages/mail-received/{report}").text
    assert admin.get(f"/messages/mail-received/{report}/answer").status_code == 422
