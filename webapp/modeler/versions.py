"""Versions of a process: when and by whom, what runs on each; looked at, compared, downloaded, taken up again."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass

from flask import Response, flash, jsonify, make_response, redirect, render_template, request, url_for
from sqlalchemy import select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import migration, runtime
from engine.db import Sessions
from engine.errors import NotFound, RuleViolation
from engine.i18n import Sentence, _, current_locale
from engine.models import Definition
from engine.repository import DEPLOY
from webapp.modeler import differences, overview, workspace
from webapp.modeler.blueprint import pages
from webapp.modeler.offers import title_of
from webapp.security.access import current_actor, requires

DRAFT = "draft"
MOST_VERSIONS = 200


@pages.get("/<key>/versions")
@requires(DEPLOY)
def versions(key: str) -> str:
    session = Sessions()
    work = workspace.find(session, key)
    running = overview.running_by_version(session, key)
    return render_template(
        "modeler/versions.html",
        work=work,
        title=title_of(key, work.name),
        rows=_rows(session, key),
        running=running,
        older=sum(count for id, count in running.items() if work.deployed is None or id != work.deployed.id),
        runs=migration.latest(session, key),
    )


def _rows(session: Session, key: str) -> list[Definition]:
    newest_first = select(Definition).where(Definition.key == key).order_by(Definition.version.desc())
    return list(session.scalars(newest_first.limit(MOST_VERSIONS)))


@pages.get("/<key>/versions/<int:number>")
@requires(DEPLOY)
def version(key: str, number: int) -> str:
    """A version to look at."""
    session = Sessions()
    row = workspace.version(session, key, number)
    return render_template(
        "modeler/version.html",
        work=workspace.find(session, key),
        title=title_of(key, row.name),
        row=row,
        files=[file.name for file in row.files],
        running=overview.running_by_version(session, key).get(row.id, 0),
    )


@pages.get("/<key>/versions/<int:number>/picture")
@requires(DEPLOY)
def version_picture(key: str, number: int) -> Response:
    row = workspace.version(Sessions(), key, number)
    files = {file.name: file.content for file in row.files}
    return jsonify(
        xml=files.get(workspace.main_file(key, files), ""), state={"active": [], "failed": []}, lang=current_locale()
    )


@pages.get("/<key>/versions/<int:number>/download")
@requires(DEPLOY)
def download(key: str, number: int) -> Response:
    """All files of a version in one archive, as they were deployed."""
    row = workspace.version(Sessions(), key, number)
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in row.files:
            archive.writestr(zipfile.ZipInfo(file.name, row.deployed_at.timetuple()[:6]), file.content)
    response = make_response(packed.getvalue())
    response.mimetype = "application/zip"
    response.headers["Content-Disposition"] = f'attachment; filename="{key}-{number}.zip"'
    return response


@pages.post("/<key>/versions/<int:number>/load")
@requires(DEPLOY)
def load(key: str, number: int) -> BaseResponse:
    """Take a version up again as the draft; never over what somebody else is drafting."""
    actor, token = current_actor(), request.form.get("token", "")

    def take_up(session: Session) -> None:
        work = workspace.find(session, key)
        if work.draft is not None and work.draft.changed_by != actor.person_id:
            raise RuleViolation(
                _("{who} is drafting the next version.", who=work.draft.changed_by_name),
                remedy=_("Ask for the draft to be deployed or thrown away first."),
            )
        wanted = workspace.own_files(session, workspace.version(session, key, number))
        gone = dict.fromkeys(work.files.keys() - wanted.keys())
        workspace.save(session, actor, key, token, {**wanted, **gone})

    runtime.perform(take_up)
    flash(str(_("Version {version} is the draft now.", version=number)), "success")
    return redirect(url_for("designer.draw", key=key))


# ------------------------------------------------------------------------------------------------- comparing


@dataclass(frozen=True)
class Side:
    """What is compared: a version or the draft."""

    value: str
    title: Sentence
    files: Mapping[str, str]


@pages.get("/<key>/compare")
@requires(DEPLOY)
def compare(key: str) -> str:
    """?before=1&after=2, or "draft"; without them what the draft changes, else what the last deployment did."""
    session = Sessions()
    work = workspace.find(session, key)
    newest = DRAFT if work.draft else str(work.version)
    after = _side(session, work, request.args.get("after") or newest)
    fallback = work.version if after.value == DRAFT else max(1, int(after.value) - 1)
    before = _side(session, work, request.args.get("before") or str(fallback))
    return render_template(
        "modeler/compare.html",
        work=work,
        title=title_of(key, work.name),
        before=before,
        after=after,
        choices=_choices(session, work),
        diagrams=differences.of_diagrams(before.files, after.files, key),
        files=differences.of_files(before.files, after.files),
    )


def _side(session: Session, work: workspace.Workspace, value: str) -> Side:
    if value == DRAFT:
        if work.draft is None:
            raise NotFound(_("There is no draft of “{key}”.", key=work.key))
        return Side(DRAFT, _("Draft"), work.files)
    if not value.isdecimal() or len(value) > 9:
        raise NotFound
    row = workspace.version(session, work.key, int(value))
    return Side(value, _("Version {version}", version=row.version), workspace.own_files(session, row))


def _choices(session: Session, work: workspace.Workspace) -> list[tuple[str, Sentence]]:
    drafted = [(DRAFT, _("Draft"))] if work.draft else []
    return drafted + [
        (str(row.version), _("Version {version}", version=row.version)) for row in _rows(session, work.key)
    ]
