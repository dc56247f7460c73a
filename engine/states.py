"""What people read of a state: one word for each, wherever it is shown, printed or named in a refusal."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from engine.i18n import Sentence, _

INSTANCE: Mapping[str, Sentence] = MappingProxyType(
    {
        "draft": _("Draft"),
        "running": _("Running"),
        "suspended": _("Suspended"),
        "completed": _("Completed"),
        "rejected": _("Rejected"),
        "withdrawn": _("Withdrawn"),
        "terminated": _("Terminated"),
        "void": _("Void"),
        "failed": _("Failed"),
    }
)

MESSAGE: Mapping[str, Sentence] = MappingProxyType(
    {
        "queued": _("Queued"),
        "sending": _("Sending"),
        "sent": _("Sent"),
        "delivered": _("Delivered"),
        "failed": _("Failed"),
        "unknown": _("In doubt"),
        "cancelled": _("Cancelled"),
    }
)


def stands_still(state: str) -> Sentence:
    """Why nothing can be done in a process of this state."""
    return _("This process is “{state}”; nothing can be done in it now.", state=INSTANCE[state])
