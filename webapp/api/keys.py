"""API keys of the caller: made, listed, revoked."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any

import msgspec

from engine.errors import Forbidden
from engine.i18n import _
from webapp.api.endpoint import Answer, Body, Call, Id, endpoint
from webapp.api.paging import ListQuery, Page
from webapp.security import api_keys
from webapp.security.models import ApiKey

TAG = "api keys"


class KeyRequest(Body):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
    """what it is for"""
    expires_at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class KeyLine(Answer):
    id: int
    name: str
    hint: str
    """how it begins"""
    created_at: datetime
    expires_at: datetime | None
    used_at: datetime | None
    """to the hour"""


class NewKey(KeyLine):
    key: str
    """shown here and never again"""


@endpoint("GET", "/api-keys", tag=TAG)
def list_keys(call: Call, query: ListQuery) -> Page[KeyLine]:
    """Your keys that still open the door, newest first."""
    found = api_keys.of_actor(call.session, call.actor)
    part = found[query.offset : query.offset + query.page_size]
    return Page(
        items=[KeyLine(**_facts(key)) for key in part],
        page=query.page,
        page_size=query.page_size,
        has_more=len(found) > query.offset + query.page_size,
        total=len(found) if query.count else None,
    )


@endpoint("POST", "/api-keys", tag=TAG, status=201, refusals=(422,), shown_once=("key",))
def create_key(call: Call, body: KeyRequest) -> NewKey:
    """Make a key: whoever holds it acts in your name, with your rights. It is shown once."""
    _demand_person(call)
    key, text = api_keys.create(call.session, call.actor, name=body.name, expires_at=body.expires_at)
    return NewKey(**_facts(key), key=text)


@endpoint("POST", "/api-keys/{key_id}/actions/revoke", tag=TAG, status=204)
def revoke_key(call: Call, key_id: Id) -> None:
    """Make a key worthless, at once."""
    api_keys.revoke(call.session, call.actor, key_id)


def _demand_person(call: Call) -> None:
    """A key that makes keys could not be got rid of."""
    if f" {api_keys.PREFIX}" in call.request_headers.get("Authorization", ""):
        raise Forbidden(_("Sign in yourself to make a key."))


def _facts(key: ApiKey) -> dict[str, Any]:
    return {name: getattr(key, name) for name in KeyLine.__struct_fields__}
