"""The words people read for ways, outcomes, queues and what became of appointments, each with its mark."""

from __future__ import annotations

from datetime import date

from engine.i18n import Sentence, _
from processes.activity import rules
from processes.activity.models import Appointment
from processes.activity.operations import today
from webapp.skin.words import Word

WAY_ICONS = {
    "call": "phone",
    "visit": "map-pin",
    "meeting": "users",
    "message": "message-circle",
    "mail": "mail",
    "sms": "message",
    "other": "dots",
}
WAYS = {name: Word(text, "blue", WAY_ICONS[name]) for name, text in rules.WAYS.items()}
RESULTS = {
    "reached": Word(rules.RESULTS["reached"], "blue", "check"),
    "interested": Word(rules.RESULTS["interested"], "green", "star"),
    "refused": Word(rules.RESULTS["refused"], "red", "x"),
    "not_reached": Word(rules.RESULTS["not_reached"], "amber", "phone"),
}
QUEUES = {
    "overdue": Word(rules.QUEUES["overdue"], "red", "alert-triangle"),
    "today": Word(rules.QUEUES["today"], "blue", "calendar-event"),
    "week": Word(rules.QUEUES["week"], "grey", "calendar"),
    "idle": Word(rules.QUEUES["idle"], "amber", "hourglass"),
    "never": Word(rules.QUEUES["never"], "grey", "user-question"),
}

CHOSEN = Word(_("From the analysis"), "blue", "chart-bar")


def due_word(day: date) -> Word:
    """How an appointment stands to today."""
    now = today()
    if day < now:
        late = (now - day).days
        said = _("One day overdue") if late == 1 else _("{days} days overdue", days=late)
        return Word(said, "red", "alert-triangle")
    if day == now:
        return Word(_("Today"), "blue", "calendar-event")
    ahead = (day - now).days
    return Word(_("Tomorrow") if ahead == 1 else _("In {days} days", days=ahead), "grey", "calendar")


def closing(appointment: Appointment) -> Sentence | str:
    """Why it was cancelled: the house's own cause, or the reason somebody wrote."""
    return rules.CLOSINGS.get(appointment.closing, appointment.closing)


def move_reason(reason: str) -> Sentence | str:
    """Why an appointment was moved: the house's own cause, or the reason somebody wrote."""
    return rules.MOVES.get(reason, reason)
