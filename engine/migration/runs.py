"""A run: what is on one version goes to another, first on copies, then one, ten, all; each may go back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import func, insert, literal, select, update
from sqlalchemy.orm import Session

from engine import clock, i18n, queue
from engine.actor import Actor
from engine.db import after_commit
from engine.errors import Conflict, NotFound, RuleViolation
from engine.i18n import Sentence, _
from engine.migration.instances import UNDER_WAY, Pair, demand_right, load_pair
from engine.models import Definition, Instance, MigrationItem, MigrationRun

JOB = "engine.migrate_instances"

Portion = Literal["one", "ten", "all"]
PORTIONS: dict[str, int | None] = {"one": 1, "ten": 10, "all": None}

BUSY = ("simulating", "running", "reverting")
"""States of a run in which the worker has something to do."""


@dataclass(frozen=True, slots=True)
class Counts:
    """Of a run's instances."""

    pairs: Mapping[tuple[str, str], int]
    """(state, verdict) -> how many"""

    @property
    def total(self) -> int:
        return sum(self.pairs.values())

    def state(self, *names: str) -> int:
        return sum(number for (state, _verdict), number in self.pairs.items() if state in names)

    def verdict(self, name: str) -> int:
        return sum(number for (_state, verdict), number in self.pairs.items() if verdict == name)

    @property
    def left(self) -> int:
        """What a portion is taken from: not what the simulation has found impossible."""
        return sum(n for (state, verdict), n in self.pairs.items() if state == "waiting" and verdict != "refused")


@dataclass(frozen=True, slots=True)
class Report:
    run: MigrationRun
    pair: Pair
    counts: Counts


def begin(
    session: Session, actor: Actor, from_id: int, to_id: int, chosen: Mapping[str, str] | None = None
) -> MigrationRun:
    """Begin a run with a simulation of every instance that is under way on the old version; nothing moves yet.

    It takes the place of an earlier run of these versions of which nothing has been migrated.
    """
    demand_right(actor)
    load_pair(session, from_id, to_id, chosen)
    now = clock.now()
    run = MigrationRun(
        key=_key(session, from_id),
        from_id=from_id,
        to_id=to_id,
        chosen=dict(chosen or {}),
        state="simulating",
        started_at=now,
        started_by=actor.person_id,
        started_by_name=actor.name,
        changed_at=now,
    )
    session.add(run)
    session.flush()
    under_way = select(
        literal(run.id), Instance.id, literal("waiting"), literal(""), literal([], MigrationItem.reasons.type)
    )
    under_way = under_way.where(Instance.definition_id == from_id, Instance.state.in_(UNDER_WAY))
    session.execute(
        insert(MigrationItem).from_select(["run_id", "instance_id", "state", "verdict", "reasons"], under_way)
    )
    _replace_older(session, run)
    _wake(session)
    return run


def _key(session: Session, definition_id: int) -> str:
    return session.get_one(Definition, definition_id).key


def _replace_older(session: Session, run: MigrationRun) -> None:
    touched = select(MigrationItem.run_id).where(
        MigrationItem.run_id == MigrationRun.id, MigrationItem.state.not_in(("waiting", "refused"))
    )
    session.execute(
        update(MigrationRun)
        .where(
            MigrationRun.from_id == run.from_id,
            MigrationRun.to_id == run.to_id,
            MigrationRun.id != run.id,
            MigrationRun.state.in_(("simulating", "ready", "finished")),
            ~touched.exists(),
        )
        .values(state="replaced", changed_at=clock.now())
        .execution_options(synchronize_session=False)
    )
    session.flush()


def let(session: Session, actor: Actor, run_id: int, portion: Portion) -> int:
    """Let the next one, ten or all go, oldest first; how many these are. The worker takes them."""
    run = _open_run(session, actor, run_id)
    limit = PORTIONS[portion]
    # What the simulation has found impossible is not tried: it would only be refused again.
    wanted = select(MigrationItem.instance_id).where(
        MigrationItem.run_id == run.id, MigrationItem.state == "waiting", MigrationItem.verdict != "refused"
    )
    ids = session.scalars(wanted.order_by(MigrationItem.instance_id).limit(limit)).all()
    if not ids:
        raise Conflict(_("Nothing is left to migrate in this run."))
    return _queue(session, actor, run, ids, "queued", "running")


def try_again(session: Session, actor: Actor, run_id: int) -> int:
    """Queue what was refused once more: what it met may have passed."""
    run = _open_run(session, actor, run_id)
    refused = MigrationItem.run_id == run.id, MigrationItem.state == "refused"
    ids = session.scalars(select(MigrationItem.instance_id).where(*refused)).all()
    if not ids:
        raise Conflict(_("Nothing was refused in this run."))
    return _queue(session, actor, run, ids, "queued", "running")


def take_back(session: Session, actor: Actor, run_id: int, instance_ids: Sequence[int] | None = None) -> int:
    """Queue what was migrated (or these of it) to go back; the worker says of each whether it could."""
    run = _open_run(session, actor, run_id)
    wanted = select(MigrationItem.instance_id).where(MigrationItem.run_id == run.id, MigrationItem.state == "migrated")
    if instance_ids is not None:
        wanted = wanted.where(MigrationItem.instance_id.in_(instance_ids))
    ids = session.scalars(wanted).all()
    if not ids:
        raise Conflict(_("Nothing of this run can go back."))
    return _queue(session, actor, run, ids, "reverting", "reverting")


def _open_run(session: Session, actor: Actor, run_id: int) -> MigrationRun:
    demand_right(actor)
    run = session.get(MigrationRun, run_id, with_for_update=True, populate_existing=True)
    if run is None:
        raise NotFound
    if run.state == "replaced":
        raise Conflict(_("Another run with another map has taken the place of this one."))
    if run.state == "simulating":
        raise RuleViolation(_("The simulation is still under way."), remedy=_("Wait until it is through."))
    if run.state in BUSY:
        raise Conflict(_("This run is at work."), remedy=_("Wait until it is through."))
    return run


def _queue(session: Session, actor: Actor, run: MigrationRun, ids: Sequence[int], state: str, run_state: str) -> int:
    now = clock.now()
    for start in range(0, len(ids), 500):
        session.execute(
            update(MigrationItem)
            .where(MigrationItem.run_id == run.id, MigrationItem.instance_id.in_(ids[start : start + 500]))
            .values(state=state, by_id=actor.person_id, by_name=actor.name, at=now)
            .execution_options(synchronize_session=False)
        )
    run.state = run_state
    run.changed_at = now
    session.flush()
    _wake(session)
    return len(ids)


def _wake(session: Session) -> None:
    after_commit(session, lambda: queue.wake(JOB))


# ------------------------------------------------------------------------------------------------- reading


def find(session: Session, run_id: int, key: str = "") -> MigrationRun:
    run = session.get(MigrationRun, run_id, populate_existing=True)
    if run is None or (key and run.key != key):
        raise NotFound
    return run


def report(session: Session, run_id: int, key: str = "") -> Report:
    """A run with its map and how far it is."""
    run = find(session, run_id, key)
    pair = load_pair(session, run.from_id, run.to_id, run.chosen)
    return Report(run, pair, counts(session, run.id))


def latest(session: Session, key: str) -> dict[int, MigrationRun]:
    """Of each version of a process the newest run that takes its instances away."""
    newest = (
        select(func.max(MigrationRun.id))
        .where(MigrationRun.key == key, MigrationRun.state != "replaced")
        .group_by(MigrationRun.from_id)
    )
    return {run.from_id: run for run in session.scalars(select(MigrationRun).where(MigrationRun.id.in_(newest)))}


def counts(session: Session, run_id: int) -> Counts:
    columns = MigrationItem.state, MigrationItem.verdict
    found = session.execute(select(*columns, func.count()).where(MigrationItem.run_id == run_id).group_by(*columns))
    return Counts({(state, verdict): number for state, verdict, number in found})


# ------------------------------------------------------------------------------------------------- sentences kept


def kept(sentences: Sequence[Sentence]) -> list[dict[str, Any]]:
    """As they are stored: untranslated, for readers of any language."""
    return [i18n.kept(one) for one in sentences]


def problems_of(item: MigrationItem) -> list[Sentence]:
    """Why it needs attention, was refused or could not go back, for whoever reads it."""
    return [i18n.restored(one) for one in item.reasons]
