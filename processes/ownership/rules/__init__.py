"""When somebody may have a customer, whose a new one is, and when one goes back to the pool. Rows 67-75."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from engine.errors import Conflict, RuleViolation
from engine.i18n import Sentence, _
from processes.kernel.working_time import ZONE

HOW: Mapping[str, Sentence] = {
    "created": _("Made by its owner"),
    "applied": _("Applied for"),
    "assigned": _("Assigned"),
    "handed_over": _("Handed over by a superior"),
    "by_rule": _("By a rule of assignment"),
    "imported": _("Imported"),
    "undone": _("A handing over taken back"),
    "merged": _("Merged"),
}
ENDED_HOW: Mapping[str, Sentence] = {
    "released": _("Released"),
    "assigned": _("Assigned"),
    "handed_over": _("Handed over by a superior"),
    "unlocked": _("Unlocked by a rule"),
    "undone": _("A handing over taken back"),
    "merged": _("Merged"),
    "closed": _("Customer closed"),
}
REQUEST_STATES: Mapping[str, Sentence] = {
    "pending": _("Waiting for a decision"),
    "approved": _("Approved"),
    "rejected": _("Rejected"),
    "closed": _("Closed without a decision"),
    "withdrawn": _("Withdrawn"),
}
POLICIES: Mapping[str, Sentence] = {
    "creator_owns": _("Who makes it owns it"),
    "open_by_default": _("It goes into the pool"),
    "rule_based": _("The rules of assignment decide"),
}
SUBJECTS: Mapping[str, Sentence] = {
    "company": _("The whole company"),
    "department": _("Department"),
    "position": _("Position"),
    "person": _("Person"),
}
UNLOCK_KINDS: Mapping[str, Sentence] = {
    "no_contact": _("Not contacted"),
    "no_deal": _("No opportunity"),
}
RULE_STATES: Mapping[str, Sentence] = {"draft": _("Draft"), "active": _("Active"), "archived": _("Archived")}
SHARE_LEVELS: Mapping[str, Sentence] = {"read": _("Read only"), "work": _("Work on it")}
SHARE_PARTS: Mapping[str, Sentence] = {
    "contacts": _("Contacts"),
    "records": _("Contact records"),
    "opportunities": _("Opportunities"),
}
"""What of a customer goes along when it is shared; party.permissions.PARTS asks for them."""
STATES: Mapping[str, Sentence] = {"active": _("Active"), "archived": _("Archived")}

LONGEST_REASON = 300

# ------------------------------------------------------------------------------------------------- limits


@dataclass(frozen=True, slots=True)
class Usage:
    """How many customers somebody holds (37/50)."""

    held: int
    """those that count: open ownerships, without dealt ones where the limit says so"""
    pending: int = 0
    """asked for and not decided"""
    most: int | None = None
    """None = as many as he likes"""
    rule: str = ""
    """whose limit it is: company | department | position | person"""
    rule_name: str = ""

    @property
    def used(self) -> int:
        return self.held + self.pending

    @property
    def left(self) -> int | None:
        return None if self.most is None else max(self.most - self.used, 0)

    @property
    def is_full(self) -> bool:
        return self.most is not None and self.used >= self.most

    def __str__(self) -> str:
        return f"{self.used}/{self.most}" if self.most is not None else str(self.used)


def check_limit(usage: Usage, more: int, person: str, *, own: bool = False) -> None:
    """`more` customers fit under the limit; own: the sentence is for the one it limits."""
    if usage.most is None or usage.used + more <= usage.most:
        return
    if own:
        raise RuleViolation(
            _("You hold {used} of {most} customers; release one first.", used=usage.used, most=usage.most),
            code="at_limit",
            remedy=_("“My lists” names those you may miss least."),
        )
    raise RuleViolation(
        _(
            "{person} holds {used} of {most} customers (limit: {rule}); {more} more do not fit.",
            person=person,
            used=usage.used,
            most=usage.most,
            rule=usage.rule_name or SUBJECTS.get(usage.rule, ""),
            more=more,
        ),
        code="at_limit",
        remedy=_("Let customers be released first, choose somebody else, or have the limit raised."),
    )


@dataclass(frozen=True, slots=True)
class Limit:
    kind: str
    subject_id: int
    most: int
    counts_dealt: bool


def limit_of(
    limits: Iterable[Limit], *, person: int, positions: Collection[int], departments: Sequence[int]
) -> Limit | None:
    """The one that holds: person before position before department before company.

    Of several positions the widest, for a further post takes nothing away; of departments the nearest, going up.
    """
    known = {(one.kind, one.subject_id): one for one in limits}
    if ("person", person) in known:
        return known["person", person]
    of_posts = [known["position", one] for one in positions if ("position", one) in known]
    if of_posts:
        return max(of_posts, key=lambda one: one.most)
    for department in departments:
        if ("department", department) in known:
            return known["department", department]
    return known.get(("company", 0))


# ------------------------------------------------------------------------------------------------- taking, giving back


def check_open(customer: str, state: str, owner: str | None = None) -> None:
    """Only a customer of the pool may be taken; owner: who has it, where the asker may know."""
    if state == "open":
        return
    if state == "closed":
        raise RuleViolation(_("{customer} is closed.", customer=customer), code="customer_closed")
    raise Conflict(
        _("{customer} belongs to {owner} already.", customer=customer, owner=owner)
        if owner
        else _("{customer} belongs to somebody already.", customer=customer),
        code="locked_already",
        remedy=_("Choose another customer, or ask for this one to be shared or handed over."),
    )


def check_cool_down(customer: str, released_at: datetime | None, now: datetime, days: int, until_on: date) -> None:
    """Who let a customer go does not have it back at once."""
    if released_at is not None and now < released_at + timedelta(days=days):
        raise RuleViolation(
            _("You let {customer} go lately; you may apply for it again from {day}.", customer=customer, day=until_on),
            code="cooling_down",
            remedy=_("Your superior may assign it to you before that day."),
        )


def fair_until(open_since: datetime | None, now: datetime, hours: int) -> datetime | None:
    """When applications for a customer that came into the pool lately may be granted; None: now."""
    ends = open_since + timedelta(hours=hours) if open_since is not None else now
    return ends if now < ends else None


def check_fair_window(customer: str, open_since: datetime | None, now: datetime, hours: int) -> None:
    """Nobody gets what has hardly come into the pool before others could see it there."""
    ends = fair_until(open_since, now, hours)
    if ends is not None:
        raise RuleViolation(
            _(
                "{customer} came into the pool lately; applications for it are granted from {moment}.",
                customer=customer,
                moment=f"{ends.astimezone(ZONE):%Y-%m-%d %H:%M}",
            ),
            code="fair_window",
            remedy=_("Decide then, among all who have applied; whoever may assign customers may assign it at once."),
        )


def check_daily_cap(asked_today: int, cap: int) -> None:
    if cap and asked_today >= cap:
        raise RuleViolation(
            _("You have applied for {count} customers today, more than {cap} a day are not allowed.",
              count=asked_today, cap=cap),
            code="daily_cap",
            remedy=_("Try again tomorrow."),
        )  # fmt: skip


def check_reason(reason: str) -> str:
    said = reason.strip()
    if not said:
        raise RuleViolation(_("Please say why."), code="reason_missing")
    if len(said) > LONGEST_REASON:
        raise RuleViolation(_("At most {count} characters fit here.", count=LONGEST_REASON), code="reason_too_long")
    return said


def check_day(until: date | None, today: date) -> None:
    """The last day of something that ends by itself; None: it does not."""
    if until is not None and until < today:
        raise RuleViolation(_("That day is over."), code="day_over", remedy=_("Choose today or a later day."))


# ------------------------------------------------------------------------------------------------- rules of assignment


@dataclass(frozen=True, slots=True)
class Traits:
    """What a rule looks at."""

    industry: str = ""
    region: str = ""
    level: str = ""
    source: str = ""


@dataclass(frozen=True, slots=True)
class Assignment:
    id: int
    industries: Collection[str]
    regions: Collection[str]
    levels: Collection[str]
    sources: Collection[str]
    people: Sequence[int]
    turn: int
    skips_full: bool

    def fits(self, traits: Traits) -> bool:
        """Empty conditions fit everything."""
        pairs = (
            (self.industries, traits.industry),
            (self.regions, traits.region),
            (self.levels, traits.level),
            (self.sources, traits.source),
        )
        return all(not wanted or value in wanted for wanted, value in pairs)

    def in_turn(self) -> list[int]:
        """Its people, beginning with whose turn it is."""
        if not self.people:
            return []
        first = self.turn % len(self.people)
        return [*self.people[first:], *self.people[:first]]


def first_fitting(rules: Iterable[Assignment], traits: Traits) -> Assignment | None:
    return next((rule for rule in rules if rule.fits(traits)), None)


def whose_turn(rule: Assignment, full: Collection[int]) -> int | None:
    """The next of its people; full: those with no room, and those who have left. A rule that does not pass over the
    full waits for nobody either: its next person is asked, and nobody else.
    """
    people = rule.in_turn()
    if not rule.skips_full:
        people = people[:1]
    return next((person for person in people if person not in full), None)
