"""The sidebar, the phone's bottom bar and the entries of the "+ Start" menu: who may see which."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from flask import Flask, current_app, g, request, url_for
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.db import Sessions
from engine.i18n import Sentence, _

Count = Callable[[Session, Actor], int]


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
    live: str = ""
    """kind of push message that carries the new count, e.g. "inbox" """
    phone: str = ""
    """place in the frame: "home" | "todo" | "start" (the top bar's button too) | "messages" | "bell"; "" = none"""


@dataclass
class Navigation:
    entries: list[Entry] = field(default_factory=list)

    def add(self, entry: Entry) -> None:
        """Declare an entry at start; twice the same is once."""
        if entry not in self.entries:
            self.entries.append(entry)

    def visible(self, actor: Actor) -> list[Entry]:
        shown = [e for e in self.entries if not e.permission or actor.may(e.permission)]
        return sorted(shown, key=lambda e: (e.order, e.endpoint))


@dataclass(frozen=True)
class Line:
    """An entry as one request shows it."""

    entry: Entry
    url: str
    current: bool
    count: int


@dataclass(frozen=True)
class Section:
    group: Group
    lines: tuple[Line, ...]

    @property
    def current(self) -> bool:
        return any(line.current for line in self.lines)


def navigation() -> Navigation:
    found: Navigation = current_app.extensions["yl-navigation"]
    return found


def sections(actor: Actor) -> tuple[Section, ...]:
    """Groups with their visible entries; a group with none is not there."""
    lines: dict[str, list[Line]] = {group.key: [] for group in GROUPS}
    for entry in navigation().visible(actor):
        lines[entry.group].append(_line(entry, actor))
    return tuple(Section(group, tuple(lines[group.key])) for group in GROUPS if lines[group.key])


PHONE_PLACES = ("home", "todo", "start", "messages")


def placed(actor: Actor, place: str) -> Line | None:
    """The visible entry that takes a named place of the frame: the start button, the bell …"""
    for entry in navigation().visible(actor):
        if entry.phone == place:
            return _line(entry, actor)
    return None


def phone_bar(actor: Actor) -> tuple[Line, ...]:
    """Four entries of the phone's bottom bar, filled up from the sidebar; the person's own page is the fifth."""
    visible = navigation().visible(actor)
    chosen = [entry for place in PHONE_PLACES for entry in visible if entry.phone == place][:4]
    chosen += [entry for entry in visible if entry not in chosen][: 4 - len(chosen)]
    return tuple(_line(entry, actor) for entry in chosen)


def _line(entry: Entry, actor: Actor) -> Line:
    url = url_for(entry.endpoint)
    return Line(entry, url, _is_current(entry), _count(entry, actor))


def _count(entry: Entry, actor: Actor) -> int:
    """Asked once a request, though the sidebar, the bell and the phone's bar all show it."""
    counts: dict[str, int] = g.setdefault("navigation_counts", {})
    if entry.endpoint not in counts:
        counts[entry.endpoint] = entry.count(Sessions(), actor) if entry.count else 0
    return counts[entry.endpoint]


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
