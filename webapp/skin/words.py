"""The words people read for states, actions and deadlines, each with the tone of the chip beside it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.dates import format_timedelta
from flask import g, has_app_context

from engine import clock, deeds, states
from engine.db import Sessions
from engine.i18n import Sentence, _, current_locale
from processes.approval.rules import STATES, Standing, State, standing
from processes.kernel.working_time import STATUTORY, WorkingCalendar
from processes.organization.calendar import company_calendar
from webapp.skin import formats


@dataclass(frozen=True)
class Word:
    text: Sentence
    tone: str = "grey"
    """green | blue | amber | red | grey: beside the word, never instead of it"""
    icon: str = "point"
    hint: str = ""
    """what stands there on hover"""


INSTANCE_STATES = {
    "draft": Word(states.INSTANCE["draft"], "grey", "pencil"),
    "running": Word(states.INSTANCE["running"], "blue", "progress"),
    "suspended": Word(states.INSTANCE["suspended"], "amber", "player-pause"),
    "completed": Word(states.INSTANCE["completed"], "green", "circle-check"),
    "rejected": Word(states.INSTANCE["rejected"], "red", "circle-x"),
    "withdrawn": Word(states.INSTANCE["withdrawn"], "grey", "arrow-back-up"),
    "terminated": Word(states.INSTANCE["terminated"], "red", "player-stop"),
    "void": Word(states.INSTANCE["void"], "grey", "circle-x"),
    "failed": Word(states.INSTANCE["failed"], "red", "alert-triangle"),
}

ITEM_STATES = {
    "waiting": Word(_("Waiting for others"), "grey", "hourglass"),
    "open": Word(_("Open"), "blue", "progress"),
    "delegated": Word(_("Delegated"), "amber", "user-share"),
    "approving": Word(_("Approving"), "blue", "progress"),
    "done": Word(_("Done"), "green", "circle-check"),
    "returned": Word(_("Returned"), "amber", "arrow-back-up"),
    "cancelled": Word(_("No longer needed"), "grey", "minus"),
    "auto": Word(_("Passed automatically"), "grey", "checks"),
    "expired": Word(_("Expired"), "red", "clock"),
}

DEED_MARKS = {
    "start": ("blue", "send"),
    "submit": ("blue", "send"),
    "approve": ("green", "check"),
    "reject": ("red", "x"),
    "return": ("amber", "arrow-back-up"),
    "abstain": ("grey", "minus"),
    "claim": ("grey", "user-check"),
    "release": ("grey", "users"),
    "auto": ("grey", "checks"),
    "escalate": ("amber", "user-plus"),
    "withdraw": ("grey", "arrow-back-up"),
    "terminate": ("red", "player-stop"),
    "timer": ("grey", "clock"),
    "service": ("grey", "plug"),
    "message": ("grey", "mail-opened"),
    "signal": ("grey", "bell"),
    "incident": ("red", "alert-triangle"),
    "retry": ("blue", "refresh"),
    "skip": ("amber", "arrow-forward"),
    "cc": ("grey", "copy"),
    "circulate": ("grey", "eye"),
    "acknowledge": ("grey", "checks"),
    "recall": ("grey", "eye"),
    "transfer": ("blue", "user-share"),
    "assign": ("blue", "user-check"),
    "hand_over": ("blue", "user-share"),
    "delegate": ("blue", "message-2"),
    "resolve": ("green", "message-2"),
    "consult": ("blue", "help"),
    "add_signer": ("blue", "user-plus"),
    "remove_signer": ("amber", "user-minus"),
    "stand_in": ("grey", "user-share"),
    "take_back": ("grey", "arrow-back-up"),
    "reclaim": ("amber", "arrow-back-up"),
    "suspend": ("amber", "player-pause"),
    "resume": ("blue", "player-play"),
    "void": ("red", "circle-x"),
    "reopen": ("blue", "refresh"),
    "jump": ("amber", "arrow-forward"),
    "change_people": ("blue", "users"),
    "urge": ("amber", "bell-ringing"),
    "migrate": ("grey", "refresh"),
    "remind": ("amber", "bell-ringing"),
    "reschedule": ("blue", "calendar-event"),
    "migrate_back": ("grey", "arrow-back-up"),
    "end": ("grey", "flag"),
}
"""Tone and icon of what the log says."""

DEEDS = {action: Word(said, *DEED_MARKS[action]) for action, said in deeds.DEEDS.items()}
"""What the instance log calls an action -> what people read after the name of who did it."""

BUTTONS = {
    "approve": Word(_("Approve"), "green", "check"),
    "reject": Word(_("Reject"), "red", "x"),
    "return": Word(_("Return"), "amber", "arrow-back-up"),
    "submit": Word(_("Submit"), "blue", "send"),
    "claim": Word(_("Take it"), "blue", "user-check"),
    "release": Word(_("Give it back"), "grey", "users"),
    "abstain": Word(_("Abstain"), "grey", "minus"),
    "resolve": Word(_("Give my opinion"), "blue", "message-2"),
    "take_back": Word(_("Take it back"), "grey", "arrow-back-up"),
    "reclaim": Word(_("Take my decision back"), "grey", "arrow-back-up"),
    "transfer": Word(_("Transfer"), "blue", "user-share"),
    "delegate": Word(_("Ask for an opinion"), "blue", "message-2"),
    "consult": Word(_("Consult"), "blue", "help"),
    "add_signer": Word(_("Add signers"), "blue", "user-plus"),
    "remove_signer": Word(_("Remove this signer"), "red", "user-minus"),
    "cc": Word(_("Send copies"), "grey", "copy"),
    "circulate": Word(_("Circulate"), "grey", "eye"),
    "recall": Word(_("Withdraw the circulation"), "grey", "x"),
    "assign": Word(_("Assign to somebody"), "blue", "user-check"),
    "withdraw": Word(_("Withdraw"), "grey", "arrow-back-up"),
    "terminate": Word(_("Terminate"), "red", "player-stop"),
    "suspend": Word(_("Suspend"), "amber", "player-pause"),
    "resume": Word(_("Resume"), "blue", "player-play"),
    "void": Word(_("Make void"), "red", "circle-x"),
    "reopen": Word(_("Open again"), "blue", "refresh"),
    "jump": Word(_("Jump to a step"), "amber", "arrow-forward"),
    "change_people": Word(_("Name people of later steps"), "blue", "users"),
    "back_date": Word(_("Enter a decision on paper"), "grey", "pencil"),
    "urge": Word(_("Urge"), "amber", "bell-ringing"),
}

OUTCOMES = {
    "accepted": Word(_("Sent"), "green", "check"),
    "rejected": Word(_("Refused by the other side"), "red", "x"),
    "deferred": Word(_("Put off"), "amber", "clock"),
    "unknown": Word(_("In doubt"), "red", "alert-circle"),
}
"""How one attempt to send a message ended."""

OUTBOX_STATES = {
    "queued": Word(states.MESSAGE["queued"], "blue", "hourglass"),
    "sending": Word(states.MESSAGE["sending"], "blue", "loader-2"),
    "sent": Word(states.MESSAGE["sent"], "green", "check"),
    "delivered": Word(states.MESSAGE["delivered"], "green", "checks"),
    "failed": Word(states.MESSAGE["failed"], "red", "alert-circle"),
    "unknown": Word(states.MESSAGE["unknown"], "amber", "help"),
    "cancelled": Word(states.MESSAGE["cancelled"], "grey", "minus"),
}


def instance_state(state: str) -> Word:
    return INSTANCE_STATES.get(state, Word(Sentence(state, {})))


def item_state(state: str) -> Word:
    return ITEM_STATES.get(state, Word(Sentence(state, {})))


def outbox_state(state: str) -> Word:
    return OUTBOX_STATES.get(state, Word(Sentence(state, {})))


def deed(action: str) -> Word:
    return DEEDS.get(action, Word(Sentence(action, {})))


def button(action: str) -> Word:
    return BUTTONS.get(action, Word(Sentence(action, {})))


def due(at: datetime | None, since: datetime | None = None) -> Word | None:
    """How a deadline stands, in working time: the words say it, the tone repeats it, on hover stands the moment.

    since: when the work came; without it half of the time cannot be told, so only what is close is amber.
    """
    if at is None:
        return None
    now, calendar = clock.now(), _calendar()
    stands = standing(since or now, at, now, calendar)
    return Word(_left(stands, calendar), stands.state, DUE_ICONS[stands.state], formats.instant(at))


DUE_ICONS: dict[State, str] = {"green": "clock", "amber": "hourglass", "red": "alert-circle"}


def worst_due(dues: Iterable[tuple[datetime | None, datetime]]) -> Word | None:
    """Of several (due_at, since) the one that stands worst, of those the one that is due first."""
    words = [(word, at) for at, since in dues if at is not None and (word := due(at, since)) is not None]
    if not words:
        return None
    return min(words, key=lambda one: (-STATES.index(one[0].tone), one[1]))[0]


def due_state(at: datetime | None, since: datetime) -> tuple[State | None, str]:
    """The same for programs: the state and the sentence."""
    word = due(at, since)
    return (None, "") if word is None else (word.tone, str(word.text))  # type: ignore[return-value]


def _left(stands: Standing, calendar: WorkingCalendar) -> Sentence:
    """Rounded down: nobody is told of more time than there is, nor of more delay."""
    if stands.left < timedelta(minutes=1):
        return _("Just overdue") if stands.state == "red" else _("Due now")
    time = _worked(stands.left, calendar.day_length)
    return _("Overdue by {time}", time=time) if stands.state == "red" else _("{time} left", time=time)


def _worked(time: timedelta, day: timedelta) -> Sentence:
    """An amount of working time: minutes, hours, then days and half days."""
    if time < timedelta(hours=1):
        return _("{count} working minutes", count=time // timedelta(minutes=1))
    if time < day:
        hours = time // timedelta(hours=1)
        return _("1 working hour") if hours == 1 else _("{count} working hours", count=hours)
    halves = time // (day / 2)
    if halves == 2:
        return _("1 working day")
    return _("{count} working days", count=f"{halves / 2:g}")


def _calendar() -> WorkingCalendar:
    """The company's, asked for once a request."""
    if not has_app_context():
        return STATUTORY
    if "working_calendar" not in g:
        g.working_calendar = company_calendar(Sessions())
    found: WorkingCalendar = g.working_calendar
    return found


def span(since: datetime | None, until: datetime | None = None) -> str:
    """How long something has lasted or lasted: "3 hours"."""
    return "" if since is None else _span((until or clock.now()) - since)


def _span(duration: timedelta) -> str:
    seconds = max(duration, timedelta(minutes=1))
    return str(format_timedelta(seconds, locale=current_locale().replace("-", "_"), granularity="minute", threshold=1))


FILTERS = {
    "instance_state": instance_state,
    "item_state": item_state,
    "outbox_state": outbox_state,
    "deed": deed,
    "action_button": button,
    "due": due,
    "span": span,
}
