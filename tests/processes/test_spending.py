"""Expense requests filed and decided; budgets reserved, given back, raced for; who sees what."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from engine import events
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from engine.forms import OPTION_SOURCES
from engine.models import Definition, Instance, Participant, RecordAudit
from engine.service_tasks import StepFacts
from processes.organization import operations as organization
from processes.organization.models import Employee
from processes.spending import operations, permissions, subscribers
from processes.spending.models import Budget, BudgetEntry, ExpenseCategory, ExpenseRequest
from tests.processes.company import Company, actor_of

assert subscribers.follow_the_process  # declares itself

NOVEMBER = date(2026, 11, 15)


@pytest.fixture
def travel(session: Session, company: Company) -> ExpenseCategory:
    operations.create_category(session, SYSTEM, values={"code": "office", "name": "办公"})
    return operations.create_category(session, SYSTEM, values={"code": "travel", "name": "差旅"})


@pytest.fixture
def budget(session: Session, company: Company, travel: ExpenseCategory) -> Callable[..., Budget]:
    def make(amount: str, **values: Any) -> Budget:
        defaults = {
            "department": company.sales,
            "category": travel,
            "period_kind": "month",
            "starts_on": NOVEMBER,
            "policy": "stop",
        }
        return operations.create_budget(session, SYSTEM, values={**defaults, "amount": amount, **values})

    return make


@pytest.fixture
def definition(session: Session, clock: Callable[[], datetime]) -> Definition:
    row = Definition(
        key="expense_request", version=1, name="费用申请", sha256="", deployed_at=clock(), deployed_by=0, files=[]
    )
    session.add(row)
    session.flush()
    return row


@pytest.fixture
def file(session: Session, definition: Definition, clock: Callable[[], datetime]) -> Callable[..., ExpenseRequest]:
    """File a request of one line as somebody, in an instance of its own."""

    def make(starter: Employee, amount: str, category: str = "travel") -> ExpenseRequest:
        facts = start(session, definition, starter, clock())
        lines = [{"category": category, "amount": amount, "purpose": "拜访"}]
        answer = operations.file_request(session, actor_of(starter), facts, title="拜访客户", lines=lines)
        return session.get_one(ExpenseRequest, answer["id"])

    return make


def start(session: Session, definition: Definition, starter: Employee, now: datetime) -> StepFacts:
    instance = Instance(
        definition_id=definition.id,
        definition_key=definition.key,
        state="running",
        title="费用申请",
        starter_id=starter.id,
        starter_name=starter.name,
        started_at=now,
        changed_at=now,
    )
    session.add(instance)
    session.flush()
    return facts_of(instance)


def facts_of(instance: Instance) -> StepFacts:
    return StepFacts(instance.id, "expense_request", None, instance.starter_id, 7, "file_request", None)


def reserve(session: Session, request: ExpenseRequest) -> dict[str, Any]:
    return operations.reserve_budget(session, SYSTEM, facts(request), request_id=request.id)


def facts(request: ExpenseRequest) -> StepFacts:
    return StepFacts(request.instance_id, "expense_request", None, request.starter_id, 9, "reserve", None)


def figures(session: Session, budget: Budget) -> tuple[str, str, str]:
    session.refresh(budget)
    return str(budget.reserved), str(budget.spent), str(budget.left)


def actions(session: Session, request: ExpenseRequest) -> list[str]:
    found = select(RecordAudit.action).where(
        RecordAudit.record_type == "spending.expense_request", RecordAudit.record_id == request.id
    )
    return list(session.scalars(found.order_by(RecordAudit.seq)))


# ------------------------------------------------------------------------------------------------- filing


def test_a_request_is_filed_with_number_total_and_department(
    session: Session, company: Company, travel: ExpenseCategory, definition: Definition, clock: Any
) -> None:
    where = start(session, definition, company.li, clock())
    lines = [
        {"category": "travel", "amount": {"amount": "553.50", "currency": "CNY"}, "purpose": "高铁"},
        {"category": "office", "amount": "446.50", "purpose": None},
    ]
    answer = operations.file_request(session, actor_of(company.li), where, title="拜访客户", lines=lines)
    request = session.get_one(ExpenseRequest, answer["id"])
    assert answer == {
        "id": request.id,
        "number": "EXP-000001",
        "title": "拜访客户",
        "amount": {"amount": "1000.00", "currency": "CNY"},
    }
    assert (request.state, request.department, request.filed_on) == ("in_approval", company.sales, date(2026, 11, 23))
    assert [(line.position, line.category.code, line.amount) for line in request.lines] == [
        (1, "travel", Decimal("553.50")),
        (2, "office", Decimal("446.50")),
    ]


def test_a_revision_changes_the_same_request(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], travel: ExpenseCategory
) -> None:
    request = file(company.li, "100")
    again = operations.file_request(
        session,
        actor_of(company.li),
        facts_of(session.get_one(Instance, request.instance_id)),
        title="拜访两家客户",
        lines=[{"category": "office", "amount": "80"}, {"category": "travel", "amount": "90"}],
    )
    assert again["id"] == request.id
    assert again["number"] == request.number
    assert (request.title, request.amount, len(request.lines)) == ("拜访两家客户", Decimal("170.00"), 2)
    assert actions(session, request) == ["filed", "revised"]


@pytest.mark.parametrize(
    ("lines", "code"),
    [
        ([], "no_lines"),
        ([{"category": "travel", "amount": "0"}], "line_not_positive"),
        ([{"category": "yacht", "amount": "1"}], "no_such_category"),
        ([{"category": "travel", "amount": "a lot"}], "not_an_amount"),
        (
            [
                {"category": "travel", "amount": "1"},
                {"category": "travel", "amount": {"amount": "1", "currency": "USD"}},
            ],
            "mixed_currencies",
        ),
    ],
)
def test_what_cannot_be_filed(
    session: Session,
    company: Company,
    travel: ExpenseCategory,
    definition: Definition,
    clock: Any,
    lines: list[dict[str, Any]],
    code: str,
) -> None:
    where = start(session, definition, company.li, clock())
    with pytest.raises(RuleViolation) as refused:
        operations.file_request(session, actor_of(company.li), where, title="x", lines=lines)
    assert refused.value.code == code


def test_an_archived_category_takes_no_further_requests(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], travel: ExpenseCategory
) -> None:
    operations.archive_category(session, SYSTEM, record_id=travel.id)
    with pytest.raises(RuleViolation):
        file(company.li, "1")
    offered = OPTION_SOURCES["spending.expense_category"](session, actor_of(company.li))
    assert [(choice.value, choice.label) for choice in offered] == [("office", "办公")]


# ------------------------------------------------------------------------------------------------- reserving


def test_approval_reserves(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget]
) -> None:
    november = budget("1000")
    request = file(company.li, "400")
    assert figures(session, november) == ("0.00", "0.00", "1000.00")
    assert reserve(session, request) == {"warnings": [], "budgets": 1}
    assert figures(session, november) == ("400.00", "0.00", "600.00")
    assert request.state == "approved"
    assert reserve(session, request) == {"warnings": [], "budgets": 1}
    assert figures(session, november) == ("400.00", "0.00", "600.00")


def test_lines_of_one_category_are_taken_together(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget]
) -> None:
    november = budget("100")
    request = file(company.li, "60")
    operations.file_request(
        session,
        actor_of(company.li),
        facts(request),
        title="x",
        lines=[{"category": "travel", "amount": "60"}, {"category": "travel", "amount": "40.01"}],
    )
    with pytest.raises(RuleViolation, match=r"100.00 left, 100.01 are asked for"):
        reserve(session, request)
    assert figures(session, november) == ("0.00", "0.00", "100.00")


def test_a_budget_that_stops_refuses_the_approval(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget]
) -> None:
    november = budget("100")
    reserve(session, file(company.li, "100"))
    late = file(company.zhao, "0.01")
    with pytest.raises(RuleViolation) as refused:
        reserve(session, late)
    assert refused.value.code == "budget_exceeded"
    assert "销售部 / 差旅 / 2026-11" in str(refused.value)
    assert late.state == "in_approval"
    assert figures(session, november) == ("100.00", "0.00", "0.00")


def test_a_budget_that_warns_lets_pass_and_marks(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget]
) -> None:
    november = budget("100", policy="warn")
    request = file(company.li, "150")
    assert reserve(session, request)["warnings"] == ["销售部 / 差旅 / 2026-11"]
    assert request.over_budget
    assert figures(session, november) == ("150.00", "0.00", "-50.00")
    approved = session.scalars(select(RecordAudit).where(RecordAudit.action == "approved")).one()
    assert approved.after is not None
    assert approved.after["over_budget"] == {"销售部 / 差旅 / 2026-11": "100.00"}


def test_a_budget_that_ignores_only_counts(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget]
) -> None:
    november = budget("100", policy="ignore")
    request = file(company.li, "150")
    assert reserve(session, request)["warnings"] == []
    assert not request.over_budget
    assert figures(session, november)[0] == "150.00"


def test_month_and_year_must_both_have_enough(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget]
) -> None:
    november, year = budget("500"), budget("600", period_kind="year")
    reserve(session, file(company.li, "500"))
    assert figures(session, november)[2] == "0.00"
    assert figures(session, year)[2] == "100.00"


def test_the_nearest_department_with_a_budget_pays(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget]
) -> None:
    above = budget("500", department=company.head_office)
    reserve(session, file(company.li, "100"))
    assert figures(session, above)[0] == "100.00"
    own = budget("500")
    reserve(session, file(company.li, "70"))
    assert (figures(session, above)[0], figures(session, own)[0]) == ("100.00", "70.00")


def test_without_a_budget_nothing_is_reserved(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget]
) -> None:
    budget("1", starts_on=date(2026, 10, 1))
    budget("1", category=session.scalars(select(ExpenseCategory).where(ExpenseCategory.code == "office")).one())
    assert reserve(session, file(company.li, "100")) == {"warnings": [], "budgets": 0}


def test_two_requests_racing_for_the_last_yuan(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget]
) -> None:
    november = budget("100")
    requests = [file(person, "100").id for person in (company.li, company.zhao)]
    session.commit()
    barrier, won, lost = threading.Barrier(2), list[int](), list[int]()

    def approve(request_id: int) -> None:
        barrier.wait()
        try:
            with transaction() as own:
                reserve(own, own.get_one(ExpenseRequest, request_id))
            won.append(request_id)
        except RuleViolation:
            lost.append(request_id)
        finally:
            Sessions.remove()

    threads = [threading.Thread(target=approve, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert (len(won), len(lost)) == (1, 1)
    session.expire_all()
    assert figures(session, november) == ("100.00", "0.00", "0.00")
    assert session.get_one(ExpenseRequest, lost[0]).state == "in_approval"


def test_requests_over_the_same_two_budgets_never_block_each_other_for_good(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget]
) -> None:
    office = session.scalars(select(ExpenseCategory).where(ExpenseCategory.code == "office")).one()
    first, second = budget("1000"), budget("1000", category=office)
    requests = []
    for number in range(6):
        request = file(company.li, "1")
        lines = [{"category": "travel", "amount": "1"}, {"category": "office", "amount": "1"}]
        operations.file_request(
            session, actor_of(company.li), facts(request), title="x", lines=lines if number % 2 else lines[::-1]
        )
        requests.append(request.id)
    session.commit()
    failed: list[Exception] = []

    def approve(request_id: int) -> None:
        try:
            with transaction() as own:
                reserve(own, own.get_one(ExpenseRequest, request_id))
        except Exception as error:  # noqa: BLE001 - whatever it is, the test shows it
            failed.append(error)
        finally:
            Sessions.remove()

    threads = [threading.Thread(target=approve, args=(request,)) for request in requests]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert failed == []
    session.expire_all()
    assert (figures(session, first)[0], figures(session, second)[0]) == ("6.00", "6.00")


# ------------------------------------------------------------------------------------------------- giving back


def test_closing_gives_back_what_was_not_spent(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget], clock: Any
) -> None:
    november = budget("1000")
    request = file(company.li, "400")
    reserve(session, request)
    session.add(
        BudgetEntry(
            budget_id=november.id,
            request_id=request.id,
            kind="consume",
            amount=Decimal("150.50"),
            key="claim:1",
            at=clock(),
            actor_id=0,
        )
    )
    session.flush()
    assert figures(session, november) == ("249.50", "150.50", "600.00")
    operations.close_request(session, actor_of(company.li), record_id=request.id)
    assert figures(session, november) == ("0.00", "150.50", "849.50")
    assert request.state == "closed"
    assert actions(session, request) == ["filed", "approved", "closed", "released"]
    with pytest.raises(RuleViolation):
        operations.close_request(session, actor_of(company.li), record_id=request.id)


def test_only_starter_and_finance_close(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], travel: ExpenseCategory
) -> None:
    request = file(company.li, "1")
    reserve(session, request)
    with pytest.raises(NotFound):
        operations.close_request(session, actor_of(company.zhao), record_id=request.id)
    with pytest.raises(Forbidden):
        operations.close_request(session, actor_of(company.wang), record_id=request.id)
    operations.close_request(session, actor_of(company.sun, permissions.CLOSE_REQUESTS), record_id=request.id)
    assert request.state == "closed"


def test_releasing_twice_gives_back_once(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget]
) -> None:
    november = budget("1000")
    request = file(company.li, "400")
    reserve(session, request)
    release = operations.release_reservation
    assert release(session, SYSTEM, facts(request), request_id=request.id) == {"released": 1}
    assert release(session, SYSTEM, facts(request), request_id=request.id) == {"released": 0}
    assert figures(session, november) == ("0.00", "0.00", "1000.00")


def test_a_rejected_request_stays_rejected(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget]
) -> None:
    budget("1000")
    request = file(company.li, "400")
    for _twice in range(2):
        answer = operations.mark_rejected(session, SYSTEM, facts(request), request_id=request.id)
        assert answer == {"state": "rejected"}
    with pytest.raises(RuleViolation):
        reserve(session, request)


@pytest.mark.parametrize(
    ("ended", "state"),
    [("withdrawn", "withdrawn"), ("terminated", "withdrawn"), ("rejected", "rejected"), ("completed", "in_approval")],
)
def test_the_request_follows_its_process(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], travel: Any, ended: str, state: str
) -> None:
    request = file(company.li, "400")
    events.publish(
        session,
        "process.instance_ended",
        instance_id=request.instance_id,
        definition_key="expense_request",
        business_key=None,
        state=ended,
    )
    assert request.state == state


def test_an_approved_request_stays_approved_when_its_process_is_stopped(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], travel: ExpenseCategory
) -> None:
    request = file(company.li, "400")
    reserve(session, request)
    events.publish(
        session,
        "process.instance_ended",
        instance_id=request.instance_id,
        definition_key="expense_request",
        state="terminated",
    )
    assert request.state == "approved"


# ------------------------------------------------------------------------------------------------- ledger and budgets


def test_the_ledger_is_only_added_to(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget]
) -> None:
    budget("1000")
    reserve(session, file(company.li, "400"))
    session.commit()
    entry = session.scalars(select(BudgetEntry)).one()
    with pytest.raises(PermissionError):
        session.execute(update(BudgetEntry).values(amount=Decimal(1)))
    entry.amount = Decimal(1)
    with pytest.raises(PermissionError):
        session.flush()
    session.rollback()
    session.delete(session.scalars(select(BudgetEntry)).one())
    with pytest.raises(PermissionError):
        session.flush()
    session.rollback()


def test_one_budget_per_department_category_and_period(
    session: Session, company: Company, budget: Callable[..., Budget]
) -> None:
    budget("1000", starts_on=date(2026, 11, 1))
    with pytest.raises(RuleViolation, match="already a budget"):
        budget("500", starts_on=date(2026, 11, 30))
    assert budget("500", starts_on=date(2026, 12, 1)).period == "2026-12"
    assert budget("500", period_kind="quarter").period == "2026 Q4"
    assert budget("500", period_kind="year").period == "2026"


def test_a_budget_is_raised_and_lowered_within_reason(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget]
) -> None:
    november = budget("1000")
    reserve(session, file(company.li, "400"))

    def change(**values: Any) -> Budget:
        return operations.change_budget(session, SYSTEM, record_id=november.id, version=november.version, values=values)

    assert change(amount="400").left == Decimal(0)
    with pytest.raises(RuleViolation, match="reserved or spent already"):
        change(amount="399.99")
    with pytest.raises(RuleViolation, match="only its amount and policy"):
        change(department=company.finance)
    with pytest.raises(InvalidForm):
        change(amount="-1", policy="hope")
    with pytest.raises(Conflict):
        operations.change_budget(session, SYSTEM, record_id=november.id, version=1, values={"amount": "500"})
    with pytest.raises(RuleViolation, match="still reserved"):
        operations.archive_budget(session, SYSTEM, record_id=november.id)


@pytest.mark.parametrize(
    "attempt",
    [
        lambda s, b: operations.change_budget(s, SYSTEM, record_id=b, values={"amount": "99"}),
        lambda s, b: operations.archive_budget(s, SYSTEM, record_id=b),
        lambda s, b: operations.change_budget(s, SYSTEM, record_id=b, values={"starts_on": date(2027, 1, 1)}),
    ],
    ids=["lower", "archive", "move"],
)
def test_a_budget_is_not_cut_while_it_is_being_reserved(
    session: Session,
    company: Company,
    file: Callable[..., ExpenseRequest],
    budget: Callable[..., Budget],
    attempt: Callable[[Session, int], object],
) -> None:
    november, request = budget("100").id, file(company.li, "100")
    session.commit()
    reserve(session, request)  # not committed yet: the other has to wait, and then to look again
    refused: list[str] = []

    def cut() -> None:
        try:
            with transaction() as own:
                attempt(own, november)
        except RuleViolation as refusal:
            refused.append(refusal.code)
        finally:
            Sessions.remove()

    cutting = threading.Thread(target=cut)
    cutting.start()
    time.sleep(0.5)
    session.commit()
    cutting.join(30)
    assert refused in (["budget_below_commitments"], ["budget_in_use"])


@pytest.mark.parametrize("values", [{"starts_on": date(2027, 1, 1)}, None], ids=["move", "archive"])
def test_a_budget_that_is_cut_first_is_not_reserved(
    session: Session,
    company: Company,
    file: Callable[..., ExpenseRequest],
    budget: Callable[..., Budget],
    values: dict[str, object] | None,
) -> None:
    november, request = budget("100"), file(company.li, "100")
    session.commit()
    if values is None:
        operations.archive_budget(session, SYSTEM, record_id=november.id)
    else:
        operations.change_budget(session, SYSTEM, record_id=november.id, values=values)
    answers: list[int] = []

    def approve(request_id: int = request.id) -> None:
        try:
            with transaction() as own:
                answers.append(reserve(own, own.get_one(ExpenseRequest, request_id))["budgets"])
        finally:
            Sessions.remove()

    approving = threading.Thread(target=approve)
    approving.start()
    time.sleep(0.5)
    session.commit()
    approving.join(30)
    assert answers == [0]


def test_an_archived_budget_pays_nothing(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], budget: Callable[..., Budget]
) -> None:
    november = budget("1")
    operations.archive_budget(session, SYSTEM, record_id=november.id)
    assert reserve(session, file(company.li, "400"))["budgets"] == 0


@pytest.mark.parametrize(
    "attempt",
    [
        lambda s, a, b: operations.create_category(s, a, values={"code": "x", "name": "x"}),
        lambda s, a, b: operations.change_category(s, a, record_id=b.category_id, values={"name": "x"}),
        lambda s, a, b: operations.archive_category(s, a, record_id=b.category_id),
        lambda s, a, b: operations.create_budget(s, a, values={}),
        lambda s, a, b: operations.change_budget(s, a, record_id=b.id, values={"amount": "1"}),
        lambda s, a, b: operations.archive_budget(s, a, record_id=b.id),
    ],
)
def test_without_the_right_nothing_changes(
    session: Session, company: Company, budget: Callable[..., Budget], attempt: Any
) -> None:
    with pytest.raises(Forbidden):
        attempt(session, actor_of(company.li), budget("1000"))


def test_a_category_keeps_its_code_to_itself(session: Session, company: Company, travel: ExpenseCategory) -> None:
    with pytest.raises(InvalidForm):
        operations.create_category(session, SYSTEM, values={"code": "travel", "name": "出行"})
    changed = operations.change_category(
        session, SYSTEM, record_id=travel.id, values={"code": "travel", "name": "出差"}
    )
    assert changed.name == "出差"


# ------------------------------------------------------------------------------------------------- who sees what


def test_who_sees_a_request(
    session: Session, company: Company, file: Callable[..., ExpenseRequest], travel: ExpenseCategory
) -> None:
    request = file(company.li, "400")

    def seen_by(actor: Actor) -> bool:
        found = select(ExpenseRequest.id).where(permissions.visible_to(actor), ExpenseRequest.id == request.id)
        return session.scalar(found) is not None

    assert seen_by(actor_of(company.li))
    assert seen_by(actor_of(company.wang)), "head of the department"
    assert seen_by(actor_of(company.chen)), "head of the department above"
    assert not seen_by(actor_of(company.zhao)), "a colleague"
    assert not seen_by(actor_of(company.sun)), "another department"
    assert seen_by(actor_of(company.sun, permissions.READ_REQUESTS))
    session.add(Participant(person_id=company.zhao.id, instance_id=request.instance_id))
    session.flush()
    assert seen_by(actor_of(company.zhao)), "took part in the process"
    organization.change_department(session, SYSTEM, record_id=company.sales.id, values={"head": company.sun})
    assert not seen_by(actor_of(company.wang)), "leads the department no more"


def test_who_sees_a_budget(session: Session, company: Company, budget: Callable[..., Budget]) -> None:
    budget("1000")

    def seen_by(actor: Actor) -> int:
        return session.scalar(select(func.count()).select_from(Budget).where(permissions.visible_budgets(actor))) or 0

    assert seen_by(actor_of(company.wang)) == 1
    assert seen_by(actor_of(company.chen)) == 1
    assert seen_by(actor_of(company.li)) == 0
    assert seen_by(actor_of(company.sun, permissions.READ_BUDGETS)) == 1
    assert seen_by(SYSTEM) == 1


def test_figures_can_be_sorted_and_asked_for(session: Session, company: Company, budget: Callable[..., Budget]) -> None:
    budget("1000")
    budget("50", period_kind="year")
    assert [b.left for b in session.scalars(select(Budget).order_by(Budget.left))] == [Decimal(50), Decimal(1000)]
    assert len(session.scalars(select(Budget).where(Budget.left < Decimal("50.01"))).all()) == 1


def test_the_manifest_names_only_what_exists() -> None:
    from processes.spending.manifest import MANIFEST

    for register in MANIFEST.registers:
        for column in (*register.columns, *register.fields):
            assert hasattr(register.model, column.name), (register.name, column.name)


def test_instants_are_aware(session: Session, company: Company, budget: Callable[..., Budget]) -> None:
    assert budget("1").created_at == datetime(2026, 11, 23, 1, 0, tzinfo=UTC)
