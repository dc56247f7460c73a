"""What people read of an action in an instance's log, after the name of who did it."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.i18n import Sentence, _

DEEDS: Mapping[str, Sentence] = MappingProxyType(
    {
        "start": _("submitted the request"),
        "submit": _("submitted"),
        "approve": _("approved"),
        "reject": _("rejected"),
        "return": _("returned it"),
        "abstain": _("abstained"),
        "claim": _("took it from the pool"),
        "release": _("gave it back to the pool"),
        "auto": _("Passed automatically"),
        "escalate": _("brought in another person"),
        "withdraw": _("withdrew the request"),
        "terminate": _("terminated the process"),
        "timer": _("A set time was reached"),
        "service": _("A connected system answered"),
        "message": _("A message arrived"),
        "signal": _("A signal arrived"),
        "incident": _("A step could not run"),
        "retry": _("tried the step again"),
        "skip": _("skipped the step"),
        "cc": _("sent copies"),
        "circulate": _("circulated it"),
        "acknowledge": _("has read it"),
        "recall": _("withdrew the circulation"),
        "transfer": _("passed it on"),
        "assign": _("assigned it"),
        "hand_over": _("handed it over"),
        "delegate": _("asked for an opinion"),
        "resolve": _("gave an opinion"),
        "consult": _("asked a question"),
        "add_signer": _("added signers"),
        "remove_signer": _("took a signer away"),
        "stand_in": _("gave it to who stands in"),
        "take_back": _("took it back"),
        "reclaim": _("took the decision back"),
        "suspend": _("suspended the process"),
        "resume": _("let the process go on"),
        "void": _("voided it"),
        "reopen": _("opened it again"),
        "jump": _("took it to another step"),
        "change_people": _("named who does later steps"),
        "urge": _("urged"),
        "migrate": _("moved it to another version"),
        "remind": _("A reminder was sent"),
        "reschedule": _("Due dates were moved with the calendar"),
        "migrate_back": _("took it back to the version before"),
        "end": _("The process ended"),
    }
)
"""Action as the log calls it -> the words."""
