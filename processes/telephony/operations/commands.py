"""What people ask of the exchange: commands, carried out by its listener and settled with what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Any
from uuid import uuid4

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import clock, health, live
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import Conflict, InvalidForm, Problem, RuleViolation
from engine.forms import unprintable
from engine.i18n import Sentence, _
from processes.telephony import permissions, rules
from processes.telephony.models import Agent, Call, CallCommand
from processes.telephony.operations.agents import agent_of
from processes.telephony.operations.calls import PUSH, fail_call
from processes.telephony.operations.plan import plan

Record = tuple[str, int]

FRESH = timedelta(seconds=20)
"""The listener reports every five seconds; what is older was said by one that is gone."""
TOO_LATE = timedelta(seconds=10)
"""A phone that rings long after the button was pressed frightens people: such a command is not carried out any more."""
CARRIED_OUT = timedelta(seconds=30)
"""A command that a listener took so long ago and did not settle was in the hands of one that died."""


@dataclass(frozen=True, slots=True)
class Order:
    """A command in the listener's hands."""

    id: int
    kind: str
    call_id: int | None
    uuid: str
    agent: str
    """extension"""
    arguments: dict[str, Any]
    fence: int


# ------------------------------------------------------------------------------------------------- is it there


def connected(session: Session) -> bool:
    """Whether the listener said a moment ago that the exchange is there."""
    link = health.seen(session).get(rules.EXCHANGE)
    return link is not None and link.state == "up" and link.at is not None and clock.now() - link.at <= FRESH


def _demand_connected(session: Session) -> None:
    if not connected(session):
        raise RuleViolation(
            _("The telephone system is not connected."),
            code="telephony_down",
            remedy=_("Dial on your phone itself, or try again when it is back."),
        )


def _own_agent(session: Session, actor: Actor) -> Agent:
    agent = agent_of(session, actor.person_id)
    if agent is None:
        raise RuleViolation(
            _("You have no extension."),
            code="no_extension",
            remedy=_("Ask an administrator to enter you in the register of agents."),
        )
    return agent


# ------------------------------------------------------------------------------------------------- wishes


def dial(session: Session, actor: Actor, *, number: str, key: str, record: Record | None = None) -> Call:
    """Ring the actor's own phone, then the number. key: tells this wish from every other; again is the same call."""
    name = f"dial:{actor.person_id}:{key}"[:120]
    known = _known(session, name)
    if known is not None and known.call_id is not None:
        return session.get_one(Call, known.call_id)
    agent = _own_agent(session, actor)
    problems = []
    wanted = ""
    try:
        wanted = rules.wanted_number(number, plan())
    except RuleViolation as refusal:
        problems.append(Problem("number", refusal.message, refusal.remedy))
    if wanted == agent.extension:
        problems.append(Problem("number", _("This is your own extension.")))
    if record is not None and not CATALOG.may_read(session, actor, *record):
        problems.append(Problem("record", _("There is no such record.")))
    if problems:
        raise InvalidForm(problems)
    _demand_connected(session)
    session.execute(select(Agent.id).where(Agent.id == agent.id).with_for_update())
    _demand_free(session, agent)
    call = Call(
        uuid=f"yl-{uuid4().hex}",
        exchange=rules.EXCHANGE,
        direction="out" if wanted.startswith("+") else "internal",
        number=wanted,
        agent_id=agent.id,
        state="dialling",
        started_at=clock.now(),
        transfers=[],
        asked_by=actor.person_id,
        record_type=record[0] if record else None,
        record_id=record[1] if record else None,
    )
    try:
        with session.begin_nested():
            session.add(call)
            session.flush()
            _order(session, actor, name, "dial", agent=agent, call=call, number=rules.to_dial(wanted, plan()))
    except IntegrityError:  # the same wish came twice at once, and the other one was faster
        known = _known(session, name)
        if known is None or known.call_id is None:
            raise
        return session.get_one(Call, known.call_id)
    return call


def _demand_free(session: Session, agent: Agent) -> None:
    """One phone, one call that begins."""
    if agent.presence == "offline":
        raise RuleViolation(
            _("Your phone {extension} is not signed in at the exchange.", extension=agent.extension),
            code="phone_offline",
            remedy=_("Switch it on, or sign in at the softphone."),
        )
    beginning = select(Call.id).where(Call.agent_id == agent.id, Call.state.in_(("dialling", "ringing")), _mine_out())
    if session.scalar(beginning.where(Call.started_at > clock.now() - timedelta(minutes=1))) is not None:
        raise Conflict(_("You are dialling already."), code="dialling", remedy=_("Hang up that call first."))


def _mine_out() -> Any:
    return Call.asked_by.is_not(None) & Call.ended_at.is_(None)


def hang_up(session: Session, actor: Actor, *, call_id: int, key: str = "") -> CallCommand:
    call = _open_call(session, actor, call_id)
    return _order(session, actor, _key("hang_up", actor, key), "hang_up", call=call)


def transfer(
    session: Session, actor: Actor, *, call_id: int, to: str, kind: str = "blind", key: str = ""
) -> CallCommand:
    """Hand the actor's call on to an extension or a number. kind: blind | attended."""
    call = _open_call(session, actor, call_id)
    agent = _own_agent(session, actor)
    problems = []
    target = ""
    try:
        target = rules.wanted_number(to, plan())
    except RuleViolation as refusal:
        problems.append(Problem("to", refusal.message, refusal.remedy))
    if target == agent.extension:
        problems.append(Problem("to", _("This is your own extension.")))
    if kind not in ("blind", "attended"):
        problems.append(Problem("kind", _("Please choose one of the offered values.")))
    if problems:
        raise InvalidForm(problems)
    if all(leg.agent_id != agent.id or leg.state != "talking" for leg in call.legs):
        raise Conflict(_("You do not speak in this call any more."), remedy=_("Load it again."))
    name = _key("transfer", actor, key)
    return _order(
        session, actor, name, "transfer", agent=agent, call=call, to=rules.to_dial(target, plan()), how=kind
    )  # fmt: skip


def pause(session: Session, actor: Actor, *, on: bool, reason: str = "", key: str = "") -> CallCommand:
    """Get no calls from the queues for a while, or again."""
    agent = _own_agent(session, actor)
    reason = " ".join(reason.split())
    if len(reason) > rules.LONGEST_REASON or unprintable(reason):
        raise InvalidForm([Problem("reason", _("At most {count} characters fit here.", count=rules.LONGEST_REASON))])
    _demand_connected(session)
    kind = "pause" if on else "resume"
    return _order(session, actor, _key(kind, actor, key), kind, agent=agent, reason=reason)


def sign(session: Session, actor: Actor, *, on: bool, key: str = "") -> CallCommand:
    """Sign in to one's queues, or out of them."""
    agent = _own_agent(session, actor)
    _demand_connected(session)
    kind = "sign_in" if on else "sign_out"
    queues = [name for name in agent.queues.split(",") if name]
    if not queues:
        raise RuleViolation(
            _("No queues are entered for you."),
            code="no_queues",
            remedy=_("Ask an administrator to enter them in the register of agents."),
        )
    return _order(session, actor, _key(kind, actor, key), kind, agent=agent, queues=queues)


def receive(session: Session, actor: Actor, *, number: str, answered: bool) -> CallCommand:
    """Let a call come in at the simulated exchange; others do not know this command."""
    _own_agent(session, actor)
    _demand_connected(session)
    name = _key("receive", actor, "")
    return _order(session, actor, name, "receive", number=rules.wanted_number(number, plan()), answered=answered)


def _open_call(session: Session, actor: Actor, call_id: int) -> Call:
    call = permissions.readable(session, actor, call_id)
    permissions.demand_part(session, actor, call)
    if call.ended_at is not None:
        raise Conflict(_("The call is over."), remedy=_("Load it again."))
    _demand_connected(session)
    return call


def _key(kind: str, actor: Actor, key: str) -> str:
    return f"{kind}:{actor.person_id}:{key or uuid4().hex}"[:120]


def _known(session: Session, key: str) -> CallCommand | None:
    return session.scalars(select(CallCommand).where(CallCommand.key == key)).first()


def _order(
    session: Session,
    actor: Actor,
    key: str,
    kind: str,
    *,
    agent: Agent | None = None,
    call: Call | None = None,
    **arguments: Any,
) -> CallCommand:
    known = _known(session, key)
    if known is not None:
        return known
    command = CallCommand(
        key=key,
        exchange=rules.EXCHANGE,
        kind=kind,
        call_id=call.id if call is not None else None,
        agent_id=agent.id if agent is not None else None,
        arguments=arguments,
        state="queued",
        asked_by=actor.person_id,
        asked_at=clock.now(),
    )
    session.add(command)
    session.flush()
    return command


# ------------------------------------------------------------------------------------------------- the listener's side


def waiting(session: Session, *, exchange: str = rules.EXCHANGE) -> bool:
    """Whether there is anything to carry out; a look that takes no lock."""
    queued = select(CallCommand.id).where(CallCommand.state == "queued", CallCommand.exchange == exchange)
    return session.scalar(queued.limit(1)) is not None


def take(session: Session, *, fence: int, exchange: str = rules.EXCHANGE) -> list[Order]:
    """Take what waits, oldest first. fence: of the lease the caller holds in this very transaction.

    From here on the exchange may act: a listener that dies leaves its orders in doubt, and nobody repeats them.
    """
    queued = select(CallCommand).where(CallCommand.state == "queued", CallCommand.exchange == exchange)
    now, orders = clock.now(), []
    for command in session.scalars(queued.order_by(CallCommand.id).limit(20).with_for_update(skip_locked=True)):
        if now - command.asked_at > TOO_LATE:
            _settle(session, command, "failed", "too_late", "")
            continue
        command.state, command.taken_at, command.fence = "taken", now, fence
        call = session.get(Call, command.call_id) if command.call_id is not None else None
        agent = session.get(Agent, command.agent_id) if command.agent_id is not None else None
        orders.append(
            Order(
                command.id,
                command.kind,
                command.call_id,
                call.uuid if call is not None else "",
                agent.extension if agent is not None else "",
                dict(command.arguments),
                fence,
            )
        )
    session.flush()
    return orders


def settle(session: Session, order: Order, state: str, *, code: str = "", error: str = "") -> bool:
    """What came of an order; False when a later listener has settled it as in doubt."""
    command = session.get_one(CallCommand, order.id, with_for_update=True, populate_existing=True)
    if command.state != "taken" or command.fence != order.fence:
        return False
    _settle(session, command, state, code, error)
    return True


def _settle(session: Session, command: CallCommand, state: str, code: str, error: str) -> None:
    command.state, command.code, command.error, command.done_at = state, code, error[:200], clock.now()
    session.flush()
    if state != "done":
        live.push(session, [command.asked_by], PUSH, {"command": command.id})
    if command.kind == "dial" and state == "failed" and command.call_id is not None:
        fail_call(session, command.call_id, "failed")


def sweep(session: Session, *, exchange: str = rules.EXCHANGE) -> int:
    """Commands nobody will carry out any more: too late, or in the hands of a listener that died."""
    now, found = clock.now(), 0
    late = select(CallCommand).where(
        CallCommand.exchange == exchange,
        ((CallCommand.state == "queued") & (CallCommand.asked_at < now - TOO_LATE))
        | ((CallCommand.state == "taken") & (CallCommand.taken_at < now - CARRIED_OUT)),
    )
    for command in session.scalars(late.order_by(CallCommand.id).limit(100).with_for_update(skip_locked=True)):
        state, code = ("failed", "too_late") if command.state == "queued" else ("unknown", "listener_gone")
        _settle(session, command, state, code, "")
        found += 1
    return found


REFUSALS: dict[str, Sentence] = {
    "too_late": _("The telephone system did not take it in time."),
    "listener_gone": _("It is not known whether the telephone system did it."),
    "link_down": _("The telephone system is not connected."),
    "peer_silent": _("The telephone system did not answer; it may have done it."),
    "no_such_call": _("The call is over."),
    "static_member": _("The exchange has you in its files and does not let you sign out."),
    "transfer_not_begun": _("The exchange has taken the transfer and did nothing."),
    "bad_number": _("The exchange cannot dial this number."),
}


def why(command: CallCommand) -> Sentence | str:
    """Why a command came to nothing, for people; "" when it did not."""
    if command.state not in ("failed", "unknown"):
        return ""
    return REFUSALS.get(command.code) or _("The exchange refused: {text}", text=command.error or command.code)
