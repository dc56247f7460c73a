"""The words people read for calls and agents, with the colour and the sign beside them."""

from __future__ import annotations

from engine.i18n import Sentence, _
from processes.telephony.models import Agent, Call
from webapp.skin.words import Word

STATES = {
    "dialling": Word(_("Dialling"), "blue", "phone-outgoing"),
    "ringing": Word(_("Rings"), "amber", "phone-incoming"),
    "talking": Word(_("In conversation"), "green", "phone-call"),
    "held": Word(_("On hold"), "amber", "player-pause"),
    "ended": Word(_("Call is over"), "grey", "phone"),
}

WAITS = Word(_("Waits"), "amber", "clock")
"""came in and rings nowhere yet"""

RESULTS = {
    "answered": Word(_("Answered"), "green", "check"),
    "missed": Word(_("Missed"), "red", "phone-incoming"),
    "busy": Word(_("Line busy"), "amber", "phone"),
    "no_answer": Word(_("No answer"), "amber", "phone"),
    "unknown_number": Word(_("Number does not exist"), "red", "alert-circle"),
    "rejected": Word(_("Turned down"), "amber", "x"),
    "unreachable": Word(_("Not reachable"), "amber", "phone"),
    "congestion": Word(_("Network busy"), "amber", "alert-triangle"),
    "cancelled": Word(_("Given up"), "grey", "minus"),
    "agent_no_answer": Word(_("Own phone not picked up"), "grey", "phone"),
    "agent_busy": Word(_("Own phone busy"), "grey", "phone"),
    "agent_unreachable": Word(_("Own phone not reachable"), "red", "phone"),
    "failed": Word(_("Did not work"), "red", "alert-circle"),
    "link_lost": Word(_("Connection to the exchange lost"), "grey", "plug-off"),
}

PRESENCES = {
    "": Word(_("Not heard of"), "grey", "phone"),
    "idle": Word(_("Free"), "green", "phone"),
    "ringing": Word(_("Rings"), "amber", "phone-incoming"),
    "busy": Word(_("Speaks"), "blue", "phone-call"),
    "paused": Word(_("Pauses"), "amber", "player-pause"),
    "offline": Word(_("Phone is off"), "grey", "plug-off"),
}

DIRECTIONS = {
    "in": Word(_("Incoming"), "grey", "phone-incoming"),
    "out": Word(_("Outgoing calls"), "grey", "phone-outgoing"),
    "internal": Word(_("Internal"), "grey", "phone"),
    "": Word(_("Call"), "grey", "phone"),
}

LEGS = {
    "ringing": Word(_("rings"), "amber", "phone-incoming"),
    "talking": Word(_("speaks"), "green", "phone-call"),
    "over": Word(_("over"), "grey", "minus"),
}

LEFT: dict[str, Sentence] = {
    "answered_elsewhere": _("a colleague took it"),
    "caller_left": _("the caller gave up"),
    "no_answer": _("did not pick up"),
    "busy": _("was busy"),
    "rejected": _("turned it down"),
}

ENDED_BY: dict[str, Sentence] = {
    "agent": _("by us"),
    "customer": _("by the other side"),
    "exchange": _("by the exchange"),
}

PAUSES = (_("Meal"), _("Meeting"), _("Training"), _("Break"))
"""What agents pause for, most days."""

DOWN = Word(_("Telephone system not connected"), "red", "plug-off")


def state(call: Call) -> Word:
    """How a live call is, or what one that is over came to."""
    if call.state == "ended":
        return RESULTS.get(call.result, RESULTS["failed"])
    return WAITS if call.state == "dialling" and call.direction == "in" else STATES[call.state]


def presence(agent: Agent) -> Word:
    return PRESENCES.get(agent.presence, PRESENCES[""])
