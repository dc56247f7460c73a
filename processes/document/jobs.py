"""Files what has ended, and looks by night whether what was filed is still whole."""

from __future__ import annotations

from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.queue import periodic
from processes.document import operations

BATCH = 20

CATALOG.health["archive"] = operations.standing


@periodic("document.file_packages", seconds=30)
def file_packages() -> int:
    """Build the packages of processes that have ended; returns how many were filed."""
    filed = 0
    while True:
        with transaction() as session:
            due = operations.to_file(session, BATCH)
        filed_now = sum(operations.file_package(package_id) for package_id in due)
        filed += filed_now
        if len(due) < BATCH or not filed_now:
            Sessions.remove()
            return filed


@periodic("document.check_packages", seconds=3600)
def check_packages() -> int:
    """The nightly look at the archive's packages."""
    return operations.check_some()
