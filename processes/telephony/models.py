"""Calls and who was in them, how well, agents and how they were, and what the exchange is asked to do."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, false, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id, Json
from processes.kernel.columns import Stamped, append_only
from processes.organization.models import Employee


class Agent(Stamped, Base):
    """Somebody with an extension (坐席)."""

    __tablename__ = "phone_agent"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("employee.id"), unique=True)
    extension: Mapped[str] = mapped_column(String(6), unique=True)
    queues: Mapped[str] = mapped_column(String(200), default="")
    """those of the exchange he signs in to, separated by commas"""
    skills: Mapped[str] = mapped_column(String(200), default="")
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | archived"""
    presence: Mapped[str] = mapped_column(String(10), default="")
    """as the exchange says: idle | ringing | busy | paused | offline; "" = nothing heard yet"""
    presence_reason: Mapped[str] = mapped_column(String(80), default="")
    presence_at: Mapped[datetime | None]

    person: Mapped[Employee] = relationship()

    def __str__(self) -> str:
        return f"{self.person.name} ({self.extension})"


@append_only
class AgentPresence(Base):
    """How an agent was from when on."""

    __tablename__ = "phone_agent_presence"
    __table_args__ = (Index("ix_phone_agent_presence_agent", "agent_id", "at"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    agent_id: Mapped[int] = mapped_column(ForeignKey("phone_agent.id"))
    presence: Mapped[str] = mapped_column(String(10))
    reason: Mapped[str] = mapped_column(String(80), default="")
    at: Mapped[datetime]


class Call(Base):
    """One call, from its first ring to its end; made of events that may come late, twice and in any order."""

    __tablename__ = "phone_call"
    __table_args__ = (
        Index("ix_phone_call_started", "started_at"),
        Index("ix_phone_call_open", "ended_at", "exchange"),
        Index("ix_phone_call_number", "number"),
        Index("ix_phone_call_agent", "agent_id", "started_at"),
        Index("ix_phone_call_about", "record_type", "record_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    uuid: Mapped[str] = mapped_column(String(150), unique=True)
    """ours when we asked for the call, else the exchange's"""
    exchange: Mapped[str] = mapped_column(String(40))
    direction: Mapped[str] = mapped_column(String(10), default="")
    """in | out | internal; "" = not known yet"""
    number: Mapped[str] = mapped_column(String(40), default="")
    """of the other side: E.164 where it can be read, an extension, or as reported; "" = hidden"""
    did: Mapped[str] = mapped_column(String(40), default="")
    """the number of ours that was called"""
    queue: Mapped[str] = mapped_column(String(80), default="")
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("phone_agent.id"))
    """who dialled, or who answered first"""
    state: Mapped[str] = mapped_column(String(10))
    """dialling | ringing | talking | held | ended"""
    result: Mapped[str] = mapped_column(String(20), default="")
    """of an ended call: answered | missed | or why it was not answered (rules.RESULTS)"""
    cause: Mapped[str] = mapped_column(String(30), default="")
    ended_by: Mapped[str] = mapped_column(String(10), default="")
    """agent | customer | exchange"""
    started_at: Mapped[datetime]
    answered_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]
    held_at: Mapped[datetime | None]
    """when it was last held or resumed"""
    is_held: Mapped[bool] = mapped_column(default=False, server_default=false())
    transfers: Mapped[list[Any]] = mapped_column(Json, default=list)
    """[{"at", "how", "to", "by"}]"""
    note: Mapped[str] = mapped_column(Text, default="")
    note_by: Mapped[int | None] = mapped_column(Id)
    note_at: Mapped[datetime | None]
    asked_by: Mapped[int | None] = mapped_column(Id)
    """the person who asked us for it"""
    record_type: Mapped[str | None] = mapped_column(String(60))
    record_id: Mapped[int | None] = mapped_column(Id)
    """what it is about"""
    recording: Mapped[str] = mapped_column(String(500), default="", server_default=text("''"))
    """where it can be listened to; "" = it was not recorded, or nobody has told where"""

    agent: Mapped[Agent | None] = relationship()
    legs: Mapped[list[CallLeg]] = relationship(order_by="CallLeg.id", back_populates="call")

    def __str__(self) -> str:
        return self.number or self.uuid


class CallLeg(Base):
    """One agent's part in a call: rung, perhaps spoken, over."""

    __tablename__ = "phone_call_leg"
    __table_args__ = (
        UniqueConstraint("call_id", "agent_id"),
        Index("ix_phone_call_leg_agent", "agent_id", "state"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("phone_call.id"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("phone_agent.id"))
    state: Mapped[str] = mapped_column(String(10))
    """ringing | talking | over"""
    rung_at: Mapped[datetime | None]
    answered_at: Mapped[datetime | None]
    over_at: Mapped[datetime | None]
    cause: Mapped[str] = mapped_column(String(30), default="")
    closed_at: Mapped[datetime | None]
    """when the agent has put the pop-up away"""

    call: Mapped[Call] = relationship(back_populates="legs")
    agent: Mapped[Agent] = relationship()


class CallCriterion(Stamped, Base):
    """What calls are scored by (质检项)."""

    __tablename__ = "phone_criterion"

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    title: Mapped[str] = mapped_column(String(60))
    most: Mapped[int]
    """points, when nothing is to be said against it"""
    rank: Mapped[int] = mapped_column(default=0)
    """order in the form"""
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | archived"""

    def __str__(self) -> str:
        return self.title


class CallScore(Stamped, Base):
    """How well an agent spoke in a call (质检评分); one of each part, by whoever stands above."""

    __tablename__ = "phone_call_score"
    __table_args__ = (UniqueConstraint("call_id", "agent_id"), Index("ix_phone_call_score_agent", "agent_id"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    call_id: Mapped[int] = mapped_column(ForeignKey("phone_call.id"))
    agent_id: Mapped[int] = mapped_column(ForeignKey("phone_agent.id"))
    points: Mapped[list[Any]] = mapped_column(Json, default=list)
    """[{"key", "title", "points", "most"}] in the order of the form: criteria change, scores do not"""
    share: Mapped[int]
    """per cent of all points"""
    remark: Mapped[str] = mapped_column(Text, default="")

    call: Mapped[Call] = relationship()
    agent: Mapped[Agent] = relationship()


class CallCommand(Base):
    """Something the exchange is asked to do; written with the wish, carried out by the listener, once."""

    __tablename__ = "phone_command"
    __table_args__ = (UniqueConstraint("key"), Index("ix_phone_command_state", "state", "id"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    key: Mapped[str] = mapped_column(String(120))
    """names the wish: the same again is the same command"""
    exchange: Mapped[str] = mapped_column(String(40))
    kind: Mapped[str] = mapped_column(String(12))
    """dial | hang_up | transfer | pause | resume | sign_in | sign_out | receive"""
    call_id: Mapped[int | None] = mapped_column(ForeignKey("phone_call.id"), index=True)
    agent_id: Mapped[int | None] = mapped_column(ForeignKey("phone_agent.id"))
    arguments: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    state: Mapped[str] = mapped_column(String(10), default="queued")
    """queued | taken | done | failed | unknown"""
    code: Mapped[str] = mapped_column(String(40), default="")
    error: Mapped[str] = mapped_column(String(200), default="")
    """in the exchange's own words"""
    fence: Mapped[int] = mapped_column(default=0)
    """of the listener that took it"""
    asked_by: Mapped[int] = mapped_column(Id)
    asked_at: Mapped[datetime]
    taken_at: Mapped[datetime | None]
    done_at: Mapped[datetime | None]
