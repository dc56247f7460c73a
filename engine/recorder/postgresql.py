"""One data-modifying statement a step: every part of it is fed from the UPDATE that proves the revision."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from sqlalchemy import Connection

from engine.recorder.rows import NewItem, StepRows

_INSTANCE = """upd AS (
  UPDATE process_instance SET rev = rev + 1, state = %(state)s, snapshot = %(snapshot)s,
    snapshot_format = %(snapshot_format)s, log_seq = %(log_seq)s, log_hash = %(log_hash)s,
    changed_at = %(at)s, ended_at = %(ended_at)s
  WHERE id = %(instance_id)s AND rev = %(rev)s RETURNING id)"""

_CLOSED = """closed AS (
  UPDATE work_item SET state = %(closed_state)s, outcome = %(outcome)s, opinion = %(opinion)s, done_by = %(done_by)s,
    done_by_name = %(done_by_name)s, on_behalf_of = %(on_behalf_of)s, signature = %(signature)s,
    business_at = %(business_at)s, done_at = %(at)s, version = version + 1
  FROM upd WHERE work_item.id = %(item_id)s RETURNING work_item.id),
closed_inbox AS (DELETE FROM inbox USING closed WHERE inbox.item_id = closed.id RETURNING inbox.principal)"""

_CANCELLED = """dead AS (
  UPDATE work_item SET state = 'cancelled', cause = %(cause)s, done_at = %(at)s, version = version + 1
  FROM upd WHERE work_item.instance_id = upd.id AND work_item.token = ANY(%(cancelled)s)
    AND work_item.state IN ('open', 'waiting', 'delegated', 'approving') AND work_item.id <> %(item_id)s
  RETURNING work_item.id),
dead_inbox AS (DELETE FROM inbox USING dead WHERE inbox.item_id = dead.id RETURNING inbox.principal)"""

_OPENED = """born AS (
  INSERT INTO work_item (instance_id, token, sequence, node, title, state, outcome, assignee_id, candidates, reason,
    version, created_at, due_at, opinion, many, weight, on_behalf_of, done_by, done_by_name, done_at,
    hops, cause, signature, urges)
  SELECT upd.id, x.token, x.sequence, x.node, x.title, x.state, x.outcome, x.assignee_id, x.principals, x.reason,
    1, %(at)s, x.due_at, '', x.many, x.weight, x.on_behalf_of, x.done_by, x.done_by_name,
    CASE WHEN x.state = 'auto' THEN %(at)s::timestamptz END, 0, '', '', 0
  FROM upd, jsonb_to_recordset(%(opened)s::jsonb) AS x(token int, sequence int, node text, title text, state text,
    outcome text, assignee_id bigint, principals jsonb, reason jsonb, due_at timestamptz, many boolean,
    weight smallint, on_behalf_of bigint, done_by bigint, done_by_name text)
  RETURNING id, token, sequence, state, candidates),
born_inbox AS (
  INSERT INTO inbox (principal, item_id)
  SELECT DISTINCT p.value::bigint, born.id FROM born, jsonb_array_elements_text(born.candidates) AS p(value)
  WHERE born.state = 'open'
  RETURNING principal)"""

_TIMERS_CLEARED = """timers_gone AS (
  DELETE FROM timer USING upd WHERE timer.instance_id = upd.id AND timer.token = ANY(%(timers_cleared)s))"""

_TIMERS_SET = """timers_new AS (
  INSERT INTO timer (instance_id, token, node, due_at, catch_up)
  SELECT upd.id, x.token, x.node, x.due_at, x.catch_up
  FROM upd, jsonb_to_recordset(%(timers_set)s::jsonb) AS x(token int, node text, due_at timestamptz, catch_up text)
  ON CONFLICT (instance_id, token) DO UPDATE SET due_at = excluded.due_at, node = excluded.node)"""

_WAITS_CLEARED = """waits_gone AS (
  DELETE FROM message_wait USING upd
  WHERE message_wait.instance_id = upd.id AND message_wait.token = ANY(%(waits_cleared)s))"""

_WAITS_SET = """waits_new AS (
  INSERT INTO message_wait (instance_id, token, node, kind, name, business_key)
  SELECT upd.id, x.token, x.node, x.kind, x.name, x.business_key
  FROM upd, jsonb_to_recordset(%(waits_set)s::jsonb)
    AS x(token int, node text, kind text, name text, business_key text)
  ON CONFLICT DO NOTHING)"""

_INCIDENTS = """incidents_new AS (
  INSERT INTO incident (instance_id, token, node, cause, detail, attempts, state, retry_at, raised_at)
  SELECT upd.id, x.token, x.node, x.cause, x.detail, 1, x.state, x.retry_at, %(at)s
  FROM upd, jsonb_to_recordset(%(incidents)s::jsonb)
    AS x(token int, node text, cause text, detail text, state text, retry_at timestamptz)
  ON CONFLICT (instance_id, token) DO UPDATE SET cause = excluded.cause, detail = excluded.detail,
    attempts = incident.attempts + 1, state = excluded.state, retry_at = excluded.retry_at, resolved_at = NULL)"""

_INCIDENTS_CLEARED = """incidents_gone AS (
  UPDATE incident SET state = 'resolved', resolved_at = %(at)s, resolved_by = %(actor)s, retry_at = NULL
  FROM upd WHERE incident.instance_id = upd.id AND incident.token = ANY(%(incidents_cleared)s)
    AND incident.state <> 'resolved')"""

_LOG = """logged AS (
  INSERT INTO instance_log (instance_id, seq, at, actor_id, actor_name, on_behalf_of, action, node, token, item_id,
    detail, hash)
  SELECT upd.id, x.seq, x.at, x.actor_id, x.actor_name, x.on_behalf_of, x.action, x.node, x.token, x.item_id,
    x.detail, x.hash
  FROM upd, jsonb_to_recordset(%(log)s::jsonb) AS x(seq int, at timestamptz, actor_id bigint, actor_name text,
    on_behalf_of bigint, action text, node text, token int, item_id bigint, detail jsonb, hash text))"""

_PARTICIPANTS = """took_part AS (
  INSERT INTO process_participant (person_id, instance_id)
  SELECT p, upd.id FROM upd, unnest(%(participants)s::bigint[]) AS p ON CONFLICT DO NOTHING)"""

_FORM = """filled AS (
  INSERT INTO form_data (instance_id, revision, node, "values", saved_by, saved_at)
  SELECT upd.id, %(form_revision)s, %(form_node)s, %(form_values)s::jsonb, %(form_by)s, %(at)s FROM upd)"""

_PUSHED = """pushed AS (
  INSERT INTO push_event (principal, kind, data, at)
  SELECT DISTINCT principal, 'inbox', '{{}}'::jsonb, %(at)s FROM ({union}) AS t)"""


def write(connection: Connection, rows: StepRows) -> dict[int, int] | None:
    parts, values = [_INSTANCE], _instance_values(rows)
    told: list[str] = []
    for part, named, freed in _parts(rows):
        parts.append(part)
        values |= named
        told += freed
    if told:
        # Names of our own parts, never anything from outside.
        parts.append(_PUSHED.format(union=" UNION ALL ".join(f"SELECT principal FROM {name}" for name in told)))  # noqa: S608
    newborn = "(SELECT json_agg(json_build_array(id, token, sequence)) FROM born)" if rows.opened else "NULL"
    statement = f"WITH {', '.join(parts)} SELECT (SELECT count(*) FROM upd), {newborn}"  # noqa: S608
    won, born = connection.exec_driver_sql(statement, values).one()
    if won != 1:
        return None
    ids = {(token, sequence): item_id for item_id, token, sequence in born or ()}
    return {position: ids[item.token, item.sequence] for position, item in enumerate(rows.opened)}


def _instance_values(rows: StepRows) -> dict[str, Any]:
    return {
        "instance_id": rows.instance_id,
        "rev": rows.rev,
        "at": rows.at,
        "state": rows.state,
        "snapshot": rows.snapshot,
        "snapshot_format": rows.snapshot_format,
        "log_seq": rows.log_seq,
        "log_hash": rows.log_hash,
        "ended_at": rows.ended_at,
        "item_id": rows.closed.item_id if rows.closed else 0,
        "actor": rows.log[0]["actor_id"] if rows.log else 0,
        "cause": rows.cause,
    }


def _parts(rows: StepRows) -> Iterator[tuple[str, dict[str, Any], list[str]]]:
    """(part of the statement, its parameters, parts that name whose inbox changed): only what this step needs."""
    if rows.closed:
        closed = rows.closed
        yield (
            _CLOSED,
            {
                "closed_state": closed.state,
                "outcome": closed.outcome,
                "opinion": closed.opinion,
                "done_by": closed.done_by,
                "done_by_name": closed.done_by_name,
                "on_behalf_of": closed.on_behalf_of,
                "signature": closed.signature,
                "business_at": closed.business_at,
            },
            ["closed_inbox"],
        )
    if rows.cancelled_tokens:
        yield _CANCELLED, {"cancelled": rows.cancelled_tokens}, ["dead_inbox"]
    if rows.opened:
        yield _OPENED, {"opened": _json([_item(item) for item in rows.opened])}, ["born_inbox"]
    for part, name, tokens in (
        (_TIMERS_CLEARED, "timers_cleared", rows.timers_cleared),
        (_WAITS_CLEARED, "waits_cleared", rows.waits_cleared),
        (_INCIDENTS_CLEARED, "incidents_cleared", rows.incidents_cleared),
        (_PARTICIPANTS, "participants", sorted(rows.participants)),
    ):
        if tokens:
            yield part, {name: tokens}, []
    for part, name, lines in (
        (_TIMERS_SET, "timers_set", rows.timers_set),
        (_WAITS_SET, "waits_set", rows.waits_set),
        (_INCIDENTS, "incidents", rows.incidents),
        (_LOG, "log", rows.log),
    ):
        if lines:
            yield part, {name: _json(lines)}, []
    if rows.form:
        yield (
            _FORM,
            {
                "form_revision": rows.form["revision"],
                "form_node": rows.form["node"],
                "form_values": _json(rows.form["values"]),
                "form_by": rows.form["saved_by"],
            },
            [],
        )


def _item(item: NewItem) -> dict[str, Any]:
    return {
        "token": item.token,
        "sequence": item.sequence,
        "node": item.node,
        "title": item.title,
        "assignee_id": item.assignee_id,
        "principals": list(item.principals),
        "reason": item.reason,
        "due_at": item.due_at,
        "state": item.state,
        "outcome": item.outcome,
        "many": item.many,
        "weight": item.weight,
        "on_behalf_of": item.on_behalf_of,
        "done_by": item.done_by,
        "done_by_name": item.done_by_name,
    }


def _plain(value: Any) -> str:
    if isinstance(value, datetime):
        return value.isoformat()
    raise TypeError(f"{type(value).__name__} cannot be stored")


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), default=_plain)
