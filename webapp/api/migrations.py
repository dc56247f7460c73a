"""Running instances on another version of their process: one of them, or all of a version in portions; and back."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

import msgspec
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import history, migration
from engine.errors import Forbidden, NotFound
from engine.i18n import _
from engine.migration import runs
from engine.models import Definition, Instance, MigrationItem
from engine.work_items.rights import may_read_instance
from webapp.api.answers import InstanceLine, Person, instance_line
from webapp.api.endpoint import PREFIX, Answer, Body, Call, Id, Version, endpoint
from webapp.api.paging import ListQuery, Page, page_of, rows, total_of

TAG = "versions"

Key = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Element = Annotated[str, msgspec.Meta(max_length=200)]
NodeMap = Annotated[dict[Element, Element], msgspec.Meta(max_length=500)]
Number = Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)]


class Match(Answer):
    """Where what stands in an element of the old version goes."""

    old: str
    new: str
    """"" when nothing of the new version stands for it"""
    old_name: str
    new_name: str
    reason: str
    """same (id and kind) | name | neighbours | person | none"""
    confidence: int
    """0 to 100"""


class Migrate(Body):
    version: Version
    to: Number | None = None
    """version of the definition; the one new starts take when left out"""
    map: NodeMap = msgspec.field(default_factory=dict)
    """old element -> new one, "" for none, where what is found is not what is meant"""
    dry_run: bool = False
    """only say what would come of it"""


class Migrated(Answer):
    done: bool
    """false for a dry run"""
    verdict: str
    """fits | attention (it goes, and somebody should look) | refused"""
    reasons: list[str]
    from_version: int
    to_version: int
    map: list[Match]
    instance: InstanceLine | None
    """null where you may not read it"""


class Begin(Body):
    from_version: Number
    to_version: Number | None = None
    """the one new starts take when left out"""
    map: NodeMap = msgspec.field(default_factory=dict)


class Run(Answer):
    id: int
    definition: str
    from_version: int
    to_version: int
    state: str
    """simulating | ready | running | reverting | finished | replaced"""
    map: list[Match]
    started_at: datetime
    started_by: Person
    total: int
    fits: int
    attention: int
    refused: int
    """by the simulation: these are not tried"""
    waiting: int
    migrated: int
    failed: int
    """refused when it was their turn"""
    reverted: int


class Item(Answer):
    instance_id: int
    state: str
    """waiting | queued | migrated | refused | reverting | reverted"""
    verdict: str
    reasons: list[str]
    at: datetime | None


class ItemsQuery(ListQuery):
    state: Literal["waiting", "queued", "migrated", "refused", "reverting", "reverted"] | None = None
    verdict: Literal["fits", "attention", "refused"] | None = None


class Go(Body):
    portion: Literal["one", "ten", "all", "refused"]
    """the oldest that wait: one, ten, all of them; or what was refused, once more"""


class Back(Body):
    instances: Annotated[list[Id], msgspec.Meta(min_length=1, max_length=1000)] | None = None
    """only these; all that were migrated when left out"""


@endpoint("POST", "/process-instances/{instance_id}/actions/migrate", tag=TAG, refusals=(409, 422))
def migrate(call: Call, instance_id: Id, body: Migrate) -> Migrated:
    """Take one instance to another version of its process; `dry_run` only says what would come of it.

    Open tasks stay with their holders; 422 lists why it does not fit. For process designers and administrators.
    """
    session, actor = call.session, call.actor
    row = session.get(Instance, instance_id, populate_existing=True)
    readable = row is not None and may_read_instance(session, actor, instance_id)
    if row is None or not (readable or migration.may_migrate(actor)) or row.state == "draft":
        raise NotFound
    _demand(call)
    target = _version(session, row.definition_key, body.to)
    pair = migration.load_pair(session, row.definition_id, target.id, body.map)
    if body.dry_run:
        outlook = migration.foresee(session, pair, instance_id)
    else:
        migration.migrate(session, actor, pair, instance_id, rev=body.version)
        outlook = migration.Outlook("fits")
    row = session.get_one(Instance, instance_id, populate_existing=True)
    steps = history.present_steps(session, [row.id]).get(row.id, "")
    return Migrated(
        done=not body.dry_run,
        verdict=outlook.verdict,
        reasons=[str(one) for one in outlook.reasons],
        from_version=pair.old.version,
        to_version=pair.new.version,
        map=_map(pair),
        instance=instance_line(row, steps) if readable else None,
    )


@endpoint("POST", "/process-definitions/{key}/migrations", tag=TAG, status=201, refusals=(409, 422))
def begin_migration(call: Call, key: Key, body: Begin) -> Run:
    """Begin to take what runs on one version to another: every instance is simulated on a copy, nothing moves yet."""
    _demand(call)
    old, new = _version(call.session, key, body.from_version), _version(call.session, key, body.to_version)
    run = migration.begin(call.session, call.actor, old.id, new.id, body.map)
    call.headers["Location"] = f"{PREFIX}/process-definitions/{key}/migrations/{run.id}"
    return _run(call.session, key, run.id)


@endpoint("GET", "/process-definitions/{key}/migrations/{run_id}", tag=TAG)
def get_migration(call: Call, key: Key, run_id: Id) -> Run:
    """A run: its map, what the simulation found, how far it is."""
    _demand(call)
    return _run(call.session, key, run_id)


@endpoint("GET", "/process-definitions/{key}/migrations/{run_id}/instances", tag=TAG)
def get_migration_instances(call: Call, key: Key, run_id: Id, query: ItemsQuery) -> Page[Item]:
    """The instances of a run, oldest first, each with its result and the reasons."""
    _demand(call)
    runs.find(call.session, run_id, key)
    wanted = select(MigrationItem).where(MigrationItem.run_id == run_id)
    if query.state:
        wanted = wanted.where(MigrationItem.state == query.state)
    if query.verdict:
        wanted = wanted.where(MigrationItem.verdict == query.verdict)
    total = total_of(call.session, query, wanted, MigrationItem.instance_id)
    found = [row.MigrationItem for row in rows(call.session, query, wanted.order_by(MigrationItem.instance_id))]
    return page_of(query, found, total, _item)


@endpoint("POST", "/process-definitions/{key}/migrations/{run_id}/actions/run", tag=TAG, refusals=(409, 422))
def run_migration(call: Call, key: Key, run_id: Id, body: Go) -> Run:
    """Let the next portion go; the worker takes them one by one."""
    runs.find(call.session, run_id, key)
    if body.portion == "refused":
        migration.try_again(call.session, call.actor, run_id)
    else:
        migration.let(call.session, call.actor, run_id, body.portion)
    return _run(call.session, key, run_id)


@endpoint("POST", "/process-definitions/{key}/migrations/{run_id}/actions/revert", tag=TAG, refusals=(409, 422))
def revert_migration(call: Call, key: Key, run_id: Id, body: Back) -> Run:
    """Take back what was migrated and has not been stepped since."""
    runs.find(call.session, run_id, key)
    migration.take_back(call.session, call.actor, run_id, body.instances)
    return _run(call.session, key, run_id)


def _demand(call: Call) -> None:
    if not migration.may_migrate(call.actor):
        raise Forbidden(
            _("Only process designers and administrators may migrate what runs."), code="permission_missing"
        )


def _version(session: Session, key: str, number: int | None) -> Definition:
    same = Definition.key == key
    wanted = same & (Definition.state == "active" if number is None else Definition.version == number)
    found = session.scalars(select(Definition).where(wanted)).first()
    if found is None:
        raise NotFound
    return found


def _run(session: Session, key: str, run_id: int) -> Run:
    report = migration.report(session, run_id, key)
    run, counts = report.run, report.counts
    return Run(
        id=run.id,
        definition=run.key,
        from_version=report.pair.old.version,
        to_version=report.pair.new.version,
        state=run.state,
        map=_map(report.pair),
        started_at=run.started_at,
        started_by=Person(id=run.started_by, name=run.started_by_name),
        total=counts.total,
        fits=counts.verdict("fits"),
        attention=counts.verdict("attention"),
        refused=counts.verdict("refused"),
        waiting=counts.left,
        migrated=counts.state("migrated"),
        failed=counts.state("refused"),
        reverted=counts.state("reverted"),
    )


def _map(pair: migration.Pair) -> list[Match]:
    return [
        Match(
            old=one.old,
            new=one.new,
            old_name=one.name,
            new_name=one.new_name,
            reason=one.reason,
            confidence=one.confidence,
        )
        for one in pair.map.matches
    ]


def _item(row: MigrationItem) -> Item:
    return Item(
        instance_id=row.instance_id,
        state=row.state,
        verdict=row.verdict,
        reasons=[str(one) for one in migration.problems_of(row)],
        at=row.at,
    )
