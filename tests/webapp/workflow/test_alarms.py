"""What breaks in earnest, from the peer to the page: the health line, the alarm, and what becomes of what waits."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session as SmtpSession
from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from connectors.mail.imap import ImapMailbox
from connectors.mail.smtp import SmtpTransport
from connectors.sms.at import Timing
from connectors.sms.modem import ModemSms
from connectors.telephony.ami import exchange as ami, link as ami_link
from connectors.telephony.ami.exchange import AsteriskExchange
from connectors.telephony.ami.link import AmiSettings
from engine import delivering, health, jobs, outbox, runtime, wire_tests
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.errors import RuleViolation
from engine.models import OutboxMessage, WireHealth
from processes.messaging.models import SmsReceived
from processes.messaging.rules import reason_of
from processes.telephony import operations as telephony
from processes.telephony.models import Agent, Call, CallCommand
from tests.conftest import TestClock
from tests.connectors import call_traces as traces
from tests.connectors.ami_exchange import AmiExchange
from tests.connectors.imap_peer import scripted_imap
from tests.connectors.pdu_peer import deliver
from tests.connectors.pty_modem import PtyModem
from tests.connectors.smtp_peers import HOST, USER, Postbox, mail_server, make_certificate
from tests.demo_house import DemoHouse
from tests.webapp.workflow.alarms import Line, Watched, held, look, until
from webapp import wires
from webapp.listeners import mail as mail_listener, sms as sms_listener, telephony as telephony_listener

Watch = Callable[..., Watched]

QUICK = Timing(
    command=0.3, prompt=0.3, final=0.5, quiet=0.02, reopen_first=0.05, reopen_most=0.2, poll=0.02, signal=0.1
)
DOWN = ("Not reachable", "无法连接")
TEXT = "您的费用申请已批准。"
needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="no openssl to make a certificate with")


@pytest.fixture(autouse=True)
def _only_our_wires(house: DemoHouse, clock: TestClock, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The demo company without its simulators and with nothing to send; listeners that do not take their time."""
    monkeypatch.setattr(health, "PERIOD", 0.1)
    monkeypatch.setattr(sms_listener, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(mail_listener, "BEAT_SECONDS", 0.05)
    monkeypatch.setattr(telephony_listener, "REPORT_SECONDS", 0.1)
    with transaction() as session:
        session.execute(delete(WireHealth))
        session.execute(update(OutboxMessage).where(OutboxMessage.state == "queued").values(state="cancelled"))
    Sessions.remove()
    registries: tuple[dict[str, Any], ...] = (outbox.HANDLERS, CATALOG.health, wire_tests.TRIALS)
    kept = [dict(one) for one in registries]
    for one in registries:
        one.clear()
    yield
    for one, before in zip(registries, kept, strict=True):
        one.clear()
        one.update(before)


@pytest.fixture
def watch(house: DemoHouse, clock: TestClock) -> Watch:
    def watched(wire: str, **more: Any) -> Watched:
        return Watched(house, clock, wire, **more)

    return watched


def put(channel: str, payload: dict[str, object]) -> int:
    with transaction() as session:
        made = outbox.enqueue(session, channel=channel, key=f"{channel}:alarm", payload=payload)
    Sessions.remove()
    return made


def text() -> int:
    return put("sms", {"to": "+8619900000001", "text": TEXT})


def ask(question: Callable[[Session], Any]) -> Any:
    try:
        return runtime.perform(question)
    finally:
        Sessions.remove()


# ------------------------------------------------------------------------------------------------- the modem


def holding(peer: PtyModem) -> Any:
    road = ModemSms(str(peer.device), timing=QUICK)
    return held(lambda stop: sms_listener.hold(road, str(peer.device), stop))


CABLE = (
    "Look at the modem's cable and power; it is found again by itself.",
    "请检查短信猫的连线和电源；恢复后会自动找到。",
)


@pytest.mark.parametrize(
    ("broken", "english", "chinese"),
    [
        ("silent", "the modem does not answer", "短信猫没有应答"),
        ("unplugged", "the modem is not there", "找不到短信猫"),
    ],
)
def test_a_dead_modem(watch: Watch, clock: TestClock, broken: str, english: str, chinese: str) -> None:
    sms = watch("sms")
    with PtyModem() as peer, holding(peer):
        sms.is_up()
        if broken == "silent":
            peer.deaf = True
        else:
            peer.unplug()
        made = text()
        until(lambda: str(reason_of(sms.state()[1])) == english)
        sms.alarms(Line(DOWN[0], english, CABLE[0]), Line(DOWN[1], chinese, CABLE[1]))
        until(lambda: (look(made).state, look(made).attempts, look(made).sent_at) == ("queued", 0, None))
        if broken == "silent":
            peer.deaf = False
        else:
            peer.plug()
        sms.is_back()
        clock.advance(minutes=10)  # it is due again
        until(lambda: look(made).state in ("sent", "delivered"))
        assert [heard.text for heard in peer.messages()] == [TEXT]


def test_a_full_sim_that_a_person_must_empty(watch: Watch, clock: TestClock) -> None:
    """Drafts are nobody's to delete but their writer's: the modem stays full until somebody does."""
    sms = watch("sms")
    with PtyModem(capacity=2) as peer, holding(peer):
        sms.is_up()
        for draft in ("一", "二"):
            peer.store(deliver("+8619900000009", draft), state=2, announce=False)
        peer.behaviours.append("+CMS ERROR: 322")
        made = text()
        until(lambda: (look(made).state, look(made).attempts, look(made).sent_at) == ("queued", 1, None))
        sms.alarms(
            Line(
                DOWN[0],
                "the memory for short messages is full; the network delivers no more",
                "Received messages are taken out by themselves; drafts and sent copies must be deleted by hand.",
            ),
            Line(
                DOWN[1],
                "短信存储已满，运营商不再投递新短信",
                "收到的短信会自动取走；草稿和已发副本需要人工删除。",
            ),
        )
        until(lambda: look(made).state in ("sent", "delivered"))  # this modem sends all the same
        assert len(peer.memories["SM"]) == 2, "drafts are left alone"
        peer.memories["SM"].clear()
        sms.is_back()
        assert [heard.text for heard in peer.messages()] == [TEXT]


def test_a_sim_full_of_what_came_in_is_emptied_without_a_person(watch: Watch, clock: TestClock) -> None:
    sms = watch("sms")
    with PtyModem(capacity=2) as peer, holding(peer):
        sms.is_up()
        for number in range(2):
            peer.store(deliver("+8619900000009", f"第{number}条"), announce=False)
        peer.behaviours.append("+CMS ERROR: 322")
        made = text()
        until(lambda: (look(made).state, look(made).attempts, look(made).sent_at) == ("queued", 1, None))
        came_in = select(SmsReceived.text).order_by(SmsReceived.id)
        until(lambda: ask(lambda s: list(s.scalars(came_in)))[-2:] == ["第0条", "第1条"])
        until(lambda: peer.memories["SM"] == {})
        clock.advance(seconds=31)
        until(lambda: look(made).state in ("sent", "delivered"))
        clock.advance(seconds=61)
        sms.is_up()
        jobs.watch_wires()
        assert sms.told() == []
        assert [heard.text for heard in peer.messages()] == [TEXT]


# ------------------------------------------------------------------------------------------------- refused logins

REFUSED = ("the server refused the login", "服务器拒绝登录")


def refused(setting: str) -> tuple[Line, Line]:
    return (
        Line(DOWN[0], REFUSED[0], f"Correct the login in {setting}, or at the server; then start the house anew."),
        Line(DOWN[1], REFUSED[1], f"请改正 {setting} 中的账号，或在服务器上改正；然后重新启动云流。"),
    )


class Guarded(Postbox):
    """Lets nobody in until told otherwise."""

    lets_in = False

    def authenticate(
        self, _server: SMTP, _session: SmtpSession, _envelope: Envelope, _mechanism: str, data: LoginPassword
    ) -> AuthResult:
        self.logins.append((data.login, False))
        return AuthResult(success=self.lets_in, handled=False)


def test_a_login_refused_by_the_mail_server(house: DemoHouse, watch: Watch, clock: TestClock) -> None:
    box = Guarded()
    mail = watch("mail", says=jobs.report_health)
    with mail_server(box, auth_require_tls=False) as port:
        road = SmtpTransport.from_url(f"smtp://{USER.replace('@', '%40')}:wrong@{HOST}:{port}", "bpm@example.cn")
        outbox.HANDLERS["mail"] = handler = wires.MailHandler(road, "bpm@example.cn")
        wires.watch("mail", handler)
        made = put("mail", {"to": ["li.na@example.com"], "subject": "已批准", "text": "您好"})
        delivering.deliver_outbox()
        tried = len(box.logins)  # by each mechanism the server offers
        mail.alarms(*refused("SMTP_URL"))
        clock.advance(hours=2)
        delivering.deliver_outbox()
        waits = look(made)
        assert (waits.state, waits.attempts, waits.sent_at) == ("queued", 0, None)
        assert len(box.logins) == tried > 0, "an account is not hammered until it is locked"
        box.lets_in = True  # somebody has corrected it at the server, and presses "Test"
        house.login("zheng.kai").post("/connectors/mail/test")
        wire_tests.answer()
        mail.is_back()
        clock.advance(hours=2)
        delivering.deliver_outbox()
        assert look(made).state == "sent"
        assert [envelope.rcpt_tos for envelope, found in box.mails if found["Subject"] == "已批准"] == [
            ["li.na@example.com"]
        ]


@needs_openssl
def test_a_login_refused_by_the_mailbox(watch: Watch, tmp_path: Path) -> None:
    mailbox = watch("mailbox")
    certificate = make_certificate(tmp_path)

    def reading(port: int) -> Any:
        box = ImapMailbox.from_url(f"imaps://bpm%40example.cn:secret@{HOST}:{port}?ca={certificate[0]}")
        return held(lambda stop: mail_listener.hold(box, "mailbox", stop))

    with scripted_imap(certificate, LOGIN="NO [AUTHENTICATIONFAILED] no") as (port, heard):
        with reading(port):
            until(lambda: mailbox.state()[1] == "auth_refused")
            mailbox.alarms(*refused("IMAP_URL"))
        assert sum("LOGIN" in line for line in heard) == 1, "an account is not hammered until it is locked"
    with scripted_imap(certificate) as (port, _heard), reading(port):  # IMAP_URL is corrected, the house begun anew
        mailbox.is_back()


# ------------------------------------------------------------------------------------------------- the exchange


@pytest.fixture
def exchange(monkeypatch: pytest.MonkeyPatch) -> Iterator[AmiExchange]:
    for name, seconds in (("FIRST_PAUSE", 0.05), ("LONGEST_PAUSE", 0.2), ("REFUSED_PAUSE", 0.4)):
        monkeypatch.setattr(ami, name, seconds)
    monkeypatch.setattr(ami_link, "ANSWER_SECONDS", 0.3)
    with AmiExchange() as peer:
        yield peer


def telephone(peer: AmiExchange) -> Any:
    road = AsteriskExchange(AmiSettings.parse(peer.url), ping_seconds=0.1)
    return held(lambda stop: telephony_listener.hold(road, stop))


def dialling_is_refused() -> None:
    def dial(session: Session) -> None:
        agent = session.scalars(select(Agent).order_by(Agent.id)).first()
        assert agent is not None
        telephony.dial(session, Actor(person_id=agent.person_id, name=""), number="13800138000", key="alarm")

    with pytest.raises(RuleViolation) as refusal:
        ask(dial)
    assert refusal.value.code == "telephony_down"
    assert ask(lambda s: s.scalars(select(CallCommand.id)).all()) == []


def state_of(uuid: str) -> tuple[str, str, str] | None:
    row = ask(lambda s: s.execute(select(Call.state, Call.result, Call.cause).where(Call.uuid == uuid)).first())
    return tuple(row) if row is not None else None


def test_a_login_refused_by_the_exchange(watch: Watch, exchange: AmiExchange) -> None:
    telephone_line = watch("telephony")
    exchange.refuse_login = True
    with telephone(exchange):
        until(lambda: telephone_line.state()[1] == "auth_refused")
        telephone_line.alarms(*refused("AMI_URL"))
        dialling_is_refused()
        until(lambda: len(exchange.logins) > 2)
        assert all(later - earlier >= ami.REFUSED_PAUSE for earlier, later in pairwise(exchange.logins))
        exchange.refuse_login = False
        telephone_line.is_back()


def test_an_exchange_that_hangs(watch: Watch, exchange: AmiExchange) -> None:
    """It takes connections and says nothing more: as one whose process is stopped."""
    telephone_line = watch("telephony")
    talk, missed = traces.held(), traces.queue_abandoned()
    with telephone(exchange):
        telephone_line.is_up()
        exchange.play(talk.events)
        until(lambda: state_of(talk.call_id) == ("held", "", ""))
        exchange.hung = True
        until(lambda: telephone_line.state()[1] == "silent")
        telephone_line.alarms(
            Line(
                DOWN[0],
                "the telephone exchange does not answer",
                "See whether it runs and can be reached from here; it is tried again by itself.",
            ),
            Line(
                DOWN[1],
                "电话交换机没有应答",
                "请检查对方是否在运行、能否从本机访问；系统会自动重试。",
            ),
        )
        dialling_is_refused()
        assert state_of(talk.call_id) == ("held", "", ""), "nobody knows what became of it"
        exchange.hung = False
        telephone_line.is_back()
        until(lambda: state_of(talk.call_id) == ("ended", "answered", "link_lost"))
        exchange.play(missed.events)
        until(lambda: state_of(missed.call_id) == ("ended", "missed", "caller_left"))
