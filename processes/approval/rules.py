"""How a due date stands, who may urge, and who decides in place of somebody: escalation, delegations."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from engine.errors import RuleViolation
from engine.i18n import _
from engine.workflow.contract import Node
from processes.kernel.money import Money
from processes.kernel.working_time import WorkingCalendar, after, working_time_between
from processes.organization.models import Employee

LONGEST_CHAIN = 3
"""A to B to C to D: further, nobody knows any more who decides."""

LONGEST_PERIOD = timedelta(days=366)

SCOPES = ("all", "processes", "amount")

STATE_NAMES = {
    "requested": _("Waits for an answer"),
    "accepted": _("Accepted"),
    "declined": _("Declined"),
    "active": _("In force"),
    "ended": _("Ended"),
    "cancelled": _("Cancelled"),
}
"""What people read of a delegation's state."""

NEXT_STATES = {
    "requested": {"accepted", "declined", "cancelled"},
    "accepted": {"active", "cancelled", "ended"},
    "active": {"ended"},
    "declined": set[str](),
    "ended": set[str](),
    "cancelled": set[str](),
}

LIVE_STATES = tuple(state for state, further in NEXT_STATES.items() if further)
"""Asked for, to come or in force."""

# ------------------------------------------------------------------------------------------------- answers by SMS

_ANSWER = re.compile(
    r"(?P<what>1|2|同意|不同意|驳回)[\s,.。:;、+#-]*(?P<code>\d{3,8})(?!\d)[\s,.。:;、+#-]*(?P<reason>.*)", re.DOTALL
)


@dataclass(frozen=True, slots=True)
class SmsAnswer:
    """What an approver has texted."""

    action: Literal["approve", "reject"]
    code: str
    reason: str

    @property
    def veiled(self) -> str:
        """As it may be kept and shown: without the code."""
        first = "1" if self.action == "approve" else "2"
        return f"{first} {'*' * len(self.code)} {self.reason}".strip()


def read_answer(text: str) -> SmsAnswer | None:
    """Read “1 482113” or “2 482113 reason”, in any width, with any sign between; None = it is no such answer."""
    found = _ANSWER.fullmatch(unicodedata.normalize("NFKC", text).strip())
    if found is None:
        return None
    agrees = found["what"] in ("1", "同意")
    return SmsAnswer("approve" if agrees else "reject", found["code"], found["reason"].strip())


# ------------------------------------------------------------------------------------------------- due dates

State = Literal["green", "amber", "red"]
STATES: tuple[State, ...] = ("green", "amber", "red")
"""From best to worst."""

CLOSE = timedelta(hours=8)
"""So little working time left is amber, however much was allowed: it is meant for today's work."""


@dataclass(frozen=True, slots=True)
class Standing:
    """How it stands with something that is due."""

    state: State
    left: timedelta
    """working time until it is due; how much has passed since, when it is red"""


def standing(since: datetime, due_at: datetime, now: datetime, calendar: WorkingCalendar) -> Standing:
    """Green while less than half of the working time allowed has passed and a working day is left, then amber, red
    once it is due. The one rule for every colour in the house.
    """
    if now >= due_at:
        return Standing("red", working_time_between(due_at, now, calendar))
    left = working_time_between(now, due_at, calendar)
    allowed = working_time_between(min(since, now), due_at, calendar)
    return Standing("amber" if left < CLOSE or left * 2 <= allowed else "green", left)


# ------------------------------------------------------------------------------------------------- reminders

THRESHOLDS = (50, 100, 150)
"""Per cent of the working time allowed at which something happens by itself."""

LYING = ("open", "delegated")
"""States of an item that lies with somebody who is to do something about it."""

ON_DUE = ("remind", "escalate", "approve", "reject", "leader")
"""What a node's `approval.on_due`, or the house for all nodes, may ask for; "" = nothing."""


def threshold_at(since: datetime, due_at: datetime, threshold: int, calendar: WorkingCalendar) -> datetime:
    """When so much of the working time allowed will have passed.

    Without any working time in between (due tonight, asked this evening) half of it has passed at once, and the last
    reminder comes with the next working time.
    """
    if threshold == 100:
        return due_at
    allowed = working_time_between(since, due_at, calendar)
    if threshold < 100:
        return after(since, allowed * threshold / 100, calendar)
    return after(due_at, max(allowed * (threshold - 100) / 100, timedelta(minutes=1)), calendar)


def is_drawn(node: str, nodes: Mapping[str, Node]) -> bool:
    """Whether the diagram says itself what happens when this task takes too long: a timer stands on its border."""
    return any(one.attached_to == node and one.event.startswith("timer") for one in nodes.values())


def escalation_target(line: Sequence[Employee], holders: Collection[Employee], starter_id: int) -> Employee | None:
    """The nearest one above who is still with us, does not hold the item already and did not start the request."""
    held_by = {person.id for person in holders}
    return next(
        (person for person in line if person.is_active and person.id not in held_by and person.id != starter_id), None
    )


# ------------------------------------------------------------------------------------------------- urging

URGE_PAUSE = timedelta(minutes=120)
"""Nobody is urged about the same item more often than this."""
LONGEST_URGE = 200


def next_urge_at(urged_at: datetime | None) -> datetime | None:
    return urged_at + URGE_PAUSE if urged_at is not None else None


def check_urge_text(text: str) -> None:
    if len(text) > LONGEST_URGE:
        raise RuleViolation(_("At most {count} characters fit here.", count=LONGEST_URGE), code="too_long")


def urge_channel(urges: int) -> Literal["notice", "sms"]:
    """The first time a word in the house, from then on an SMS."""
    return "notice" if urges == 0 else "sms"


# ------------------------------------------------------------------------------------------------- delegations


@dataclass(frozen=True, slots=True)
class Link:
    """A delegation as the rules see it."""

    delegator: int
    delegate: int
    starts: datetime
    ends: datetime
    scope: str = "all"
    processes: frozenset[str] = frozenset()
    limit: Money | None = None

    def covers(self, process: str, amount: Callable[[], Money | None]) -> bool:
        """Whether it holds for a request of this process; `amount` is asked only where there is a limit.

        A request without an amount, or in another currency, is within no limit.
        """
        if self.scope == "processes":
            return process in self.processes
        if self.scope == "amount":
            asked = amount()
            limit = self.limit
            return asked is not None and limit is not None and asked.currency == limit.currency and asked <= limit
        return True

    def shares_matter_with(self, other: Link) -> bool:
        """Both could be meant for one and the same item; only two lists of processes can be sure not to be."""
        if self.scope == other.scope == "processes":
            return bool(self.processes & other.processes)
        return True


Window = tuple[datetime, datetime]


def check_delegation(new: Link, others: Iterable[Link], now: datetime) -> None:
    """Refuse what must not be: to oneself, in the past, over nothing, twice, in a circle, over more than three."""
    if new.delegator == new.delegate:
        raise RuleViolation(
            _("Nobody delegates to themselves."), code="delegation_to_oneself", remedy=_("Choose a colleague.")
        )
    _check_period(new, now)
    _check_scope(new)
    others = tuple(others)
    _check_overlap(new, others)
    _check_chain(new, others)


def _check_period(new: Link, now: datetime) -> None:
    if new.ends <= new.starts:
        raise RuleViolation(
            _("A delegation ends after it starts."), code="period_reversed", remedy=_("Choose a later end.")
        )
    if new.ends <= now:
        raise RuleViolation(_("This period is over."), code="period_over", remedy=_("Choose a later end."))
    if new.ends - new.starts > LONGEST_PERIOD:
        raise RuleViolation(
            _("A delegation lasts a year at most."),
            code="period_too_long",
            remedy=_("For longer, have the work transferred or the organization chart changed."),
        )


def _check_scope(new: Link) -> None:
    if new.scope not in SCOPES:
        raise RuleViolation(_("Please choose one of the offered values."), code="no_such_scope")
    if new.scope == "processes" and not new.processes:
        raise RuleViolation(_("Please choose at least one process."), code="no_processes")
    if new.scope == "amount" and (new.limit is None or new.limit.amount <= 0):
        raise RuleViolation(_("Please give the amount up to which it holds."), code="no_limit")


def _check_overlap(new: Link, others: Iterable[Link]) -> None:
    for other in others:
        if other.delegator == new.delegator and _common(_window(new), other) and new.shares_matter_with(other):
            raise RuleViolation(
                _("There is a delegation for this time already, of the same approvals."),
                code="delegation_overlaps",
                remedy=_("End or withdraw that one first, or choose another time or other processes."),
            )


def _check_chain(new: Link, others: Sequence[Link]) -> None:
    """Whatever the scopes: people cannot keep in mind who stands in for whom for which process."""
    for back, window in _reach(new, others, backward=True):
        for forth, _when in _reach(new, others, backward=False, window=window):
            if back + 1 + forth > LONGEST_CHAIN:
                raise RuleViolation(
                    _(
                        "Delegations would follow one another more than {count} times in this period.",
                        count=LONGEST_CHAIN,
                    ),
                    code="delegation_chain",
                    remedy=_("Choose somebody who is there in this time."),
                )


def _reach(
    new: Link, others: Sequence[Link], *, backward: bool, window: Window | None = None
) -> Iterator[tuple[int, Window]]:
    """(how many delegations follow on at once, when) along every way from the new one; a circle is refused."""
    paths: list[tuple[tuple[int, ...], Window]] = [
        (
            (new.delegate, new.delegator) if backward else (new.delegator, new.delegate),
            window or _window(new),
        )
    ]
    while paths:
        people, when = paths.pop()
        yield len(people) - 2, when
        for link in others:
            here, there = (link.delegate, link.delegator) if backward else (link.delegator, link.delegate)
            common = _common(when, link)
            if here != people[-1] or common is None:
                continue
            if there in people:
                raise RuleViolation(
                    _("These delegations would lead in a circle."),
                    code="delegation_circle",
                    remedy=_("Choose somebody who has not delegated to you in this time, directly or through others."),
                )
            if len(people) - 2 <= LONGEST_CHAIN:
                paths.append(((*people, there), common))


def _window(link: Link) -> Window:
    return link.starts, link.ends


def _common(window: Window, link: Link) -> Window | None:
    starts, ends = max(window[0], link.starts), min(window[1], link.ends)
    return (starts, ends) if starts < ends else None


def check_move(state: str, to: str) -> None:
    if to not in NEXT_STATES[state]:
        raise RuleViolation(
            _("The delegation is “{state}” and cannot become “{to}”.", state=STATE_NAMES[state], to=STATE_NAMES[to]),
            code="wrong_state",
        )


def end_of_chain(
    person: int, links: Mapping[int, Sequence[Link]], process: str, amount: Callable[[], Money | None]
) -> int:
    """Who decides for this person now: on from delegate to delegate, as far as each delegation covers the request."""
    seen = {person}
    at = person
    while len(seen) <= LONGEST_CHAIN:
        further = next((link for link in links.get(at, ()) if link.covers(process, amount)), None)
        if further is None or further.delegate in seen:
            break
        at = further.delegate
        seen.add(at)
    return at
