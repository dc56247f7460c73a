"""From the outbox to the peer and back: a modem on a pseudo-terminal, a mail server on a socket."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import select

from connectors.mail.simulator import SimulatedMailRoad
from connectors.sms.modem import ModemSms
from connectors.sms.simulator import SimulatedSmsRoad
from engine import delivering, outbox
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.models import Message as ReceivedMessage, OutboxMessage
from processes.messaging.operations import reporting
from tests.connectors.http_peer import http_peer
from tests.connectors.pty_modem import PtyModem
from tests.connectors.smtp_peers import Postbox, mail_server
from tests.databases import Database
from webapp import wires
from webapp.listeners import sms as listener
from webapp.settings import Settings

TEXT = "【云流】李娜，您的费用申请“拜访上海客户”（¥12,345.60）已批准。" * 3  # longer than one part


@pytest.fixture
def no_handlers() -> Iterator[None]:
    kept, health = dict(outbox.HANDLERS), dict(CATALOG.health)
    outbox.HANDLERS.clear()
    yield
    outbox.HANDLERS.clear()
    outbox.HANDLERS.update(kept)
    CATALOG.health.clear()
    CATALOG.health.update(health)


def put(channel: str, payload: dict[str, object], key: str = "k") -> int:
    with transaction() as session:
        made = outbox.enqueue(session, channel=channel, key=f"{channel}:{key}", payload=payload)
    Sessions.remove()
    return made


def look(message_id: int) -> OutboxMessage:
    with transaction() as session:
        found = session.get_one(OutboxMessage, message_id, populate_existing=True)
        session.expunge(found)
    Sessions.remove()
    return found


def until(holds: Callable[[], bool], seconds: float = 20) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError("it did not come about")
        time.sleep(0.05)


# ------------------------------------------------------------------------------------------------- the modem


@pytest.fixture
def holding(database: Database, no_handlers: None) -> Iterator[PtyModem]:
    """A listener that holds a modem, as the process does."""
    with PtyModem() as modem:
        stop = threading.Event()
        road = ModemSms(str(modem.device))
        thread = threading.Thread(target=listener.hold, args=(road, str(modem.device), stop))
        thread.start()
        try:
            yield modem
        finally:
            stop.set()
            thread.join(20)
        assert not thread.is_alive()


def test_a_long_chinese_text_leaves_over_the_modem_and_its_delivery_is_noted(holding: PtyModem) -> None:
    made = put("sms", {"to": "+8619900000001", "text": TEXT})

    def delivered() -> bool:
        with transaction() as session:
            reporting.match_kept(session)  # as the worker does: one that outran our own note of the sending is kept
        Sessions.remove()
        return look(made).state == "delivered"

    until(delivered)
    (heard,) = holding.messages()
    assert (heard.to.lstrip("+"), heard.text) == ("8619900000001", TEXT)
    assert heard.parts > 1
    assert look(made).result["total"] == heard.parts


def test_a_secret_stands_in_the_text_on_the_phone_alone(holding: PtyModem) -> None:
    made = put("sms", {"to": "+8619900000001", "text": "同意请回复“1 ******”", "secret": "482113"})
    until(lambda: bool(holding.messages()))
    assert holding.messages()[0].text == "同意请回复“1 482113”"
    assert look(made).payload["text"] == "同意请回复“1 ******”"


def test_a_text_that_the_network_refuses_fails_with_its_code(holding: PtyModem) -> None:
    holding.behaviours.append("+CMS ERROR: 21")
    made = put("sms", {"to": "+8619900000002", "text": "短信"})
    until(lambda: look(made).state == "failed")
    assert "21" in look(made).last_error


def test_a_modem_pulled_out_in_the_middle_leaves_doubt_and_nothing_is_sent_again(holding: PtyModem) -> None:
    holding.behaviours.append("unplug after message")
    made = put("sms", {"to": "+8619900000003", "text": "短信"})
    until(lambda: look(made).state == "unknown")
    time.sleep(1)
    assert look(made).state == "unknown"


def test_an_incoming_text_is_stored_before_the_modem_forgets_it(holding: PtyModem) -> None:
    holding.receive("8619900000009", "同意 4821")

    def stored() -> bool:
        with transaction() as session:
            found = session.scalars(select(ReceivedMessage)).all()
            texts = [m.variables["text"] for m in found]
        Sessions.remove()
        return texts == ["同意 4821"]

    until(stored)


def test_a_second_listener_waits_for_the_first(holding: PtyModem, database: Database) -> None:
    put("sms", {"to": "+8619900000001", "text": "一"}, "first")
    until(lambda: bool(holding.messages()))
    stop = threading.Event()
    second = SimulatedSmsRoad()
    thread = threading.Thread(target=listener.hold, args=(second, str(holding.device), stop))
    thread.start()
    time.sleep(2.5)
    stop.set()
    thread.join(20)
    assert second.sent == []


# ------------------------------------------------------------------------------------------------- mail


def test_a_mail_leaves_over_smtp_with_chinese_words(database: Database, no_handlers: None) -> None:
    box = Postbox()
    with mail_server(box) as port:
        settings = Settings(smtp_url=f"smtp://127.0.0.1:{port}", mail_from="云流 <bpm@example.com>")
        wires.install(settings)
        made = put("mail", {"to": ["li.na@example.com"], "subject": "费用申请已批准", "text": "您好，李娜：\n已批准。"})
        delivering.deliver_outbox()
    sent = look(made)
    assert (sent.state, sent.result["refused"]) == ("sent", {})
    ((envelope, mail),) = box.mails
    assert envelope.rcpt_tos == ["li.na@example.com"]
    assert str(mail["Subject"]) == "费用申请已批准"
    assert mail["Message-ID"] == sent.result["message_id"]


def test_a_dead_mail_server_holds_the_mail(database: Database, no_handlers: None) -> None:
    wires.install(Settings(smtp_url="smtp://127.0.0.1:9", mail_from="bpm@example.com"))
    made = put("mail", {"to": ["li.na@example.com"], "subject": "x", "text": "y"})
    delivering.deliver_outbox()
    assert look(made).state == "queued"
    assert look(made).last_error


# ------------------------------------------------------------------------------------------------- the gateway


def test_a_text_leaves_over_the_gateway_once(database: Database, no_handlers: None) -> None:
    with http_peer() as peer:
        peer.says(200, {"id": "BizId-9"})
        wires.install(Settings(sms_gateway_url=peer.url, sms_gateway_token="t0ken"))
        made = put("sms", {"to": "+8619900000001", "text": TEXT})
        delivering.deliver_outbox()
        delivering.deliver_outbox()
    sent = look(made)
    assert (sent.state, sent.result["provider_ids"]) == ("sent", ["BizId-9"])
    (asked,) = peer.asked
    assert asked.body == {"id": str(made), "to": "+8619900000001", "text": TEXT, "segments": sent.result["total"]}


def test_a_gateway_that_says_nothing_leaves_doubt_and_is_not_asked_again(database: Database, no_handlers: None) -> None:
    with http_peer() as peer:
        peer.answer = None
        wires.install(Settings(sms_gateway_url=peer.url))
        made = put("sms", {"to": "+8619900000001", "text": "短信"})
        delivering.deliver_outbox()
        delivering.deliver_outbox()
    assert look(made).state == "unknown"
    assert len(peer.asked) == 1


def test_a_gateway_that_is_down_holds_the_text(database: Database, no_handlers: None) -> None:
    wires.install(Settings(sms_gateway_url="http://127.0.0.1:9/send"))
    made = put("sms", {"to": "+8619900000001", "text": "短信"})
    delivering.deliver_outbox()
    held = look(made)
    assert (held.state, held.attempts, held.last_error) == ("queued", 0, "unreachable")


# ------------------------------------------------------------------------------------------------- what stands where


def test_demo_data_forces_simulators_whatever_the_settings_say(no_handlers: None) -> None:
    settings = Settings(
        demo=True,
        sms_modem="/dev/ttyUSB0",
        sms_gateway_url="https://sms.example.cn/",
        smtp_url="smtp://mail.example.com",
    )
    wires.install(settings)
    sms, mail = outbox.HANDLERS["sms"], outbox.HANDLERS["mail"]
    assert isinstance(sms, wires.SmsHandler)
    assert isinstance(sms.road, SimulatedSmsRoad)
    assert isinstance(mail, wires.MailHandler)
    assert isinstance(mail.road, SimulatedMailRoad)


def test_with_a_modem_only_the_listener_sends_texts(no_handlers: None) -> None:
    wires.install(Settings(sms_modem="/dev/ttyUSB0"))
    assert set(outbox.HANDLERS) == {"mail", "webhook", "robot", "word"}
