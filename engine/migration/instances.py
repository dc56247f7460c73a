"""One instance to another version: tried on a copy, done, taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from engine import clock, journal, recorder, repository, workflow
from engine.actor import SYSTEM, Actor
from engine.db import after_commit
from engine.errors import AppError, Conflict, Forbidden, NotFound, RuleViolation
from engine.i18n import Sentence, _
from engine.journal import Entry
from engine.migration import preimage
from engine.models import Instance, InstanceLog
from engine.recorder import StepRows
from engine.runtime import Step, assign
from engine.runtime.cache import LIVE
from engine.runtime.facts import InstanceFacts, must_lock, read_instance
from engine.runtime.host import STEPPING, StaleInstance, StepHost
from engine.runtime.start import DryHost
from engine.runtime.step import StepResult, record
from engine.states import stands_still
from engine.work_items import rights
from engine.workflow import CannotMove, Moved, NodeMap, Version

MIGRATE = "migrate"
BACK = "migrate_back"

UNDER_WAY = ("running", "suspended")


class CannotMigrate(RuleViolation):
    """This instance does not fit the other version; all reasons are in `reasons`."""

    code = "cannot_migrate"

    def __init__(self, reasons: list[Sentence]) -> None:
        super().__init__(reasons[0], remedy=_("Choose another element in the map, or let it end on its version."))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Pair:
    """Two versions of a process and the way from the one to the other; made once for many instances."""

    old: repository.Loaded
    new: repository.Loaded
    drawn_old: Version
    drawn_new: Version
    map: NodeMap


@dataclass(frozen=True, slots=True)
class Outlook:
    """What migrating an instance would come to."""

    verdict: str
    """fits | attention | refused"""
    reasons: tuple[Sentence, ...] = ()


def may_migrate(actor: Actor) -> bool:
    return actor.may(repository.DEPLOY) or actor.may(rights.ADMINISTER)


def demand_right(actor: Actor) -> None:
    if not may_migrate(actor):
        raise Forbidden(_("Only process designers and administrators may migrate what runs."))


def load_pair(session: Session, from_id: int, to_id: int, chosen: Mapping[str, str] | None = None) -> Pair:
    """Raises InvalidForm for a choice that cannot be, RuleViolation when these are not two versions of one process."""
    old, new = repository.get(session, from_id), repository.get(session, to_id)
    if old.key != new.key or old.id == new.id:
        raise RuleViolation(_("Choose two different versions of one process."))
    return Pair(old, new, old.drawn, new.drawn, workflow.node_map(old.drawn, new.drawn, chosen))


# ------------------------------------------------------------------------------------------------- on a copy


def foresee(session: Session, pair: Pair, instance_id: int) -> Outlook:
    """Load, move, save, load again; then see whether open tasks still find their people. Writes nothing."""
    instance = session.get(Instance, instance_id, populate_existing=True)
    if instance is None:
        raise NotFound
    facts = _facts(instance)
    try:
        _check_state(pair, facts)
        host = _host(session, pair, facts, DryHost, SYSTEM)
        moved = _move(pair, instance.snapshot or b"", host)
        again = workflow.load(pair.new.compiled, moved.live.dump(), host)
        if again.tokens() != moved.live.tokens():
            return Outlook("refused", (_("Its state would not survive being saved in the new version."),))
        return _people(session, pair, facts, moved, host)
    except CannotMigrate as refusal:
        return Outlook("refused", tuple(refusal.reasons))
    except AppError as refusal:
        return Outlook("refused", (refusal.message,))


def _people(session: Session, pair: Pair, facts: InstanceFacts, moved: Moved, host: StepHost) -> Outlook:
    """The open tasks keep their items; whether a colleague could be found by the new rules shows a faulty drawing."""
    reasons = []
    for task in moved.open_tasks:
        node = pair.new.compiled.nodes[task.node]
        if node.kind == "startEvent":
            continue  # it lies with the starter, who mends what he sent
        try:
            _found, rule = assign.find(
                session,
                node,
                instance_id=facts.id,
                definition_key=facts.definition_key,
                starter_id=facts.starter_id,
                variables=task.data,
                form=host.form_values(),
            )
        except AppError as refusal:
            reasons.append(refusal.message)
            continue
        if rule == "fallback":
            step = node.name or node.id
            reasons.append(_("The rules of “{step}” find nobody; it would go to the fallback.", step=step))
    if moved.live.drain().opened:
        reasons.append(_("It goes on at once: a join has all it waits for in the new version."))
    return Outlook("attention", tuple(reasons)) if reasons else Outlook("fits")


# ------------------------------------------------------------------------------------------------- doing it


def migrate(
    session: Session, actor: Actor, pair: Pair, instance_id: int, *, rev: int | None = None, run_id: int | None = None
) -> StepResult:
    """Take the instance to the other version, inside the caller's transaction (see runtime.perform).

    rev: the revision the caller saw; a later one is a Conflict. Raises CannotMigrate with every reason, Conflict when
    it is over or on another version (somebody else was faster), StaleInstance when a step was faster.
    """
    demand_right(actor)
    facts = read_instance(session, instance_id)
    if facts is None:
        raise NotFound
    if rev is not None and rev != facts.rev:
        raise Conflict(_("This process has gone on in the meantime."), remedy=_("Load it again."))
    _check_state(pair, facts)
    stored = session.execute(
        select(Instance.snapshot, Instance.snapshot_format).where(Instance.id == facts.id, Instance.rev == facts.rev)
    ).first()
    if stored is None or stored.snapshot is None:
        raise StaleInstance(facts.id)
    before = preimage.take(session, facts.id)
    host = _host(session, pair, facts, StepHost, actor)
    session.info[STEPPING] = host
    try:
        moved = _move(pair, stored.snapshot, host)
        result = _record(session, actor, pair, facts, moved, host, run_id)
    finally:
        session.info.pop(STEPPING, None)
    _set_definition(session, facts.id, facts.rev + 1, pair.new.id, _people_of(pair, facts))
    preimage.follow(session, facts.id, moved.kept, _titles(pair, moved), moved.awaited)
    if not _went_on(result):
        preimage.keep(
            session,
            facts.id,
            rev=facts.rev + 1,
            definition_id=pair.old.id,
            run_id=run_id,
            snapshot=stored.snapshot,
            snapshot_format=stored.snapshot_format,
            rows=before,
        )
    preimage.expire(session, facts.id)
    return result


def _titles(pair: Pair, moved: Moved) -> dict[int, tuple[str, str]]:
    """Token -> (what its element is called in the old version, in the new), where that differs."""
    named = {
        token: (pair.old.compiled.nodes[old], pair.new.compiled.nodes[new]) for token, (old, new) in moved.kept.items()
    }
    titles = {token: ((old.name or old.id)[:200], (new.name or new.id)[:200]) for token, (old, new) in named.items()}
    return {token: pair for token, pair in titles.items() if pair[0] != pair[1]}


def _check_state(pair: Pair, facts: InstanceFacts) -> None:
    if facts.state not in UNDER_WAY:
        raise Conflict(stands_still(facts.state))
    if facts.definition_id == pair.new.id:
        raise Conflict(_("It runs on version {version} already.", version=pair.new.version))
    if facts.definition_id != pair.old.id:
        raise Conflict(_("It does not run on version {version} any more.", version=pair.old.version))
    if facts.state == "suspended":
        raise Conflict(_("It is suspended."), remedy=_("Resume it first."))


def _facts(row: Instance) -> InstanceFacts:
    return InstanceFacts(
        id=row.id,
        definition_id=row.definition_id,
        definition_key=row.definition_key,
        rev=row.rev,
        state=row.state,
        business_key=row.business_key,
        starter_id=row.starter_id,
        log_seq=row.log_seq,
        log_hash=row.log_hash,
        people=row.people,
    )


def _host(session: Session, pair: Pair, facts: InstanceFacts, kind: type[StepHost], actor: Actor) -> StepHost:
    return kind(
        session,
        actor,
        instance_id=facts.id,
        definition_key=facts.definition_key,
        business_key=facts.business_key,
        starter_id=facts.starter_id,
        rev=facts.rev,
        locked=must_lock(session),
        interactive=False,
        reckon=pair.new.form_facts,
    )


def _move(pair: Pair, snapshot: bytes, host: StepHost) -> Moved:
    try:
        return workflow.move(pair.drawn_old, pair.drawn_new, snapshot, pair.map.elements, host)
    except CannotMove as refusal:
        raise CannotMigrate([one.message for one in refusal.obstacles]) from refusal


def _record(
    session: Session, actor: Actor, pair: Pair, facts: InstanceFacts, moved: Moved, host: StepHost, run_id: int | None
) -> StepResult:
    detail: dict[str, Any] = {"from": pair.old.version, "to": pair.new.version, "map": pair.map.moved}
    if run_id is not None:
        detail["run"] = run_id
    todo = Step(act=lambda _live: None, entry=Entry(MIGRATE, detail=detail), interactive=False, partakes=False)
    after = replace(facts, definition_id=pair.new.id, people=_people_of(pair, facts))
    result = record(session, actor, pair.new, after, moved.live, host, todo, items={})
    after_commit(session, lambda: LIVE.forget(facts.id))  # others read it anew, with its rows as they are now
    return result


def _people_of(pair: Pair, facts: InstanceFacts) -> dict[str, Any]:
    """The people named for later steps, by what these are called in the new version."""
    return {pair.map.elements.get(node, node): named for node, named in facts.people.items()}


def _went_on(result: StepResult) -> bool:
    """Something has happened in it beyond the change of version: that cannot be taken back."""
    changes = result.changes
    stepped = any(mark in ("left", "taken") for _element, mark in changes.path)
    more = (
        changes.opened,
        changes.closed,
        changes.cancelled,
        changes.thrown,
        changes.failures,
        changes.failures_cleared,
    )
    return stepped or changes.ended is not None or any(more)


def _set_definition(
    session: Session, instance_id: int, rev: int, definition_id: int, people: Mapping[str, Any]
) -> None:
    session.execute(
        update(Instance)
        .where(Instance.id == instance_id, Instance.rev == rev)
        .values(definition_id=definition_id, people=dict(people))
        .execution_options(synchronize_session=False)
    )


# ------------------------------------------------------------------------------------------------- and back


def revert(session: Session, actor: Actor, instance_id: int, *, run_id: int | None = None) -> None:
    """Put the instance back as it was before its migration, if nothing has happened in it since."""
    demand_right(actor)
    facts = read_instance(session, instance_id)
    if facts is None:
        raise NotFound
    image = preimage.newest(session, instance_id)
    if image is None or (run_id is not None and image.run_id != run_id):
        raise Conflict(_("It went on at once when it was migrated, or was migrated once more; it cannot go back."))
    if image.rev != facts.rev or facts.state not in UNDER_WAY:
        raise Conflict(_("Something has happened in it since it was migrated; it cannot go back."))
    old, new = repository.get(session, image.definition_id), repository.get(session, facts.definition_id)
    now = clock.now()
    detail = {"from": new.version, "to": old.version, **_the_other_way(session, facts)}
    log, seq, head = journal.chain(facts.id, facts.log_seq, facts.log_hash, now, actor, [Entry(BACK, detail=detail)])
    rows = StepRows(
        instance_id=facts.id,
        rev=facts.rev,
        at=now,
        state=facts.state,
        snapshot=image.snapshot,
        snapshot_format=image.snapshot_format,
        log_seq=seq,
        log_hash=head,
        log=log,
    )
    session.flush()
    if recorder.write(session, rows) is None:
        raise StaleInstance(facts.id)
    _set_definition(session, facts.id, facts.rev + 1, image.definition_id, image.rows["people"])
    preimage.put_back(session, facts.id, image.rows)
    session.delete(image)
    session.flush()
    preimage.expire(session, facts.id)
    after_commit(session, lambda: LIVE.forget(facts.id))


def _the_other_way(session: Session, facts: InstanceFacts) -> dict[str, Any]:
    """What the migration's own line says, turned round: the map, and the sub-processes begun and dissolved."""
    line = session.get(InstanceLog, (facts.id, facts.log_seq))
    detail = (line.detail or {}) if line is not None else {}
    back = {new: old for old, new in detail.get("map", {}).items()}
    turned = {"entered": "cancelled", "cancelled": "entered"}
    path = [[back.get(element, element), turned[mark]] for element, mark in reversed(detail.get("path", ()))]
    return {"map": back, **({"path": path} if path else {})}
