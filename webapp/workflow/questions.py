"""The dialogs of an instance's page: what they ask, who sees them, what they offer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from engine.actor import Actor
from engine.i18n import Sentence, _
from engine.repository import Loaded
from engine.work_items.rights import ADMINISTER, BACK_DATE, Right
from engine.workflow.contract import Node


@dataclass(frozen=True)
class Question:
    """One of the dialogs of an instance's page."""

    action: str
    title: Sentence
    question: Sentence
    done: Sentence
    needs_reason: bool = True
    danger: bool = False
    menu: bool = True
    """stands in the menu, not as a button of its own"""


QUESTIONS = {
    one.action: one
    for one in (
        Question("withdraw", _("Withdraw"), _("Take this request back?"), _("Withdrawn."), menu=False),
        Question(
            "change_people",
            _("Name people of later steps"),
            _("Who does later steps, for this request alone?"),
            _("The people are named."),
            needs_reason=False,
        ),
        Question(
            "back_date",
            _("Enter a decision on paper"),
            _("What was decided on paper, and when?"),
            _("The decision is entered."),
        ),
        Question("jump", _("Jump to a step"), _("Take this process to another step?"), _("It goes on from there.")),
        Question("suspend", _("Suspend"), _("Let this process stand still?"), _("Suspended.")),
        Question("resume", _("Resume"), _("Let this process go on?"), _("It goes on."), needs_reason=False),
        Question("reopen", _("Open again"), _("From which step does it run again?"), _("It runs again.")),
        Question("void", _("Make void"), _("Let this finished process count no more?"), _("Voided."), danger=True),
        Question("terminate", _("Terminate"), _("Stop this process for good?"), _("Terminated."), danger=True),
    )
}


def offered(rights: Mapping[str, Right], actor: Actor, running: bool) -> list[Question]:
    """The questions of the menu this person may answer."""
    paper = running and (actor.may(BACK_DATE) or actor.may(ADMINISTER))
    granted = {name for name, right in rights.items() if right.granted} | ({"back_date"} if paper else set())
    return [one for one in QUESTIONS.values() if one.menu and one.action in granted]


def steps_of(loaded: Loaded) -> list[Node]:
    """The steps people do, in the order they are drawn."""
    return [node for node in loaded.compiled.nodes.values() if node.kind == "userTask"]


def landings(loaded: Loaded) -> list[Node]:
    """Where a token can be taken: back to the starter, a step, an end."""
    starts = {trigger.node for trigger in loaded.compiled.starts if trigger.kind == "none"}
    nodes = loaded.compiled.nodes.values()
    return [n for n in nodes if n.id in starts] + steps_of(loaded) + [n for n in nodes if n.kind == "endEvent"]
