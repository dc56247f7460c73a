"""A customer or contact entered while somebody unknown is on the phone: the call is tied to it."""

from __future__ import annotations

from flask import request
from sqlalchemy.orm import Session

from engine.errors import AppError
from processes.telephony import operations
from webapp.security.access import current_actor
from webapp.skin.keys import read_key


def tie(session: Session, record_type: str, record_id: int) -> None:
    """In the transaction that makes the record. args: call. One that is not the actor's own is not tied."""
    call_id = request.args.get("call", type=read_key)
    if call_id is None:
        return
    session.flush()
    try:
        operations.link_record(session, current_actor(), call_id=call_id, record=(record_type, record_id))
    except AppError:
        return  # the record is worth keeping whatever the address said of a call
