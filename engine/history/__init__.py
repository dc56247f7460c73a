"""Reads: the inbox, the lists of instances, what happened in one, where its tokens are and were."""

from engine.history.spans import usual_spans
from engine.history.trails import Trail, deeds_of, items_of, log_lines, signers_of, trail
from engine.history.views import (
    COUNT_CAP,
    OF_ITEMS,
    OF_OTHERS,
    UNDONE,
    VIEWS,
    Line,
    Page,
    View,
    counts,
    in_view,
    inbox,
    instance_line,
    item_line,
    present_steps,
)

__all__ = [
    "COUNT_CAP",
    "OF_ITEMS",
    "OF_OTHERS",
    "UNDONE",
    "VIEWS",
    "Line",
    "Page",
    "Trail",
    "View",
    "counts",
    "deeds_of",
    "in_view",
    "inbox",
    "instance_line",
    "item_line",
    "items_of",
    "log_lines",
    "present_steps",
    "signers_of",
    "trail",
    "usual_spans",
]
