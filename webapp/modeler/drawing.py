"""The designer itself: the page around the modeler, and what the modeler asks of the server."""

from __future__ import annotations

import re
from typing import Any

from flask import Response, jsonify, make_response, render_template, request, url_for
from sqlalchemy.orm import Session

from engine import runtime
from engine.db import Sessions
from engine.errors import DeploymentRefused, InvalidForm, NotFound, Problem
from engine.i18n import _, current_locale
from engine.repository import DEPLOY
from webapp.bootstrap import language_of
from webapp.modeler import overview, workspace
from webapp.modeler.blueprint import LARGEST_BODY, looking, pages
from webapp.modeler.offers import offers, title_of
from webapp.modeler.workspace import Stale, Workspace
from webapp.security.access import current_actor, requires
from webapp.skin.assets import static_url

_ETAG = re.compile(r'(?:W/)?"([0-9]+\.[0-9]+)"')


@pages.get("/<key>")
@requires(DEPLOY)
def draw(key: str) -> str:
    session = Sessions()
    work = workspace.find(session, key)
    file = _file(work)
    return render_template(
        "modeler/designer.html",
        work=work,
        title=title_of(key, work.name),
        file=file,
        diagrams=sorted(name for name in work.files if name.endswith(".bpmn")),
        running=overview.running_by_process(session).get(key, 0),
        settings=_settings(session, work, file),
    )


def _settings(session: Session, work: Workspace, file: str) -> dict[str, Any]:
    """What the page hands to the modeler."""
    # Calls for JSON carry the language of the page they come from: people read the problems.
    language = language_of(current_locale())

    def address(view: str) -> str:
        return url_for(f"designer.{view}", key=work.key, file=file, _l_=language)

    return {
        "bundle": static_url("dist/bpmn-designer.js"),
        "lang": current_locale(),
        "version": work.version,
        "loadUrl": address("diagram"),
        "draftUrl": address("save_diagram"),
        "deployUrl": address("deploy_diagram"),
        "lintUrl": address("lint_diagram"),
        **offers(session, work),
        "words": {
            "saved": str(_("Draft saved {time}")),
            "version": str(_("Version {version}")),
            "deployed": str(_("Version {version} is in force.")),
            "unchanged": str(_("Nothing has changed since version {version}.")),
            "ask": str(_("Deploy this as version {version}? New requests follow it, running ones keep theirs.")),
        },
    }


def _file(work: Workspace) -> str:
    """The diagram asked for, else the one the process itself is drawn in."""
    file = request.args.get("file") or work.main
    if file not in work.files or not file.endswith(".bpmn"):
        raise NotFound
    return file


# ------------------------------------------------------------------------------------------------- for the modeler


@pages.get("/<key>/diagram")
@requires(DEPLOY)
def diagram(key: str) -> Response:
    """The diagram as text; its ETag covers all files of the definition."""
    work = workspace.find(Sessions(), key)
    response = make_response(work.files[_file(work)])
    response.mimetype = "application/xml"
    response.headers["Content-Disposition"] = "attachment"  # a browser must not render it
    response.headers["ETag"] = f'"{work.token}"'
    return response


@pages.get("/<key>/picture")
@requires(DEPLOY)
def picture(key: str) -> Response:
    """The same for the viewer, where there is no room for the modeler."""
    work = workspace.find(Sessions(), key)
    return jsonify(xml=work.files[_file(work)], state={"active": [], "failed": []}, lang=current_locale())


@pages.put("/<key>/diagram")
@requires(DEPLOY)
def save_diagram(key: str) -> Response:
    """Keep the drawing in the draft. If-Match: the ETag it was opened with, or the answer to the last save."""
    actor, token, changes = current_actor(), _if_match(), _drawn()
    work = runtime.perform(lambda session: workspace.save(session, actor, key, token, changes))
    return jsonify(revision=work.token)


@pages.post("/<key>/deploy")
@requires(DEPLOY)
def deploy_diagram(key: str) -> Response:
    """Make the drawing, with the other files, the next version. 422 lists every problem at its element."""
    actor, token, changes = current_actor(), _if_match(), _drawn()
    try:
        work, is_new = runtime.perform(lambda session: workspace.deploy(session, actor, key, token, changes))
    except DeploymentRefused as refusal:
        Sessions().rollback()
        problems = [_shown(one) for one in refusal.problems]
        return make_response(jsonify(detail=str(refusal), problems=problems), refusal.status)
    return jsonify(version=work.version, revision=work.token, new=is_new)


@pages.post("/<key>/lint")
@requires(DEPLOY)
def lint_diagram(key: str) -> Response:
    changes = _drawn()
    with looking() as session:
        problems = workspace.lint(session, workspace.find(session, key), changes)
    return jsonify(problems=[_shown(one) for one in problems])


def _shown(problem: Problem) -> dict[str, Any]:
    shown = problem.as_dict()
    if problem.file.endswith((".dmn", ".form.json")):  # no element of the drawing: say where it is
        shown["message"] = f"{problem.file} {problem.where}: {shown['message']}"
    return shown


def _if_match() -> str:
    match = _ETAG.fullmatch(request.headers.get("If-Match", "").strip())
    if match is None:
        raise Stale(_("This page does not say which state of the draft it was opened with. Reload it."))
    return match[1]


def _drawn() -> dict[str, str | None]:
    """The drawing that was sent, under the name of its file."""
    request.max_content_length = LARGEST_BODY
    body = request.get_json(silent=True)
    xml = body.get("xml") if isinstance(body, dict) else None
    if not isinstance(xml, str):
        raise InvalidForm([Problem("xml", _("There is no diagram in this request."))])
    return {request.args.get("file", ""): xml}
