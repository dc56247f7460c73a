"""The demo company's customers: firms, the people there, private customers, and some that are there twice.

Laid down in bulk, for operations ask too much of a slow machine; what follows from a customer (whose it is, what was
said) is told by the rooms that own it: they append to STORY.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any

from sqlalchemy import insert, select
from sqlalchemy.orm import Session, selectinload

from engine import clock
from processes.party import operations, rules
from processes.party.models import Competitor, CompetitorAt, Contact, ContactPoint, Customer, NameGram, Party, Relation
from processes.party.operations.finding import keep_found
from processes.party.operations.parties import grams
from webapp.demo import names

FIRMS, CONTACTS, PRIVATE, EMPLOYED_ELSEWHERE = 420, 900, 60, 24
SEED = 20261127
STORY: list[Callable[[Session, datetime], None]] = []
"""What happens to the customers once they are there: (session, now)."""

_TWICE = (
    ("上海云汐网络科技有限公司", "上海云汐网络科技股份有限公司", "same core"),
    ("深圳鹏霖安防科技有限公司", "深圳鹏林安防科技有限公司", "sounds alike"),
    ("杭州砚原软件有限公司", "杭州砚原软件（集团）有限公司", "full and half width"),
    ("苏州ＡＢ精密仪器有限公司", "苏州AB精密仪器有限责任公司", "full and half width"),
    ("广州岚川商贸有限公司", "广州珩屿进出口有限公司", "same phone"),
)
_RIVALS = ("海辰数码系统", "中拓安防集成", "百睿信息技术")


def move_in(session: Session) -> int:
    """Lay them down unless they are there; the demo company must have moved in. Returns how many customers."""
    chance, now = Random(SEED), clock.now()  # noqa: S311 - the same every time, no secret
    number = iter(range(1, 100_000))
    firms = list(_firms(chance, now))
    firm_ids = lay_down(session, [one["party"] for one in firms])
    session.execute(
        insert(Customer), [{"id": key, **one["customer"]} for key, one in zip(firm_ids, firms, strict=True)]
    )
    _reach(session, firm_ids, number, mails=False)
    _same_phone(session, firm_ids)
    people, named = _people(chance, CONTACTS + EMPLOYED_ELSEWHERE)
    person_ids = lay_down(session, people)
    _reach(session, person_ids, number, mails=True)
    session.execute(insert(Contact), list(_employments(chance, firm_ids, firms, person_ids, named)))
    private, names_of = _people(chance, PRIVATE)
    private_ids = lay_down(session, private)
    _reach(session, private_ids, number, mails=True)
    rows = [
        {
            "id": key,
            "kind": "person",
            "name": name,
            **_trade(chance, now),
            "industry": "",
            "region": "31",
            "city": "上海",
        }
        for key, name in zip(private_ids, names_of, strict=True)
    ]
    session.execute(insert(Customer), rows)
    _rivals(session, chance, firm_ids)
    operations.look_for_pairs(session, limit=10_000)
    for tell in STORY:
        tell(session, now)
    session.flush()
    keep_found(session, *session.scalars(select(Party).options(selectinload(Party.points))))
    return len(firm_ids) + len(private_ids)


def party_values(kind: str, name: str) -> dict[str, Any]:
    """The columns of a party that is laid down in bulk: called as operations would call it."""
    key = rules.name_key(name)
    core = rules.name_core(name) if kind == "organization" else key
    return {
        "kind": kind,
        "name": name,
        "name_key": key,
        "name_core": core,
        "name_sound": rules.sound(core),
        "is_demo": True,
    }


def lay_down(session: Session, rows: list[dict[str, Any]]) -> list[int]:
    """Parties and what they are found by; their ids in the order of the rows."""
    statement = insert(Party).returning(Party.id, sort_by_parameter_order=True)
    ids = list(session.scalars(statement, rows))
    found = [
        {"gram": gram, "party_id": key} for key, row in zip(ids, rows, strict=True) for gram in grams(row["name_core"])
    ]
    session.execute(insert(NameGram), found)
    return ids


def _firms(chance: Random, now: datetime) -> Iterable[Mapping[str, Any]]:
    regions = dict(names.CITIES)
    planted = [(name, "it", name[:2], regions[name[:2]]) for pair in _TWICE for name in pair[:2]]
    further = names.firms(SEED)
    everybody = [*planted, *(next(further) for _each in range(FIRMS - len(planted)))]
    for name, industry, city, region in everybody:
        party = {**party_values("organization", name), "address": f"{city}市示范路{chance.randrange(1, 400)}号"}
        trade = {**_trade(chance, now), "industry": industry, "region": region, "city": city}
        yield {"party": party, "customer": {"kind": "organization", "name": name, **trade}}


def _trade(chance: Random, now: datetime) -> dict[str, Any]:
    born = now - timedelta(days=chance.randrange(3, 700), minutes=chance.randrange(600))
    return {
        "level": chance.choices("ABCD", (10, 25, 45, 20))[0],
        "stage": chance.choices(tuple(rules.STAGES), (35, 25, 20, 15, 5))[0],
        "source": chance.choice(tuple(rules.SOURCES)),
        "state": "open",
        "open_since": born,
        "created_at": born,
        "changed_at": born,
        "is_demo": True,
    }


def _people(chance: Random, count: int) -> tuple[list[dict[str, Any]], list[str]]:
    source = names.persons(chance.randrange(10**6))
    named = [next(source) for _each in range(count)]
    return [party_values("person", name) for name in named], named


def _reach(session: Session, ids: Iterable[int], number: Iterable[int], *, mails: bool) -> None:
    """Numbers of the artificial block +86 199 0001 xxxx, mail under example domains."""
    rows = []
    for key, at in zip(ids, number, strict=False):
        rows.append({"party_id": key, "kind": "phone", "value": f"+861990001{at:04d}"})
        if mails and at % 3:
            rows.append({"party_id": key, "kind": "mail", "value": f"person{at}@example.com"})
    session.execute(insert(ContactPoint), rows)


def _same_phone(session: Session, firm_ids: list[int]) -> None:
    """The last planted pair shares its switchboard."""
    first, second = (2 * len(_TWICE) - 2, 2 * len(_TWICE) - 1)
    shared = {"kind": "phone", "value": "+8621990001", "rank": 1}
    session.execute(insert(ContactPoint), [{"party_id": firm_ids[at], **shared} for at in (first, second)])


def _employments(
    chance: Random, firm_ids: list[int], firms: list[Mapping[str, Any]], person_ids: list[int], named: list[str]
) -> Iterable[dict[str, Any]]:
    """Two or so at each firm, the first the main contact; a few at employers that are no customers yet."""
    places = [*range(len(firm_ids)), *(chance.randrange(len(firm_ids)) for _each in range(CONTACTS - len(firm_ids)))]
    employers = [name for name, *_rest in (next(further) for further in [names.firms(SEED + 1)] * 8)]
    for at, (person, name) in enumerate(zip(person_ids, named, strict=True)):
        row = {
            "person_id": person,
            "name": name,
            "title": chance.choice(names.TITLES),
            "role": chance.choice(tuple(rules.ROLES)),
            "is_main": at < len(firm_ids),
            "is_demo": True,
        }
        if at < CONTACTS:
            firm = firms[places[at]]["party"]
            yield {
                **row,
                "organization_id": firm_ids[places[at]],
                "employer": firm["name"],
                "employer_key": firm["name_key"],
            }
        else:
            employer = employers[at % len(employers)]
            yield {**row, "organization_id": None, "employer": employer, "employer_key": rules.name_key(employer)}


def _rivals(session: Session, chance: Random, firm_ids: list[int]) -> None:
    ids = lay_down(session, [party_values("organization", name) for name in _RIVALS])
    words = {"strengths": "价格低，交货快", "weaknesses": "售后人手少", "is_demo": True}
    session.execute(
        insert(Competitor), [{"id": key, "name": name, **words} for key, name in zip(ids, _RIVALS, strict=True)]
    )
    met = [
        {"customer_id": firm, "competitor_id": chance.choice(ids), "role": chance.choice(("incumbent", "bidding"))}
        for firm in chance.sample(firm_ids, 40)
    ]
    session.execute(insert(CompetitorAt), [{**one, "is_demo": True} for one in met])
    pairs = zip(firm_ids[20:60:2], firm_ids[21:60:2], strict=False)
    kinds = ("parent", "supplier", "partner")
    told = [{"a_id": a, "b_id": b, "kind": chance.choice(kinds), "is_demo": True} for a, b in pairs]
    session.execute(insert(Relation), told)
