"""What an instance was before it was migrated, kept beside it and put back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import delete, insert, select, update
from sqlalchemy.orm import Session

from engine import clock
from engine.models import PENDING, Incident, Instance, InstancePreimage, MessageWait, Timer, WorkItem

LIFE = timedelta(days=30)

FOLLOWING = (Instance, WorkItem, Timer, MessageWait, Incident)


def take(session: Session, instance_id: int) -> dict[str, Any]:
    """The rows that follow the tokens of an instance, as they are now; and the people named for its later steps."""
    return {
        "people": dict(session.scalar(select(Instance.people).where(Instance.id == instance_id)) or {}),
        "items": _rows(
            session,
            (WorkItem.id, WorkItem.node, WorkItem.title),
            WorkItem.instance_id == instance_id,
            WorkItem.state.in_(PENDING),
        ),
        "timers": _rows(
            session,
            (Timer.token, Timer.node, Timer.due_at, Timer.catch_up, Timer.parked_until),
            Timer.instance_id == instance_id,
        ),
        "waits": _rows(
            session,
            (MessageWait.token, MessageWait.node, MessageWait.kind, MessageWait.name, MessageWait.business_key),
            MessageWait.instance_id == instance_id,
        ),
        "incidents": _rows(
            session,
            (Incident.id, Incident.node, Incident.state),
            Incident.instance_id == instance_id,
            Incident.state != "resolved",
        ),
    }


def _rows(session: Session, columns: tuple[Any, ...], *where: Any) -> list[dict[str, Any]]:
    found = session.execute(select(*columns).where(*where).order_by(columns[0])).mappings()
    return [{name: _plain(value) for name, value in row.items()} for row in found]


def _plain(value: Any) -> Any:
    return value.isoformat() if isinstance(value, datetime) else value


def keep(
    session: Session,
    instance_id: int,
    *,
    rev: int,
    definition_id: int,
    run_id: int | None,
    snapshot: bytes,
    snapshot_format: int,
    rows: Mapping[str, Any],
) -> None:
    """rev: the one the migration leaves; an older image of the instance is no use any more."""
    session.execute(delete(InstancePreimage).where(InstancePreimage.instance_id == instance_id))
    session.add(
        InstancePreimage(
            instance_id=instance_id,
            rev=rev,
            definition_id=definition_id,
            run_id=run_id,
            snapshot=snapshot,
            snapshot_format=snapshot_format,
            rows=dict(rows),
            kept_at=clock.now(),
        )
    )
    session.flush()


def put_back(session: Session, instance_id: int, rows: Mapping[str, Any]) -> None:
    """Give the rows back what the migration changed; nothing has touched them since."""
    for item in rows["items"]:
        _set(session, WorkItem, item["id"], node=item["node"], title=item["title"])
    for incident in rows["incidents"]:
        _set(session, Incident, incident["id"], node=incident["node"])
    _replace(session, Timer, instance_id, [_timer(one) for one in rows["timers"]])
    _replace(session, MessageWait, instance_id, rows["waits"])


def _set(session: Session, model: Any, id: int, **values: Any) -> None:
    session.execute(update(model).where(model.id == id).values(**values).execution_options(synchronize_session=False))


def _replace(session: Session, model: Any, instance_id: int, rows: list[dict[str, Any]]) -> None:
    session.execute(delete(model).where(model.instance_id == instance_id).execution_options(synchronize_session=False))
    if rows:
        session.execute(insert(model), [{**row, "instance_id": instance_id} for row in rows])


def _timer(row: Mapping[str, Any]) -> dict[str, Any]:
    moments = {name: datetime.fromisoformat(row[name]) if row[name] else None for name in ("due_at", "parked_until")}
    return {**row, **moments}


def follow(
    session: Session,
    instance_id: int,
    nodes: Mapping[int, tuple[str, str]],
    titles: Mapping[int, tuple[str, str]],
    awaited: Mapping[int, str],
) -> None:
    """Let the rows of living tokens name the elements they stand in now.

    nodes: token -> (old element, new element); titles: token -> (old title, new title), where they differ; awaited:
    token -> name of the message or signal it waits for.
    """
    for token, (old, new) in nodes.items():
        here = {"instance_id": instance_id, "token": token}
        if token in titles:  # an item with a title of its own (a consultation) keeps it
            before, after = titles[token]
            _rename(session, WorkItem, here, [WorkItem.state.in_(PENDING), WorkItem.title == before], title=after)
        if old != new:
            _rename(session, WorkItem, here, [WorkItem.state.in_(PENDING)], node=new)
            _rename(session, Timer, here, [], node=new)
            _rename(session, Incident, here, [Incident.state != "resolved"], node=new)
        if token in awaited:
            _rename(session, MessageWait, here, [], node=new, name=awaited[token])


def _rename(session: Session, model: Any, here: Mapping[str, int], more: list[Any], **values: Any) -> None:
    same = [getattr(model, name) == value for name, value in here.items()]
    session.execute(update(model).where(*same, *more).values(**values).execution_options(synchronize_session=False))


def newest(session: Session, instance_id: int) -> InstancePreimage | None:
    return session.scalars(select(InstancePreimage).where(InstancePreimage.instance_id == instance_id)).first()


def sweep(session: Session) -> None:
    """Forget images that nobody has asked for in all this time."""
    session.execute(
        delete(InstancePreimage)
        .where(InstancePreimage.kept_at < clock.now() - LIFE)
        .execution_options(synchronize_session=False)
    )


def expire(session: Session, instance_id: int) -> None:
    """Rows the session holds were written past it."""
    for held in list(session.identity_map.values()):
        theirs = held.id if isinstance(held, Instance) else getattr(held, "instance_id", None)
        if theirs == instance_id and isinstance(held, FOLLOWING):
            session.expire(held)
