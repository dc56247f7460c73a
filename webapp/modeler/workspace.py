"""What a designer works on: the draft of a definition when there is one, else what is deployed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from engine import repository
from engine.actor import Actor
from engine.errors import AppError, DeploymentRefused, InvalidForm, NotFound, Problem
from engine.i18n import Sentence, _
from engine.models import Definition, DefinitionDraft
from engine.workflow import dialect
from engine.workflow.xml_guard import MAX_BYTES
from webapp.skin import formats

ENDINGS = (".bpmn", ".dmn", ".form.json")
MOST_FILES = 50


class Stale(AppError):
    """Somebody has saved or deployed since the page was opened; nothing is overwritten."""

    status = 412
    code = "stale"


@dataclass(frozen=True)
class Workspace:
    key: str
    deployed: Definition | None
    """the newest version"""
    draft: DefinitionDraft | None
    files: Mapping[str, str]

    @property
    def version(self) -> int:
        return self.deployed.version if self.deployed else 0

    @property
    def token(self) -> str:
        """The ETag of all of it: it changes with every save and every deployment."""
        return f"{self.version}.{self.draft.revision if self.draft else 0}"

    @property
    def name(self) -> str:
        return self.draft.name if self.draft else self.deployed.name if self.deployed else self.key

    @property
    def main(self) -> str:
        """The file the process itself is drawn in."""
        return main_file(self.key, self.files)

    @property
    def is_outdated(self) -> bool:
        """A version was deployed after the draft was saved: the draft does not have its changes."""
        return bool(self.draft and self.deployed and self.draft.changed_at < self.deployed.deployed_at)

    def changed(self, changes: Mapping[str, str | None]) -> dict[str, str]:
        """The files with these in place; None takes one away."""
        merged = {**self.files, **changes}
        return {name: text for name, text in merged.items() if text is not None}


def main_file(key: str, files: Mapping[str, str]) -> str:
    own = f"{key}.bpmn"
    if own in files:
        return own
    diagram = dialect.read(files, key)
    scope = diagram.scopes.get(diagram.processes.get(key, ""))
    return scope.file if scope else next((name for name in files if name.endswith(".bpmn")), own)


# ------------------------------------------------------------------------------------------------- reading


def find(session: Session, key: str, *, lock: bool = False) -> Workspace:
    """Raises NotFound when there is neither a version nor a draft. lock: nobody else saves or deploys meanwhile."""
    newest = select(Definition).where(Definition.key == key).order_by(Definition.version.desc()).limit(1)
    if lock:
        session.scalars(newest.with_for_update()).first()
    # Asked again under the lock: whoever held it before may have deployed a version.
    deployed = session.scalars(newest.execution_options(populate_existing=True)).first()
    draft = session.get(DefinitionDraft, key, populate_existing=True, with_for_update=lock)
    if deployed is None and draft is None:
        raise NotFound(_("There is no process “{key}”.", key=key))
    files = dict(draft.files) if draft else own_files(session, deployed) if deployed else {}
    return Workspace(key, deployed, draft, files)


def version(session: Session, key: str, number: int) -> Definition:
    row = session.scalars(select(Definition).where(Definition.key == key, Definition.version == number)).first()
    if row is None:
        raise NotFound(_("There is no version {number} of “{key}”.", number=number, key=key))
    return row


def own_files(session: Session, row: Definition) -> dict[str, str]:
    """A version's files but those of called processes deployed by themselves: deploying pins their newest ones."""
    files = {file.name: file.content for file in row.files}
    diagram = dialect.read(files, row.key)
    others = select(Definition).where(Definition.key.in_(diagram.processes.keys() - {row.key}))
    of_others = {file.name for other in session.scalars(others) for file in other.files}
    shapes = (shape for scope, shape in diagram.shapes() if scope.process == row.key)
    own = {main_file(row.key, files)} | {f"{shape.node.form_key}.form.json" for shape in shapes if shape.node.form_key}
    return {name: text for name, text in files.items() if name in own or name not in of_others}


def lint(session: Session, work: Workspace, changes: Mapping[str, str | None]) -> list[Problem]:
    """Every problem and warning of the files with these changes."""
    files = work.changed(changes)
    return [*_wrong_process(work.key, files), *repository.lint(session, files)]


def _wrong_process(key: str, files: Mapping[str, str]) -> list[Problem]:
    """A renamed process would be deployed beside this one instead of as its next version."""
    drawn = dialect.read(files).main
    if not drawn or drawn == key:
        return []
    message = _("The process drawn here is “{drawn}”, but this is the definition of “{key}”.", drawn=drawn, key=key)
    remedy = _("Give the process the id {key}, or import the diagram as a process of its own.", key=key)
    return [Problem(drawn, message, remedy, rule="process_id", file=main_file(key, files))]


# ------------------------------------------------------------------------------------------------- writing


def create(session: Session, actor: Actor, key: str, name: str, files: Mapping[str, str]) -> None:
    """A draft where there is none yet; over what is deployed it waits to become the next version."""
    _check_files(files)
    try:
        repository.save_draft(session, actor, key, name, files, None)
    except IntegrityError as error:  # two people at the same moment
        raise Stale(_("Somebody else has just made a draft of “{key}”.", key=key)) from error


def save(
    session: Session, actor: Actor, key: str, token: str, changes: Mapping[str, str | None], name: str = ""
) -> Workspace:
    """Keep these changes in the draft. Raises Stale when somebody has saved or deployed since `token`."""
    work = _unchanged(session, key, token)
    files = work.changed(changes)
    _check_files(files)
    revision = work.draft.revision if work.draft else None
    repository.save_draft(session, actor, key, name or drawn_name(key, files) or work.name, files, revision)
    return find(session, key)


def deploy(
    session: Session, actor: Actor, key: str, token: str, changes: Mapping[str, str | None]
) -> tuple[Workspace, bool]:
    """Make the next version of the files with these changes; the draft has become it and goes.

    Answers the workspace afterwards, and whether there really was something new.
    Raises Stale as saving does, DeploymentRefused with every problem at once.
    """
    work = _unchanged(session, key, token)
    files = work.changed(changes)
    _check_files(files)
    wrong = _wrong_process(key, files)
    if wrong:
        raise DeploymentRefused([*wrong, *repository.lint(session, files)])
    row = repository.deploy(session, actor, files, package=work.deployed.package if work.deployed else "")
    if work.draft is not None:
        repository.discard_draft(session, actor, key, work.draft.revision)
    return find(session, key), row.version != work.version


def drawn_name(key: str, files: Mapping[str, str]) -> str:
    """What the diagram calls the process."""
    diagram = dialect.read(files, key)
    scope = diagram.scopes.get(diagram.processes.get(key, ""))
    return scope.name[:200] if scope else ""


def _unchanged(session: Session, key: str, token: str) -> Workspace:
    work = find(session, key, lock=True)
    if work.token != token:
        raise Stale(_what_happened(work, token))
    return work


def _what_happened(work: Workspace, token: str) -> Sentence:
    """Who was faster, and with what."""
    if work.deployed and not token.startswith(f"{work.version}."):
        return _(
            "{who} deployed version {version} of this process at {time}.",
            who=formats.person(work.deployed.deployed_by),
            version=work.version,
            time=clock_time(work.deployed),
        )
    if work.draft:
        return _("{who} saved this draft at {time}.", who=work.draft.changed_by_name, time=clock_time(work.draft))
    return _("The draft this page was opened with has been thrown away.")


def clock_time(of: Definition | DefinitionDraft) -> str:
    at = of.deployed_at if isinstance(of, Definition) else of.changed_at
    return formats.instant(at)


def _check_files(files: Mapping[str, str]) -> None:
    problems = [
        Problem(name, _("“{name}” is none of {endings}.", name=name, endings=", ".join(ENDINGS)))
        for name in files
        if not name.endswith(ENDINGS)
    ]
    problems += [
        Problem(name, _("“{name}” is larger than {limit} MB.", name=name, limit=MAX_BYTES // 1_000_000))
        for name, text in files.items()
        if len(text) > MAX_BYTES
    ]
    problems += [
        Problem(name, _("“{name}” holds signs that are no text.", name=name))
        for name, text in files.items()
        if "\0" in text
    ]
    if len(files) > MOST_FILES:
        problems.append(Problem("", _("A definition has at most {count} files.", count=MOST_FILES)))
    if problems:
        raise InvalidForm(problems)
