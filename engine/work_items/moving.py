"""Where an open item lies: claim, release, transfer, ask another (委派), stand in, take back."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import clock
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.errors import Forbidden, RuleViolation
from engine.forms import check_opinion
from engine.i18n import Sentence, _, kept
from engine.journal import Entry
from engine.models import InstanceLog, WorkItem
from engine.runtime.assign import is_approval
from engine.runtime.host import StaleInstance
from engine.runtime.picking import known_people
from engine.work_items.held import Held, append, locked, move, must_say, put_aside, read, take_part
from engine.work_items.signers import insert_items

MOST_HOPS = 5
"""How often an item may be passed on."""


def claim(session: Session, actor: Actor, item_id: int, *, version: int | None = None) -> WorkItem:
    """Take an item out of its pool; the others see it no more."""
    held = read(session, actor, item_id, version, "claim")
    return _move(session, actor, held, "claim", actor.person_id, (actor.person_id,))


def release(session: Session, actor: Actor, item_id: int, *, version: int | None = None) -> WorkItem:
    """Give a claimed item back to its pool."""
    held = read(session, actor, item_id, version, "release")
    return _move(session, actor, held, "release", None, tuple(held.item.candidates))


def add_candidate(session: Session, actor: Actor, item: WorkItem, person_id: int, reason: Sentence) -> WorkItem:
    """Let one more person decide an open item (an escalation); twice is once."""
    if person_id in item.candidates:
        return item
    assigned = () if item.assignee_id is None or item.assignee_id in item.candidates else (item.assignee_id,)
    candidates = (*assigned, *item.candidates, person_id)
    item.candidates = list(candidates)
    return move(session, actor, item, "escalate", None, candidates, {"to": person_id, "reason": kept(reason)})


def transfer(
    session: Session, actor: Actor, item_id: int, to: int, *, reason: str = "", version: int | None = None
) -> WorkItem:
    """转办: the item is another's from now on; whose it was first is kept. Holders do it, and who administers."""
    held = locked(session, actor, item_id, version, "transfer", ("open",))
    item = held.item
    check_opinion("reason", reason)
    person = known_people(session, [to], most=1)[0]
    check_receiver(held, person)
    if item.hops >= MOST_HOPS:
        raise RuleViolation(
            _("This has been passed on {count} times already.", count=MOST_HOPS),
            code="too_many_hops",
            remedy=_("Decide it yourself, or ask who administers processes."),
        )
    if person in _had_it(session, item.id) or person == item.owner_id:
        raise RuleViolation(
            _("{who} has had this already and passed it on.", who=_name(session, person)),
            code="passed_in_a_circle",
            remedy=_("Choose somebody else."),
        )
    row = session.get_one(WorkItem, item.id, populate_existing=True)
    detail = {"from": item.assignee_id, "to": person, "reason": reason.strip()}
    owner = item.owner_id or item.assignee_id
    row.owner_id, row.hops, row.candidates, row.on_behalf_of = owner, item.hops + 1, [person], None
    return move(session, actor, row, "transfer", person, (person,), detail)


def delegate(
    session: Session, actor: Actor, item_id: int, to: int, *, reason: str = "", version: int | None = None
) -> WorkItem:
    """委派: another is asked to look at it; his answer is an opinion, and the item comes back to its holder."""
    held = locked(session, actor, item_id, version, "delegate", ("open",))
    check_opinion("reason", reason)
    person = known_people(session, [to], most=1)[0]
    check_receiver(held, person)
    row = session.get_one(WorkItem, held.item.id, populate_existing=True)
    row.state, row.owner_id = "delegated", actor.person_id
    return move(session, actor, row, "delegate", person, (person,), {"to": person, "reason": reason.strip()})


def resolve(session: Session, actor: Actor, item_id: int, *, opinion: str, version: int | None = None) -> WorkItem:
    """Answer what one was asked: a delegated item goes back to its holder, a side question is closed."""
    held = locked(session, actor, item_id, version, "resolve", ("open", "delegated"))
    said = must_say("opinion", opinion)
    row = session.get_one(WorkItem, held.item.id, populate_existing=True)
    if row.kind == "consult":
        put_aside(
            session,
            row.id,
            state="done",
            outcome="submit",
            opinion=said,
            done_by=actor.person_id,
            done_by_name=actor.name,
            done_at=clock.now(),
        )
        detail = {"opinion": said, "to": row.reason.get("by")}
        append(session, actor, row.instance_id, Entry("resolve", row.node, row.token, row.id, None, detail))
        return session.get_one(WorkItem, row.id, populate_existing=True)
    owner = row.owner_id
    row.state, row.owner_id, row.candidates = "open", None, [owner]
    return move(session, actor, row, "resolve", owner, (owner,) if owner else (), {"opinion": said, "to": owner})


def hand_to_proxy(session: Session, actor: Actor, item: WorkItem, proxy_id: int) -> WorkItem:
    """An absence begins: what waits goes to who stands in, in the holder's name. Only for items of one person.

    An item whose turn comes later (`waiting`) is in nobody's inbox yet, and comes into the right one.
    """
    if item.state not in ("open", "waiting") or item.assignee_id is None or item.assignee_id == proxy_id:
        return item
    person = item.on_behalf_of or item.assignee_id
    item.on_behalf_of, item.candidates = person, [proxy_id]
    take_part(session, item.instance_id, person)
    inboxes = (proxy_id,) if item.state == "open" else ()
    return move(session, actor, item, "stand_in", proxy_id, inboxes, {"for": person, "to": proxy_id})


def take_back(session: Session, actor: Actor, item_id: int, *, version: int | None = None) -> WorkItem:
    """Who is away takes an item back that lies with who stands in; SYSTEM does it when the absence ends."""
    held = locked(session, actor, item_id, version, "take_back", ("open", "delegated", "waiting"))
    row = session.get_one(WorkItem, held.item.id, populate_existing=True)
    if row.state == "delegated":  # asked by its holder: it comes back to him
        person, row.state, row.owner_id = row.owner_id, "open", None
    else:
        person, row.on_behalf_of = row.on_behalf_of, None
    if person is None:
        raise Forbidden(_("Nobody stands in here."))
    row.candidates = [person]
    inboxes = (person,) if row.state == "open" else ()
    return move(session, actor, row, "take_back", person, inboxes, {"to": person})


def consult(
    session: Session, actor: Actor, item_id: int, to: list[int], *, question: str, version: int | None = None
) -> list[int]:
    """协办: ask people beside the way; it blocks nothing and changes nothing of whose the item is."""
    held = locked(session, actor, item_id, version, "consult", ("open",))
    said = must_say("question", question)
    people = known_people(session, to, most=20)
    born = insert_items(
        session, held, people, kind="consult", reason={"rule": "consult", "by": actor.person_id, "question": said}
    )
    append(
        session,
        actor,
        held.instance.id,
        Entry("consult", held.node.id, held.item.token, held.item.id, None, {"to": people, "question": said}),
    )
    return born


def assign(
    session: Session, actor: Actor, item_id: int, to: int, *, reason: str | Sentence, version: int | None = None
) -> WorkItem:
    """Who administers gives an item to a person, wherever it lies: one held for want of people, one of a leaver."""
    held = locked(session, actor, item_id, version, "assign", ("open", "delegated"))
    said = must_say("reason", reason)
    person = known_people(session, [to], most=1)[0]
    check_receiver(held, person)
    row = session.get_one(WorkItem, held.item.id, populate_existing=True)
    owner = row.owner_id or row.assignee_id
    detail = {"from": row.assignee_id, "to": person, "reason": said}
    row.state, row.owner_id, row.candidates, row.on_behalf_of = "open", owner, [person], None
    return move(session, actor, row, "assign", person, (person,), detail)


def _move(
    session: Session, actor: Actor, held: Held, action: str, assignee: int | None, principals: tuple[Any, ...]
) -> WorkItem:
    """Move the item if it is still what the right was granted for: a claim is a compare-and-set."""
    item = session.get_one(WorkItem, held.item.id, populate_existing=True)
    if item.version != held.item.version:
        raise StaleInstance(item.instance_id)
    return move(session, actor, item, action, assignee, principals, {})


def check_not_own(held: Held, person: int) -> None:
    own = person == held.instance.starter_id and is_approval(held.node) and not held.policy.own_allowed
    if own:
        raise RuleViolation(
            _("Nobody approves his own request."), code="own_request", remedy=_("Choose somebody else.")
        )


def check_receiver(held: Held, person: int) -> None:
    check_not_own(held, person)
    if person == held.item.assignee_id:
        raise RuleViolation(
            _("It lies with this person already."), code="has_it_already", remedy=_("Choose somebody else.")
        )


def _had_it(session: Session, item_id: int) -> set[int]:
    """Everybody who has passed this item on."""
    rows = session.scalars(
        select(InstanceLog.detail).where(InstanceLog.item_id == item_id, InstanceLog.action == "transfer")
    )
    return {int(detail["from"]) for detail in rows if detail.get("from")}


def _name(session: Session, person: int) -> str:
    names = CATALOG.directory.names(session, [person]) if CATALOG.directory else {}
    return names.get(person, str(person))
