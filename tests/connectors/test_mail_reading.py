"""Reading what strangers send: encodings as Chinese mail programs really use them, bounces, answering machines."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from email.message import EmailMessage
from email.policy import SMTP

import pytest
from hypothesis import given, strategies as st

from connectors.mail import html, marks, quoting, reading
from connectors.mail.reports import Action

ZHU = "朱镕基"
"""镕 is in GBK and not in GB 2312"""
PDF = "报价单—设备采购（2026年11月）𠮷.pdf"


def word(text: str, label: str, codec: str | None = None) -> bytes:
    return b"=?%b?B?%b?=" % (label.encode(), base64.b64encode(text.encode(codec or label)))


def mail(*headers: bytes, body: bytes = b"hello\r\n") -> bytes:
    return b"\r\n".join((b"From: li@example.cn", b"To: bpm@example.cn", *headers)) + b"\r\n\r\n" + body


# ------------------------------------------------------------------------------------------------- headers


@pytest.mark.parametrize("label", ["gb2312", "GB2312", "gbk", "x-gbk", "gb18030", "cp936"])
def test_labels_of_gb_are_read_as_gb18030(label: str) -> None:
    read = reading.read(mail(b"Subject: " + word(ZHU, label, "gb18030")))
    assert read.subject == ZHU


@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "gbk"])
def test_header_bytes_without_a_label(codec: str) -> None:
    read = reading.read(mail(b"Subject: " + f"报价{ZHU}".encode(codec)))
    assert read.subject == f"报价{ZHU}"


def test_a_character_cut_between_two_encoded_words() -> None:
    content = ZHU.encode("utf-8")
    words = b"\r\n ".join(b"=?utf-8?B?%b?=" % base64.b64encode(part) for part in (content[:4], content[4:]))
    assert reading.read(mail(b"Subject: " + words)).subject == ZHU


def test_words_in_quoted_printable_and_text_between_them() -> None:
    read = reading.read(
        mail(
            b"Subject: Re: =?utf-8?Q?=E6=8A=A5=E4=BB=B7_1?= (2) =?gb2312?B?%b?=" % base64.b64encode("单".encode("gbk"))
        )
    )
    assert read.subject == "Re: 报价 1 (2) 单"


def test_an_unknown_charset_and_broken_base64_lose_nothing_else() -> None:
    assert reading.read(mail(b"Subject: =?x-martian?B?5oql?= ok")).subject == "报 ok"
    assert reading.read(mail(b"Subject: =?utf-8?B?A?= ok")).subject.endswith("ok")


def test_names_with_commas_and_encoded_words() -> None:
    raw = (
        b"From: "
        + word("王，磊, 经理", "gb2312", "gb18030")
        + b' <wang@example.cn>\r\nTo: "Li, Na" <li@example.cn>, b@x.cn\r\n\r\n'
    )
    read = reading.read(raw)
    assert read.sender == reading.Mailbox("wang@example.cn", "王，磊, 经理")
    assert [one.address for one in read.to] == ["li@example.cn", "b@x.cn"]
    assert read.to[0].name == "Li, Na"
    careless = reading.read("From: 李娜, 采购 <li@example.cn>\r\n\r\n".encode())
    assert careless.sender.address == "li@example.cn"


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("Mon, 23 Nov 2026 09:30:00 +0800", datetime(2026, 11, 23, 1, 30, tzinfo=UTC)),
        ("23 Nov 2026 09:30", datetime(2026, 11, 23, 9, 30, tzinfo=UTC)),
        ("yesterday", None),
        ("Mon, 99 Nov 2026 09:30:00 +9999", None),
    ],
)
def test_dates(text: str, at: datetime | None) -> None:
    assert reading.read(mail(b"Date: " + text.encode())).at == at


def test_ids_of_a_thread() -> None:
    read = reading.read(
        mail(b"Message-ID: <1@x>", b"In-Reply-To: <2@x> of Monday", b"References: <3@x>\r\n <4@x> <3@x>")
    )
    assert (read.message_id, read.in_reply_to, read.references) == ("<1@x>", ("<2@x>",), ("<3@x>", "<4@x>"))


# ------------------------------------------------------------------------------------------------- bodies and files


def test_text_in_gbk_called_gb2312() -> None:
    raw = mail(b"Content-Type: text/plain; charset=gb2312", body=f"您好，{ZHU}".encode("gbk"))
    assert reading.read(raw).text == f"您好，{ZHU}"


def test_text_in_gbk_called_utf8_or_nothing() -> None:
    for label in (b"; charset=utf-8", b""):
        raw = mail(b"Content-Type: text/plain" + label, body=f"您好，{ZHU}".encode("gbk"))
        assert reading.read(raw).text == f"您好，{ZHU}"


def test_html_alone_is_also_text() -> None:
    body = (
        "<html><head><style>p{}</style></head><body><p>您好，</p><div>报价<b>已</b>收到。<br>谢谢</div>"
        "<ul><li>一<li>二</ul><script>x()</script>"
    )
    read = reading.read(mail(b"Content-Type: text/html; charset=utf-8", body=body.encode()))
    assert read.text == "您好，\n\n报价已收到。\n谢谢\n\n· 一\n\n· 二"
    assert "<b>" in read.html


def test_of_alternatives_one_text_and_one_html_are_taken() -> None:
    message = EmailMessage(policy=SMTP)
    message.set_content("正文")
    message.add_alternative("<p>正文</p>", subtype="html")
    message.add_attachment(b"%PDF-", maintype="application", subtype="pdf", filename=PDF)
    read = reading.read(message.as_bytes())
    assert (read.text, read.html.strip()) == ("正文", "<p>正文</p>")
    assert [(one.name, one.content, one.media_type) for one in read.files] == [(PDF, b"%PDF-", "application/pdf")]


def _named(parameter: bytes, field: bytes = b"Content-Disposition: attachment; ") -> str:
    raw = mail(
        b"Content-Type: multipart/mixed; boundary=b",
        body=b"--b\r\nContent-Type: application/pdf\r\n" * (field.startswith(b"Content-D"))
        + b"--b\r\n" * (not field.startswith(b"Content-D"))
        + field + parameter + b"\r\n\r\n%PDF-\r\n--b--\r\n",
    )  # fmt: skip
    (file,) = reading.read(raw).files
    return file.name


@pytest.mark.parametrize(
    "parameter",
    [
        b'filename="' + word(PDF, "GB18030") + b'"',
        b"filename=" + word(PDF, "utf-8"),
        b"filename*=UTF-8''" + b"".join(b"%%%02X" % octet for octet in PDF.encode()),
        b"filename*=gb2312''" + b"".join(b"%%%02X" % octet for octet in PDF.encode("gb18030")),
        b"filename*0*=UTF-8''" + b"".join(b"%%%02X" % o for o in PDF.encode()[:20])
        + b";\r\n filename*1*=" + b"".join(b"%%%02X" % o for o in PDF.encode()[20:]),
        b"filename=UTF-8''" + b"".join(b"%%%02X" % octet for octet in PDF.encode()),
        b'filename="' + PDF.encode() + b'"',
        b'filename="' + PDF.encode("gb18030") + b'"',
        b'filename="C:\\\\Documents\\\\' + PDF.encode() + b'"',
    ],
)  # fmt: skip
def test_names_of_files(parameter: bytes) -> None:
    assert _named(parameter) == PDF


def test_a_file_with_a_name_of_its_type_alone() -> None:
    assert _named(b'name="' + word(PDF, "gb2312", "gb18030") + b'"', b"Content-Type: application/pdf; ") == PDF


def test_a_forwarded_mail_is_a_file_and_not_part_of_the_text() -> None:
    inner = EmailMessage(policy=SMTP)
    inner["Subject"] = "原邮件"
    inner.set_content("里面")
    outer = EmailMessage(policy=SMTP)
    outer.set_content("外面")
    outer.add_attachment(inner)
    read = reading.read(outer.as_bytes())
    assert read.text == "外面"
    assert [(one.name, one.media_type) for one in read.files] == [("原邮件.eml", "message/rfc822")]


# ------------------------------------------------------------------------------------------------- who wrote it


@pytest.mark.parametrize(
    ("header", "why"),
    [
        (b"Auto-Submitted: auto-replied", "auto_submitted"),
        (b"Auto-Submitted: no", ""),
        (b"Return-Path: <>", "null_sender"),
        (b"Return-Path: <li@example.cn>", ""),
        (b"Precedence: bulk", "bulk"),
        (b"List-Unsubscribe: <mailto:x@y.cn>", "bulk"),
        (b"X-Autoreply: yes", "auto_reply"),
        ("Subject: 自动回复: 报价单".encode(), "auto_reply"),
        ("Subject: 自动回复机器人的报价".encode(), ""),
        (b"Subject: Automatic reply: quote", "auto_reply"),
        (b"Subject: Out of Office", "auto_reply"),
    ],
)
def test_what_no_person_has_written(header: bytes, why: str) -> None:
    assert reading.read(mail(header)).automatic == why


# ------------------------------------------------------------------------------------------------- marks


def test_a_mark_is_found_where_it_stands_and_proves_its_key() -> None:
    mark = marks.find(f"<{marks.of_mail('mail:7:k', 4711)}@example.cn>")
    assert mark is not None
    assert mark.number == 4711
    assert mark.fits("mail:7:k")
    assert not mark.fits("mail:7:j")
    assert marks.find("<4711@example.cn>") is None


@pytest.mark.parametrize("frame", ["[{}]", "【{}】", "［{}］"])
def test_a_mark_in_a_subject(frame: str) -> None:
    tag = marks.for_subject("k", 12).strip("[]")
    mark = marks.find_in_subject(f"答复: 转发: [外部] 报价 {frame.format(tag.upper())}")
    assert mark is not None
    assert (mark.number, mark.fits("k")) == (12, True)
    assert marks.find_in_subject("报价 [#12]") is None


def test_the_mail_answered_goes_before_older_ones_and_the_subject() -> None:
    raw = mail(
        b"Subject: x " + marks.for_subject("c", 3).encode(),
        f"References: <{marks.of_mail('a', 1)}@x> <{marks.of_mail('b', 2)}@x>".encode(),
        f"In-Reply-To: <{marks.of_mail('d', 4)}@x>".encode(),
    )
    assert [mark.number for mark in reading.read(raw).marks] == [4, 2, 1, 3]


# ------------------------------------------------------------------------------------------------- bounces

REPORT = b"""From: MAILER-DAEMON@mx.example.net
To: bounce@example.cn
Subject: Undelivered Mail
Content-Type: multipart/report; report-type=delivery-status; boundary=b

--b
Content-Type: text/plain

It could not be delivered.
--b
Content-Type: message/delivery-status

Reporting-MTA: dns; mx.example.net
%(envid)s
Final-Recipient: rfc822; li@elsewhere.cn
Original-Recipient: rfc822;li@example.net
Action: failed
Status: 5.1.1
Diagnostic-Code: smtp; 550 5.1.1 no such user

Final-Recipient: rfc822; wang@example.net
Action: %(action)s
Status: 4.4.1

--b
Content-Type: %(kind)s

Message-ID: <%(id)s@example.cn>
Subject: x

--b--
"""


def report(action: str = "delayed", envid: str = "", kind: str = "text/rfc822-headers", key: str = "k") -> bytes:
    values = {
        "envid": f"Original-Envelope-Id: {envid}\n" if envid else "",
        "action": action,
        "kind": kind,
        "id": marks.of_mail(key, 9),
    }
    return (REPORT.decode() % values).encode()


def test_a_report_tells_of_each_recipient_as_we_wrote_to_them() -> None:
    read = reading.read(report())
    assert read.report is not None
    assert [(f.recipient, f.action, f.status) for f in read.report.fates] == [
        ("li@example.net", Action.FAILED, "5.1.1"),
        ("wang@example.net", Action.DELAYED, "4.4.1"),
    ]
    assert read.report.fates[0].diagnostic == "550 5.1.1 no such user"
    assert read.automatic == "report"


@pytest.mark.parametrize("kind", ["text/rfc822-headers", "message/rfc822"])
def test_without_envid_the_quoted_message_id_tells_which_mail(kind: str) -> None:
    found = reading.read(report(kind=kind)).report
    assert found is not None
    assert found.mark == marks.Mark(9, marks.hashed("k"))


def test_the_envid_goes_before_the_message_id() -> None:
    found = reading.read(report(envid=marks.of_mail("other", 8))).report
    assert found is not None
    assert found.mark == marks.Mark(8, marks.hashed("other"))


@pytest.mark.parametrize("action", ["delivered", "relayed"])
def test_success_is_told_too(action: str) -> None:
    found = reading.read(report(action)).report
    assert found is not None
    assert found.fates[1].action == action


QMAIL = b"""Return-Path: <>
From: MAILER-DAEMON@mx.example.net
To: bounce@example.cn
Subject: failure notice

Hi. This is the qmail-send program at mx.example.net.
I'm afraid I wasn't able to deliver your message to the following addresses.
This is a permanent error; I've given up. Sorry it didn't work out.

<li@example.net>:
No such user.

--- Below this line is a copy of the message.

Message-ID: <%s@example.cn>
"""


def test_a_bounce_in_words_is_understood_by_the_second_opinion() -> None:
    read = reading.read(QMAIL % marks.of_mail("k", 9).encode())
    assert read.report is not None
    assert [(f.recipient, f.action) for f in read.report.fates] == [("li@example.net", Action.FAILED)]
    assert read.report.mark == marks.Mark(9, marks.hashed("k"))


def test_a_customer_who_quotes_a_bounce_has_not_bounced() -> None:
    body = QMAIL.partition(b"\n\n")[2]
    assert reading.read(mail(b"Subject: what is this?", body=body)).report is None


# ------------------------------------------------------------------------------------------------- whatever comes


@given(st.binary(max_size=400))
def test_no_bytes_stop_the_reader(raw: bytes) -> None:
    reading.read(raw)
    reading.read(b"Content-Type: multipart/mixed; boundary=b\r\nSubject: " + raw + b"\r\n\r\n--b\r\n" + raw)


@pytest.mark.parametrize("label", ["utf-7", "unicode_escape", "raw-unicode-escape", "idna", "punycode", "undefined"])
def test_no_label_makes_text_that_cannot_be_stored(label: str) -> None:
    """UTF-7 spells half of a character as +2AA-, Python's own escapes as \\ud800."""
    words = b"xn--a.\x80 +2AA- \\ud800 end"
    kind = b"Content-Type: text/plain; charset=" + label.encode()
    read = reading.read(mail(b"Subject: =?%b?Q?+2AA-=5Cud800?=" % label.encode(), kind, body=words))
    assert read.automatic == ""
    assert read.text.endswith("end")
    (read.subject + read.text).encode()


def test_a_mail_nested_too_deeply_still_says_who_wrote_it() -> None:
    deep = b"Content-Type: message/rfc822\r\n\r\n" * 3000
    read = reading.read(b"From: li@example.cn\r\nSubject: deep\r\n" + deep)
    assert (read.automatic, read.sender.address, read.subject) == ("unreadable", "li@example.cn", "deep")


def test_the_same_mail_by_two_ways_has_one_fingerprint() -> None:
    one, other = mail(b"Message-ID: <1@x>"), b"Received: by mx2\r\n" + mail(b"Message-ID: <1@x>")
    assert reading.fingerprint(one, "<1@x>") == reading.fingerprint(other.replace(b"\r\n", b"\n"), "<1@x>")
    forged = mail(b"Message-ID: <1@x>", body=b"other words")
    assert reading.fingerprint(one, "<1@x>") != reading.fingerprint(forged, "<1@x>")
    assert reading.fingerprint(one, "") != reading.fingerprint(other, "")


# ------------------------------------------------------------------------------------------------- HTML


def test_cleaned_html_runs_and_fetches_nothing() -> None:
    dirty = (
        '<body onload="x()" background="http://t.cn/b.png"><script>x()</script><p style="color:red" onclick="x()">'
        "您好</p>尾"
        '<img src="http://t.cn/pixel.gif"><img src="cid:logo@x"><a href="javascript:x()">a</a>'
        '<a href="https://x.cn/">b</a>'
        '<div style="background:url(http://t.cn/x)">c</div><form action="/x"><input></form><iframe src="/"></iframe>'
        '<svg><script>x()</script></svg><meta http-equiv=refresh content="0;url=http://t.cn"><base href="http://t.cn">'
        "<p style=\"background:-webkit-image-set('http://t.cn/y' 1x)\">e</p>"
        '<p style="width:expr\\65ssion(x())">d</p><!-- [if mso]><script>x()</script><![endif] --></body>'
    )
    cleaned = html.clean(dirty, {"logo@x": "data:image/png;base64,AAAA"})
    for evil in (
        "script",
        "onload",
        "onclick",
        "t.cn",
        "javascript",
        "form",
        "iframe",
        "svg",
        "meta http",
        "base href",
        "expr",
    ):
        assert evil not in cleaned.replace('<meta charset="utf-8">', "")
    for good in (
        'style="color:red"',
        "您好",
        "尾",
        'src="data:image/png;base64,AAAA"',
        'href="https://x.cn/"',
        'rel="noopener noreferrer"',
    ):
        assert good in cleaned


@given(st.text(max_size=200))
def test_any_html_can_be_cleaned(source: str) -> None:
    html.clean(source)
    html.to_text(source)


def test_html_as_deep_as_an_attack() -> None:
    assert isinstance(html.to_text("<div>" * 5000 + "x"), str)


def test_where_answers_are_wished() -> None:
    raw = b"From: a@b.cn\r\nReply-To: =?utf-8?B?5a6i5pyN?= <desk@b.cn>, two@b.cn\r\n\r\nx"
    assert [(one.address, one.name) for one in reading.read(raw).reply_to] == [("desk@b.cn", "客服"), ("two@b.cn", "")]
    assert reading.read(b"From: a@b.cn\r\n\r\nx").reply_to == ()


@pytest.mark.parametrize(
    ("subject", "answer"),
    [
        ("报价单", "Re: 报价单"),
        ("RE: 报价单", "RE: 报价单"),
        ("回复：报价单", "回复：报价单"),
        ("答复: x", "答复: x"),
        ("Re[2]: x", "Re[2]: x"),
        ("Rebate", "Re: Rebate"),
        ("", "Re:"),
    ],
)
def test_an_answers_subject_says_re_once(subject: str, answer: str) -> None:
    assert quoting.answer_subject(subject) == answer


def test_the_conversation_below_an_answer_is_marked_and_read_as_such() -> None:
    below = quoting.quoted("同意。\n\n> 请查收\n")
    assert below == "> 同意。\n>\n>> 请查收"
    assert quoting.new_words(f"好的。\n\nOn 2026-11-27 14:05, 王磊 wrote:\n{below}\n") == "好的。"
    assert quoting.new_words(f"好的。\n\n2026-11-27 14:05，王磊写道：\n{below}\n") == "好的。"


def test_a_subject_without_our_marks() -> None:
    assert marks.without("Re: 报价单 [#4711-3fa9c1] 【#12-aaaaaa】") == "Re: 报价单"
