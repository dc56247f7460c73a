"""Does the archive still hold what it was given: packages are hashed again, the longest unchecked first."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from datetime import timedelta

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import attachments, clock
from engine.db import Sessions, transaction
from processes.document.models import BROKEN, FILED, WAITING, ArchivePackage
from processes.kernel.working_time import ZONE

logger = logging.getLogger(__name__)

NIGHT = range(1, 6)
"""Hours of the company's clock in which packages are checked: reading them costs the disk of those who work."""
REST = timedelta(hours=20)
"""How long a package that was checked is left alone."""
AT_ONCE = 500
MISSING = "the file is missing"
CHANGED = "the file is not what was filed"
TRIED_OFTEN = 3


def fault_of(package: ArchivePackage) -> str:
    """How the package's file differs from what was filed; "" when it does not."""
    try:
        sha256, size = attachments.hash_of(attachments.path_of(package.sha256))
    except OSError:
        return MISSING
    return "" if (sha256, size) == (package.sha256, package.size) else CHANGED


def check_some(size: int = AT_ONCE) -> int:
    """By night: check the packages that were not for longest; returns how many. Each in a transaction of its own."""
    if clock.now().astimezone(ZONE).hour not in NIGHT:
        return 0
    with transaction() as session:
        due = list(
            session.scalars(
                select(ArchivePackage.id)
                .where(ArchivePackage.state.in_((FILED, BROKEN)), ArchivePackage.checked_at <= clock.now() - REST)
                .order_by(ArchivePackage.checked_at)
                .limit(size)
            )
        )
    for package_id in due:
        _check(package_id)
    Sessions.remove()
    return len(due)


def _check(package_id: int) -> None:
    with transaction() as session:
        package = session.get_one(ArchivePackage, package_id)
        session.expunge(package)
    fault = fault_of(package)  # outside a transaction: a large file takes its time
    if fault:
        logger.error("archive.broken", extra={"number": package.number, "why": fault})
    with transaction() as session:
        package = session.get_one(ArchivePackage, package_id, with_for_update=True, populate_existing=True)
        package.state, package.error = (BROKEN, fault) if fault else (FILED, "")
        package.checked_at = clock.now()


def broken_packages(session: Session) -> Iterator[tuple[str, str]]:
    """(file number, what is wrong) of every package, each hashed now."""
    filed = select(ArchivePackage).where(ArchivePackage.state != WAITING).order_by(ArchivePackage.id)
    for package in session.scalars(filed).yield_per(200):
        if fault := fault_of(package):
            yield package.number or str(package.id), fault


def standing() -> tuple[str, str]:
    """The archive's health: broken packages, and those that could not be filed several times."""
    session = Sessions()
    broken = session.scalar(select(func.count()).where(ArchivePackage.state == BROKEN)) or 0
    stuck = session.scalar(
        select(func.count()).where(ArchivePackage.state == WAITING, ArchivePackage.attempts >= TRIED_OFTEN)
    )
    if broken:
        return "down", f"{broken} packages in the archive are damaged"
    if stuck:
        return "degraded", f"{stuck} packages cannot be filed"
    return "up", ""
