"""What a person can do with a work item from a page: which words, which questions, and the operation behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict

from engine import work_items
from engine.actor import Actor
from engine.errors import InvalidForm, Problem
from engine.i18n import Sentence, _
from engine.runtime.picking import known_people

Posted = MultiDict[str, str]


@dataclass(frozen=True)
class Deed:
    """An action beside the deciding ones. Its dialog asks for what is named here."""

    action: str
    title: Sentence
    done: Sentence
    hint: Sentence | None = None
    people: str = ""
    """"one" or "many" people to choose"""
    order: bool = False
    words: Sentence | None = None
    """label of the text; None = no text"""
    needs_words: bool = False
    stays: bool = False
    """the item stays with the person: the page shows it again"""
    danger: bool = False


DEEDS = {
    deed.action: deed
    for deed in (
        Deed(
            "transfer",
            _("Transfer"),
            _("Passed on."),
            _("The item is theirs from then on; you are out."),
            people="one",
            words=_("Reason"),
        ),
        Deed(
            "delegate",
            _("Ask for an opinion"),
            _("Passed on for an opinion."),
            _("They give an opinion; then the item comes back to you, and you decide."),
            people="one",
            words=_("What you would like to know"),
        ),
        Deed(
            "add_signer",
            _("Add signers"),
            _("Signers added."),
            people="many",
            order=True,
            words=_("Reason"),
            stays=True,
        ),
        Deed(
            "consult",
            _("Consult"),
            _("Your question is on its way."),
            _("A question beside the way; nothing waits for the answer."),
            people="many",
            words=_("Question"),
            needs_words=True,
            stays=True,
        ),
        Deed(
            "cc",
            _("Send copies"),
            _("Copies sent."),
            _("They may read exactly this request."),
            people="many",
            stays=True,
        ),
        Deed(
            "circulate",
            _("Circulate"),
            _("Circulated."),
            _("They may read this request and are asked to acknowledge it."),
            people="many",
            stays=True,
        ),
        Deed(
            "assign",
            _("Assign to somebody"),
            _("Assigned."),
            _("For process administrators: the item is given to this person, wherever it lies."),
            people="one",
            words=_("Reason"),
            needs_words=True,
            stays=True,
        ),
        Deed("recall", _("Withdraw the circulation"), _("The step waits for them no more."), people="many", stays=True),
        Deed("take_back", _("Take it back"), _("It is yours again."), stays=True),
        Deed(
            "reclaim",
            _("Take my decision back"),
            _("Your decision is taken back."),
            _("Possible while nothing that came of it has been touched."),
            words=_("Reason"),
            stays=True,
        ),
        Deed("remove_signer", _("Remove this signer"), _("Removed."), words=_("Reason"), stays=True, danger=True),
        Deed("claim", _("Take it"), _("It is yours now."), stays=True),
        Deed("release", _("Give it back"), _("Given back to the pool.")),
    )
}

MENU = ("add_signer", "transfer", "delegate", "consult", "cc", "circulate", "assign")
"""What stands in the menu beside the deciding buttons, in this order."""

ORDERS = {
    "before": (_("Before me"), _("They sign first, then I.")),
    "after": (_("After me"), _("I agree now; they sign after me.")),
    "parallel": (_("Beside me"), _("They sign as well; where all sign one after the other, at the end.")),
}


def perform(session: Session, actor: Actor, item_id: int, action: str, version: int | None, posted: Posted) -> None:
    """Do it as the form asks; people who are missing are asked for in the field itself."""
    deed = DEEDS[action]
    words = posted.get("words", "").strip()
    people = _people(posted, deed) if deed.people else []
    _OPERATIONS[action](session, actor, item_id, people, words, posted.get("order", ""), version)


def _people(posted: Posted, deed: Deed) -> list[int]:
    found = chosen(posted.getlist("to"))
    if not found or (deed.people == "one" and len(found) != 1):
        raise InvalidForm([Problem("to", _("Choose somebody."), rule="people")])
    return found


def named_people(form: Posted) -> dict[str, list[int]]:
    """The people named for steps to come: inputs "people.<element>"; a step without any is left out."""
    names = [name for name in form if name.startswith("people.")]
    found = {name.removeprefix("people."): chosen(form.getlist(name)) for name in names}
    return {node: people for node, people in found.items() if people}


def chosen(texts: Sequence[str]) -> list[int]:
    """Ids of people as a picker posts them; what is no number is nobody."""
    return [int(text) for text in texts if text.isdecimal() and len(text) < 19]


Operation = Callable[[Session, Actor, int, list[int], str, str, int | None], Any]


def _transfer(s: Session, a: Actor, i: int, people: list[int], words: str, _order: str, v: int | None) -> None:
    work_items.transfer(s, a, i, people[0], reason=words, version=v)


def _delegate(s: Session, a: Actor, i: int, people: list[int], words: str, _order: str, v: int | None) -> None:
    work_items.delegate(s, a, i, people[0], reason=words, version=v)


def _assign(s: Session, a: Actor, i: int, people: list[int], words: str, _order: str, v: int | None) -> None:
    work_items.assign(s, a, i, people[0], reason=words, version=v)


def _add_signer(s: Session, a: Actor, i: int, people: list[int], words: str, order: str, v: int | None) -> None:
    match order:
        case "before" | "after" | "parallel":
            work_items.add_signers(s, a, i, people, order=order, reason=words, version=v)
        case _:
            raise InvalidForm([Problem("order", _("Choose when they sign."), rule="order")])


def _consult(s: Session, a: Actor, i: int, people: list[int], words: str, _order: str, v: int | None) -> None:
    work_items.consult(s, a, i, people, question=words, version=v)


def _send(kind: str) -> Operation:
    def send(s: Session, a: Actor, i: int, people: list[int], _words: str, _order: str, v: int | None) -> None:
        work_items.send_from_item(s, a, i, known_people(s, people), kind=kind, version=v)

    return send


def _recall(s: Session, a: Actor, i: int, people: list[int], _words: str, _order: str, v: int | None) -> None:
    work_items.recall(s, a, i, people, version=v)


_OPERATIONS: Mapping[str, Operation] = {
    "transfer": _transfer,
    "delegate": _delegate,
    "assign": _assign,
    "add_signer": _add_signer,
    "consult": _consult,
    "cc": _send("cc"),
    "circulate": _send("circulate"),
    "recall": _recall,
    "take_back": lambda s, a, i, _p, _w, _o, v: work_items.take_back(s, a, i, version=v),
    "reclaim": lambda s, a, i, _p, words, _o, v: work_items.reclaim(s, a, i, reason=words, version=v),
    "remove_signer": lambda s, a, i, _p, words, _o, v: work_items.remove_signer(s, a, i, reason=words, version=v),
    "claim": lambda s, a, i, _p, _w, _o, v: work_items.claim(s, a, i, version=v),
    "release": lambda s, a, i, _p, _w, _o, v: work_items.release(s, a, i, version=v),
}
