"""The mailbox against a real Dovecot, fed by a real Postfix; and against a server that misbehaves."""

from __future__ import annotations

import shutil
import threading
import time
from datetime import UTC, date, datetime
from pathlib import Path

import pytest

from connectors.mail import marks, reading
from connectors.mail.imap import LARGEST, ImapMailbox, ImapSettings
from connectors.mail.mailbox import LONGEST_PAUSE, REFUSED_PAUSE, Cursor, Fetched, Patience
from connectors.mail.reports import Action
from connectors.mail.smtp import SmtpTransport
from connectors.mail.transport import Attachment, OutMail
from connectors.outcome import LinkDown, LinkState, Misconfigured, PeerRefused, PeerSilent, Verdict
from tests.connectors.imap_peer import CUT, SILENCE, scripted_imap
from tests.connectors.mail_house import HOST, PASSWORD, MailHouse
from tests.connectors.smtp_peers import make_certificate

LONG_AGO = date(2020, 1, 1)
PDF = "报价单—设备采购（2026年11月）𠮷.pdf"
SUBJECT = "关于贵公司二〇二六年第四季度服务器设备采购项目报价单及技术规格书的补充说明与交货安排，请查收" * 2
BEGIN = Cursor()


@pytest.fixture
def house(mail_house: MailHouse) -> MailHouse:
    mail_house.empty()
    return mail_house


def out(key: str = "mail:7:k", number: int = 4711, to: str = "bpm@example.cn", **more: object) -> OutMail:
    fields = {"subject": SUBJECT, "text": "您好：\n请见附件。\n", "at": datetime(2026, 11, 23, 1, 30, tzinfo=UTC)}
    return OutMail(id=key, number=number, to=(to,), **(fields | more))


def fetched(box: ImapMailbox, after: Cursor = BEGIN) -> list[Fetched]:
    return list(box.fetch(after, LONG_AGO))


# ------------------------------------------------------------------------------------------------- the round trip


def test_a_mail_goes_out_over_starttls_and_comes_in_over_tls_as_it_was(house: MailHouse) -> None:
    road = SmtpTransport.from_url(house.smtp_url("smtp+starttls", "bpm"), "云流流程平台 <bpm@example.cn>")
    pdf = Attachment(PDF, bytes(range(256)) * 50, "application/pdf")
    sent = road.send(
        out(html="<p>请见<b>附件</b>。</p>", attachments=(pdf,), tagged=True, cc=("王磊 <wang@example.cn>",))
    )
    assert sent.outcome.verdict is Verdict.ACCEPTED
    house.until("bpm", 1)

    box = ImapMailbox.from_url(house.imap_url("bpm", filed="已处理"))
    (found,) = fetched(box)
    read = reading.read(found.raw)
    assert found.whole
    assert read.subject == f"{SUBJECT} {marks.for_subject('mail:7:k', 4711)}"
    assert read.sender == reading.Mailbox("bpm@example.cn", "云流流程平台")
    assert read.cc == (reading.Mailbox("wang@example.cn", "王磊"),)
    assert read.text == "您好：\n请见附件。"
    assert read.html.strip() == "<p>请见<b>附件</b>。</p>"
    assert [(one.name, one.content) for one in read.files] == [(PDF, pdf.content)]
    assert read.message_id == sent.message_id
    assert read.automatic == "auto_submitted"  # our own mail, come back to us, is nobody's letter

    box.file(found.at.uid)
    box.close()
    assert len(house.until("bpm", 1, folder="已处理")) == 1
    assert house.until("bpm", 0) == []


def test_the_cursor_goes_on_where_it_stood(house: MailHouse) -> None:
    for number in range(3):
        house.inject(f"Subject: {number}\r\n\r\nx".encode(), "bpm")
        house.until("bpm", number + 1)  # the servers keep no order of their own
    box = ImapMailbox.from_url(house.imap_url("bpm"))
    first = fetched(box)
    assert [reading.read(one.raw).subject for one in first] == ["0", "1", "2"]
    assert fetched(box, first[-1].at) == []
    assert fetched(box, first[1].at) == [first[2]]
    box.file(first[0].at.uid)
    with house.look("bpm") as theirs:
        assert next(one.flags for one in theirs.fetch(mark_seen=False)) == ("\\Seen",)
    house.empty()  # a new folder under the old name: other UIDs, another UIDVALIDITY
    time.sleep(1.1)  # it is a second's number with Dovecot
    house.inject(b"Subject: new\r\n\r\nx", "bpm")
    house.until("bpm", 1)
    again = fetched(box, first[-1].at)
    assert [reading.read(one.raw).subject for one in again] == ["new"]
    assert again[0].at.validity != first[0].at.validity
    box.close()


def test_old_mail_of_a_mailbox_new_to_us_stays_where_it_is(house: MailHouse) -> None:
    house.inject(b"Subject: now\r\n\r\nx", "bpm")
    house.until("bpm", 1)
    with house.look("bpm") as theirs:
        theirs.append(b"Subject: years ago\r\n\r\nx", dt=datetime(2021, 1, 1, tzinfo=UTC))
    box = ImapMailbox.from_url(house.imap_url("bpm"))
    recent = list(box.fetch(BEGIN, date(2022, 1, 1)))
    assert [reading.read(one.raw).subject for one in recent] == ["now"]
    box.close()


def test_of_a_mail_too_large_the_header_alone_is_taken(house: MailHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("connectors.mail.imap.LARGEST", 500)
    house.inject(b"Subject: big\r\n\r\n" + b"x" * 900 + b"\r\n", "bpm")
    house.until("bpm", 1)
    box = ImapMailbox.from_url(house.imap_url("bpm"))
    (found,) = fetched(box)
    assert (found.whole, found.size > 900) == (False, True)
    assert b"xxx" not in found.raw
    assert reading.read(found.raw).subject == "big"
    box.close()
    assert LARGEST > 25 * 1024 * 1024


# ------------------------------------------------------------------------------------------------- bounces


def test_a_bounce_comes_to_its_own_mailbox_with_our_mark(house: MailHouse) -> None:
    road = SmtpTransport.from_url(house.smtp_url(), "云流 <bpm@example.cn>", "bounce@example.cn")
    sent = road.send(out(to="nobody@example.cn"))
    assert sent.outcome.verdict is Verdict.ACCEPTED  # the server finds out later
    (raw,) = house.until("bounce", 1)
    read = reading.read(raw)
    assert read.report is not None
    assert [(fate.recipient, fate.action, fate.status) for fate in read.report.fates] == [
        ("nobody@example.cn", Action.FAILED, "5.1.1")
    ]
    assert read.report.mark == marks.Mark(4711, marks.hashed("mail:7:k"))
    assert b"Original-Envelope-Id" in raw
    assert "请见附件".encode() not in raw  # RET=HDRS: the content does not travel back
    assert house.until("bpm", 0) == []


# ------------------------------------------------------------------------------------------------- waiting


def test_idle_wakes_when_a_mail_comes(house: MailHouse) -> None:
    box = ImapMailbox.from_url(house.imap_url("bpm"))
    assert fetched(box) == []
    stop = threading.Event()
    threading.Timer(0.3, house.inject, (b"Subject: hi\r\n\r\nx", "bpm")).start()
    began = time.monotonic()
    assert box.wait(20, stop)
    assert time.monotonic() - began < 5
    assert len(fetched(box)) == 1
    box.close()


def test_waiting_ends_in_time_and_when_told_to_stop(house: MailHouse) -> None:
    box = ImapMailbox.from_url(house.imap_url("bpm"))
    fetched(box)
    stop = threading.Event()
    assert not box.wait(0.6, stop)
    stop.set()
    began = time.monotonic()
    assert not box.wait(60, stop)
    assert time.monotonic() - began < 3
    assert fetched(box) == []  # the link is whole
    box.close()


# ------------------------------------------------------------------------------------------------- what goes wrong


def test_a_refused_login_is_not_tried_again_for_an_hour(house: MailHouse) -> None:
    box = ImapMailbox.from_url(house.imap_url("bpm", password="wrong"))
    with pytest.raises(PeerRefused) as refused:
        fetched(box)
    assert refused.value.code == "auth_refused"
    assert (box.health().state, box.health().reason) == (LinkState.DOWN, "auth_refused")
    assert Patience().after(refused.value) == REFUSED_PAUSE
    assert "wrong" not in f"{refused.value!r}{refused.value.__cause__}{refused.value.__context__}"


@pytest.mark.parametrize("scheme", ["imaps", "imap+starttls"])
def test_an_unknown_certificate_is_refused_on_both_roads(house: MailHouse, scheme: str) -> None:
    settings = ImapSettings.parse(house.imap_url("bpm", scheme=scheme))
    stranger = ImapMailbox(ImapSettings(settings.security, settings.host, settings.port, settings.user, PASSWORD))
    with pytest.raises(LinkDown) as refused:
        fetched(stranger)
    assert refused.value.code == "certificate_untrusted"
    known = ImapMailbox(settings)
    assert fetched(known) == []
    assert known.health().state is LinkState.UP
    known.close()


def test_smtp_refuses_an_unknown_certificate_of_starttls_too(house: MailHouse) -> None:
    road = SmtpTransport.from_url(f"smtp+starttls://{HOST}:{house.submission}", "bpm@example.cn")
    assert road.send(out()).outcome.code == "certificate_untrusted"


def test_nobody_there(house: MailHouse) -> None:
    box = ImapMailbox.from_url(f"imaps://a:b@{HOST}:9/INBOX?ca={house.ca}")
    with pytest.raises(LinkDown) as trouble:
        fetched(box)
    assert trouble.value.code == "unreachable"


def test_a_folder_that_is_not_there(house: MailHouse) -> None:
    box = ImapMailbox.from_url(house.imap_url("bpm").replace("/INBOX", "/%E6%B2%A1%E6%9C%89"))
    with pytest.raises(PeerRefused) as trouble:
        fetched(box)
    assert trouble.value.code == "imap_refused"


needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl: apt-get install openssl")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("imap-tls"))


def at(port: int, certificate: tuple[Path, Path]) -> ImapMailbox:
    return ImapMailbox.from_url(f"imaps://bpm:pw@{HOST}:{port}/INBOX?ca={certificate[0]}&timeout=0.4")


@needs_openssl
@pytest.mark.parametrize("word", ["LOGIN", "SELECT", "SEARCH"])
def test_a_silent_server_is_noticed(certificate: tuple[Path, Path], word: str) -> None:
    with scripted_imap(certificate, **{word: SILENCE}) as (port, _heard):
        box = at(port, certificate)
        with pytest.raises(PeerSilent):
            fetched(box)
        assert box.health().reason == "peer_silent"


@needs_openssl
def test_a_server_silent_while_we_idle_is_noticed(certificate: tuple[Path, Path]) -> None:
    with scripted_imap(certificate, DONE=SILENCE) as (port, _heard):
        box = at(port, certificate)
        fetched(box)
        with pytest.raises(PeerSilent):
            box.wait(0.1, threading.Event())


@needs_openssl
def test_a_lost_link_is_told_and_made_anew_by_the_next_call(certificate: tuple[Path, Path]) -> None:
    with scripted_imap(certificate, IDLE=CUT) as (port, heard):
        box = at(port, certificate)
        fetched(box)
        with pytest.raises(LinkDown) as lost:
            box.wait(5, threading.Event())
        assert lost.value.code == "connection_lost"
        fetched(box)
        assert sum("LOGIN" in line for line in heard) == 2
        box.close()


@needs_openssl
def test_a_search_that_is_refused_is_no_empty_mailbox(certificate: tuple[Path, Path]) -> None:
    script = {"SEARCH": "* SEARCH 1", "FETCH": "NO [SERVERBUG] disk"}
    with scripted_imap(certificate, **script) as (port, _heard), pytest.raises(PeerRefused):
        fetched(at(port, certificate))


@needs_openssl
def test_a_server_that_will_not_let_anybody_in_now_is_asked_again_soon(certificate: tuple[Path, Path]) -> None:
    later = {"LOGIN": "NO [UNAVAILABLE] later"}
    with scripted_imap(certificate, **later) as (port, _heard), pytest.raises(PeerRefused) as trouble:
        fetched(at(port, certificate))
    assert trouble.value.code == "imap_refused"
    assert Patience().after(trouble.value) < LONGEST_PAUSE


@needs_openssl
def test_whoever_wants_to_know_our_name_is_told_before_the_folder_is_opened(certificate: tuple[Path, Path]) -> None:
    """163.com answers SELECT with "Unsafe Login" otherwise."""
    with scripted_imap(certificate, CAPABILITY="* CAPABILITY IMAP4rev1 ID IDLE") as (port, heard):
        box = at(port, certificate)
        fetched(box)
        box.close()
    commands = [line.split(" ")[1] for line in heard if " " in line]
    assert commands.index("ID") == commands.index("SELECT") - 1


def test_pauses_grow_and_begin_anew() -> None:
    patience = Patience()
    lost = LinkDown("x")
    assert [patience.after(lost) for _each in range(8)] == [1, 2, 4, 8, 16, 32, 60, 60]
    patience.reset()
    assert patience.after(lost) == 1


# ------------------------------------------------------------------------------------------------- settings


def test_an_address_of_a_mailbox() -> None:
    settings = ImapSettings.parse(
        "imaps://bpm%40example.cn:p%40ss%2F@imap.example.cn/%E5%85%AC%E5%8F%B8/%E6%94%B6?filed=%E5%B7%B2%E5%A4%84%E7%90%86"
    )
    assert (settings.user, settings.password, settings.port) == ("bpm@example.cn", "p@ss/", 993)
    assert (settings.folder, settings.filed) == ("公司/收", "已处理")
    assert "p@ss" not in repr(settings)
    assert "p@ss" not in ImapMailbox(settings).name


@pytest.mark.parametrize(
    "url",
    [
        "imap://a:b@host/INBOX",
        "imaps://host/INBOX",
        "imaps://a:b@/INBOX",
        "imaps://a:b@host/?keep=all",
        "imaps://a:b@host:x/",
        "imaps://a%0D:b@host/",
        "imaps://a:b@host/?ca=/nowhere.pem",
    ],
)
def test_an_address_that_is_none(url: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        ImapMailbox.from_url(url)
    assert url not in str(refused.value)


def test_no_socket_is_left_open(house: MailHouse) -> None:
    """Ports of refused and lost links are closed: a mailbox that is down for a week must not eat the process."""
    before = len(list(Path("/proc/self/fd").iterdir()))
    for _each in range(2):
        box = ImapMailbox.from_url(house.imap_url("bpm", password="wrong"))
        with pytest.raises(PeerRefused):
            fetched(box)
    assert len(list(Path("/proc/self/fd").iterdir())) <= before + 1
