"""The AMI connector against a small AMI server: logins, losses, snapshots, commands."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from connectors.outcome import BadMessage, Health, LinkDown, LinkState, Misconfigured, PeerRefused, PeerSilent
from connectors.telephony.ami import exchange as module, link as link_module
from connectors.telephony.ami.exchange import AsteriskExchange
from connectors.telephony.ami.link import AmiSettings
from connectors.telephony.events import AgentEvent, CallEvent, ExchangeEvent, LinkEvent
from tests.connectors import call_traces as traces
from tests.connectors.ami_exchange import AmiExchange
from tests.connectors.call_traces import CUSTOMER


def until(holds: Callable[[], object], seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise AssertionError("it did not come about")
        time.sleep(0.01)


@dataclass
class Held:
    """A connector that runs, and all it has told."""

    exchange: AsteriskExchange
    told: list[ExchangeEvent] = field(default_factory=list)

    def calls(self, kind: str = "") -> list[CallEvent]:
        return [e for e in self.told if isinstance(e, CallEvent) and kind in ("", e.kind)]

    def links(self) -> list[LinkEvent]:
        return [e for e in self.told if isinstance(e, LinkEvent)]

    def agents(self) -> list[tuple[str, str, str]]:
        return [(e.agent, e.state, e.reason) for e in self.told if isinstance(e, AgentEvent)]

    @property
    def is_up(self) -> bool:
        return bool(self.links()) and self.links()[-1].state == "up"


@pytest.fixture
def peer() -> Iterator[AmiExchange]:
    with AmiExchange() as exchange:
        yield exchange


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "FIRST_PAUSE", 0.05)
    monkeypatch.setattr(link_module, "ANSWER_SECONDS", 0.4)
    monkeypatch.setattr(module, "CONSULT_SECONDS", 0.4)


Hold = Callable[[AmiExchange], Held]


@pytest.fixture
def hold(quick: None) -> Iterator[Hold]:
    """Run the connector against a peer until the test ends."""
    stop, threads = threading.Event(), []

    def start(peer: AmiExchange, *, ping_seconds: float = 15.0) -> Held:
        held = Held(AsteriskExchange(AmiSettings.parse(peer.url), ping_seconds=ping_seconds))
        thread = threading.Thread(target=held.exchange.run, args=(held.told.append, stop))
        thread.start()
        threads.append(thread)
        return held

    yield start
    stop.set()
    for thread in threads:
        thread.join(10)
        assert not thread.is_alive()


# ------------------------------------------------------------------------------------------------- the link


def test_after_the_login_it_tells_what_is_there(peer: AmiExchange, hold: Hold) -> None:
    peer.channels = [{"Channel": "PJSIP/trunk-1-0000000a", "Uniqueid": "yun-9.1", "Linkedid": "yun-9.1"}]
    peer.members = [
        {"Queue": "sales", "Location": "PJSIP/1001", "Status": "1", "Paused": "0"},
        {"Queue": "sales", "Location": "PJSIP/1002", "Status": "5", "Paused": "0"},
    ]
    held = hold(peer)
    until(lambda: held.is_up)
    assert held.links()[-1].open_calls == {"yun-9.1"}
    assert ("1001", "idle", "") in held.agents()
    assert ("1002", "offline", "") in held.agents()
    assert held.exchange.health().state == "up"


def test_a_house_without_queues_is_up_all_the_same(
    peer: AmiExchange, hold: Hold, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "SNAPSHOT_SECONDS", 0.2)
    peer.lists = False
    held = hold(peer)
    until(lambda: held.is_up)


def test_an_exchange_that_does_not_let_its_user_see_the_calls_says_so_at_once(peer: AmiExchange, hold: Hold) -> None:
    """CoreShowChannels wants `reporting` (or `system`, which nobody should be given)."""
    peer.answers["CoreShowChannels"] = "Permission denied"
    held = hold(peer)
    until(lambda: any(link.reason == "not_permitted" for link in held.links()), seconds=3)
    assert held.exchange.health() == Health(LinkState.DOWN, "not_permitted")
    del peer.answers["CoreShowChannels"]
    until(lambda: held.is_up)


def test_lists_of_modules_that_are_not_loaded_are_not_waited_for(peer: AmiExchange, hold: Hold) -> None:
    peer.answers |= dict.fromkeys(("QueueStatus", "DeviceStateList"), "Invalid/unknown command")
    held = hold(peer)
    until(lambda: held.is_up, seconds=3)


def test_calls_are_told_as_they_happen(peer: AmiExchange, hold: Hold) -> None:
    held = hold(peer)
    until(lambda: held.is_up)
    peer.play(traces.queue_answered().events)
    until(lambda: held.calls("ended"))
    assert held.calls("ringing")[0].agent == "1001"
    assert held.calls("ended")[0].cause == "normal"


def test_a_broken_connection_is_made_again_and_the_calls_that_are_left_are_told(peer: AmiExchange, hold: Hold) -> None:
    held = hold(peer)
    until(lambda: held.is_up)
    peer.play(traces.held("yun-7.1").events)
    until(lambda: held.calls("held"))
    peer.cut()
    until(lambda: [link.state for link in held.links()] == ["up", "down", "up"])
    assert held.links()[1].reason == "closed"
    assert held.links()[-1].open_calls == frozenset()


def test_a_shutdown_is_told_and_survived(peer: AmiExchange, hold: Hold) -> None:
    held = hold(peer)
    until(lambda: held.is_up)
    peer.shut_down()
    until(lambda: [link.state for link in held.links()] == ["up", "down", "up"])
    assert held.links()[1].reason == "shutdown"


def test_an_exchange_that_answers_no_ping_is_left(peer: AmiExchange, hold: Callable[..., Held]) -> None:
    held = hold(peer, ping_seconds=0.1)
    until(lambda: held.is_up)
    until(lambda: len(peer.asked("Ping")) > 1)
    assert len(held.links()) == 1  # answered pings change nothing
    peer.hung = True
    until(lambda: held.links()[-1].state == "down")
    assert held.links()[-1].reason == "silent"
    peer.hung = False
    until(lambda: held.is_up)


def test_a_refused_login_is_not_tried_again_at_once(peer: AmiExchange, hold: Hold) -> None:
    assert module.REFUSED_PAUSE >= 30
    assert (module.LONGEST_PAUSE, link_module.PING_SECONDS, link_module.MOST_MISSED_PINGS) == (60, 15, 2)
    peer.refuse_login = True
    held = hold(peer)
    until(held.links)
    assert held.links()[-1].reason == "auth_refused"
    assert held.exchange.health().reason == "auth_refused"
    time.sleep(0.5)
    assert len(peer.logins) == 1


def test_pauses_between_connections_grow_to_a_minute(monkeypatch: pytest.MonkeyPatch) -> None:
    class Stop(threading.Event):
        waited: list[float] = []  # noqa: RUF012

        def wait(self, timeout: float | None = None) -> bool:
            self.waited.append(timeout or 0)
            if len(self.waited) == 9:
                self.set()
            return self.is_set()

    stop = Stop()
    AsteriskExchange(AmiSettings.parse("ami://u:s@127.0.0.1:9")).run(lambda _event: None, stop)
    assert stop.waited == [1, 2, 4, 8, 16, 32, 60, 60, 60]


# ------------------------------------------------------------------------------------------------- settings


@pytest.mark.parametrize(
    "url",
    [
        "ami://user:secret@10.0.0.5",
        "ami://user@127.0.0.1",
        "http://user:secret@127.0.0.1",
        "ami://user:secret@127.0.0.1/path",
        "ami://user:secret@127.0.0.1?colour=red",
    ],
)
def test_plain_to_another_machine_and_halves_are_refused(url: str) -> None:
    with pytest.raises(Misconfigured) as refused:
        AmiSettings.parse(url)
    assert "secret" not in str(refused.value).replace("user:secret@host", "").replace("its secret", "")


def test_settings_hide_the_secret() -> None:
    parsed = AmiSettings.parse("amis://yun:s%40x@pbx.example.cn?context=office&technology=SIP")
    assert (parsed.host, parsed.port, parsed.secret, parsed.tls) == ("pbx.example.cn", 5039, "s@x", True)
    assert (parsed.context, parsed.technology) == ("office", "SIP")
    assert "s@x" not in repr(parsed)


# ------------------------------------------------------------------------------------------------- commands


@pytest.fixture
def up(peer: AmiExchange, hold: Hold) -> Held:
    held = hold(peer)
    until(lambda: held.is_up)
    return held


def test_a_dialled_call_carries_our_id_and_ends_under_it(peer: AmiExchange, up: Held) -> None:
    peer.originated = lambda call_id: traces.dialled(call_id).events
    up.exchange.originate("yl-77", "1001", CUSTOMER)
    (asked,) = peer.asked("Originate")
    assert (asked.get("Channel"), asked.get("ChannelId"), asked.get("Exten")) == ("PJSIP/1001", "yl-77", CUSTOMER)
    assert (asked.get("Async"), asked.get("Context"), asked.get("Timeout")) == ("true", "from-internal", "30000")
    until(lambda: up.calls("ended"))
    assert {event.call_id for event in up.calls()} == {"yl-77"}
    assert up.calls("answered")[0].agent == "1001"


def test_an_offline_agent_is_known_by_our_action_id_alone(peer: AmiExchange, up: Held) -> None:
    peer.originated = lambda call_id: traces.agent_is_offline(call_id).events
    up.exchange.originate("yl-78", "1001", CUSTOMER)
    until(lambda: up.calls("ended"))
    assert (up.calls("ended")[0].call_id, up.calls("ended")[0].cause) == ("yl-78", "agent_unreachable")


@pytest.mark.parametrize("number", ["", "138 0013", "138\r\nAction: Originate", "１３８", "1x", "1" * 41])
def test_only_digits_are_dialled(peer: AmiExchange, up: Held, number: str) -> None:
    with pytest.raises(BadMessage):
        up.exchange.originate("yl-79", "1001", number)
    with pytest.raises(BadMessage):
        up.exchange.transfer("yl-79", "1001", number)
    assert peer.asked("Originate") == []


def test_no_value_may_end_its_line(peer: AmiExchange, up: Held) -> None:
    for reason in ("a\r\nAction: Originate", "a\nb", "a\x00"):
        with pytest.raises(BadMessage):
            up.exchange.pause("1001", "sales", True, reason)
    with pytest.raises(BadMessage):
        up.exchange.originate("yl\r\n", "1001", CUSTOMER)
    assert peer.asked("QueuePause") == []


def test_hang_up_and_transfer_name_the_channel(peer: AmiExchange, up: Held) -> None:
    trace = traces.held("yun-7.1")
    peer.play(trace.events)
    until(lambda: up.calls("held"))
    up.exchange.transfer("yun-7.1", "1001", "1002")
    (asked,) = peer.asked("BlindTransfer")
    assert (asked.get("Channel"), asked.get("Exten")) == (trace.channels["yun-7.1a"], "1002")
    up.exchange.hangup("yun-7.1")
    assert peer.asked("Hangup")[0].get("Channel") == trace.channels["yun-7.1"]
    with pytest.raises(PeerRefused):
        up.exchange.transfer("yun-8.1", "1001", "1002")


def test_an_attended_transfer_that_never_begins_is_told(peer: AmiExchange, up: Held) -> None:
    peer.play(traces.held("yun-7.1").events)
    until(lambda: up.calls("held"))
    with pytest.raises(PeerRefused) as refused:
        up.exchange.transfer("yun-7.1", "1001", "1002", "attended")
    assert refused.value.code == "transfer_not_begun"


def test_an_attended_transfer_that_begins(peer: AmiExchange, up: Held) -> None:
    trace = traces.attended_transfer("yun-7.1")
    cut = next(i for i, e in enumerate(trace.events) if e.get("Channel", "").startswith("Local/"))
    peer.play(trace.events[:cut])
    until(lambda: up.calls("answered"))
    later = threading.Timer(0.1, peer.play, [trace.events[cut:]])
    later.start()
    up.exchange.transfer("yun-7.1", "1001", "1002", "attended")
    until(lambda: up.calls("transferred"))
    later.join()


def test_queues(peer: AmiExchange, up: Held) -> None:
    up.exchange.sign_in("1001", "sales")
    up.exchange.pause("1001", "", True, "午餐")
    assert peer.asked("QueuePause")[0].get("Reason") == "午餐"
    peer.answers["QueueAdd"] = "Unable to add interface: Already there"
    up.exchange.sign_in("1001", "sales")  # asked twice is done once
    peer.answers["QueueRemove"] = "Member not dynamic"
    with pytest.raises(PeerRefused) as refused:
        up.exchange.sign_out("1001", "sales")
    assert refused.value.code == "static_member"


def test_no_answer_leaves_doubt_and_no_link_refuses_at_once(peer: AmiExchange, up: Held) -> None:
    peer.silent.add("Hangup")
    with pytest.raises(PeerSilent):
        up.exchange.hangup("yun-1")
    away = AsteriskExchange(AmiSettings.parse("ami://u:s@127.0.0.1:9"))
    with pytest.raises(LinkDown):
        away.originate("yl-1", "1001", CUSTOMER)


# ------------------------------------------------------------------------------------------------- agents


def test_agents_by_what_is_told_of_members_devices_and_contacts(peer: AmiExchange, up: Held) -> None:
    def member(status: str, paused: str = "0", reason: str = "") -> dict[str, str]:
        return {
            "Event": "QueueMemberStatus", "Queue": "sales", "Interface": "PJSIP/1001", "Status": status,
            "Paused": paused, "PausedReason": reason,
        }  # fmt: skip

    peer.play(
        [
            member("1"),
            member("1"),
            member("6"),
            member("2"),
            member("1", "1", "午餐"),
            {"Event": "ContactStatus", "EndpointName": "1001", "ContactStatus": "Removed"},
            {"Event": "DeviceStateChange", "Device": "PJSIP/1001", "State": "NOT_INUSE"},
            {"Event": "DeviceStateChange", "Device": "PJSIP/trunk-telecom", "State": "INUSE"},
            member("1"),
        ]
    )
    states = ["idle", "ringing", "busy", "paused", "offline", "paused", "idle"]
    until(lambda: [state for _agent, state, _reason in up.agents()] == states)
    assert ("1001", "paused", "午餐") in up.agents()


def test_a_phone_that_the_exchange_calls_busy_while_it_rings_is_ringing(peer: AmiExchange, up: Held) -> None:
    trace = traces.queue_answered("yun-7.1")
    ringing = next(i for i, e in enumerate(trace.events) if e["Event"] == "DialBegin") + 1
    busy = {"Event": "DeviceStateChange", "Device": "PJSIP/1001", "State": "BUSY"}
    peer.play([*trace.events[:ringing], busy])
    until(up.agents)
    assert up.agents() == [("1001", "ringing", "")]
    peer.play(trace.events[ringing:-2])
    until(lambda: up.agents()[-1] == ("1001", "busy", ""))
