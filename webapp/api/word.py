"""Word: documents made from templates, templates uploaded, files compared, tracked changes listed and settled."""

from __future__ import annotations

import secrets
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
from sqlalchemy.orm import Session

from connectors.word.revisions import Revision
from engine import work_items
from engine.actor import Actor
from engine.errors import NotFound, Problem
from engine.i18n import _
from engine.models import Attachment
from processes.document import operations
from processes.document.models import WordDocument, WordTemplateVersion
from processes.document.permissions import MAKE_DOCUMENTS, require
from webapp.api.answers import File, file_of
from webapp.api.attachments import LARGEST_UPLOAD
from webapp.api.connectors import TAG, Record, offer
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, Query, endpoint
from webapp.api.idempotency import HEADER
from webapp.api.reading import InvalidRequest, Unreadable

Code = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]


class WordRequest(Body):
    template: Code
    """the code of a template in use"""
    data: dict[str, Any]
    """a value for every field of the template; money as "1200.50" or {"amount", "currency"}, dates as 2026-05-04"""
    record: Record | None = None
    name: Annotated[str, msgspec.Meta(max_length=100)] = ""
    """what the files are called, without ending"""


class Links(Answer):
    docx: str | None
    pdf: str | None
    """null until it is made, or when it cannot be"""


class Document(Answer):
    id: int
    name: str
    state: str
    """queued (the PDF is being made) | sent (done) | failed"""
    reason: str
    """why there is no PDF"""
    pages: int
    template: str | None
    template_version: int | None
    record: dict[str, Any] | None
    created_at: datetime
    links: Links


class TemplateQuery(Query):
    code: Code
    """an existing one gets its next version"""
    title: Annotated[str, msgspec.Meta(max_length=100)] = ""


class Template(Answer):
    code: str
    title: str
    version: int
    uploaded_at: datetime
    sha256: str
    fields: list[dict[str, Any]]
    """[{"name", "kind", "required", "fields"}]; kind: text | money | date | number | flag | picture | group | list"""
    links: dict[str, str]


class Templates(Answer):
    items: list[Template]


class CompareRequest(Body):
    old: Id
    new: Id
    """ids of Word files you may read"""


class RevisionLine(Answer):
    id: str
    kind: str
    """insertion | deletion | move_from | move_to | format"""
    author: str
    at: datetime | None
    text: str
    part: str
    """body | header | footer | footnotes"""
    paragraph: str


class Revised(Answer):
    file: File
    revisions: list[RevisionLine]
    """the changes this file still carries"""


class SettleRequest(Body):
    ids: Annotated[list[Annotated[str, msgspec.Meta(max_length=80)]], msgspec.Meta(max_length=5000)] | None = None
    """which; all without it"""


offer("word", "make_document", WordRequest, Document, "documents")


@endpoint("POST", "/connectors/word/documents", tag=TAG, status=201, refusals=(422,))
def make_document(call: Call, body: WordRequest) -> Document:
    """Fill a template. The Word file is there at once, the PDF a moment later. One Idempotency-Key makes one document.

    A value that is missing or wrong is named as `data.buyer.name`.
    """
    made = operations.make_document(
        call.session,
        call.actor,
        template=body.template,
        data=body.data,
        key=call.request_headers.get(HEADER) or secrets.token_hex(16),
        record=(body.record.type, body.record.id) if body.record is not None else None,
        name=body.name,
    )
    call.headers["Location"] = f"{PREFIX}/connectors/word/documents/{made.id}"
    return _document(made)


@endpoint("GET", "/connectors/word/documents/{document_id}", tag=TAG)
def get_document(call: Call, document_id: Id) -> Document:
    """How far a document is, and where its files are."""
    return _document(operations.document_of(call.session, call.actor, document_id))


@endpoint("POST", "/connectors/word/documents/{document_id}/actions/print", tag=TAG, refusals=(422,))
def print_again(call: Call, document_id: Id) -> Document:
    """Ask once more for the PDF of a document that has none."""
    operations.document_of(call.session, call.actor, document_id)
    return _document(operations.print_again(call.session, call.actor, document_id=document_id))


@endpoint("POST", "/process-instances/{instance_id}/actions/print", tag=TAG, status=201, refusals=(422,))
def print_instance(call: Call, instance_id: Id) -> Document:
    """Put a process on paper, as you may see it: a document of your own, whose PDF follows."""
    key = call.request_headers.get(HEADER) or secrets.token_hex(16)
    made = operations.print_instance(call.session, call.actor, instance_id, key=key)
    call.headers["Location"] = f"{PREFIX}/connectors/word/documents/{made.id}"
    return _document(made)


def _document(made: WordDocument) -> Document:
    version = made.template_version
    return Document(
        id=made.id,
        name=made.name,
        state=made.state,
        reason=made.reason,
        pages=made.pages,
        template=version.template.code if version is not None else None,
        template_version=version.number if version is not None else None,
        record={"type": made.record_type, "id": made.record_id} if made.record_type else None,
        created_at=made.created_at,
        links=Links(docx=_link(made.docx_id), pdf=_link(made.pdf_id)),
    )


def _link(attachment_id: int | None) -> str | None:
    return f"{PREFIX}/attachments/{attachment_id}" if attachment_id is not None else None


# ------------------------------------------------------------------------------------------------- templates


@endpoint("GET", "/connectors/word/templates", tag=TAG)
def list_templates(call: Call) -> Templates:
    """The templates in use, with the fields each wants."""
    return Templates(items=[_template(one) for one in operations.usable(call.session, call.actor)])


@endpoint(
    "POST",
    "/connectors/word/templates",
    tag=TAG,
    status=201,
    multipart=True,
    limit=LARGEST_UPLOAD,
    refusals=(409, 422),
)
def upload_template(call: Call, query: TemplateQuery) -> Template:
    """Send a template up as the part `file` of a multipart body; refused with every fault and its paragraph.

    Documents made before keep the version they were made from.
    """
    if len(call.uploads) != 1 or call.uploads[0].field != "file":
        raise Unreadable(_("Send exactly one file, as the part “file”."))
    given = call.uploads[0]
    version = operations.upload_template(
        call.session, call.actor, code=query.code, title=query.title, file_name=given.name, content=given.content
    )
    return _template(version)


def _template(version: WordTemplateVersion) -> Template:
    return Template(
        code=version.template.code,
        title=version.template.title,
        version=version.number,
        uploaded_at=version.uploaded_at,
        sha256=version.attachment.sha256,
        fields=version.fields,
        links={"docx": f"{PREFIX}/attachments/{version.attachment_id}"},
    )


# ------------------------------------------------------------------------------------------------- tracked changes


@endpoint("POST", "/connectors/word/compare", tag=TAG, status=201, refusals=(422,))
def compare(call: Call, body: CompareRequest) -> Revised:
    """A new file of yours: the newer one with every difference to the older as a tracked change in your name."""
    require(call.actor, MAKE_DOCUMENTS)
    old, new = _word_files(call.session, call.actor, {"old": body.old, "new": body.new})
    return _revised(operations.compare_files(call.session, call.actor, old, new))


@endpoint("GET", "/connectors/word/revisions/{attachment_id}", tag=TAG, refusals=(422,))
def list_revisions(call: Call, attachment_id: Id) -> Revised:
    """The tracked changes of a Word file you may read: in its text, headers, footers and notes."""
    return _revised(work_items.readable_file(call.session, call.actor, attachment_id))


@endpoint("POST", "/connectors/word/revisions/{attachment_id}/actions/{verdict}", tag=TAG, status=201, refusals=(422,))
def settle(call: Call, attachment_id: Id, verdict: Literal["accept", "reject"], body: SettleRequest) -> Revised:
    """A new file of yours in which these changes are made for good, or undone; the given file stays as it is."""
    require(call.actor, MAKE_DOCUMENTS)
    file = work_items.readable_file(call.session, call.actor, attachment_id)
    ids = body.ids
    return _revised(operations.settle_revisions(call.session, call.actor, file, verdict=verdict, ids=ids))


def _word_files(session: Session, actor: Actor, ids: dict[str, int]) -> list[Attachment]:
    found, problems = [], []
    for name, attachment_id in ids.items():
        try:
            found.append(work_items.readable_file(session, actor, attachment_id))
        except NotFound as unknown:
            problems.append(Problem(name, unknown.message))
    if problems:
        raise InvalidRequest(problems)
    return found


def _revised(file: Attachment) -> Revised:
    return Revised(file=file_of(file), revisions=[_line(one) for one in operations.revisions_of(file)])


def _line(one: Revision) -> RevisionLine:
    return RevisionLine(
        id=one.id,
        kind=one.kind,
        author=one.author,
        at=one.at,
        text=one.text,
        part=one.place.part,
        paragraph=one.place.text,
    )
