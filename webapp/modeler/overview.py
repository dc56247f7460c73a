"""The list of designers: what is deployed, what runs on it, who is drafting its next version."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.catalog import CATALOG
from engine.models import Definition, DefinitionDraft, Instance
from webapp.modeler.offers import title_of

UNDER_WAY = ("running", "suspended")


@dataclass(frozen=True)
class Draft:
    revision: int
    by: str
    by_id: int
    at: datetime


@dataclass(frozen=True)
class Line:
    key: str
    title: str
    package: str
    version: int
    """0: only drafted so far"""
    deployed_at: datetime | None
    deployed_by: int | None
    running: int
    draft: Draft | None

    @property
    def touched_at(self) -> datetime:
        moments = [moment for moment in (self.deployed_at, self.draft and self.draft.at) if moment]
        return max(moments)


def lines(session: Session, text: str = "") -> list[Line]:
    """Every process with a version or a draft, the latest change first; `text` is sought in title and key."""
    drafts = {
        key: Draft(revision, by, by_id, at)
        for key, revision, by, by_id, at in session.execute(
            select(
                DefinitionDraft.key,
                DefinitionDraft.revision,
                DefinitionDraft.changed_by_name,
                DefinitionDraft.changed_by,
                DefinitionDraft.changed_at,
            )
        )
    }
    names = dict(session.execute(select(DefinitionDraft.key, DefinitionDraft.name)).all())
    running = running_by_process(session)
    active = session.scalars(select(Definition).where(Definition.state == "active"))
    found = {
        row.key: Line(
            key=row.key,
            title=title_of(row.key, row.name),
            package=package_title(row.package),
            version=row.version,
            deployed_at=row.deployed_at,
            deployed_by=row.deployed_by,
            running=running.get(row.key, 0),
            draft=drafts.get(row.key),
        )
        for row in active
    }
    for key, draft in drafts.items():
        if key not in found:
            found[key] = Line(key, title_of(key, names[key]), "", 0, None, None, running.get(key, 0), draft)
    sought = text.strip().casefold()
    shown = [line for line in found.values() if sought in line.title.casefold() or sought in line.key.casefold()]
    return sorted(shown, key=lambda line: line.touched_at, reverse=True)


def package_title(package: str) -> str:
    known = CATALOG.manifests.get(package)
    return str(known.title) if known else package


def running_by_process(session: Session) -> dict[str, int]:
    counted = (
        select(Instance.definition_key, func.count())
        .where(Instance.state.in_(UNDER_WAY))
        .group_by(Instance.definition_key)
    )
    return dict(session.execute(counted).all())


def running_by_version(session: Session, key: str) -> dict[int, int]:
    """Definition id -> instances under way on it."""
    counted = (
        select(Instance.definition_id, func.count())
        .join(Definition, Definition.id == Instance.definition_id)
        .where(Definition.key == key, Instance.state.in_(UNDER_WAY))
        .group_by(Instance.definition_id)
    )
    return dict(session.execute(counted).all())
