"""What lies with others: with whoever stands in or is asked for an opinion, and with those who report to somebody."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.orm import Session

from engine import history, work_items
from engine.actor import SYSTEM, Actor
from engine.catalog import CATALOG
from engine.history import Line, View
from engine.models import WorkItem
from tests.engine.approvals import play
from tests.engine.approvals.play import CHEN, LI, SUN, WANG, ZHAO
from tests.engine.site import FallbackOnly, Site

LEADER = Actor(person_id=40, name="吴总")


class Led(FallbackOnly):
    """WANG and CHEN report to LEADER."""

    def reports(self, session: Session, person_id: int) -> tuple[int, ...]:
        return (WANG.person_id, CHEN.person_id) if person_id == LEADER.person_id else ()


@pytest.fixture(autouse=True)
def _led(site: Site) -> None:
    CATALOG.directory = Led()  # the site puts back what was there


def lines(person: Actor, view: View, **page: Any) -> list[Line]:
    return play.house.read(lambda s: history.inbox(s, person, view, **page).lines)


def items(person: Actor, view: View, **page: Any) -> list[int | None]:
    return [line.item_id for line in lines(person, view, **page)]


def narrowed(person: Actor, view: View) -> set[int]:
    return play.house.read(
        lambda s: {item.id for item in s.query(WorkItem).where(history.in_view(s, person, view)).all()}
    )


def lend(instance: int, holder: Actor, to: Actor) -> int:
    item = play.item_of(instance, holder)
    play.do(lambda s: work_items.hand_to_proxy(s, SYSTEM, s.get_one(WorkItem, item), to.person_id))
    return item


def test_what_a_stand_in_has_is_seen_until_it_is_done_or_taken_back(site: Site) -> None:
    first, second = play.one("person(2)"), play.one("person(2)")
    lent = [lend(one, WANG, CHEN) for one in (first, second)]
    assert items(WANG, "delegated") == lent[::-1]
    assert {(line.assignee_id, line.item_state) for line in lines(WANG, "delegated")} == {(CHEN.person_id, "open")}
    assert items(WANG, "open") == items(CHEN, "delegated") == []
    play.do(lambda s: work_items.take_back(s, WANG, lent[1]))
    assert (items(WANG, "delegated"), items(WANG, "open")) == ([lent[0]], [lent[1]])
    play.act(first, CHEN)
    assert items(WANG, "delegated") == []
    assert narrowed(WANG, "delegated") == set()


def test_what_an_opinion_is_asked_on_is_seen_by_who_asked(site: Site) -> None:
    started = play.one("person(2)")
    item = play.item_of(started, WANG)
    play.do(lambda s: work_items.delegate(s, WANG, item, CHEN.person_id))
    assert [(line.item_id, line.item_state) for line in lines(WANG, "delegated")] == [(item, "delegated")]
    assert narrowed(WANG, "delegated") == {item}
    play.do(lambda s: work_items.resolve(s, CHEN, item, opinion="可以"))
    assert (items(WANG, "delegated"), items(WANG, "open")) == ([], [item])


def test_an_item_a_stand_in_passes_on_for_an_opinion_is_there_once_for_each(site: Site) -> None:
    started = play.one("person(2)")
    item = lend(started, WANG, CHEN)
    play.do(lambda s: work_items.delegate(s, CHEN, item, SUN.person_id))
    assert items(WANG, "delegated") == items(CHEN, "delegated") == [item]
    assert items(SUN, "open") == [item]


def test_a_team_is_what_lies_with_those_who_report_to_somebody(site: Site) -> None:
    wangs, chens, others = (play.item_of(play.one(f"person({p.person_id})"), p) for p in (WANG, CHEN, ZHAO))
    play.one("person(2+3)")  # each of two signs: one item with either
    play.chain(("shared", "person(2+4)", {}))  # a pool has no holder yet
    mine = [*items(CHEN, "open"), *items(WANG, "open")]
    pool = [line.item_id for line in lines(WANG, "open") if line.assignee_id is None]
    team = items(LEADER, "team")
    assert set(team) == set(mine) - set(pool)
    assert team == sorted(set(team), key=lambda one: -(one or 0))
    assert {wangs, chens} <= set(team)
    assert others not in team
    assert narrowed(LEADER, "team") == set(team)
    assert items(WANG, "team") == []
    play.do(lambda s: work_items.claim(s, WANG, pool[0]))
    assert set(items(LEADER, "team")) == {*team, pool[0]}


def test_views_of_what_lies_with_others_are_paged(site: Site) -> None:
    lent = [lend(play.one("person(2)"), WANG, CHEN) for _ in range(3)]
    for person, view in ((WANG, "delegated"), (LEADER, "team")):
        first = play.house.read(lambda s, p=person, v=view: history.inbox(s, p, v, size=2))
        assert ([line.item_id for line in first.lines], first.has_more) == (lent[:0:-1], True)
        assert items(person, view, before=lent[1]) == [lent[0]]


def test_who_may_not_read_sees_that_it_lies_there_and_no_more(site: Site) -> None:
    started = play.one("person(2)")
    (line,) = play.house.read(lambda s: work_items.veiled(s, LEADER, history.inbox(s, LEADER, "team").lines))
    assert (line.instance_id, line.readable, line.summary) == (started, False, {})
    (line,) = play.house.read(lambda s: work_items.veiled(s, LI, history.inbox(s, LEADER, "team").lines))
    assert line.readable  # it is her own request


def test_each_page_is_two_questions_and_no_scan_of_what_is_done(site: Site) -> None:
    lend(play.one("person(2)"), WANG, CHEN)

    def plans(session: Session) -> list[tuple[str, str]]:
        asked: list[tuple[str, Any]] = []
        listener = lambda *told: asked.append((told[2], told[3]))  # noqa: E731
        bind = session.get_bind()
        event.listen(bind, "before_cursor_execute", listener)
        history.inbox(session, WANG, "delegated")
        history.inbox(session, LEADER, "team")
        event.remove(bind, "before_cursor_execute", listener)
        if bind.dialect.name == "postgresql":
            session.connection().exec_driver_sql("SET LOCAL enable_seqscan = off")  # of tables this small
        explain = "EXPLAIN " if bind.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
        return [
            (sql, "\n".join(str(row) for row in session.connection().exec_driver_sql(explain + sql, values)))
            for sql, values in asked
            if sql.startswith("SELECT")
        ]

    found = play.house.read(plans)
    assert len(found) == 4
    assert "ix_work_item_lent" in found[0][1]
    for _sql, plan in found:
        assert "SCAN work_item" not in plan
        assert "SCAN inbox" not in plan
        assert "Seq Scan on work_item" not in plan
        assert "Seq Scan on inbox" not in plan
