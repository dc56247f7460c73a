"""Instances kept in memory between steps, with their open items; whoever steps from memory proves the revision."""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Mapping
from dataclasses import dataclass

from engine.db import on_bind
from engine.runtime.facts import InstanceFacts, ItemFacts
from engine.workflow.contract import Live


@dataclass(frozen=True, slots=True)
class Kept:
    """An instance after its last step here: its row, those of its open items that are known, the live object."""

    facts: InstanceFacts
    items: Mapping[int, ItemFacts]
    live: Live


class LiveCache:
    """An LRU. Taking removes: two threads never step one object."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._kept: OrderedDict[int, Kept] = OrderedDict()
        self._instance_of: dict[int, int] = {}
        self._lock = threading.Lock()

    def item(self, item_id: int) -> tuple[ItemFacts, InstanceFacts] | None:
        """An open item with its instance as last seen here; only a write at that revision proves it."""
        with self._lock:
            kept = self._kept.get(self._instance_of.get(item_id, 0))
            return (kept.items[item_id], kept.facts) if kept is not None else None

    def take(self, instance_id: int, rev: int) -> Kept | None:
        with self._lock:
            kept = self._remove(instance_id)
        return kept if kept is not None and kept.facts.rev == rev else None

    def put(self, kept: Kept) -> None:
        if self._size == 0:
            return
        with self._lock:
            self._remove(kept.facts.id)
            self._kept[kept.facts.id] = kept
            self._instance_of.update(dict.fromkeys(kept.items, kept.facts.id))
            self._shrink()

    def forget(self, instance_id: int) -> None:
        """What is kept of it is out of date."""
        with self._lock:
            self._remove(instance_id)

    def clear(self) -> None:
        with self._lock:
            self._kept.clear()
            self._instance_of.clear()

    def resize(self, size: int) -> None:
        """0 switches it off: right when several processes step the same instances."""
        with self._lock:
            self._size = size
            self._shrink()

    def _shrink(self) -> None:
        while len(self._kept) > self._size:
            self._remove(next(iter(self._kept)))

    def _remove(self, instance_id: int) -> Kept | None:
        kept = self._kept.pop(instance_id, None)
        if kept is not None:
            for item_id in kept.items:
                self._instance_of.pop(item_id, None)
        return kept


LIVE = LiveCache(size=1000)
on_bind(LIVE.clear)
