"""Files: sent up before the form that names them, given out to whoever may read the record they hang on."""

from __future__ import annotations

from flask import Response

from engine import attachments, work_items
from engine.errors import NotFound
from engine.i18n import _
from webapp.api.answers import File, file_of
from webapp.api.endpoint import PREFIX, Call, Id, endpoint
from webapp.api.reading import Unreadable
from webapp.skin.headers import file_headers

TAG = "attachments"

LARGEST_UPLOAD = attachments.LARGEST + 64 * 1024
"""The file and what multipart wraps around it."""


@endpoint("POST", "/attachments", tag=TAG, status=201, multipart=True, limit=LARGEST_UPLOAD, refusals=(422,))
def upload(call: Call) -> File:
    """Send one file up, as the part `file` of a multipart body.

    It is yours alone until a form or an operation that names its id is sent; files that none has named go after a day.
    Programs, and files whose content is not what their ending says, are refused.
    """
    if len(call.uploads) != 1 or call.uploads[0].field != "file":
        raise Unreadable(_("Send exactly one file, as the part “file”."))
    given = call.uploads[0]
    row = attachments.store(call.session, call.actor, given.name, given.content)
    call.headers["Location"] = f"{PREFIX}/attachments/{row.id}"
    return file_of(row)


@endpoint("GET", "/attachments/{attachment_id}", tag=TAG, produces="application/octet-stream")
def download(call: Call, attachment_id: Id) -> Response:
    """The bytes, as a file to be saved: never shown inside the site."""
    row = work_items.readable_file(call.session, call.actor, attachment_id)
    call.headers.update({**file_headers(row.name), "Content-Length": str(row.size)})
    return Response(attachments.chunks(row), mimetype=row.media_type)


@endpoint("DELETE", "/attachments/{attachment_id}", tag=TAG, status=204)
def discard(call: Call, attachment_id: Id) -> None:
    """Take back a file of yours that no form has named yet."""
    row = work_items.readable_file(call.session, call.actor, attachment_id)
    if row.record_id is not None or row.uploaded_by != call.actor.person_id:
        raise NotFound
    call.session.delete(row)
    call.session.flush()
