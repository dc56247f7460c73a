"""Keeps files, gives them out, and sweeps away what nobody named in time."""

from __future__ import annotations

import hashlib
import os
import secrets
from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.attachments.kinds import media_type_of, refused
from engine.errors import InvalidForm, NotFound, Problem
from engine.i18n import _
from engine.models import Attachment

LARGEST = 25 * 1024 * 1024
STRAY_LIFE = timedelta(days=1)
"""How long a file waits for the form it was uploaded for."""

_CHUNK = 256 * 1024

_folder: Path | None = None


def install(folder: Path) -> None:
    """Say where the bytes lie; called once at start."""
    global _folder
    _folder = folder


def path_of(sha256: str) -> Path:
    if _folder is None:
        raise RuntimeError("no folder for attachments: engine.attachments.install was not called")
    return _folder / sha256[:2] / sha256


def store(session: Session, actor: Actor, name: str, content: bytes) -> Attachment:
    """Keep a file; it belongs to nothing until a form or an operation names it.

    The same bytes lie in the folder once. They are on the disk before the row is committed; a rollback leaves bytes
    that nobody names, which `sweep_bytes` removes.
    """
    name = name.strip()
    if not name:
        raise refused(_("The file has no name."))
    if not content:
        raise refused(_("“{name}” is empty.", name=name))
    if len(content) > LARGEST:
        raise refused(_("“{name}” is larger than {limit} MB.", name=name, limit=LARGEST // 1024 // 1024))
    media_type = media_type_of(name, content)
    digest = hashlib.sha256(content).hexdigest()
    _write(path_of(digest), content)
    row = Attachment(
        record_type=None,
        record_id=None,
        name=name,
        media_type=media_type,
        size=len(content),
        sha256=digest,
        uploaded_by=actor.person_id,
        uploaded_at=clock.now(),
    )
    session.add(row)
    session.flush()
    return row


def _write(path: Path, content: bytes) -> None:
    if path.exists():
        path.touch()  # younger than any sweep that is looking for strays right now
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(4)}.part")
    with fresh.open("xb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)


def scratch() -> Path:
    """Where a file may be made that is to be adopted; swept like any stray when its maker dies."""
    path = path_of(f"00{secrets.token_hex(16)}.part")
    path.parent.mkdir(parents=True, exist_ok=True)
    return path


def adopt(
    session: Session, actor: Actor, name: str, file: Path, *, media_type: str, record_type: str, record_id: int
) -> Attachment:
    """Keep a file we have made ourselves, whatever its size: moved to its place under its hash, and read-only there."""
    digest, size = hash_of(file)
    path = path_of(digest)
    path.parent.mkdir(parents=True, exist_ok=True)
    with file.open("rb") as written:
        os.fsync(written.fileno())
    file.chmod(0o440)
    file.replace(path)
    row = Attachment(
        record_type=record_type,
        record_id=record_id,
        name=name,
        media_type=media_type,
        size=size,
        sha256=digest,
        uploaded_by=actor.person_id,
        uploaded_at=clock.now(),
    )
    session.add(row)
    session.flush()
    return row


def hash_of(file: Path) -> tuple[str, int]:
    """(SHA-256, size) of a file as it lies on the disk now."""
    digest, size = hashlib.sha256(), 0
    with file.open("rb") as content:
        while part := content.read(_CHUNK):
            digest.update(part)
            size += len(part)
    return digest.hexdigest(), size


def chunks(attachment: Attachment) -> Iterator[bytes]:
    """The bytes; NotFound when the folder has lost them."""
    path = path_of(attachment.sha256)
    try:
        file = path.open("rb")
    except FileNotFoundError:
        raise NotFound from None
    return _read(file)


def _read(file: BinaryIO) -> Iterator[bytes]:
    with file:
        while part := file.read(_CHUNK):
            yield part


# ------------------------------------------------------------------------------------------------- hanging on records


def hang(session: Session, actor: Actor, ids: Iterable[int], record_type: str, record_id: int) -> None:
    """Bind files the actor has just sent up to a record; whoever may read it may read them from then on.

    Only his own files that hang nowhere: naming somebody else's number must not open that file to anybody.
    """
    wanted = set(ids)
    if not wanted:
        return
    bound = session.scalars(
        update(Attachment)
        .where(*_loose(actor, wanted))
        .values(record_type=record_type, record_id=record_id)
        .returning(Attachment.id)
    ).all()
    if set(bound) != wanted:
        raise InvalidForm([Problem("attachments", _("One of the files is not there any more."), _("Attach it again."))])


def loose(session: Session, actor: Actor, ids: Collection[int]) -> list[Attachment]:
    """Those of these files that the actor has sent up and that hang nowhere yet: a refused form shows them again."""
    return list(session.scalars(select(Attachment).where(*_loose(actor, ids)).order_by(Attachment.id))) if ids else []


def _loose(actor: Actor, ids: Collection[int]) -> tuple[ColumnElement[bool], ...]:
    return Attachment.id.in_(ids), Attachment.uploaded_by == actor.person_id, Attachment.record_id.is_(None)


def of_records(session: Session, record_type: str, ids: Iterable[int]) -> dict[int, list[Attachment]]:
    """The files of several records of one type, oldest first."""
    found: dict[int, list[Attachment]] = {}
    hung = (Attachment.record_type == record_type, Attachment.record_id.in_(set(ids)))
    for row in session.scalars(select(Attachment).where(*hung).order_by(Attachment.id)):
        found.setdefault(row.record_id or 0, []).append(row)
    return found


# ------------------------------------------------------------------------------------------------- sweeping


def sweep(session: Session) -> int:
    """Forget files whose form was never sent; their bytes go with `sweep_bytes`."""
    gone = session.execute(
        delete(Attachment)
        .where(Attachment.record_id.is_(None), Attachment.uploaded_at < clock.now() - STRAY_LIFE)
        .execution_options(synchronize_session=False)
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]


def sweep_bytes(session: Session) -> int:
    """Remove bytes that no row names and that have lain for a day: left by rollbacks, sweeps and crashes."""
    if _folder is None or not _folder.is_dir():
        return 0
    oldest = (clock.now() - STRAY_LIFE).timestamp()
    old = [path for path in _folder.glob("??/*") if path.stat().st_mtime < oldest]
    named = set(session.scalars(select(Attachment.sha256).distinct())) if old else set()
    removed = 0
    for path in old:
        if path.name not in named and path.stat().st_mtime < oldest:  # nobody has sent the same bytes up meanwhile
            path.unlink(missing_ok=True)
            removed += 1
    return removed


def discard(session: Session, hashes: Iterable[str]) -> None:
    """Remove these bytes at once, unless a row names them; for whoever has just deleted and committed their rows."""
    named = set(session.scalars(select(Attachment.sha256).distinct()))
    for digest in set(hashes) - named:
        path_of(digest).unlink(missing_ok=True)
