"""Numbers issued, reserved, used, voided; raced for by two offices; the gap report; the rules behind them."""

from __future__ import annotations

import multiprocessing
import random
import threading
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

import processes
from engine import catalog, db
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from engine.i18n import Sentence
from engine.models import RecordAudit
from engine.service_tasks import TOPICS, StepFacts
from processes.kernel.columns import lock_for_change
from processes.numbering import operations, permissions
from processes.numbering.models import SerialNumber, SerialRule
from processes.organization import operations as organization
from tests.databases import Database
from tests.processes.company import Company, actor_of

LETTER = "office.letter"
"""Records of a package that numbers its own."""

CLERK = (permissions.ISSUE_NUMBERS, permissions.VOID_NUMBERS, permissions.MANAGE_RULES)


@pytest.fixture(autouse=True, scope="module")
def _registers() -> None:
    """Who sees a record is asked of its register."""
    catalog.discover(processes)


@pytest.fixture
def letters(session: Session, company: Company) -> SerialRule:
    rule = operations.make_official_rule(session)
    session.commit()
    return rule


@pytest.fixture
def clerk(company: Company) -> Actor:
    return actor_of(company.sun, *CLERK)


@pytest.fixture
def make_rule(session: Session) -> Callable[..., SerialRule]:
    def make(pattern: str, **values: Any) -> SerialRule:
        values = {"code": "letters", "name": "发文", "pattern": pattern, **values}
        return operations.create_rule(session, SYSTEM, values=values)

    return make


def number(session: Session, rule: SerialRule, record: int, **values: Any) -> str:
    return operations.assign(session, SYSTEM, rule=rule.code, record=(LETTER, record), **values).text


def actions(session: Session, found: SerialNumber) -> list[str]:
    of = select(RecordAudit.action).where(
        RecordAudit.record_type == "numbering.number", RecordAudit.record_id == found.id
    )
    return list(session.scalars(of.order_by(RecordAudit.seq)))


# ------------------------------------------------------------------------------------------------- issuing


def test_official_numbers_follow_each_other_without_zeros(session: Session, letters: SerialRule) -> None:
    assert [number(session, letters, record) for record in (7, 8, 9)] == [
        "云启〔2026〕1号",
        "云启〔2026〕2号",
        "云启〔2026〕3号",
    ]


def test_a_record_asked_for_twice_has_one_number(session: Session, letters: SerialRule) -> None:
    assert number(session, letters, 7) == number(session, letters, 7) == "云启〔2026〕1号"
    assert number(session, letters, 8) == "云启〔2026〕2号"


def test_the_year_begins_at_midnight_in_shanghai(session: Session, letters: SerialRule, clock: Any) -> None:
    clock.turn_to(datetime(2026, 12, 31, 15, 59, 59, tzinfo=UTC))
    assert number(session, letters, 1) == "云启〔2026〕1号"
    clock.advance(seconds=1)
    assert number(session, letters, 2) == "云启〔2027〕1号"
    assert number(session, letters, 3, at=datetime(2026, 12, 31, 15, 0, tzinfo=UTC)) == "云启〔2026〕2号"
    assert number(session, letters, 1) == "云启〔2026〕1号", "a record keeps its number over the year"


def test_months_count_for_themselves_or_not_at_all(
    session: Session, make_rule: Callable[..., SerialRule], company: Company, clock: Any
) -> None:
    monthly = make_rule("{year}{month}-{n:3}", reset="monthly", start=100)
    never = make_rule("X{n}", code="never", reset="never")
    assert [number(session, monthly, 1), number(session, never, 1)] == ["202611-100", "X1"]
    clock.turn_to(datetime(2026, 11, 30, 16, 0, tzinfo=UTC))
    assert [number(session, monthly, 2), number(session, never, 2)] == ["202612-100", "X2"]


def test_departments_count_for_themselves(
    session: Session, make_rule: Callable[..., SerialRule], company: Company
) -> None:
    rule = make_rule("云启{department_code}〔{year}〕{n}号", scope="department")
    with pytest.raises(RuleViolation, match="needs a department"):
        number(session, rule, 1)
    with pytest.raises(RuleViolation, match="财务部 has no code"):
        number(session, rule, 1, department=company.finance)
    for department, code in ((company.finance, "财"), (company.sales, "销")):
        organization.change_department(session, SYSTEM, record_id=department.id, values={"code": code})
    assert number(session, rule, 1, department=company.finance) == "云启财〔2026〕1号"
    assert number(session, rule, 2, department=company.sales) == "云启销〔2026〕1号"
    assert number(session, rule, 3, department=company.finance) == "云启财〔2026〕2号"
    with pytest.raises(InvalidForm):
        organization.change_department(session, SYSTEM, record_id=company.sales.id, values={"code": "财"})


def test_departments_of_one_name_do_not_get_one_number(
    session: Session, make_rule: Callable[..., SerialRule], company: Company
) -> None:
    rule = make_rule("{department}-{n}", scope="department", reset="never")
    twin = organization.create_department(session, SYSTEM, values={"name": company.sales.name})
    assert number(session, rule, 1, department=company.sales) == "销售部-1"
    with pytest.raises(RuleViolation, match="already a number 销售部-1") as refused:
        number(session, rule, 2, department=twin)
    assert refused.value.remedy is not None
    assert number(session, rule, 3, department=company.sales) == "销售部-2"


def test_an_archived_rule_gives_nothing_new_but_keeps_what_it_gave(session: Session, letters: SerialRule) -> None:
    text = number(session, letters, 1)
    operations.archive_rule(session, SYSTEM, record_id=letters.id)
    assert number(session, letters, 1) == text
    with pytest.raises(RuleViolation) as refused:
        number(session, letters, 2)
    assert refused.value.code == "rule_archived"
    with pytest.raises(RuleViolation, match="no numbering rule “nothing”"):
        operations.assign(session, SYSTEM, rule="nothing", record=(LETTER, 1))


def test_a_number_too_long_to_keep_is_refused(
    session: Session, make_rule: Callable[..., SerialRule], company: Company
) -> None:
    rule = make_rule("{department}" + "文" * 60 + "-{n}", reset="never")
    organization.change_department(session, SYSTEM, record_id=company.sales.id, values={"name": "部" * 50})
    with pytest.raises(RuleViolation, match="too long"):
        number(session, rule, 1, department=company.sales)


def test_only_clerks_issue_and_only_for_what_they_see(session: Session, letters: SerialRule, company: Company) -> None:
    record = ("organization.employee", company.li.id)
    with pytest.raises(Forbidden):
        operations.issue(session, actor_of(company.li), rule=letters.code, record=record)
    clerk = actor_of(company.li, permissions.ISSUE_NUMBERS)
    for unseen in (("organization.employee", 10**9), ("process.instance", 10**9), ("no.such", 1)):
        with pytest.raises(NotFound):
            operations.issue(session, clerk, rule=letters.code, record=unseen)
    assert operations.issue(session, clerk, rule=letters.code, record=record).text == "云启〔2026〕1号"


# ------------------------------------------------------------------------------------------------- rolled back, raced


def test_a_rollback_leaves_no_hole_in_a_gap_free_series(session: Session, letters: SerialRule) -> None:
    number(session, letters, 1)
    session.commit()
    number(session, letters, 2)
    session.rollback()
    assert number(session, letters, 3) == "云启〔2026〕2号"
    session.commit()
    (series,) = operations.gap_report(session, SYSTEM, rule=letters.code)
    assert (series.first, series.last, series.issued, series.missing) == (1, 2, 2, ())


@pytest.mark.databases("postgresql")
def test_a_fast_number_is_not_taken_back(
    session: Session, make_rule: Callable[..., SerialRule], company: Company
) -> None:
    rule = make_rule("F{n}", mode="fast", reset="never")
    session.commit()
    number(session, rule, 1)
    session.rollback()
    assert number(session, rule, 2) == "F2"
    session.commit()
    (series,) = operations.gap_report(session, SYSTEM, rule=rule.code)
    assert (series.missing, series.missing_count) == (((1, 1),), 1)


@pytest.mark.databases("postgresql")
def test_nobody_waits_for_a_fast_number(
    session: Session, make_rule: Callable[..., SerialRule], company: Company
) -> None:
    """Another takes a number while we hold ours; of a gap-free series he would wait until our end."""
    rule = make_rule("F{n}", mode="fast", reset="never")
    session.commit()
    assert number(session, rule, 1) == "F1"
    taken: list[str] = []

    def take() -> None:
        with transaction() as own:
            taken.append(number(own, rule, 2))
        Sessions.remove()

    other = threading.Thread(target=take)
    other.start()
    other.join(20)
    assert taken == ["F2"]
    session.rollback()


def test_a_fast_number_of_a_rule_made_in_the_same_transaction(
    session: Session, make_rule: Callable[..., SerialRule], company: Company
) -> None:
    """It is taken beside the transaction, which cannot see the rule and must not wait for it."""
    assert number(session, make_rule("F{n}", mode="fast", reset="never"), 1) == "F1"


def _break_off_now_and_then(chance: random.Random) -> None:
    if chance.random() < 0.3:
        raise InterruptedError


def _office(url: str, seed: int, records: range, mode: str) -> None:
    """One office in a process of its own: numbers its records, breaks off now and then."""
    chance = random.Random(seed)
    db.bind(url)
    for record in records:
        while True:
            try:
                with transaction() as own:
                    operations.assign(own, SYSTEM, rule=mode, record=(LETTER, record))
                    _break_off_now_and_then(chance)
            except InterruptedError:
                continue
            break
    Sessions.remove()


@pytest.mark.slow
@pytest.mark.parametrize("mode", ["gap_free", "fast"])
def test_two_offices_that_share_a_series_lose_nothing(
    session: Session, database: Database, make_rule: Callable[..., SerialRule], company: Company, mode: str
) -> None:
    """Two hundred numbers from two processes, every third transaction rolled back."""
    rule = make_rule("云启〔{year}〕{n}号", code=mode, mode=mode)
    session.commit()
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([__name__])  # both offices, of each test, are forks of one clean process
    offices = [
        context.Process(target=_office, args=(database.url, seed, range(seed * 1000, seed * 1000 + 100), mode))
        for seed in (1, 2)
    ]
    for office in offices:
        office.start()
    for office in offices:
        office.join(90)
    assert [office.exitcode for office in offices] == [0, 0]
    found = session.scalars(
        select(SerialNumber).where(SerialNumber.rule_id == rule.id).order_by(SerialNumber.value)
    ).all()
    values = [one.value for one in found]
    assert len({one.text for one in found}) == len({one.record for one in found}) == len(values) == 200
    series = operations.gap_report(session, SYSTEM, rule=mode)
    assert sum(one.issued for one in series) == 200
    if mode == "gap_free" or database.name == "sqlite":
        assert values == list(range(1, 201))
        assert all(one.missing == () for one in series)
    else:
        (one,) = series
        assert len(values) + one.missing_count == one.last
        assert one.missing, "transactions were rolled back, and that shows"


@pytest.mark.parametrize("mode", ["gap_free", "fast"])
def test_two_who_number_one_record_at_once_get_one_number(
    session: Session, make_rule: Callable[..., SerialRule], company: Company, mode: str
) -> None:
    rule = make_rule("{year}-{n}", mode=mode)
    session.commit()
    texts: list[str] = []
    for record in range(1, 9):
        barrier = threading.Barrier(2)

        def take(record: int = record, barrier: threading.Barrier = barrier) -> None:
            barrier.wait()
            with transaction() as own:
                texts.append(number(own, rule, record))
            Sessions.remove()

        threads = [threading.Thread(target=take) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(30)
    assert len(texts) == 16
    assert len(set(texts)) == 8
    (series,) = operations.gap_report(session, SYSTEM, rule=rule.code)
    assert series.issued == 8
    if mode == "gap_free":
        assert series.missing == ()


@pytest.mark.databases("postgresql")
def test_one_record_numbered_at_once_in_two_periods_has_one_number(
    session: Session, letters: SerialRule, clock: Any
) -> None:
    """The two stand at different counters; the one that comes second gives its number back."""
    last_year = datetime(2025, 6, 1, tzinfo=UTC)
    first = number(session, letters, 1)
    texts: list[str] = []

    def take() -> None:
        with transaction() as own:
            texts.append(number(own, letters, 1, at=last_year))
        Sessions.remove()

    other = threading.Thread(target=take)
    other.start()
    other.join(0.5)
    assert texts == [], "it waits for us"
    session.commit()
    other.join(20)
    assert texts == [first]
    assert number(session, letters, 2, at=last_year) == "云启〔2025〕1号"


# ------------------------------------------------------------------------------------------------- reserved


def test_reserved_numbers_are_used_later(session: Session, letters: SerialRule, clerk: Actor, company: Company) -> None:
    kept = operations.reserve(session, clerk, rule=letters.code, count=2, reason="  年终表彰 ")
    assert [(one.text, one.state, one.reason) for one in kept] == [
        ("云启〔2026〕1号", "reserved", "年终表彰"),
        ("云启〔2026〕2号", "reserved", "年终表彰"),
    ]
    assert number(session, letters, 5) == "云启〔2026〕3号"
    record = ("organization.employee", company.li.id)
    used = operations.use_reserved(session, clerk, number_id=kept[1].id, record=record)
    assert (used.text, used.state, used.record) == ("云启〔2026〕2号", "issued", record)
    again = operations.use_reserved(session, clerk, number_id=kept[1].id, record=record)
    assert again is used, "a double click"
    assert operations.issue(session, clerk, rule=letters.code, record=record) is used
    with pytest.raises(RuleViolation, match="has the number 云启〔2026〕2号 already"):
        operations.use_reserved(session, clerk, number_id=kept[0].id, record=record)
    other = ("organization.employee", company.wang.id)
    with pytest.raises(RuleViolation, match="is not reserved"):
        operations.use_reserved(session, clerk, number_id=kept[1].id, record=other)
    with pytest.raises(NotFound):
        operations.use_reserved(session, clerk, number_id=kept[0].id, record=("organization.employee", 10**9))
    with pytest.raises(NotFound):
        operations.use_reserved(session, clerk, number_id=10**9, record=other)
    assert actions(session, used) == ["reserved", "used"]


def test_one_reserved_number_raced_for_goes_to_one_record(
    session: Session, letters: SerialRule, clerk: Actor, company: Company
) -> None:
    (kept,) = operations.reserve(session, clerk, rule=letters.code, count=1, reason="备用")
    session.commit()
    barrier, outcomes = threading.Barrier(2), list[str]()

    def use(person: int) -> None:
        barrier.wait()
        try:
            with transaction() as own:
                record = ("organization.employee", person)
                operations.use_reserved(own, clerk, number_id=kept.id, record=record)
            outcomes.append("used")
        except RuleViolation as refusal:
            outcomes.append(refusal.code)
        finally:
            Sessions.remove()

    threads = [threading.Thread(target=use, args=(person.id,)) for person in (company.li, company.wang)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert sorted(outcomes) == ["used", "wrong_state"]


@pytest.mark.parametrize(
    ("count", "reason", "where"),
    [(0, "x", "count"), (101, "x", "count"), (-1, "x", "count"), (1, "  ", "reason"), (1, "x" * 201, "reason")],
)
def test_a_reservation_says_how_many_and_why(
    session: Session, letters: SerialRule, clerk: Actor, count: int, reason: str, where: str
) -> None:
    with pytest.raises(InvalidForm) as refused:
        operations.reserve(session, clerk, rule=letters.code, count=count, reason=reason)
    assert list(refused.value.by_field()) == [where]
    assert number(session, letters, 1) == "云启〔2026〕1号"


# ------------------------------------------------------------------------------------------------- void


def test_a_void_number_stays_and_is_never_handed_out_again(session: Session, letters: SerialRule, clerk: Actor) -> None:
    first = operations.assign(session, SYSTEM, rule=letters.code, record=(LETTER, 1))
    operations.void(session, clerk, number_id=first.id, reason="文稿撤回")
    assert (first.state, first.reason, first.record) == ("void", "文稿撤回", (LETTER, 1))
    assert first.changed_by == clerk.person_id
    assert actions(session, first) == ["issued", "voided"]
    assert number(session, letters, 1) == "云启〔2026〕2号", "printed again, the record does not show the void number"
    with pytest.raises(RuleViolation, match="is void and stays so"):
        operations.void(session, clerk, number_id=first.id, reason="again")
    with pytest.raises(RuleViolation, match="is void and stays so"):
        operations.use_reserved(session, SYSTEM, number_id=first.id, record=("organization.employee", clerk.person_id))
    (series,) = operations.gap_report(session, SYSTEM, rule=letters.code)
    assert [(one.text, one.reason) for one in series.set_aside] == [("云启〔2026〕1号", "文稿撤回")]
    assert (series.issued, series.missing) == (1, ())


def test_voiding_needs_the_right_a_reason_and_the_present_version(
    session: Session, letters: SerialRule, clerk: Actor, company: Company
) -> None:
    issued = operations.assign(session, SYSTEM, rule=letters.code, record=(LETTER, 1))
    with pytest.raises(Forbidden):
        operations.void(session, actor_of(company.li), number_id=issued.id, reason="x")
    for reason in ("", "   ", "x" * 201, "a\x00b"):
        with pytest.raises(InvalidForm):
            operations.void(session, clerk, number_id=issued.id, reason=reason)
    with pytest.raises(Conflict):
        operations.void(session, clerk, number_id=issued.id, reason="x", version=issued.version + 1)
    assert issued.state == "issued"


# ------------------------------------------------------------------------------------------------- the report


def test_the_gap_report_names_what_nobody_holds(session: Session, letters: SerialRule, clock: Any) -> None:
    for record in range(1, 8):
        number(session, letters, record)
    for text in ("云启〔2026〕2号", "云启〔2026〕3号", "云启〔2026〕7号"):  # by hand, past every rule
        session.delete(session.scalars(select(SerialNumber).where(SerialNumber.text == text)).one())
    session.flush()
    clock.turn_to(datetime(2027, 1, 5, tzinfo=UTC))
    number(session, letters, 20)
    newer, older = operations.gap_report(session, SYSTEM, rule=letters.code)
    assert (newer.period, newer.missing) == ("2027", ())
    assert (older.period, older.missing, older.missing_count) == ("2026", ((2, 3), (7, 7)), 3)
    assert operations.gap_report(session, SYSTEM, rule=letters.code, period="2026")[0].period == "2026"
    assert operations.gap_report(session, SYSTEM, rule=letters.code, period="1999") == []
    assert operations.periods(session, SYSTEM, rule=letters.code) == ["2027", "2026"]


def test_strangers_do_not_read_the_report(session: Session, letters: SerialRule, company: Company) -> None:
    number(session, letters, 1)
    with pytest.raises(NotFound):
        operations.gap_report(session, actor_of(company.li), rule=letters.code)
    assert operations.periods(session, actor_of(company.li), rule=letters.code) == []
    visible = select(SerialNumber).where(permissions.visible_numbers(actor_of(company.li)))
    assert session.scalars(visible).all() == []


# ------------------------------------------------------------------------------------------------- rules


def test_a_rule_is_yearly_gap_free_and_without_zeros_unless_it_says_otherwise(
    session: Session, clerk: Actor, company: Company
) -> None:
    values = {"code": "letters", "name": "发文", "pattern": "文〔{year}〕{n}号", "start": ""}
    rule = operations.create_rule(session, clerk, values=values)
    assert (rule.reset, rule.scope, rule.mode, rule.start, rule.state) == ("yearly", "none", "gap_free", 1, "active")
    assert rule.created_by == clerk.person_id


@pytest.mark.parametrize(
    ("wrong", "where"),
    [
        ({"pattern": "{jahr}{n}"}, "pattern"),
        ({"pattern": "{n}"}, "pattern"),
        ({"pattern": "{n}{year}" + "x" * 100}, "pattern"),
        ({"pattern": None}, "pattern"),
        ({"code": "Äh"}, "code"),
        ({"name": ""}, "name"),
        ({"reset": "weekly"}, "reset"),
        ({"scope": "planet"}, "scope"),
        ({"mode": "slow"}, "mode"),
        ({"start": 0}, "start"),
        ({"start": "-3"}, "start"),
        ({"start": 10**13}, "start"),
        ({"padding": 4}, "padding"),
    ],
)
def test_a_rule_that_cannot_be_is_refused_where_it_is_wrong(
    session: Session, clerk: Actor, wrong: dict[str, Any], where: str
) -> None:
    values = {"code": "letters", "name": "发文", "pattern": "文〔{year}〕{n}号", **wrong}
    with pytest.raises(InvalidForm) as refused:
        operations.create_rule(session, clerk, values=values)
    assert where in refused.value.by_field()
    with pytest.raises(Forbidden):
        operations.create_rule(session, Actor(7, "somebody"), values=values)


def test_what_makes_a_series_stays_once_a_number_is_out(session: Session, letters: SerialRule, clerk: Actor) -> None:
    def change(**values: Any) -> SerialRule:
        return operations.change_rule(session, clerk, record_id=letters.id, values=values)

    change(start=5)
    assert number(session, letters, 1) == "云启〔2026〕5号"
    for values in ({"start": 1}, {"reset": "never"}, {"mode": "fast"}, {"code": "other"}):
        with pytest.raises(RuleViolation) as refused:
            change(**values)
        assert refused.value.code == "rule_in_use"
    change(pattern="云启办〔{year}〕{n}号", name="办公室发文", start=5)
    assert number(session, letters, 2) == "云启办〔2026〕6号"
    with pytest.raises(InvalidForm):
        change(pattern="云启办{n}号")
    with pytest.raises(Conflict):
        operations.change_rule(session, clerk, record_id=letters.id, version=1, values={"name": "x"})


def test_two_rules_do_not_share_a_code(session: Session, letters: SerialRule, clerk: Actor) -> None:
    values = {"code": letters.code, "name": "again", "pattern": "{year}-{n}"}
    with pytest.raises(InvalidForm) as refused:
        operations.create_rule(session, clerk, values=values)
    assert list(refused.value.by_field()) == ["code"]


def test_a_rule_of_the_house_is_made_once_and_stays_what_people_made_of_it(
    session: Session, letters: SerialRule, clerk: Actor
) -> None:
    operations.change_rule(session, clerk, record_id=letters.id, values={"pattern": "云办〔{year}〕{n}号"})
    assert operations.make_official_rule(session) is letters
    assert letters.pattern == "云办〔{year}〕{n}号"


def test_two_who_make_a_rule_of_the_house_at_once_make_one(session: Session, company: Company) -> None:
    barrier, made = threading.Barrier(2), list[int]()

    def make() -> None:
        barrier.wait()
        with transaction() as own:
            made.append(operations.make_official_rule(own).id)
        Sessions.remove()

    threads = [threading.Thread(target=make) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert len(made) == 2
    assert len(set(made)) == 1


@pytest.mark.databases("postgresql")
def test_a_rule_of_the_house_made_by_another_after_we_looked_is_taken(session: Session, company: Company) -> None:
    def make() -> None:
        with transaction() as own:
            operations.make_official_rule(own)
        Sessions.remove()

    def while_another_makes_it() -> int:
        other = threading.Thread(target=make)
        other.start()
        other.join(20)
        return 7

    rule = operations.ensure_rule(
        session, code="official_document", name=Sentence("Ours", {}), pattern="{year}-{n}", start=while_another_makes_it
    )
    assert (rule.pattern, rule.start) == ("云启〔{year}〕{n}号", 1)


@pytest.mark.databases("postgresql")
def test_a_rule_does_not_change_under_those_who_take_a_number(
    session: Session, letters: SerialRule, clerk: Actor
) -> None:
    number(session, letters, 1)
    changed: list[str] = []

    def change() -> None:
        with transaction() as own:
            lock_for_change(own, SerialRule, letters.id)
            try:
                operations.change_rule(own, clerk, record_id=letters.id, values={"reset": "never", "pattern": "{n}"})
            except RuleViolation as refusal:
                changed.append(refusal.code)
        Sessions.remove()

    other = threading.Thread(target=change)
    other.start()
    other.join(0.5)
    assert changed == [], "it waits for us"
    session.commit()
    other.join(20)
    assert changed == ["rule_in_use"]


# ------------------------------------------------------------------------------------------------- diagrams


def test_a_diagram_numbers_its_process(
    session: Session, make_rule: Callable[..., SerialRule], company: Company
) -> None:
    make_rule("{department}〔{year}〕{n}号", scope="department")
    facts = StepFacts(4711, "letter", None, company.li.id, 3, "number", None)
    topic = TOPICS["numbering.issue_number"]
    assert (topic.required, topic.kind) == (("rule",), "operation")
    answer = operations.issue_number(session, actor_of(company.li), facts, rule="letters")
    assert answer["number"] == "销售部〔2026〕1号"
    assert operations.issue_number(session, actor_of(company.li), facts, rule="letters") == answer, "the step run again"
    other = StepFacts(4712, "letter", None, company.li.id, 3, "number", None)
    given = operations.issue_number(session, SYSTEM, other, rule="letters", department=str(company.finance.id))
    assert given["number"] == "财务部〔2026〕1号"
    for nowhere in (10**9, "x", True):
        with pytest.raises(RuleViolation, match="no department"):
            operations.issue_number(session, SYSTEM, other, rule="letters", department=nowhere)
