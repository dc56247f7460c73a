"""What designers work on: drafts that nobody overwrites unseen, and the checks before a definition is deployed."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated

import msgspec
from sqlalchemy.orm import Session

from engine import repository
from engine.errors import AppError, Conflict, Forbidden, NotFound
from engine.i18n import _
from engine.models import DefinitionDraft
from engine.repository import DEPLOY
from webapp.api.answers import Finding, Person, findings
from webapp.api.definitions import LARGEST_DEPLOYMENT, Key
from webapp.api.endpoint import Answer, Body, Call, endpoint
from webapp.api.reading import Unreadable

TAG = "process definitions"

_ETAG = re.compile(r'^(?:W/)?"(\d{1,9})"$')

Files = Annotated[dict[str, str], msgspec.Meta(max_length=50)]
"""file name -> text"""


class Stale(AppError):
    """The draft is no longer the one the work started from."""

    status = 412
    code = "stale"


class Draft(Answer):
    key: str
    name: str
    revision: int
    """the ETag"""
    files: dict[str, str]
    changed_at: datetime
    changed_by: Person


class DraftRequest(Body):
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    files: Files


class LintRequest(Body):
    files: Files


class Report(Answer):
    """Every problem and warning; without errors the definition can be deployed."""

    deployable: bool
    problems: list[Finding]


@endpoint("GET", "/process-definitions/{key}/draft", tag=TAG)
def get_draft(call: Call, key: Key) -> Draft:
    """The draft of a process, with its ETag."""
    _demand_designer(call)
    return _shown(call, _found(call.session, key))


@endpoint(
    "PUT",
    "/process-definitions/{key}/draft",
    tag=TAG,
    limit=LARGEST_DEPLOYMENT,
    request_headers=("If-Match",),
    refusals=(412, 422),
)
def put_draft(call: Call, key: Key, body: DraftRequest) -> Draft:
    """Keep the draft. `If-Match` names the ETag the work started from; without it the draft must be new.

    412 says who saved in between; nothing is overwritten.
    """
    _demand_designer(call)
    for name in body.files:
        if not name.endswith((".bpmn", ".dmn", ".form.json")):
            raise Unreadable(_("“{name}” is none of {endings}.", name=name, endings=".bpmn, .dmn, .form.json"))
    try:
        row = repository.save_draft(call.session, call.actor, key, body.name, body.files, _if_match(call))
    except Conflict as conflict:
        raise Stale(conflict.message, remedy=conflict.remedy) from conflict
    return _shown(call, row)


@endpoint(
    "DELETE",
    "/process-definitions/{key}/draft",
    tag=TAG,
    status=204,
    request_headers=("If-Match",),
    refusals=(412,),
)
def delete_draft(call: Call, key: Key) -> None:
    """Throw the draft away; what is deployed stays. `If-Match` as for saving."""
    _demand_designer(call)
    row = _found(call.session, key)
    if _if_match(call) != row.revision:
        raise Stale(_("{who} saved this draft in between.", who=row.changed_by_name))
    call.session.delete(row)
    call.session.flush()


@endpoint("POST", "/process-definitions/lint", tag=TAG, writes=False, limit=LARGEST_DEPLOYMENT)
def lint(call: Call, body: LintRequest) -> Report:
    """Check files as deploying would, without deploying them."""
    _demand_designer(call)
    problems = repository.lint(call.session, body.files)
    return Report(deployable=all(p.severity != "error" for p in problems), problems=findings(problems))


def _demand_designer(call: Call) -> None:
    if not call.actor.may(DEPLOY):
        raise Forbidden(_("Only process designers may see drafts."), code="permission_missing")


def _found(session: Session, key: str) -> DefinitionDraft:
    row = session.get(DefinitionDraft, key)
    if row is None:
        raise NotFound(_("There is no draft of “{key}”.", key=key))
    return row


def _if_match(call: Call) -> int | None:
    given = call.request_headers.get("If-Match")
    if given is None:
        return None
    match = _ETAG.match(given.strip())
    if match is None:
        raise Stale(_("If-Match is not an ETag of this draft."))
    return int(match[1])


def _shown(call: Call, row: DefinitionDraft) -> Draft:
    call.headers["ETag"] = f'"{row.revision}"'
    return Draft(
        key=row.key,
        name=row.name,
        revision=row.revision,
        files=row.files,
        changed_at=row.changed_at,
        changed_by=Person(id=row.changed_by, name=row.changed_by_name),
    )
