"""Reads: the inbox, the lists of instances, what happened in one, where its tokens are and were."""

from engine.history.spans import usual_spans
from engine.history.trails import Trail, deeds_of, items_of, log_lines, signers_of, trail
from engine.history.views import COUNT_CAP, VIEWS, Line, Page, View, counts, inbox, present_steps

__all__ = [
    "COUNT_CAP",
    "VIEWS",
    "Line",
    "Page",
    "Trail",
    "View",
    "counts",
    "deeds_of",
    "inbox",
    "items_of",
    "log_lines",
    "present_steps",
    "signers_of",
    "trail",
    "usual_spans",
]
