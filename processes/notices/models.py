"""Notices, and by which roads somebody wants to be told."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from engine.db import Base, Id
from engine.i18n import Sentence
from processes.kernel.columns import Stamped
from processes.messaging.rules import filled
from processes.organization.models import Department, Employee, Position


class Notice(Base):
    """Something one person was told. Its title is kept as a sentence and read in whatever language the reader has."""

    __tablename__ = "notice"
    __table_args__ = (
        UniqueConstraint("person_id", "key"),
        Index("ix_notice_person", "person_id", "id"),
        Index(
            "ix_notice_unread",
            "person_id",
            "id",
            postgresql_where=text("read_at IS NULL"),
            sqlite_where=text("read_at IS NULL"),
        ),
        Index("ix_notice_digest", "digest_at", "person_id"),
        Index("ix_notice_created_at", "created_at"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(Id)
    kind: Mapped[str] = mapped_column(String(60))
    key: Mapped[str] = mapped_column(String(150))
    """names the event: the same event tells a person once"""
    title_template: Mapped[str] = mapped_column(String(300))
    title_values: Mapped[dict[str, Any]] = mapped_column(default=dict)
    text: Mapped[str] = mapped_column(Text, default="")
    """what somebody wrote, word for word; "" = nothing"""
    record_type: Mapped[str | None] = mapped_column(String(60))
    record_id: Mapped[int | None] = mapped_column(Id)
    """what it is about; its page is where the notice leads"""
    link: Mapped[str] = mapped_column(String(300), default="")
    """a place of its own when the record's page is not it: a path of this site, or "#part" of the record's page"""
    created_at: Mapped[datetime]
    read_at: Mapped[datetime | None]
    in_app: Mapped[bool] = mapped_column(default=True)
    """shown in the list and counted by the bell"""
    digest_at: Mapped[datetime | None]
    """when it is due for a digest; null = not wanted there, or in one already"""

    @property
    def title(self) -> Sentence:
        return thawed(self.title_template, self.title_values)


class NoticePreference(Base):
    """By which roads a person wants to hear of one kind; where there is no row the kind's own roads hold."""

    __tablename__ = "notice_preference"
    __table_args__ = ({"sqlite_with_rowid": False},)

    person_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(60), primary_key=True)
    channels: Mapped[list[Any]] = mapped_column(default=list)
    """names out of rules.CHANNELS"""


# ------------------------------------------------------------------------------------------------- told by SMS

SAMPLE = {"name": "张三", "concerned": "李四", "title": "费用申请 EX-2026-0001", "text": "请尽快处理"}
"""What the places of a rule's text are filled with to look at it; the keys are the places there are."""


class SmsRulePerson(Base):
    """Somebody on a rule's own list."""

    __tablename__ = "sms_rule_person"

    rule_id: Mapped[int] = mapped_column(ForeignKey("sms_rule.id"), primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("employee.id"), primary_key=True, index=True)


class SmsRule(Stamped, Base):
    """What happens, in which words it is told by SMS, and to whom."""

    __tablename__ = "sms_rule"
    __table_args__ = (UniqueConstraint("name"), Index("ix_sms_rule_event", "event", "state"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    name: Mapped[str] = mapped_column(String(100))
    event: Mapped[str] = mapped_column(String(60))
    """a key of rules.EVENTS"""
    text: Mapped[str] = mapped_column(Text)
    """with places, the keys of SAMPLE"""
    audience: Mapped[str] = mapped_column(String(20))
    """concerned | superior | department | position | people"""
    department_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    position_id: Mapped[int | None] = mapped_column(ForeignKey("position.id"))
    mandatory: Mapped[bool] = mapped_column(default=False)
    """also to whoever has chosen other roads for this, or wants no texts"""
    state: Mapped[str] = mapped_column(String(10), default="on")
    """on | off"""

    department: Mapped[Department | None] = relationship()
    position: Mapped[Position | None] = relationship()
    people: Mapped[list[Employee]] = relationship(secondary="sms_rule_person", order_by=Employee.id)

    @property
    def sample(self) -> str:
        """How its text reads."""
        return filled(self.text, SAMPLE)

    def __str__(self) -> str:
        return self.name


# ------------------------------------------------------------------------------------------------- sentences


def frozen(sentence: Sentence) -> tuple[str, dict[str, Any]]:
    """A sentence as the database keeps it; sentences among its values are kept as sentences too."""
    return sentence.template, {name: _frozen(value) for name, value in sentence.values.items()}


def _frozen(value: object) -> Any:
    if isinstance(value, Sentence):
        template, values = frozen(value)
        return {"template": template, "values": values}
    return value if value is None or isinstance(value, (bool, int, str)) else str(value)


def thawed(template: str, values: Mapping[str, Any]) -> Sentence:
    return Sentence(template, {name: _thawed(value) for name, value in values.items()})


def _thawed(value: Any) -> object:
    return thawed(value["template"], value["values"]) if isinstance(value, Mapping) else value
