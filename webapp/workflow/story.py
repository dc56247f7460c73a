"""What has happened in an instance, told for people: opinions, the full history, the steps with their state."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field as slot
from datetime import datetime
from itertools import zip_longest
from typing import Any

from sqlalchemy.orm import Session

from engine import history
from engine.forms import Field, FormSchema, Lookups
from engine.history import Trail
from engine.i18n import _, listed, retold
from engine.models import Instance, InstanceLog, WorkItem
from engine.repository import Loaded
from webapp.skin import formats, words
from webapp.skin.words import Word
from webapp.workflow import fields, holders

NOTHING = "—"

STEP_KINDS = frozenset(
    [
        "userTask",
        "serviceTask",
        "sendTask",
        "receiveTask",
        "scriptTask",
        "businessRuleTask",
        "manualTask",
        "task",
        "callActivity",
    ]
)
"""Elements people know as steps; gateways and events are on the diagram."""

KIND_ICONS = {
    "userTask": "user",
    "serviceTask": "settings",
    "sendTask": "send",
    "receiveTask": "mail-opened",
    "scriptTask": "code",
    "businessRuleTask": "table",
    "callActivity": "external-link",
}


@dataclass(frozen=True)
class Voice:
    """One person's part: what he did at which step, and what he said."""

    who: str
    deed: Word
    step: str
    at: datetime | None
    opinion: str = ""
    for_whom: str = ""
    waiting: bool = False
    due: Word | None = None
    why: str = ""


def voices(session: Session, instance: Instance, loaded: Loaded, items: Sequence[WorkItem]) -> list[Voice]:
    """Who has decided what so far, then with whom it lies now."""
    if instance.state == "draft":
        return []
    told = [Voice(instance.starter_name, words.deed("start"), "", instance.started_at)]
    formats.people(person for item in items for person in (item.on_behalf_of, item.assignee_id))
    closed = sorted(
        (i for i in items if i.done_by is not None and i.done_at is not None and i.kind == "sign"),
        key=lambda item: (item.done_at or instance.started_at, item.id),
    )
    told += [
        Voice(
            item.done_by_name,
            words.deed(item.outcome),
            item.title,
            item.done_at,
            item.opinion,
            formats.person(item.on_behalf_of) if item.on_behalf_of else "",
        )
        for item in closed
    ]
    told += _asides(session, instance, items)
    told.sort(key=lambda voice: voice.at or instance.started_at)
    waiting = [item for item in items if item.state in ("open", "delegated")]
    names = holders.names(session, waiting)
    told += [
        Voice(
            holders.in_short(names[item.id]) or "—",
            Word(_("is handling it") if item.assignee_id else _("may take it"), "blue", "progress"),
            item.title,
            item.created_at,
            for_whom=formats.person(item.on_behalf_of) if item.on_behalf_of else "",
            waiting=True,
            due=words.due(item.due_at, item.created_at),
            why=holders.why(item.reason, loaded),
        )
        for item in waiting
    ]
    return told


ASIDES = frozenset(
    "transfer assign hand_over delegate resolve consult add_signer remove_signer stand_in take_back reclaim escalate"
    " suspend resume withdraw terminate void reopen jump change_people urge".split()
)
"""What people did besides deciding: told between the opinions."""


def _asides(session: Session, instance: Instance, items: Sequence[WorkItem]) -> list[Voice]:
    titles = {item.node: item.title for item in items}
    lines = history.deeds_of(session, instance.id, ASIDES)
    formats.people(person for line in lines for person in _named(line))
    return [
        Voice(
            line.actor_name,
            words.deed(line.action),
            titles.get(line.node, ""),
            line.at,
            said(line),
            formats.person(line.on_behalf_of) if line.on_behalf_of else "",
        )
        for line in lines
    ]


def _named(line: InstanceLog) -> list[int]:
    """The people an action names: to whom, who was removed."""
    detail = line.detail or {}
    to = detail.get("to") if line.action not in ("jump", "reopen", "return", "reject") else None
    found = to if isinstance(to, list) else [to]
    return [person for person in (*found, detail.get("who")) if isinstance(person, int)]


def said(line: InstanceLog) -> str:
    """The words of a line: whom it names, where it leads, and the opinion, question or reason."""
    detail: Mapping[str, Any] = line.detail or {}
    names = listed(formats.person(person) for person in _named(line))
    led = str(detail.get("to_title") or "") if line.action in ("return", "reject") else ""
    spoken = next((detail[k] for k in ("opinion", "question", "reason", "cause", "error") if detail.get(k)), "")
    head = f"→ {names}" if names else f"→ {led}" if led else ""
    road = str(_("by SMS")) if detail.get("road") == "sms" else ""
    return "  ".join(part for part in (head, retold(spoken), road) if part)


# ------------------------------------------------------------------------------------------------- history


@dataclass(frozen=True)
class Change:
    label: str
    before: str
    after: str


@dataclass(frozen=True)
class Event:
    """One line of the instance log."""

    number: int
    who: str
    """"" = nobody: the deed is a whole sentence"""
    deed: Word
    step: str
    at: datetime
    text: str = ""
    for_whom: str = ""
    changes: tuple[Change, ...] = ()
    path: tuple[str, ...] = ()
    """the steps this event led to"""
    hash: str = ""


IMPERSONAL = frozenset({"timer", "service", "message", "signal", "incident", "end", "remind"})


def events(lines: Sequence[InstanceLog], loaded: Loaded, lookups: Lookups, hidden: Collection[str]) -> list[Event]:
    """The log in order, oldest first, without the changes of `hidden` fields."""
    formats.people(person for line in lines for person in (*_named(line), line.on_behalf_of))
    return [_event(line, loaded, lookups, hidden) for line in lines]


def _event(line: InstanceLog, loaded: Loaded, lookups: Lookups, hidden: Collection[str]) -> Event:
    detail: Mapping[str, Any] = line.detail or {}
    changed = {name: pair for name, pair in (detail.get("changes") or {}).items() if name not in hidden}
    return Event(
        line.seq,
        "" if line.action in IMPERSONAL else line.actor_name,
        _deed(line),
        step_name(loaded, line.node),
        line.at,
        said(line),
        formats.person(line.on_behalf_of) if line.on_behalf_of else "",
        tuple(_changes(changed, loaded.form_of(line.node) or loaded.start_form(), lookups)),
        tuple(_reached(detail.get("path") or (), loaded)),
        line.hash,
    )


def _deed(line: InstanceLog) -> Word:
    if line.action != "end":
        return words.deed(line.action)
    state = words.instance_state(str(line.detail.get("state") or ""))
    return Word(_("The process ended: {state}", state=state.text), state.tone, "flag")


def step_name(loaded: Loaded, node_id: str) -> str:
    node = loaded.compiled.nodes.get(node_id)
    return (node.name or node.id) if node else node_id


def _reached(path: Iterable[Sequence[str]], loaded: Loaded) -> Iterable[str]:
    for element, mark in path:
        node = loaded.compiled.nodes.get(element)
        if mark == "entered" and node is not None and node.kind in STEP_KINDS:
            yield node.name or node.id


def _changes(changed: Mapping[str, Any], schema: FormSchema | None, lookups: Lookups) -> Iterable[Change]:
    for name, (before, after) in changed.items():
        known = schema.by_id.get(name) if schema else None
        if known is None:
            yield Change(name, str(before or NOTHING), str(after or NOTHING))
        elif known.type == "table":
            yield from _rows(known, before or [], after or [], lookups)
        else:
            yield Change(known.label, _said(known, before, lookups), _said(known, after, lookups))


def _rows(table: Field, before: Sequence[Any], after: Sequence[Any], lookups: Lookups) -> Iterable[Change]:
    """The lines that differ; of a line that stayed only the columns that do."""
    for number, (old, new) in enumerate(zip_longest(before, after), start=1):
        if old == new:
            continue
        changed = [one for one in table.columns if old and new and old.get(one.id) != new.get(one.id)]
        columns = changed or [one for one in table.columns if (old or new).get(one.id) is not None]
        label = str(_("{table}, line {number}", table=table.label, number=number))
        if len(changed) == 1:
            label = f"{label} · {changed[0].label}"
        yield Change(label, _row(columns, old, lookups), _row(columns, new, lookups))


def _row(columns: Iterable[Field], row: Mapping[str, Any] | None, lookups: Lookups) -> str:
    return " · ".join(_said(one, row.get(one.id), lookups) for one in columns) if row else NOTHING


def _said(one: Field, value: Any, lookups: Lookups) -> str:
    """A value as people read it; of files only how many they are."""
    if one.type == "attachment":
        return str(_("{count} files", count=len(value or ())))
    if value in (None, "", []):
        return NOTHING
    if one.choices or one.source:
        labels = dict(one.choices_for(lookups))
    elif one.reference:
        ids = value if isinstance(value, list) else [value]
        labels = {str(id): label for id, label in lookups.labels(one.reference, ids).items()}
    else:
        return fields.text(one, value)
    return listed(labels.get(str(key), str(key)) for key in (value if isinstance(value, list) else [value]))


# ------------------------------------------------------------------------------------------------- steps


@dataclass(frozen=True)
class StepLine:
    """One step as the list beside the diagram tells it."""

    node: str
    name: str
    icon: str
    state: str
    """done | active | failed"""
    people: str
    since: datetime | None
    rounds: int
    due: Word | None = None
    outcome: Word | None = None


def steps(session: Session, loaded: Loaded, trail: Trail, items: Sequence[WorkItem]) -> list[StepLine]:
    """Where the tokens were and are, in the order they came there."""
    names = holders.names(session, (item for item in items if item.state == "open"))
    by_node: dict[str, list[WorkItem]] = {}
    for item in items:
        by_node.setdefault(item.node, []).append(item)
    found = []
    for node_id, at in sorted(trail.entered_at.items(), key=lambda one: one[1]):
        node = loaded.compiled.nodes.get(node_id)
        if node is None or node.kind not in STEP_KINDS:
            continue
        state = "failed" if node_id in trail.failed else "active" if node_id in trail.active else "done"
        if state == "done" and node_id not in trail.done:
            continue  # it was left by an interruption before it was done
        mine = by_node.get(node_id, [])
        found.append(
            _step(names, node_id, node.name or node_id, KIND_ICONS.get(node.kind, "point"), state, at, trail, mine)
        )
    return found


def _step(
    names: Mapping[int, tuple[str, ...]],
    node_id: str,
    name: str,
    icon: str,
    state: str,
    at: datetime,
    trail: Trail,
    items: Sequence[WorkItem],
) -> StepLine:
    rounds = trail.rounds.get(node_id, 0)
    waiting = [item for item in items if item.state == "open"]
    if state == "active" and waiting:
        who = holders.in_short(tuple(dict.fromkeys(n for item in waiting for n in names[item.id])))
        return StepLine(
            node_id,
            name,
            icon,
            state,
            who,
            at,
            rounds,
            words.worst_due((one.due_at, one.created_at) for one in waiting),
        )
    last = next((item for item in reversed(items) if item.done_by is not None), None)
    outcome = words.deed(last.outcome) if last else None
    return StepLine(node_id, name, icon, state, last.done_by_name if last else "", at, rounds, outcome=outcome)


# ------------------------------------------------------------------------------------------------- the diagram


@dataclass
class Picture:
    """What the diagram viewer is told (see the viewer bundle's head comment)."""

    xml: str
    state: dict[str, Any] = slot(default_factory=dict)


def picture(session: Session, instance: Instance, loaded: Loaded, items: Sequence[WorkItem]) -> Picture:
    trail = history.trail(session, instance.id)
    people: dict[str, dict[str, None]] = {}
    badges: dict[str, str] = {node: f"×{count}" for node, count in trail.rounds.items() if count > 1}
    open_items = [item for item in items if item.state == "open"]
    names = holders.names(session, open_items)
    for item in open_items:
        people[item.node] = {**people.get(item.node, {}), **dict.fromkeys(names[item.id])}
        badges[item.node] = words.span(item.created_at)
    last = {item.node: item.outcome for item in items if item.done_by is not None}
    return Picture(
        main_diagram(loaded),
        {
            "active": sorted(trail.active),
            "done": sorted(trail.done - trail.active),
            "failed": sorted(trail.failed),
            "returned": sorted(node for node, outcome in last.items() if outcome in ("return", "reject")),
            "flows": sorted(trail.flows),
            "badges": badges,
            "people": {node: holders.in_short(tuple(found)) for node, found in people.items()},
        },
    )


def main_diagram(loaded: Loaded) -> str:
    """The .bpmn file the process itself is drawn in; called diagrams are pinned beside it."""
    drawings = {name: text for name, text in loaded.compiled.files.items() if name.endswith(".bpmn")}
    own = f"{loaded.key}.bpmn"
    if own in drawings:
        return drawings[own]
    return next((text for text in drawings.values() if f'id="{loaded.key}"' in text), "")
