"""What you were told, what of it you have read, and by which roads you want to be told."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from sqlalchemy import select

from processes.notices import operations, rules
from processes.notices.models import Notice
from processes.notices.permissions import visible_to
from webapp.api.endpoint import Answer, Body, Call, Id, endpoint
from webapp.api.paging import ListQuery, Page, ordering, page_of, rows, total_of

TAG = "notices"

Channel = Literal["in_app", "sms", "mail", "digest"]


class NoticesQuery(ListQuery):
    unread: bool = False
    """only what was not read"""
    kind: Annotated[str, msgspec.Meta(max_length=60)] = ""


class NoticeLine(Answer):
    id: int
    kind: str
    title: str
    """in the caller's language"""
    text: str
    record_type: str | None
    record_id: int | None
    link: str
    created_at: datetime
    read_at: datetime | None


class NoticeCounts(Answer):
    unread: int
    """counted up to 1,000"""


class ReadAll(Body):
    until: Id | None = None
    """only up to this notice: the newest you have seen"""


class Marked(Answer):
    marked: int


class Preference(Answer):
    kind: str
    title: str
    channels: list[str]
    mandatory: list[str]
    """those that cannot be switched off"""


class Preferences(Answer):
    items: list[Preference]


class Choice(Body):
    kind: Annotated[str, msgspec.Meta(min_length=1, max_length=60)]
    channels: Annotated[list[Channel], msgspec.Meta(max_length=8)]


class Choices(Body):
    items: Annotated[list[Choice], msgspec.Meta(max_length=200)]


@endpoint("GET", "/notices", tag=TAG)
def list_notices(call: Call, query: NoticesQuery) -> Page[NoticeLine]:
    """What you were told, newest first. `q` looks in what others wrote; `order` takes id."""
    wanted = select(Notice).where(visible_to(call.actor))
    if query.unread:
        wanted = wanted.where(Notice.read_at.is_(None))
    if query.kind:
        wanted = wanted.where(Notice.kind == query.kind)
    if query.q:
        wanted = wanted.where(Notice.text.icontains(query.q, autoescape=True))
    total = total_of(call.session, query, wanted, Notice.id)
    order = ordering(query, {"id": Notice.id}, "-id", Notice.id)
    found = [row.Notice for row in rows(call.session, query, wanted.order_by(*order))]
    return page_of(query, found, total, _line)


@endpoint("GET", "/notices/counts", tag=TAG)
def get_counts(call: Call) -> NoticeCounts:
    """The number at the bell."""
    return NoticeCounts(unread=operations.unread_count(call.session, call.actor))


@endpoint("POST", "/notices/{notice_id}/actions/read", tag=TAG)
def read(call: Call, notice_id: Id) -> NoticeLine:
    """Note that you have read it."""
    return _line(operations.mark_read(call.session, call.actor, notice_id=notice_id))


@endpoint("POST", "/notices/actions/read-all", tag=TAG)
def read_all(call: Call, body: ReadAll) -> Marked:
    """Note everything as read, up to the newest you have seen."""
    return Marked(marked=operations.mark_all_read(call.session, call.actor, until=body.until))


@endpoint("GET", "/notices/preferences", tag=TAG)
def get_preferences(call: Call) -> Preferences:
    """By which roads you are told of what."""
    return _preferences(call)


@endpoint("PUT", "/notices/preferences", tag=TAG, refusals=(422,))
def put_preferences(call: Call, body: Choices) -> Preferences:
    """Choose the roads of the kinds you name; the others stay. What is mandatory cannot be left out."""
    operations.set_preferences(
        call.session, call.actor, channels={choice.kind: choice.channels for choice in body.items}
    )
    return _preferences(call)


def _preferences(call: Call) -> Preferences:
    chosen = operations.preferences(call.session, call.actor)
    return Preferences(
        items=[
            Preference(
                kind=name,
                title=str(rules.KINDS[name].title),
                channels=[one for one in rules.CHANNELS if one in channels],
                mandatory=[one for one in rules.CHANNELS if one in rules.KINDS[name].fixed],
            )
            for name, channels in chosen.items()
        ]
    )


def _line(notice: Notice) -> NoticeLine:
    return NoticeLine(
        id=notice.id,
        kind=notice.kind,
        title=str(notice.title),
        text=notice.text,
        record_type=notice.record_type,
        record_id=notice.record_id,
        link=notice.link,
        created_at=notice.created_at,
        read_at=notice.read_at,
    )
