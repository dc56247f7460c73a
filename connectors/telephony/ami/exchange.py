"""An Asterisk as a PbxAdapter: connects, asks what is there, tells what happens, and connects again."""

from __future__ import annotations

import logging
import threading
from dataclasses import dataclass, field
from queue import Empty, SimpleQueue
from threading import Event
from time import monotonic

from connectors.outcome import ConnectorError, Health, LinkDown, LinkState, PeerRefused, PeerSilent, Trial, last_four
from connectors.telephony.adapter import Sink, TransferKind, checked_number, checked_word, now
from connectors.telephony.ami.agents import AgentFolding, agent_of
from connectors.telephony.ami.codec import Message
from connectors.telephony.ami.folding import CallFolding
from connectors.telephony.ami.heard import DIAL_ACTION
from connectors.telephony.ami.link import ANSWER_SECONDS, PING_SECONDS, AmiLink, AmiSettings
from connectors.telephony.events import CallEvent, LinkEvent

logger = logging.getLogger(__name__)

FIRST_PAUSE = 1.0
LONGEST_PAUSE = 60.0
REFUSED_PAUSE = 30.0
"""At least so long after a refused login: guards like fail2ban count the tries."""
SNAPSHOT_SECONDS = 10.0
CONSULT_SECONDS = 5.0
"""The exchange says "queued" to an attended transfer and then nothing, when its prompts are missing."""

_LISTS = {
    "QueueStatus": "QueueStatusComplete",
    "CoreShowChannels": "CoreShowChannelsComplete",
    "DeviceStateList": "DeviceStateListComplete",
}
CALLS = "CoreShowChannels"
LIST_ACTION = "list-"
"""Prefix of the ActionID of what is listed after a login."""


NOT_PERMITTED = "not_permitted"
"""The exchange lets us in and not see its calls: its user has no `reporting`."""


def _count_calls(link: AmiLink) -> int:
    """How many lines are open at the exchange. Raises PeerRefused, PeerSilent or LinkDown."""
    link.send(CALLS, ("ActionID", f"{LIST_ACTION}{CALLS}"))
    end, count = monotonic() + ANSWER_SECONDS, 0
    for message in link.messages(Event()):
        if message is not None and message.is_response and message.get("Response") != "Success":
            raise PeerRefused(message.get("Message"), code=NOT_PERMITTED)
        count += message is not None and message.event == "CoreShowChannel"
        if message is not None and message.event == _LISTS[CALLS]:
            break
        if monotonic() > end:
            raise PeerSilent("The exchange does not say which calls there are.", code="silent")
    return count


@dataclass
class _Snapshot:
    """What is gathered after a login until every list is complete."""

    asked_at: float
    missing: set[str] = field(default_factory=lambda: set(_LISTS.values()))
    channels: list[Message] = field(default_factory=list)


class AsteriskExchange:
    """A PbxAdapter over AMI."""

    def __init__(self, settings: AmiSettings, *, ping_seconds: float = PING_SECONDS, name: str = "telephony") -> None:
        self.name = name
        self._settings = settings
        self._ping_seconds = ping_seconds
        self._calls, self._agents = CallFolding(), AgentFolding()
        self._state = threading.RLock()
        self._link: AmiLink | None = None
        self._health = Health(LinkState.DOWN, "not_opened")

    @classmethod
    def from_url(cls, url: str) -> AsteriskExchange:
        return cls(AmiSettings.parse(url))

    def health(self) -> Health:
        return self._health

    def try_out(self) -> list[Trial]:
        """Reach it and sign in, over a connection of its own; no call is touched."""
        settings = self._settings
        done = [Trial("connect", True, f"{settings.host}:{settings.port}")]
        if settings.tls:
            done.append(Trial("tls", True, settings.host))
        try:
            link = AmiLink.opened(settings)
        except ConnectorError as error:
            if error.code == "certificate_untrusted":
                return [*done[:1], Trial("tls", False, str(error))]
            if error.code == "unreachable":
                return [Trial("connect", False, str(error))]
            return [*done, Trial("login", False, str(error))]
        done.append(Trial("login", True, settings.user))
        try:
            return [*done, Trial("calls", True, str(_count_calls(link)))]
        except ConnectorError as error:
            return [*done, Trial("calls", False, str(error))]
        finally:
            link.close()

    # --------------------------------------------------------------------------------------------- the loop

    def run(self, sink: Sink, stop: Event) -> None:
        pause = FIRST_PAUSE
        while not stop.is_set():
            try:
                self._listen(sink, stop)
            except ConnectorError as error:
                was_up, reason = self._link is not None, error.code
                self._down(sink, reason)
                logger.warning("telephony.link_down", extra={"reason": reason, "why": str(error)})
                if was_up:
                    pause = FIRST_PAUSE
                if reason == "auth_refused":
                    pause = max(pause, REFUSED_PAUSE)
                stop.wait(pause)
                pause = min(pause * 2, LONGEST_PAUSE)
        self._down(sink, "closed")

    def _down(self, sink: Sink, reason: str) -> None:
        link, self._link = self._link, None
        if link is not None:
            link.close()
        self._health = Health(LinkState.DOWN, reason)
        sink(LinkEvent("down", now(), reason))

    def _listen(self, sink: Sink, stop: Event) -> None:
        link = AmiLink.opened(self._settings, ping_seconds=self._ping_seconds)
        try:
            self._agents.forget_told()
            snapshot: _Snapshot | None = _Snapshot(self._calls_tick())
            for action in _LISTS:
                link.send(action, ("ActionID", f"{LIST_ACTION}{action}"))
            for message in link.messages(stop):
                if message is None:
                    with self._state:
                        events = self._calls.settle()
                    self._tell(sink, events)
                elif message.is_response:
                    self._note_refusal(message, snapshot)
                elif message.event == "Shutdown":
                    raise LinkDown("The exchange is shutting down.", code="shutdown")
                elif snapshot is not None and message.event == "CoreShowChannel":
                    snapshot.channels.append(message)
                elif snapshot is not None and message.event in snapshot.missing:
                    snapshot.missing.discard(message.event)
                else:
                    self._take(sink, message)
                if snapshot is not None:
                    snapshot = self._completed(sink, link, snapshot)
        finally:
            if self._link is None:
                link.close()

    @staticmethod
    def _note_refusal(answer: Message, snapshot: _Snapshot | None) -> None:
        """A list that is refused is not waited for; without that of the calls nobody knows which are over."""
        action = answer.get("ActionID").removeprefix(LIST_ACTION)
        if action not in _LISTS or answer.get("Response") == "Success":
            return
        if action == CALLS:
            raise PeerRefused(answer.get("Message"), code=NOT_PERMITTED)
        if snapshot is not None:
            snapshot.missing.discard(_LISTS[action])

    @staticmethod
    def _calls_tick() -> float:
        return monotonic()

    def _completed(self, sink: Sink, link: AmiLink, snapshot: _Snapshot) -> _Snapshot | None:
        """The link is up when the exchange has said what is there; a module that is not loaded answers no list."""
        if snapshot.missing and monotonic() - snapshot.asked_at < SNAPSHOT_SECONDS:
            return snapshot
        if _LISTS[CALLS] in snapshot.missing:
            raise PeerSilent("The exchange does not say which calls there are.", code="silent")
        with self._state:
            events = self._calls.snapshot(snapshot.channels, snapshot.asked_at, now())
            present = self._calls.open_calls()
        self._link, self._health = link, Health(LinkState.UP)
        sink(LinkEvent("up", now(), open_calls=present))
        self._tell(sink, events)
        logger.info("telephony.link_up", extra={"calls": len(present)})
        return None

    def _take(self, sink: Sink, message: Message) -> None:
        with self._state:
            events = self._calls.take(message)
            agent = agent_of(message)
            rings = self._calls.rings(agent) if agent else False
        self._tell(sink, events)
        for event in self._agents.take(message, rings=rings):
            sink(event)

    def _tell(self, sink: Sink, events: list[CallEvent]) -> None:
        """Calls, and what they change for the agents in them."""
        for event in events:
            sink(event)
        for agent in sorted({event.agent for event in events if event.agent}):
            with self._state:
                rings = self._calls.rings(agent)
            for told in self._agents.tell(agent, events[-1].at, rings=rings):
                sink(told)

    # --------------------------------------------------------------------------------------------- commands

    def _up(self) -> AmiLink:
        link = self._link
        if link is None:
            raise LinkDown("The exchange is not connected.")
        return link

    def _interface(self, agent: str) -> str:
        return f"{self._settings.technology}/{checked_number(agent)}"

    def originate(
        self, call_id: str, agent: str, number: str, *, show_number: str | None = None, timeout_s: int = 30
    ) -> None:
        link, interface, dialled = self._up(), self._interface(agent), checked_number(number)
        with self._state:
            self._calls.originated(checked_word(call_id), agent, dialled, now())
        link.ask(
            "Originate",
            ("Channel", interface),
            ("ChannelId", call_id),
            ("Context", self._settings.context),
            ("Exten", dialled),
            ("Priority", "1"),
            ("CallerID", checked_number(show_number or number)),
            ("Timeout", str(timeout_s * 1000)),
            ("Async", "true"),
            action_id=f"{DIAL_ACTION}{call_id}",
        )
        logger.info("telephony.originated", extra={"call": call_id, "agent": agent, "number": last_four(number)})

    def hangup(self, call_id: str) -> None:
        link = self._up()
        with self._state:
            channel = self._calls.channel_of(call_id)
        link.ask("Hangup", ("Channel", channel or call_id), ("Cause", "16"))

    def transfer(self, call_id: str, agent: str, to: str, kind: TransferKind = "blind") -> None:
        link, target = self._up(), checked_number(to)
        with self._state:
            channel, before = self._calls.channel_of(call_id, agent), self._calls.legs_of(call_id)
        if not channel:
            raise PeerRefused("This agent is not in the call any more.", code="no_such_call")
        place = (("Channel", channel), ("Context", self._settings.context), ("Exten", target))
        if kind == "blind":
            link.ask("BlindTransfer", *place)
            return
        link.ask("Atxfer", *place)
        if not self._consulted(call_id, before):
            raise PeerRefused("The exchange has taken the transfer and did nothing.", code="transfer_not_begun")

    def _consulted(self, call_id: str, before: frozenset[str]) -> bool:
        """Whether the call to the third party has begun in time."""
        end = monotonic() + CONSULT_SECONDS
        poll: SimpleQueue[None] = SimpleQueue()
        while monotonic() < end:
            with self._state:
                if self._calls.legs_of(call_id) - before or self._calls.has_transfer(call_id, "attended"):
                    return True
            try:
                poll.get(timeout=0.05)
            except Empty:
                continue
        return False

    def pause(self, agent: str, queue: str, on: bool, reason: str = "") -> None:
        paused = "true" if on else "false"
        member = (("Interface", self._interface(agent)), ("Queue", queue), ("Paused", paused), ("Reason", reason))
        self._up().ask("QueuePause", *member)

    def sign_in(self, agent: str, queue: str) -> None:
        self._ask_queue("QueueAdd", agent, queue, already="already there")

    def sign_out(self, agent: str, queue: str) -> None:
        self._ask_queue("QueueRemove", agent, queue, already="not there")

    def _ask_queue(self, action: str, agent: str, queue: str, *, already: str) -> None:
        """Asked twice is done once; a member written into the exchange's own files cannot be taken out."""
        try:
            self._up().ask(action, ("Queue", queue), ("Interface", self._interface(agent)))
        except PeerRefused as refusal:
            words = str(refusal).lower()
            if already in words:
                return
            if "not dynamic" in words:
                raise PeerRefused(str(refusal), code="static_member") from refusal
            raise
