"""What the same kind of request got before, as the approver reads it beside the one to decide."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from engine import policy, repository, work_items
from engine.actor import Actor
from engine.errors import NotFound
from engine.i18n import Sentence, _, listed
from engine.models import Instance, WorkItem
from engine.repository import Loaded
from engine.runtime.assign import is_approval
from engine.work_items import Precedent
from webapp.skin import formats, words
from webapp.skin.words import Word
from webapp.workflow import lists


@dataclass(frozen=True)
class Line:
    """One finished request."""

    id: int
    name: str
    facts: str
    """amount, who asked, how long it took"""
    ended_at: Any
    outcome: Word


@dataclass(frozen=True)
class Before:
    lines: list[Line]
    sentences: list[Sentence]
    """how the requests looked through have ended"""


def of_item(session: Session, actor: Actor, item_id: int) -> Before:
    """The precedents of an item, for whoever may read what it belongs to."""
    item = session.get(WorkItem, item_id)
    instance = session.get(Instance, item.instance_id) if item is not None else None
    if item is None or instance is None or not work_items.may_read_instance(session, actor, instance.id):
        raise NotFound
    found = work_items.precedents_of(session, actor, instance, item.node)
    endings = _endings(repository.get(session, instance.definition_id))

    def told(counts: Mapping[str, int]) -> str:
        return listed(f"{endings(state).text} {count}" for state, count in counts.items())

    sentences = []
    if found.total:
        sentences.append(
            _("{count} of the past year that you may read: {counts}", count=found.total, counts=told(found.counts))
        )
    if found.of_starter:
        sentences.append(_("{name}: {counts}", name=instance.starter_name, counts=told(found.of_starter)))
    if found.near:
        sentences.append(_("With a similar amount: {counts}", counts=told(found.near)))
    return Before([_line(one, endings(one.state)) for one in found.shown], sentences)


def _line(one: Precedent, outcome: Word) -> Line:
    amount = [formats.money(one.amount)] if one.amount is not None else []
    took = str(_("took {time}", time=words.span(one.started_at, one.ended_at)))
    facts = " · ".join([*amount, one.starter_name, took])
    return Line(one.id, lists.name_of(one.title), facts, one.ended_at, outcome)


PASSED = Word(_("Passed"), "green", "circle-check")


def _endings(loaded: Loaded) -> Any:
    """State -> the word for it: what is completed has passed, unless refusals go along the flow as well."""
    drawn = (node for node in loaded.compiled.nodes.values() if is_approval(node))
    mixed = any(policy.read(node.properties).reject == "flow" for node in drawn)
    return lambda state: PASSED if state == "completed" and not mixed else words.instance_state(state)
