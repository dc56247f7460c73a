"""Saved views on the lists: read into what a list is asked, offered above it and in the sidebar."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from flask import g, request, url_for
from werkzeug.datastructures import MultiDict

from engine.actor import Actor
from engine.catalog import CATALOG, Register
from engine.db import Sessions
from engine.errors import InvalidForm, Problem
from engine.i18n import Sentence, _
from processes.views import operations, permissions, rules
from processes.views.models import SavedView
from processes.views.operations import Shelf
from processes.views.rules import Question
from webapp.registers import listing
from webapp.registers.interface import endpoint_of, read_key
from webapp.registers.listing import Asked
from webapp.security.access import current_actor
from webapp.skin.navigation import Below

# ------------------------------------------------------------------------------------------------- questions


def question_of(asked: Asked) -> Question:
    """What of a list's address is kept."""
    return Question(
        q=asked.q,
        view=asked.view,
        filters=tuple((one.column.name, one.code, one.value) for one in asked.filters),
        order=("-" if asked.order[1] else "") + asked.order[0] if asked.order else "",
        size=asked.size,
        columns=asked.columns,
    )


def asked_of(register: Register, question: Question) -> Asked:
    """A kept question as the list can be asked today; `lost` says what it cannot be asked any more."""
    return _read(register, question)[0]


def demand_answerable(register: Register, question: Question) -> None:
    """Raise InvalidForm for a question that this list cannot be asked."""
    _asked, problems = _read(register, question)
    if problems:
        raise InvalidForm(problems)


def _read(register: Register, question: Question) -> tuple[Asked, list[Problem]]:
    pairs = [("view", question.view), ("q", question.q), ("order", question.order), ("size", str(question.size))]
    pairs += [(f"f.{column}.{code}", value) for column, code, value in question.filters]
    pairs += [("column", name) for name in question.columns]
    asked = listing.read(register, MultiDict(pairs))
    understood = {(one.column.name, one.code, one.value) for one in asked.filters}
    known = listing.choosable(register)
    problems = [
        Problem(f"filters.{at}", _("This list cannot be filtered by “{column}” like that.", column=one[0]))
        for at, one in enumerate(question.filters)
        if one not in understood
    ]
    problems += [
        Problem(f"columns.{at}", _("This list has no column “{column}”.", column=name))
        for at, name in enumerate(question.columns)
        if name not in known
    ]
    if question.order and asked.order is None:
        problems.append(
            Problem("order", _("This list cannot be ordered by “{column}”.", column=question.order.removeprefix("-")))
        )
    if question.view and not asked.view:
        problems.append(Problem("view", _("This list has no ready-made view “{view}”.", view=question.view)))
    return replace(asked, lost=tuple(one.message for one in problems)), problems


# ------------------------------------------------------------------------------------------------- addresses


GONE = _("This view is no longer there, or no longer shared with you.")


def shelf() -> Shelf:
    """The views of the person behind this request; the list and the sidebar ask for them once."""
    if "shelf_of_views" not in g:
        g.shelf_of_views = operations.shelf_of(Sessions(), current_actor())
    found: Shelf = g.shelf_of_views
    return found


def asked(register: Register, args: MultiDict[str, str]) -> Asked:
    """What an address asks of a list: by itself, or by the saved view it names."""
    named = args.get("saved", "")
    by_itself = listing.read(register, args)
    view = shelf().find(register.name, read_key(named) or by_itself.base)
    if named and view is None:
        return replace(by_itself, base=0, lost=(GONE,))
    if view is None:
        return replace(by_itself, base=0)
    kept = replace(asked_of(register, Question.of(view.question)), base=view.id, is_saved=True)
    if named:
        return replace(kept, page=by_itself.page)
    return replace(by_itself, is_saved=question_of(by_itself) == question_of(kept))


def default_address(register: Register) -> str:
    """How the list opens for whoever has chosen a view for that; "" = with everything."""
    chosen = shelf().default_of(register.name)
    if chosen.isdecimal():
        return f"?saved={chosen}" if shelf().find(register.name, int(chosen)) is not None else ""
    return f"?view={chosen}" if chosen in {one.name for one in register.views} else ""


# ------------------------------------------------------------------------------------------------- above a list


@dataclass(frozen=True)
class Line:
    """A view as the list offers it, ready-made or saved."""

    chosen: str
    name: str
    address: str
    is_current: bool
    pinned: bool
    default: bool
    view: SavedView | None = None
    may_change: bool = False
    audiences: Mapping[str, Sentence] = field(default_factory=dict)
    """with whom it may be shared, and is"""


@dataclass(frozen=True)
class Offer:
    lines: tuple[Line, ...]
    current: Line | None
    """the view that is open, or that what is open began with"""
    is_changed: bool
    """it asks something else by now"""
    audiences: Mapping[str, Sentence]
    """with whom this person may share what he keeps"""


def offer(register: Register, asked: Asked, *, superior: bool) -> Offer:
    """superior: others report to the reader, so that views of their people are of use."""
    actor, known, fresh = current_actor(), shelf(), Asked(size=asked.size)
    ready = [
        Line(
            one.name,
            str(one.title),
            fresh.address(view=one.name),
            is_current=asked.view == one.name and not asked.base,
            pinned=known.is_pinned(register.name, one.name),
            default=known.is_default(register.name, one.name),
        )
        for one in register.views
        if superior or not one.of_superiors
    ]
    kept = [
        Line(
            str(view.id),
            view.name,
            f"?saved={view.id}",
            is_current=asked.base == view.id,
            pinned=known.is_pinned(register.name, str(view.id), view),
            default=known.is_default(register.name, str(view.id)),
            view=view,
            may_change=view.id in known.changeable,
            audiences=audiences(actor, view),
        )
        for view in known.of_list(register.name)
    ]
    return Offer(
        lines=(*ready, *kept),
        current=next((one for one in (*ready, *kept) if one.is_current), None),
        is_changed=bool(asked.base) and not asked.is_saved,
        audiences=audiences(actor),
    )


def audiences(actor: Actor, view: SavedView | None = None) -> dict[str, Sentence]:
    """What the form offers: with whom the actor may share, and with whom the view is shared already; its department by
    name, as its keeper may be in another one by now.
    """
    may = {*permissions.audiences(actor), *((view.audience,) if view is not None else ())}
    offered = {name: title for name, title in rules.AUDIENCES.items() if name in may}
    if view is not None and view.department is not None:
        offered["department"] = _("Department {name}", name=view.department.name)
    return offered


# ------------------------------------------------------------------------------------------------- in the sidebar


def below(_actor: Actor) -> Mapping[str, Sequence[Below]]:
    """The pinned views, by the endpoint of their list's line."""
    lines: dict[str, list[Below]] = {}
    for one in shelf().in_sidebar():
        register = CATALOG.registers.get(one.register)
        ready = {view.name: view.title for view in register.views} if register is not None else {}
        title = one.view.name if one.view is not None else str(ready.get(one.chosen, ""))
        if register is None or not title:
            continue
        endpoint = f"{endpoint_of(register.name)}.list"
        name = "saved" if one.view is not None else "view"
        icon = "pin" if one.view is None or one.view.audience == "private" else "users"
        here = request.endpoint == endpoint and request.args.get(name) == one.chosen
        lines.setdefault(endpoint, []).append(
            Below(title, url_for(endpoint, **{name: one.chosen}), icon, here)  # type: ignore[arg-type]
        )
    return lines
