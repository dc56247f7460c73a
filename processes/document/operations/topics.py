"""What diagrams may do with Word: make a document and wait until it is on paper."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.i18n import _
from engine.models import OutboxMessage
from engine.runtime.files import RECORD_TYPE as INSTANCE
from engine.service_tasks import StepFacts, connector_task
from processes.document.operations.documents import make, message_key


@connector_task("document.make_document", _("Make a Word document and its PDF"))
def make_document(
    session: Session,
    actor: Actor,
    facts: StepFacts,
    *,
    template: str,
    data: Mapping[str, Any],
    name: str | None = None,
) -> int:
    """Fill the template of this code; the process goes on when the PDF is there, or when it is known why it is not.

    Result: {"document": id, "docx": file id, "pdf": file id or None, "pages": number, "reason": why there is no PDF}.
    A value that is missing or wrong is an incident, or refuses the step of whoever waits for it.
    """
    document = make(
        session,
        actor,
        template=template,
        data=data,
        key=f"step:{facts.idempotency_key}",
        record=(INSTANCE, facts.instance_id),
        name=name or "",
        instance_id=facts.instance_id,
    )
    key = message_key(document.id)
    return session.scalars(select(OutboxMessage.id).where(OutboxMessage.key == key)).one()
