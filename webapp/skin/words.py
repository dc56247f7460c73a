"""The words people read for states, actions and deadlines, each with the tone of the chip beside it."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.dates import format_timedelta

from engine import clock
from engine.i18n import Sentence, _, current_locale
from webapp.skin import formats

SOON = timedelta(hours=4)
"""What is due within this time is shown in amber: it is meant for today's work."""


@dataclass(frozen=True)
class Word:
    text: Sentence
    tone: str = "grey"
    """green | blue | amber | red | grey: beside the word, never instead of it"""
    icon: str = "point"


INSTANCE_STATES = {
    "draft": Word(_("Draft"), "grey", "pencil"),
    "running": Word(_("Running"), "blue", "progress"),
    "suspended": Word(_("Suspended"), "amber", "player-pause"),
    "completed": Word(_("Completed"), "green", "circle-check"),
    "rejected": Word(_("Rejected"), "red", "circle-x"),
    "withdrawn": Word(_("Withdrawn"), "grey", "arrow-back-up"),
    "terminated": Word(_("Terminated"), "red", "player-stop"),
    "void": Word(_("Void"), "grey", "circle-x"),
    "failed": Word(_("Failed"), "red", "alert-triangle"),
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

DEEDS = {
    "start": Word(_("submitted the request"), "blue", "send"),
    "submit": Word(_("submitted"), "blue", "send"),
    "approve": Word(_("approved"), "green", "check"),
    "reject": Word(_("rejected"), "red", "x"),
    "return": Word(_("returned it"), "amber", "arrow-back-up"),
    "abstain": Word(_("abstained"), "grey", "minus"),
    "claim": Word(_("took it from the pool"), "grey", "user-check"),
    "release": Word(_("gave it back to the pool"), "grey", "users"),
    "auto": Word(_("Passed automatically"), "grey", "checks"),
    "escalate": Word(_("brought in another person"), "amber", "user-plus"),
    "withdraw": Word(_("withdrew the request"), "grey", "arrow-back-up"),
    "terminate": Word(_("terminated the process"), "red", "player-stop"),
    "timer": Word(_("A set time was reached"), "grey", "clock"),
    "service": Word(_("A connected system answered"), "grey", "plug"),
    "message": Word(_("A message arrived"), "grey", "mail-opened"),
    "signal": Word(_("A signal arrived"), "grey", "bell"),
    "incident": Word(_("A step could not run"), "red", "alert-triangle"),
    "retry": Word(_("tried the step again"), "blue", "refresh"),
    "skip": Word(_("skipped the step"), "amber", "arrow-forward"),
    "cc": Word(_("sent copies"), "grey", "copy"),
    "circulate": Word(_("circulated it"), "grey", "eye"),
    "acknowledge": Word(_("has read it"), "grey", "checks"),
    "transfer": Word(_("passed it on"), "blue", "user-share"),
    "assign": Word(_("assigned it"), "blue", "user-check"),
    "hand_over": Word(_("handed it over"), "blue", "user-share"),
    "delegate": Word(_("asked for an opinion"), "blue", "message-2"),
    "resolve": Word(_("gave an opinion"), "green", "message-2"),
    "consult": Word(_("asked a question"), "blue", "help"),
    "add_signer": Word(_("added signers"), "blue", "user-plus"),
    "remove_signer": Word(_("took a signer away"), "amber", "user-minus"),
    "stand_in": Word(_("gave it to who stands in"), "grey", "user-share"),
    "take_back": Word(_("took it back"), "grey", "arrow-back-up"),
    "reclaim": Word(_("took the decision back"), "amber", "arrow-back-up"),
    "suspend": Word(_("suspended the process"), "amber", "player-pause"),
    "resume": Word(_("let the process go on"), "blue", "player-play"),
    "void": Word(_("voided it"), "red", "circle-x"),
    "reopen": Word(_("opened it again"), "blue", "refresh"),
    "jump": Word(_("took it to another step"), "amber", "arrow-forward"),
    "change_people": Word(_("named who does later steps"), "blue", "users"),
    "urge": Word(_("urged"), "amber", "bell-ringing"),
    "migrate": Word(_("moved it to another version"), "grey", "refresh"),
    "remind": Word(_("A reminder was sent"), "amber", "bell-ringing"),
    "migrate_back": Word(_("took it back to the version before"), "grey", "arrow-back-up"),
    "end": Word(_("The process ended"), "grey", "flag"),
}
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
    "assign": Word(_("Assign to somebody"), "blue", "user-check"),
    "withdraw": Word(_("Withdraw"), "grey", "arrow-back-up"),
    "terminate": Word(_("Terminate"), "red", "player-stop"),
    "suspend": Word(_("Suspend"), "amber", "player-pause"),
    "resume": Word(_("Resume"), "blue", "player-play"),
    "void": Word(_("Void"), "red", "circle-x"),
    "reopen": Word(_("Open again"), "blue", "refresh"),
    "jump": Word(_("Jump to a step"), "amber", "arrow-forward"),
    "change_people": Word(_("Name people of later steps"), "blue", "users"),
    "back_date": Word(_("Enter a decision on paper"), "grey", "pencil"),
}

OUTBOX_STATES = {
    "queued": Word(_("Queued"), "blue", "hourglass"),
    "sending": Word(_("Sending"), "blue", "loader-2"),
    "sent": Word(_("Sent"), "green", "check"),
    "delivered": Word(_("Delivered"), "green", "checks"),
    "failed": Word(_("Failed"), "red", "alert-circle"),
    "unknown": Word(_("In doubt"), "amber", "help"),
    "cancelled": Word(_("Cancelled"), "grey", "minus"),
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


def due(at: datetime | None) -> Word | None:
    """How a deadline stands: the words say it, the tone repeats it."""
    if at is None:
        return None
    now = clock.now()
    if at <= now:
        return Word(_("Overdue by {time}", time=_span(now - at)), "red", "alert-circle")
    tone = "amber" if at - now <= SOON else "grey"
    days = (formats.local(at).date() - formats.local(now).date()).days
    hour = f"{formats.local(at):%H:%M}"
    if days == 0:
        return Word(_("Due today {hour}", hour=hour), tone, "clock")
    if days == 1:
        return Word(_("Due tomorrow {hour}", hour=hour), tone, "clock")
    return Word(_("{time} left", time=_span(at - now)), tone, "clock")


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
