"""The rules of the telephone: how numbers read, what a call came to, who may press which button when."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from hashlib import sha256

from engine.errors import RuleViolation
from engine.i18n import Sentence, _
from processes.kernel import phone_number

EXCHANGE = "telephony"
"""The name of the one exchange of a house: of its listener, its health, its lease."""

LONGEST_NOTE = 5000
LONGEST_REASON = 80

EXTENSION = re.compile(r"[0-9]{2,6}")
QUEUE = re.compile(r"[A-Za-z0-9_-]{1,40}")

PRESENCES = ("idle", "ringing", "busy", "paused", "offline")
RESULTS = (
    "answered",
    "missed",
    "busy",
    "no_answer",
    "unknown_number",
    "rejected",
    "unreachable",
    "congestion",
    "cancelled",
    "agent_no_answer",
    "agent_busy",
    "agent_unreachable",
    "failed",
    "link_lost",
)

_NOT_SAID = re.compile(r"(?i)anonymous|unknown|unavailable|private|restricted|withheld")
_ZERO_MOBILE = re.compile(r"01[3-9]\d{9}")
_WITHOUT_AREA = re.compile(r"[2-9]\d{6,7}")


@dataclass(frozen=True, slots=True)
class NumberPlan:
    """How this exchange writes numbers. outside: what is dialled before an outside number.  area: 010, 0755 …"""

    outside: str = ""
    area: str = ""


def read_number(reported: str, plan: NumberPlan) -> str:
    """A number as an exchange reports it, as E.164; an extension and what cannot be read stay; hidden is "".

    075512345678, 12345678 in one's own area, 013800138000, 8613800138000, 008613800138000, 9 before any of them.
    """
    text = "".join(sign for sign in reported if not sign.isspace())
    if not text or _NOT_SAID.search(text):
        return ""
    if EXTENSION.fullmatch(text):
        return text
    found = _parsed(text, plan)
    if found is None and plan.outside and text.startswith(plan.outside):
        inner = text.removeprefix(plan.outside)
        found = inner if EXTENSION.fullmatch(inner) else _parsed(inner, plan)
    return found if found is not None else text[:40]


def _parsed(text: str, plan: NumberPlan) -> str | None:
    if _ZERO_MOBILE.fullmatch(text):
        text = text[1:]
    if plan.area and _WITHOUT_AREA.fullmatch(text):
        text = plan.area + text
    candidates = [text, f"+{text}"] if text.startswith("86") else [text]
    for one in candidates:
        try:
            return phone_number.parse(one)
        except RuleViolation:
            continue
    return None


def wanted_number(text: str, plan: NumberPlan) -> str:
    """A number somebody wants to call: E.164 or an extension. Raises RuleViolation for anything else."""
    compact = "".join(sign for sign in text if sign.isalnum() or sign == "+")
    if EXTENSION.fullmatch(compact):
        return compact
    return _parsed(compact, plan) or phone_number.parse(text)


def to_dial(number: str, plan: NumberPlan) -> str:
    """What is dialled for an E.164 number or an extension: as one would press it on a phone in China."""
    if not number.startswith("+"):
        return number
    national = number.removeprefix("+86")
    if national == number:
        return f"{plan.outside}00{number[1:]}"
    if phone_number.is_mobile(number) or national.startswith(("400", "800")):
        return plan.outside + national
    return f"{plan.outside}0{national}"


def result_of(direction: str, cause: str, *, answered: bool) -> str:
    """What an ended call came to."""
    if answered:
        return "answered"
    if cause == "link_lost":
        return cause
    if direction == "in":
        return "missed"
    return cause if cause in RESULTS else "failed"


def state_of(leg_states: list[str], *, answered: bool, held: bool, ended: bool) -> str:
    if ended:
        return "ended"
    if "talking" in leg_states or (answered and "ringing" not in leg_states):
        return "held" if held else "talking"
    return "ringing" if "ringing" in leg_states else "dialling"


# ------------------------------------------------------------------------------------------------- quality

MOST_POINTS = 100
MOST_DRAWN = 50
LONGEST_REMARK = 1000
LONGEST_ADDRESS = 500

USUAL_CRITERIA: Mapping[str, tuple[Sentence, int]] = {
    "greeting": (_("Greets and gives the name"), 10),
    "listening": (_("Listens and asks back"), 25),
    "answer": (_("Answers right and fully"), 35),
    "tone": (_("Speaks politely and calmly"), 15),
    "closing": (_("Says what comes next"), 15),
}
"""What a call is scored by until a company says otherwise, and the points of each."""

_ADDRESS = re.compile(r"https?://[^\s<>\"']+")


def sample(calls: Iterable[int], size: int, seed: str) -> list[int]:
    """So many of them, as by lot: nobody can choose, and the same seed gives the same again.

    Each call has its own lot, so a call that is added later takes at most one place and moves no other.
    """
    return sorted(calls, key=lambda one: sha256(f"{seed}:{one}".encode()).digest())[:size]


def share_of(points: int, most: int) -> int:
    """Per cent, half up."""
    return (200 * points + most) // (2 * most)


def check_address(address: str) -> str:
    """Where a recording lies: opened by a click, so nothing but the web's own."""
    address = address.strip()
    if address and not (len(address) <= LONGEST_ADDRESS and _ADDRESS.fullmatch(address)):
        raise RuleViolation(_("Please write an address that begins with https:// or http://."))
    return address
