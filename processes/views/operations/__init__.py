"""Saved views of lists: kept, shared, pinned, read."""

from processes.views.operations.choosing import choose
from processes.views.operations.reading import Pinned, Shelf, shelf_of
from processes.views.operations.saving import change_view, remove_view, save_view

__all__ = ["Pinned", "Shelf", "change_view", "choose", "remove_view", "save_view", "shelf_of"]
