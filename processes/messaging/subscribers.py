"""The ledger follows the messages, a campaign its approval; of a mail refused at once its writer hears."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy.orm import Session

from engine.actor import SYSTEM
from engine.events import subscribe
from engine.outbox import MOVED
from engine.work_items import VOIDED_EVENT
from processes.kernel.records import UNDECIDED
from processes.messaging.operations import campaigns
from processes.messaging.operations.answered import MAIL
from processes.messaging.operations.charging import follow
from processes.messaging.operations.consenting import keep_agreed
from processes.messaging.operations.reports import tell_of_refused


@subscribe(MOVED)
def follow_messages(
    session: Session, *, message_ids: Sequence[int], channel: str, state: str, asked: bool, **_facts: Any
) -> None:
    if channel == MAIL and state in ("sent", "failed"):
        tell_of_refused(session, message_ids, state)
    if channel != "sms":
        return
    if state == "queued":
        keep_agreed(session, message_ids, asked=asked)
    follow(session, message_ids, asked=asked)


@subscribe("process.instance_ended")
def follow_the_approval(session: Session, *, instance_id: int, state: str, **_facts: Any) -> None:
    """Rejected it stays as it was; withdrawn it can be mended and sent again."""
    if state in UNDECIDED:
        after = "rejected" if state == "rejected" else "draft"
        campaigns.take_back(session, SYSTEM, instance_id=instance_id, state=after)


@subscribe(VOIDED_EVENT)
def take_back_voided(session: Session, *, instance_id: int, **_facts: Any) -> None:
    campaigns.take_back(session, SYSTEM, instance_id=instance_id, state="cancelled")
