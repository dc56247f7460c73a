"""Who hears of what somebody did in a process: its starter, whose work ended with it, who was named, who follows it.

Whoever gets a work item finds it in the inbox; a notice is for those who would not notice otherwise.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.catalog import CATALOG
from engine.i18n import Sentence, _, retold
from engine.journal import Entry
from engine.models import Copy, Follower, Instance, Participant, WorkItem
from engine.runtime.files import RECORD_TYPE
from processes.notices.operations import notify
from processes.notices.rules import kind

PROGRESS = kind("approval.progress", _("Something happens to a request I started"))
ENDED = kind("approval.ended", _("A request I started has come to its end"))
LOST = kind("approval.lost", _("Work that lay with me is no longer mine to do"))
NAMED = kind("approval.named", _("Copies, and requests to acknowledge something"))
ANSWERED = kind("approval.answered", _("Somebody gives the opinion I asked for"))
PAUSED = kind("approval.paused", _("A process that lies with me is suspended, or goes on"))
SIGNERS = kind("approval.signers", _("Those who decide with me become more, or a vote of mine is decided"))
STEPS = kind("approval.steps", _("A step of a request I started is approved"), channels=())
FOLLOWED = kind("approval.followed", _("Something happens in a process I follow"))

SENTENCES: Mapping[str, Sentence] = {
    "approve": _("{who} approved: {what}"),
    "reject": _("{who} rejected: {what}"),
    "return": _("{who} sent back: {what}"),
    "withdraw": _("{who} withdrew: {what}"),
    "terminate": _("{who} terminated: {what}"),
    "void": _("{who} voided: {what}"),
    "reopen": _("{who} opened again: {what}"),
    "jump": _("{who} took to another step: {what}"),
    "add_signer": _("{who} added signers: {what}"),
    "suspend": _("{who} suspended: {what}"),
    "resume": _("{who} let go on: {what}"),
    "reclaim": _("{who} took a decision back: {what}"),
    "transfer": _("{who} passed on: {what}"),
    "assign": _("{who} assigned: {what}"),
    "remove_signer": _("{who} took a signer away: {what}"),
    "cc": _("{who} sends you a copy: {what}"),
    "circulate": _("{who} asks you to read and acknowledge: {what}"),
    "acknowledge": _("{who} has read it, and everybody has now: {what}"),
    "resolve": _("{who} gave an opinion: {what}"),
    "change_people": _("{who} named who does later steps: {what}"),
}
"""Of what people hear, and how; other actions are seen in the inbox or concern nobody else."""

VOTES: Mapping[str, Sentence] = {
    "approve": _("Carried by vote: {what}"),
    "reject": _("Lost by vote: {what}"),
}
"""Of the ballot that decides a vote, whatever it said itself."""

ENDINGS: Mapping[str, Sentence] = {
    "completed": _("Completed: {what}"),
    "rejected": _("Rejected: {what}"),
    "failed": _("Failed: {what}"),
}
"""Of an end that came with no such action: a message left, a timer struck, a step was filled in."""

TO_STARTER = frozenset("reject return terminate void reopen jump suspend resume transfer assign".split())
TO_TAKERS_PART = frozenset("terminate void reopen reject".split())
TO_LOSERS = frozenset("withdraw terminate return reclaim jump assign".split())


def tell_of_action(session: Session, *, instance_id: int, actor: Actor, entry: Entry, state: str | None) -> None:
    """Each person once, by the nearest reason; never who did it.

    Who may not read it hears only that his work is gone.
    """
    if entry.action == "acknowledge" and "free" not in entry.detail:
        return
    sentence = VOTES.get(entry.detail.get("vote", "")) or SENTENCES.get(entry.action) or ENDINGS.get(state or "")
    if sentence is None:
        return
    instance = session.get(Instance, instance_id)
    if instance is None:
        return
    title = Sentence(sentence.template, {"who": actor.name, "what": instance.title})
    key = f"act:{instance_id}:{instance.rev}:{entry.action}:{entry.item_id or 0}"[:150]
    text = retold(next((entry.detail[k] for k in ("opinion", "reason", "question") if entry.detail.get(k)), ""))
    told = {actor.person_id, 0}
    for of, persons in _audience(session, instance, entry, state):
        new = [person for person in dict.fromkeys(persons) if person not in told]
        told.update(new)
        readers = CATALOG.readers(session, new, RECORD_TYPE, instance_id)
        record = (RECORD_TYPE, instance_id)
        if readers:
            notify(session, actor, persons=readers, kind=of, title=title, key=key, text=text, record=record)
        if of == LOST and len(readers) < len(
            new
        ):  # with the item went the right to read; that it is gone, and what it was, they should know
            gone = set(new).difference(readers)
            notify(session, actor, persons=gone, kind=of, title=title, key=key)


def _audience(
    session: Session, instance: Instance, entry: Entry, state: str | None
) -> Iterable[tuple[str, Iterable[int]]]:
    """(kind of notice, people), the nearest reason first."""
    action, vote = entry.action, entry.detail.get("vote")
    if vote == "open":  # one ballot of many: nothing has come of it yet
        yield FOLLOWED, _followers(session, instance.id)
        return
    if action in ("cc", "circulate") and not entry.detail.get("with"):
        yield NAMED, _named(entry.detail)
    if action == "acknowledge":
        yield NAMED, [entry.detail["free"]]
        return
    yield from _starter(instance, action, state)
    if action == "resolve" and isinstance(asker := entry.detail.get("to"), int):
        yield ANSWERED, [asker]
    if action in ("suspend", "resume"):
        yield PAUSED, _holders(session, instance.id)
    if action == "remove_signer":
        yield LOST, [person for person in (entry.detail.get("who"),) if isinstance(person, int)]
    if vote or action in TO_LOSERS:
        yield LOST, _losers(session, instance, entry)
    if vote or (action == "add_signer" and entry.detail.get("order") == "parallel"):
        yield SIGNERS, _signers(session, instance.id, entry)
    if action in TO_TAKERS_PART:
        yield FOLLOWED, _took_part(session, instance.id)
    if action == "reject":
        yield FOLLOWED, session.scalars(select(Copy.person_id).where(Copy.instance_id == instance.id))
    yield FOLLOWED, _followers(session, instance.id)


def _starter(instance: Instance, action: str, state: str | None) -> Iterable[tuple[str, Iterable[int]]]:
    if state is not None and (action == "reject" or action not in TO_STARTER):
        yield ENDED, [instance.starter_id]
    elif action in TO_STARTER:
        yield PROGRESS, [instance.starter_id]
    elif action == "approve":
        yield STEPS, [instance.starter_id]


def _followers(session: Session, instance_id: int) -> Iterable[int]:
    return session.scalars(select(Follower.person_id).where(Follower.instance_id == instance_id))


def _named(detail: Mapping[str, Any]) -> list[int]:
    to = detail.get("to")
    return [person for person in (to if isinstance(to, list) else [to]) if isinstance(person, int)]


def _losers(session: Session, instance: Instance, entry: Entry) -> list[int]:
    """Whose items ended with this action; of an assignment, who had it before."""
    if entry.action == "assign":
        before = entry.detail.get("from")
        return [before] if isinstance(before, int) else []
    rows = session.scalars(
        select(WorkItem.assignee_id).where(
            WorkItem.instance_id == instance.id,
            WorkItem.state == "cancelled",
            WorkItem.done_at == instance.changed_at,  # of this very step: both are written with its moment
            WorkItem.assignee_id.is_not(None),
        )
    )
    return [person for person in rows if person is not None]


def _holders(session: Session, instance_id: int) -> list[int]:
    lying = (WorkItem.instance_id == instance_id, WorkItem.state.in_(("open", "delegated")))
    return [person for person in session.scalars(select(WorkItem.assignee_id).where(*lying)) if person is not None]


def _signers(session: Session, instance_id: int, entry: Entry) -> list[int]:
    """Who decides this step, or has; those who were added now find it in the inbox."""
    of_the_step = (WorkItem.instance_id == instance_id, WorkItem.token == entry.token, WorkItem.kind == "sign")
    added = _named(entry.detail)
    rows = session.scalars(select(WorkItem.assignee_id).where(*of_the_step))
    return [person for person in rows if person is not None and person not in added]


def _took_part(session: Session, instance_id: int) -> list[int]:
    return list(session.scalars(select(Participant.person_id).where(Participant.instance_id == instance_id)))
