"""What can be told, and where to: values in, an answer or RuleViolation out."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from math import isfinite
from types import MappingProxyType
from typing import Any

from connectors.outcome import Misconfigured
from connectors.robots.catalogue import KINDS
from connectors.safe_http import NOTHING_PRIVATE, Address, Allowed, refusal
from engine.errors import RuleViolation
from engine.i18n import Sentence, _

EVENT_TYPES: Mapping[str, Sentence] = MappingProxyType(
    {
        "process.instance.started": _("A request was submitted"),
        "process.instance.completed": _("A process was completed"),
        "process.instance.rejected": _("A request was rejected"),
        "process.instance.withdrawn": _("A request was withdrawn"),
        "process.instance.terminated": _("A process was terminated"),
        "process.instance.failed": _("A process ended with an error"),
        "process.instance.suspended": _("A process was suspended"),
        "process.instance.resumed": _("A process goes on"),
        "process.instance.voided": _("A request was voided"),
        "process.instance.reopened": _("An ended process was opened again"),
        "work_item.opened": _("A task lies with somebody"),
        "work_item.done": _("Somebody has decided or submitted"),
        "incident.opened": _("A step could not run"),
        "message.failed": _("An SMS or mail was not sent, or is in doubt"),
        "comment.added": _("Somebody commented"),
        "task.given": _("Somebody was given a task"),
        "task.moved": _("A task went on"),
    }
)
"""Event type -> what people read of it, in the order the page shows them."""

TEST = "webhook.test"
"""Sent by the test button; nobody subscribes to it."""


def check_url(text: str, allowed: Allowed = NOTHING_PRIVATE) -> str:
    """An address that can be told of events. A name is looked at again whenever something is sent."""
    try:
        why = refusal(Address.parse(text.strip()), allowed)
    except Misconfigured:
        raise RuleViolation(
            _("Please write an address like https://erp.example.cn/hooks/yunliu, without a login in it."),
            code="bad_url",
        ) from None
    if why == "address_blocked":
        raise RuleViolation(
            _("This address lies in an internal network, which webhooks do not reach."),
            code=why,
            remedy=_("An operator can open single hosts and networks with WEBHOOK_ALLOW_PRIVATE."),
        )
    if why:
        raise RuleViolation(_("Only https:// addresses leave the company."), code=why)
    return text.strip()


def check_robot_url(text: str, kind: str, allowed: Allowed = NOTHING_PRIVATE) -> str:
    """The address a service gave its robot; a service of one's own must be opened by an operator."""
    url = check_url(text, allowed)
    address = Address.parse(url)
    known = KINDS[kind].hosts if kind in KINDS else ()
    literal = address.literal
    opened = allowed.names(address.host) or (literal is not None and allowed.holds(literal))
    if address.host not in known and not opened:
        raise RuleViolation(
            _("A robot of this service has an address at {hosts}.", hosts=", ".join(known)), code="foreign_host"
        )
    return url


def check_events(names: object) -> list[str]:
    """Which of the known event types, each once, in our order."""
    if not isinstance(names, Iterable) or isinstance(names, (str, bytes, Mapping)):
        raise RuleViolation(_("Please choose from the list."))
    wanted = list(names)
    for name in wanted:
        if name not in EVENT_TYPES:
            raise RuleViolation(_("There is no event “{name}”.", name=str(name)[:60]), code="no_such_event")
    if not wanted:
        raise RuleViolation(_("Choose at least one event."))
    return [name for name in EVENT_TYPES if name in wanted]


# ------------------------------------------------------------------------------------------------- what comes in

DEEPEST = 60
LONGEST_KEY = 120
_PATH = re.compile(r"[^.\s]{1,60}(\.[^.\s]{1,60}){0,9}")
_VARIABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,59}")


def check_path(value: object) -> str:
    """A place in a JSON document: names and numbers of list entries, joined by dots."""
    if not isinstance(value, str) or len(value) > 200 or not _PATH.fullmatch(value.strip()):
        raise RuleViolation(_("Please write a place in the JSON, for example data.order.number."))
    return value.strip()


def check_variable(value: object) -> str:
    if not isinstance(value, str) or not _VARIABLE.fullmatch(value.strip()):
        raise RuleViolation(_("A variable's name has letters, digits and underscores and begins with a letter."))
    return value.strip()


def json_object(body: bytes) -> dict[str, Any]:
    """The body as a JSON object both databases can store."""
    try:
        said = json.loads(body, parse_constant=_no_number)
        if isinstance(said, dict) and _fits(said, DEEPEST):
            json.dumps(said, ensure_ascii=False).encode()  # half of a surrogate pair is no text
            return said
    except (ValueError, RecursionError):
        pass
    raise RuleViolation(_("The body must be a JSON object, not nested too deeply."), code="unreadable")


def _no_number(_text: str) -> float:
    raise ValueError


def _fits(value: object, levels: int) -> bool:
    if levels == 0:
        return False
    if isinstance(value, str):
        return "\0" not in value
    if isinstance(value, float):
        return isfinite(value)  # 1e400 reads as infinity, which JSON has no word for
    if isinstance(value, dict):
        return all("\0" not in name and _fits(inner, levels - 1) for name, inner in value.items())
    return not isinstance(value, list) or all(_fits(inner, levels - 1) for inner in value)


def at_path(said: object, path: str) -> object:
    """What stands there; None where nothing does."""
    for step in path.split("."):
        if isinstance(said, Mapping):
            said = said.get(step)
        elif isinstance(said, list) and step.isdecimal() and len(step) < 6 and int(step) < len(said):
            said = said[int(step)]
        else:
            return None
    return said


def key_at(said: Mapping[str, Any], path: str) -> str:
    """The business key a document names; "" where no place for one is set."""
    if not path:
        return ""
    found = at_path(said, path)
    text = str(found) if isinstance(found, (str, int)) and not isinstance(found, bool) else ""
    if not text or len(text) > LONGEST_KEY:
        raise RuleViolation(_("No business key stands at “{path}”.", path=path), code="no_business_key")
    return text


def form_at(said: Mapping[str, Any], path: str) -> dict[str, Any]:
    found = at_path(said, path)
    if not isinstance(found, Mapping):
        raise RuleViolation(_("No values for the form stand at “{path}”.", path=path), code="no_form")
    return dict(found)
