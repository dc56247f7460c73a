"""Instances kept in memory between steps, used only at the revision the step has just read."""

from __future__ import annotations

import threading
from collections import OrderedDict

from engine.workflow.contract import Live


class LiveCache:
    """An LRU of (revision, live instance). Taking removes: two threads never step one object."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._entries: OrderedDict[int, tuple[int, Live]] = OrderedDict()
        self._lock = threading.Lock()

    def take(self, instance_id: int, rev: int) -> Live | None:
        with self._lock:
            entry = self._entries.pop(instance_id, None)
        return entry[1] if entry is not None and entry[0] == rev else None

    def put(self, instance_id: int, rev: int, live: Live) -> None:
        if self._size == 0:
            return
        with self._lock:
            self._entries[instance_id] = (rev, live)
            self._entries.move_to_end(instance_id)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)

    def clear(self) -> None:
        with self._lock:
            self._entries.clear()

    def resize(self, size: int) -> None:
        """0 switches it off: right when several processes step the same instances."""
        with self._lock:
            self._size = size
            while len(self._entries) > size:
                self._entries.popitem(last=False)


LIVE = LiveCache(size=1000)
