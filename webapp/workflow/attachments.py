"""Files uploaded for a form are hung on the instance when the form is sent."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.forms import FormSchema
from engine.models import Attachment

RECORD = "process.instance"


def hang(
    session: Session, actor: Actor, schema: FormSchema | None, values: Mapping[str, Any], instance_id: int
) -> None:
    """Give the files this submission names to the instance; only the sender's own that hang nowhere yet."""
    ids = set(_named(schema, values)) if schema else set()
    if ids:
        session.execute(
            update(Attachment)
            .where(Attachment.id.in_(ids), Attachment.uploaded_by == actor.person_id, Attachment.record_id.is_(None))
            .values(record_type=RECORD, record_id=instance_id)
            .execution_options(synchronize_session=False)
        )


def _named(schema: FormSchema, values: Mapping[str, Any]) -> Iterator[int]:
    for field in schema.fields:
        if field.type == "attachment":
            yield from (int(one) for one in values.get(field.id) or ())
        elif field.type == "table":
            columns = [column.id for column in field.columns if column.type == "attachment"]
            for row in values.get(field.id) or ():
                yield from (int(one) for name in columns for one in row.get(name) or ())


def of(session: Session, instance_id: int) -> list[Attachment]:
    """Every file of an instance, oldest first."""
    hung = select(Attachment).where(Attachment.record_type == RECORD, Attachment.record_id == instance_id)
    return list(session.scalars(hung.order_by(Attachment.id)))
