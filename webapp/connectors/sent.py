"""Messages of the outbox as people read them: who may see which, what is masked, how the roads are."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session

from engine import health
from engine.actor import Actor
from engine.i18n import Sentence, _
from engine.models import Instance, OutboxMessage
from processes.messaging.models import CHANNELS
from processes.messaging.permissions import READ_ALL, SEND_MAIL, SEND_SMS
from processes.messaging.rules import masked

PAGE_SIZE = 20
LONGEST_SEARCH = 60
PERSON = "organization.employee"
SEND = {"sms": SEND_SMS, "mail": SEND_MAIL}
RESENDABLE = ("failed", "unknown", "cancelled")

TITLES = {"sms": _("SMS"), "mail": _("Mail")}
ICONS = {"sms": "device-mobile", "mail": "mail"}

REASONS: dict[str, Sentence] = {
    "simulated": _("a simulator: nothing really leaves"),
    "": _("ready"),
    health.GONE: _("no worker or listener reports"),
    "not_opened": _("not opened yet"),
    "not_tried": _("nothing sent yet"),
    "modem_lost": _("the modem does not answer"),
    "no_signal": _("no signal"),
    "not_registered": _("not registered in a network"),
    "sim_pin_refused": _("the SIM refused its PIN; a person must look"),
    "auth_refused": _("the server refused the login"),
    "unreachable": _("the server cannot be reached"),
    "certificate_untrusted": _("the server shows a certificate that is not trusted"),
    "redirected": _("the gateway has moved to another address; correct SMS_GATEWAY_URL"),
    "in_doubt": _("the last answer did not come"),
    "closed": _("closed"),
}


def scope(actor: Actor) -> ColumnElement[bool]:
    """What I wrote, what was sent to me, what my own requests sent; with the right, everything."""
    roads = OutboxMessage.channel.in_(CHANNELS)
    if actor.may(READ_ALL):
        return roads
    mine = select(Instance.id).where(Instance.starter_id == actor.person_id)
    to_me = and_(OutboxMessage.record_type == PERSON, OutboxMessage.record_id == actor.person_id)
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

    @property
    def icon(self) -> str:
        return ICONS.get(self.channel, "send")

    @property
    def road_title(self) -> Sentence | str:
        """A device by its name; a stand-in by what it is."""
        return _("Simulator") if self.road == "simulator" else self.road

    @property
    def title(self) -> Sentence | str:
        return TITLES.get(self.channel, self.channel)


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
                    for name in ("recipient", "subject", "text")
                )
            )
        )
    if before is not None:
        query = query.where(OutboxMessage.id < before)
    rows = list(session.scalars(query.order_by(OutboxMessage.id.desc()).limit(size + 1)))
    return [message(row, actor) for row in rows[:size]], len(rows) > size


def of_instance(session: Session, actor: Actor, instance_id: int) -> list[Message]:
    """What one process has sent, oldest first; the caller has asked whether the actor may read the process."""
    sent = select(OutboxMessage).where(OutboxMessage.instance_id == instance_id, OutboxMessage.channel.in_(CHANNELS))
    return [message(row, actor) for row in session.scalars(sent.order_by(OutboxMessage.id))]


def one(session: Session, actor: Actor, message_id: int) -> OutboxMessage | None:
    return session.scalars(select(OutboxMessage).where(OutboxMessage.id == message_id, scope(actor))).first()


def message(row: OutboxMessage, actor: Actor) -> Message:
    payload, result = row.payload, row.result or {}
    may_send = actor.may(SEND.get(row.channel, ""))
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
        row.last_error,
        str(result.get("road") or ""),
        int(result.get("total") or 0),
        row.instance_id,
        may_resend=may_send and row.state in RESENDABLE,
        may_cancel=row.state == "queued" and (may_send or row.created_by == actor.person_id),
    )


def _recipient(row: OutboxMessage, actor: Actor) -> str:
    """Numbers and addresses of others keep their last digits or first sign, unless one may read everything."""
    to = row.payload.get("to") or ""
    plain = str(row.payload.get("recipient") or (", ".join(to) if isinstance(to, list) else to))
    own = row.record_type == PERSON and row.record_id == actor.person_id
    if own or actor.may(READ_ALL):
        return plain
    return masked(plain)


# ------------------------------------------------------------------------------------------------- roads


@dataclass(frozen=True)
class Road:
    """A channel: how its link is and what lies in its queue."""

    channel: str
    state: str
    """up | degraded | down | "" (no process of this house delivers it here)"""
    reason: Sentence | str
    waiting: int
    failed: int

    @property
    def title(self) -> Sentence | str:
        return TITLES.get(self.channel, self.channel)

    @property
    def icon(self) -> str:
        return ICONS.get(self.channel, "plug")

    @property
    def tone(self) -> str:
        return {"up": "green", "degraded": "amber", "down": "red"}.get(self.state, "grey")

    @property
    def word(self) -> Sentence:
        return _STATES.get(self.state, _("Not known here"))


_STATES = {"up": _("Working"), "degraded": _("Slow"), "down": _("Not reachable")}


def roads(session: Session) -> Sequence[Road]:
    counted = session.execute(
        select(OutboxMessage.channel, OutboxMessage.state, func.count())
        .where(OutboxMessage.state.in_(("queued", "sending", "failed", "unknown")))
        .group_by(OutboxMessage.channel, OutboxMessage.state)
    )
    numbers = {(channel, state): count for channel, state, count in counted}
    found = []
    seen = health.seen(session)
    for channel in CHANNELS:
        wire = seen.get(channel)
        state, reason = (wire.state, wire.reason) if wire else ("", health.GONE)
        found.append(
            Road(
                channel,
                state,
                REASONS.get(reason, reason),
                numbers.get((channel, "queued"), 0) + numbers.get((channel, "sending"), 0),
                numbers.get((channel, "failed"), 0) + numbers.get((channel, "unknown"), 0),
            )
        )
    return found
