"""Urging whoever a work item lies with (催办)."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec

from processes.approval import operations
from webapp.api.answers import Names, Person
from webapp.api.endpoint import Answer, Body, Call, Id, endpoint


class Urge(Body):
    text: Annotated[str, msgspec.Meta(max_length=200)] = ""
    """a word along with it"""


class Urged(Answer):
    """What was sent, and when it is possible again."""

    item_id: int
    title: str
    count: int
    """how often this item has been urged"""
    channel: Literal["notice", "sms"]
    """in the house first, from the second time on by SMS as well"""
    at: datetime
    next_at: datetime
    told: list[Person]
    messages: list[int]
    """ids in the outbox: GET /api/v1/connectors/sms/messages/{id} says what became of each"""


class UrgedAll(Answer):
    items: list[Urged]


@endpoint("POST", "/work-items/{item_id}/actions/urge", tag="work items", refusals=(409, 422))
def urge_item(call: Call, item_id: Id, body: Urge) -> Urged:
    """Urge whoever an open item lies with; for the starter, supervisors and those who decide after it.

    Once in 120 minutes for each item: `urged_lately` (422) says from when on it is possible again.
    """
    return _answer(call, [operations.urge(call.session, call.actor, item_id, body.text)])[0]


@endpoint("POST", "/process-instances/{instance_id}/actions/urge", tag="process instances", refusals=(409, 422))
def urge_instance(call: Call, instance_id: Id, body: Urge) -> UrgedAll:
    """Urge about everything an instance waits for, as far as it has not been urged lately."""
    return UrgedAll(items=_answer(call, operations.urge_instance(call.session, call.actor, instance_id, body.text)))


def _answer(call: Call, done: list[operations.Urged]) -> list[Urged]:
    names = Names(call.session, [person for one in done for person in one.told])
    return [
        Urged(
            item_id=one.item_id,
            title=one.title,
            count=one.count,
            channel="sms" if one.channel == "sms" else "notice",
            at=one.at,
            next_at=one.next_at,
            told=[names(person) for person in one.told],
            messages=list(one.outbox),
        )
        for one in done
    ]
