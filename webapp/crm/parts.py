"""What the customer's page is put together from: each part of the house adds its own, the page knows none of them."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.i18n import Sentence, _
from processes.party import permissions
from processes.party.models import Customer
from webapp.security.viewing import viewer


@dataclass(frozen=True)
class Tab:
    """A tab of the customer's page, loaded when it is opened."""

    name: str
    title: Sentence
    url: Callable[[Customer], str]
    """address that answers with the fragment"""
    order: int = 100
    permission: str = ""
    """needed to see it; "" = whoever sees the customer"""
    is_for_viewers: bool = True
    """shown to whoever looks through somebody else's eyes; its room must be open to them"""


@dataclass(frozen=True)
class Button:
    """Something to do with this customer, at the head of its page: a link, or a form when `posts`."""

    url: str
    icon: str
    title: Sentence
    posts: bool = False
    is_primary: bool = False
    refusal: Sentence | None = None
    """why it cannot be done now; the button is shown, does nothing and says so"""
    is_rare: bool = False
    """stands in the menu beside the buttons"""
    confirm: Sentence | None = None
    """asked before it is posted"""


@dataclass(frozen=True)
class Fact:
    """A line under the customer's name: owner, countdown, next contact."""

    icon: str
    title: Sentence
    text: str
    tone: str = ""
    """green | blue | amber | red | grey"""
    url: str = ""


@dataclass(frozen=True)
class BulkAction:
    """Something to do with the customers ticked in the list: their ids are posted to it as `rowid`."""

    url: Callable[[], str]
    icon: str
    title: Sentence
    permission: str = ""
    confirm: Sentence | None = None


Buttons = Callable[[Session, Actor, Customer], Iterable[Button]]
Facts = Callable[[Session, Actor, Customer], Iterable[Fact]]

TABS: list[Tab] = []
BUTTONS: list[Buttons] = []
FACTS: list[Facts] = []
MODULES: list[str] = []
"""scripts that the fragments of tabs need, below `static`; the page loads each once"""
BULK: list[BulkAction] = []


def bulk(actor: Actor) -> list[BulkAction]:
    return [one for one in BULK if not one.permission or actor.may(one.permission)]


def tabs(actor: Actor) -> list[Tab]:
    looks_on = viewer() is not None
    shown = [
        tab
        for tab in TABS
        if (not tab.permission or actor.may(tab.permission)) and (tab.is_for_viewers or not looks_on)
    ]
    return sorted(shown, key=lambda tab: tab.order)


def buttons(session: Session, actor: Actor, customer: Customer) -> list[Button]:
    """What the actor may do with it; nothing for whoever only looks through his eyes."""
    if viewer() is not None:
        return []
    return [one for source in BUTTONS for one in source(session, actor, customer)]


def facts(session: Session, actor: Actor, customer: Customer) -> list[Fact]:
    return [one for source in FACTS for one in source(session, actor, customer)]


def why_gone(session: Session, actor: Actor, customer_id: int, name: str) -> tuple[Sentence, Sentence]:
    """What whoever had just opened a customer, or something of it, is told when it is not his to work on any more."""
    kept = permissions.survivor_of(session, actor, customer_id)
    if kept is not None:
        return (
            _("{name} was merged into {kept} after you opened this page.", name=name, kept=kept.name),
            _("Open {kept} and enter it there.", kept=kept.name),
        )
    return no_longer_yours(name, is_seen=bool(permissions.among_visible(session, actor, [customer_id])))


def no_longer_yours(name: str, *, is_seen: bool) -> tuple[Sentence, Sentence]:
    """The same, where it has not become part of another one; of somebody there as well."""
    return (
        _(
            "You can no longer work on {name}: since you opened this page it was released, handed over or unlocked,"
            " or its sharing with you has ended.",
            name=name,
        ),
        _("Apply for the lock, or ask its owner to share it.")
        if is_seen
        else _("Ask your superior to have it handed back to you or shared with you."),
    )
