"""The same step on SQLite: a few prepared statements inside the one writer's transaction."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from itertools import chain
from typing import Any

from sqlalchemy import Connection

from engine.recorder.rows import NewItem, StepRows

_ALIVE = "('open', 'waiting', 'delegated', 'approving')"


def _at(value: datetime | None) -> str | None:
    """As SQLAlchemy's SQLite DateTime writes it."""
    return value.astimezone(UTC).strftime("%Y-%m-%d %H:%M:%S.%f") if value else None


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def write(connection: Connection, rows: StepRows) -> dict[int, int] | None:
    run = connection.exec_driver_sql
    at = _at(rows.at)
    instance = rows.instance_id
    won = run(
        "UPDATE process_instance SET rev = rev + 1, state = ?, snapshot = ?, snapshot_format = ?, log_seq = ?, "
        "log_hash = ?, changed_at = ?, ended_at = ? WHERE id = ? AND rev = ?",
        (
            rows.state,
            rows.snapshot,
            rows.snapshot_format,
            rows.log_seq,
            rows.log_hash,
            at,
            _at(rows.ended_at),
            instance,
            rows.rev,
        ),
    )
    if won.rowcount != 1:
        return None
    born: dict[int, int] = {}
    told: set[int] = set()
    if rows.closed:
        closed = rows.closed
        run(
            "UPDATE work_item SET state = ?, outcome = ?, opinion = ?, done_by = ?, done_by_name = ?, "
            "on_behalf_of = ?, signature = ?, business_at = ?, done_at = ?, version = version + 1 WHERE id = ?",
            (
                closed.state,
                closed.outcome,
                closed.opinion,
                closed.done_by,
                closed.done_by_name,
                closed.on_behalf_of,
                closed.signature,
                _at(closed.business_at),
                at,
                closed.item_id,
            ),
        )
        told |= _take_out(connection, [closed.item_id])
    if rows.cancelled_tokens:
        marks = ", ".join("?" * len(rows.cancelled_tokens))
        dead = [
            row[0]
            for row in run(
                "UPDATE work_item SET state = 'cancelled', cause = ?, done_at = ?, version = version + 1 "  # noqa: S608
                f"WHERE instance_id = ? AND token IN ({marks}) AND state IN {_ALIVE} AND id <> ? RETURNING id",
                (
                    rows.cause,
                    at,
                    instance,
                    *rows.cancelled_tokens,
                    rows.closed.item_id if rows.closed else 0,
                ),
            )
        ]
        told |= _take_out(connection, dead)
    if rows.opened:
        ids = _bear(connection, [_item(instance, item, at) for item in rows.opened])
        born = {position: ids[item.token, item.sequence] for position, item in enumerate(rows.opened)}
        lines = [(principal, born[position]) for position, item in enumerate(rows.opened) for principal in item.inbox]
        _many(connection, "INSERT INTO inbox (principal, item_id) VALUES (?, ?)", lines)
        told |= {principal for principal, _item_id in lines}
    _many(
        connection,
        "DELETE FROM timer WHERE instance_id = ? AND token = ?",
        [(instance, token) for token in rows.timers_cleared],
    )
    _many(
        connection,
        "INSERT INTO timer (instance_id, token, node, due_at, catch_up) VALUES (?, ?, ?, ?, ?) "
        "ON CONFLICT (instance_id, token) DO UPDATE SET due_at = excluded.due_at, node = excluded.node",
        [(instance, t["token"], t["node"], _at(t["due_at"]), t["catch_up"]) for t in rows.timers_set],
    )
    _many(
        connection,
        "DELETE FROM message_wait WHERE instance_id = ? AND token = ?",
        [(instance, token) for token in rows.waits_cleared],
    )
    _many(
        connection,
        "INSERT INTO message_wait (instance_id, token, node, kind, name, business_key) VALUES (?, ?, ?, ?, ?, ?) "
        "ON CONFLICT DO NOTHING",
        [(instance, w["token"], w["node"], w["kind"], w["name"], w["business_key"]) for w in rows.waits_set],
    )
    _many(
        connection,
        "INSERT INTO incident (instance_id, token, node, cause, detail, attempts, state, retry_at, raised_at) "
        "VALUES (?, ?, ?, ?, ?, 1, ?, ?, ?) ON CONFLICT (instance_id, token) DO UPDATE SET cause = excluded.cause, "
        "detail = excluded.detail, attempts = incident.attempts + 1, state = excluded.state, "
        "retry_at = excluded.retry_at, resolved_at = NULL",
        [
            (
                instance,
                i["token"],
                i["node"],
                i["cause"],
                i["detail"],
                i["state"],
                _at(i["retry_at"]),
                at,
            )
            for i in rows.incidents
        ],
    )
    actor = rows.log[0]["actor_id"] if rows.log else 0
    _many(
        connection,
        "UPDATE incident SET state = 'resolved', resolved_at = ?, resolved_by = ?, retry_at = NULL "
        "WHERE instance_id = ? AND token = ? AND state <> 'resolved'",
        [(at, actor, instance, token) for token in rows.incidents_cleared],
    )
    _many(
        connection,
        "INSERT INTO instance_log (instance_id, seq, at, actor_id, actor_name, on_behalf_of, action, node, token, "
        "item_id, detail, hash) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        [
            (
                instance,
                line["seq"],
                _at(line["at"]),
                line["actor_id"],
                line["actor_name"],
                line["on_behalf_of"],
                line["action"],
                line["node"],
                line["token"],
                line["item_id"],
                _json(line["detail"]),
                line["hash"],
            )
            for line in rows.log
        ],
    )
    _many(
        connection,
        "INSERT INTO process_participant (person_id, instance_id) VALUES (?, ?) ON CONFLICT DO NOTHING",
        [(person, instance) for person in sorted(rows.participants)],
    )
    if rows.form:
        run(
            'INSERT INTO form_data (instance_id, revision, node, "values", saved_by, saved_at) '
            "VALUES (?, ?, ?, ?, ?, ?)",
            (
                instance,
                rows.form["revision"],
                rows.form["node"],
                _json(rows.form["values"]),
                rows.form["saved_by"],
                at,
            ),
        )
    _many(
        connection,
        "INSERT INTO push_event (principal, kind, data, at) VALUES (?, 'inbox', '{}', ?)",
        [(principal, at) for principal in sorted(told)],
    )
    return born


_BORN = """INSERT INTO work_item (instance_id, token, sequence, node, title, state, outcome, assignee_id, candidates,
  reason, version, created_at, due_at, opinion, many, weight, on_behalf_of, done_by, done_by_name, done_at, hops,
  cause, signature, urges)
VALUES {values} RETURNING id, token, sequence"""
_BORN_VALUES = "(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1, ?, ?, '', ?, ?, ?, ?, ?, ?, 0, '', '', 0)"
_BORN_AT_ONCE = 500
"""SQLite takes 32,766 parameters in one statement."""


def _bear(connection: Connection, items: list[tuple[Any, ...]]) -> dict[tuple[int, int], int]:
    """Write new items; their ids by token and sequence."""
    ids: dict[tuple[int, int], int] = {}
    for start in range(0, len(items), _BORN_AT_ONCE):
        batch = items[start : start + _BORN_AT_ONCE]
        statement = _BORN.format(values=", ".join([_BORN_VALUES] * len(batch)))
        for item_id, token, sequence in connection.exec_driver_sql(statement, tuple(chain.from_iterable(batch))):
            ids[token, sequence] = item_id
    return ids


def _item(instance: int, item: NewItem, at: str | None) -> tuple[Any, ...]:
    return (
        instance,
        item.token,
        item.sequence,
        item.node,
        item.title,
        item.state,
        item.outcome,
        item.assignee_id,
        _json(list(item.principals)),
        _json(item.reason),
        at,
        _at(item.due_at),
        item.many,
        item.weight,
        item.on_behalf_of,
        item.done_by,
        item.done_by_name,
        at if item.state == "auto" else None,
    )


def _many(connection: Connection, statement: str, values: list[tuple[Any, ...]]) -> None:
    if values:
        connection.exec_driver_sql(statement, values)


def _take_out(connection: Connection, items: list[int]) -> set[int]:
    """Clear these items' inbox lines; whose they were."""
    if not items:
        return set()
    marks = ", ".join("?" * len(items))
    gone = connection.exec_driver_sql(
        f"DELETE FROM inbox WHERE item_id IN ({marks}) RETURNING principal",  # noqa: S608
        tuple(items),
    )
    return {row[0] for row in gone}
