"""Files named by a submitted form belong to its instance from then on."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from sqlalchemy import update
from sqlalchemy.orm import Session

from engine.forms import Field, FormSchema
from engine.models import Attachment

RECORD_TYPE = "process.instance"


def hang(
    session: Session, schema: FormSchema, values: Mapping[str, Any], instance_id: int, *, by: int | None = None
) -> None:
    """Bind the files these values name to the instance; whoever may read it may read them, and no sweep takes them.

    by: the values are unchecked (a draft's), so only files this person has sent up count.
    """
    ids = set(named_files(schema.fields, values))
    if ids:
        theirs = [Attachment.uploaded_by == by] if by is not None else []
        session.execute(
            update(Attachment)
            .where(Attachment.id.in_(ids), Attachment.record_id.is_(None), *theirs)
            .values(record_type=RECORD_TYPE, record_id=instance_id)
            .execution_options(synchronize_session=False)
        )


def named_files(fields: Iterable[Field], values: Mapping[str, Any]) -> Iterator[int]:
    """Ids of the attachments these fields name; the values may be a draft's."""
    for field in fields:
        value = values.get(field.id)
        if field.type == "attachment":
            yield from (one for one in _list(value) if isinstance(one, int) and not isinstance(one, bool))
        elif field.type == "table":
            for row in _list(value):
                if isinstance(row, Mapping):
                    yield from named_files(field.columns, row)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
