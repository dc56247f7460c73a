"""The names an expression sees while a token stands somewhere: its variables, the form, the facts of the instance."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from engine.workflow.tree import Token

FACTS = frozenset({"form", "instance_id", "starter", "business_key"})
"""Names no variable may take; a variable of that name is not seen."""


class Names(Mapping[str, Any]):
    """Looked up one by one, so that a condition on a variable does not fetch the form."""

    __slots__ = ("extra", "token")

    def __init__(self, token: Token, extra: Mapping[str, Any] | None = None) -> None:
        self.token = token
        self.extra = extra

    def __getitem__(self, name: str) -> Any:
        if name in FACTS:
            return self._fact(name)
        if self.extra is not None and name in self.extra:
            return self.extra[name]
        return self.token.data[name]

    def __contains__(self, name: object) -> bool:
        return name in FACTS or name in self.token.data or (self.extra is not None and name in self.extra)

    def __iter__(self) -> Iterator[str]:
        return iter({*FACTS, *self.token.data, *(self.extra or ())})

    def __len__(self) -> int:
        return sum(1 for _name in self)

    def _fact(self, name: str) -> Any:
        host = self.token.top.host
        if name == "form":
            return host.form_values() or self.token.data.get("form", {})
        if name == "business_key" and self.token.workflow.business_key is not None:
            return self.token.workflow.business_key
        return host.facts().get(name)
