"""An instance on paper: the page that prints, the Word file, and the package the archive keeps of it."""

from __future__ import annotations

import secrets

from flask import Blueprint, Response, redirect, render_template, request, url_for
from werkzeug.wrappers import Response as BaseResponse

from engine import attachments, db
from engine.db import Sessions
from engine.errors import NotFound
from processes.document.models import ArchivePackage
from processes.document.operations import WORD_TYPE, as_html, as_word, package_of, print_instance, printed
from processes.document.permissions import demand_whole
from webapp.security.access import current_actor, signed_in
from webapp.skin.headers import csp_nonce, file_headers

pages = Blueprint("printing", __name__)


@pages.get("/instances/<int:instance_id>/print")
@signed_in
def page(instance_id: int) -> str:
    seen = printed(Sessions(), current_actor(), instance_id)
    tools = render_template(
        "workflow/_print_tools.html",
        printed=seen,
        word=url_for("printing.word", instance_id=instance_id),
        package=package_of(Sessions(), instance_id),
        submission=secrets.token_urlsafe(12),
    )
    return as_html(seen, nonce=csp_nonce(), tools=tools)


@pages.get("/instances/<int:instance_id>/print.docx")
@signed_in
def word(instance_id: int) -> Response:
    seen = printed(Sessions(), current_actor(), instance_id)
    return Response(as_word(seen), mimetype=WORD_TYPE, headers=file_headers(seen.file_name("docx")))


@pages.post("/instances/<int:instance_id>/print.pdf")
@signed_in
def pdf(instance_id: int) -> BaseResponse:
    """A worker makes it; the document's page says when it is there."""
    actor, key = current_actor(), request.form.get("submission") or secrets.token_urlsafe(12)
    with db.transaction() as session:
        made = print_instance(session, actor, instance_id, key=f"page:{key[:60]}").id
    return redirect(url_for("documents.show", document_id=made))


@pages.get("/archive/<int:package_id>")
@signed_in
def package(package_id: int) -> Response:
    """A filed zip; NotFound for those who may not read its process, Forbidden where something in it is hidden."""
    session = Sessions()
    found = session.get(ArchivePackage, package_id)
    if found is None:
        raise NotFound
    demand_whole(session, current_actor(), found)
    if found.attachment is None:
        raise NotFound
    headers = {**file_headers(found.file_name), "Content-Length": str(found.size)}
    return Response(attachments.chunks(found.attachment), mimetype="application/zip", headers=headers)
