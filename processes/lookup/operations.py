"""Keeping the words of records, and the condition that finds records by them.

The packages that own records call `keep` in the operation that changes a name or a number: whoever reads the operation
sees it, it stands in the same transaction, and bulk roads that pass the ORM by (loading, migrations) call `rebuild`.
Mapper events would miss those roads silently and fire for every other change of the record.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import ColumnElement, CompoundSelect, Select, and_, delete, false, func, insert, select, true, union
from sqlalchemy.orm import Session, aliased

from engine import db
from engine.models import SearchToken
from processes.lookup import rules
from processes.lookup.rules import Word

Described = tuple[int, set[str], set[str]]
"""record id, words of its names, words of its numbers and codes"""
Source = Callable[[Session, int, int], list[Described]]
"""(session, after this id, at most so many) -> the next records in the order of their ids"""

SOURCES: dict[str, Source] = {}
"""kind -> where `rebuild` reads it; declared by the package that owns the records"""

BATCH = 500


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


def found(
    kind: str,
    text: str,
    *,
    seen_whole: Callable[[ColumnElement[int]], ColumnElement[bool]],
    unless: ColumnElement[bool] | None = None,
) -> Select[int] | CompoundSelect[int]:
    """Ids of the records found by what was typed, as one set: the caller narrows it to what the asker may see.

    seen_whole: whether the asker sees the numbers of this record unmasked, asked of each that was found: a set of all
    such records would be read whole for a handful of hits. Of all others a part of a number finds nothing but what its
    mask shows anyway, so that nobody guesses the rest digit by digit.
    unless: numbers are hidden from the asker, and find nothing at all.
    """
    asked, number = rules.question(text), numbers(kind)
    shown = true() if unless is None else ~unless
    ways = [_all(kind, asked.words)] if asked.words else []
    free = asked.digits >= rules.WHOLE_NUMBER
    for words, is_shown in ((asked.tails, asked.digits <= rules.SHOWN_TAIL), (asked.heads, False)):
        for word in words:
            way, token = _one(number, word)
            ways.append(way.where(shown if free or is_shown else seen_whole(token.record_id)))
    if asked.exact:
        ways.append(_one(number, Word(asked.exact))[0].where(shown))
    if not ways:
        return select(SearchToken.record_id).where(false())
    return union(*ways) if len(ways) > 1 else ways[0]


def _all(kind: str, words: Sequence[Word]) -> Select[int]:
    first, *further = words
    way, token = _one(kind, first)
    return way.where(*(token.record_id.in_(_one(kind, word)[0]) for word in further))


def _one(kind: str, word: Word) -> tuple[Select[int], Any]:
    """The primary key carries it: a kind, one word or a stretch of words, and the records behind."""
    token: Any = aliased(SearchToken)
    met = and_(token.token >= word.text, token.token < word.beyond) if word.begins else token.token == word.text
    return select(token.record_id).where(token.record_type == kind, met), token


def count(session: Session, kind: str) -> int:
    """How many records are found by at least one word."""
    return (
        session.scalar(select(func.count(SearchToken.record_id.distinct())).where(SearchToken.record_type == kind)) or 0
    )
