"""Process definitions: what can be started, what is deployed, the way a request would take."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Any

import msgspec
from flask import Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import history, repository, runtime
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import NotFound
from engine.forms import ScopedLookups
from engine.i18n import _
from engine.models import Definition, Instance
from engine.repository import DEPLOY
from engine.runtime.plain import plain
from engine.runtime.start import RouteStep
from engine.work_items.rights import ADMINISTER, MONITOR
from engine.workflow.contract import Choice
from webapp.api.answers import Finding, Form, InstanceLine, Names, Person, findings, form_of, instance_line
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Query, endpoint
from webapp.api.paging import ListQuery, Page
from webapp.api.reading import Unreadable
from webapp.api.uploads import Upload

TAG = "process definitions"

LARGEST_DEPLOYMENT = 12 * 1024 * 1024
ENDINGS = (".bpmn", ".dmn", ".form.json")

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
BusinessKey = Annotated[str, msgspec.Meta(min_length=1, max_length=120)]


class DefinitionLine(Answer):
    key: str
    name: str
    version: int
    """the one new starts take"""
    description: str
    package: str
    startable: bool
    """by you"""
    deployed_at: datetime


class DefinitionVersion(Answer):
    version: int
    state: str
    """active | superseded | retired"""
    deployed_at: datetime
    deployed_by: Person
    sha256: str


class DefinitionDetail(Answer):
    key: str
    name: str
    version: int
    description: str
    startable: bool
    deployed_at: datetime
    files: list[str]
    form: Form | None
    """of its start: its fields are the `variables` of start and preview"""
    versions: list[DefinitionVersion]
    """newest first"""


class Deployed(Answer):
    key: str
    name: str
    version: int
    sha256: str
    files: list[str]
    warnings: list[Finding]


class ChoiceMade(Answer):
    """Why the way goes on here: a flow taken although there were others, or the rules of a decision table that hit."""

    node: str
    """the gateway, or the task that asks the table"""
    question: str
    """its name, or the table's"""
    answer: str
    """the flow's name, or what the rules say of themselves; "" when the drawing is silent"""
    conditions: list[str]
    """as drawn"""
    values: dict[str, Any]
    """what the conditions read"""
    otherwise: bool
    """the default flow: none of the conditions holds"""


class Step(Answer):
    """A user task on the way, and who would get it."""

    node: str
    title: str
    people: list[str]
    rule: str
    """the candidate rule that found them"""
    path: str
    """how it found them, for example "superior of 李娜" """
    problem: str
    """why nobody can be found, when nobody can"""
    choices: list[ChoiceMade]
    """what sends it there: decided since the step before"""
    expected_at: datetime | None
    """when it will probably be done, if every step before it is in its time; only a preview says it"""
    expected_from: str
    """due_date (the diagram's limit) | history (as long as it took lately) | "" """


class Route(Answer):
    steps: list[Step]
    choices: list[ChoiceMade]
    """decided after the last step"""
    ends: bool
    """whether it is done then; else it depends on what nobody knows yet"""


class StartRequest(Body):
    business_key: BusinessKey | None = None
    variables: dict[str, Any] = msgspec.field(default_factory=dict)
    """the start form's fields; for a process without a form, process variables"""


class PreviewRequest(Body):
    variables: dict[str, Any] = msgspec.field(default_factory=dict)


class VersionQuery(Query):
    version: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] | None = None
    """another one than the one new starts take"""


def step_of(step: RouteStep) -> Step:
    return Step(
        node=step.node,
        title=step.title,
        people=list(step.people),
        rule=step.rule,
        path=step.path,
        problem=str(step.problem) if step.problem else "",
        choices=choices_of(step.choices),
        expected_at=step.expected_at,
        expected_from=step.expected_from,
    )


def choices_of(choices: Iterable[Choice]) -> list[ChoiceMade]:
    return [
        ChoiceMade(
            node=one.node,
            question=one.question,
            answer=one.answer,
            conditions=list(one.conditions),
            values=plain(one.values),
            otherwise=one.otherwise,
        )
        for one in choices
    ]


# ------------------------------------------------------------------------------------------------- reading


@endpoint("GET", "/process-definitions", tag=TAG)
def list_definitions(call: Call, query: ListQuery) -> Page[DefinitionLine]:
    """The processes you may start or look after, by key; `order` takes key and name."""
    active = call.session.scalars(select(Definition).where(Definition.state == "active").order_by(Definition.key))
    shown = [row for row in active if _may_know(call.actor, row.key)]
    if query.q:
        wanted = query.q.casefold()
        shown = [row for row in shown if wanted in row.name.casefold() or wanted in row.key.casefold()]
    if query.order.removeprefix("-") == "name":
        shown.sort(key=lambda row: row.name)
    if query.order.startswith("-"):
        shown.reverse()
    part = shown[query.offset : query.offset + query.page_size]
    return Page(
        items=[_line(call.actor, row) for row in part],
        page=query.page,
        page_size=query.page_size,
        has_more=len(shown) > query.offset + query.page_size,
        total=len(shown) if query.count else None,
    )


@endpoint("GET", "/process-definitions/{key}", tag=TAG)
def get_definition(call: Call, key: Key) -> DefinitionDetail:
    """One definition: its start form and its versions."""
    row = _known(call.session, call.actor, key)
    loaded = repository.get(call.session, row.id)
    schema = loaded.start_form()
    versions = call.session.scalars(
        select(Definition).where(Definition.key == key).order_by(Definition.version.desc()).limit(100)
    ).all()
    names = Names(call.session, [one.deployed_by for one in versions])
    return DefinitionDetail(
        key=key,
        name=row.name,
        version=row.version,
        description=_description(key),
        startable=runtime.may_start(call.actor, key),
        deployed_at=row.deployed_at,
        files=sorted(loaded.compiled.files),
        form=form_of(schema, ScopedLookups(call.session, call.actor), schema.rights()) if schema else None,
        versions=[
            DefinitionVersion(
                version=one.version,
                state=one.state,
                deployed_at=one.deployed_at,
                deployed_by=names(one.deployed_by),
                sha256=one.sha256,
            )
            for one in versions
        ],
    )


@endpoint("GET", "/process-definitions/{key}/xml", tag=TAG, produces="application/xml")
def get_xml(call: Call, key: Key, query: VersionQuery) -> Response:
    """The diagram as it was deployed."""
    row = _known(call.session, call.actor, key)
    if query.version is not None:
        other = select(Definition).where(Definition.key == key, Definition.version == query.version)
        found = call.session.scalars(other).first()
        if found is None:
            raise NotFound
        row = found
    call.headers["Content-Disposition"] = f'attachment; filename="{row.key}.bpmn"'  # a browser must not render it
    return Response(repository.get(call.session, row.id).diagram, mimetype="application/xml")


def _may_know(actor: Actor, key: str) -> bool:
    return runtime.may_start(actor, key) or any(map(actor.may, (DEPLOY, MONITOR, ADMINISTER)))


def _known(session: Session, actor: Actor, key: str) -> Definition:
    """The active version; who may neither start nor look after the process does not learn that it exists."""
    row = repository.latest(session, key)
    if not _may_know(actor, key):
        raise NotFound(_("There is no deployed process “{key}”.", key=key))
    return row


def _line(actor: Actor, row: Definition) -> DefinitionLine:
    return DefinitionLine(
        key=row.key,
        name=row.name,
        version=row.version,
        description=_description(row.key),
        package=row.package,
        startable=runtime.may_start(actor, row.key),
        deployed_at=row.deployed_at,
    )


def _description(key: str) -> str:
    process = CATALOG.processes.get(key)
    return str(process.description) if process is not None and process.description else ""


# ------------------------------------------------------------------------------------------------- deploying, starting


@endpoint(
    "POST", "/process-definitions", tag=TAG, status=201, multipart=True, limit=LARGEST_DEPLOYMENT, refusals=(409, 422)
)
def deploy(call: Call) -> Deployed:
    """Deploy a new version: one main .bpmn with its .dmn and .form.json files, each a part of a multipart body.

    422 lists every problem at once, each with its element, its rule and a remedy. The same content as the present
    version deploys nothing and answers that version. Running instances keep the version they were started with.
    """
    files = texts(call.uploads)
    row = repository.deploy(call.session, call.actor, files)
    warnings = [p for p in repository.lint(call.session, files) if p.severity == "warning"]
    call.headers["Location"] = f"{PREFIX}/process-definitions/{row.key}"
    return Deployed(
        key=row.key,
        name=row.name,
        version=row.version,
        sha256=row.sha256,
        files=[file.name for file in row.files],
        warnings=findings(warnings),
    )


def texts(uploads: tuple[Upload, ...]) -> dict[str, str]:
    """The files of a definition by name, as text."""
    found: dict[str, str] = {}
    for upload in uploads:
        if not upload.name.endswith(ENDINGS):
            raise Unreadable(
                _("“{name}” is none of {endings}.", name=upload.name or upload.field, endings=", ".join(ENDINGS))
            )
        if upload.name in found:
            raise Unreadable(_("“{name}” was sent twice.", name=upload.name))
        try:
            text = upload.content.decode("utf-8-sig")
        except UnicodeDecodeError:
            raise Unreadable(_("“{name}” is not UTF-8.", name=upload.name)) from None
        if "\0" in text:
            raise Unreadable(_("“{name}” is not text.", name=upload.name))
        found[upload.name] = text
    if not any(name.endswith(".bpmn") for name in found):
        raise Unreadable(_("Send at least one .bpmn file."))
    return found


@endpoint("POST", "/process-definitions/{key}/preview", tag=TAG, writes=False, refusals=(422,))
def preview(call: Call, key: Key, body: PreviewRequest) -> Route:
    """The way a request would take if everybody agreed: steps, people, why they, and until when. Changes nothing."""
    _known(call.session, call.actor, key)
    found = runtime.preview(call.session, call.actor, key, body.variables)
    return Route(steps=[step_of(step) for step in found.steps], choices=choices_of(found.choices), ends=found.ends)


@endpoint("POST", "/process-definitions/{key}/start", tag=TAG, status=201, refusals=(422,))
def start(call: Call, key: Key, body: StartRequest) -> InstanceLine:
    """Start an instance in your name.

    `variables` are the fields of the start form, checked all at once (422 names each faulty field, "lines.0.amount").
    """
    session = call.session
    loaded = repository.get(session, _known(session, call.actor, key).id)
    has_form = loaded.start_form() is not None
    result = runtime.start(
        session,
        call.actor,
        key,
        values=body.variables if has_form else None,
        variables=None if has_form else body.variables,
        business_key=body.business_key,
    )
    instance = session.get_one(Instance, result.instance_id, populate_existing=True)
    call.headers["Location"] = f"{PREFIX}/process-instances/{instance.id}"
    return instance_line(instance, history.present_steps(session, [instance.id]).get(instance.id, ""))
