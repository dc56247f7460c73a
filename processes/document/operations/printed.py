"""What is printed of an instance, gathered once; HTML and Word draw the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import attachments, clock, history, repository, states, work_items
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import NotFound
from engine.i18n import Sentence, _, current_locale, retold
from engine.models import PENDING, Instance, InstanceLog, WorkItem
from engine.repository import Loaded
from engine.runtime.files import RECORD_TYPE
from engine.runtime.host import latest_form
from processes.document import rules
from processes.document.models import ArchivePackage
from processes.document.operations import form
from processes.document.operations.form import Section
from processes.organization.models import Department, Employee

_address = "http://localhost:8000"


def install_address(base_url: str) -> None:
    """Where people open this house in a browser: QR codes lead there. Called once at start."""
    global _address
    _address = base_url


@dataclass(frozen=True)
class Opinion:
    """A line of the table of opinions."""

    step: str
    who: str
    """"B 代 A" when B acted for A"""
    result: str
    said: str
    at: str
    waiting: bool = False
    signature: bytes | None = None
    """the picture (PNG)"""
    signature_sha256: str = ""


@dataclass(frozen=True)
class PrintedFile:
    id: int
    name: str
    size: str
    sha256: str


@dataclass(frozen=True)
class PrintedInstance:
    """One instance on paper, in the words of one reader."""

    locale: str
    company: str
    process: str
    process_version: int
    title: str
    number: int
    file_number: str
    state: str
    finished: bool
    starter: str
    department: str
    started_at: str
    ended_at: str
    sections: tuple[Section, ...]
    opinions: tuple[Opinion, ...]
    files: tuple[PrintedFile, ...]
    chain_lines: int
    chain_head: str
    address: str
    """of the live record"""
    printed_by: str
    printed_on: str
    printed_at: datetime

    def file_name(self, ending: str) -> str:
        """What it is saved as."""
        return f"{self.process} {self.number}.{ending}"


SILENT = (*PENDING, "cancelled")
"""States of items that say nothing (yet)."""
STEERING = ("withdraw", "terminate", "void", "reopen", "jump")
"""What is done to a whole instance, and belongs beside the opinions."""

WORDS: Mapping[str, Sentence] = {
    "number": _("No."),
    "file_number": _("File number"),
    "state": _("State"),
    "starter": _("Applicant"),
    "department": _("Department"),
    "started_at": _("Submitted at"),
    "ended_at": _("Ended at"),
    "version": _("Process version"),
    "form": _("Form"),
    "sum": _("Sum"),
    "in_capitals": _("In capitals"),
    "opinions": _("Opinions"),
    "step": _("Step"),
    "begun": _("Application"),
    "who": _("Handled by"),
    "result": _("Result"),
    "said": _("Opinion"),
    "at": _("Date and time"),
    "signature": _("Signature"),
    "files": _("Attachments"),
    "history": _("History"),
    "not_finished": _("Not finished: this print shows how things stand, not a result."),
    "scan": _("Scan for the live record"),
    "none": _("None"),
}


def printed(session: Session, actor: Actor, instance_id: int) -> PrintedInstance:
    """The instance as this reader may see it, in his language; NotFound for everybody else."""
    instance = session.get(Instance, instance_id)
    if instance is None or not work_items.may_read_instance(session, actor, instance_id):
        raise NotFound
    loaded = repository.get(session, instance.definition_id)
    values = latest_form(session, instance_id)[1]
    hidden = work_items.hidden_fields(session, actor, instance)
    locale = current_locale().replace("-", "_")
    now = clock.now()
    numbered = (
        select(ArchivePackage.number)
        .where(
            ArchivePackage.record_type == RECORD_TYPE,
            ArchivePackage.record_id == instance_id,
            ArchivePackage.number.is_not(None),
        )
        .order_by(ArchivePackage.edition.desc())
    )
    company, department = _where(session, instance.starter_id)
    return PrintedInstance(
        locale=locale,
        company=company,
        process=process_title(loaded),
        process_version=loaded.version,
        title=_said(instance),
        number=instance.id,
        file_number=session.scalar(numbered.limit(1)) or "",
        state=str(states.INSTANCE[instance.state]),
        finished=instance.state not in rules.UNFINISHED,
        starter=instance.starter_name,
        department=department,
        started_at=rules.instant(instance.started_at, locale),
        ended_at=rules.instant(instance.ended_at, locale) if instance.ended_at else "",
        sections=tuple(_sections(session, actor, instance, loaded, values, hidden)),
        opinions=tuple(_opinions(session, instance, locale)),
        files=tuple(_files(session, actor, instance)),
        chain_lines=instance.log_seq,
        chain_head=instance.log_hash,
        address=f"{_address}/instances/{instance.id}",
        printed_by=actor.name,
        printed_on=rules.instant(now, locale),
        printed_at=now,
    )


def process_title(loaded: Loaded) -> str:
    """As its package says, else as its diagram does."""
    known = CATALOG.processes.get(loaded.key)
    return str(known.title) if known else loaded.name or loaded.key


def _said(instance: Instance) -> str:
    """The engine titles an instance "process · what it is about"."""
    process, dot, said = instance.title.partition(" · ")
    return said if dot else process


def _where(session: Session, person_id: int) -> tuple[str, str]:
    """(the company, the department) of whoever began it: the company is the department above all others."""
    department = session.scalars(
        select(Department).join(Employee, Employee.department_id == Department.id).where(Employee.id == person_id)
    ).first()
    if department is None:
        above_all = select(Department.name).where(Department.parent_id.is_(None), Department.state == "active")
        return session.scalar(above_all.order_by(Department.id).limit(1)) or "", ""
    root = int(department.path.split("/")[1])
    company = session.scalar(select(Department.name).where(Department.id == root)) or department.name
    return company, department.name


# ------------------------------------------------------------------------------------------------- form and files


def _sections(
    session: Session, actor: Actor, instance: Instance, loaded: Loaded, values: Mapping[str, Any], hidden: set[str]
) -> list[Section]:
    """The start form; then what further forms of the process have asked besides."""
    own = loaded.start_form()
    found: list[Section] = []
    said: set[str] = set(hidden)
    if own is not None:
        found += form.sections(session, actor, own, values, hidden=hidden, instance_id=instance.id)
        said |= set(own.by_id)
    for schema in loaded.forms.values():
        if schema is own or not any(values.get(one.id) not in (None, "", []) for one in schema.fields):
            continue
        drawn = form.sections(session, actor, schema, values, hidden=said, instance_id=instance.id)
        found += [Section(one.title or schema.title, one.blocks) for one in drawn]
        said |= set(schema.by_id)
    return found


def _files(session: Session, actor: Actor, instance: Instance) -> list[PrintedFile]:
    return [
        PrintedFile(file.id, file.name, rules.file_size(file.size), file.sha256)
        for file in work_items.readable_files(session, actor, instance)
    ]


# ------------------------------------------------------------------------------------------------- opinions


def _opinions(session: Session, instance: Instance, locale: str) -> list[Opinion]:
    """Who began it, who decided and steered in which order, and with whom it lies."""
    items = history.items_of(session, instance.id)
    names = _names(session, items)
    word = rules.result_word
    told: list[tuple[datetime, Opinion]] = []
    if instance.state != "draft":
        began = rules.instant(instance.started_at, locale)
        begun = Opinion(str(WORDS["begun"]), instance.starter_name, str(word("start")), "", began)
        told.append((instance.started_at, begun))
    told += [(one.done_at, _closed(one, names, locale)) for one in items if one.done_at and one.state not in SILENT]
    steered = select(InstanceLog).where(InstanceLog.instance_id == instance.id, InstanceLog.action.in_(STEERING))
    for line in session.scalars(steered.order_by(InstanceLog.seq)):
        who = _who(line.actor_name, line.on_behalf_of, names)
        said = retold((line.detail or {}).get("reason") or "")
        told.append((line.at, Opinion("", who, str(word(line.action)), said, rules.instant(line.at, locale))))
    told.sort(key=lambda one: one[0])
    waiting = [
        Opinion(one.title, names.get(one.assignee_id or 0, ""), str(word("open")), "", "", waiting=True)
        for one in items
        if one.state in ("open", "delegated") and instance.state in rules.UNFINISHED
    ]
    return [opinion for _at, opinion in told] + waiting


def _names(session: Session, items: Sequence[WorkItem]) -> dict[int, str]:
    ids = {one for item in items for one in (item.on_behalf_of, item.assignee_id) if one}
    return CATALOG.directory.names(session, sorted(ids)) if CATALOG.directory is not None and ids else {}


def _who(name: str, on_behalf_of: int | None, names: Mapping[int, str]) -> str:
    if on_behalf_of is None:
        return name
    return str(_("{who} for {owner}", who=name, owner=names.get(on_behalf_of, f"#{on_behalf_of}")))


def _closed(item: WorkItem, names: Mapping[int, str], locale: str) -> Opinion:
    outcome = item.state if item.state in ("auto", "expired") else item.outcome
    if item.kind == "consult":
        outcome = "consult"
    assert item.done_at is not None
    at = rules.instant(item.done_at, locale)
    if item.business_at is not None:
        at = str(_("{day} on paper, entered {at}", day=rules.instant(item.business_at, locale), at=at))
    return Opinion(
        item.title,
        _who(item.done_by_name or rules.DASH, item.on_behalf_of, names),
        str(rules.result_word(outcome)),
        item.opinion,
        at,
        signature=_picture(item.signature),
        signature_sha256=item.signature,
    )


def _picture(sha256: str) -> bytes | None:
    """The signature's bytes; None when there is none or the folder has lost it, which the print then says."""
    if not rules.is_sha256(sha256):
        return None
    try:
        content = attachments.path_of(sha256).read_bytes()
    except FileNotFoundError:
        return None
    return content if content.startswith(b"\x89PNG") else None
