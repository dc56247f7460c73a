"""Who the company deals with: organisations and persons, each stored once, and the parts they play."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any, ClassVar

from sqlalchemy import ForeignKey, Index, SmallInteger, String, Text, func, select, text
from sqlalchemy.orm import Mapped, MappedSQLExpression, column_property, mapped_column, relationship

from engine.db import Base, Id, Json
from processes.kernel.columns import Stamped, append_only
from processes.organization.models import Department, Employee, Position

_ACTIVE_ORGANIZATION = text("kind = 'organization' AND state = 'active'")
_ACTIVE = text("state = 'active'")


class Party(Stamped, Base):
    """An organisation or a person (客户、联系人、会员……). Parts it plays are rows elsewhere, so it is stored once."""

    __tablename__ = "party"
    __table_args__ = (
        Index(
            "uq_party_name_key",
            "name_key",
            unique=True,
            postgresql_where=_ACTIVE_ORGANIZATION,
            sqlite_where=_ACTIVE_ORGANIZATION,
        ),
        Index("uq_party_credit_code", "credit_code", unique=True, postgresql_where=_ACTIVE, sqlite_where=_ACTIVE),
        Index("ix_party_name_core", "name_core"),
        Index("ix_party_name_sound", "name_sound"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kind: Mapped[str] = mapped_column(String(12))
    """organization | person"""
    name: Mapped[str] = mapped_column(String(200))
    name_key: Mapped[str] = mapped_column(String(200))
    """the name as it is compared: one width, no blanks, brackets and marks (rules.name_key); of organisations unique"""
    name_core: Mapped[str] = mapped_column(String(200))
    """without region and company suffix (rules.name_core): what two spellings of one company share"""
    name_sound: Mapped[str] = mapped_column(String(400))
    """pinyin of the core"""
    credit_code: Mapped[str | None] = mapped_column(String(18))
    """统一社会信用代码, checked (GB 32100-2015)"""
    birthday: Mapped[date | None]
    address: Mapped[str] = mapped_column(String(300), default="")
    website: Mapped[str] = mapped_column(String(200), default="")
    note: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | merged | archived"""
    merged_into_id: Mapped[int | None] = mapped_column(ForeignKey("party.id"), index=True)
    """where a merged one's links lead"""

    points: Mapped[list[ContactPoint]] = relationship(order_by="ContactPoint.rank, ContactPoint.id")

    def first(self, kind: str) -> str | None:
        """The first way of this kind to reach the party."""
        return next((one.value for one in self.points if one.kind == kind), None)

    def __str__(self) -> str:
        return self.name


class ContactPoint(Base):
    """A way to reach a party."""

    __tablename__ = "contact_point"
    __table_args__ = (Index("ix_contact_point_value", "kind", "value"), Index("ix_contact_point_party", "party_id"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("party.id"))
    kind: Mapped[str] = mapped_column(String(10))
    """phone | mail | wechat"""
    value: Mapped[str] = mapped_column(String(254))
    """as it is compared: E.164, mail in small letters"""
    label: Mapped[str] = mapped_column(String(40), default="")
    rank: Mapped[int] = mapped_column(SmallInteger, default=0)
    """0 = the first to try"""

    def __str__(self) -> str:
        return self.value


class Customer(Stamped, Base):
    """The part of a customer (客户): its key is its party's. What it is called, to whom it belongs and when it was
    spoken to last are kept here for lists; the truth of the latter two are ownership's and activity's histories.
    """

    __tablename__ = "customer"
    __table_args__ = (
        Index("ix_customer_owner", "owner_id", "state", "next_contact_on"),
        Index("ix_customer_pool", "state", "open_since", "id"),
        Index("ix_customer_name", "name", "id"),
        Index("ix_customer_created", "created_at", "id"),
        Index("ix_customer_last_contact", "last_contact_at", "id"),
    )

    id: Mapped[int] = mapped_column(ForeignKey("party.id"), primary_key=True, autoincrement=False)
    kind: Mapped[str] = mapped_column(String(12), default="organization")
    """organization | person, its party's"""
    name: Mapped[str] = mapped_column(String(200))
    """its party's (party.operations keeps both)"""
    state: Mapped[str] = mapped_column(String(10), default="open")
    """open (in the pool, 开放) | locked (has an owner, 锁定) | closed (no longer served)"""
    level: Mapped[str] = mapped_column(String(1), default="C")
    """A | B | C | D"""
    stage: Mapped[str] = mapped_column(String(12), default="prospect")
    """prospect | contacted | interested | dealt | lost"""
    industry: Mapped[str] = mapped_column(String(20), default="")
    region: Mapped[str] = mapped_column(String(2), default="")
    """province by the first two digits of GB/T 2260: "31" = 上海"""
    city: Mapped[str] = mapped_column(String(40), default="")
    source: Mapped[str] = mapped_column(String(20), default="")
    owner_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id"))
    """who holds the open ownership; written by ownership alone, together with its history"""
    owned_since: Mapped[datetime | None]
    pool_id: Mapped[int | None] = mapped_column(ForeignKey("department.id"))
    """the department whose pool it lies in; null = everybody's"""
    open_since: Mapped[datetime | None]
    protected_until: Mapped[date | None]
    """not unlocked by itself before that day"""
    last_contact_at: Mapped[datetime | None]
    last_qualified_at: Mapped[datetime | None]
    """the last contact that counts against unlocking"""
    contacts_made: Mapped[int] = mapped_column(default=0)
    next_contact_on: Mapped[date | None]
    """the earliest open appointment; written by activity alone, like the three above"""
    people_known: ClassVar[MappedSQLExpression[int]]
    """people who work there and are contacts of ours; reckoned by the database where it is asked for (below)"""

    party: Mapped[Party] = relationship()
    owner: Mapped[Employee | None] = relationship(foreign_keys=[owner_id])
    pool: Mapped[Department | None] = relationship(foreign_keys=[pool_id])

    @property
    def credit_code(self) -> str | None:
        return self.party.credit_code

    @property
    def address(self) -> str:
        return self.party.address

    @property
    def website(self) -> str:
        return self.party.website

    @property
    def note(self) -> str:
        return self.party.note

    @property
    def birthday(self) -> date | None:
        return self.party.birthday

    @property
    def phone(self) -> str | None:
        return self.party.first("phone")

    @property
    def email(self) -> str | None:
        return self.party.first("mail")

    @property
    def wechat(self) -> str | None:
        return self.party.first("wechat")

    @property
    def duplicate_reason(self) -> str:
        """Asked by its form, kept as DuplicateDecision."""
        return ""

    def __str__(self) -> str:
        return self.name


class Contact(Stamped, Base):
    """A person at an organisation (联系人, an employment): with whom one speaks there."""

    __tablename__ = "contact"
    __table_args__ = (
        Index(
            "uq_contact_employment",
            "person_id",
            "organization_id",
            unique=True,
            postgresql_where=_ACTIVE,
            sqlite_where=_ACTIVE,
        ),
        Index("ix_contact_person", "person_id"),
        Index("ix_contact_organization", "organization_id", "state"),
        Index("ix_contact_employer_key", "employer_key"),
        Index("ix_contact_name", "name", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    person_id: Mapped[int] = mapped_column(ForeignKey("party.id"))
    name: Mapped[str] = mapped_column(String(200))
    """the person's (party.operations keeps both)"""
    organization_id: Mapped[int | None] = mapped_column(ForeignKey("party.id"))
    """null as long as the employer is only a name"""
    employer: Mapped[str] = mapped_column(String(200), default="")
    """the employer as it was told; an organisation of ours has its own name"""
    employer_key: Mapped[str] = mapped_column(String(200), default="")
    title: Mapped[str] = mapped_column(String(60), default="")
    """职务"""
    role: Mapped[str] = mapped_column(String(12), default="other")
    """decides | influences | uses | pays | technical | other"""
    is_main: Mapped[bool] = mapped_column(default=False)
    from_on: Mapped[date | None]
    to_on: Mapped[date | None]
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | left"""
    last_contact_at: Mapped[datetime | None]
    contacts_made: Mapped[int] = mapped_column(default=0)
    next_contact_on: Mapped[date | None]
    """written by activity alone, like the two above"""

    person: Mapped[Party] = relationship(foreign_keys=[person_id])
    organization: Mapped[Party | None] = relationship(foreign_keys=[organization_id])

    @property
    def birthday(self) -> date | None:
        return self.person.birthday

    @property
    def phone(self) -> str | None:
        return self.person.first("phone")

    @property
    def email(self) -> str | None:
        return self.person.first("mail")

    @property
    def wechat(self) -> str | None:
        return self.person.first("wechat")

    @property
    def duplicate_reason(self) -> str:
        """Asked by its form, kept as DuplicateDecision."""
        return ""

    def __str__(self) -> str:
        return self.name


Customer.people_known = column_property(
    select(func.count(Contact.id))
    .where(Contact.organization_id == Customer.id, Contact.state == "active")
    .correlate_except(Contact)
    .scalar_subquery(),
    deferred=True,
)


class Relation(Stamped, Base):
    """How two parties stand to each other (关联关系), told once for both."""

    __tablename__ = "party_relation"
    __table_args__ = (
        Index("uq_party_relation", "a_id", "b_id", "kind", unique=True),
        Index("ix_party_relation_b", "b_id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    a_id: Mapped[int] = mapped_column(ForeignKey("party.id"))
    b_id: Mapped[int] = mapped_column(ForeignKey("party.id"))
    kind: Mapped[str] = mapped_column(String(12))
    """parent (a is above b) | supplier (a supplies b) | partner | family | friend | colleague | other"""
    note: Mapped[str] = mapped_column(String(300), default="")

    a: Mapped[Party] = relationship(foreign_keys=[a_id])
    b: Mapped[Party] = relationship(foreign_keys=[b_id])


class Competitor(Stamped, Base):
    """The part of a competitor (竞争对手): its key is its party's."""

    __tablename__ = "competitor"

    id: Mapped[int] = mapped_column(ForeignKey("party.id"), primary_key=True, autoincrement=False)
    name: Mapped[str] = mapped_column(String(200))
    strengths: Mapped[str] = mapped_column(Text, default="")
    weaknesses: Mapped[str] = mapped_column(Text, default="")
    price_notes: Mapped[str] = mapped_column(Text, default="")
    state: Mapped[str] = mapped_column(String(10), default="active")
    """active | archived"""

    party: Mapped[Party] = relationship()

    def __str__(self) -> str:
        return self.name


class CompetitorAt(Stamped, Base):
    """A competitor met at a customer."""

    __tablename__ = "competitor_at"
    __table_args__ = (Index("uq_competitor_at", "customer_id", "competitor_id", unique=True),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    customer_id: Mapped[int] = mapped_column(ForeignKey("customer.id"))
    competitor_id: Mapped[int] = mapped_column(ForeignKey("competitor.id"), index=True)
    role: Mapped[str] = mapped_column(String(12), default="bidding")
    """incumbent | bidding | lost"""
    note: Mapped[str] = mapped_column(String(300), default="")

    customer: Mapped[Customer] = relationship()
    competitor: Mapped[Competitor] = relationship()


@append_only
class DuplicateDecision(Base):
    """A record kept although it looks like another one: who said so and why."""

    __tablename__ = "duplicate_decision"
    __table_args__ = (Index("ix_duplicate_decision_party", "party_id"),)

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("party.id"))
    other_id: Mapped[int] = mapped_column(ForeignKey("party.id"))
    grounds: Mapped[str] = mapped_column(String(60))
    """what was alike: name, sound, phone, mail"""
    reason: Mapped[str] = mapped_column(String(300))
    at: Mapped[datetime]
    actor_id: Mapped[int] = mapped_column(Id)


class DuplicatePair(Base):
    """Two customers that look alike, found by the weekly look; what has been dismissed stays so."""

    __tablename__ = "duplicate_pair"
    __table_args__ = (
        Index("uq_duplicate_pair", "a_id", "b_id", unique=True),
        Index("ix_duplicate_pair_b", "b_id"),
        Index("ix_duplicate_pair_state", "state", "score", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    a_id: Mapped[int] = mapped_column(ForeignKey("party.id"))
    """the smaller of both"""
    b_id: Mapped[int] = mapped_column(ForeignKey("party.id"))
    grounds: Mapped[str] = mapped_column(String(60))
    score: Mapped[int] = mapped_column(SmallInteger)
    state: Mapped[str] = mapped_column(String(10), default="open")
    """open | dismissed"""
    found_at: Mapped[datetime]

    a: Mapped[Party] = relationship(foreign_keys=[a_id])
    b: Mapped[Party] = relationship(foreign_keys=[b_id])


class PartyMerge(Base):
    """Two parties that were one: what moved, so that it can be taken back."""

    __tablename__ = "party_merge"
    __table_args__ = (Index("ix_party_merge_kept", "kept_id"), Index("ix_party_merge_gone", "gone_id"))

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    kept_id: Mapped[int] = mapped_column(ForeignKey("party.id"))
    gone_id: Mapped[int] = mapped_column(ForeignKey("party.id"))
    moved: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """{"rows": {table: {column: [ids of rows that moved]}}, "values": {table: {id: {column: [before, after]}}},
    "made": {table: [ids]}, "owner": kept | gone | ""}
    """
    reason: Mapped[str] = mapped_column(String(300), default="")
    at: Mapped[datetime]
    actor_id: Mapped[int] = mapped_column(Id)
    undone_at: Mapped[datetime | None]
    undone_by: Mapped[int | None] = mapped_column(Id)


class FieldRule(Stamped, Base):
    """How much of a sensitive field somebody sees (字段权限): the widest holds, one that narrows is never exceeded."""

    __tablename__ = "field_rule"
    __table_args__ = (
        Index("uq_field_rule_person", "field", "extent", "person_id", unique=True),
        Index("uq_field_rule_position", "field", "extent", "position_id", unique=True),
        Index("uq_field_rule_role", "field", "extent", "role", unique=True),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    field: Mapped[str] = mapped_column(String(40))
    """customer.phone, contact.email … (rules.RULED_FIELDS)"""
    person_id: Mapped[int | None] = mapped_column(ForeignKey("employee.id"))
    position_id: Mapped[int | None] = mapped_column(ForeignKey("position.id"))
    role: Mapped[str | None] = mapped_column(String(64))
    """to whom: exactly one of the three; a role by its name"""
    extent: Mapped[str] = mapped_column(String(10), default="everywhere")
    """everywhere | others (only where one does not work on the customer oneself)"""
    sees: Mapped[str] = mapped_column(String(10))
    """hidden | masked | visible"""
    reveals: Mapped[bool] = mapped_column(default=True)
    """of a masked one: may be uncovered, which is noted"""
    narrows: Mapped[bool] = mapped_column(default=False)
    """of a person: sees no more than this, whatever other rules and rights would give"""

    person: Mapped[Employee | None] = relationship(foreign_keys=[person_id])
    position: Mapped[Position | None] = relationship(foreign_keys=[position_id])

    def __str__(self) -> str:
        return str(self.person or self.position or self.role or "")


class NameGram(Base):
    """Two neighbouring signs of a party's core name: finds what is nearly alike, and what is typed in part."""

    __tablename__ = "party_gram"

    gram: Mapped[str] = mapped_column(String(2), primary_key=True)
    party_id: Mapped[int] = mapped_column(ForeignKey("party.id"), primary_key=True, index=True)


class PartyImport(Stamped, Base):
    """A table of customers somebody brings along, and how far it has come."""

    __tablename__ = "party_import"
    __table_args__ = (
        Index("ix_party_import_person", "created_by", "id"),
        Index("ix_party_import_state", "state", "id"),
    )

    id: Mapped[int] = mapped_column(Id, primary_key=True)
    file: Mapped[str] = mapped_column(String(200))
    head: Mapped[list[str]] = mapped_column(Json)
    rows: Mapped[list[Any]] = mapped_column(Json)
    """[[number in the table, [cells]]]"""
    mapping: Mapped[list[str]] = mapped_column(Json, default=list)
    """the field each column holds; "" = none"""
    state: Mapped[str] = mapped_column(String(10), default="mapping")
    """mapping | waiting | running | looked | done | failed"""
    dry_run: Mapped[bool] = mapped_column(default=True)
    done: Mapped[int] = mapped_column(default=0)
    total: Mapped[int] = mapped_column(default=0)
    counts: Mapped[dict[str, int]] = mapped_column(Json, default=dict)
    """customers, contacts, changed, skipped"""
    faults: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """row number -> [[field, sentence]]"""
    note: Mapped[str] = mapped_column(String(300), default="")
    actor: Mapped[dict[str, Any]] = mapped_column(Json, default=dict)
    """whose rights hold while it runs: as they were when it was sent off"""

    def __str__(self) -> str:
        return self.file


class ImportMapping(Base):
    """Which field somebody's columns of this head hold: remembered for the next file."""

    __tablename__ = "import_mapping"

    person_id: Mapped[int] = mapped_column(Id, primary_key=True, autoincrement=False)
    head: Mapped[str] = mapped_column(String(100), primary_key=True)
    field: Mapped[str] = mapped_column(String(40))
