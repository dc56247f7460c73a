"""Consents to commercial texts: noted with who, when, how and in which words; taken back at any time."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from engine import clock, journal, outbox
from engine.actor import SYSTEM, Actor
from engine.errors import InvalidForm, NotFound, Problem, RuleViolation
from engine.i18n import Sentence, _
from engine.models import OutboxMessage
from processes.kernel import phone_number
from processes.kernel.entry import Entry
from processes.messaging import permissions
from processes.messaging.models import Consent, OptOut

RECORD_TYPE = "messaging.consent"
COMMERCIAL = "commercial"
PURPOSES = ("notice", COMMERCIAL)

WAYS: Mapping[str, Sentence] = {
    "form": _("On a web form"),
    "paper": _("On paper"),
    "phone": _("On the phone"),
    "reply": _("By an SMS reply"),
    "import": _("Taken over from another system"),
}


def give_consent(
    session: Session, actor: Actor, *, number: str, how: str, words: str = "", purpose: str = COMMERCIAL
) -> Consent:
    """Note that this E.164 number has agreed; one that holds already stays the one. Lifts an earlier opt-out."""
    held: Consent | None = session.scalar(_valid([number], purpose))
    if held is not None:
        return held
    session.execute(delete(OptOut).where(OptOut.number == number))
    consent = Consent(
        number=number, purpose=purpose, given_at=clock.now(), how=how, words=words, noted_by=actor.person_id
    )
    session.add(consent)
    session.flush()
    journal.audit(session, actor, RECORD_TYPE, consent.id, "given", None, {"number": number, "how": how})
    return consent


def consenting(session: Session, numbers: Iterable[str], *, purpose: str = COMMERCIAL) -> set[str]:
    """Those of these numbers whose consent holds, kept so until this transaction ends: who takes theirs back meanwhile
    waits, and then finds what was queued.
    """
    held = _valid(list(numbers), purpose).order_by(Consent.id).with_for_update(read=True)
    return {consent.number for consent in session.scalars(held.execution_options(populate_existing=True))}


def keep_agreed(session: Session, message_ids: Sequence[int], *, asked: bool) -> None:
    """Of texts that are in the queue again, nothing commercial stays for whoever has not agreed (any more).

    asked: somebody wants them sent (again), and is refused; else one came back from its wire, and is cancelled.
    """
    payload = OutboxMessage.payload
    commercial = select(OutboxMessage.id, payload["to"].as_string().label("number")).where(
        OutboxMessage.id.in_(message_ids), payload["purpose"].as_string() == COMMERCIAL
    )
    found = session.execute(commercial).all()
    if not found:
        return
    agreed = consenting(session, {row.number for row in found})
    refusing = [row.id for row in found if row.number not in agreed]
    if refusing and asked:
        raise RuleViolation(
            _("{number} has not agreed to commercial texts.", number=next(r.number for r in found if r.id in refusing)),
            code="no_consent",
            remedy=_("Note the recipient's consent first; the law asks for it (通信短信息服务管理规定)."),
        )
    outbox.cancel_queued(session, refusing, str(_("The recipient wants no more texts.")))


def take_back(session: Session, number: str, *, actor: Actor = SYSTEM) -> None:
    """Whatever this number has agreed to holds no more, and what waits to leave for it on that ground is cancelled."""
    held = select(Consent).where(Consent.number == number, Consent.ended_at.is_(None)).with_for_update()
    for consent in session.scalars(held.execution_options(populate_existing=True)):
        consent.ended_at, consent.ended_by = clock.now(), actor.person_id
        session.flush()
        journal.audit(session, actor, RECORD_TYPE, consent.id, "ended", None, {"number": number})
    payload = OutboxMessage.payload
    waiting = select(OutboxMessage.id).where(
        OutboxMessage.state == "queued",
        OutboxMessage.channel == "sms",
        payload["to"].as_string() == number,
        payload["purpose"].as_string() == COMMERCIAL,
    )
    reason = str(_("The recipient wants no more texts."))
    outbox.cancel_queued(session, session.scalars(waiting).all(), reason)


def _valid(numbers: list[str], purpose: str) -> Any:
    return select(Consent).where(Consent.number.in_(numbers), Consent.purpose == purpose, Consent.ended_at.is_(None))


# ------------------------------------------------------------------------------------------------- by a person


def create_consent(session: Session, actor: Actor, *, values: Mapping[str, Any]) -> Consent:
    """values: number, how, words."""
    permissions.require(actor, permissions.MANAGE_CONSENTS)
    entry = Entry(session, values, is_new=True)
    entry.parsed("number", lambda value: phone_number.parse(str(value)), required=True)
    entry.choice("how", WAYS, required=True)
    entry.text("words", longest=200)
    clean = entry.finish()
    if not phone_number.is_mobile(clean["number"]):
        raise InvalidForm([Problem("number", _("No SMS can reach {number}.", number=clean["number"]))])
    if session.scalar(_valid([clean["number"]], COMMERCIAL)) is not None:
        raise RuleViolation(
            _("The consent of {number} is noted already.", number=clean["number"]), code="consent_exists"
        )
    return give_consent(session, actor, number=clean["number"], how=clean["how"], words=clean.get("words") or "")


def end_consent(session: Session, actor: Actor, *, record_id: int) -> None:
    """Taken back: nothing commercial leaves for this number any more, and what waits is cancelled."""
    permissions.require(actor, permissions.MANAGE_CONSENTS)
    consent = session.get(Consent, record_id)
    if consent is None:
        raise NotFound
    take_back(session, consent.number, actor=actor)
