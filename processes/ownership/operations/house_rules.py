"""What the house has laid down for whose customers are."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass
class HouseRules:
    """Given by bootstrap from the settings."""

    cool_down_days: int = 7
    """before who released a customer may apply for it again"""
    daily_requests: int = 20
    """applications of one person a day; 0 = as many as he likes"""
    fair_hours: int = 0
    """after a customer came into the pool, before an application for it is granted; 0 = at once"""
    watchers_shown: bool = False
    """an owner sees who watches his customer"""
    most_in_focus: int = 50
    """customers one person may mark; 0 = as many as he likes"""


HOUSE = HouseRules()


def lay_down(
    *, cool_down_days: int, daily_requests: int, fair_hours: int, watchers_shown: bool, most_in_focus: int
) -> None:
    """Called once by bootstrap."""
    HOUSE.cool_down_days = cool_down_days
    HOUSE.daily_requests = daily_requests
    HOUSE.fair_hours = fair_hours
    HOUSE.watchers_shown = watchers_shown
    HOUSE.most_in_focus = most_in_focus
