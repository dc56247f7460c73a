"""The daily mail of what was not read, and the end of old notices."""

from __future__ import annotations

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import SYSTEM
from engine.errors import RuleViolation
from engine.models import OutboxMessage
from processes.kernel.working_time import business_date
from processes.messaging.operations import mail_to_employee
from processes.notices import rules
from processes.notices.models import Notice
from processes.notices.operations import telling
from processes.organization.models import Employee

TEMPLATE = "notice_digest"
MOST_LINES = 50


def is_notice(message: OutboxMessage) -> bool:
    """A mail that tells somebody a notice, alone or with others."""
    return message.key.startswith((f"mail:{telling.TEMPLATE}:", f"mail:{TEMPLATE}:"))


def due_people(session: Session, limit: int) -> list[int]:
    """Some of those who have something due for a digest; none before the hour, for the rows carry it."""
    due = select(Notice.person_id).where(Notice.digest_at <= clock.now())
    return list(session.scalars(due.distinct().order_by(Notice.person_id).limit(limit)))


def send_digest(session: Session, *, person_id: int) -> int:
    """Mail somebody what is due and still unread; answers how many notices it names.

    Taking the rows out of the queue and queueing the mail are one transaction: a job that runs twice, or two at once,
    find nothing left. Whoever has no mail address, or has left, still finds everything in the house.
    """
    now = clock.now()
    taken = session.execute(
        update(Notice)
        .where(Notice.person_id == person_id, Notice.digest_at <= now)
        .values(digest_at=None)
        .returning(Notice.id, Notice.read_at)
        .execution_options(synchronize_session=False)
    ).all()
    unread = [row.id for row in taken if row.read_at is None]
    employee = session.get(Employee, person_id)
    if not unread or employee is None or not employee.is_active:
        return 0
    first = select(Notice).where(Notice.id.in_(unread)).order_by(Notice.id.desc()).limit(MOST_LINES)
    lines = [
        {"title": notice.title.in_locale(employee.locale), "text": notice.text, "at": notice.created_at}
        for notice in session.scalars(first)
    ]
    values = {"notices": lines, "count": len(unread), "more": len(unread) - len(lines)}
    occasion = f"{business_date(now)}:{max(unread)}"
    try:
        mail_to_employee(session, SYSTEM, employee, template=TEMPLATE, values=values, occasion=occasion)
    except RuleViolation as refusal:
        if refusal.code != "no_mail_address":
            raise
        return 0
    return len(unread)


def sweep(session: Session) -> int:
    """Drop what was read long ago, and what was never shown in the house; what waits unread stays."""
    old = clock.now() - rules.KEPT
    gone = session.execute(
        delete(Notice)
        .where((Notice.read_at < old) | (Notice.in_app.is_(False) & (Notice.created_at < old)))
        .execution_options(synchronize_session=False)
    )
    return int(gone.rowcount)  # type: ignore[attr-defined]
