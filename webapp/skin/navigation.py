"""The sidebar, the phone's bottom bar and the entries of the "+ Start" menu: who may see which."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from flask import Flask, current_app, g, request, url_for
from sqlalchemy import ScalarSelect, select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.db import Sessions
from engine.i18n import Sentence, _
from webapp.security.viewing import shows

Count = Callable[[Session, Actor], int]
CountedBy = Callable[[Actor], ScalarSelect[int]]
"""A count as part of a statement: those of all entries are asked at once."""


@dataclass(frozen=True)
class Group:
    key: str
    title: Sentence
    icon: str


GROUPS = (
    Group("workbench", _("Workbench"), "layout-dashboard"),
    Group("customer", _("Customers"), "users"),
    Group("sales", _("Sales"), "target"),
    Group("office", _("Office"), "calendar"),
    Group("admin", _("Administration"), "building"),
    Group("process", _("Processes"), "sitemap"),
    Group("reports", _("Reports"), "chart-bar"),
    Group("system", _("System"), "settings"),
)


@dataclass(frozen=True)
class Entry:
    """One line of the sidebar."""

    group: str
    title: Sentence
    icon: str
    endpoint: str
    permission: str = ""
    """named permission; "" = everybody signed in"""
    order: int = 100
    count: Count | None = None
    """what waits there; shown when above zero, kept fresh by elements with data-yl-count=`live`"""
    counted_by: CountedBy | None = None
    """the same as part of a statement: one question for all entries that have it"""
    live: str = ""
    """kind of push message that carries the new count, e.g. "inbox" """
    phone: str = ""
    """place in the frame: "todo" | "customers" | "start" (the top bar's button too) | "messages" | "home" | "bell";
    "" = none
    """

    @property
    def counts(self) -> bool:
        return self.count is not None or self.counted_by is not None


@dataclass(frozen=True)
class Below:
    """A line below an entry: what this person has pinned there."""

    title: str
    url: str
    icon: str
    current: bool


@dataclass
class Navigation:
    entries: list[Entry] = field(default_factory=list)
    further: Callable[[Actor], Mapping[str, Sequence[Below]]] | None = None
    """lines below entries, by the endpoint of the entry; asked once a request"""

    def add(self, entry: Entry) -> None:
        """Declare an entry at start; twice the same is once."""
        if entry not in self.entries:
            self.entries.append(entry)

    def visible(self, actor: Actor) -> list[Entry]:
        shown = [e for e in self.entries if (not e.permission or actor.may(e.permission)) and shows(e.endpoint)]
        return sorted(shown, key=lambda e: (e.order, e.endpoint))


@dataclass(frozen=True)
class Line:
    """An entry as one request shows it."""

    entry: Entry
    url: str
    current: bool
    count: int
    below: Sequence[Below] = ()


@dataclass(frozen=True)
class Section:
    group: Group
    lines: tuple[Line, ...]

    @property
    def current(self) -> bool:
        return any(line.current or any(one.current for one in line.below) for line in self.lines)


def navigation() -> Navigation:
    found: Navigation = current_app.extensions["yl-navigation"]
    return found


def sections(actor: Actor) -> tuple[Section, ...]:
    """Groups with their visible entries; a group with none is not there."""
    lines: dict[str, list[Line]] = {group.key: [] for group in GROUPS}
    further = navigation().further
    below = further(actor) if further is not None else {}
    for entry in navigation().visible(actor):
        pinned = below.get(entry.endpoint, ())
        line = replace(_line(entry, actor), below=pinned)
        lines[entry.group].append(replace(line, current=line.current and not any(one.current for one in pinned)))
    return tuple(Section(group, tuple(lines[group.key])) for group in GROUPS if lines[group.key])


PHONE_PLACES = ("home", "todo", "customers", "start", "messages")
"""in their order; four fit, and where there are more, the first makes room: the menu leads there as well"""


def placed(actor: Actor, place: str) -> Line | None:
    """The visible entry that takes a named place of the frame: the start button, the bell …"""
    for entry in navigation().visible(actor):
        if entry.phone == place:
            return _line(entry, actor)
    return None


def phone_bar(actor: Actor) -> tuple[Line, ...]:
    """Four entries of the phone's bottom bar, filled up from the sidebar; the person's own page is the fifth."""
    visible = navigation().visible(actor)
    chosen = [entry for place in PHONE_PLACES for entry in visible if entry.phone == place][-4:]
    chosen += [entry for entry in visible if entry not in chosen][: 4 - len(chosen)]
    return tuple(_line(entry, actor) for entry in chosen)


def _line(entry: Entry, actor: Actor) -> Line:
    url = url_for(entry.endpoint)
    return Line(entry, url, _is_current(entry), _count(entry, actor))


def _count(entry: Entry, actor: Actor) -> int:
    """Asked once a request, though the sidebar, the bell and the phone's bar all show it."""
    if "navigation_counts" not in g:
        g.navigation_counts = _counts(actor)
    counts: dict[str, int] = g.navigation_counts
    return counts.get(entry.endpoint, 0)


def _counts(actor: Actor) -> dict[str, int]:
    """{endpoint: what waits there}"""
    visible = navigation().visible(actor)
    alone = {one.endpoint: one.count for one in visible if one.count is not None}
    parts = {one.endpoint: one.counted_by(actor) for one in visible if one.counted_by is not None}
    found = {endpoint: count(Sessions(), actor) for endpoint, count in alone.items()}
    if parts:
        found |= zip(parts, Sessions().execute(select(*parts.values())).one(), strict=True)
    return found


def _is_current(entry: Entry) -> bool:
    """The page itself, and everything of the same view (a record, its form) when no entry names it better."""
    if request.endpoint == entry.endpoint:
        return True
    view = entry.endpoint.split(".")[0]
    named = {e.endpoint for e in navigation().entries}
    return (
        "." in entry.endpoint
        and request.blueprint == view
        and request.endpoint not in named
        and entry.endpoint.split(".")[1] in {"list", "index"}
    )


def init_app(app: Flask) -> None:
    app.extensions["yl-navigation"] = Navigation()
