"""Deploys, versions and drafts definitions; parsed once per definition and shared."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any

from sqlalchemy import delete, func, select, update
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import assignment, clock, forms, workflow
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.db import on_bind
from engine.errors import Conflict, DeploymentRefused, Forbidden, NotFound, Problem, RuleViolation
from engine.forms import FormSchema
from engine.i18n import Sentence, _
from engine.models import Definition, DefinitionDraft, DefinitionFile, StartTimer
from engine.service_tasks import TOPICS
from engine.workflow.contract import CompiledProcess, ServiceCall

DEPLOY = "process.definition.deploy"
"""The permission of designers."""


@dataclass
class Loaded:
    """A definition ready to run: its row's facts, the compiled diagram, its forms."""

    id: int
    key: str
    version: int
    name: str
    compiled: CompiledProcess
    forms: dict[str, FormSchema] = field(default_factory=dict)
    picked_by: frozenset[str] = frozenset()
    """who names the people of some step of it: "starter", "approver" """

    @cached_property
    def drawn(self) -> workflow.Version:
        """With its drawing, for comparing and moving: a run that is looked at every other second reads it once."""
        return workflow.version(self.compiled)

    @property
    def diagram(self) -> str:
        """The .bpmn file the process itself is drawn in; called diagrams are pinned beside it."""
        drawings = {name: text for name, text in self.compiled.files.items() if name.endswith(".bpmn")}
        own = f"{self.key}.bpmn"
        return drawings.get(own) or next((text for text in drawings.values() if f'id="{self.key}"' in text), "")

    def start_form(self) -> FormSchema | None:
        """The form named by the start event, else the one that bears the process's name."""
        for node in self.compiled.nodes.values():
            if node.kind == "startEvent" and node.form_key and node.process == self.key:
                return self.forms.get(node.form_key)
        return self.forms.get(self.key)

    def form_facts(self, values: Mapping[str, Any]) -> dict[str, Any]:
        """The values of all forms as expressions reckon with them; where two share a name, as the start form does."""
        own = self.start_form()
        facts = dict(values)
        for form in (*self.forms.values(), *([own] if own else ())):
            facts |= form.facts(values)
        return facts

    def step_of(self, node_id: str) -> str | None:
        """The step whose rights a form has at a node: at the start event, opened anew, those of the start."""
        node = self.compiled.nodes.get(node_id)
        return None if node is not None and node.kind == "startEvent" else node_id

    def form_of(self, node_id: str) -> FormSchema | None:
        node = self.compiled.nodes.get(node_id)
        if node is not None and node.kind == "startEvent":
            return self.start_form()
        return self.forms.get(node.form_key) if node and node.form_key else None


_loaded: dict[int, Loaded] = {}
_loading = threading.Lock()


def forget_all() -> None:
    """What was loaded belongs to one database; ids mean something else in another."""
    _loaded.clear()


on_bind(forget_all)


def known() -> workflow.Known:
    """What diagrams may refer to in this house."""
    return workflow.Known(
        topics={name: workflow.TopicShape(t.parameters, t.required) for name, t in TOPICS.items()},
        candidate_problem=candidate_problem,
    )


def candidate_problem(text: str) -> Sentence | None:
    """Why this candidate rule cannot be asked, or None."""
    parsed = assignment.parse(text)
    if parsed is None:
        return _(
            "“{text}” is not a candidate rule; write for example superior or position(finance).",
            text=text,
        )
    name, argument = parsed
    rule = assignment.RULES.get(name)
    if rule is None:
        return _(
            "There is no candidate rule “{name}”; known are: {known}.",
            name=name,
            known=", ".join(sorted(assignment.RULES)) or "-",
        )
    if rule.argument is None and argument is not None:
        return _("The candidate rule “{name}” takes nothing in brackets.", name=name)
    if rule.argument not in (None, "levels") and argument is None:
        return _("The candidate rule “{name}” needs to be told which one, in brackets.", name=name)
    return None


def get(session: Session, definition_id: int) -> Loaded:
    """The definition, parsed at most once per process."""
    found = _loaded.get(definition_id)
    if found is not None:
        return found
    row = session.get(Definition, definition_id)
    if row is None:
        raise NotFound
    files = {file.name: file.content for file in row.files}
    with _loading:
        found = _loaded.get(definition_id)
        if found is None:
            found = _load(row, files)
            _loaded[definition_id] = found
    return found


def _load(row: Definition, files: Mapping[str, str]) -> Loaded:
    # What was deployed once keeps running although a topic or rule it names has gone since: only deploying lints.
    compiled = workflow.compile_definition(files, known=None, key=row.key)
    picked = frozenset(node.properties.get("approval.pick", "") for node in compiled.nodes.values()) - {""}
    return Loaded(row.id, row.key, row.version, row.name, compiled, _read_forms(files), picked)


def _read_forms(files: Mapping[str, str]) -> dict[str, FormSchema]:
    return {
        name.removesuffix(".form.json"): forms.check_schema(text)
        for name, text in files.items()
        if name.endswith(".form.json")
    }


def latest(session: Session, key: str) -> Definition:
    """The version new starts take."""
    row = session.scalars(select(Definition).where(Definition.key == key, Definition.state == "active")).first()
    if row is None:
        raise NotFound(_("There is no deployed process “{key}”.", key=key))
    return row


def lint(session: Session, files: Mapping[str, str]) -> list[Problem]:
    """Every problem and warning of a definition, without deploying it."""
    complete = _with_called(session, files)
    problems = workflow.lint_definition(complete, known=known())
    for name, text in complete.items():
        if name.endswith(".form.json"):
            try:
                forms.check_schema(text)
            except DeploymentRefused as refusal:
                problems.extend(Problem(p.where, p.message, p.remedy, p.rule, name) for p in refusal.problems)
    return problems


def deploy(session: Session, actor: Actor, files: Mapping[str, str], *, package: str = "") -> Definition:
    """Make a new version that new starts take; running instances keep theirs.

    files: {name: text} of one main .bpmn with its .dmn and .form.json (and called diagrams, which otherwise come from
    what is deployed). The same content as the present version deploys nothing and returns that version.
    Raises DeploymentRefused with every problem at once; Forbidden without the designer's permission.
    """
    if not actor.may(DEPLOY):
        raise Forbidden(_("Only process designers may deploy a process."))
    complete = _with_called(session, files)
    problems = [p for p in lint(session, complete) if p.severity == "error"]
    if problems:
        raise DeploymentRefused(problems)
    compiled = workflow.compile_definition(complete, known=known())
    digest = fingerprint(complete)
    present = session.scalars(
        select(Definition).where(Definition.key == compiled.key, Definition.state == "active")
    ).first()
    if present is not None and present.sha256 == digest:
        return present
    highest = session.scalar(select(func.max(Definition.version)).where(Definition.key == compiled.key)) or 0
    session.execute(
        update(Definition)
        .where(Definition.key == compiled.key, Definition.state == "active")
        .values(state="superseded")
    )
    row = Definition(
        key=compiled.key,
        version=highest + 1,
        name=compiled.name or compiled.key,
        package=package or (present.package if present is not None else ""),
        state="active",
        sha256=digest,
        deployed_at=clock.now(),
        deployed_by=actor.person_id,
        files=[DefinitionFile(name=name, content=text) for name, text in sorted(complete.items())],
    )
    session.add(row)
    try:
        session.flush()
    except IntegrityError as error:
        raise Conflict(
            _(
                "Somebody else has just deployed “{key}”; look at that version first.",
                key=row.key,
            )
        ) from error
    _set_start_timers(session, row, compiled)
    return row


class _NoInstance:
    """What a timer start event may ask: the time and the calendar; there is no instance yet."""

    def __init__(self, session: Session) -> None:
        self._session = session

    def now(self) -> datetime:
        return clock.now()

    def working_due(self, start: datetime, *, days: int = 0, hours: float = 0) -> datetime:
        if CATALOG.calendar is None:
            raise RuleViolation(_("No working calendar is installed."))
        return CATALOG.calendar(self._session, start, days=days, hours=hours)

    def facts(self) -> Mapping[str, Any]:
        return {}

    def form_values(self) -> Mapping[str, Any]:
        return {}

    def call_service(self, call: ServiceCall) -> Any:
        raise RuleViolation(_("A start event cannot call {topic}.", topic=call.topic))


def _set_start_timers(session: Session, row: Definition, compiled: CompiledProcess) -> None:
    """The new version's timer start events take the place of the old one's."""
    older = select(Definition.id).where(Definition.key == row.key)
    session.execute(
        delete(StartTimer).where(StartTimer.definition_id.in_(older)).execution_options(synchronize_session=False)
    )
    for trigger in compiled.starts:
        if trigger.kind == "timer":
            due = workflow.first_due(trigger.name, _NoInstance(session))
            session.add(
                StartTimer(definition_id=row.id, node=trigger.node, due_at=due.at, repeats=due.repeats, every=due.every)
            )
    session.flush()


def fingerprint(files: Mapping[str, str]) -> str:
    """SHA-256 over all files, by name."""
    digest = hashlib.sha256()
    for name, text in sorted(files.items()):
        digest.update(f"{name}\0{len(text)}\0{text}\0".encode())
    return digest.hexdigest()


def _with_called(session: Session, files: Mapping[str, str]) -> dict[str, str]:
    """Add the diagrams that call activities name and that are deployed already: they are pinned with this version."""
    complete = dict(files)
    wanted = workflow.called_elements(complete)
    while wanted:
        key = wanted.pop()
        row = session.scalars(select(Definition).where(Definition.key == key, Definition.state == "active")).first()
        if row is None:
            continue
        added = {file.name: file.content for file in row.files if file.name not in complete}
        complete |= added
        wanted |= workflow.called_elements(added) - {key} if added else set()
    return complete


# ------------------------------------------------------------------------------------------------- drafts


def save_draft(
    session: Session,
    actor: Actor,
    key: str,
    name: str,
    files: Mapping[str, str],
    revision: int | None,
) -> DefinitionDraft:
    """Keep what a designer has so far. `revision`: the one the work started from (None: a new draft).

    Raises Conflict, saying who saved in between, instead of overwriting another's work.
    """
    if not actor.may(DEPLOY):
        raise Forbidden(_("Only process designers may save a draft."))
    draft = session.get(DefinitionDraft, key, with_for_update=True)
    if draft is None:
        draft = DefinitionDraft(key=key, revision=0)
        session.add(draft)
    elif revision != draft.revision:
        raise Conflict(
            _("{who} saved this draft in between.", who=draft.changed_by_name),
            remedy=_("Export your diagram, load the newer draft and apply your changes to it."),
        )
    draft.revision += 1
    draft.name = name
    draft.files = dict(files)
    draft.changed_at = clock.now()
    draft.changed_by = actor.person_id
    draft.changed_by_name = actor.name
    session.flush()
    return draft


def discard_draft(session: Session, actor: Actor, key: str, revision: int) -> None:
    """Throw a draft away; what is deployed stays. Raises Conflict when somebody has saved it since `revision`."""
    if not actor.may(DEPLOY):
        raise Forbidden(_("Only process designers may throw a draft away."))
    draft = session.get(DefinitionDraft, key, with_for_update=True)
    if draft is None:
        raise NotFound(_("There is no draft of “{key}”.", key=key))
    if draft.revision != revision:
        raise Conflict(_("{who} saved this draft in between.", who=draft.changed_by_name))
    session.delete(draft)
    session.flush()
