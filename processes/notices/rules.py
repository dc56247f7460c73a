"""Kinds of notices with their roads, and when a digest is due."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta

from engine.i18n import Sentence, _
from processes.kernel.working_time import STATUTORY, ZONE, WorkingCalendar, business_date, is_working_day

CHANNELS = ("in_app", "sms", "mail", "digest")

CHANNEL_TITLES: dict[str, Sentence] = {
    "in_app": _("In the house"),
    "sms": _("SMS"),
    "mail": _("Mail at once"),
    "digest": _("Daily digest"),
}

DIGEST_HOUR = time(8, 30)
"""in Shanghai, on working days"""

KEPT = timedelta(days=180)
"""How long a notice that was read is kept."""


@dataclass(frozen=True)
class Kind:
    """Something people may be told about."""

    name: str
    title: Sentence
    channels: frozenset[str]
    """its roads while the person has chosen none"""
    mandatory: bool
    """these roads cannot be switched off"""

    @property
    def fixed(self) -> frozenset[str]:
        return self.channels if self.mandatory else frozenset()


KINDS: dict[str, Kind] = {}

EVENTS: dict[str, Sentence] = {}
"""What a rule may tell by SMS: every kind of notice, and what happens without one."""


def event(name: str, title: Sentence) -> str:
    """Declare something that happens and is no notice; answers the name, for whoever tells of it."""
    EVENTS[name] = title
    return name


def kind(name: str, title: Sentence, channels: Iterable[str] = ("in_app", "digest"), *, mandatory: bool = False) -> str:
    """Declare a kind named `package.noun`; answers the name, for whoever writes such notices."""
    chosen = frozenset(channels)
    if not chosen <= set(CHANNELS):
        raise ValueError(f"{name}: no such channel in {sorted(chosen)}")
    KINDS[name] = Kind(name, title, chosen, mandatory)
    EVENTS[name] = title
    return name


def roads(of: Kind, chosen: Collection[str] | None) -> frozenset[str]:
    """The roads a notice of this kind takes to somebody who has chosen these (None: nothing chosen)."""
    if chosen is None:
        return of.channels
    return frozenset(chosen) & set(CHANNELS) | of.fixed


# ------------------------------------------------------------------------------------------------- digests


def next_digest(now: datetime, calendar: WorkingCalendar = STATUTORY) -> datetime:
    """The first half past eight of a working day that is not over."""
    day = business_date(now)
    while True:
        at = datetime.combine(day, DIGEST_HOUR, ZONE)
        if at > now and is_working_day(day, calendar):
            return at
        day += timedelta(days=1)
