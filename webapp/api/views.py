"""Views of lists kept under a name: your own, and those others share with you."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy import select

from processes.views import operations, permissions
from processes.views.models import SavedView
from processes.views.rules import Question
from webapp.api.answers import Names, Person
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, Query, Version, endpoint
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of
from webapp.registers import saved

TAG = "views"

Audience = Annotated[
    Literal["private", "department", "everybody"],
    msgspec.Meta(description="department: your own with those below it; sharing needs a right of its own."),
]
ListName = Annotated[str, msgspec.Meta(min_length=1, max_length=60, description="For instance party.customer.")]
Name = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
Word = Annotated[str, msgspec.Meta(max_length=60)]
Value = Annotated[str, msgspec.Meta(max_length=300)]


class ViewsQuery(ListQuery):
    register: Annotated[str, msgspec.Meta(max_length=60)] = ""
    """only those of this list"""


class VersionQuery(Query):
    version: Version


class ViewFilter(Body):
    column: Word
    how: Annotated[str, msgspec.Meta(max_length=20)]
    """is | not | has | starts | from | to | older | empty, as the column's kind allows"""
    value: Value = ""


class ViewQuestion(Body):
    """What the list is asked. It is always asked with the reader's own rights."""

    q: Annotated[str, msgspec.Meta(max_length=100)] = ""
    view: Word = ""
    """a ready-made view it stands on, for instance mine"""
    filters: Annotated[list[ViewFilter], msgspec.Meta(max_length=30)] = []
    order: Word = ""
    """a column's name; with - before it the largest comes first"""
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20
    columns: Annotated[list[Word], msgspec.Meta(max_length=40)] = []
    """in this order; none = the list's own"""


class NewView(Body, kw_only=True):
    register: ListName
    name: Name
    audience: Audience = "private"
    question: ViewQuestion
    is_pinned: bool | msgspec.UnsetType = msgspec.UNSET
    is_default: bool | msgspec.UnsetType = msgspec.UNSET


class ViewChange(Body, kw_only=True):
    """What is left out stays. To pin it, or to open the list with it, is your own affair and changes it for nobody."""

    version: Version
    name: Name | msgspec.UnsetType = msgspec.UNSET
    audience: Audience | msgspec.UnsetType = msgspec.UNSET
    question: ViewQuestion | msgspec.UnsetType = msgspec.UNSET
    is_pinned: bool | msgspec.UnsetType = msgspec.UNSET
    is_default: bool | msgspec.UnsetType = msgspec.UNSET


class ViewLine(Answer):
    """A view of a list."""

    id: int
    version: int
    register: str
    """the list it asks"""
    name: str
    audience: str
    department: str
    """with which it is shared; it stays there when its keeper moves"""
    keeper: Person
    may_change: bool
    is_pinned: bool
    """stands in your sidebar"""
    is_default: bool
    """your list opens with it"""
    question: ViewQuestion
    lost: list[str]
    """what it asks and the list cannot answer any more"""
    changed_at: datetime


@endpoint("GET", "/views", tag=TAG, refusals=(404,))
def list_views(call: Call, query: ViewsQuery) -> Page[ViewLine]:
    """Your views and those that are shared with you. `order` takes id and name; `q` looks in the name."""
    wanted = select(SavedView).where(permissions.visible_to(call.actor))
    if query.register:
        wanted = wanted.where(SavedView.register == permissions.list_of(call.actor, query.register).name)
    if query.q:
        wanted = wanted.where(SavedView.name.icontains(query.q, autoescape=True))
    wanted = wanted.where(SavedView.register.in_(permissions.lists(call.actor)))
    total = total_of(call.session, query, wanted, SavedView.id)
    order = ordering(query, {"id": SavedView.id, "name": SavedView.name}, "name", SavedView.id)
    found = [row.SavedView for row in rows(call.session, query, wanted.order_by(*order))]
    names, shelf = Names(call.session, (one.person_id for one in found)), operations.shelf_of(call.session, call.actor)
    return page_of(query, found, total, lambda view: _line(call, view, names, shelf))


@endpoint("GET", "/views/{view_id}", tag=TAG)
def get_view(call: Call, view_id: Id) -> ViewLine:
    """One view."""
    return _answer(call, permissions.readable(call.session, call.actor, view_id))


@endpoint("POST", "/views", tag=TAG, status=201, refusals=(404, 422))
def create_view(call: Call, body: NewView) -> ViewLine:
    """Keep a view of a list. Of one list there are never two of the same name, and at most 30 of one person."""
    view = operations.save_view(
        call.session,
        call.actor,
        register=body.register,
        name=body.name,
        question=_question(call, body.register, body.question),
        audience=body.audience,
    )
    _choose(call, view, body)
    call.headers["Location"] = f"{PREFIX}/views/{view.id}"
    return _answer(call, view)


@endpoint("PATCH", "/views/{view_id}", tag=TAG, refusals=(409, 422))
def change_view(call: Call, view_id: Id, body: ViewChange) -> ViewLine:
    """Rename it, share it, let it ask something else; pin it for yourself."""
    view = permissions.readable(call.session, call.actor, view_id)
    given = {name: getattr(body, name) for name in ("name", "audience", "question")}
    given = {name: value for name, value in given.items() if value is not msgspec.UNSET}
    if "question" in given:
        given["question"] = _question(call, view.register, given["question"])
    if given:
        view = operations.change_view(call.session, call.actor, view_id=view_id, version=body.version, **given)
    _choose(call, view, body)
    return _answer(call, view)


@endpoint("DELETE", "/views/{view_id}", tag=TAG, status=204, refusals=(409,))
def delete_view(call: Call, view_id: Id, query: VersionQuery) -> None:
    """Give it up, for everybody it is shared with. The records it shows stay where they are."""
    operations.remove_view(call.session, call.actor, view_id=view_id, version=query.version)


def _question(call: Call, name: str, asked: ViewQuestion) -> Question:
    question = Question(
        q=asked.q,
        view=asked.view,
        filters=tuple((one.column, one.how, one.value) for one in asked.filters),
        order=asked.order,
        size=asked.page_size,
        columns=tuple(asked.columns),
    )
    saved.demand_answerable(permissions.list_of(call.actor, name), question)
    return question


def _choose(call: Call, view: SavedView, body: NewView | ViewChange) -> None:
    wishes: dict[str, Any] = {"pinned": body.is_pinned, "default": body.is_default}
    wishes = {name: value for name, value in wishes.items() if value is not msgspec.UNSET}
    if wishes:
        operations.choose(call.session, call.actor, register=view.register, chosen=str(view.id), **wishes)


def _answer(call: Call, view: SavedView) -> ViewLine:
    return _line(call, view, Names(call.session, (view.person_id,)), operations.shelf_of(call.session, call.actor))


def _line(call: Call, view: SavedView, names: Names, shelf: operations.Shelf) -> ViewLine:
    register = permissions.list_of(call.actor, view.register)
    question = Question.of(view.question)
    return ViewLine(
        id=view.id,
        version=view.version,
        register=view.register,
        name=view.name,
        audience=view.audience,
        department=view.department.name if view.department is not None else "",
        keeper=names(view.person_id),
        may_change=view.id in shelf.changeable,
        is_pinned=shelf.is_pinned(view.register, str(view.id), view),
        is_default=shelf.is_default(view.register, str(view.id)),
        question=ViewQuestion(
            q=question.q,
            view=question.view,
            filters=[ViewFilter(column=column, how=how, value=value) for column, how, value in question.filters],
            order=question.order,
            page_size=question.size,
            columns=list(question.columns),
        ),
        lost=[str(one) for one in saved.asked_of(register, question).lost],
        changed_at=view.changed_at,
    )
