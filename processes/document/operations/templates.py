"""Word templates: uploaded, looked over, kept with every version; one that cannot be filled never gets in."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connectors.word import inspecting
from connectors.word.faults import Refused
from engine import attachments, clock, journal
from engine.actor import SYSTEM, Actor
from engine.errors import Conflict, InvalidForm, Problem, RuleViolation
from engine.i18n import _
from processes.document import permissions, rules
from processes.document.models import WordTemplate, WordTemplateVersion
from processes.document.permissions import TEMPLATE
from processes.kernel import records
from processes.kernel.columns import lock_for_change, stamp
from processes.kernel.entry import Entry

SHIPPED = Path(__file__).parents[3] / "templates" / "word"

SHIPPED_TITLES = {
    "sales_contract": "设备购销合同",
    "service_contract": "技术服务合同",
    "confidentiality": "保密协议",
}
"""What ships with the house, by the names of its files."""


def upload_template(
    session: Session, actor: Actor, *, code: str, title: str, file_name: str, content: bytes
) -> WordTemplateVersion:
    """Make a template, or the next version of the one with this code; the same file again changes nothing.

    Raises RuleViolation with every fault and its place, InvalidForm for a bad code or title.
    """
    permissions.require(actor, permissions.MANAGE_TEMPLATES)
    fields = looked_over(content)
    return _keep(session, actor, code=code, title=title, file_name=file_name, content=content, fields=fields)


def looked_over(content: bytes) -> list[dict[str, Any]]:
    """The fields of a faultless template."""
    try:
        report = inspecting.inspect(content, filters=rules.FILTERS)
    except Refused as refused:
        raise not_accepted(refused) from refused
    if report.faults:
        raise RuleViolation(
            _("The template cannot be used. Faults: {count}.", count=len(report.faults)),
            code="bad_template",
            remedy=_("Correct them in Word and upload the file again."),
            problems=tuple(rules.fault_problem(fault) for fault in report.faults),
        )
    return list(report.fields)


def not_accepted(refused: Refused) -> RuleViolation:
    return RuleViolation(
        _("This file is not accepted."),
        code="file_refused",
        problems=(Problem("file", rules.refusal(refused.code, refused.detail), rule=refused.code),),
    )


def _keep(
    session: Session,
    actor: Actor,
    *,
    code: str,
    title: str,
    file_name: str,
    content: bytes,
    fields: list[dict[str, Any]],
) -> WordTemplateVersion:
    template = session.scalar(select(WordTemplate).where(WordTemplate.code == code.strip()))
    entry = Entry(session, {"code": code, "title": title or (template.title if template else "")}, is_new=True)
    entry.code("code", required=True)
    entry.text("title", required=True)
    clean = entry.finish()
    known = lock_for_change(session, WordTemplate, template.id) if template is not None else None
    template = known or _new(session, actor, clean)
    newest = newest_version(session, template)
    file = attachments.store(session, actor, file_name, content)
    if file.media_type != rules.WORD_TYPE:
        raise InvalidForm([Problem("file", _("The name of a Word file ends in .docx."))])
    if newest is not None and newest.attachment.sha256 == file.sha256 and template.state == "active":
        session.delete(file)
        session.flush()
        return newest
    file.record_type, file.record_id = TEMPLATE, template.id
    before = {"version": template.number, "state": template.state}
    template.number += 1
    template.title, template.state = clean["title"], "active"
    stamp(template, actor)
    version = WordTemplateVersion(
        template_id=template.id,
        number=template.number,
        attachment_id=file.id,
        fields=fields,
        uploaded_by=actor.person_id,
        uploaded_at=clock.now(),
    )
    session.add(version)
    session.flush()
    after = {"version": template.number, "state": template.state, "sha256": file.sha256}
    journal.audit(session, actor, TEMPLATE, template.id, "uploaded", before, after)
    return version


def _new(session: Session, actor: Actor, clean: dict[str, Any]) -> WordTemplate:
    template = WordTemplate(**clean)
    try:
        with session.begin_nested():
            records.create(session, actor, TEMPLATE, template, clean)
    except IntegrityError:  # somebody else uploads the first version under this code right now
        raise Conflict(
            _("Somebody else has just uploaded a template with this code."),
            remedy=_("Look at it, then upload yours as its next version."),
        ) from None
    return template


def archive_template(session: Session, actor: Actor, *, record_id: int) -> None:
    """It makes no further documents; an upload under its code takes it into use again."""
    permissions.require(actor, permissions.MANAGE_TEMPLATES)
    records.archive(session, actor, TEMPLATE, lock_for_change(session, WordTemplate, record_id))


def newest_version(session: Session, template: WordTemplate) -> WordTemplateVersion | None:
    return session.scalar(
        select(WordTemplateVersion).where(
            WordTemplateVersion.template_id == template.id, WordTemplateVersion.number == template.number
        )
    )


def versions_of(session: Session, template: WordTemplate) -> Sequence[WordTemplateVersion]:
    """All of them, the newest first."""
    of_it = select(WordTemplateVersion).where(WordTemplateVersion.template_id == template.id)
    return session.scalars(of_it.order_by(WordTemplateVersion.number.desc())).all()


def usable(session: Session, actor: Actor) -> Iterator[WordTemplateVersion]:
    """The newest version of every template this person may make documents from."""
    wanted = select(WordTemplate).where(WordTemplate.state == "active", permissions.visible_templates(actor))
    for template in session.scalars(wanted.order_by(WordTemplate.title, WordTemplate.id)):
        version = newest_version(session, template)
        if version is not None:
            yield version


def ship_templates(session: Session) -> None:
    """The templates that come with the house, each once; what people make of them stays."""
    for code, title in SHIPPED_TITLES.items():
        if session.scalar(select(WordTemplate.id).where(WordTemplate.code == code)) is None:
            content = (SHIPPED / f"{code}.docx").read_bytes()
            upload_template(session, SYSTEM, code=code, title=title, file_name=f"{title}.docx", content=content)
