"""Files the package of an ended process: marked in the ending's own transaction, built outside it, kept read-only."""

from __future__ import annotations

import contextlib
import hashlib
import json
import logging
import shutil
import zipfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import Select, func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from connectors.word.faults import NotPrinted
from engine import attachments, clock, history, journal, repository
from engine.actor import SYSTEM
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.i18n import DEFAULT_LOCALE, reading_as
from engine.models import Attachment, Definition, FormData, Instance, WorkItem
from engine.runtime.files import RECORD_TYPE
from processes.document import rules
from processes.document.models import FILED, WAITING, ArchivePackage
from processes.document.operations.on_paper import office
from processes.document.operations.printed import PrintedInstance, printed, process_title
from processes.document.operations.rendering import as_html, as_word
from processes.kernel.working_time import business_date

logger = logging.getLogger(__name__)

FORMAT = 1
PDF, NO_OFFICE = "print.pdf", "no_office"
PACKAGE = "document.archive"
"""record type of a package in the audit"""
FILE = "document.archive_file"
"""record type its zip hangs on: no register bears this name, so the zip goes out by the archive's own roads only"""

UNDER_WAY = timedelta(minutes=15)
"""Who builds a package has it to himself so long; after a crash somebody else may."""
PAUSES = (timedelta(minutes=1), timedelta(minutes=10), timedelta(hours=1))
"""Between attempts that failed; the last one again and again."""
LINES_AT_ONCE = 500
PRINTINGS = 3
"""So often the office may fail before a package is filed without its PDF: the Word file in it says the same."""

RECIPE = (
    "Each line's hash is the SHA-256 of the UTF-8 text of the JSON array [hash of the line before, *facts], written "
    "with sorted keys, without blanks and with every sign as itself; before the first line stands an empty text. "
    "The last hash is `head`."
)


def mark_for_filing(session: Session, *, instance_id: int, definition_key: str, state: str) -> ArchivePackage | None:
    """Note that the ended instance is to be filed; None when its process does not file such an end.

    Twice is once, until it is filed: what ends again after that (reopened, voided) gets a further package.
    """
    newest = session.scalars(_of(instance_id).with_for_update().execution_options(populate_existing=True)).first()
    filed_before = newest is not None and newest.state != WAITING
    voided = state == "void" and newest is not None
    if not voided and state not in rules.keeping_of(CATALOG.processes.get(definition_key)).endings:
        return None
    now = clock.now()
    if newest is not None and not filed_before:
        newest.outcome, newest.ended_at, newest.due_at = state, now, now
        session.flush()
        return newest
    package = ArchivePackage(
        record_type=RECORD_TYPE,
        record_id=instance_id,
        edition=newest.edition + 1 if newest is not None else 1,
        process_key=definition_key,
        outcome=state,
        ended_at=now,
        due_at=now,
    )
    session.add(package)
    session.flush()
    return package


def package_of(session: Session, instance_id: int) -> ArchivePackage | None:
    """The newest package that has been filed of an instance."""
    return session.scalars(_of(instance_id).where(ArchivePackage.state != WAITING)).first()


def _of(instance_id: int) -> Select[ArchivePackage]:
    of_it = ArchivePackage.record_type == RECORD_TYPE, ArchivePackage.record_id == instance_id
    return select(ArchivePackage).where(*of_it).order_by(ArchivePackage.edition.desc()).limit(1)


def to_file(session: Session, size: int) -> list[int]:
    """Ids of the packages that are to be built now, the longest waiting first."""
    due = select(ArchivePackage.id).where(ArchivePackage.state == WAITING, ArchivePackage.due_at <= clock.now())
    return list(session.scalars(due.order_by(ArchivePackage.due_at, ArchivePackage.id).limit(size)))


def file_package(package_id: int) -> bool:
    """Build a package and file it; whether it was. What goes wrong is noted on it and tried again later.

    Three short transactions with the work between them: take it, build, file. Run twice, it is filed once.
    """
    try:
        content = _take(package_id)
        if content is None:
            return False
        zip_file = attachments.scratch()
        try:
            parts = _build(content, zip_file)
            return _file(content, zip_file, parts)
        finally:
            zip_file.unlink(missing_ok=True)
    except Exception as error:
        logger.exception("archive.not_filed", extra={"package_id": package_id})
        _put_off(package_id, f"{type(error).__name__}: {error}")
        return False
    finally:
        Sessions.remove()


# ------------------------------------------------------------------------------------------------- taking it


@dataclass(frozen=True)
class _Content:
    """Everything the package is made of, read in one transaction."""

    package_id: int
    held_until: datetime
    attempts: int
    number: str
    title: str
    process: str
    starter_id: int
    starter_name: str
    ended_at: datetime
    years: int
    printed: PrintedInstance
    form: dict[str, Any]
    history: dict[str, Any]
    drawings: dict[str, str]
    files: tuple[tuple[int, str, str], ...]
    """(id, name, sha256)"""
    signatures: tuple[str, ...]
    about: dict[str, Any]


def _take(package_id: int) -> _Content | None:
    with transaction() as session, reading_as(DEFAULT_LOCALE):
        package = _locked(session, package_id, patient=False)
        now = clock.now()
        if package is None or package.due_at > now:
            return None
        instance = session.get_one(Instance, package.record_id, populate_existing=True)
        if instance.state in rules.UNFINISHED:  # reopened before it was filed
            session.delete(package)
            return None
        package.due_at = now + UNDER_WAY
        package.outcome = instance.state
        package.ended_at = instance.ended_at or package.ended_at
        if package.number is None:
            _give_number(session, package, business_date(package.ended_at).year)
        session.flush()
        return _read(session, package, instance)


def _locked(session: Session, package_id: int, *, patient: bool = True) -> ArchivePackage | None:
    """The package, if it still waits. Who is not patient passes over one that another worker just looks at; who has
    built it must not.
    """
    return session.scalars(
        select(ArchivePackage)
        .where(ArchivePackage.id == package_id, ArchivePackage.state == WAITING)
        .with_for_update(skip_locked=not patient)
        .execution_options(populate_existing=True)
    ).first()


def _give_number(session: Session, package: ArchivePackage, year: int) -> None:
    """The next file number of the year; who loses the race for one takes the one after it."""
    for _attempt in range(20):
        try:
            with session.begin_nested():
                package.number = next_number(session, year)
                session.flush()
        except IntegrityError:
            package.number = None
            continue
        return
    raise RuntimeError("no file number to be had")


def next_number(session: Session, year: int) -> str:
    """AP-2026-000123: one running number a year. The only place that knows how file numbers are made."""
    first = rules.file_number(year, 0)
    newest = session.scalar(
        select(func.max(ArchivePackage.number)).where(ArchivePackage.number.startswith(first[: first.rindex("-") + 1]))
    )
    return rules.file_number(year, rules.running_of(newest) + 1 if newest else 1)


def _read(session: Session, package: ArchivePackage, instance: Instance) -> _Content:
    loaded = repository.get(session, instance.definition_id)
    row = session.get_one(Definition, instance.definition_id)
    keeping = rules.keeping_of(CATALOG.processes.get(instance.definition_key))
    assert package.number is not None
    hung = (
        select(Attachment.id, Attachment.name, Attachment.sha256)
        .where(Attachment.record_type == RECORD_TYPE, Attachment.record_id == instance.id)
        .order_by(Attachment.id)
    )
    signed = select(WorkItem.signature).where(WorkItem.instance_id == instance.id, WorkItem.signature != "")
    process = process_title(loaded)
    return _Content(
        package_id=package.id,
        held_until=package.due_at,
        attempts=package.attempts,
        number=package.number,
        title=instance.title,
        process=process,
        starter_id=instance.starter_id,
        starter_name=instance.starter_name,
        ended_at=package.ended_at,
        years=keeping.years,
        printed=printed(session, SYSTEM, instance.id),
        form=_form(session, instance.id),
        history=_history(session, instance),
        drawings={file.name: file.content for file in row.files},
        files=tuple((file.id, file.name, file.sha256) for file in session.execute(hung)),
        signatures=tuple(sorted(set(session.scalars(signed)))),
        about={
            "record": {"type": RECORD_TYPE, "id": instance.id, "business_key": instance.business_key},
            "process": {"key": loaded.key, "version": loaded.version, "title": process, "sha256": row.sha256},
            "title": instance.title,
            "starter": {"id": instance.starter_id, "name": instance.starter_name},
            "edition": package.edition,
            "state": instance.state,
            "started_at": instance.started_at.isoformat(),
            "ended_at": package.ended_at.isoformat(),
        },
    )


def _form(session: Session, instance_id: int) -> dict[str, Any]:
    """The form's present values and every submission before."""
    rows = session.scalars(
        select(FormData).where(FormData.instance_id == instance_id).order_by(FormData.revision)
    ).all()
    return {
        "values": rows[-1].values if rows else {},
        "revisions": [
            {
                "revision": row.revision,
                "node": row.node,
                "saved_by": row.saved_by,
                "saved_at": row.saved_at.isoformat(),
                "values": row.values,
            }
            for row in rows
        ],
    }


def _history(session: Session, instance: Instance) -> dict[str, Any]:
    """Every line with what its hash is taken over, so that the chain can be checked without us."""
    lines: list[dict[str, Any]] = []
    while True:
        found = history.log_lines(session, instance.id, after=len(lines), limit=LINES_AT_ONCE)
        lines += [{"facts": journal.instance_facts(line), "hash": line.hash} for line in found]
        if len(found) < LINES_AT_ONCE:
            break
    names = "instance_id seq at actor_id actor_name on_behalf_of action node token item_id detail"
    return {
        "recipe": RECIPE,
        "facts": names.split(),
        "lines": lines,
        "count": instance.log_seq,
        "head": instance.log_hash,
    }


# ------------------------------------------------------------------------------------------------- building it


def _build(content: _Content, zip_file: Path) -> int:
    """Write the zip; returns how many files are in it. Raises when a file it needs is lost or spoilt."""
    parts: list[dict[str, Any]] = []
    with zipfile.ZipFile(zip_file, "x", zipfile.ZIP_DEFLATED) as archive:
        for name, text in _written(content):
            _add(archive, parts, name, text)
        no_pdf = _put_on_paper(content, archive, parts)
        for key, called, sha256 in content.files:
            _copy(archive, parts, f"attachments/{key}-{rules.part_name(called)}", sha256, called=called)
        for sha256 in content.signatures:
            _copy(archive, parts, f"signatures/{sha256}.png", sha256)
        manifest = {
            "format": FORMAT,
            "number": content.number,
            **content.about,
            "chain": {"lines": content.history["count"], "head": content.history["head"]},
            "retention": {
                "years": content.years,
                "keep_until": rules.keep_until(business_date(content.ended_at), content.years).isoformat(),
            },
            "parts": parts,
            **({"missing": {PDF: no_pdf}} if no_pdf else {}),
        }
        archive.writestr("manifest.json", _json(manifest))
    return len(parts) + 1


def _written(content: _Content) -> Iterator[tuple[str, bytes]]:
    yield "print.html", as_html(content.printed).encode()
    yield "print.docx", as_word(content.printed)
    yield "form.json", _json(content.form)
    yield "history.json", _json(content.history)
    for name, text in sorted(content.drawings.items()):
        yield f"process/{rules.part_name(name)}", text.encode()


def _put_on_paper(content: _Content, archive: zipfile.ZipFile, parts: list[dict[str, Any]]) -> str:
    """Add the PDF; why there is none, or "" when there is."""
    printer = office()
    if printer is None:
        return NO_OFFICE
    try:
        pdf = printer(as_word(content.printed))
    except NotPrinted as fault:
        if fault.code != NO_OFFICE and content.attempts + 1 < PRINTINGS:
            raise
        return fault.code
    _add(archive, parts, PDF, pdf)
    return ""


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, indent=1).encode()


def _add(archive: zipfile.ZipFile, parts: list[dict[str, Any]], name: str, content: bytes) -> None:
    archive.writestr(name, content)
    parts.append({"name": name, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()})


def _copy(archive: zipfile.ZipFile, parts: list[dict[str, Any]], name: str, sha256: str, **more: str) -> None:
    """A kept file, checked on its way: a package must not seal what has been spoilt before."""
    source = attachments.path_of(sha256)
    found, size = attachments.hash_of(source)
    if found != sha256:
        raise ValueError(f"the kept file {sha256[:12]} is not what it was")
    with source.open("rb") as given, archive.open(name, "w", force_zip64=True) as taken:
        shutil.copyfileobj(given, taken)
    parts.append({"name": name, "size": size, "sha256": sha256, **more})


# ------------------------------------------------------------------------------------------------- filing it


def _file(content: _Content, zip_file: Path, parts: int) -> bool:
    with transaction() as session:
        package = _locked(session, content.package_id)
        if package is None or package.due_at != content.held_until:  # somebody else is at it, or it has ended anew
            return False
        kept = attachments.adopt(
            session,
            SYSTEM,
            package.file_name,
            zip_file,
            media_type="application/zip",
            record_type=FILE,
            record_id=package.id,
        )
        package.title = content.title[:300]
        package.process = content.process[:200]
        package.starter_id = content.starter_id
        package.starter_name = content.starter_name
        package.retention_years = content.years
        package.keep_until = rules.keep_until(business_date(content.ended_at), content.years)
        package.filed_at = package.checked_at = clock.now()
        package.attachment_id, package.sha256, package.size, package.parts = kept.id, kept.sha256, kept.size, parts
        package.error = ""
        package.state = FILED
        session.flush()
        after = {"number": package.number, "sha256": package.sha256, "keep_until": str(package.keep_until)}
        journal.audit(session, SYSTEM, PACKAGE, package.id, "filed", None, after)
    return True


def _put_off(package_id: int, why: str) -> None:
    Sessions().rollback()
    with contextlib.suppress(Exception), transaction() as session:
        package = _locked(session, package_id)
        if package is not None:
            package.attempts = min(package.attempts + 1, 30_000)
            package.error = why[:300]
            package.due_at = clock.now() + _pause(package.attempts, PAUSES)


def _pause(attempts: int, pauses: Sequence[timedelta]) -> timedelta:
    return pauses[min(attempts, len(pauses)) - 1]
