"""The telephone: calls asked for, followed, noted and handed on; agents and how they are."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import false, true
from sqlalchemy.orm import Session

from engine.catalog import Hidden
from processes.kernel import known_numbers
from processes.party.permissions import asks_for_number
from processes.telephony import operations, permissions, rules
from processes.telephony.models import Agent, Call as PhoneCall, CallCommand, CallScore
from webapp.api.answers import Names, Person
from webapp.api.connectors import TAG, Record, offer
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, endpoint
from webapp.api.idempotency import HEADER
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of

Dialled = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]

ORDERS = {"id": PhoneCall.id, "started_at": PhoneCall.started_at}


class CallRequest(Body):
    number: Dialled
    """+8613800138000, 0755-12345678, or an extension"""
    record: Record | None = None


class QueuedCall(Answer):
    id: int
    state: str
    """dialling | ringing | talking | held | ended"""


offer(rules.EXCHANGE, "dial", CallRequest, QueuedCall, "calls")


class CallsQuery(ListQuery):
    view: Literal["all", "live", "missed", "in", "out"] = "all"
    number: Annotated[str, msgspec.Meta(max_length=40)] = ""
    """E.164"""


class AgentPart(Answer):
    """One agent's part in a call."""

    agent: Person
    extension: str
    state: str
    """ringing | talking | over"""
    rung_at: datetime | None
    answered_at: datetime | None
    over_at: datetime | None
    cause: str


class CallLine(Answer):
    id: int
    uuid: str
    """names the call at the exchange, too"""
    direction: str
    """in | out | internal | "" (not known yet)"""
    number: str
    """of the other side: E.164, an extension, or as reported; "" = withheld"""
    did: str
    queue: str
    state: str
    result: str
    """of an ended call: answered | missed | busy | no_answer | unknown_number | ..."""
    agent: Person | None
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    ended_by: str
    note: str
    record: dict[str, str | int] | None


class KnownPerson(Answer):
    record_type: str
    record_id: int
    name: str
    note: str


class CommandLine(Answer):
    """Something the exchange was asked for in this call."""

    id: int
    kind: str
    state: str
    """queued | taken | done | failed | unknown"""
    code: str
    message: str
    """why it came to nothing"""


class PointLine(Answer):
    key: str
    title: str
    points: int
    most: int


class ScoreLine(Answer):
    """How well an agent spoke in a call."""

    call_id: int
    agent_id: int
    person: Person
    points: list[PointLine]
    share: int
    """per cent of all points"""
    remark: str
    by: Person
    at: datetime
    version: int
    """send it back with a change"""


class CallDetail(CallLine):
    parts: list[AgentPart]
    transfers: list[dict[str, str]]
    known: list[KnownPerson]
    """who has this number, as far as you may know"""
    commands: list[CommandLine]
    recording: str
    """where it can be listened to, for those who took part or score it"""
    scores: list[ScoreLine]
    """of your own part, and of people whose calls you score"""


class TransferRequest(Body):
    to: Dialled
    kind: Literal["blind", "attended"] = "blind"


class NoteRequest(Body):
    text: Annotated[str, msgspec.Meta(max_length=rules.LONGEST_NOTE)]


class LinkRequest(Body):
    record: Record | None
    """null: about nothing"""


class PauseRequest(Body):
    on: bool
    reason: Annotated[str, msgspec.Meta(max_length=rules.LONGEST_REASON)] = ""


class AgentLine(Answer):
    id: int
    person: Person
    extension: str
    queues: list[str]
    state: str
    """idle | ringing | busy | paused | offline | "" (nothing heard, or the exchange is not connected)"""
    reason: str
    since: datetime | None


class Agents(Answer):
    connected: bool
    items: list[AgentLine]


@endpoint("POST", "/connectors/telephony/calls", tag=TAG, status=201, refusals=(409, 422))
def dial(call: Call, body: CallRequest) -> QueuedCall:
    """Ring your own phone, then the number. The same Idempotency-Key never dials twice."""
    record = (body.record.type, body.record.id) if body.record is not None else None
    made = operations.dial(call.session, call.actor, number=body.number, key=_key(call), record=record)
    call.headers["Location"] = f"{PREFIX}/connectors/telephony/calls/{made.id}"
    return QueuedCall(id=made.id, state=made.state)


@endpoint("GET", "/connectors/telephony/calls", tag=TAG)
def list_calls(call: Call, query: CallsQuery) -> Page[CallLine]:
    """Calls you were in, and those of the people below you; with the right, all. `order` takes id and started_at."""
    wanted = operations.calls(call.actor)
    if query.view == "live":
        wanted = wanted.where(PhoneCall.ended_at.is_(None))
    elif query.view == "missed":
        wanted = wanted.where(PhoneCall.result == "missed")
    elif query.view != "all":
        wanted = wanted.where(PhoneCall.direction == query.view)
    if query.number:
        asks_for_number(call.actor, query.number)
        as_seen = known_numbers.shown(call.session, call.actor, [query.number])[query.number]
        wanted = wanted.where(PhoneCall.number == query.number, false() if isinstance(as_seen, Hidden) else true())
    if query.q:
        wanted = wanted.where(PhoneCall.note.icontains(query.q, autoescape=True))
    total = total_of(call.session, query, wanted, PhoneCall.id)
    found = rows(call.session, query, wanted.order_by(*ordering(query, ORDERS, "-id", PhoneCall.id)))
    seen = known_numbers.shown(call.session, call.actor, {row[0].number for row in found})
    return page_of(query, found, total, lambda row: CallLine(**call_line(row[0], seen[row[0].number])))


@endpoint("GET", "/connectors/telephony/calls/{call_id}", tag=TAG)
def get_call(call: Call, call_id: Id) -> CallDetail:
    """One call: who rang, who spoke, who is known under the number, what the exchange was asked."""
    return _detail(call, permissions.readable(call.session, call.actor, call_id))


@endpoint("POST", "/connectors/telephony/calls/{call_id}/actions/hangup", tag=TAG, status=202, refusals=(409, 422))
def hang_up(call: Call, call_id: Id) -> CommandLine:
    """End a call you take part in."""
    return _command(operations.hang_up(call.session, call.actor, call_id=call_id, key=_key(call)))


@endpoint("POST", "/connectors/telephony/calls/{call_id}/actions/transfer", tag=TAG, status=202, refusals=(409, 422))
def transfer(call: Call, call_id: Id, body: TransferRequest) -> CommandLine:
    """Hand the call you speak in on to somebody else."""
    command = operations.transfer(call.session, call.actor, call_id=call_id, to=body.to, kind=body.kind, key=_key(call))
    return _command(command)


@endpoint("POST", "/connectors/telephony/calls/{call_id}/actions/note", tag=TAG, refusals=(422,))
def note(call: Call, call_id: Id, body: NoteRequest) -> CallDetail:
    """Keep the note of a call you take part in; it replaces the one before."""
    return _detail(call, operations.write_note(call.session, call.actor, call_id=call_id, text=body.text))


@endpoint("POST", "/connectors/telephony/calls/{call_id}/actions/link", tag=TAG, refusals=(422,))
def link(call: Call, call_id: Id, body: LinkRequest) -> CallDetail:
    """Say which customer, contact or other record a call you take part in was about."""
    record = (body.record.type, body.record.id) if body.record is not None else None
    return _detail(call, operations.link_record(call.session, call.actor, call_id=call_id, record=record))


@endpoint("GET", "/connectors/telephony/agents", tag=TAG)
def list_agents(call: Call) -> Agents:
    """Who has an extension, and how they are."""
    connected = operations.connected(call.session)
    return Agents(connected=connected, items=[agent_line(one, connected) for one in operations.agents(call.session)])


@endpoint("POST", "/connectors/telephony/agents/me/actions/pause", tag=TAG, status=202, refusals=(422,))
def pause(call: Call, body: PauseRequest) -> CommandLine:
    """Get no calls from your queues for a while, or again."""
    return _command(operations.pause(call.session, call.actor, on=body.on, reason=body.reason, key=_key(call)))


@endpoint("POST", "/connectors/telephony/agents/me/actions/sign-in", tag=TAG, status=202, refusals=(422,))
def sign_in(call: Call) -> CommandLine:
    """Sign in to your queues."""
    return _command(operations.sign(call.session, call.actor, on=True, key=_key(call)))


@endpoint("POST", "/connectors/telephony/agents/me/actions/sign-out", tag=TAG, status=202, refusals=(422,))
def sign_out(call: Call) -> CommandLine:
    """Sign out of your queues."""
    return _command(operations.sign(call.session, call.actor, on=False, key=_key(call)))


def _key(call: Call) -> str:
    return call.request_headers.get(HEADER) or secrets.token_hex(16)


def call_line(row: PhoneCall, number: str) -> dict[str, Any]:
    """number: as the caller of the interface may see it."""
    agent = row.agent
    return {
        "id": row.id,
        "uuid": row.uuid,
        "direction": row.direction,
        "number": str(number),
        "did": row.did,
        "queue": row.queue,
        "state": row.state,
        "result": row.result,
        "agent": Person(id=agent.person_id, name=agent.person.name) if agent is not None else None,
        "started_at": row.started_at,
        "answered_at": row.answered_at,
        "ended_at": row.ended_at,
        "ended_by": row.ended_by,
        "note": row.note,
        "record": {"type": row.record_type, "id": row.record_id} if row.record_type and row.record_id else None,
    }


def _detail(call: Call, row: PhoneCall) -> CallDetail:
    session: Session = call.session
    match = operations.matches(session, call.actor, [row.number])[row.number]
    return CallDetail(
        **call_line(row, match.shown),
        parts=[
            AgentPart(
                agent=Person(id=leg.agent.person_id, name=leg.agent.person.name),
                extension=leg.agent.extension,
                state=leg.state,
                rung_at=leg.rung_at,
                answered_at=leg.answered_at,
                over_at=leg.over_at,
                cause=leg.cause,
            )
            for leg in row.legs
        ],
        transfers=list(row.transfers),
        known=[
            KnownPerson(record_type=one.record_type, record_id=one.record_id, name=one.name, note=one.note)
            for one in match.people
        ],
        commands=[_command(one) for one in operations.commands_of(session, row.id)],
        recording=row.recording if operations.may_listen(session, call.actor, row) else "",
        scores=score_lines(session, operations.scores_of(session, call.actor, row)),
    )


def score_lines(session: Session, found: Sequence[CallScore]) -> list[ScoreLine]:
    names = Names(session, [one.changed_by for one in found])
    return [
        ScoreLine(
            call_id=one.call_id,
            agent_id=one.agent_id,
            person=Person(id=one.agent.person_id, name=one.agent.person.name),
            points=[
                PointLine(
                    key=point["key"],
                    title=operations.criterion_title(point),
                    points=point["points"],
                    most=point["most"],
                )
                for point in one.points
            ],
            share=one.share,
            remark=one.remark,
            by=names(one.changed_by),
            at=one.changed_at,
            version=one.version,
        )
        for one in found
    ]


def _command(row: CallCommand) -> CommandLine:
    return CommandLine(id=row.id, kind=row.kind, state=row.state, code=row.code, message=str(operations.why(row)))


def agent_line(row: Agent, connected: bool) -> AgentLine:
    return AgentLine(
        id=row.id,
        person=Person(id=row.person_id, name=row.person.name),
        extension=row.extension,
        queues=[name for name in row.queues.split(",") if name],
        state=row.presence if connected else "",
        reason=row.presence_reason if connected else "",
        since=row.presence_at if connected else None,
    )
