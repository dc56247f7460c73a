"""What one step writes, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(slots=True)
class NewItem:
    """A work item to open. `principals` fill the inbox: the assignee, or everybody of the pool."""

    token: int
    node: str
    title: str
    assignee_id: int | None
    principals: tuple[int, ...]
    reason: dict[str, Any]
    due_at: datetime | None = None
    sequence: int = 0
    state: str = "open"
    """open | waiting (for its turn) | auto (decided by rule at once)"""
    outcome: str = "none"
    many: bool = False
    weight: int = 1
    on_behalf_of: int | None = None
    done_by: int | None = None
    done_by_name: str = ""

    @property
    def inbox(self) -> tuple[int, ...]:
        """Whose inbox it lies in from the beginning, each once."""
        return tuple(dict.fromkeys(self.principals)) if self.state == "open" else ()


@dataclass(slots=True)
class ClosedItem:
    """The one item a person acted on in this step."""

    item_id: int
    outcome: str
    opinion: str
    done_by: int
    done_by_name: str
    on_behalf_of: int | None = None
    state: str = "done"
    signature: str = ""
    business_at: datetime | None = None


@dataclass(slots=True)
class StepRows:
    """Everything one step writes. Written if and only if the instance is still at `rev`."""

    instance_id: int
    rev: int
    at: datetime
    state: str
    snapshot: bytes | None
    snapshot_format: int
    log_seq: int
    log_hash: str
    ended_at: datetime | None = None
    closed: ClosedItem | None = None
    cancelled_tokens: list[int] = field(default_factory=list)
    cause: str = "interrupted"
    """why their items end"""
    opened: list[NewItem] = field(default_factory=list)
    timers_set: list[dict[str, Any]] = field(default_factory=list)
    timers_cleared: list[int] = field(default_factory=list)
    waits_set: list[dict[str, Any]] = field(default_factory=list)
    waits_cleared: list[int] = field(default_factory=list)
    incidents: list[dict[str, Any]] = field(default_factory=list)
    incidents_cleared: list[int] = field(default_factory=list)
    log: list[dict[str, Any]] = field(default_factory=list)
    participants: set[int] = field(default_factory=set)
    form: dict[str, Any] | None = None
