"""One call of the interface, declared where it is written: address, what it reads, what it answers, what it needs."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Any, Literal, TypeVar

import msgspec
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import Forbidden
from engine.i18n import _
from webapp.api.uploads import Upload

Method = Literal["GET", "POST", "PUT", "PATCH", "DELETE"]
Function = TypeVar("Function", bound=Callable[..., Any])

PREFIX = "/api/v1"

Id = Annotated[int, msgspec.Meta(ge=1, le=2**63 - 1)]
Version = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1, description="The version you saw; a stale one is refused.")]

JSON_LIMIT = 1024 * 1024
"""Bytes of a JSON body; a form of two hundred lines has a fiftieth of it."""


class Body(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """Base of what callers send. The schema says so too: nothing unknown is taken."""


class Query(Body):
    """Base of what callers write behind the question mark."""


class Answer(msgspec.Struct, kw_only=True):
    """Base of what we answer."""


class Empty(Body):
    """Nothing: {} or no body at all."""


@dataclass(slots=True)
class Call:
    """What a call may know of its request, and what it may say beside its answer."""

    session: Session
    actor: Actor
    request_headers: Mapping[str, str]
    uploads: tuple[Upload, ...] = ()
    headers: dict[str, str] = field(default_factory=dict)
    """of the answer"""

    def demand(self, permission: str) -> None:
        if not self.actor.may(permission):
            raise Forbidden(_("Your roles do not include this."), code="permission_missing")


@dataclass(frozen=True, slots=True)
class Endpoint:
    name: str
    """its name in the application and its operationId"""
    method: Method
    path: str
    """below PREFIX, with places in braces: "/work-items/{item_id}" """
    function: Callable[..., Any]
    tag: str
    summary: str
    description: str
    places: Mapping[str, Any]
    """place in the path -> its type"""
    query: type[Query] | None
    body: type[Body] | None
    answer: Any
    """a Struct; None for a call that answers nothing (204)"""
    status: int = 200
    writes: bool = False
    """run in a transaction that is repeated when it loses a race, and remembered under its Idempotency-Key"""
    multipart: bool = False
    limit: int = JSON_LIMIT
    """bytes of the body"""
    produces: str = "application/json"
    """anything else: the function returns a Flask response"""
    request_headers: tuple[str, ...] = ()
    """headers of meaning to this call, for the description"""
    refusals: tuple[int, ...] = ()
    """statuses it may answer beyond those that every call may"""
    shown_once: tuple[str, ...] = ()
    """fields of the answer that are not remembered for a repeat"""


ENDPOINTS: dict[str, Endpoint] = {}


def endpoint(
    method: Method,
    path: str,
    *,
    tag: str,
    status: int = 200,
    writes: bool | None = None,
    multipart: bool = False,
    limit: int = JSON_LIMIT,
    produces: str = "application/json",
    request_headers: tuple[str, ...] = (),
    refusals: tuple[int, ...] = (),
    shown_once: tuple[str, ...] = (),
) -> Callable[[Function], Function]:
    """Declare a call. Its signature says the rest: `call`, the places of its path, `query`, `body`, and the answer.

    writes: what is not a GET writes unless it says otherwise.
    """

    def declare(function: Function) -> Function:
        hints = typing.get_type_hints(function, include_extras=True)
        document = inspect.cleandoc(function.__doc__ or "")
        summary, _blank, description = document.partition("\n\n")
        name = f"api.{function.__module__.rsplit('.', 1)[-1]}.{function.__name__}"
        ENDPOINTS[name] = Endpoint(
            name=name,
            method=method,
            path=path,
            function=function,
            tag=tag,
            summary=summary.replace("\n", " "),
            description=description,
            places={n: t for n, t in hints.items() if f"{{{n}}}" in path},
            query=hints.get("query"),
            body=hints.get("body"),
            answer=hints["return"],
            status=status,
            writes=method != "GET" if writes is None else writes,
            multipart=multipart,
            limit=limit,
            produces=produces,
            request_headers=request_headers,
            refusals=refusals,
            shown_once=shown_once,
        )
        return function

    return declare
