"""The ledger of SMS: what each message costs, to whose quota it goes, and what is given back."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from sqlalchemy import case, func, insert, select, update
from sqlalchemy.orm import Session

from engine import clock, events
from engine.errors import RuleViolation
from engine.models import Instance, OutboxMessage
from processes.messaging import permissions, rules
from processes.messaging.models import SmsCharge, SmsQuota
from processes.organization.models import Department, Employee

NEARLY_USED = "messaging.quota_nearly_used"
"""A quota has passed a mark: quota_id, share (per cent)."""


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays in which month; path: where the department stands, "/1/4/"."""

    department_id: int
    path: str
    month: date

    @property
    def departments(self) -> list[int]:
        """The department and all above it: the quotas of each carry the charge."""
        return [int(one) for one in self.path.split("/") if one]


@dataclass(frozen=True, slots=True)
class Movement:
    subject: str
    account: Account
    segments: int
    """above zero: charged; below: given back"""
    number: int
    """how many movements the subject has had before"""
    actor_id: int = 0


def subject_of(message_id: int) -> str:
    return f"message:{message_id}"


# ------------------------------------------------------------------------------------------------- following messages


def follow(session: Session, message_ids: Sequence[int], *, asked: bool = False) -> None:
    """Bring the charges of these SMS to what they cost in their present state; what is right already stays.

    asked: somebody wants them to leave: RuleViolation when a quota cannot carry them. What has happened is only noted.
    """
    messages = session.scalars(
        select(OutboxMessage)
        .where(OutboxMessage.id.in_(message_ids))
        .order_by(OutboxMessage.id)
        .execution_options(populate_existing=True)
    ).all()
    held = held_by(session, [subject_of(message.id) for message in messages])
    payers = _payers(session, [message for message in messages if subject_of(message.id) not in held])
    moves: list[Movement] = []
    for message in messages:
        subject = subject_of(message.id)
        parts = (message.result or {}).get("parts_sent", ())
        try:
            cost = rules.due(message.state, rules.segments_of(str(message.payload.get("text", ""))), parts)
        except RuleViolation:
            if asked:
                raise
            continue
        moves += _to(subject, cost, held.get(subject), payers.get(message.id), message)
    move(session, moves, enforce=asked)


def _to(
    subject: str, cost: int, held: Held | None, payer: Department | None, message: OutboxMessage
) -> Iterable[Movement]:
    """What brings a subject from what is held for it to its cost."""
    balance = held.segments if held is not None else 0
    if cost > balance:
        account = _account(held, payer, message)
        if account is not None:
            number = held.movements if held is not None else 0
            yield Movement(subject, account, cost - balance, number, message.created_by)
    elif cost < balance and held is not None:
        yield from held.give_back(subject, balance - cost, message.created_by)


def _account(held: Held | None, payer: Department | None, message: OutboxMessage) -> Account | None:
    """A message that is sent again is paid by whoever paid it first, in the month in which it leaves."""
    leaves_at = max(message.available_at, clock.now()) if message.state == "queued" else clock.now()
    month = rules.month_of(leaves_at)
    if held is not None:
        return Account(held.payer.department_id, held.payer.path, month)
    return Account(payer.id, payer.path, month) if payer is not None else None


def _payers(session: Session, messages: Sequence[OutboxMessage]) -> dict[int, Department]:
    """Whose department pays: of a process its starter's, else of whoever wrote it, else of whoever it is written to."""
    starters = _map(
        session, select(Instance.id, Instance.starter_id).where(Instance.id.in_({one.instance_id for one in messages}))
    )
    wanted = {
        message.id: (
            starters.get(message.instance_id or 0),
            message.created_by,
            message.record_id if message.record_type == permissions.EMPLOYEE else None,
        )
        for message in messages
    }
    people = {person for candidates in wanted.values() for person in candidates if person}
    employed = _map(session, select(Employee.id, Employee.department_id).where(Employee.id.in_(people)))
    departments = {
        one.id: one
        for one in session.scalars(select(Department).where(Department.id.in_({d for d in employed.values() if d})))
    }
    found = {}
    for message_id, candidates in wanted.items():
        places = [employed.get(person) for person in candidates if person]
        department = next((departments[place] for place in places if place), None)
        if department is not None:
            found[message_id] = department
    return found


def _map(session: Session, pairs: object) -> dict[int, int]:
    return {key: value for key, value in session.execute(pairs)}  # type: ignore[call-overload]  # noqa: C416


def move_to_month(session: Session, messages: Sequence[OutboxMessage]) -> None:
    """Messages that have got another time are paid by the month in which they leave now; all or none."""
    held = held_by(session, [subject_of(message.id) for message in messages])
    moves: list[Movement] = []
    for message in messages:
        subject = subject_of(message.id)
        mine = held.get(subject)
        month = rules.month_of(max(message.available_at, clock.now()))
        if (
            mine is None
            or not mine.segments
            or all(a.month == month for a, balance in mine.balances.items() if balance)
        ):
            continue
        back = list(mine.give_back(subject, mine.segments, message.created_by))
        account = Account(mine.payer.department_id, mine.payer.path, month)
        moves += [*back, Movement(subject, account, mine.segments, mine.movements + len(back), message.created_by)]
    move(session, moves)


# ------------------------------------------------------------------------------------------------- what is held


@dataclass(slots=True)
class Held:
    """What the ledger says of one subject."""

    payer: Account
    """of its first charge"""
    balances: dict[Account, int]
    movements: int = 0

    @property
    def segments(self) -> int:
        return sum(self.balances.values())

    def give_back(self, subject: str, segments: int, actor_id: int = 0) -> Iterable[Movement]:
        """Back to the months that paid, the latest first."""
        number = self.movements
        for account, balance in reversed(self.balances.items()):
            part = min(balance, segments)
            if part > 0:
                yield Movement(subject, account, -part, number, actor_id)
                segments -= part
                number += 1


def held_by(session: Session, subjects: Iterable[str]) -> dict[str, Held]:
    """What is charged for each of these and not given back; subjects that never were are missing."""
    found: dict[str, Held] = {}
    entries = select(SmsCharge).where(SmsCharge.subject.in_(list(subjects))).order_by(SmsCharge.id)
    for entry in session.scalars(entries):
        account = Account(entry.department_id, entry.path, entry.month)
        held = found.setdefault(entry.subject, Held(account, {}))
        signed = entry.segments if entry.kind == "charge" else -entry.segments
        held.balances[account] = held.balances.get(account, 0) + signed
        held.movements += 1
    return found


def charged_department(session: Session, message_id: int) -> Department | None:
    """Who pays for a message; None when nobody's department does."""
    held = held_by(session, [subject_of(message_id)]).get(subject_of(message_id))
    return session.get(Department, held.payer.department_id) if held is not None else None


# ------------------------------------------------------------------------------------------------- moving


def move(session: Session, moves: Sequence[Movement], *, enforce: bool = True) -> None:
    """Write these movements and move the quotas with them, all or none.

    enforce: refuse (RuleViolation) what a quota cannot carry; False for what has happened already. Quotas are locked
    in the order of their ids, so two who race for the last segments wait for each other and one wins.
    """
    if not moves:
        return
    totals: dict[Account, int] = defaultdict(int)
    for one in moves:
        totals[one.account] += one.segments
    _hold_departments(session, totals)
    changes: dict[int, int] = defaultdict(int)
    quotas = _lock_quotas(session, totals)
    for account, total in totals.items():
        above = set(account.departments)
        for quota in quotas:
            if quota.month == account.month and quota.department_id in above:
                changes[quota.id] += total
    for quota in quotas:
        needed = changes[quota.id]
        if enforce and needed > 0 and quota.state == "active":
            rules.check_room([rules.Room(str(quota), quota.segments, quota.used)], needed)
    now = clock.now()
    session.execute(insert(SmsCharge), [_entry(one, now) for one in moves])
    for quota in quotas:
        if changes[quota.id]:
            _book(session, quota, changes[quota.id])


def _entry(one: Movement, now: object) -> dict[str, object]:
    return {
        "subject": one.subject,
        "kind": "charge" if one.segments > 0 else "refund",
        "segments": abs(one.segments),
        "department_id": one.account.department_id,
        "path": one.account.path,
        "month": one.account.month,
        "key": f"{one.subject}:{one.number}",
        "at": now,
        "actor_id": one.actor_id,
    }


def _hold_departments(session: Session, accounts: Iterable[Account]) -> None:
    """Whoever sets a quota reckons what was sent before it: that must not happen between our look and our entry."""
    ids = sorted({one for account in accounts for one in account.departments})
    held = select(Department.id).where(Department.id.in_(ids)).order_by(Department.id)
    session.execute(held.with_for_update(read=True, key_share=True)).all()


def _lock_quotas(session: Session, accounts: Mapping[Account, int]) -> Sequence[SmsQuota]:
    departments = {one for account in accounts for one in account.departments}
    return session.scalars(
        select(SmsQuota)
        .where(SmsQuota.department_id.in_(departments), SmsQuota.month.in_({account.month for account in accounts}))
        .order_by(SmsQuota.id)
        .with_for_update(of=SmsQuota)
        .execution_options(populate_existing=True)
    ).all()


def _book(session: Session, quota: SmsQuota, segments: int) -> None:
    """Beside the record's version: who edits the quota's size is not disturbed by every message."""
    before = quota.used
    session.execute(
        update(SmsQuota)
        .where(SmsQuota.id == quota.id)
        .values(used=SmsQuota.used + segments, changed_at=SmsQuota.changed_at)
        .execution_options(synchronize_session=False)
    )
    session.expire(quota, ["used"])
    share = rules.warning(quota.segments, before, before + segments)
    if share is not None and quota.state == "active":
        events.publish(session, NEARLY_USED, quota_id=quota.id, share=share)


def used_of(session: Session, department_id: int, month: date) -> int:
    """What the ledger says a department and all below it have used."""
    signed = case((SmsCharge.kind == "charge", SmsCharge.segments), else_=-SmsCharge.segments)
    wanted = select(func.coalesce(func.sum(signed), 0)).where(
        SmsCharge.month == month, SmsCharge.path.contains(f"/{department_id}/", autoescape=True)
    )
    return int(session.scalar(wanted) or 0)


def quotas_above(session: Session, department: Department | None, month: date) -> list[SmsQuota]:
    """The quotas a department's messages of a month must fit into, the tightest first."""
    if department is None:
        return []
    above = Account(department.id, department.path, month).departments
    wanted = select(SmsQuota).where(
        SmsQuota.department_id.in_(above), SmsQuota.month == month, SmsQuota.state == "active"
    )
    found = session.scalars(wanted.execution_options(populate_existing=True))
    return sorted(found, key=lambda quota: quota.left)


def rooms_of(session: Session, department: Department | None, month: date) -> list[rules.Room]:
    """The same as the rules see them; none: as many as it likes."""
    return [rules.Room(str(quota), quota.segments, quota.used) for quota in quotas_above(session, department, month)]


def tightest_quota(session: Session, department: Department | None, month: date) -> SmsQuota | None:
    return next(iter(quotas_above(session, department, month)), None)
