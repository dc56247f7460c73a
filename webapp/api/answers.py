"""Shapes that several answers share."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any, Literal

from sqlalchemy.orm import Session

from engine import work_items
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import Problem
from engine.forms import Field, FormSchema, Right as FieldRight, ScopedLookups
from engine.models import Attachment, Instance
from engine.work_items import Right
from webapp.api.endpoint import PREFIX, Answer
from webapp.skin import words


class Person(Answer):
    id: int
    """0 is the system"""
    name: str


class Names:
    """Names of many people in one query."""

    def __init__(self, session: Session, ids: Iterable[int | None]) -> None:
        wanted = sorted({i for i in ids if i})
        found = CATALOG.directory.names(session, wanted) if CATALOG.directory and wanted else {}
        self._names = found

    def __call__(self, person_id: int) -> Person:
        return Person(id=person_id, name=self._names.get(person_id, "" if person_id else "system"))

    def maybe(self, person_id: int | None) -> Person | None:
        return self(person_id) if person_id is not None else None


DueState = Literal["green", "amber", "red"] | None
"""Green, amber from half of the working time allowed (or with less than a working day left), red once it is due."""


def due_facts(due_at: datetime | None, since: datetime) -> dict[str, Any]:
    """`due_state` and `due_text` of an answer: the colour and the words people see."""
    state, text = words.due_state(due_at, since)
    return {"due_state": state, "due_text": text}


class Action(Answer):
    """Something that could be done, and why not when it is refused."""

    action: str
    allowed: bool
    reason: str = ""


def actions_of(rights: Iterable[Right]) -> list[Action]:
    return [Action(action=r.action, allowed=r.granted, reason=str(r.refusal) if r.refusal else "") for r in rights]


class Finding(Answer):
    """Something wrong in a definition."""

    where: str
    """the element's id, or a path in a form"""
    rule: str
    message: str
    remedy: str
    severity: str
    """error | warning"""
    file: str = ""


def findings(problems: Iterable[Problem]) -> list[Finding]:
    return [Finding(**problem.as_dict()) for problem in problems]


class File(Answer):
    id: int
    name: str
    media_type: str
    size: int
    sha256: str
    uploaded_at: datetime
    url: str


def files_of(session: Session, actor: Actor, instance: Instance) -> list[File]:
    """The files of an instance this reader may have, oldest first."""
    return [file_of(row) for row in work_items.readable_files(session, actor, instance)]


def file_of(row: Attachment) -> File:
    return File(
        id=row.id,
        name=row.name,
        media_type=row.media_type,
        size=row.size,
        sha256=row.sha256,
        uploaded_at=row.uploaded_at,
        url=f"{PREFIX}/attachments/{row.id}",
    )


class InstanceLine(Answer):
    """An instance as lists show it."""

    id: int
    definition: str
    """the definition's key"""
    title: str
    business_key: str | None
    state: str
    """draft | running | suspended | completed | rejected | withdrawn | terminated | void | failed"""
    starter: Person
    summary: dict[str, Any]
    waits_for: str
    """titles of its open user tasks"""
    started_at: datetime
    changed_at: datetime
    ended_at: datetime | None


def instance_line(row: Instance, waits_for: str = "") -> InstanceLine:
    return InstanceLine(
        id=row.id,
        definition=row.definition_key,
        title=row.title,
        business_key=row.business_key,
        state=row.state,
        starter=Person(id=row.starter_id, name=row.starter_name),
        summary=row.summary,
        waits_for=waits_for,
        started_at=row.started_at,
        changed_at=row.changed_at,
        ended_at=row.ended_at,
    )


# ------------------------------------------------------------------------------------------------- forms


class Option(Answer):
    value: str
    label: str


class FormField(Answer):
    """One field of a form, and what may be done with it at this step."""

    id: str
    type: str
    label: str
    help: str
    right: FieldRight
    required: bool
    computed: bool
    multiple: bool
    options: list[Option]
    reference: str | None
    currency: str | None
    min: str | None
    max: str | None
    max_length: int | None
    columns: list[FormField]


class Form(Answer):
    title: str
    fields: list[FormField]


def form_of(schema: FormSchema, lookups: ScopedLookups, rights: Mapping[str, FieldRight]) -> Form:
    """A form with each field's right; hidden fields are not in it."""
    shown = [one for one in schema.fields if rights[one.id] != "hide"]
    return Form(title=schema.title, fields=[_field(one, rights[one.id], lookups) for one in shown])


def reading_rights(schema: FormSchema, hidden: set[str]) -> dict[str, FieldRight]:
    """For somebody who only looks: everything may be read but what is hidden."""
    return {one.id: "hide" if one.id in hidden else "read" for one in schema.fields}


def _field(field: Field, right: FieldRight, lookups: ScopedLookups) -> FormField:
    return FormField(
        id=field.id,
        type=field.type,
        label=field.label,
        help=field.help,
        right=right,
        required=field.required or right == "required",
        computed=field.computed is not None,
        multiple=field.multiple,
        options=[Option(value=value, label=label) for value, label in field.choices_for(lookups)],
        reference=field.reference,
        currency=field.currency if field.type == "money" else None,
        min=field.min,
        max=field.max,
        max_length=field.max_length,
        columns=[_field(column, right, lookups) for column in field.columns],
    )
