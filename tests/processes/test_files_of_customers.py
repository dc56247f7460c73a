"""Files that hang on a customer: sent twice at once they are added once."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import attachments
from engine.db import Sessions, transaction
from engine.models import Attachment, RecordAudit
from processes.party import operations
from processes.party.permissions import CUSTOMER
from tests.processes.followers import customer_of, seller


@pytest.mark.databases("postgresql")
def test_sent_twice_at_once_they_are_added_once(session: Session, tmp_path: Path) -> None:
    attachments.install(tmp_path)
    actor = seller(session, "S1")
    customer = customer_of(session, actor, "甲公司").id
    files = [attachments.store(session, actor, name, b"x").id for name in ("a.txt", "b.txt")]
    session.commit()
    barrier, added = threading.Barrier(4), list[list[int]]()

    def send() -> None:
        barrier.wait()
        try:
            with transaction() as own:
                added.append([one.id for one in operations.add_files(own, actor, customer_id=customer, ids=files)])
        finally:
            Sessions.remove()

    threads = [threading.Thread(target=send) for _each in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert added == [files] * 4, "nobody is refused"
    noted = select(func.count(RecordAudit.id)).where(
        RecordAudit.record_type == CUSTOMER, RecordAudit.action == "file_added"
    )
    assert session.scalar(noted) == 2
    hung = select(func.count(Attachment.id)).where(Attachment.record_id == customer)
    assert session.scalar(hung) == 2
