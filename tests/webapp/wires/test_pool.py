"""Several modems and a gateway behind them: who sends, who takes over, and that nothing leaves twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select, update

from connectors.outcome import Outcome
from connectors.sms.simulator import SimulatedSmsRoad
from engine import clock, delivering, health, jobs, outbox
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.models import OutboxMessage
from engine.wire import Leased
from processes.messaging.models import SmsReceived, SmsReference
from processes.messaging.operations.references import ROUND, next_reference
from tests.connectors.http_peer import http_peer
from tests.connectors.pdu_peer import deliver
from tests.connectors.pty_modem import PtyModem
from tests.connectors.smsd_peer import make_folders, smsd, there
from tests.databases import Database
from tests.webapp.wires.processes import listeners
from tests.webapp.wires.test_wires import look, put, until
from webapp import wires
from webapp.listeners import names
from webapp.settings import Settings, SettingsError, load_settings
from webapp.wires import pool

TO = "+8619900000001"
LONG = "云" * 100


@pytest.fixture
def no_handlers() -> Iterator[None]:
    kept, known = dict(outbox.HANDLERS), dict(CATALOG.health)
    outbox.HANDLERS.clear()
    yield
    for now, before in ((outbox.HANDLERS, kept), (CATALOG.health, known)):
        now.clear()
        now.update(before)  # type: ignore[arg-type]


def report(**states: str) -> None:
    """As the processes of these roads would."""
    said: dict[str, Callable[[], tuple[str, str]]] = {
        name.replace("_", "-"): (lambda state=state: (state, "")) for name, state in states.items()
    }
    with transaction() as session:
        health.report(session, said)
    Sessions.remove()


def wellness() -> dict[str, tuple[str, str]]:
    with transaction() as session:
        found = {name: (seen.state, seen.reason) for name, seen in health.seen(session).items()}
    Sessions.remove()
    return found


# ------------------------------------------------------------------------------------------------- the setting


def test_a_lone_modem_is_called_like_its_channel_and_several_are_numbered(tmp_path: Path) -> None:
    one = Settings(sms_modem="/dev/ttyUSB0", sms_pin="1234", data_dir=tmp_path)
    assert names(one) == ("sms",)
    assert pool.modems(one)[0].pin_marker == tmp_path / "sms_pin_refused"
    two = Settings(sms_modem="/dev/a, /dev/b", sms_pin="1111, 2222", data_dir=tmp_path)
    assert names(two) == ("sms-1", "sms-2")
    assert [(modem.port, modem.pin) for modem in pool.modems(two)] == [("/dev/a", "1111"), ("/dev/b", "2222")]
    assert len({modem.pin_marker for modem in pool.modems(two)}) == 2
    shared = Settings(sms_modem="/dev/a,/dev/b", sms_pin="1111", sms_gateway_url="https://sms.example.cn/")
    assert [modem.pin for modem in pool.modems(shared)] == ["1111", "1111"]
    assert pool.names(shared) == ("sms-1", "sms-2", "sms-gateway")
    assert names(Settings(sms_modem="/dev/a,/dev/b", demo=True)) == ("telephony",), "the simulated exchange alone"


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"SMS_MODEM": "/dev/a,/dev/b,/dev/c", "SMS_PIN": "1111,2222"}, "SMS_PIN"),
        ({"SMS_MODEM": "/dev/a, /dev/a"}, "SMS_MODEM"),
    ],
)
def test_a_pool_that_cannot_be_meant_is_refused(tmp_path: Path, given: dict[str, str], named: str) -> None:
    with pytest.raises(SettingsError, match=named):
        load_settings({"DATA_DIR": str(tmp_path), **given})


# ------------------------------------------------------------------------------------------------- modems together


def test_two_modems_share_the_work_and_one_goes_on_when_the_other_is_refused(
    database: Database, tmp_path: Path
) -> None:
    with PtyModem(delay=0.05) as first, PtyModem(delay=0.05) as second:
        with listeners(database, tmp_path, "sms-1", "sms-2", sms_modem=f"{first.device},{second.device}"):
            until(lambda: all(wellness().get(n, ("",))[0] == "up" for n in ("sms", "sms-1", "sms-2")))
            made = [put("sms", {"to": TO, "text": f"第{n}条"}, str(n)) for n in range(40)]
            until(lambda: {look(one).state for one in made} <= {"sent", "delivered"})
            assert first.messages()
            assert second.messages()
            # The card of the first is blocked: what it was asked to send is sent by the second.
            first.behaviours.extend(["+CMS ERROR: 313"] * 3)
            made += [put("sms", {"to": TO, "text": f"第{n}条"}, str(n)) for n in range(40, 60)]
            until(lambda: {look(one).state for one in made} <= {"sent", "delivered"})
            until(lambda: wellness()["sms-1"] == ("down", "cms_313"))
            assert wellness()["sms"][0] == "up", "the channel is as well as its best modem"
        texts = Counter(message.text for modem in (first, second) for message in modem.messages())
    assert texts == {f"第{n}条": 1 for n in range(60)}


def test_a_modem_that_is_taken_out_is_not_missed(database: Database, tmp_path: Path) -> None:
    report(sms_3="up", sms_1="up", mail="up")
    with PtyModem() as modem, listeners(database, tmp_path, "sms", sms_modem=modem.device):
        until(lambda: wellness().get("sms", ("",))[0] == "up")
    assert {"sms", "mail"} <= set(wellness())
    assert not {"sms-1", "sms-3"} & set(wellness())


# ------------------------------------------------------------------------------------------------- the gateway behind


def test_the_gateway_sends_only_while_no_modem_can(database: Database, no_handlers: None) -> None:
    with http_peer() as peer:
        peer.says(200, {"id": "Biz-1"})
        wires.install(Settings(sms_modem="/dev/a,/dev/b", sms_gateway_url=peer.url))
        report(sms_1="up", sms_2="down")
        made = put("sms", {"to": TO, "text": "短信"})
        delivering.deliver_outbox()
        assert (look(made).state, peer.asked) == ("queued", [])
        report(sms_1="down", sms_2="degraded")
        delivering.deliver_outbox()
        delivering.deliver_outbox()
        assert look(made).state == "sent"
        assert len(peer.asked) == 1
        jobs.report_health()
        assert wellness()["sms-gateway"][0] == wellness()["sms"][0] == "up"


def test_what_has_begun_on_a_modem_is_not_begun_again_by_the_gateway(database: Database, no_handlers: None) -> None:
    with http_peer() as peer:
        peer.says(200, {})
        wires.install(Settings(sms_modem="/dev/a", sms_gateway_url=peer.url))
        report(sms="down")
        made = put("sms", {"to": TO, "text": LONG})
        with transaction() as session:
            session.get_one(OutboxMessage, made).result = {"parts_sent": [1], "total": 2, "road": "/dev/a"}
        delivering.deliver_outbox()
    held = look(made)
    assert (held.state, held.last_error, held.result["parts_sent"], peer.asked) == (
        "queued",
        "begun_elsewhere",
        [1],
        [],
    )


@pytest.mark.parametrize(("others", "pause"), [(True, 1), (False, 60)])
def test_what_a_modem_could_not_try_another_may_at_once(database: Database, others: bool, pause: int) -> None:
    road = SimulatedSmsRoad(script=lambda _m: Outcome.held(timedelta(seconds=60), "modem_absent"))
    handler = wires.SmsHandler(road, others_up=lambda: others)
    with transaction() as session:
        outbox.enqueue(session, channel="sms", key="k", payload={"to": TO, "text": "短信"})
    with transaction() as session:
        (leased,) = outbox.lease(session, ["sms"], "me")
    delivery = handler.deliver(leased)
    assert (delivery.outcome, delivery.tried) == ("deferred", False)
    assert delivery.retry_after is not None
    assert delivery.retry_after.total_seconds() == pause


# ------------------------------------------------------------------------------------------------- references


def test_long_messages_to_one_number_have_references_of_their_own(database: Database) -> None:
    seen: list[int] = []
    road = SimulatedSmsRoad(script=lambda m: seen.append(m.concat_ref) or Outcome.accepted())  # type: ignore[func-returns-value]
    handler = wires.SmsHandler(road)

    def leased(to: str, text: str, **result: object) -> Leased:
        return Leased(1, "sms", "k", {"to": to, "text": text}, 0, 1, None, None, dict(result), clock.now())

    for message in (leased(TO, LONG), leased(TO, LONG), leased("+8619900000002", LONG), leased(TO, "短")):
        handler.deliver(message)
    handler.deliver(leased(TO, LONG, concat_ref=77))
    assert seen == [1, 2, 1, 0, 77], "a part that is sent again keeps what it shares with the others"


def test_references_go_round_without_a_zero(database: Database) -> None:
    with transaction() as session:
        next_reference(session, "modem", TO)
    with transaction() as session:
        session.execute(update(SmsReference).values(last=ROUND))
    with transaction() as session:
        assert next_reference(session, "modem", TO) == 1


# ------------------------------------------------------------------------------------------------- smsd's folders


def test_a_spool_is_a_road_like_any_other(tmp_path: Path) -> None:
    spool = str(tmp_path)
    assert names(Settings(sms_spool=spool)) == ("sms",)
    assert names(Settings(sms_spool=spool, sms_modem="/dev/a")) == ("sms", "sms-spool")
    both = Settings(sms_spool=spool, sms_gateway_url="https://sms.example.cn/")
    assert pool.names(both) == ("sms-spool", "sms-gateway")
    assert names(Settings(sms_spool=spool, demo=True)) == ("telephony",)


@pytest.mark.databases("sqlite")
@pytest.mark.skipif(not there(), reason="smsd is not installed")
def test_over_the_real_smsd_to_the_phone_and_back(database: Database, tmp_path: Path) -> None:
    spool = make_folders(tmp_path)
    made = put("sms", {"to": TO, "text": LONG})
    modem = PtyModem()
    modem.store(deliver("+8619900000001", "知道了"), announce=False)
    with modem, smsd(tmp_path, spool, modem.device):
        with listeners(database, tmp_path, "sms", sms_spool=str(spool)):
            until(lambda: bool(came_in()), 40)
            until(lambda: look(made).state in ("sent", "delivered") and len(modem.messages()) == 1, 40)
        (heard,) = modem.messages()
    assert heard.text == LONG
    assert came_in() == [("+8619900000001", "知道了")]


def came_in() -> list[tuple[str, str]]:
    with transaction() as session:
        rows = session.execute(select(SmsReceived.sender, SmsReceived.text)).all()
    Sessions.remove()
    return [(row.sender, row.text) for row in rows]
