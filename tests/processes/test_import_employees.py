"""Employees out of a table: all rows or none, every fault with its row, nothing left behind by a look."""

from __future__ import annotations

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine.errors import Forbidden, InvalidForm
from engine.i18n import Sentence
from processes.organization.models import Employee
from processes.organization.operations import import_employees
from processes.organization.operations.importing import Line, Outcome, fields_of
from processes.organization.permissions import MANAGE_EMPLOYEES
from tests.processes.company import Company, actor_of

GOOD = (
    {"number": "N1", "name": "周婷", "phone": "199 0000 0011", "department": "销售部", "superior": "N2"},
    {"number": "N2", "name": "吴强", "positions": "财务、general_manager", "superior": "E1"},
    {"number": "E4", "name": "李娜娜", "email": ""},
    {"number": "E5", "name": "赵磊"},
)


def run(company: Company, *rows: dict[str, str], dry_run: bool = False) -> Outcome:
    lines = [Line(number, row) for number, row in enumerate(rows, 2)]
    return import_employees(company.session, actor_of(company.chen, MANAGE_EMPLOYEES), lines, dry_run=dry_run)


def by_number(session: Session, number: str) -> Employee | None:
    return session.scalars(select(Employee).where(Employee.number == number)).first()


def test_known_people_are_changed_and_new_ones_made(company: Company, session: Session) -> None:
    outcome = run(company, *GOOD)
    assert (outcome.created, outcome.changed, outcome.unchanged, outcome.faults) == (2, 1, 1, {})
    session.commit()
    zhou, wu, li = (by_number(session, one) for one in ("N1", "N2", "E4"))
    assert zhou is not None
    assert wu is not None
    assert li is not None
    assert (zhou.phone, zhou.department, zhou.superior) == ("+8619900000011", company.sales, wu)
    assert {one.code for one in wu.positions} == {"finance", "general_manager"}
    assert (li.name, li.email, li.department) == ("李娜娜", "lina@example.com", company.sales), "empty leaves it"


def test_a_look_leaves_nothing_behind(company: Company, session: Session) -> None:
    before = session.scalar(select(func.count(Employee.id)))
    outcome = run(company, *GOOD, dry_run=True)
    assert (outcome.created, outcome.changed, outcome.is_good) == (2, 1, True)
    session.commit()
    assert session.scalar(select(func.count(Employee.id))) == before
    assert company.li.name == "李娜"


def test_one_fault_undoes_all_and_every_fault_is_said(company: Company, session: Session) -> None:
    outcome = run(
        company,
        GOOD[1],
        {"number": "", "name": ""},
        {"number": "N3", "name": "钱多", "phone": "12", "email": "x", "department": "没有", "positions": "财务,厨师"},
        {"number": "N2", "name": "又一个"},
        {"number": "N4", "name": "孙七", "superior": "N99"},
        {"number": "E1", "name": "陈明", "superior": "E2"},
    )
    session.commit()
    assert {row: sorted(one.where for one in found) for row, found in outcome.faults.items()} == {
        3: ["name", "number"],
        4: ["department", "email", "phone", "positions"],
        5: ["number"],
        6: ["superior"],
        7: ["superior"],
    }
    assert by_number(session, "N2") is None


def test_a_department_that_is_there_twice_is_asked_back(company: Company, session: Session) -> None:
    company.finance.name = company.sales.name
    outcome = run(company, {"number": "N1", "name": "周婷", "department": company.sales.name})
    assert [one.where for one in outcome.faults[2]] == ["department"]


def test_heads_are_read_in_any_language(company: Company) -> None:
    def chinese(sentence: Sentence) -> list[str]:
        return [sentence.template, {"Number": "工号", "Full name": "姓名", "Phone": "手机"}.get(sentence.template, "?")]

    assert fields_of(["工号*", " 姓名 ", "phone"], chinese) == ["number", "name", "phone"]
    with pytest.raises(InvalidForm) as refused:
        fields_of(["工号", "Number", "工资"], chinese)
    assert [one.where for one in refused.value.problems] == ["2", "3", "name"]


def test_it_needs_the_right(company: Company) -> None:
    with pytest.raises(Forbidden):
        import_employees(company.session, actor_of(company.li), [], dry_run=True)
