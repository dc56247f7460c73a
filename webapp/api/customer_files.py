"""Files about a customer: those that hang on it, and those sent along with records, comments and tasks about it."""

from __future__ import annotations

from typing import Annotated

import msgspec

from engine.models import Attachment
from processes.activity import operations as activity
from processes.organization.permissions import require
from processes.party import operations, permissions
from webapp.api.answers import File, file_of
from webapp.api.endpoint import Answer, Body, Call, Id, Query, endpoint

TAG = "customers"


class FilesQuery(Query):
    before: Id | None = None
    """only files older than this one: the last of the page before"""
    page_size: Annotated[int, msgspec.Meta(ge=1, le=100)] = 20


class CustomerFile(Answer):
    file: File
    record_type: str
    """what it hangs on: the customer itself (party.customer), a contact record, a comment, a task"""
    record_id: int


class CustomerFiles(Answer):
    items: list[CustomerFile]
    has_more: bool


class NewFiles(Body):
    attachments: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=operations.MOST_FILES_AT_ONCE)]
    """files of yours that hang nowhere yet"""


@endpoint("GET", "/customers/{customer_id}/files", tag=TAG)
def list_files(call: Call, customer_id: Id, query: FilesQuery) -> CustomerFiles:
    """Every file about a customer that you may read, newest first."""
    require(call.actor, permissions.USE)
    customer = permissions.readable(call.session, call.actor, customer_id)
    found, more = activity.files(call.session, call.actor, customer, before=query.before, size=query.page_size)
    return CustomerFiles(items=[_line(one) for one in found], has_more=more)


@endpoint("POST", "/customers/{customer_id}/files", tag=TAG, status=201, refusals=(409, 422))
def add_files(call: Call, customer_id: Id, body: NewFiles) -> CustomerFiles:
    """Hang files on the customer: whoever may read it may read them from then on."""
    added = operations.add_files(call.session, call.actor, customer_id=customer_id, ids=body.attachments)
    return CustomerFiles(items=[_line(one) for one in added], has_more=False)


@endpoint("DELETE", "/customers/{customer_id}/files/{file_id}", tag=TAG, status=204, refusals=(409,))
def remove_file(call: Call, customer_id: Id, file_id: Id) -> None:
    """Take a file off the customer. Files of records, comments and tasks stay where they were said."""
    operations.remove_file(call.session, call.actor, customer_id=customer_id, file_id=file_id)


def _line(row: Attachment) -> CustomerFile:
    return CustomerFile(file=file_of(row), record_type=str(row.record_type), record_id=row.record_id or 0)
