"""Word documents: templates and their upload, the form a template asks for, what was made of it."""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from typing import Any

from flask import Blueprint, flash, make_response, redirect, render_template, request, url_for
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.datastructures.file_storage import FileStorage
from werkzeug.wrappers import Response as BaseResponse

from engine import attachments, db
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, InvalidForm, NotFound, Problem
from engine.i18n import _
from processes.document import operations, rules
from processes.document.models import WordTemplateVersion
from processes.document.permissions import MAKE_DOCUMENTS, MANAGE_TEMPLATES
from webapp.once import once
from webapp.security.access import current_actor, requires, signed_in

pages = Blueprint("documents", __name__, url_prefix="/documents")

MOST_LINES = 200
"""Of a list in a form; longer ones come over the interface."""
FIRST_LINES = 1

Values = Mapping[str, str]


@pages.get("/")
@signed_in
def index() -> str:
    """The templates one may make documents from."""
    return render_template(
        "documents/index.html", versions=list(operations.usable(Sessions(), current_actor())), manage=MANAGE_TEMPLATES
    )


# ------------------------------------------------------------------------------------------------- uploading


@pages.route("/upload", methods=["GET", "POST"])
@requires(MANAGE_TEMPLATES)
def upload() -> str | BaseResponse:
    """A new template, or the next version of one; a bad one comes back with every fault beside its paragraph."""
    if request.method == "GET":
        return _upload_page({}, ())
    actor, form, given = current_actor(), request.form, request.files.get("file")
    if given is None or not given.filename:
        return make_response(_upload_page({"file": [str(_("Please choose a file."))]}, ()), 422)
    name, content = given.filename, given.read()
    try:
        with db.transaction() as session:
            version = operations.upload_template(
                session,
                actor,
                code=form.get("code", ""),
                title=form.get("title", ""),
                file_name=name,
                content=content,
            )
            number, title = version.number, version.template.title
    except InvalidForm as refusal:
        return make_response(_upload_page(_by_field(refusal), ()), 422)
    except NotFound:
        raise
    except AppError as refusal:
        faults = refusal.problems if refusal.code == "bad_template" else ()
        said = [str(one.message) for one in refusal.problems] if not faults else [str(refusal)]
        return make_response(_upload_page({"": [] if faults else said}, faults, str(refusal)), refusal.status)
    flash(str(_("{title} is in use in version {number}.", title=title, number=number)), "success")
    return redirect(url_for("documents.index"))


def _upload_page(problems: Mapping[str, Sequence[str]], faults: Sequence[Problem], said: str = "") -> str:
    known = {one.template.code: one.template.title for one in operations.usable(Sessions(), current_actor())}
    code = request.form.get("code", request.args.get("code", ""))
    return render_template(
        "documents/upload.html",
        problems=problems,
        faults=faults,
        said=said,
        code=code,
        template_title=request.form.get("title", known.get(code, "")),
        filters=sorted(rules.FILTERS),
    )


def _by_field(refusal: InvalidForm) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in refusal.problems:
        found.setdefault(problem.where, []).append(str(problem.message))
    return found


# ------------------------------------------------------------------------------------------------- making one


@pages.route("/make/<code>", methods=["GET", "POST"])
@requires(MAKE_DOCUMENTS)
def make(code: str) -> str | BaseResponse:
    """The form of a template's fields; lists grow and shrink line by line."""
    actor = current_actor()
    version = _version(Sessions(), actor, code)
    form, counts = request.form, _counts(version.fields, request.form)
    asked = _lines_asked(form, counts)
    if request.method == "GET" or asked:
        return _make_page(version, asked or form, counts, {})
    data = _read(version.fields, form, counts)

    def work(session: Session) -> dict[str, Any]:
        _pictures(session, actor, version.fields, data)
        key = form.get("submission") or secrets.token_urlsafe(12)
        made = operations.make_document(
            session, actor, template=code, data=data, key=f"page:{key}", name=form.get("name", "")
        )
        return {"id": made.id}

    try:
        made = once(actor, form.get("submission", ""), work)
    except NotFound:
        raise
    except InvalidForm as refusal:
        problems = {where.removeprefix("data."): texts for where, texts in _by_field(refusal).items()}
        return make_response(_make_page(version, form, counts, problems), 422)
    except AppError as refusal:
        said = [str(one.message) for one in refusal.problems] or [str(refusal)]
        return make_response(_make_page(version, form, counts, {"": said}), refusal.status)
    return redirect(url_for("documents.show", document_id=made["id"]))


def _version(session: Session, actor: Actor, code: str) -> WordTemplateVersion:
    for version in operations.usable(session, actor):
        if version.template.code == code:
            return version
    raise NotFound


def _make_page(
    version: WordTemplateVersion, values: Values, counts: Mapping[str, int], problems: Mapping[str, Sequence[str]]
) -> str:
    return render_template(
        "documents/make.html",
        version=version,
        plain=[one for one in version.fields if one["kind"] not in {"group", "list"}],
        parts=[one for one in version.fields if one["kind"] in {"group", "list"}],
        values=values,
        counts=counts,
        problems=problems,
        submission=values.get("submission") or secrets.token_urlsafe(12),
    )


def _counts(fields: Sequence[Mapping[str, Any]], form: Values, before: str = "") -> dict[str, int]:
    """How many lines each list of the form has."""
    found: dict[str, int] = {}
    for one in fields:
        path = f"{before}{one['name']}"
        if one["kind"] == "list":
            given = form.get(f"lines.{path}", "")
            found[path] = min(int(given), MOST_LINES) if given.isdecimal() and len(given) < 6 else FIRST_LINES
        elif one["kind"] == "group":
            found |= _counts(one["fields"], form, f"{path}.")
    return found


def _lines_asked(form: MultiDict[str, str], counts: dict[str, int]) -> dict[str, str]:
    """The form with one line more or less, when that is what its sender pressed; {} otherwise. Changes `counts`."""
    more, less = form.get("more", ""), form.get("less", "")
    if more in counts:
        counts[more] = min(counts[more] + 1, MOST_LINES)
        return form.to_dict()
    path, _dot, place = less.rpartition(".")
    if path not in counts or not place.isdecimal() or int(place) >= counts[path]:
        return {}
    gone, kept = int(place), {}
    for name, value in form.items():
        number, dot, rest = name.removeprefix(f"{path}.").partition(".")
        if not name.startswith(f"{path}.") or not number.isdecimal() or int(number) < gone:
            kept[name] = value
        elif int(number) > gone:
            kept[f"{path}.{int(number) - 1}{dot}{rest}"] = value
    counts[path] -= 1
    return kept


def _read(
    fields: Sequence[Mapping[str, Any]], form: Values, counts: Mapping[str, int], before: str = ""
) -> dict[str, Any]:
    """The data as typed; what was left empty is not there, so that it is missing where it is wanted."""
    data: dict[str, Any] = {}
    for one in fields:
        name, path = one["name"], f"{before}{one['name']}"
        typed = form.get(path, "").strip()
        if one["kind"] == "group":
            data[name] = _read(one["fields"], form, counts, f"{path}.")
        elif one["kind"] == "list" and one["fields"]:
            data[name] = [_read(one["fields"], form, counts, f"{path}.{n}.") for n in range(counts.get(path, 0))]
        elif one["kind"] == "list":
            lines = (form.get(f"{path}.{n}", "").strip() for n in range(counts.get(path, 0)))
            data[name] = [line for line in lines if line]
        elif one["kind"] == "flag":
            data[name] = bool(typed)
        elif typed:
            data[name] = typed
    return data


def _pictures(
    session: Session, actor: Actor, fields: Sequence[Mapping[str, Any]], data: dict[str, Any], before: str = ""
) -> None:
    """Keep the pictures that came with the form, and name them in the data."""
    for one in fields:
        path = f"{before}{one['name']}"
        if one["kind"] == "group":
            _pictures(session, actor, one["fields"], data[one["name"]], f"{path}.")
        elif one["kind"] == "list" and one["fields"]:
            for number, line in enumerate(data[one["name"]]):
                _pictures(session, actor, one["fields"], line, f"{path}.{number}.")
        elif one["kind"] == "picture":
            given: FileStorage | None = request.files.get(path)
            if given is not None and given.filename:
                given.stream.seek(0)
                data[one["name"]] = attachments.store(session, actor, given.filename, given.read()).id


# ------------------------------------------------------------------------------------------------- what was made


@pages.get("/<int:document_id>")
@signed_in
def show(document_id: int) -> str:
    """A document with its files; while the PDF is being made the page looks again by itself."""
    document = operations.document_of(Sessions(), current_actor(), document_id)
    why = rules.NO_PDF.get(document.reason)
    return render_template("documents/show.html", document=document, why=why)


@pages.post("/<int:document_id>/print")
@signed_in
def print_again(document_id: int) -> BaseResponse:
    actor = current_actor()
    operations.document_of(Sessions(), actor, document_id)
    with db.transaction() as session:
        operations.print_again(session, actor, document_id=document_id)
    return redirect(url_for("documents.show", document_id=document_id))
