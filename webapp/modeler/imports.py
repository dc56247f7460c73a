"""Files somebody brings along become a draft, when they are what they say and nobody drafts that process already."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import PurePosixPath, PureWindowsPath

from sqlalchemy.orm import Session
from werkzeug.datastructures.file_storage import FileStorage

from engine.actor import Actor
from engine.errors import InvalidForm, Problem
from engine.i18n import _
from engine.models import DefinitionDraft
from engine.workflow import dialect
from engine.workflow.xml_guard import HostileXml, parse
from webapp.modeler import workspace
from webapp.modeler.workspace import ENDINGS

KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_.-]{0,99}")
LONGEST_NAME = 200


def texts(uploads: Iterable[FileStorage]) -> dict[str, str]:
    """The uploaded files by name. Raises InvalidForm with everything that cannot be taken."""
    found: dict[str, str] = {}
    problems: list[Problem] = []
    for upload in uploads:
        if not upload.filename:
            continue
        name = plain_name(upload.filename)
        try:
            text = upload.read().decode("utf-8-sig")
        except UnicodeDecodeError:
            problems.append(Problem(name, _("“{name}” is not UTF-8.", name=name)))
            continue
        if not name.endswith(ENDINGS) or len(name) > LONGEST_NAME:
            problems.append(Problem(name, _("“{name}” is none of {endings}.", name=name, endings=", ".join(ENDINGS))))
        elif not name.endswith(".form.json"):
            try:
                parse(text, name)
            except HostileXml as refused:
                problems.append(refused.problem)
        found[name] = text
    if problems:
        raise InvalidForm(problems)
    return found


def plain_name(given: str) -> str:
    """Without folders, whichever system it comes from. What other modelers call .bpmn20.xml is a .bpmn here."""
    name = PurePosixPath(PureWindowsPath(given).name).name
    name = "".join(sign for sign in name if sign.isprintable()).strip()
    return re.sub(r"\.bpmn20\.xml$", ".bpmn", name)


def bring_in(session: Session, actor: Actor, files: Mapping[str, str]) -> str:
    """Make a draft of these files; answers the key of its process."""
    if not any(name.endswith(".bpmn") for name in files):
        raise InvalidForm([Problem("files", _("Choose at least one .bpmn file."))])
    key = dialect.read(files).main
    if not key:
        raise InvalidForm([Problem("files", _("There is no process in these files."))])
    check_key(session, key)
    workspace.create(session, actor, key, workspace.drawn_name(key, files) or key, files)
    return key


def check_key(session: Session, key: str) -> None:
    """Whether a draft can be made under this key. Raises InvalidForm."""
    if not KEY.fullmatch(key):
        message = _("The key begins with a letter and has only letters, digits, “_”, “-” and “.”, at most 100.")
        raise InvalidForm([Problem("key", message)])
    draft = session.get(DefinitionDraft, key)
    if draft is not None:
        raise InvalidForm(
            [
                Problem(
                    "key",
                    _("{who} has a draft of “{key}” already.", who=draft.changed_by_name, key=key),
                    _("Open that draft, or have it thrown away first."),
                )
            ]
        )
