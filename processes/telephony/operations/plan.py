"""How the exchange of this house writes numbers; given by the settings at start."""

from __future__ import annotations

from processes.telephony.rules import NumberPlan

_plan = NumberPlan()


def use_plan(plan: NumberPlan) -> None:
    global _plan
    _plan = plan


def plan() -> NumberPlan:
    return _plan
