"""Which of a form's values and files somebody may see: asked by every road that shows an instance."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Protocol

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import NotFound
from engine.forms import FormSchema
from engine.history import Line
from engine.models import Attachment, FormData, Instance, WorkItem
from engine.runtime.files import RECORD_TYPE, named_files
from engine.runtime.host import latest_form
from engine.work_items.rights import holds, may_read_instance, readable_among, reads_all


class Request(Protocol):
    """What a reader's rights hang on."""

    @property
    def id(self) -> int: ...
    @property
    def definition_id(self) -> int: ...
    @property
    def starter_id(self) -> int: ...


def hidden_fields(session: Session, actor: Actor, instance: Instance) -> set[str]:
    """Fields of the process's forms this reader may not see: what every step of theirs hides; for a mere reader, what
    any step hides. Where two forms share a field, the start form decides.
    """
    return hidden_in_each(session, actor, [instance])[instance.id]


def hidden_in_each(session: Session, actor: Actor, instances: Sequence[Request]) -> dict[int, set[str]]:
    """The same of several instances, by id."""
    hiding = {}
    for one in instances:
        forms = _start_form_first(repository.get(session, one.definition_id))
        if not _sees_all(actor, one) and any(_hidden(form, step) for form in forms for step in form.steps):
            hiding[one.id] = forms
    nodes: dict[int, set[str]] = defaultdict(set)
    if hiding:
        for item in session.scalars(select(WorkItem).where(WorkItem.instance_id.in_(hiding))):
            if item.done_by == actor.person_id or holds(item, actor):
                nodes[item.instance_id].add(item.node)
    return {one.id: _hidden_to(nodes[one.id], hiding.get(one.id, ())) for one in instances}


def _hidden_to(mine: set[str], forms: Iterable[FormSchema]) -> set[str]:
    known: set[str] = set()
    hidden: set[str] = set()
    for schema in forms:
        by_step = [_hidden(schema, step) for step in mine or schema.steps]
        if by_step:
            hidden |= (set.intersection(*by_step) if mine else set.union(*by_step)) - known
        known |= set(schema.by_id)
    return hidden


def _sees_all(actor: Actor, instance: Request) -> bool:
    return actor.person_id == instance.starter_id or reads_all(actor)


def _start_form_first(loaded: repository.Loaded) -> list[FormSchema]:
    start = loaded.start_form()
    return [one for one in (start, *(one for one in loaded.forms.values() if one is not start)) if one is not None]


def readable_values(session: Session, actor: Actor, instance: Instance, *, step: str | None = None) -> dict[str, Any]:
    """The forms' present values as this reader may see them; `step` hides what that step hides as well."""
    hidden = hidden_fields(session, actor, instance)
    schema = repository.get(session, instance.definition_id).start_form()
    if step is not None and schema is not None:
        hidden |= _hidden(schema, step)
    return {name: value for name, value in latest_form(session, instance.id)[1].items() if name not in hidden}


def readable_files(session: Session, actor: Actor, instance: Instance) -> list[Attachment]:
    """The files that hang on an instance, oldest first, but those that only fields hidden from this reader name."""
    hung = select(Attachment).where(Attachment.record_type == RECORD_TYPE, Attachment.record_id == instance.id)
    gone = _hidden_files(session, actor, instance)
    return [file for file in session.scalars(hung.order_by(Attachment.id)) if file.id not in gone]


def readable_file(session: Session, actor: Actor, attachment_id: int) -> Attachment:
    """The file, if this person may read it: its sender while it hangs nowhere, then whoever may read the record.

    NotFound otherwise.
    """
    file = session.get(Attachment, attachment_id)
    if file is None or not _may_read_file(session, actor, file):
        raise NotFound
    return file


def _may_read_file(session: Session, actor: Actor, file: Attachment) -> bool:
    if file.record_type is None or file.record_id is None:
        return file.uploaded_by == actor.person_id
    if file.record_type != RECORD_TYPE:
        return CATALOG.may_read(session, actor, file.record_type, file.record_id)
    instance = session.get(Instance, file.record_id)
    if instance is None or not may_read_instance(session, actor, instance.id):
        return False
    return file.id not in _hidden_files(session, actor, instance)


def _hidden_files(session: Session, actor: Actor, instance: Instance) -> set[int]:
    """Of every revision: what a hidden field named once stays hidden when another file takes its place."""
    hidden = hidden_fields(session, actor, instance)
    if not hidden:
        return set()
    forms = _start_form_first(repository.get(session, instance.definition_id))
    fields = [field for one in forms for field in one.fields]
    closed: set[int] = set()
    shown: set[int] = set()
    for values in session.scalars(select(FormData.values).where(FormData.instance_id == instance.id)):
        closed |= set(named_files([one for one in fields if one.id in hidden], values))
        shown |= set(named_files([one for one in fields if one.id not in hidden], values))
    return closed - shown


def _hidden(schema: FormSchema, step: str) -> set[str]:
    return {name for name, right in schema.rights(step).items() if right == "hide"}


def veiled(session: Session, actor: Actor, lines: Sequence[Line]) -> list[Line]:
    """Lines of what lies with others: one this person may not open says what it is and with whom it lies, no more."""
    readable = readable_among(session, actor, [line.instance_id for line in lines])
    return [line if line.instance_id in readable else replace(line, summary={}, readable=False) for line in lines]


def open_items(session: Session, instance_id: int, node: str | None = None) -> list[WorkItem]:
    """The open items of an instance, of one node if named."""
    wanted = select(WorkItem).where(WorkItem.instance_id == instance_id, WorkItem.state.in_(("open", "delegated")))
    if node is not None:
        wanted = wanted.where(WorkItem.node == node)
    return list(session.scalars(wanted.order_by(WorkItem.id)))
