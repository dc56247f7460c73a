"""The register of agents, and how the exchange says they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connectors.telephony.events import AgentEvent
from engine import live
from engine.actor import Actor
from engine.errors import RuleViolation
from engine.i18n import _
from processes.kernel import records
from processes.kernel.columns import lock_for_change
from processes.kernel.entry import Entry
from processes.organization.models import Employee
from processes.telephony import permissions, rules
from processes.telephony.models import Agent, AgentPresence
from processes.telephony.operations.calls import tell_boards

RECORD_TYPE = "telephony.agent"

PUSH = "agent"
"""The kind of push that tells an agent's open pages how he is."""


def _read(session: Session, values: Mapping[str, Any], *, record_id: int | None) -> dict[str, Any]:
    entry = Entry(session, values, is_new=record_id is None)
    entry.reference("person", Employee, required=True)
    entry.parsed("extension", _extension, required=True)
    entry.parsed("queues", _queues, empty="")
    entry.text("skills", longest=200)
    entry.untaken("extension", Agent.extension, record_id, _("Somebody else has this extension."))
    entry.untaken("person", Agent.person, record_id, _("This person has an extension already."))
    clean = entry.finish()
    if clean.get("skills", "") is None:
        clean["skills"] = ""
    return clean


def _extension(value: Any) -> str:
    if not isinstance(value, str) or not rules.EXTENSION.fullmatch(value.strip()):
        raise RuleViolation(_("An extension has two to six digits."))
    return value.strip()


def _queues(value: Any) -> str:
    names = [name.strip() for name in str(value).replace("，", ",").split(",") if name.strip()]
    if not all(rules.QUEUE.fullmatch(name) for name in names) or len(",".join(names)) > 200:
        raise RuleViolation(_("Write the names of queues as the exchange has them, separated by commas."))
    return ",".join(dict.fromkeys(names))


def create_agent(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> Agent:
    """values: person, extension, queues, skills."""
    permissions.require(actor, permissions.MANAGE_AGENTS)
    clean = _read(session, values, record_id=None)
    agent = Agent(**clean)
    records.create(session, actor, RECORD_TYPE, agent, clean)
    return agent


def change_agent(
    session: Session, actor: Actor, *, record_id: int, version: int | None = None, values: Mapping[str, Any]
) -> Agent:
    permissions.require(actor, permissions.MANAGE_AGENTS)
    agent = lock_for_change(session, Agent, record_id, version)
    clean = _read(session, values, record_id=record_id)
    records.change(session, actor, RECORD_TYPE, agent, clean)
    return agent


def archive_agent(session: Session, actor: Actor, *, record_id: int) -> None:
    """The extension is nobody's any more for us; calls of it stay."""
    permissions.require(actor, permissions.MANAGE_AGENTS)
    records.archive(session, actor, RECORD_TYPE, lock_for_change(session, Agent, record_id))


def agent_of(session: Session, person_id: int) -> Agent | None:
    return session.scalars(select(Agent).where(Agent.person_id == person_id, Agent.state == "active")).first()


def extensions(session: Session) -> list[str]:
    return list(session.scalars(select(Agent.extension).where(Agent.state == "active").order_by(Agent.extension)))


def note_presence(session: Session, event: AgentEvent) -> bool:
    """How the exchange says an agent is; whether that was news. What is older than what we know changes nothing.

    The record's version stays: whoever edits it is not disturbed by the phone.
    """
    agent = session.execute(
        select(Agent.id, Agent.person_id, Agent.presence, Agent.presence_reason, Agent.presence_at)
        .where(Agent.extension == event.agent)
        .with_for_update()
    ).first()
    if agent is None or (agent.presence_at is not None and event.at < agent.presence_at):
        return False
    reason = event.reason[: rules.LONGEST_REASON]
    if (agent.presence, agent.presence_reason) == (event.state, reason):
        return False
    new = {"presence": event.state, "presence_reason": reason, "presence_at": event.at}
    session.execute(
        update(Agent.__table__).where(Agent.__table__.c.id == agent.id).values(**new)  # type: ignore[arg-type]
    )
    session.add(AgentPresence(agent_id=agent.id, presence=event.state, reason=reason, at=event.at))
    session.flush()
    live.push(session, [agent.person_id], PUSH, {"state": event.state, "reason": reason})
    tell_boards(session)
    return True
