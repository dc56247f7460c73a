"""State of an instance <-> bytes: live tokens and ended paths' variables, positional, without the definition.

Format 1, msgpack (Decimal and dates as extensions, see values.py):
  [1, last id, tick, ended, error code, [scope ...]]
  scope: [owner token or 0, scope key, variables, stamps, business key, [token ...]], parents before children
  token: [id, parent token or 0, element name, state, internal data, variables unlike those of the token before,
          names the token before had and this one has not, stamps]
A format once released is read for ever: change nothing here without a new number and a fixture in the tests.
"""

from __future__ import annotations

from typing import Any

from engine.errors import Conflict
from engine.i18n import _
from engine.workflow import values
from engine.workflow.compiled import Compiled
from engine.workflow.contract import Host
from engine.workflow.tree import Instance, Nested, Scope, Token

FORMAT = 1


class UnknownFormat(Conflict):
    """A snapshot of a format this version cannot read: a newer one has stepped the instance."""

    code = "snapshot_format"

    def __init__(self, found: object) -> None:
        super().__init__(
            _("The state of this process was written by another version of the program ({found}).", found=str(found)),
            remedy=_("Update this server to the newest version in use, and start all its processes again."),
        )


def dump(top: Instance) -> bytes:
    scopes = [_scope(scope) for scope in top.scopes()]
    return values.encode([FORMAT, top.last_id, top.tick, top.ended, top.error_code, scopes])


def _scope(scope: Scope) -> list[Any]:
    rows: list[list[Any]] = []
    before: dict[str, Any] = {}
    for token in scope.live.values():
        data = token.data
        unlike = {name: value for name, value in data.items() if name not in before or before[name] is not value}
        gone = [name for name in before if name not in data]
        parent = token._parent if token._parent in scope.live else 0
        rows.append(
            [
                token.id,
                parent,
                token.task_spec.name,
                token._state,
                token.internal_data,
                unlike,
                gone,
                token.stamps,
            ]
        )
        before = data
    return [scope.parent_task_id or 0, scope.spec.name, scope.variables, scope.stamps, scope.business_key, rows]


def load(process: Compiled, raw: bytes, host: Host) -> Instance:
    state = values.decode(raw)
    if state[0] != FORMAT:
        raise UnknownFormat(state[0])
    top = Instance(process, host)
    _format, top.last_id, top.tick, top.ended, top.error_code, scopes = state
    top.completed = top.ended is not None
    for row in scopes:
        _load_scope(top, row)
    return top


def _load_scope(top: Instance, row: list[Any]) -> None:
    owner, key, variables, stamps, business_key, tokens = row
    scope: Scope = top
    if owner:
        scope = Nested(top.process.specs[key], owner, top)
        top.subprocesses[owner] = scope
    scope.variables, scope.stamps, scope.business_key = variables, stamps, business_key
    before: dict[str, Any] = {}
    for id, parent, name, state, internal, unlike, gone, token_stamps in tokens:
        token = Token(scope, scope.spec.task_specs[name], scope.live.get(parent, scope.task_tree), state, id)
        token.internal_data, token.stamps = internal, token_stamps
        token.data = {**before, **unlike}
        for name_gone in gone:
            token.data.pop(name_gone, None)
        scope.live[id] = token
        scope.listening += "listens" in internal
        before = token.data
