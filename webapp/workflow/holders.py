"""With whom a work item lies and why it reached them, in words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy.orm import Session

from engine.assignment import RULES, parse
from engine.catalog import CATALOG
from engine.i18n import _, listed
from engine.models import WorkItem
from engine.repository import Loaded
from webapp.skin import formats

SHOWN_NAMES = 3


BY_PEOPLE = {
    "returned": _("it was sent back"),
    "straight_back": _("it was mended and comes straight back"),
    "jump": _("the process was taken to this step"),
    "reopened": _("the process was opened again"),
    "named": _("named for this request"),
    "consult": _("asked for advice"),
    "added_before": _("added as a signer before"),
    "added_after": _("added as a signer after"),
    "added_parallel": _("added as a signer beside"),
    "migrate": _("the process moved to another version"),
}
"""Why an item reached somebody where no rule of the diagram chose him."""


def names(session: Session, items: Iterable[WorkItem]) -> dict[int, tuple[str, ...]]:
    """Item -> the person it lies with, or everybody who may take it; asked for all of them at once."""
    principals = {
        item.id: [item.assignee_id] if item.assignee_id is not None else [int(one) for one in item.candidates]
        for item in items
    }
    pools = {one for found in principals.values() for one in found if one < 0}
    directory = CATALOG.directory
    members = {pool: directory.members(session, pool) if directory is not None else () for pool in pools}
    persons = {
        id: dict.fromkeys(person for one in found for person in members.get(one, (one,)))
        for id, found in principals.items()
    }
    formats.people(person for found in persons.values() for person in found)
    return {id: tuple(formats.person(person) for person in found) for id, found in persons.items()}


def in_short(found: tuple[str, ...]) -> str:
    """A few names stand for many: "李娜、王强、陈静 and 4 more"."""
    shown = listed(found[:SHOWN_NAMES])
    more = len(found) - SHOWN_NAMES
    return str(_("{names} and {count} more", names=shown, count=more)) if more > 0 else shown


def why(reason: Mapping[str, Any], loaded: Loaded) -> str:
    """The rule that found them, and the path it went; fields and steps by the names the diagram gives them."""
    rule = rule_in_words(str(reason.get("rule") or ""))
    by_people = reason.get("rule") in BY_PEOPLE and reason.get("by_name")
    path = str(by_people or reason.get("path") or reason.get("detail") or reason.get("by_name") or "")
    shown = _titled(path, loaded)
    return f"{rule} · {shown}" if rule and shown else rule or shown


def _titled(path: str, loaded: Loaded) -> str:
    """field(approvers) and handler(lead) leave the id of a field or a step as their path."""
    node, form = loaded.compiled.nodes.get(path), loaded.start_form()
    if node is not None:
        return node.name or path
    return form.by_id[path].label if form and path in form.by_id else path


def rule_in_words(rule: str) -> str:
    """The titles of the rules in a text like "superior, position(finance)"."""
    if not rule:
        return ""
    if rule == "fallback":
        return str(_("nobody was found by rule; this person takes what is left over"))
    words = []
    if rule.startswith("empty:"):
        return str(_("nobody was found by rule; so the diagram says what then"))
    if rule in BY_PEOPLE:
        return str(BY_PEOPLE[rule])
    for one in rule.split(", "):
        parsed = parse(one)
        known = RULES.get(parsed[0]) if parsed else None
        words.append(str(known.title) if known else one)
    return listed(dict.fromkeys(words))
