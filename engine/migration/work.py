"""The worker's part of a run: one instance after the other, each in a transaction of its own; bears being run twice."""

from __future__ import annotations

import logging
from collections.abc import Callable
from functools import partial

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import clock, events
from engine.actor import Actor
from engine.db import Sessions, transaction
from engine.errors import AppError
from engine.i18n import Sentence, _
from engine.migration import instances, runs
from engine.migration.instances import CannotMigrate, Pair
from engine.models import MigrationItem, MigrationRun
from engine.repository import DEPLOY
from engine.runtime import perform

logger = logging.getLogger(__name__)

BATCH = 50

PORTION_EVENT = "process.migration_portion_done"
"""Published with run_id, definition_key, migrated, refused, reverted, left: supervisors are told what came of it."""


def work() -> int:
    """Go on with every run that has something to do; how many instances were looked at or moved."""
    with transaction() as session:
        busy = [
            (run.id, run.from_id, run.to_id, dict(run.chosen))
            for run in session.scalars(select(MigrationRun).where(MigrationRun.state.in_(runs.BUSY)))
        ]
    Sessions.remove()
    done = 0
    for run_id, from_id, to_id, chosen in busy:
        try:
            done += _go_on(run_id, from_id, to_id, chosen)
        except Exception:
            logger.exception("migration.run_failed", extra={"run_id": run_id})
        finally:
            Sessions.remove()
    return done


def _go_on(run_id: int, from_id: int, to_id: int, chosen: dict[str, str]) -> int:
    with transaction() as session:
        pair = instances.load_pair(session, from_id, to_id, chosen)
    Sessions.remove()
    done = _simulate(run_id, pair)
    done += _each(run_id, "queued", partial(_migrate, pair))
    done += _each(run_id, "reverting", _revert)
    _settle(run_id)
    return done


# ------------------------------------------------------------------------------------------------- on copies


def _simulate(run_id: int, pair: Pair) -> int:
    done = 0
    while True:
        with transaction() as session:
            unseen = MigrationItem.run_id == run_id, MigrationItem.verdict == ""
            oldest_first = select(MigrationItem.instance_id).where(*unseen).order_by(MigrationItem.instance_id)
            ids = list(session.scalars(oldest_first.limit(BATCH)))
        found = {instance_id: _looked_at(pair, instance_id) for instance_id in ids}
        with transaction() as session:
            for instance_id, outlook in found.items():
                session.execute(
                    update(MigrationItem)
                    .where(MigrationItem.run_id == run_id, MigrationItem.instance_id == instance_id)
                    .where(MigrationItem.verdict == "")
                    .values(verdict=outlook.verdict, reasons=runs.kept(outlook.reasons))
                    .execution_options(synchronize_session=False)
                )
        Sessions.remove()
        done += len(ids)
        if len(ids) < BATCH:
            return done


def _looked_at(pair: Pair, instance_id: int) -> instances.Outlook:
    """On a copy; a defect of ours is one more reason not to move it, and stops no other."""
    session = Sessions()
    if session.get_bind().dialect.name == "sqlite":  # it only looks: it shall not wait for the one writer
        session.connection(execution_options={"read_only": True})
    try:
        return instances.foresee(session, pair, instance_id)
    except Exception:
        logger.exception("migration.simulation_failed", extra={"instance_id": instance_id})
        return instances.Outlook("refused", (FAILED,))
    finally:
        session.rollback()


FAILED = _("It could not be moved for a reason nobody foresaw; the log of the server tells more.")


# ------------------------------------------------------------------------------------------------- for good


def _each(run_id: int, state: str, act: Callable[[Session, MigrationItem], str]) -> int:
    """Every item in this state, oldest first: one transaction each; a refusal is its result."""
    done = 0
    with transaction() as session:
        waiting = MigrationItem.run_id == run_id, MigrationItem.state == state
        ids = list(
            session.scalars(select(MigrationItem.instance_id).where(*waiting).order_by(MigrationItem.instance_id))
        )
    for instance_id in ids:
        try:
            done += perform(partial(_one, run_id, instance_id, state, act))
        except AppError as refusal:  # too many people at it: it stays queued for the next round
            logger.warning("migration.later", extra={"instance_id": instance_id, "why": str(refusal)})
        except Exception:
            logger.exception("migration.failed", extra={"instance_id": instance_id})
            with transaction() as session:
                _note(session, run_id, instance_id, state, AFTER_REFUSAL[state], [FAILED])
        finally:
            Sessions.remove()
    return done


AFTER_REFUSAL = {"queued": "refused", "reverting": "migrated"}
"""What an item is again when it could not be done."""


def _one(
    run_id: int, instance_id: int, state: str, act: Callable[[Session, MigrationItem], str], session: Session
) -> int:
    # Another worker may hold it, or have done it since this one looked.
    item = session.scalars(
        select(MigrationItem)
        .where(MigrationItem.run_id == run_id, MigrationItem.instance_id == instance_id, MigrationItem.state == state)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).first()
    if item is None:
        return 0
    reasons: list[Sentence] = []
    try:
        with session.begin_nested():
            after = act(session, item)
    except CannotMigrate as refusal:
        after, reasons = AFTER_REFUSAL[state], refusal.reasons
    except AppError as refusal:
        after, reasons = AFTER_REFUSAL[state], [refusal.message]
    _note(session, run_id, instance_id, state, after, reasons)
    return 1


def _migrate(pair: Pair, session: Session, item: MigrationItem) -> str:
    instances.migrate(session, _who(item), pair, item.instance_id, run_id=item.run_id)
    return "migrated"


def _revert(session: Session, item: MigrationItem) -> str:
    instances.revert(session, _who(item), item.instance_id, run_id=item.run_id)
    return "reverted"


def _who(item: MigrationItem) -> Actor:
    """Whoever asked for it, with the right it was asked for by."""
    return Actor(item.by_id, item.by_name, permissions=frozenset({DEPLOY}))


def _note(session: Session, run_id: int, instance_id: int, before: str, after: str, reasons: list[Sentence]) -> None:
    session.execute(
        update(MigrationItem)
        .where(MigrationItem.run_id == run_id, MigrationItem.instance_id == instance_id)
        .where(MigrationItem.state == before)
        .values(state=after, reasons=runs.kept(reasons), at=clock.now())
        .execution_options(synchronize_session=False)
    )


def _settle(run_id: int) -> None:
    """Say that the run is through with what it was asked."""
    with transaction() as session:
        run = session.get(MigrationRun, run_id, with_for_update=True, populate_existing=True)
        counted = runs.counts(session, run_id)
        if run is None or run.state not in runs.BUSY:
            return
        if counted.state("queued", "reverting") or counted.verdict(""):
            return
        was, tried = run.state, counted.state("migrated", "refused", "reverted")
        run.state = "finished" if tried and not counted.left else "ready"
        run.changed_at = clock.now()
        if was != "simulating":
            events.publish(
                session,
                PORTION_EVENT,
                run_id=run.id,
                definition_key=run.key,
                migrated=counted.state("migrated"),
                refused=counted.state("refused"),
                reverted=counted.state("reverted"),
                left=counted.left,
            )
    Sessions.remove()
