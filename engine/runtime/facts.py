"""What a step must know of an instance and of an open item; read in one row, or kept beside the live instance."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.orm import Session

from engine.models import Instance, WorkItem


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """An instance as it was at `rev`; true as long as nobody wrote a later one, which the step's own write proves."""

    id: int
    definition_id: int
    definition_key: str
    rev: int
    state: str
    business_key: str | None
    starter_id: int
    log_seq: int
    log_hash: str
    people: dict[str, Any]


@dataclass(frozen=True, slots=True)
class ItemFacts:
    """A work item at its instance's revision: whoever changes an item raises that revision too."""

    id: int
    instance_id: int
    token: int
    node: str
    state: str
    assignee_id: int | None
    candidates: list[Any]
    on_behalf_of: int | None
    version: int
    done_by_name: str = ""
    done_by: int | None = None
    kind: str = "sign"
    many: bool = False
    parent_id: int | None = None
    added: str = ""
    owner_id: int | None = None
    hops: int = 0
    reason: Mapping[str, Any] = field(default_factory=dict)


_INSTANCE = (
    Instance.id,
    Instance.definition_id,
    Instance.definition_key,
    Instance.rev,
    Instance.state,
    Instance.business_key,
    Instance.starter_id,
    Instance.log_seq,
    Instance.log_hash,
    Instance.people,
)
_ITEM = (
    WorkItem.id,
    WorkItem.instance_id,
    WorkItem.token,
    WorkItem.node,
    WorkItem.state,
    WorkItem.assignee_id,
    WorkItem.candidates,
    WorkItem.on_behalf_of,
    WorkItem.version,
    WorkItem.done_by_name,
    WorkItem.done_by,
    WorkItem.kind,
    WorkItem.many,
    WorkItem.parent_id,
    WorkItem.added,
    WorkItem.owner_id,
    WorkItem.hops,
    WorkItem.reason,
)


def must_lock(session: Session) -> bool:
    """This attempt repeats a lost one: take row locks from the start."""
    return bool(session.info.get("lock_instances"))


def read_instance(session: Session, instance_id: int) -> InstanceFacts | None:
    row = session.execute(_locked(session, select(*_INSTANCE).where(Instance.id == instance_id))).first()
    return InstanceFacts(*tuple(row)) if row else None


def read_item(session: Session, item_id: int) -> tuple[ItemFacts, InstanceFacts] | None:
    """An item with its instance, from one row: both belong to the same revision."""
    wanted = (
        select(*_ITEM, *_INSTANCE).join(Instance, Instance.id == WorkItem.instance_id).where(WorkItem.id == item_id)
    )
    row = session.execute(_locked(session, wanted)).first()
    if row is None:
        return None
    return ItemFacts(*row[: len(_ITEM)]), InstanceFacts(*row[len(_ITEM) :])


def _locked(session: Session, wanted: Select[*tuple[Any, ...]]) -> Select[*tuple[Any, ...]]:
    return wanted.with_for_update(of=Instance) if must_lock(session) else wanted
