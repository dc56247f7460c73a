"""SpiffWorkflow behind one door, without I/O: compile a definition, start or load an instance, step it, save it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, cast

from engine.errors import DeploymentRefused, Problem
from engine.workflow import building, decisions, dialect, lint, live as _live, mapping, moving, snapshot, timers
from engine.workflow.choices import made
from engine.workflow.compiled import Compiled
from engine.workflow.contract import Choice, CompiledProcess, Host, Known, Live, Rehearsal, TopicShape, Way
from engine.workflow.mapping import Match, NodeMap
from engine.workflow.moving import CannotMove, Moved, Obstacle, Version
from engine.workflow.preview import preview as _preview
from engine.workflow.timers import Due

SNAPSHOT_FORMAT = snapshot.FORMAT


def compile_definition(
    files: Mapping[str, str], *, known: Known | None = None, key: str | None = None
) -> CompiledProcess:
    """Read, check and build the process `key` (or the first executable one) of these files.

    `known` is what the house has to offer; None means the definition was checked when it was deployed and only has to
    be built. Raises DeploymentRefused with every problem at once.
    """
    diagram, tables = dialect.read(files, key), decisions.read(files)
    found = [*diagram.problems, *tables.problems] if known is None else lint.check(diagram, tables, files, known)
    problems = [one for one in found if one.severity == "error"]
    if problems:
        raise DeploymentRefused(problems)
    return building.build(diagram, tables, files)


def lint_definition(files: Mapping[str, str], *, known: Known | None, key: str | None = None) -> list[Problem]:
    """Every problem and warning of these files, for the designer; nothing is built."""
    return lint.check(dialect.read(files, key), decisions.read(files), files, known)


def start(compiled: CompiledProcess, variables: Mapping[str, Any], host: Host, *, node: str | None = None) -> Live:
    """Begin an instance; `node` names the start event that was triggered, when it is not the plain one."""
    return _live.start(cast("Compiled", compiled), variables, host, node)


def load(compiled: CompiledProcess, raw: bytes, host: Host) -> Live:
    """An instance from its snapshot."""
    return _live.load(cast("Compiled", compiled), raw, host)


def version(compiled: CompiledProcess) -> Version:
    """A definition with its drawing, for comparing and moving; read it once for many instances."""
    return Version(cast("Compiled", compiled), dialect.read(compiled.files, compiled.key))


def node_map(old: Version, new: Version, chosen: Mapping[str, str] | None = None) -> NodeMap:
    """Which element of the new version stands for which of the old; `chosen`: a person's word for some of them."""
    return mapping.make(old.drawing, new.drawing, chosen)


def candidates_for(old: Version, new: Version, element: str) -> list[tuple[str, str]]:
    """(key, name) of the elements of the new version a person may choose for this one of the old."""
    shapes = mapping.candidates(old.drawing, new.drawing, element)
    return [(shape.key, shape.node.name or shape.key) for shape in shapes]


def move(old: Version, new: Version, raw: bytes, elements: Mapping[str, str], host: Host) -> Moved:
    """An instance from its snapshot, taken to the new version; raises CannotMove with every obstacle."""
    return moving.move(old, new, raw, elements, host)


def preview(compiled: CompiledProcess, variables: Mapping[str, Any], host: Rehearsal) -> Way:
    """The user tasks the process would reach if everybody agreed, what was decided on the way, and about when."""
    return _preview(cast("Compiled", compiled), variables, host)


def choices(
    compiled: CompiledProcess, path: list[tuple[str, str]], variables: Mapping[str, Any], host: Host
) -> tuple[Choice, ...]:
    """What was decided in a step with this path, and why; `variables` are those after it."""
    return made(cast("Compiled", compiled), path, variables, host)


def first_due(text: str, host: Host) -> Due:
    """When the timer of a start event goes off: see StartTrigger.name."""
    return timers.due_of(text, host)


def next_due(due: Due, now: datetime) -> Due | None:
    """The next moment of a repeating one, missed ones passed over; None when it was the last."""
    return timers.after(due, now)


def called_elements(files: Mapping[str, str]) -> set[str]:
    """Ids of the processes these files call and do not contain."""
    return dialect.called_elements(files)


__all__ = [
    "SNAPSHOT_FORMAT",
    "CannotMove",
    "Due",
    "Known",
    "Match",
    "Moved",
    "NodeMap",
    "Obstacle",
    "TopicShape",
    "Version",
    "called_elements",
    "candidates_for",
    "choices",
    "compile_definition",
    "first_due",
    "lint_definition",
    "load",
    "move",
    "next_due",
    "node_map",
    "preview",
    "start",
    "version",
]
