"""Which of the customers spoken to in a period an address asks for: those behind a number, or as a call list."""

from __future__ import annotations

from flask import request

from processes.activity.operations import Asked
from webapp.skin.periods import asked_period

ANALYSIS_DAYS = 30


def asked_contacts() -> Asked:
    """args: from, to, stage, result ("" = none noted), level."""
    args = request.args
    return Asked(asked_period(ANALYSIS_DAYS), args.get("stage", ""), args.get("result"), args.get("level", ""))


def address_of(asked: Asked) -> dict[str, str | None]:
    """The same as arguments of an address."""
    return {
        "from": asked.period.first.isoformat(),
        "to": asked.period.last.isoformat(),
        "stage": asked.stage or None,
        "result": asked.result,
        "level": asked.level or None,
    }
