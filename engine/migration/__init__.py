"""Running instances move to another version of their process: one, or all of a version in portions; and back."""

from engine.migration.instances import Outlook, Pair, foresee, load_pair, may_migrate, migrate, revert
from engine.migration.preimage import sweep
from engine.migration.runs import (
    Counts,
    Report,
    begin,
    counts,
    latest,
    let,
    problems_of,
    report,
    take_back,
    try_again,
)
from engine.migration.work import PORTION_EVENT, work

__all__ = [
    "PORTION_EVENT",
    "Counts",
    "Outlook",
    "Pair",
    "Report",
    "begin",
    "counts",
    "foresee",
    "latest",
    "let",
    "load_pair",
    "may_migrate",
    "migrate",
    "problems_of",
    "report",
    "revert",
    "sweep",
    "take_back",
    "try_again",
    "work",
]
