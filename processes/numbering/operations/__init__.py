"""Rules kept; numbers issued, reserved, used and voided; the gaps of a series."""

from processes.numbering.operations.gaps import Series, gap_report, periods
from processes.numbering.operations.numbers import assign, issue, reserve, use_reserved, void
from processes.numbering.operations.serial_rules import (
    archive_rule,
    change_rule,
    create_rule,
    ensure_rule,
    make_official_rule,
)
from processes.numbering.operations.topics import issue_number

__all__ = [
    "Series",
    "archive_rule",
    "assign",
    "change_rule",
    "create_rule",
    "ensure_rule",
    "gap_report",
    "issue",
    "issue_number",
    "make_official_rule",
    "periods",
    "reserve",
    "use_reserved",
    "void",
]
