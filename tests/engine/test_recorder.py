"""Both recorders write the same: random steps played on SQLite and on PostgreSQL leave the same rows in every table."""

from __future__ import annotations

import random
from collections.abc import Iterator
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from engine import models, recorder
from engine.db import Base
from engine.recorder import ClosedItem, NewItem, StepRows
from tests.databases import PostgresDatabase, SqliteTemplate

START = datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
WORDS = ("", "同意", 'says "no"\n', "it's 50 % off :name %(name)s ? \\ 😀", "[1, 2]", "null")
INSTANCES = (1, 2)
WRITTEN = (
    models.Instance, models.WorkItem, models.InboxEntry, models.Timer, models.MessageWait, models.Incident,
    models.InstanceLog, models.Participant, models.FormData, models.PushEvent,
)  # fmt: skip


@pytest.fixture
def sessions(
    _sqlite_template: SqliteTemplate, _postgres_database: PostgresDatabase, tmp_path: Path
) -> Iterator[list[Session]]:
    """One on each database."""
    with ExitStack() as stack:
        made = (_sqlite_template.database(tmp_path), _postgres_database.database())
        engines = [stack.enter_context(one).engine for one in made]
        yield [stack.enter_context(Session(engine)) for engine in engines]


class Play:
    """Makes up steps and remembers what is open, so that they hang together as real ones do."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.at = START
        self.revs = dict.fromkeys(INSTANCES, 1)
        self.seqs = dict.fromkeys(INSTANCES, 0)
        self.forms = dict.fromkeys(INSTANCES, 0)
        self.tokens = dict.fromkeys(INSTANCES, 0)
        self.items: dict[int, tuple[int, int]] = {}
        """open item -> its instance and token"""

    def some(self, most: int = 3) -> range:
        return range(self.random.choice([0, 0, 1, most]))

    def token(self, instance: int) -> int:
        """A new one mostly, an old one now and then."""
        if self.random.random() < 0.3 and self.tokens[instance]:
            return self.random.randint(1, self.tokens[instance])
        self.tokens[instance] += 1
        return self.tokens[instance]

    def known(self, instance: int) -> list[int]:
        return [self.random.randint(1, self.tokens[instance] + 1) for _each in self.some()]

    def moment(self) -> datetime:
        return self.at + timedelta(seconds=self.random.choice([-60, 0, 0.000001, 3600, 10**7]))

    def word(self) -> str:
        return self.random.choice(WORDS)

    def value(self) -> dict[str, Any]:
        return {
            "text": self.word(),
            "lines": [{"amount": "0.10", "是": None}] * len(self.some()),
            "number": self.random.choice([0, -1, 2**53, True, 1.5]),
        }

    def principals(self) -> tuple[int, ...]:
        return tuple(self.random.choice([1, 2, 3, -17, 2**40]) for _each in range(self.random.randint(1, 4)))

    def step(self) -> StepRows:
        instance = self.random.choice(INSTANCES)
        self.at += timedelta(microseconds=self.random.randint(0, 10**9))
        fresh = [self.token(instance) for _each in self.some()]
        own = [(item, token) for item, (where, token) in self.items.items() if where == instance]
        closed = self.random.choice(own)[0] if own and self.random.random() < 0.7 else None
        over = self.random.random() < 0.05
        stale = self.random.random() < 0.1
        log = [self.line(instance) for _each in range(self.random.randint(1, 3))]
        if stale:
            self.seqs[instance] -= len(log)
        form = None
        if not stale and self.random.random() < 0.3:
            self.forms[instance] += 1
            form = {"revision": self.forms[instance], "node": "fill", "values": self.value(), "saved_by": 1}
        set_now = list(dict.fromkeys(self.token(instance) for _each in self.some()))
        failing = list(dict.fromkeys(self.token(instance) for _each in self.some()))
        return StepRows(
            instance_id=instance,
            rev=self.revs[instance] - stale,
            at=self.at,
            state="completed" if over else "running",
            snapshot=self.random.randbytes(8) if not over else None,
            snapshot_format=1,
            log_seq=self.seqs[instance],
            log_hash=log[-1]["hash"],
            ended_at=self.at if over else None,
            closed=self.closing(closed) if closed is not None else None,
            cancelled_tokens=[token for _item, token in own if self.random.random() < 0.3] + self.known(instance),
            opened=[self.opening(token, number) for number, token in enumerate(fresh)],
            timers_set=[
                {"token": t, "node": "wait", "due_at": self.moment(), "catch_up": self.random.choice(["once", "all"])}
                for t in set_now
            ],
            timers_cleared=[t for t in self.known(instance) if t not in set_now],
            waits_set=[
                {
                    "token": t,
                    "node": "hear",
                    "kind": "message",
                    "name": n,
                    "business_key": self.random.choice([None, "k"]),
                }
                for t in set_now
                for n in ("paid", "付款")
            ],
            waits_cleared=[t for t in self.known(instance) if t not in set_now],
            incidents=[
                {
                    "token": t,
                    "node": "call",
                    "cause": self.word(),
                    "detail": self.word(),
                    "state": self.random.choice(["open", "retrying"]),
                    "retry_at": self.random.choice([None, self.moment()]),
                }
                for t in failing
            ],
            incidents_cleared=[t for t in self.known(instance) if t not in failing],
            log=log,
            participants=set(self.principals()),
            form=form,
        )

    def line(self, instance: int) -> dict[str, Any]:
        self.seqs[instance] += 1
        return {
            "seq": self.seqs[instance],
            "at": self.at,
            "actor_id": self.random.choice([0, 7, 2**40]),
            "actor_name": self.word(),
            "on_behalf_of": self.random.choice([None, 3]),
            "action": "submit",
            "node": self.word(),
            "token": self.random.choice([None, 3]),
            "item_id": self.random.choice([None, 3]),
            "detail": self.value(),
            "hash": f"{self.random.getrandbits(256):064x}",
        }

    def opening(self, token: int, sequence: int) -> NewItem:
        principals = self.principals()
        return NewItem(
            token=token,
            # A token opens an item once in reality; here the number keeps a repeated one apart.
            sequence=self.seqs[INSTANCES[0]] * 50 + self.seqs[INSTANCES[1]] * 5 + sequence,
            node="approve",
            title=self.word(),
            assignee_id=principals[0] if len(principals) == 1 else None,
            principals=principals,
            reason=self.value(),
            due_at=self.random.choice([None, self.moment()]),
        )

    def closing(self, item: int) -> ClosedItem:
        return ClosedItem(
            item_id=item,
            outcome="approve",
            opinion=self.word(),
            done_by=2**40,
            done_by_name=self.word(),
            on_behalf_of=self.random.choice([None, 4]),
            state=self.random.choice(["done", "returned"]),
        )

    def written(self, rows: StepRows, born: dict[int, int] | None) -> None:
        if born is None:
            return
        self.revs[rows.instance_id] += 1
        if rows.closed is not None:
            del self.items[rows.closed.item_id]
        gone = set(rows.cancelled_tokens)
        self.items = {i: at for i, at in self.items.items() if at[0] != rows.instance_id or at[1] not in gone}
        self.items |= {item: (rows.instance_id, rows.opened[position].token) for position, item in born.items()}


def prepare(session: Session) -> None:
    if session.get_bind().dialect.name == "postgresql":  # an emptied table goes on counting there
        session.execute(text("ALTER SEQUENCE work_item_id_seq RESTART"))
    session.add(
        models.Definition(
            id=1, key="p", version=1, name="p", sha256="0", deployed_at=START, deployed_by=0, state="active"
        )
    )
    session.flush()
    for number in INSTANCES:
        session.add(
            models.Instance(
                id=number,
                definition_id=1,
                definition_key="p",
                state="running",
                title="t",
                starter_id=1,
                starter_name="李",
                started_at=START,
                changed_at=START,
            )
        )
    session.commit()


def rows_of(session: Session, model: type[Base]) -> list[tuple[Any, ...]]:
    """Every column but the numbers nobody refers to: PostgreSQL draws them also for what is there already."""
    unnamed = model not in (models.Instance, models.WorkItem)
    names = [one.key for one in model.__mapper__.column_attrs if not (unnamed and one.key == "id")]
    found = session.execute(select(*(getattr(model, name) for name in names)))
    return sorted((tuple(row) for row in found), key=repr)


@pytest.mark.parametrize("seed", range(6))
def test_both_databases_hold_the_same_after_the_same_steps(sessions: list[Session], seed: int) -> None:
    for session in sessions:
        prepare(session)
    play = Play(seed)
    won = 0
    for _step in range(60):
        rows = play.step()
        answers = []
        for session in sessions:
            answers.append(recorder.write(session, rows))
            session.commit()
        assert answers[0] == answers[1]
        play.written(rows, answers[0])
        won += answers[0] is not None
    assert 30 < won < 60, "some steps come too late"
    for model in WRITTEN:
        on_sqlite, on_postgres = (rows_of(session, model) for session in sessions)
        assert on_sqlite == on_postgres
        assert on_sqlite, f"the play never wrote to {model.__tablename__}"
