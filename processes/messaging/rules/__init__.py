"""The rules of messaging: values in, an answer out."""

from processes.messaging.rules.masking import masked
from processes.messaging.rules.opting_out import wants_out
from processes.messaging.rules.quiet import NEVER_QUIET, QuietHours
from processes.messaging.rules.quotas import (
    COSTING,
    USED_UP,
    Room,
    check_room,
    due,
    month_of,
    segments_of,
    warning,
)
from processes.messaging.rules.recipients import (
    LEFT_OUT,
    LONGEST_TEXT,
    MOST_RECIPIENTS,
    Candidate,
    filled,
    look_over,
    places,
    read_lines,
)
from processes.messaging.rules.wire_words import LINKS, REASONS, TITLES, reason_of, remedy_of, title_of

__all__ = [
    "COSTING",
    "LEFT_OUT",
    "LINKS",
    "LONGEST_TEXT",
    "MOST_RECIPIENTS",
    "NEVER_QUIET",
    "REASONS",
    "TITLES",
    "USED_UP",
    "Candidate",
    "QuietHours",
    "Room",
    "check_room",
    "due",
    "filled",
    "look_over",
    "masked",
    "month_of",
    "places",
    "read_lines",
    "reason_of",
    "remedy_of",
    "segments_of",
    "title_of",
    "wants_out",
    "warning",
]
