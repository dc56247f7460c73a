"""Messages of the outbox as people read them: who may see which, what is masked, how the roads are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, or_, select
from sqlalchemy.orm import Session

from engine import health
from engine.actor import Actor
from engine.i18n import Sentence, _
from engine.models import Instance, OutboxAttempt, OutboxMessage
from processes.messaging.models import CHANNELS
from processes.messaging.permissions import EMPLOYEE, READ_ALL, may_send_again, may_take_back, sees_address
from processes.messaging.rules import masked, reason_of, title_of
from webapp.connectors.queues import LATELY, STATES, TONES, Heap, heaps, together

PAGE_SIZE = 20
LONGEST_SEARCH = 60
RESENDABLE = ("failed", "unknown", "cancelled")

ICONS = {"sms": "device-mobile", "mail": "mail"}


def scope(actor: Actor) -> ColumnElement[bool]:
    """What I wrote, what was sent to me, what my own requests sent; with the right, everything."""
    roads = OutboxMessage.channel.in_(CHANNELS)
    if actor.may(READ_ALL):
        return roads
    mine = select(Instance.id).where(Instance.starter_id == actor.person_id)
    to_me = and_(OutboxMessage.record_type == EMPLOYEE, OutboxMessage.record_id == actor.person_id)
    return and_(roads, or_(OutboxMessage.created_by == actor.person_id, to_me, OutboxMessage.instance_id.in_(mine)))


@dataclass(frozen=True)
class Wanted:
    text: str = ""
    channel: str = ""
    state: str = ""

    @property
    def narrowed(self) -> bool:
        return bool(self.text or self.state)

    @classmethod
    def read(cls, args: Mapping[str, str]) -> Wanted:
        channel = args.get("channel", "")
        return cls(
            args.get("q", "").strip()[:LONGEST_SEARCH], channel if channel in CHANNELS else "", args.get("state", "")
        )

    def arguments(self, **changes: str) -> dict[str, str]:
        pairs = {"q": self.text, "channel": self.channel, "state": self.state} | changes
        return {name: value for name, value in pairs.items() if value}


@dataclass(frozen=True)
class Fate:
    """What became of a mail for one recipient."""

    recipient: str
    word: Sentence
    tone: str
    why: str


_FATES: dict[str, tuple[Sentence, str]] = {
    "failed": (_("Not delivered"), "red"),
    "refused": (_("Refused by the other side"), "red"),
    "delayed": (_("Delayed; the server goes on trying"), "amber"),
    "delivered": (_("Delivered"), "green"),
    "relayed": (_("Handed on"), "green"),
    "expanded": (_("Handed on"), "green"),
}


@dataclass(frozen=True)
class Message:
    """One message as a page shows it."""

    id: int
    channel: str
    to: str
    subject: str
    text: str
    html: str
    state: str
    created_at: datetime
    sent_at: datetime | None
    next_at: datetime | None
    """the next attempt of one that waits"""
    attempts: int
    error: str
    road: str
    parts: int
    instance_id: int | None
    may_resend: bool
    may_cancel: bool
    fates: tuple[Fate, ...] = ()
    """of the recipients a server has spoken of, where it is a mail"""

    @property
    def icon(self) -> str:
        return ICONS.get(self.channel, "send")

    @property
    def road_title(self) -> Sentence | str:
        """A device by its name; a stand-in by what it is."""
        return _("Simulator") if self.road == "simulator" else self.road

    @property
    def title(self) -> Sentence | str:
        return title_of(self.channel)


def messages(
    session: Session, actor: Actor, wanted: Wanted, *, before: int | None = None, size: int = PAGE_SIZE
) -> tuple[list[Message], bool]:
    """A page of what this person may see, newest first, and whether there is more."""
    query = select(OutboxMessage).where(scope(actor))
    if wanted.channel:
        query = query.where(OutboxMessage.channel == wanted.channel)
    if wanted.state:
        query = query.where(OutboxMessage.state == wanted.state)
    if wanted.text:
        payload = OutboxMessage.payload
        query = query.where(
            or_(
                *(
                    payload[name].as_string().icontains(wanted.text, autoescape=True)
                    for name in ("subject", "text", *(("recipient",) if _may_search_recipients(actor, wanted) else ()))
                )
            )
        )
    if before is not None:
        query = query.where(OutboxMessage.id < before)
    rows = list(session.scalars(query.order_by(OutboxMessage.id.desc()).limit(size + 1)))
    return [message(row, actor) for row in rows[:size]], len(rows) > size


def _may_search_recipients(actor: Actor, wanted: Wanted) -> bool:
    """Whoever sees numbers and addresses masked cannot find out by searching what they are; names of people he can."""
    return actor.may(READ_ALL) or not wanted.text.isascii()


def of_instance(session: Session, actor: Actor, instance_id: int) -> list[Message]:
    """What one process has sent, oldest first; the caller has asked whether the actor may read the process."""
    sent = select(OutboxMessage).where(OutboxMessage.instance_id == instance_id, OutboxMessage.channel.in_(CHANNELS))
    return [message(row, actor) for row in session.scalars(sent.order_by(OutboxMessage.id))]


def one(session: Session, actor: Actor, message_id: int) -> OutboxMessage | None:
    return session.scalars(select(OutboxMessage).where(OutboxMessage.id == message_id, scope(actor))).first()


@dataclass(frozen=True)
class Attempt:
    """One try to bring a message away."""

    number: int
    at: datetime
    outcome: str
    milliseconds: int
    road: str
    error: str


def attempts(session: Session, message_id: int) -> list[Attempt]:
    """Every try, oldest first; the caller has asked whether the message may be read."""
    found = (
        select(
            OutboxAttempt.number,
            OutboxAttempt.at,
            OutboxAttempt.outcome,
            OutboxAttempt.milliseconds,
            OutboxAttempt.road,
            OutboxAttempt.error,
        )
        .where(OutboxAttempt.message_id == message_id)
        .order_by(OutboxAttempt.id)
    )
    return [Attempt(*row) for row in session.execute(found)]


def message(row: OutboxMessage, actor: Actor) -> Message:
    payload, result = row.payload, row.result or {}
    return Message(
        row.id,
        row.channel,
        _recipient(row, actor),
        str(payload.get("subject") or ""),
        str(payload.get("text") or ""),
        str(payload.get("html") or ""),
        row.state,
        row.created_at,
        row.sent_at,
        row.available_at if row.state == "queued" else None,
        row.attempts,
        _masked_too(row, actor, row.last_error),
        str(result.get("road") or ""),
        int(result.get("total") or 0),
        row.instance_id,
        may_resend=row.state in RESENDABLE and may_send_again(actor, row),
        may_cancel=row.state == "queued" and may_take_back(actor, row),
        fates=tuple(_fates(row, actor)),
    )


def _fates(row: OutboxMessage, actor: Actor) -> Iterator[Fate]:
    result = row.result or {}
    told = {address: ("refused", text) for address, text in (result.get("refused") or {}).items()}
    for address, report in (result.get("reports") or {}).items():
        told[address] = (report["action"], f"{report['status']} {report['text']}".strip())
    for address, (action, why) in told.items():
        word, tone = _FATES.get(action, _FATES["relayed"])
        yield Fate(address if sees_address(actor, row) else masked(address), word, tone, _masked_too(row, actor, why))


def _masked_too(row: OutboxMessage, actor: Actor, text: str) -> str:
    return text if sees_address(actor, row) else masked(text)


def _recipient(row: OutboxMessage, actor: Actor) -> str:
    """Numbers and addresses of others keep their last digits or first sign, unless one may read everything."""
    to = row.payload.get("to") or ""
    plain = str(row.payload.get("recipient") or (", ".join(to) if isinstance(to, list) else to))
    return plain if sees_address(actor, row) else masked(plain)


# ------------------------------------------------------------------------------------------------- roads


@dataclass(frozen=True)
class Road:
    """A channel: how its link is and what lies in its queue."""

    channel: str
    state: str
    """up | degraded | down | "" (no process of this house delivers it here)"""
    reason: Sentence | str
    waiting: Heap
    failed: Heap
    """or in doubt, lately"""
    devices: tuple[tuple[str, str, Sentence | str], ...] = ()
    """several modems, a gateway behind them: (name, tone, how it is)"""

    @property
    def title(self) -> Sentence | str:
        return title_of(self.channel)

    @property
    def icon(self) -> str:
        return ICONS.get(self.channel, "plug")

    @property
    def tone(self) -> str:
        return TONES.get(self.state, "grey")

    @property
    def word(self) -> Sentence:
        return STATES.get(self.state, _("Not known here"))


def roads(session: Session) -> Sequence[Road]:
    waiting = heaps(session, CHANNELS, ("queued", "sending"))
    wrong = heaps(session, CHANNELS, ("failed", "unknown"), since=LATELY)
    found = []
    seen = health.seen(session)
    for channel in CHANNELS:
        wire = seen.get(channel)
        state, reason = (wire.state, wire.reason) if wire else ("", health.GONE)
        found.append(
            Road(
                channel,
                state,
                reason_of(reason),
                together(waiting, channel),
                together(wrong, channel),
                tuple(
                    (name, TONES[device.state], reason_of(device.reason))
                    for name, device in seen.items()
                    if name.startswith(f"{channel}-")
                ),
            )
        )
    return found
