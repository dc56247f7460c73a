"""What goes by itself: every customer is looked at once a day."""

from __future__ import annotations

from engine.queue import periodic
from processes.insight.operations import looking


@periodic("insight.look_at_customers", seconds=3600)
def look_at_customers() -> bool:
    """In the first hour of the day the house is up; every further hour finds it done."""
    return looking.look()
