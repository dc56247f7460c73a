"""Who acts: a person, or the system on a timer's or a wire's behalf."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Actor:
    """The one who presses the button, as far as the engine and the business need to know.

    person_id: id of the Employee; 0 is the system.  groups: principals of pools the person belongs to (negative
    numbers, see engine.assignment.group_principal).  permissions: names like "spending.budget.manage".
    """

    person_id: int
    name: str
    groups: frozenset[int] = field(default=frozenset())
    permissions: frozenset[str] = field(default=frozenset())
    locale: str = "zh_CN"
    user_id: int | None = None
    client: str = ""

    def may(self, permission: str) -> bool:
        return self.person_id == 0 or permission in self.permissions

    @property
    def principals(self) -> tuple[int, ...]:
        """Every key under which work may lie in this person's inbox."""
        return (self.person_id, *sorted(self.groups))


SYSTEM = Actor(person_id=0, name="系统", client="job")
