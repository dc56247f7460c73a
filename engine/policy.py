"""When is an approval decided, and what follows: the node policies of a diagram, read once and counted purely.

They stand in a user task's `camunda:properties`, each named `approval.<name>`:

| name | values | default |
|---|---|---|
| sign | or, all, sequential, vote | or |
| claim | pool (one item all candidates share), each (an item for everyone) | pool for or, else each |
| vote_pass, vote_reject | "60%" of the weight that votes, or a count; a count of refusals | 50%+ |
| weights | "12:3, 15:2": person id : weight; everybody else weighs 1 | |
| reject | end, flow, starter, previous, node:ID, ask | end |
| after_return | walk, straight_back | walk |
| empty | admin, approve, reject, hold, user:ID | admin |
| self | leader, allow, skip, dept_head | leader |
| dedupe | none, consecutive, all | none |
| allow | actions the step offers, by commas | approve, reject, return |
| opinion, signature | required | |
| circulate | free, wait (it is approved when those it was circulated to have read it) | free |
| on_due | remind, approve, reject, leader, escalate | |
| pick | starter, approver: who names this step's people | |
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from types import MappingProxyType

from engine.i18n import Sentence, _

PREFIX = "approval."

SIGNS = ("or", "all", "sequential", "vote")
CHOICES: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "sign": SIGNS,
        "claim": ("pool", "each"),
        "reject": ("end", "flow", "starter", "previous", "ask"),
        "after_return": ("walk", "straight_back"),
        "empty": ("admin", "approve", "reject", "hold"),
        "self": ("leader", "allow", "skip", "dept_head"),
        "dedupe": ("none", "consecutive", "all"),
        "opinion": ("required", "optional"),
        "signature": ("required", "optional"),
        "circulate": ("free", "wait"),
        "on_due": ("remind", "approve", "reject", "leader", "escalate"),
        "pick": ("starter", "approver"),
    }
)
"""Values of the policies that are one word; `reject` also takes node:ID, `empty` user:ID."""

ACTIONS = (
    "approve", "reject", "return", "abstain",
    "transfer", "delegate", "consult", "add_signer", "cc", "circulate",
)  # fmt: skip
"""What `approval.allow` may name."""

NAMES = frozenset({*CHOICES, "vote_pass", "vote_reject", "weights", "allow"})


class Misdrawn(ValueError):
    """A policy that cannot be read: `name` of the property, `sentence` why."""

    def __init__(self, name: str, sentence: Sentence) -> None:
        super().__init__(str(sentence))
        self.name = name
        self.sentence = sentence


@dataclass(frozen=True, slots=True)
class Threshold:
    """So much must be reached: a share of the votes, or a count of them."""

    share: Fraction | None = None
    count: int = 0
    beyond: bool = False
    """more than it, not just as much"""

    def reached(self, part: int, whole: int) -> bool:
        if self.share is None:
            return part >= self.count
        wanted = self.share * whole
        return part > wanted if self.beyond else part >= wanted


MAJORITY = Threshold(Fraction(1, 2), beyond=True)


@dataclass(frozen=True, slots=True)
class Policy:
    """What a diagram says of one approval."""

    sign: str = "or"
    claim: str = "pool"
    vote_pass: Threshold = MAJORITY
    vote_reject: int = 0
    """so many refusals decide at once; 0 = the rest of the votes decides"""
    weights: Mapping[int, int] = field(default_factory=lambda: MappingProxyType({}))
    reject: str = "end"
    after_return: str = "walk"
    empty: str = "admin"
    self: str = "leader"
    dedupe: str = "none"
    allow: tuple[str, ...] = ("approve", "reject", "return")
    allows_all: bool = True
    """the diagram names no actions: every one that fits is allowed"""
    opinion: bool = False
    signature: bool = False
    circulate: str = "free"
    on_due: str = ""
    pick: str = ""

    @property
    def each(self) -> bool:
        """Everybody gets an item of his own."""
        return self.claim == "each"

    @property
    def own_allowed(self) -> bool:
        """The starter may decide his own request."""
        return self.self in ("allow", "skip")

    @property
    def waits_for_readers(self) -> bool:
        """What was circulated from this step must be acknowledged before it can be approved."""
        return self.circulate == "wait"

    def weight_of(self, person_id: int) -> int:
        return self.weights.get(person_id, 1)


def read(properties: Mapping[str, str]) -> Policy:
    """The policy drawn at a node; raises Misdrawn at the first fault (`faults` names all)."""
    return _read(tuple(sorted((name, text) for name, text in properties.items() if name.startswith(PREFIX))))


@lru_cache(maxsize=4096)
def _read(drawn: tuple[tuple[str, str], ...]) -> Policy:
    given = {name.removeprefix(PREFIX): text.strip() for name, text in drawn}
    sign = _choice(given, "sign", "or")
    claim = _choice(given, "claim", "pool" if sign == "or" else "each")
    if sign != "or" and claim == "pool":
        raise Misdrawn("claim", _("A countersign or vote needs an item for everyone: claim = each."))
    return Policy(
        sign=sign,
        claim=claim,
        vote_pass=_threshold(given.get("vote_pass", "")),
        vote_reject=_count("vote_reject", given.get("vote_reject", "0")),
        weights=MappingProxyType(_weights(given.get("weights", ""))),
        reject=_choice(given, "reject", "end", "node:"),
        after_return=_choice(given, "after_return", "walk"),
        empty=_choice(given, "empty", "admin", "user:"),
        self=_choice(given, "self", "leader"),
        dedupe=_choice(given, "dedupe", "none"),
        allow=_allow(given.get("allow", "")),
        allows_all=not given.get("allow", ""),
        opinion=_choice(given, "opinion", "optional") == "required",
        signature=_choice(given, "signature", "optional") == "required",
        circulate=_choice(given, "circulate", "free"),
        on_due=_choice(given, "on_due", ""),
        pick=_choice(given, "pick", ""),
    )


def faults(properties: Mapping[str, str]) -> Iterator[Misdrawn]:
    """Everything that is wrong with what a node says, for the checks before deployment."""
    given = {name: text for name, text in properties.items() if name.startswith(PREFIX)}
    for name, text in given.items():
        if name.removeprefix(PREFIX) not in NAMES:
            yield Misdrawn(name.removeprefix(PREFIX), _("There is no policy {name}.", name=name))
            continue
        try:
            if name != f"{PREFIX}claim":
                read({name: text})
        except Misdrawn as fault:
            yield fault
    try:
        read({name: given[name] for name in given if name in {f"{PREFIX}sign", f"{PREFIX}claim"}})
    except Misdrawn as fault:
        if fault.name == "claim":
            yield fault


def _choice(given: Mapping[str, str], name: str, default: str, prefix: str = "") -> str:
    text = given.get(name, "") or default
    if text == default or text in CHOICES[name]:
        return text
    if prefix and text.startswith(prefix) and text.removeprefix(prefix).strip():
        return text
    known = ", ".join((*CHOICES[name], *([f"{prefix}…"] if prefix else [])))
    raise Misdrawn(name, _("{value} is no {name}; choose one of: {known}.", value=text, name=name, known=known))


def _threshold(text: str) -> Threshold:
    if not text:
        return MAJORITY
    number, percent = text.removesuffix("%").strip(), text.endswith("%")
    try:
        value = Fraction(number)
    except (ValueError, ZeroDivisionError):
        value = Fraction(0)
    if value <= 0 or (percent and value > 100) or (not percent and value.denominator != 1):
        raise Misdrawn("vote_pass", _("{value} is neither a share like 60% nor a number of votes.", value=text))
    return Threshold(share=value / 100) if percent else Threshold(count=int(value))


def _count(name: str, text: str) -> int:
    if not text.isdecimal():
        raise Misdrawn(name, _("{value} is no number of votes.", value=text))
    return int(text)


def _weights(text: str) -> dict[int, int]:
    found = {}
    for part in filter(None, (one.strip() for one in text.split(","))):
        person, _colon, weight = part.partition(":")
        if not (person.strip().isdecimal() and weight.strip().isdecimal() and 0 < int(weight) <= 1000):
            raise Misdrawn("weights", _("{value} is no weight; write person:weight, as in 12:3.", value=part))
        found[int(person)] = int(weight)
    return found


def _allow(text: str) -> tuple[str, ...]:
    if not text:
        return ("approve", "reject", "return")
    wanted = [one.strip() for one in text.split(",") if one.strip()]
    unknown = [one for one in wanted if one not in ACTIONS]
    if unknown:
        raise Misdrawn(
            "allow", _("{value} is no action; choose from: {known}.", value=unknown[0], known=", ".join(ACTIONS))
        )
    return tuple(wanted)


# ------------------------------------------------------------------------------------------------- counting


@dataclass(frozen=True, slots=True)
class Tally:
    """How it stands with the signers of one node, by weight; who was removed or never asked is not in it."""

    approved: int = 0
    rejected: int = 0
    refusals: int = 0
    """how many rejected, whatever they weigh"""
    abstained: int = 0
    open: int = 0
    """have not said anything, or wait for their turn"""


def decide(policy: Policy, tally: Tally) -> str | None:
    """Say "approve" or "reject" as soon as nothing that is still to come can change it; None before."""
    if policy.sign == "vote":
        return _vote(policy, tally)
    if tally.rejected:
        return "reject"
    if policy.sign == "or":
        return "approve" if tally.approved else ("reject" if not tally.open else None)
    if tally.open:
        return None
    return "approve" if tally.approved else "reject"  # everybody abstained: nobody agreed


def _vote(policy: Policy, tally: Tally) -> str | None:
    voting = tally.approved + tally.rejected + tally.open
    if policy.vote_reject and tally.refusals >= policy.vote_reject:
        return "reject"
    if tally.approved and policy.vote_pass.reached(tally.approved, voting):
        return "approve"  # even if everybody else refuses
    if not voting or not policy.vote_pass.reached(tally.approved + tally.open, voting):
        return "reject"  # even if everybody else agrees
    return None


# ------------------------------------------------------------------------------------------------- in words


def explain(policy: Policy, people: int) -> Sentence:
    """The rule of a node in a sentence for those who decide, e.g. "三人会签，两人同意即通过"."""
    if policy.sign == "vote":
        passed = policy.vote_pass
        if passed.share is None:
            return _("{people} people vote; {count} must agree.", people=people, count=passed.count)
        if passed.beyond:
            return _("{people} people vote; more than {share} % must agree.", people=people, share=_percent(passed))
        return _("{people} people vote; at least {share} % must agree.", people=people, share=_percent(passed))
    if policy.sign == "sequential":
        return _("{people} people sign one after the other; all must agree.", people=people)
    if policy.sign == "all":
        return _("{people} people sign; all must agree.", people=people)
    return _("Any one of {people} people decides.", people=people)


def _percent(threshold: Threshold) -> str:
    value = (threshold.share or Fraction(0)) * 100
    return str(value.numerator) if value.denominator == 1 else f"{float(value):.1f}"
