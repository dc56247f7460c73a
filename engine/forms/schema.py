"""A form as the house reads it: its fields, the rights of each step, what lists and gateways see of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.forms import submission, values as reading
from engine.forms.fields import Field, Right, Words, in_words
from engine.forms.lookups import ScopedLookups

ALL_FIELDS = "*"


@dataclass(frozen=True)
class FormSchema:
    title_words: Words
    fields: tuple[Field, ...]
    steps: Mapping[str, Mapping[str, Right]] = field(default_factory=dict)

    @property
    def title(self) -> str:
        return in_words(self.title_words)

    @cached_property
    def by_id(self) -> dict[str, Field]:
        return {one.id: one for one in self.fields}

    def rights(self, step: str | None = None) -> dict[str, Right]:
        """Every field's right at a step. The start (None) edits all; elsewhere what is not named may be read."""
        if step is None:
            return {one.id: "edit" for one in self.fields}
        named = self.steps.get(step, {})
        rest: Right = named.get(ALL_FIELDS, "read")
        return {one.id: named.get(one.id, rest) for one in self.fields}

    def asks(self, step: str | None) -> bool:
        """Whether a step cannot be finished without something filled in."""
        return "required" in self.rights(step).values()

    def submit(
        self,
        values: Mapping[str, Any],
        *,
        session: Session,
        actor: Actor,
        step: str | None = None,
        previous: Mapping[str, Any] | None = None,
        instance_id: int | None = None,
    ) -> dict[str, Any]:
        """The form's complete values after this submission, ready to be stored as JSON.

        previous: the values so far; what the step may not change is taken from there, and so is what is not sent.
        Raises InvalidForm with every fault at once, by path ("lines.0.amount").
        """
        lookups = ScopedLookups(session, actor, instance_id=instance_id)
        return submission.read(self.fields, self.rights(step), values, previous or {}, lookups)

    def readable(self, values: Mapping[str, Any], step: str | None = None) -> dict[str, Any]:
        """The values somebody at this step may see."""
        rights = self.rights(step)
        return {name: value for name, value in values.items() if rights.get(name, "hide") != "hide"}

    def shown(self, values: Mapping[str, Any]) -> set[str]:
        """Fields whose condition holds for these values."""
        facts = self.facts(values)
        return {one.id for one in self.fields if one.when is None or one.when.holds(facts)}

    def facts(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values as expressions reckon with them: amounts and numbers as Decimal."""
        return reading.facts(self.fields, values)

    def routed(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What the token carries of them."""
        facts = self.facts(values)
        return {one.id: facts[one.id] for one in self.fields if one.route}

    def summary(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """What lists show beside the title, as stored."""
        return {one.id: values.get(one.id) for one in self.fields if one.summary and values.get(one.id) is not None}

    def title_of(self, values: Mapping[str, Any]) -> str:
        """What people call this request."""
        parts = (str(values.get(one.id) or "").strip() for one in self.fields if one.title)
        return " ".join(part for part in parts if part)
