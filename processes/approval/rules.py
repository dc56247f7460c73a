"""Who may decide in place of somebody who does not."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from processes.organization.models import Employee


def escalation_target(line: Sequence[Employee], holders: Collection[Employee], starter_id: int) -> Employee | None:
    """The nearest one above who is still with us, does not hold the item already and did not start the request."""
    held_by = {person.id for person in holders}
    return next(
        (person for person in line if person.is_active and person.id not in held_by and person.id != starter_id), None
    )
