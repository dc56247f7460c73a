"""Numbers for the parts of long messages: a phone puts together what shares sender and reference."""

from __future__ import annotations

from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from processes.messaging.models import SmsReference

ROUND = 65_535


def next_reference(session: Session, road: str, number: str) -> int:
    """1 to 65535 and round again; its low eight bits too repeat only after 255 long messages to this number."""
    insert = (postgresql.insert if session.get_bind().dialect.name == "postgresql" else sqlite.insert)(SmsReference)
    return session.scalars(
        insert.values(road=road, number=number, last=1)
        .on_conflict_do_update(index_elements=["road", "number"], set_={"last": SmsReference.last % ROUND + 1})
        .returning(SmsReference.last)
    ).one()
