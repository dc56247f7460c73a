"""Elements that are shown to people and wait for their answer."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from types import MappingProxyType
from typing import Any

from engine.workflow.contract import OpenedTask
from engine.workflow.specs.element import Element
from engine.workflow.tree import Token
from engine.workflow.values import clean


class Opening(Element):
    def open(self, token: Token, due: datetime | None = None) -> None:
        token.internal_data["open"] = True
        token.top.journal.opened(OpenedTask(token.id, self.key, MappingProxyType(token.data), due))

    def complete(self, token: Token, variables: Mapping[str, Any]) -> None:
        del token.internal_data["open"]
        token.write(clean(variables))
        token.top.journal.closed(token.id)
        token.resume()

    def _on_cancel(self, my_task: Token) -> None:
        if my_task.internal_data.pop("open", None):
            my_task.top.journal.cancelled(my_task.id)
        super()._on_cancel(my_task)
