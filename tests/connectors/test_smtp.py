"""Mail over SMTP: every end of a conversation, against aiosmtpd and a scripted server."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from urllib.parse import quote

import pytest

from connectors.mail.smtp import RETRY_AFTER, Security, SmtpSettings, SmtpTransport
from connectors.mail.transport import Attachment, OutMail
from connectors.outcome import LinkState, Misconfigured, Verdict
from tests.connectors.smtp_peers import (
    CUT,
    HOST,
    PASSWORD,
    SILENCE,
    USER,
    Postbox,
    free_port,
    mail_server,
    make_certificate,
    scripted_server,
    server_context,
)

SENDER = "云流 <bpm@example.cn>"
LI, WANG = "li@example.cn", "wang@example.cn"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl: apt-get install openssl")


def mail(**more: object) -> OutMail:
    fields = {
        "id": "outbox-7",
        "to": (f"李丽 <{LI}>",),
        "subject": "报销单 EC-000123 已通过",
        "text": "您的报销单已通过。\n.\n..\n.点开头的行\n",
        "at": datetime(2026, 11, 23, 9, 30, tzinfo=UTC),
    }
    return OutMail(**(fields | more))


def road(port: int, scheme: str = "smtp", query: str = "", login: str = "") -> SmtpTransport:
    settings = SmtpSettings.parse(f"{scheme}://{login}{HOST}:{port}{query}")
    return SmtpTransport(settings, SENDER, random_fraction=lambda: 0.5)


LOGIN = f"{quote(USER)}:{quote(PASSWORD, safe='')}@"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def box() -> Postbox:
    return Postbox()


@pytest.fixture
def port(box: Postbox) -> Iterator[int]:
    with mail_server(box) as port:
        yield port


# --- taken ---


def test_a_mail_arrives_whole(box: Postbox, port: int) -> None:
    transport = road(port)
    pdf = Attachment("报价单—设备采购（2026年11月）𠮷.pdf", bytes(range(256)) * 40, "application/pdf")
    result = transport.send(
        mail(html="<p>已<b>通过</b></p>", attachments=(pdf,), cc=(WANG,), bcc=("audit@example.cn",))
    )
    assert result.outcome.verdict is Verdict.ACCEPTED
    assert set(result.recipients) == {LI, WANG, "audit@example.cn"}
    ((envelope, read),) = box.mails
    assert (envelope.mail_from, envelope.rcpt_tos) == ("bpm@example.cn", [LI, WANG, "audit@example.cn"])
    assert read["Subject"] == "报销单 EC-000123 已通过"
    assert read["To"].addresses[0].display_name == "李丽"
    assert read["From"].addresses[0].display_name == "云流"
    assert read["Message-ID"] == result.message_id
    assert "audit" not in read.as_string()
    text, html = (read.get_body((kind,)) for kind in ("plain", "html"))
    assert text is not None
    assert html is not None
    assert text.get_content().splitlines() == mail().text.splitlines()
    assert "<b>通过</b>" in html.get_content()
    (attached,) = read.iter_attachments()
    assert (attached.get_filename(), attached.get_content()) == (pdf.filename, pdf.content)
    assert transport.health().state is LinkState.UP


@needs_openssl
def test_starttls_with_login(box: Postbox, certificate: tuple[Path, Path]) -> None:
    with mail_server(box, tls_context=server_context(*certificate), auth_required=True) as port:
        transport = road(port, "smtp+starttls", f"?ca={certificate[0]}", LOGIN)
        assert transport.send(mail()).outcome.is_accepted
    assert box.logins == [(USER.encode(), True)]
    assert len(box.mails) == 1


@needs_openssl
def test_tls_from_the_start(box: Postbox, certificate: tuple[Path, Path]) -> None:
    with mail_server(box, ssl_context=server_context(*certificate)) as port:
        assert road(port, "smtps", f"?ca={certificate[0]}").send(mail()).outcome.is_accepted
    assert len(box.mails) == 1


# --- not trusted, not let in ---


@needs_openssl
@pytest.mark.parametrize("scheme", ["smtps", "smtp+starttls"])
def test_an_unknown_certificate_is_no_server(box: Postbox, certificate: tuple[Path, Path], scheme: str) -> None:
    kind = "ssl_context" if scheme == "smtps" else "tls_context"
    with mail_server(box, **{kind: server_context(*certificate)}) as port:
        transport = road(port, scheme, login=LOGIN)
        outcome = transport.send(mail()).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.DEFERRED, "certificate_untrusted")
    assert (transport.health().state, transport.health().reason) == (LinkState.DOWN, "certificate_untrusted")
    assert box.logins == []
    assert box.mails == []


@needs_openssl
def test_a_certificate_for_another_name_is_no_server(box: Postbox, tmp_path: Path) -> None:
    certificate = make_certificate(tmp_path, "DNS:other.example")
    with mail_server(box, tls_context=server_context(*certificate)) as port:
        outcome = road(port, "smtp+starttls", f"?ca={certificate[0]}").send(mail()).outcome
    assert outcome.code == "certificate_untrusted"


def test_without_starttls_nothing_is_said(box: Postbox, port: int) -> None:
    outcome = road(port, "smtp+starttls", login=LOGIN).send(mail()).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.DEFERRED, "no_starttls")
    assert box.logins == []
    assert box.mails == []


def test_login_asked_for_where_none_is_offered(box: Postbox, port: int) -> None:
    outcome = road(port, login=LOGIN).send(mail()).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.DEFERRED, "no_auth")
    assert box.mails == []


@needs_openssl
def test_a_refused_password_is_tried_once(
    box: Postbox, certificate: tuple[Path, Path], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with mail_server(box, tls_context=server_context(*certificate), auth_required=True) as port:
        transport = road(port, "smtp+starttls", f"?ca={certificate[0]}", f"{quote(USER)}:wrong-word@")
        for _attempt in range(3):
            outcome = transport.send(mail()).outcome
            assert (outcome.verdict, outcome.code, outcome.tried) == (Verdict.DEFERRED, "auth_refused", False)
    assert {user for user, _encrypted in box.logins} == {USER.encode()}
    assert box.connections == 1
    assert transport.health().reason == "auth_refused"
    ours = " ".join(str(vars(record)) for record in caplog.records if record.name.startswith("connectors"))
    assert "mail.stopped" in ours
    assert "wrong-word" not in ours + repr(vars(transport))


def test_a_login_that_fails_for_now_is_tried_later() -> None:
    script = {"EHLO": "250-hello\n250 AUTH PLAIN", "AUTH": "454 4.7.0 busy"}
    with scripted_server(**script) as (port, _heard):
        transport = road(port, login=LOGIN)
        outcome = transport.send(mail()).outcome
    assert (outcome.verdict, outcome.code, outcome.tried) == (Verdict.DEFERRED, "smtp_454", True)


# --- refused, by recipient and as a whole ---


def test_one_bad_of_two_recipients(box: Postbox, port: int) -> None:
    box.replies[WANG] = "550 5.1.1 no such user"
    result = road(port).send(mail(to=(LI, WANG)))
    assert result.outcome.verdict is Verdict.ACCEPTED
    assert result.recipients[LI].is_accepted
    assert (result.recipients[WANG].verdict, result.recipients[WANG].code) == (Verdict.REJECTED, "smtp_550")
    assert result.recipients[WANG].text == "5.1.1 no such user"
    assert [envelope.rcpt_tos for envelope, _mail in box.mails] == [[LI]]


def test_one_waiting_of_two_is_sent_again_alone(box: Postbox, port: int) -> None:
    box.replies[WANG] = "450 4.2.1 mailbox busy"
    message = mail(to=(LI, WANG))
    first = road(port).send(message)
    assert (first.outcome.verdict, first.settled) == (Verdict.DEFERRED, {LI})
    del box.replies[WANG]
    second = road(port).send(message.again(first))
    assert second.outcome.is_accepted
    assert [envelope.rcpt_tos for envelope, _mail in box.mails] == [[LI], [WANG]]
    assert first.message_id == second.message_id


@pytest.mark.parametrize(
    ("where", "reply", "verdict"),
    [
        (LI, "550 5.1.1 no such user", Verdict.REJECTED),
        (LI, "451 4.3.0 try later", Verdict.DEFERRED),
        ("MAIL", "553 5.1.8 sender refused", Verdict.REJECTED),
        ("MAIL", "452 4.3.1 no space", Verdict.DEFERRED),
        ("DATA", "554 5.7.1 looks like spam", Verdict.REJECTED),
        ("DATA", "451 4.7.1 greylisted", Verdict.DEFERRED),
    ],
)
def test_a_refusal_counts_by_its_first_digit(box: Postbox, port: int, where: str, reply: str, verdict: Verdict) -> None:
    box.replies[where] = reply
    transport = road(port)
    result = transport.send(mail())
    assert (result.outcome.verdict, result.outcome.code) == (verdict, f"smtp_{reply[:3]}")
    assert result.recipients[LI] == result.outcome
    assert box.mails == []
    assert transport.health().state is LinkState.UP


def test_a_mail_larger_than_the_server_takes_is_not_offered(box: Postbox) -> None:
    with mail_server(box, data_size_limit=5000) as port:
        outcome = road(port).send(mail(attachments=(Attachment("a.bin", bytes(5000)),))).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.REJECTED, "too_big")


def test_what_cannot_be_written_never_connects() -> None:
    outcome = road(free_port()).send(mail(subject="hello\r\nBcc: everybody@example.cn")).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.REJECTED, "bad_header")


# --- lost ---


@pytest.mark.parametrize("word", ["greeting", "EHLO", "MAIL", "RCPT", "DATA"])
def test_cut_before_the_final_dot_the_mail_waits(word: str) -> None:
    script = {word: CUT} | ({"HELO": CUT} if word == "EHLO" else {})
    with scripted_server(**script) as (port, heard):
        transport = road(port)
        result = transport.send(mail())
    assert (result.outcome.verdict, result.recipients[LI].verdict) == (Verdict.DEFERRED, Verdict.DEFERRED)
    assert transport.health().state is LinkState.DOWN
    assert "." not in heard


@pytest.mark.parametrize("end", [CUT, SILENCE, "gibberish"])
def test_no_answer_to_the_final_dot_is_unknown(end: str) -> None:
    with scripted_server(dot=end) as (port, heard):
        result = road(port, query="?timeout=0.3").send(mail())
    assert (result.outcome.verdict, result.outcome.code) == (Verdict.UNKNOWN, "in_doubt")
    assert "." in heard


@pytest.mark.parametrize("reply", ["421 4.3.2 closing", "554 5.3.2 not here"])
def test_a_server_that_will_not_talk_says_nothing_about_the_mail(reply: str) -> None:
    with scripted_server(greeting=reply) as (port, _heard):
        outcome = road(port).send(mail()).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.DEFERRED, f"smtp_{reply[:3]}")


def test_a_server_that_is_not_there() -> None:
    transport = road(free_port())
    outcome = transport.send(mail()).outcome
    assert (outcome.verdict, outcome.code) == (Verdict.DEFERRED, "unreachable")
    assert (transport.health().state, transport.health().reason) == (LinkState.DOWN, "unreachable")


def test_a_silent_server_is_not_waited_for_for_ever() -> None:
    with scripted_server(greeting=SILENCE) as (port, _heard):
        outcome = road(port, query="?timeout=0.3").send(mail()).outcome
    assert outcome.verdict is Verdict.DEFERRED


def test_pauses_grow_for_a_day_and_then_the_mail_is_given_up() -> None:
    transport, message, pauses = road(free_port()), mail(), []
    while (result := transport.send(message)).outcome.retry_after:
        pauses.append(result.outcome.retry_after)
        message = message.again(result)
    assert tuple(pauses) == RETRY_AFTER
    assert sum(pauses, timedelta()) < timedelta(days=1)
    assert (result.outcome.verdict, result.outcome.code) == (Verdict.REJECTED, "unreachable")


@pytest.mark.parametrize(("fraction", "seconds"), [(0.0, 48.0), (1.0, 72.0)])
def test_pauses_are_scattered(fraction: float, seconds: float) -> None:
    settings = SmtpSettings.parse(f"smtp://{HOST}:{free_port()}")
    outcome = SmtpTransport(settings, SENDER, random_fraction=lambda: fraction).send(mail()).outcome
    assert outcome.retry_after == timedelta(seconds=seconds)


def test_bounces_are_asked_for_where_the_server_can() -> None:
    with scripted_server(EHLO="250-hello\n250-SIZE 0\n250 DSN") as (port, heard):
        assert road(port).send(mail()).outcome.is_accepted
    (mail_from,) = (line for line in heard if line.startswith("mail"))
    (rcpt_to,) = (line for line in heard if line.startswith("rcpt"))
    assert "RET=HDRS ENVID=" in mail_from
    assert rcpt_to.endswith("NOTIFY=FAILURE,DELAY")


# --- settings ---


@pytest.mark.parametrize(
    ("url", "security", "port"),
    [
        ("smtp://mail.example.cn", Security.PLAIN, 25),
        ("smtps://mail.example.cn", Security.TLS, 465),
        ("smtp+starttls://u:p@mail.example.cn", Security.STARTTLS, 587),
        ("smtp+starttls://mail.example.cn:2525/?timeout=5", Security.STARTTLS, 2525),
    ],
)
def test_a_url_says_it_all(url: str, security: Security, port: int) -> None:
    settings = SmtpSettings.parse(url)
    assert (settings.security, settings.host, settings.port) == (security, "mail.example.cn", port)


def test_user_and_password_are_percent_encoded() -> None:
    settings = SmtpSettings.parse(f"smtps://{LOGIN}mail.example.cn")
    assert (settings.user, settings.password) == (USER, PASSWORD)
    assert PASSWORD not in repr(settings)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example.cn",
        "http://u:hush@mail.example.cn",
        "smtps://u:hush@",
        "smtps://u:hush@mail.example.cn:port",
        "smtps://u:hush@mail.example.cn/path",
        "smtps://u:hush@mail.example.cn?verify=no",
        "smtps://u:hush@mail.example.cn?timeout=soon",
        "smtp://u:hush@mail.example.cn",
        "smtps://u:hush@mail.example.cn?ca=/nowhere/ca.pem",
        "smtps://u:hush页@mail.example.cn",
    ],
)
def test_a_wrong_url_is_refused_and_not_repeated(url: str) -> None:
    with pytest.raises(Misconfigured) as refusal:
        SmtpTransport.from_url(url, SENDER)
    assert "hush" not in str(refusal.value)


def test_a_wrong_sender_is_refused_at_the_start() -> None:
    with pytest.raises(Misconfigured, match="MAIL_FROM"):
        SmtpTransport.from_url("smtp://mail.example.cn", "nobody")
