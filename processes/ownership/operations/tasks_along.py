"""Open tasks about a customer that lie with its owner go along when it is handed over."""

from __future__ import annotations

from collections.abc import Collection
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.i18n import _
from processes.ownership.operations.registries import Mover
from processes.party.models import Customer
from processes.party.permissions import CUSTOMER
from processes.tasks import operations as tasks
from processes.tasks.models import Task


def _owners_tasks(session: Session, customer_ids: Collection[int]) -> list[Task]:
    whose = session.execute(select(Customer.id, Customer.owner_id).where(Customer.id.in_(customer_ids)))
    owners = {row.id: row.owner_id for row in whose}
    about = tasks.open_about(session, CUSTOMER, customer_ids)
    return [one for one in about if one.record_id is not None and one.assignee_id == owners.get(one.record_id)]


def _count(session: Session, customer_ids: Collection[int]) -> int:
    return len(_owners_tasks(session, customer_ids))


def _move(session: Session, actor: Actor, customer_ids: Collection[int], to_id: int) -> list[Any]:
    """[[task, whose it was, whose it is]]"""
    found = [(one.id, one.assignee_id) for one in _owners_tasks(session, customer_ids)]
    return [
        [task_id, former, to_id]
        for task_id, former in found
        if tasks.follow_record(session, actor, task_id=task_id, from_person=former, to_person=to_id)
    ]


def _undo(session: Session, actor: Actor, moved: list[Any], customer_ids: Collection[int]) -> None:
    back = {one.id for one in tasks.open_about(session, CUSTOMER, customer_ids)}
    for task_id, former, to_id in moved:
        if task_id in back:
            tasks.follow_record(session, actor, task_id=task_id, from_person=to_id, to_person=former)


TASKS = Mover("tasks", _("Tasks"), _count, _move, _undo)
