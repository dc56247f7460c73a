"""What runs on an older version goes to a newer one: the map, what a simulation found, portions, results, and back."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from flask import flash, make_response, redirect, render_template, request, url_for
from sqlalchemy import case, select
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response as BaseResponse

from engine import migration, runtime, workflow
from engine.actor import Actor
from engine.db import Sessions
from engine.errors import AppError, NotFound
from engine.i18n import Sentence, _
from engine.migration import runs
from engine.models import Instance, MigrationItem, MigrationRun
from engine.repository import DEPLOY
from engine.work_items.rights import readable_by
from engine.workflow import Match
from webapp.modeler import differences, workspace
from webapp.modeler.blueprint import pages
from webapp.modeler.offers import title_of
from webapp.security.access import current_actor, requires
from webapp.skin.words import Word

MOST_SHOWN = 100
CHOICE = "map."

STATES = {
    "simulating": Word(_("simulating"), "blue", "progress"),
    "ready": Word(_("ready"), "green", "circle-check"),
    "running": Word(_("migrating"), "blue", "progress"),
    "reverting": Word(_("going back"), "amber", "progress"),
    "finished": Word(_("finished"), "green", "circle-check"),
    "replaced": Word(_("replaced by a newer run"), "grey", "minus"),
}
RESULTS = {
    "waiting": Word(_("waits"), "grey", "hourglass"),
    "queued": Word(_("queued"), "blue", "progress"),
    "migrated": Word(_("migrated"), "green", "circle-check"),
    "refused": Word(_("refused"), "red", "circle-x"),
    "reverting": Word(_("going back"), "amber", "progress"),
    "reverted": Word(_("taken back"), "grey", "arrow-back-up"),
}
VERDICTS = {
    "": Word(_("not simulated yet"), "grey", "hourglass"),
    "fits": Word(_("fits"), "green", "circle-check"),
    "attention": Word(_("needs attention"), "amber", "alert-triangle"),
    "refused": Word(_("does not fit"), "red", "circle-x"),
}
REASONS = {
    "same": _("same element"),
    "name": _("same name"),
    "neighbours": _("same neighbours"),
    "person": _("chosen by hand"),
    "none": _("nothing found"),
}


@dataclass(frozen=True)
class Row:
    """One entry of the map, with what may be chosen instead."""

    match: Match
    kind: Sentence
    reason: Sentence
    choices: tuple[tuple[str, str], ...]


@dataclass(frozen=True)
class Line:
    """One instance of a run; `title` is "" for who may not read it."""

    id: int
    title: str
    state: Word
    verdict: Word
    reasons: tuple[Sentence, ...]
    can_go_back: bool


@pages.post("/<key>/migrations")
@requires(DEPLOY)
def begin_migration(key: str) -> BaseResponse:
    """Simulate: from one version to another, with what a person has chosen in the map."""
    actor = current_actor()
    old, new = request.form.get("from", 0, type=int), request.form.get("to", 0, type=int)
    found = {name.removeprefix(CHOICE): value for name, value in request.form.items() if name.startswith(CHOICE)}
    chosen = {old: "" if new == "-" else new for old, new in found.items() if new}

    def begin(session: Session) -> int:
        before, after = workspace.version(session, key, old), workspace.version(session, key, new)
        return migration.begin(session, actor, before.id, after.id, chosen).id

    return redirect(url_for("designer.migration_report", key=key, run_id=runtime.perform(begin)))


@pages.get("/<key>/migrations/<int:run_id>")
@requires(DEPLOY)
def migration_report(key: str, run_id: int) -> str:
    return _page(key, run_id)


def _page(key: str, run_id: int, refusal: AppError | None = None) -> str:
    session, actor = Sessions(), current_actor()
    report = migration.report(session, run_id, key)
    context = {
        "report": report,
        "state": STATES[report.run.state],
        "busy": report.run.state in runs.BUSY,
        "lines": _lines(session, actor, report.run),
        "most": MOST_SHOWN,
        "refusal": refusal,
    }
    if "HX-Request" in request.headers:
        return render_template("modeler/_migration.html", **context)
    listed = [_row(report, match) for match in report.pair.map.matches]
    work = workspace.find(session, key)
    return render_template(
        "modeler/migration.html",
        work=work,
        title=title_of(key, work.name),
        changed=[row for row in listed if row.match.reason != "same"],
        same=[row for row in listed if row.match.reason == "same"],
        **context,
    )


def _row(report: migration.Report, match: Match) -> Row:
    pair = report.pair
    tag = match.kind.partition(":")[0]
    offered = workflow.candidates_for(pair.drawn_old, pair.drawn_new, match.old)
    kind = differences.KINDS.get("subProcess" if tag == "eventSubProcess" else tag, _("element"))
    return Row(match, kind, REASONS[match.reason], tuple(offered))


def _lines(session: Session, actor: Actor, run: MigrationRun) -> list[Line]:
    """Those somebody should look at first, then the oldest."""
    looked_at = case(
        (MigrationItem.state == "refused", 0),
        (MigrationItem.verdict == "refused", 1),
        (MigrationItem.verdict == "attention", 2),
        else_=3,
    )
    wanted = select(MigrationItem).where(MigrationItem.run_id == run.id)
    items = session.scalars(wanted.order_by(looked_at, MigrationItem.instance_id).limit(MOST_SHOWN)).all()
    titles = _titles(session, actor, [item.instance_id for item in items])
    return [
        Line(
            item.instance_id,
            titles.get(item.instance_id, ""),
            RESULTS[item.state],
            VERDICTS[item.verdict],
            tuple(migration.problems_of(item)),
            item.state == "migrated",
        )
        for item in items
    ]


def _titles(session: Session, actor: Actor, ids: Sequence[int]) -> dict[int, str]:
    """Of those the designer may read: the others stay numbers."""
    found = session.execute(select(Instance.id, Instance.title).where(Instance.id.in_(ids), readable_by(actor)))
    return dict(found.all())


@pages.post("/<key>/migrations/<int:run_id>/go")
@requires(DEPLOY)
def migration_go(key: str, run_id: int) -> BaseResponse:
    """The next portion: one, ten, all; or what was refused, once more."""
    actor, portion = current_actor(), request.form.get("portion", "")

    def go(session: Session) -> int:
        if portion == "refused":
            return migration.try_again(session, actor, run_id)
        if portion not in runs.PORTIONS:
            raise NotFound
        return migration.let(session, actor, run_id, portion)  # type: ignore[arg-type]

    return _done(key, run_id, go, lambda count: _("Queued for the new version: {count}.", count=count))


@pages.post("/<key>/migrations/<int:run_id>/back")
@requires(DEPLOY)
def migration_back(key: str, run_id: int) -> BaseResponse:
    """One that was migrated, or all of them, back to the old version."""
    actor, instance = current_actor(), request.form.get("instance", type=int)
    only = None if instance is None else [instance]
    return _done(
        key,
        run_id,
        lambda session: migration.take_back(session, actor, run_id, only),
        lambda count: _("Queued to go back: {count}.", count=count),
    )


def _done(key: str, run_id: int, work: Callable[[Session], int], said: Callable[[int], Sentence]) -> BaseResponse:
    """Do it and show the report again, with the refusal when there is one."""

    def of_this_process(session: Session) -> int:
        runs.find(session, run_id, key)
        return work(session)

    try:
        count = runtime.perform(of_this_process)
    except NotFound:
        raise
    except AppError as refusal:
        Sessions().rollback()
        return make_response(_page(key, run_id, refusal), refusal.status)
    flash(str(said(count)), "success")
    return redirect(url_for("designer.migration_report", key=key, run_id=run_id))
