"""Begins instances, keeps drafts, and shows the way a request would take before it is sent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from types import MappingProxyType
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine import clock, history, policy as policies, repository, workflow
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import AppError, Conflict, Forbidden, NotFound
from engine.forms import check_key
from engine.i18n import Sentence, _
from engine.journal import Entry
from engine.models import Attachment, FormData, Instance
from engine.runtime import assign, files, picking
from engine.runtime.facts import read_instance
from engine.runtime.host import StepHost
from engine.runtime.plain import plain
from engine.runtime.step import Step, StepResult, record
from engine.workflow.contract import Choice, OpenedTask, ServiceCall, Way

DRAFT_REVISION = 1
"""A draft is saved over and over in one place; what is submitted gets a revision of its own."""


def may_start(actor: Actor, key: str) -> bool:
    process = CATALOG.processes.get(key)
    return process is None or not process.startable_by or actor.may(process.startable_by)


def start(
    session: Session,
    actor: Actor,
    key: str,
    *,
    values: Mapping[str, Any] | None = None,
    variables: Mapping[str, Any] | None = None,
    business_key: str | None = None,
    draft_id: int | None = None,
    start_event: str | None = None,
    people: picking.People | None = None,
) -> StepResult:
    """Start the newest version of a process in the actor's name.

    values: the start form, checked here (InvalidForm lists every fault).  variables: extra process variables, for
    callers without a form.  draft_id: the draft this submission was saved as; it becomes the running instance.
    start_event: the message or signal start event that was triggered, when it is not the plain one.  people: of the
    steps the diagram leaves to the starter: {node id: [person id]}.
    """
    definition = repository.latest(session, key)
    if not may_start(actor, key):
        raise Forbidden(_("You may not start “{process}”.", process=definition.name))
    check_key(business_key or "")
    loaded = repository.get(session, definition.id)
    form, routed, title, summary = _read_form(session, actor, loaded, values, draft_id)
    instance = _instance_row(session, actor, loaded, draft_id, business_key)
    instance.title = title or loaded.name
    instance.summary = summary
    instance.state = "running"
    instance.people = _named(session, actor, loaded, form, routed, people)
    session.flush()
    schema = loaded.start_form()
    if schema is not None:
        files.hang(session, schema, form, instance.id)
    revision = _draft_revision(session, draft_id)
    host = StepHost(
        session,
        actor,
        instance_id=instance.id,
        definition_key=key,
        business_key=instance.business_key,
        starter_id=actor.person_id,
        rev=instance.rev,
        locked=True,
        interactive=True,
        form=form,
        reckon=loaded.form_facts,
    )
    live = workflow.start(loaded.compiled, {**(variables or {}), **routed}, host, node=start_event)
    todo = Step(
        act=lambda _live: None,
        entry=Entry("start", detail={"version": loaded.version}),
        form={"revision": revision, "node": "", "values": form, "saved_by": actor.person_id}
        if values is not None
        else None,
    )
    facts = read_instance(session, instance.id)
    if facts is None:
        raise NotFound
    return record(session, actor, loaded, facts, live, host, todo, items={})


def _named(
    session: Session,
    actor: Actor,
    loaded: repository.Loaded,
    form: Mapping[str, Any],
    routed: Mapping[str, Any],
    people: picking.People | None,
) -> dict[str, Any]:
    """Later steps' people as the starter names them; looked at only where a diagram leaves them to him."""
    if not people and "starter" not in loaded.picked_by:
        return {}
    _host, way = _way(session, actor, loaded, form, routed, actor.person_id)
    reached = [one.task.node for one in way.steps]
    return dict(picking.checked_at_start(session, loaded, actor.person_id, reached, people or {}))


def save_draft(
    session: Session, actor: Actor, key: str, values: Mapping[str, Any], draft_id: int | None = None
) -> Instance:
    """Keep a request that is not sent yet, as it is: unchecked, seen by its author only, no token, no number."""
    definition = repository.latest(session, key)
    if not may_start(actor, key):
        raise Forbidden(_("You may not start “{process}”.", process=definition.name))
    loaded = repository.get(session, definition.id)
    instance = _instance_row(session, actor, loaded, draft_id, None)
    instance.title = _title(loaded, values) or loaded.name
    instance.changed_at = clock.now()
    session.flush()
    kept = session.get(FormData, (instance.id, DRAFT_REVISION))
    if kept is None:  # saved every few keys: one row, not one for each
        kept = FormData(instance_id=instance.id, revision=DRAFT_REVISION, node="", saved_by=actor.person_id)
        session.add(kept)
    kept.values = plain(values)
    kept.saved_at = clock.now()
    session.flush()
    schema = loaded.start_form()
    if schema is not None:
        files.hang(session, schema, values, instance.id, by=actor.person_id)
    return instance


def discard_draft(session: Session, actor: Actor, draft_id: int) -> None:
    """Throw away a request that was never sent; only its author can."""
    draft = session.get(Instance, draft_id, with_for_update=True)
    if draft is None or draft.starter_id != actor.person_id:
        raise NotFound
    if draft.state != "draft":
        raise Conflict(_("This draft has been submitted already."))
    session.execute(delete(FormData).where(FormData.instance_id == draft_id))
    hung = Attachment.record_type == files.RECORD_TYPE, Attachment.record_id == draft_id
    session.execute(delete(Attachment).where(*hung))
    session.delete(draft)
    session.flush()


def _instance_row(
    session: Session, actor: Actor, loaded: repository.Loaded, draft_id: int | None, business_key: str | None
) -> Instance:
    now = clock.now()
    if draft_id is not None:
        draft = session.get(Instance, draft_id, with_for_update=True)
        if draft is None or draft.starter_id != actor.person_id or draft.definition_key != loaded.key:
            raise NotFound
        if draft.state != "draft":
            raise Conflict(_("This draft has been submitted already."))
        draft.definition_id = loaded.id
        draft.started_at = draft.changed_at = now
        return draft
    instance = Instance(
        definition_id=loaded.id,
        definition_key=loaded.key,
        rev=1,
        state="draft",
        title="",
        business_key=business_key,
        starter_id=actor.person_id,
        starter_name=actor.name,
        summary={},
        started_at=now,
        changed_at=now,
    )
    session.add(instance)
    return instance


def _draft_revision(session: Session, draft_id: int | None) -> int:
    if draft_id is None:
        return 1
    last = session.scalar(
        select(FormData.revision).where(FormData.instance_id == draft_id).order_by(FormData.revision.desc()).limit(1)
    )
    return (last or 0) + 1


def _read_form(
    session: Session,
    actor: Actor,
    loaded: repository.Loaded,
    values: Mapping[str, Any] | None,
    draft_id: int | None = None,
) -> tuple[dict[str, Any], dict[str, Any], str, dict[str, Any]]:
    """Checked values, the fields the token carries, the title, the summary shown in lists."""
    schema = loaded.start_form()
    if schema is None:
        return dict(values or {}), {}, "", {}
    clean = schema.submit(values or {}, session=session, actor=actor, instance_id=draft_id)
    return clean, schema.routed(clean), _title(loaded, clean), schema.summary(clean)


def _title(loaded: repository.Loaded, values: Mapping[str, Any]) -> str:
    schema = loaded.start_form()
    said = schema.title_of(values) if schema is not None else ""
    return f"{loaded.name} · {said}"[:300] if said else ""


# ------------------------------------------------------------------------------------------------- preview


@dataclass(frozen=True, slots=True)
class RouteStep:
    """One user task a request would reach."""

    node: str
    title: str
    people: tuple[str, ...]
    rule: str
    path: str
    problem: Sentence | None = None
    choices: tuple[Choice, ...] = ()
    """what sends it there: conditions and tables decided since the step before"""
    expected_at: datetime | None = None
    """when it will probably be done, if every step before it is in its time"""
    expected_from: str = ""
    """due_date (the limit the diagram sets) | history (as long as it took lately) | "" """
    principals: tuple[int, ...] = ()
    """the same people by their keys: persons, and pools below zero"""
    together: Sentence | None = None
    """how several of them decide; None where one does"""


@dataclass(frozen=True, slots=True)
class Route:
    """The way a request would take."""

    steps: tuple[RouteStep, ...]
    choices: tuple[Choice, ...]
    """decided after the last step"""
    ends: bool
    """whether it is done after these steps; else it depends on what nobody knows yet"""


def preview(
    session: Session, actor: Actor, key: str, values: Mapping[str, Any], *, starter_id: int | None = None
) -> Route:
    """The way this request would take if everybody agreed: who, why they, on which conditions, until when.

    Changes nothing.
    """
    loaded = repository.get(session, repository.latest(session, key).id)
    form, routed, _said, _summary = _read_form(session, actor, loaded, values)
    return _walk(session, actor, loaded, form, routed, starter_id or actor.person_id)


def _walk(
    session: Session,
    actor: Actor,
    loaded: repository.Loaded,
    form: Mapping[str, Any],
    routed: Mapping[str, Any],
    starter_id: int,
) -> Route:
    usual = history.usual_spans(session, loaded.key)
    host, way = _way(session, actor, loaded, form, routed, starter_id, usual)
    steps = []
    for one in way.steps:
        step = route_step(session, loaded, host, one.task.node, one.task.data, form, choices=one.choices)
        if one.expected_at is not None:
            step = replace(
                step,
                expected_at=one.expected_at,
                expected_from="due_date" if one.task.due_at is not None else "history",
            )
        steps.append(step)
    return Route(tuple(steps), way.choices, way.ended)


def _way(
    session: Session,
    actor: Actor,
    loaded: repository.Loaded,
    form: Mapping[str, Any],
    routed: Mapping[str, Any],
    starter_id: int,
    usual: Mapping[str, timedelta] = MappingProxyType({}),
) -> tuple[DryHost, Way]:
    """The steps alone: who does them, and when, is asked by whoever shows them."""
    host = DryHost(
        session,
        actor,
        instance_id=0,
        definition_key=loaded.key,
        business_key=None,
        starter_id=starter_id,
        rev=0,
        locked=True,
        interactive=True,
        form=form,
        reckon=loaded.form_facts,
    )
    host.usual = usual
    return host, workflow.preview(loaded.compiled, routed, host)


def route_step(
    session: Session,
    loaded: repository.Loaded,
    host: StepHost,
    node_id: str,
    variables: Mapping[str, Any],
    form: Mapping[str, Any],
    *,
    choices: tuple[Choice, ...] = (),
) -> RouteStep:
    """A user task with the people it would go to, or why nobody can be found for it."""
    node = loaded.compiled.nodes[node_id]
    try:
        found, rule = assign.find(
            session,
            node,
            instance_id=host.instance_id,
            definition_key=loaded.key,
            starter_id=host.starter_id,
            variables=variables,
            form=form,
        )
    except AppError as refusal:
        return RouteStep(node.id, node.name, (), "", "", refusal.message, choices)
    principals = (*found.persons, *found.groups)
    names = people(session, found)
    together = policies.explain(policies.read(node.properties), len(names)) if len(names) > 1 else None
    return RouteStep(
        node.id,
        node.name,
        names,
        rule,
        found.path,
        choices=choices,
        principals=principals,
        together=together,
    )


class DryHost(StepHost):
    """Answers the diagram without doing anything: operations are assumed to succeed, and its clock can be turned."""

    usual: Mapping[str, timedelta] = {}
    """node -> how long it took lately"""
    _later: datetime | None = None

    def call_service(self, call: ServiceCall) -> Any:
        return {}

    def now(self) -> datetime:
        return self._later or super().now()

    def go_to(self, instant: datetime) -> None:
        self._later = max(instant, self.now())

    def expects(self, task: OpenedTask) -> datetime | None:
        """By its limit when the diagram sets one, else as long as it took lately."""
        if task.due_at is not None:
            return max(task.due_at, self.now())
        return self.now() + self.usual[task.node] if task.node in self.usual else None


def people(session: Session, found: Any) -> tuple[str, ...]:
    """The names behind candidates: persons, and the members of pools."""
    directory = CATALOG.directory
    if directory is None:
        return tuple(str(p) for p in (*found.persons, *found.groups))
    ids = list(found.persons)
    for group in found.groups:
        ids += [p for p in directory.members(session, group) if p not in ids]
    names = directory.names(session, ids)
    return tuple(names.get(p, str(p)) for p in ids)
