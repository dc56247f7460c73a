"""Keeping the words of records, and the condition that finds records by them.

The packages that own records call `keep` in the operation that changes a name or a number: whoever reads the operation
sees it, it stands in the same transaction, and bulk roads that pass the ORM by (loading, migrations) call `rebuild`.
Mapper events would miss those roads silently and fire for every other change of the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Select,
    and_,
    delete,
    exists,
    false,
    func,
    insert,
    literal,
    or_,
    select,
    true,
    union,
)
from sqlalchemy.orm import Session, aliased

from engine import db
from engine.models import SearchToken
from processes.lookup import rules
from processes.lookup.rules import Word

Described = tuple[int, set[str], set[str]]
"""record id, words of its names, words of its numbers and codes"""
Found = Select[int] | CompoundSelect[int]
Source = Callable[[Session, int, int], list[Described]]
"""(session, after this id, at most so many) -> the next records in the order of their ids"""

SOURCES: dict[str, Source] = {}
"""kind -> where `rebuild` reads it; declared by the package that owns the records"""

BATCH = 500
FEW, MANY = 1_000, 100_000
"""records of a question: up to FEW are named to the database one by one, of more than MANY no set is made"""


def numbers(kind: str) -> str:
    """The sort of words that not everybody may search by every part of."""
    return f"{kind}:number"


def keep(session: Session, kind: str, described: Iterable[Described]) -> None:
    """These records are found by these words from now on, and by no others."""
    found = list(described)
    ids = [record_id for record_id, _names, _numbers in found]
    session.execute(delete(SearchToken).where(_of(kind), SearchToken.record_id.in_(ids)))
    _add(session, kind, found)


def rebuild(kind: str) -> Iterator[int]:
    """All words of a kind anew, a batch in each transaction; answers how many records were done so far."""
    after = done = 0
    while True:
        with db.transaction() as session:
            batch = SOURCES[kind](session, after, BATCH)
            gone = SearchToken.record_id > after  # words of what is no more as well
            if batch:
                gone &= SearchToken.record_id <= batch[-1][0]
            session.execute(delete(SearchToken).where(_of(kind), gone))
            _add(session, kind, batch)
        if not batch:
            return
        after, done = batch[-1][0], done + len(batch)
        yield done


def _of(kind: str) -> ColumnElement[bool]:
    return SearchToken.record_type.in_((kind, numbers(kind)))


def _add(session: Session, kind: str, described: Iterable[Described]) -> None:
    rows = [
        {"record_type": sort, "token": token, "record_id": record_id}
        for record_id, *words in described
        for sort, tokens in zip((kind, numbers(kind)), words, strict=True)
        for token in tokens
    ]
    if rows:
        session.execute(insert(SearchToken), rows)


SeenWhole = Callable[[Any], ColumnElement[bool]]
"""(a column of record ids) -> whether the asker sees the numbers of this record unmasked, asked of each that was found:
a set of all such records would be read whole for a handful of hits. Of all others a part of a number finds nothing but
what its mask shows anyway, so that nobody guesses the rest digit by digit."""


def found(kind: str, text: str, *, seen_whole: SeenWhole, unless: ColumnElement[bool] | None = None) -> Found:
    """Ids of the records found by what was typed, as one set: the caller narrows it to what the asker may see.

    unless: numbers are hidden from the asker, and find nothing at all.
    """
    sets = []
    for way in _ways(kind, text, unless):
        first, *further = way.words
        further_sets = (_TOKEN.record_id.in_(_one(way.sort, word, _FURTHER)) for word in further)
        token_of = _TOKEN.record_id.expression
        sets.append(_one(way.sort, first).where(*further_sets, way.shown(token_of, seen_whole)))
    if not sets:
        return select(SearchToken.record_id).where(false())
    return union(*sets) if len(sets) > 1 else sets[0]


def meets(
    kind: str,
    text: str,
    record_id: Any,
    *,
    seen_whole: SeenWhole,
    unless: ColumnElement[bool] | None = None,
) -> ColumnElement[bool]:
    """Whether the record at hand is found by what was typed: the same as `found`, asked of each."""
    ways = []
    for way in _ways(kind, text, unless):
        words = (exists(_one(way.sort, word).where(_TOKEN.record_id == record_id).offset(0)) for word in way.words)
        ways.append(and_(*words, way.shown(record_id, seen_whole)))
    return or_(false(), *ways)


def few(session: Session, these: Found) -> list[int] | None:
    """The records of `found`, where they are no more than FEW."""
    ids = list(session.scalars(these.limit(FEW + 1)))
    return ids if len(ids) <= FEW else None


def is_frequent(session: Session, kind: str, text: str) -> bool:
    """More than MANY records have these words, or numbers that begin so: then each record that is met is better asked
    for its words than all those read.
    """
    asked, number = rules.question(text), numbers(kind)
    sought = [(kind, word) for word in asked.words] + [(number, word) for word in (*asked.tails, *asked.heads)]
    if not sought:
        return False
    bounded = (_one(sort, word).with_only_columns(literal(1)).limit(MANY + 1).subquery() for sort, word in sought)
    counts = [select(func.count()).select_from(one).scalar_subquery() for one in bounded]
    found_by = session.execute(select(*counts)).one()
    names, by_number = found_by[: len(asked.words)], found_by[len(asked.words) :]
    return min(names, default=0) + sum(by_number) > MANY


@dataclass(frozen=True)
class _Way:
    """Words of one sort that must all meet."""

    sort: str
    words: tuple[Word, ...]
    allowed: ColumnElement[bool]
    seen_whole: bool = False
    """only where the asker sees the number whole"""

    def shown(self, record_id: Any, seen_whole: SeenWhole) -> ColumnElement[bool]:
        return seen_whole(record_id) if self.seen_whole else self.allowed


def _ways(kind: str, text: str, unless: ColumnElement[bool] | None) -> Iterator[_Way]:
    asked, number = rules.question(text), numbers(kind)
    shown = true() if unless is None else ~unless
    if asked.words:
        yield _Way(kind, asked.words, true())
    free = asked.digits >= rules.WHOLE_NUMBER
    for words, is_shown in ((asked.tails, asked.digits <= rules.SHOWN_TAIL), (asked.heads, False)):
        for word in words:
            yield _Way(number, (word,), shown, seen_whole=not (free or is_shown))
    if asked.exact:
        yield _Way(number, (Word(asked.exact),), shown)


_TOKEN, _FURTHER = aliased(SearchToken), aliased(SearchToken)


def _one(sort: str, word: Word, token: Any = _TOKEN) -> Select[int]:
    """The primary key carries it: one word or a stretch of words, a sort, and the records behind."""
    met = and_(token.token >= word.text, token.token < word.beyond) if word.begins else token.token == word.text
    return select(token.record_id).where(token.record_type == sort, met).correlate_except(token)


def count(session: Session, kind: str) -> int:
    """How many records are found by at least one word."""
    return (
        session.scalar(select(func.count(SearchToken.record_id.distinct())).where(SearchToken.record_type == kind)) or 0
    )
