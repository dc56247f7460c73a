"""Makes documents: the Word file at once, in the caller's transaction; its PDF by a worker, through the outbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connectors.word import filling, inspecting
from connectors.word.faults import BadTemplate, MissingField, Refused
from engine import attachments, journal, outbox, work_items
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import InvalidForm, NotFound, Problem, RuleViolation
from engine.i18n import _
from engine.models import Attachment, OutboxMessage
from engine.runtime.files import RECORD_TYPE as INSTANCE
from processes.document import permissions, rules
from processes.document.models import FAILED, QUEUED, SENT, WordDocument, WordTemplate, WordTemplateVersion
from processes.document.operations.printed import printed
from processes.document.operations.rendering import as_word
from processes.document.operations.templates import newest_version, not_accepted
from processes.document.permissions import DOCUMENT
from processes.kernel import records
from processes.kernel.columns import lock_for_change, stamp

CHANNEL = "word"

MOST_VALUES = 50_000
"""In the data of one document: five thousand lines of ten."""

Record = tuple[str, int]


def make_document(
    session: Session,
    actor: Actor,
    *,
    template: str,
    data: Mapping[str, Any],
    key: str,
    record: Record | None = None,
    name: str = "",
) -> WordDocument:
    """Fill the template of this code; the Word file is there when this returns, the PDF follows.

    key: names the wish; again it is the same document.  record: what it is about, which the actor must be able to see.
    Raises InvalidForm with every value that is missing or wrong, as "data.buyer.name".
    """
    permissions.require(actor, permissions.MAKE_DOCUMENTS)
    if record is not None and not CATALOG.may_read(session, actor, *record):
        raise InvalidForm([Problem("record", _("There is no such record."))])
    return make(session, actor, template=template, data=data, key=f"{actor.person_id}:{key}", record=record, name=name)


def make(
    session: Session,
    actor: Actor,
    *,
    template: str,
    data: Mapping[str, Any],
    key: str,
    record: Record | None = None,
    name: str = "",
    instance_id: int | None = None,
) -> WordDocument:
    """As make_document, for a process that makes it by itself: nobody's right is asked."""
    known = session.scalar(select(WordDocument).where(WordDocument.key == key))
    if known is not None:
        return known
    version = _version(session, template)
    filled = _filled(session, actor, version, data)
    document = WordDocument(
        key=key,
        name=rules.part_name(name or version.template.title),
        version_id=version.id,
        data=dict(data),
        record_type=record[0] if record else None,
        record_id=record[1] if record else None,
        instance_id=instance_id,
    )
    about = {"name": document.name, "template": template, "version": version.number, "record": record}
    return _keep(session, actor, document, filled.docx, about)


def print_instance(session: Session, actor: Actor, instance_id: int, *, key: str) -> WordDocument:
    """A process on paper as this person may see it; nobody else sees the document. NotFound as for its page."""
    full = f"{actor.person_id}:print:{key}"
    known = session.scalar(select(WordDocument).where(WordDocument.key == full))
    if known is not None:
        return known
    seen = printed(session, actor, instance_id)
    document = WordDocument(
        key=full,
        name=rules.part_name(seen.file_name("docx").removesuffix(".docx")),
        record_type=INSTANCE,
        record_id=instance_id,
    )
    about = {"name": document.name, "record": [INSTANCE, instance_id]}
    return _keep(session, actor, document, as_word(seen), about)


def _keep(session: Session, actor: Actor, document: WordDocument, docx: bytes, about: dict[str, Any]) -> WordDocument:
    try:
        with session.begin_nested():
            records.create(session, actor, DOCUMENT, document, about)
    except IntegrityError:  # the same wish at the same moment
        return session.scalars(select(WordDocument).where(WordDocument.key == document.key)).one()
    document.docx_id = _file(session, actor, document, "docx", docx).id
    session.flush()
    _ask_for_pdf(session, actor, document, attempt=1)
    return document


def _version(session: Session, code: str) -> WordTemplateVersion:
    template = session.scalar(select(WordTemplate).where(WordTemplate.code == code, WordTemplate.state == "active"))
    version = newest_version(session, template) if template is not None else None
    if version is None:
        raise InvalidForm([Problem("template", _("There is no template “{code}” in use.", code=code))])
    return version


def _filled(session: Session, actor: Actor, version: WordTemplateVersion, data: Mapping[str, Any]) -> filling.Filled:
    if _count(data) > MOST_VALUES:
        raise InvalidForm([Problem("data", _("At most {count} values fit into a document.", count=MOST_VALUES))])
    problems = [rules.shape_problem(path, code) for path, code in inspecting.lacking(version.fields, data)]
    problems += rules.wrong_values(version.fields, data)
    pictures, missing = _pictures(session, actor, version.fields, data)
    problems += missing
    if problems:
        raise InvalidForm([Problem(f"data.{one.where}", one.message, one.remedy) for one in problems])
    try:
        content = attachments.path_of(version.attachment.sha256).read_bytes()
        return filling.fill(content, data, filters=rules.FILTERS, pictures=pictures)
    except MissingField as lack:
        raise InvalidForm([Problem(f"data.{lack.name}", _("This is required."))]) from lack
    except BadTemplate as bad:
        raise RuleViolation(
            _("The template cannot be filled with these values: {detail}", detail=bad.detail), code="bad_template"
        ) from bad
    except Refused as refused:
        raise not_accepted(refused) from refused


def _count(value: Any) -> int:
    if isinstance(value, Mapping):
        return sum(_count(one) for one in value.values())
    return sum(_count(one) for one in value) if isinstance(value, list) else 1


def _pictures(
    session: Session, actor: Actor, fields: list[dict[str, Any]], data: Any, before: str = ""
) -> tuple[dict[str, bytes], list[Problem]]:
    """The pictures the data name by the ids of files this person may read."""
    found: dict[str, bytes] = {}
    problems: list[Problem] = []
    for one in fields:
        value = data.get(one["name"]) if isinstance(data, Mapping) else None
        path = f"{before}{one['name']}"
        lines = value if isinstance(value, list) else [value]
        if one["kind"] in {"group", "list"}:
            for number, line in enumerate(lines):
                inner = f"{path}.{number}." if one["kind"] == "list" else f"{path}."
                more, wrong = _pictures(session, actor, one["fields"], line, inner)
                found |= more
                problems += wrong
        elif one["kind"] == "picture" and value not in {None, ""}:
            file = _readable(session, actor, value)
            if file is None or file.media_type not in {"image/png", "image/jpeg"}:
                problems.append(Problem(path, _("Name a picture (PNG or JPEG) by the number of a file you may read.")))
            else:
                found[str(value)] = attachments.path_of(file.sha256).read_bytes()
    return found, problems


def _readable(session: Session, actor: Actor, value: Any) -> Attachment | None:
    if isinstance(value, bool) or not str(value).isdecimal() or len(str(value)) > 18:
        return None
    try:
        return work_items.readable_file(session, actor, int(value))
    except NotFound:
        return None


def _file(session: Session, actor: Actor, document: WordDocument, ending: str, content: bytes) -> Attachment:
    file = attachments.store(session, actor, f"{document.name}.{ending}", content)
    file.record_type, file.record_id = DOCUMENT, document.id
    return file


# ------------------------------------------------------------------------------------------------- the PDF


def _ask_for_pdf(session: Session, actor: Actor, document: WordDocument, *, attempt: int) -> int:
    assert document.docx is not None
    return outbox.enqueue(
        session,
        channel=CHANNEL,
        key=message_key(document.id, attempt),
        payload={"document": document.id, "docx": document.docx.id, "sha256": document.docx.sha256},
        actor=actor,
        record=(DOCUMENT, document.id),
        instance_id=document.instance_id,
    )


def message_key(document_id: int, attempt: int = 1) -> str:
    return f"word:{document_id}:{attempt}"


def keep_pdf(session: Session, *, document_id: int, pdf: bytes, pages: int) -> WordDocument:
    """What the worker brings; a second one for the same document is left aside."""
    document = lock_for_change(session, WordDocument, document_id)
    if document.pdf_id is None:
        document.pdf_id = _file(session, _maker(document), document, "pdf", pdf).id
        document.pages = pages
    document.state, document.reason = SENT, ""
    session.flush()
    return document


def note_no_pdf(session: Session, *, document_id: int, reason: str, final: bool) -> WordDocument:
    """Why there is none. final = False: nothing is wrong with the document, this machine merely makes no PDF."""
    document = lock_for_change(session, WordDocument, document_id)
    if document.pdf_id is None:
        document.state, document.reason = (FAILED if final else SENT), reason
        session.flush()
    return document


def _maker(document: WordDocument) -> Actor:
    return Actor(person_id=document.created_by, name="")


def print_again(session: Session, actor: Actor, *, document_id: int) -> WordDocument:
    """Ask once more for the PDF of a document that has none."""
    document = lock_for_change(session, WordDocument, document_id)
    if document.pdf_id is not None or document.state == QUEUED:
        raise RuleViolation(_("There is nothing to be done: the PDF is there or being made."), code="nothing_to_print")
    prefix = f"word:{document.id}:"
    keys = session.scalars(select(OutboxMessage.key).where(OutboxMessage.key.startswith(prefix))).all()
    document.state, document.reason = QUEUED, ""
    stamp(document, actor)
    _ask_for_pdf(session, actor, document, attempt=len(keys) + 1)
    session.flush()
    journal.audit(session, actor, DOCUMENT, document.id, "printed_again", None, {})
    return document


def document_of(session: Session, actor: Actor, document_id: int) -> WordDocument:
    """The document, if this person may see it; NotFound otherwise."""
    mine = WordDocument.id == document_id, permissions.visible_documents(actor)
    document = session.scalar(select(WordDocument).where(*mine))
    if document is None:
        raise NotFound
    return document
