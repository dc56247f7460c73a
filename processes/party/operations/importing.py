"""Customers and their contacts out of a table: each row by itself, with the rules of the form it replaces."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session

from engine.actor import Actor
from engine.errors import AppError, InvalidForm, NotFound, Problem, RuleViolation
from engine.i18n import Sentence, _, reading_as
from processes.kernel.columns import lock_for_change
from processes.lookup.rules import plain
from processes.organization.permissions import require
from processes.party import permissions, rules
from processes.party.models import Customer, ImportMapping, Party, PartyImport
from processes.party.operations.contacts import OF_A_PERSON, create_contact
from processes.party.operations.customers import create_customer

Made = TypeVar("Made")

_MOST_OFFERED = 14
"""As many as there are industries; provinces are cut short."""

COLUMNS: Mapping[str, Sentence] = {
    "name": _("Name"),
    "kind": _("Kind"),
    "credit_code": _("Credit code"),
    "level": _("Level"),
    "stage": _("Stage"),
    "industry": _("Industry"),
    "region": _("Province"),
    "city": _("City"),
    "source": _("Source"),
    "phone": _("Phone"),
    "email": _("Mail"),
    "wechat": _("WeChat"),
    "address": _("Address"),
    "website": _("Website"),
    "note": _("Note"),
    "duplicate_reason": _("Why it is another one"),
    "contact_name": _("Contact"),
    "contact_title": _("Contact's title"),
    "contact_phone": _("Contact's phone"),
    "contact_email": _("Contact's mail"),
}
ALSO: Mapping[str, tuple[str, ...]] = {
    "name": ("客户名称", "客户", "公司", "公司名称", "单位", "单位名称", "企业名称"),
    "credit_code": ("信用代码", "统一社会信用代码", "税号"),
    "level": ("等级", "客户等级", "客户级别", "级别"),
    "industry": ("行业", "所属行业"),
    "region": ("省份", "省", "地区"),
    "city": ("城市", "市"),
    "source": ("来源", "客户来源"),
    "phone": ("电话", "公司电话", "座机", "联系电话"),
    "email": ("邮箱", "电子邮箱", "邮件"),
    "address": ("地址", "公司地址"),
    "website": ("网址", "网站"),
    "note": ("备注", "说明"),
    "contact_name": ("联系人", "联系人姓名", "姓名"),
    "contact_title": ("职务", "职位", "联系人职务"),
    "contact_phone": ("手机", "手机号", "联系人手机", "联系人电话"),
    "contact_email": ("联系人邮箱",),
}
"""What other programs call the same columns."""
CHOICES: Mapping[str, Mapping[str, Sentence]] = {
    "kind": rules.KINDS,
    "level": rules.LEVELS,
    "stage": rules.STAGES,
    "industry": rules.INDUSTRIES,
    "region": rules.REGIONS,
    "source": rules.SOURCES,
}
_OF_CONTACT = {"contact_name": "name", "contact_title": "title", "contact_phone": "phone", "contact_email": "email"}
IMPORT = "import"
"""the client of an actor whose rows these are"""
BATCH = 50
_LANGUAGES = ("zh_CN", "en")


def take_in(
    session: Session, actor: Actor, *, file: str, head: Sequence[str], rows: Sequence[tuple[int, Sequence[str]]]
) -> PartyImport:
    """Keep the table of a file until its columns are told."""
    require(actor, permissions.MANAGE)
    record = PartyImport(
        file=file[:200],
        head=list(head),
        rows=[[number, list(cells)] for number, cells in rows],
        total=len(rows),
        created_by=actor.person_id,
        changed_by=actor.person_id,
    )
    session.add(record)
    session.flush()
    return record


def own(session: Session, actor: Actor, import_id: int) -> PartyImport:
    """Imports are seen by whoever brought them."""
    require(actor, permissions.MANAGE)
    record = session.get(PartyImport, import_id, populate_existing=True)
    if record is None or record.created_by != actor.person_id:
        raise NotFound
    return record


def suggest(session: Session, actor: Actor, head: Sequence[str]) -> list[str]:
    """Which field each column holds: as this person said before, else by its words; "" where nothing fits."""
    asked = [_head(one) for one in head]
    remembered = select(ImportMapping).where(
        ImportMapping.person_id == actor.person_id, ImportMapping.head.in_([one for one in asked if one])
    )
    said = {one.head: one.field for one in session.scalars(remembered)}
    words = {
        _head(word): name
        for name, title in COLUMNS.items()
        for word in (name, *ALSO.get(name, ()), *_in_every_language(title))
    }
    found: list[str] = []
    for one in asked:
        name = said.get(one, words.get(one, ""))
        found.append(name if name not in found else "")
    if "name" not in found:  # left out once, for there were two of them
        at = next((at for at, one in enumerate(asked) if words.get(one) == "name" and not found[at]), None)
        if at is not None:
            found[at] = "name"
    return found


def send_off(session: Session, actor: Actor, *, import_id: int, mapping: Sequence[str], dry_run: bool) -> PartyImport:
    """Let the job look (dry_run) or import; the columns are remembered for the next file."""
    record = own(session, actor, import_id)
    record = lock_for_change(session, PartyImport, record.id)
    if record.state in {"waiting", "running", "done"}:
        raise RuleViolation(_("This is on its way already."))
    named = [one for one in mapping if one]
    problems = [Problem(one, _("There is no such field.")) for one in named if one not in COLUMNS]
    problems += [
        Problem(one, _("The column “{title}” is there twice.", title=COLUMNS[one]))
        for one in COLUMNS
        if named.count(one) > 1
    ]
    if "name" not in named:
        problems.append(Problem("name", _("The column “{title}” is missing.", title=COLUMNS["name"])))
    if problems:
        raise InvalidForm(problems)
    record.mapping = [*mapping, *[""] * (len(record.head) - len(mapping))][: len(record.head)]
    told = dict[str, str]()  # of columns called the same, the one that is taken
    for head, field in zip(record.head, record.mapping, strict=True):
        told[_head(head)] = told.get(_head(head)) or field
    for head, field in told.items():
        if head:
            session.merge(ImportMapping(person_id=actor.person_id, head=head, field=field))
    for number in sorted(_numbers(record)):
        permissions.asks_for_number(actor, number)
    record.state, record.dry_run, record.done = "waiting", dry_run, 0
    record.counts, record.faults, record.note = {}, {}, ""
    record.actor = {
        "name": actor.name,
        "permissions": sorted(actor.permissions),
        "groups": sorted(actor.groups),
        "user_id": actor.user_id,
        "locale": actor.locale,
    }
    session.flush()
    return record


def _numbers(record: PartyImport) -> set[str]:
    """The telephone numbers in a file: each row is asked whether somebody has them already."""
    asked = [at for at, field in enumerate(record.mapping) if field in {"phone", "contact_phone"}]
    cells = (row[at] for _number, row in record.rows for at in asked if at < len(row))
    return {number for text in cells if (number := permissions.number_in(text))}


def actor_of(record: PartyImport) -> Actor:
    """Whose rights hold: those of the one who sent it off, as they were then."""
    kept = record.actor
    return Actor(
        record.created_by,
        kept["name"],
        frozenset(kept["groups"]),
        frozenset(kept["permissions"]),
        kept["locale"],
        kept["user_id"],
        IMPORT,
    )


def step(session: Session, *, import_id: int) -> bool:
    """The next rows of an import; whether there are more. A row that fails leaves nothing and stops no other."""
    record = lock_for_change(session, PartyImport, import_id)
    if record.state not in {"waiting", "running"}:
        return False
    record.state = "running"
    actor, words = actor_of(record), _choices()
    counts = {"customers": 0, "contacts": 0, **record.counts}
    faults = dict(record.faults)
    batch, done = record.rows[record.done : record.done + BATCH], record.done
    earlier = _rows_of(record, record.rows[:done], faults)
    looked_at = session.begin_nested()
    with reading_as(actor.locale):
        for at, (number, cells) in enumerate(batch, done):
            values = _values(record, cells)
            above = _above(record, at) if "name" not in values and "contact_name" in values else None
            if above is not None and str(above[0]) in faults:
                problems = [Problem("name", _("Its customer in row {row} is left out.", row=above[0]))]
            elif (row := earlier.get(_key(values))) and not _contact(values):
                problems = [_adds_nothing(_("This customer stands in row {row} already.", row=row))]
            else:
                values = {**(above[1] if above is not None else {}), **values}
                problems = _one(session, actor, values, words, counts, is_known=_key(values) in earlier)
            if problems:
                faults[str(number)] = [[one.where, _said(one)] for one in problems]
            elif key := _key(values):
                earlier.setdefault(key, number)
    if record.dry_run:
        looked_at.rollback()
    else:
        looked_at.commit()
    record.done = min(done + BATCH, record.total)
    record.counts, record.faults = counts, faults
    if record.done >= record.total:
        record.state = "looked" if record.dry_run else "done"
    session.flush()
    return record.state == "running"


def _one(
    session: Session,
    actor: Actor,
    given: Mapping[str, str],
    words: Mapping[str, Mapping[str, str]],
    counts: dict[str, int],
    *,
    is_known: bool,
) -> list[Problem]:
    """Take one row in, or say all that is wrong with it, of the customer and of the contact."""
    values, problems = dict[str, Any](), list[Problem]()
    for field, text in given.items():
        if field in words and _word(field, text) not in words[field]:
            problems.append(
                Problem(field, _("“{text}” is none of the offered values.", text=text), _offered(CHOICES[field]))
            )
        elif field not in _OF_CONTACT:
            values[field] = words[field][_word(field, text)] if field in words else text
    one = session.begin_nested()
    customer, contact = _known(session, actor, values), _contact(given)
    is_new = customer is None
    if customer is None:
        customer, found = _tried(session, values, lambda those: create_customer(session, actor, values=those))
        problems += found
    elif not contact:
        problems.append(_adds_nothing(_("{name} is among your customers already.", name=customer.name)))
    if contact:
        if customer is None and values.get("kind") == "person":
            problems.append(Problem("customer", OF_A_PERSON))
        where: dict[str, Any] = {"customer": customer.id} if customer is not None else _somewhere(values)
        reason = {"duplicate_reason": values.get("duplicate_reason", "")}
        _made, found = _tried(
            session,
            contact,
            lambda those: create_contact(session, actor, values={**those, **where, **reason}, of_new=True),
        )
        titles = {name: field for field, name in _OF_CONTACT.items()}
        problems += [replace(fault, where=titles.get(fault.where, fault.where)) for fault in found]
    if problems:
        one.rollback()
        return list({(fault.where, _said(fault)): fault for fault in problems}.values())
    one.commit()
    counts["customers"] += is_new and not is_known
    counts["contacts"] += bool(contact)
    return []


def _tried(
    session: Session, values: Mapping[str, Any], make: Callable[[Mapping[str, Any]], Made]
) -> tuple[Made | None, list[Problem]]:
    """What is made of the values, or else all that is wrong with them. An operation reads before it looks for who is
    there already: what it could not read is left out then, and it is asked again.
    """
    problems = list[Problem]()
    while True:
        attempt = session.begin_nested()
        try:
            made = make(values)
        except AppError as refusal:
            attempt.rollback()
            found = refusal.problems if isinstance(refusal, InvalidForm) else ()
            problems += found or [Problem("", refusal.message, refusal.remedy)]
            unread = {fault.where for fault in found} & (values.keys() - {"name", "duplicate_reason"})
            if not unread:
                return None, problems
            values = {name: value for name, value in values.items() if name not in unread}
        else:
            if problems:
                attempt.rollback()
                return None, problems
            attempt.commit()
            return made, []


def _contact(given: Mapping[str, str]) -> dict[str, str]:
    return {name: given[field] for field, name in _OF_CONTACT.items() if field in given}


def _somewhere(values: Mapping[str, Any]) -> dict[str, str]:
    """Where a contact is tried whose customer cannot be made: his own faults are told as well."""
    return {"employer": str(values.get("name", ""))[:200]}


def _adds_nothing(why: Sentence) -> Problem:
    return Problem("name", why, _("This row names no contact and adds nothing: name one, or leave the row out."))


def _values(record: PartyImport, cells: Sequence[str]) -> dict[str, str]:
    return {field: cell.strip() for field, cell in zip(record.mapping, cells, strict=False) if field and cell.strip()}


def _rows_of(
    record: PartyImport, rows: Iterable[tuple[int, Sequence[str]]], faults: Mapping[str, Any]
) -> dict[str, int]:
    """The row in which each customer stands first, of those that were right."""
    found = dict[str, int]()
    for number, cells in rows:
        key = _key(_values(record, cells)) if str(number) not in faults else ""
        if key:
            found.setdefault(key, number)
    return found


def _above(record: PartyImport, at: int) -> tuple[int, dict[str, str]] | None:
    """The customer a row without a name goes on with, its cell being merged: (number of its row, what names it)."""
    for number, cells in reversed(record.rows[:at]):
        values = _values(record, cells)
        if "name" in values:
            return number, {name: values[name] for name in ("name", "kind", "duplicate_reason") if name in values}
    return None


def _key(values: Mapping[str, Any]) -> str:
    """An organisation's name as it is compared; "" where a name makes nobody the same."""
    is_person = values.get("kind") in {"person", *_in_every_language(rules.KINDS["person"])}
    return "" if is_person else rules.name_key(str(values.get("name", "")))


def _known(session: Session, actor: Actor, values: Mapping[str, Any]) -> Customer | None:
    """A further row with a further contact: the customer itself is there since the row before, and is one's own."""
    key = _key(values)
    if not key:
        return None
    wanted = (
        select(Customer)
        .join(Party, Party.id == Customer.id)
        .where(Party.name_key == key, Party.kind == "organization", Party.state == "active")
        .where(
            or_(
                permissions.workable_customers(actor),
                and_(Customer.owner_id.is_(None), Customer.created_by == actor.person_id),
            )
        )
    )
    return session.scalars(wanted).first()


def waiting(session: Session) -> list[int]:
    """Imports to go on with (ix_party_import_state)."""
    wanted = select(PartyImport.id).where(PartyImport.state.in_(("waiting", "running"))).order_by(PartyImport.id)
    return list(session.scalars(wanted.limit(20)))


def give_up(session: Session, *, import_id: int, note: str) -> None:
    record = lock_for_change(session, PartyImport, import_id)
    record.state, record.note = "failed", note[:300]
    session.flush()


def _choices() -> dict[str, dict[str, str]]:
    return {
        field: {_word(field, word): key for key, title in choices.items() for word in (key, *_in_every_language(title))}
        for field, choices in CHOICES.items()
    }


def _word(field: str, text: str) -> str:
    """What two ways of writing a choice share: width, capitals, 江苏省 and 江苏."""
    word = plain(text).strip()
    return rules.short_region(word) if field == "region" else word


def _offered(choices: Mapping[str, Sentence]) -> Sentence:
    """What may stand there, as whoever reads it says it; of many the first show how they are written."""
    some = " / ".join(str(title) for title in list(choices.values())[:_MOST_OFFERED])
    return _("Possible are: {values}", values=some if len(choices) <= _MOST_OFFERED else f"{some} …")


def _in_every_language(sentence: Sentence) -> Iterator[str]:
    for locale in _LANGUAGES:
        with reading_as(locale):
            yield str(sentence)


def _head(title: str) -> str:
    return title.strip().rstrip("*").strip().casefold()[:100]


def _said(problem: Problem) -> str:
    return f"{problem.message} {problem.remedy}" if problem.remedy else str(problem.message)
