"""Which processes a person may start, by package; and what is known of one: icon, title, start form."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass

from flask import g
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository, runtime
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import NotFound
from engine.forms import FormSchema
from engine.i18n import _
from engine.models import Definition, Instance

RECENT = 50
"""How many of one's latest requests are looked at to know what one starts often."""


@dataclass(frozen=True)
class Startable:
    key: str
    title: str
    description: str
    icon: str
    package: str


@dataclass(frozen=True)
class Group:
    title: str
    processes: tuple[Startable, ...]


def startable(session: Session, actor: Actor) -> list[Startable]:
    """Every deployed process this person may begin by hand, by title."""
    active = session.scalars(select(Definition).where(Definition.state == "active").order_by(Definition.id))
    found = [
        _startable(row)
        for row in active
        if runtime.may_start(actor, row.key) and _begins_by_hand(repository.get(session, row.id))
    ]
    return sorted(found, key=lambda process: process.title)


def _begins_by_hand(loaded: repository.Loaded) -> bool:
    return any(start.kind == "none" for start in loaded.compiled.starts)


def _startable(row: Definition) -> Startable:
    known = CATALOG.processes.get(row.key)
    return Startable(
        row.key,
        title_of(row.key, row.name),
        str(known.description or "") if known else "",
        known.icon if known else "file-text",
        row.package or _package_of(row.key),
    )


def _package_of(key: str) -> str:
    return next((name for name, m in CATALOG.manifests.items() if any(p.key == key for p in m.processes)), "")


def title_of(key: str, name: str = "") -> str:
    """What a process is called: as its package says, else as its diagram does."""
    known = CATALOG.processes.get(key)
    return str(known.title) if known else name or key


def icon_of(key: str) -> str:
    known = CATALOG.processes.get(key)
    return known.icon if known else "file-text"


def grouped(processes: list[Startable]) -> list[Group]:
    """By package, in the packages' own words; those of no package last."""
    packages: dict[str, list[Startable]] = {}
    for process in processes:
        packages.setdefault(process.package if process.package in CATALOG.manifests else "", []).append(process)
    named = [Group(str(CATALOG.manifests[name].title), tuple(members)) for name, members in packages.items() if name]
    other = packages.get("")
    return sorted(named, key=lambda group: group.title) + (
        [Group(str(_("Other processes")), tuple(other))] if other else []
    )


def often_started(session: Session, actor: Actor, processes: list[Startable], size: int = 4) -> list[Startable]:
    """What this person starts most, filled up with the rest."""
    keys = session.scalars(
        select(Instance.definition_key)
        .where(Instance.starter_id == actor.person_id)
        .order_by(Instance.id.desc())
        .limit(RECENT)
    )
    uses = Counter(keys)
    return sorted(processes, key=lambda process: -uses[process.key])[:size]


def start_form(session: Session, key: str) -> FormSchema | None:
    """The newest start form of a process, asked once a request; None when it is gone or has none."""
    known: dict[str, FormSchema | None] = g.setdefault("start_forms", {})
    if key not in known:
        try:
            known[key] = repository.get(session, repository.latest(session, key).id).start_form()
        except NotFound:
            known[key] = None
    return known[key]
