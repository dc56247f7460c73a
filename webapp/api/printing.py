"""An instance on paper, and the package the archive keeps of it."""

from __future__ import annotations

from typing import Literal

from flask import Response

from engine import attachments
from engine.errors import NotFound
from processes.document import operations as document
from processes.document.permissions import demand_whole
from webapp.api.endpoint import Call, Id, Query, endpoint
from webapp.skin.headers import file_headers

TAG = "process instances"

HTML_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:"


class PrintQuery(Query):
    format: Literal["docx", "html"] = "docx"


@endpoint("GET", "/process-instances/{instance_id}/print", tag=TAG, produces="application/octet-stream")
def get_print(call: Call, instance_id: Id, query: PrintQuery) -> Response:
    """The instance as it is printed: form, opinions, signatures, hash of its history, QR code to the live record.

    As a Word file or as one HTML page that needs nothing else; with what you may see of it.
    """
    seen = document.printed(call.session, call.actor, instance_id)
    name = seen.file_name(query.format)
    if query.format == "html":
        call.headers.update(file_headers(name, HTML_POLICY))
        return Response(document.as_html(seen), content_type="text/html; charset=utf-8")
    call.headers.update(file_headers(name))
    return Response(document.as_word(seen), content_type=document.WORD_TYPE)


@endpoint("GET", "/process-instances/{instance_id}/package", tag=TAG, produces="application/zip")
def get_package(call: Call, instance_id: Id) -> Response:
    """The package the archive keeps of an ended instance: print, form, history, drawings, attachments, hashes.

    404 while none has been filed; 403 when fields of the form are hidden from you, for the package holds them.
    """
    package = document.package_of(call.session, instance_id)
    if package is None:
        raise NotFound
    demand_whole(call.session, call.actor, package)
    if package.attachment is None:
        raise NotFound
    call.headers.update({**file_headers(package.file_name), "Content-Length": str(package.size)})
    return Response(attachments.chunks(package.attachment), mimetype="application/zip")
