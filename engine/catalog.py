"""What a business package declares of itself, and the registries the house reads instead of importing upward."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from types import ModuleType
from typing import Any, Protocol

from sqlalchemy import ColumnElement, Select, select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.i18n import Sentence

ROOMS = ("models", "permissions", "assignments", "operations", "subscribers", "jobs")
"""Modules of a package that declare something when imported."""

Scope = Callable[[Actor], "ColumnElement[bool]"]
"""visible_to(actor): the SQL condition of the rows the actor may see; asked on every road."""


class Masked(str):
    """A sensitive value with its middle struck out: shown as it is, never dialled, sent or compared."""

    __slots__ = ()


class Sealed(Masked):
    """A masked value the asker may not uncover either."""

    __slots__ = ()


class Hidden(Sealed):
    """Nothing of the value, not even whether there is one."""

    __slots__ = ()


Look = Callable[[Any, str, Any], Any]
"""(record, column, value) -> the value as one asker sees it: whole or Masked."""
Sight = Callable[[Session, Actor, Sequence[Any]], Look]
"""How these records look to an actor, for registers with sensitive columns; asked once for all rows of a page."""


def whole(_record: Any, _column: str, value: Any) -> Any:
    """The look of a register without sensitive columns."""
    return value


@dataclass(frozen=True)
class Permission:
    """`package.noun.verb`, said once; checked in the operation, used by the page to hide the button."""

    name: str
    title: Sentence


@dataclass(frozen=True)
class Column:
    """A column of a register.

    kind: text | long | number | money | date | datetime | bool | state | person | reference | shares | phone (E.164).
    shares: a mapping of amounts that make up a whole, drawn as a bar; `choices` names them.
    """

    name: str
    title: Sentence
    kind: str = "text"
    sortable: bool = True
    phone: bool = True
    """kept in the card of the phone layout"""
    choices: Mapping[str, Sentence] = field(default_factory=dict)
    """stored value -> what people read (kind "state")"""
    hint: Sentence | None = None
    """what the form says below the field"""
    asked_only: bool = False
    """asked by the form, shown on no record"""
    only_new: bool = False
    """asked when a record is made, fixed afterwards"""
    when: tuple[str, str] | None = None
    """(field, value): the form shows it only while that field has that value; the operation asks for itself"""


@dataclass(frozen=True)
class View:
    """A ready-made question to a register, one click away: mine, the pool, those due today. Within the scope always."""

    name: str
    title: Sentence
    where: Callable[[Actor], ColumnElement[bool]]
    of_superiors: bool = False
    """only for people others report to"""
    empty: Sentence | None = None
    """what will stand there and by what it comes; without it an empty view is a narrow question"""


@dataclass(frozen=True)
class Register:
    """A list of records people look things up in; webapp/registers turns it into a FAB ModelView.

    create/change/archive are the operations behind FAB's buttons: `(session, actor, *, values: dict) -> record`,
    `(session, actor, *, record_id, version, values) -> record`, `(session, actor, *, record_id) -> None`.
    None = no button.
    """

    name: str
    title: Sentence
    model: type
    columns: tuple[Column, ...]
    scope: Scope
    group: str
    """menu group: workbench | customer | sales | office | admin | process | reports | system; "" = in no menu"""
    icon: str = "table"
    order_by: tuple[str, str] = ("id", "desc")
    search: tuple[str, ...] = ()
    """columns that are searched for a text in them"""
    finds: Callable[[Session, Actor, str], ColumnElement[bool]] | None = None
    """a better way to search than looking into columns; the scope is asked beside it. By the session it may find out
    how many there are: what few have is looked for in another way than what many have"""
    sought: int = 100
    """its place among the hits of the search of the top bar: what people look for most comes first"""
    beside: tuple[str, ...] = ()
    """what tells records of one name apart where they are found: the employer of a contact, the owner of a customer"""
    fields: tuple[Column, ...] = ()
    """what the add/edit form shows, in order; relation columns by the relationship's name"""
    further: tuple[Column, ...] = ()
    """columns one may have in the list and ask for, beyond those it shows by itself"""
    related: tuple[str, ...] = ()
    """names of registers shown as tabs on the record page"""
    permission: str = ""
    """permission needed to open the register at all; "" = every employee"""
    exports: str = ""
    """permission needed to take its rows along as a file; "" = whoever may open it"""
    create: Callable[..., Any] | None = None
    change: Callable[..., Any] | None = None
    archive: Callable[..., Any] | None = None
    views: tuple[View, ...] = ()
    """ready-made questions, as tabs above the list; "all" is always there"""
    quick: tuple[str, ...] = ()
    """columns offered as one-click filters: states with their choices, references with a search"""
    loads: tuple[str, ...] = ()
    """relations behind values the columns show, fetched for a whole page at once: "party.points" """
    sight: Sight | None = None
    """what of sensitive columns the asker sees; None = a record one may see is seen whole"""
    empty: Sentence | None = None
    """said while nothing stands in it: what will, and how it comes there"""
    removes: bool = False
    """`archive` takes the record away altogether; what it was stands in the audit alone"""


@dataclass(frozen=True)
class Process:
    """A process that ships with the house: `bpmn/<diagram>` with its tables and forms beside it."""

    key: str
    title: Sentence
    diagram: str
    icon: str = "file-text"
    description: Sentence | None = None
    startable_by: str = ""
    """permission needed to start it; "" = every employee"""
    filed_endings: tuple[str, ...] = ("completed", "rejected")
    """states of an ended instance that are filed in the archive; () = none ever"""
    retention_years: int = 10
    """how long its packages are kept"""
    readers_until_days: int | None = None
    """days after an instance's end for which those who took part or were copied may still read it; None = for good.
    Its starter and the supervisors always may."""


@dataclass(frozen=True)
class Manifest:
    title: Sentence
    processes: tuple[Process, ...] = ()
    registers: tuple[Register, ...] = ()
    permissions: tuple[Permission, ...] = ()


class Directory(Protocol):
    """Who people are, for rooms below organization; given by bootstrap."""

    def names(self, session: Session, person_ids: Sequence[int]) -> dict[int, str]: ...

    def active(self, session: Session, person_ids: Sequence[int]) -> tuple[int, ...]:
        """Those of them who are still with the company, in the same order."""
        ...

    def fallback_persons(self, session: Session) -> tuple[int, ...]:
        """Who takes a work item when the rule finds nobody."""
        ...

    def members(self, session: Session, principal: int) -> tuple[int, ...]:
        """The people of a group principal."""
        ...

    def reports(self, session: Session, person_id: int) -> tuple[int, ...]:
        """Those who report to this person directly and are still with the company."""
        ...


class Calendar(Protocol):
    def __call__(self, session: Session, start: datetime, *, days: int = 0, hours: float = 0) -> datetime:
        """`start` plus working days or working hours of the company's calendar as it is now, as an aware instant."""
        ...


class Proxies(Protocol):
    """Who stands in for whom (外出委托); given by the package that knows delegations."""

    def __call__(
        self,
        session: Session,
        persons: Sequence[int],
        *,
        definition_key: str,
        starter_id: int,
        form: Callable[[], Mapping[str, Any]],
    ) -> dict[int, int]:
        """{person: who acts for them now}, at the end of their chain; only those who are away for this process.

        form: the request's present values, asked only when a delegation has a limit.
        """
        ...


class Actors(Protocol):
    """People as actors with the rights of their logins; given by the part that knows logins."""

    def __call__(self, session: Session, person_ids: Iterable[int]) -> dict[int, Actor]:
        """Asked when one person's change depends on what another may see; those who have left are missing."""
        ...


def _nobody(_session: Session, _record_id: int) -> Iterable[int]:
    return ()


@dataclass(frozen=True)
class RecordKind:
    """Records that others point at by (record type, id): comments, notices and tasks hang on them."""

    may_read: Callable[[Session, Actor, int], bool]
    title: Callable[[Session, int], str]
    """what it is called; asked after `may_read`"""
    audience: Callable[[Session, int], Iterable[int]] = _nobody
    """principals whose open pages may show it: they are told when something is added to it"""
    readers: Callable[[Session, Sequence[Actor], int], set[int]] | None = None
    """`may_read` asked for many people at once, where a record may concern a thousand"""


class Health(Protocol):
    def __call__(self) -> tuple[str, str]:
        """("up" | "degraded" | "down", reason)"""
        ...


@dataclass
class Catalog:
    """Everything declared, filled by `discover` and bootstrap at start, read-only after."""

    manifests: dict[str, Manifest] = field(default_factory=dict)
    scopes: dict[type, Scope] = field(default_factory=dict)
    search: dict[str, tuple[type, tuple[str, ...]]] = field(default_factory=dict)
    """record type -> (model, columns people search by)"""
    health: dict[str, Health] = field(default_factory=dict)
    directory: Directory | None = None
    calendar: Calendar | None = None
    proxies: Proxies | None = None
    signature: Callable[[Session, int], str | None] | None = None
    """sha256 of the picture a person signs with"""
    actors: Actors | None = None
    records: dict[str, RecordKind] = field(default_factory=dict)
    """record types that are no register, or know better than their register"""
    about: dict[tuple[str, str], Callable[[int], Select[int]]] = field(default_factory=dict)
    """(record type, who declares it) -> ids of the instances about such a record, besides those whose business key
    names it"""

    @property
    def processes(self) -> dict[str, Process]:
        return {p.key: p for manifest in self.manifests.values() for p in manifest.processes}

    @property
    def registers(self) -> dict[str, Register]:
        return {r.name: r for manifest in self.manifests.values() for r in manifest.registers}

    @property
    def permissions(self) -> dict[str, Permission]:
        return {p.name: p for manifest in self.manifests.values() for p in manifest.permissions}

    def record_kind(self, record_type: str) -> RecordKind | None:
        """How to ask about a record known by its type; every register answers by its scope."""
        known = self.records.get(record_type)
        if known is None:
            register = self.registers.get(record_type)
            known = _kind_of(register) if register is not None else None
        return known

    def may_read(self, session: Session, actor: Actor, record_type: str, record_id: int) -> bool:
        """False also for what does not exist and for a type nobody has declared."""
        kind = self.record_kind(record_type)
        return kind is not None and kind.may_read(session, actor, record_id)

    def readers(self, session: Session, persons: Iterable[int], record_type: str, record_id: int) -> list[int]:
        """Those of these people who may read a record, each once, in the same order.

        Whoever never signs in has no rights and no pools, and reads what concerns him in person.
        """
        wanted, kind = list(dict.fromkeys(persons)), self.record_kind(record_type)
        if kind is None or not wanted:
            return []
        known = self.actors(session, wanted) if self.actors is not None else {}
        people = [known.get(person) or Actor(person_id=person, name="") for person in wanted]
        if kind.readers is not None:
            found = kind.readers(session, people, record_id)
        else:
            found = {one.person_id for one in people if kind.may_read(session, one, record_id)}
        return [person for person in wanted if person in found]


def _kind_of(register: Register) -> RecordKind:
    model: Any = register.model

    def may_read(session: Session, actor: Actor, record_id: int) -> bool:
        if register.permission and not actor.may(register.permission):
            return False
        return session.scalar(select(model.id).where(model.id == record_id, register.scope(actor))) is not None

    return RecordKind(may_read, lambda session, record_id: str(session.get(model, record_id) or ""))


CATALOG = Catalog()


def discover(package: ModuleType) -> Catalog:
    """Import every room of every package below `package` and keep its manifest; safe to call twice."""
    for info in pkgutil.iter_modules(package.__path__, package.__name__ + "."):
        if not info.ispkg:
            continue
        here = importlib.import_module(info.name)
        rooms = {module.name for module in pkgutil.iter_modules(here.__path__)}
        for room in ROOMS:
            if room in rooms:
                importlib.import_module(f"{info.name}.{room}")
        if "manifest" in rooms:
            manifest: Manifest = importlib.import_module(f"{info.name}.manifest").MANIFEST
            CATALOG.manifests[info.name.rsplit(".", 1)[-1]] = manifest
            for register in manifest.registers:
                CATALOG.scopes[register.model] = register.scope
                if register.search:
                    CATALOG.search[register.name] = (register.model, register.search)
    return CATALOG
