"""Views of lists: kept under a name, shared only with the right to, pinned by each reader for himself."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from engine import runtime
from engine.actor import Actor
from engine.errors import AppError, Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from processes.party.permissions import CONTACT, CUSTOMER, USE
from processes.views import operations, permissions, rules
from processes.views.models import SavedView
from processes.views.rules import Question
from tests.processes.company import Company, actor_of

ASKED = Question(view="mine", filters=(("level", "is", "A"),), order="-name", size=50, columns=("name", "city"))


def seller(person: object, *further: str) -> Actor:
    return actor_of(person, USE, *further)  # type: ignore[arg-type]


def keep(session: Session, actor: Actor, name: str = "重点", audience: str = "private") -> SavedView:
    return operations.save_view(session, actor, register=CUSTOMER, name=name, question=ASKED, audience=audience)


def seen(session: Session, actor: Actor) -> set[str]:
    return {one.name for one in operations.shelf_of(session, actor).of_list(CUSTOMER)}


def test_a_view_is_kept_whole_and_is_its_keepers_alone(session: Session, company: Company) -> None:
    li, zhao = seller(company.li), seller(company.zhao)
    view = keep(session, li)
    session.expire_all()
    assert Question.of(view.question) == ASKED
    assert (seen(session, li), seen(session, zhao)) == ({"重点"}, set())
    for deed in (
        lambda: operations.change_view(session, zhao, view_id=view.id, name="我的"),
        lambda: operations.remove_view(session, zhao, view_id=view.id),
        lambda: operations.choose(session, zhao, register=CUSTOMER, chosen=str(view.id), pinned=True),
    ):
        with pytest.raises(NotFound):
            deed()
    with pytest.raises(NotFound):
        operations.save_view(session, actor_of(company.sun), register=CUSTOMER, name="x", question=ASKED)


def test_sharing_needs_the_right_and_reaches_the_department_with_those_below(
    session: Session, company: Company
) -> None:
    li, zhao, sun = seller(company.li), seller(company.zhao), seller(company.sun)
    with pytest.raises(Forbidden):
        keep(session, li, audience="department")
    wang = seller(company.wang, permissions.SHARE)
    with pytest.raises(Forbidden):
        keep(session, wang, audience="everybody")
    of_sales = keep(session, wang, "销售部的", "department")
    assert "销售部的" in seen(session, zhao)
    assert "销售部的" not in seen(session, sun)
    with pytest.raises(Forbidden):
        operations.change_view(session, zhao, view_id=of_sales.id, name="别的")
    chen = seller(company.chen, permissions.SHARE_WITH_ALL)
    everybodys = keep(session, chen, "全公司的", "everybody")
    assert "全公司的" in seen(session, sun) & seen(session, li)
    operations.change_view(session, chen, view_id=everybodys.id, audience="private")
    assert "全公司的" not in seen(session, li)


def test_names_are_unique_as_people_read_them_and_refusals_stand_beside_the_field(
    session: Session, company: Company
) -> None:
    li, chen = seller(company.li, permissions.SHARE_WITH_ALL), seller(company.chen, permissions.SHARE_WITH_ALL)
    keep(session, li, "Top  A")
    for name in ("top a", "ＴＯＰ A", " Top A "):
        with pytest.raises(InvalidForm) as refusal:
            keep(session, li, name)
        assert "name" in refusal.value.by_field()
    shared = keep(session, li, "共享", "everybody")
    with pytest.raises(InvalidForm):
        keep(session, chen, "共享", "everybody")
    own = keep(session, chen, "共享")
    with pytest.raises(InvalidForm):
        operations.change_view(session, chen, view_id=own.id, audience="everybody")
    for name in ("", "  ", "x" * 41, "a\x07"):
        with pytest.raises(InvalidForm):
            operations.change_view(session, li, view_id=shared.id, name=name)
    operations.save_view(session, chen, register=CONTACT, name="共享", question=Question(), audience="everybody")


def test_a_stale_tab_is_refused(session: Session, company: Company) -> None:
    li = seller(company.li)
    view = keep(session, li)
    seen_version = view.version
    operations.change_view(session, li, view_id=view.id, version=seen_version, question=Question(q="上海"))
    for deed in (
        lambda: operations.change_view(session, li, view_id=view.id, version=seen_version, name="别的"),
        lambda: operations.remove_view(session, li, view_id=view.id, version=seen_version),
    ):
        with pytest.raises(Conflict):
            deed()


def test_there_are_no_more_than_one_looks_through(session: Session, company: Company) -> None:
    li = seller(company.li)
    for number in range(rules.MOST_ON_A_LIST):
        keep(session, li, f"视图{number}")
    with pytest.raises(RuleViolation) as refusal:
        keep(session, li, "还有一个")
    assert refusal.value.code == "too_many_views"
    with pytest.raises(RuleViolation):
        rules.check_size(Question(filters=(("name", "is", "x"),) * 31))


def test_each_reader_pins_for_himself_and_a_list_has_one_default(session: Session, company: Company) -> None:
    li, chen = seller(company.li), seller(company.chen, permissions.SHARE_WITH_ALL)
    shared, own = keep(session, chen, "共享", "everybody"), keep(session, li, "自己")

    def pinned(actor: Actor) -> set[str]:
        return {one.chosen for one in operations.shelf_of(session, actor).in_sidebar()}

    assert (pinned(li), pinned(chen)) == ({str(shared.id)}, {str(shared.id)})
    operations.choose(session, li, register=CUSTOMER, chosen=str(shared.id), pinned=False)
    operations.choose(session, li, register=CUSTOMER, chosen="mine", pinned=True)
    assert (pinned(li), pinned(chen)) == ({"mine"}, {str(shared.id)})
    for chosen in (str(own.id), "mine", str(shared.id)):
        operations.choose(session, li, register=CUSTOMER, chosen=chosen, default=True)
        assert operations.shelf_of(session, li).default_of(CUSTOMER) == chosen
    operations.remove_view(session, chen, view_id=shared.id)
    assert operations.shelf_of(session, li).default_of(CUSTOMER) == ""
    with pytest.raises(NotFound):
        operations.choose(session, li, register=CUSTOMER, chosen="nonsense", pinned=True)


def test_two_tabs_that_keep_the_same_name_at_once_make_one_view(company: Company, clock: Callable[[], object]) -> None:
    li = seller(company.li, permissions.SHARE_WITH_ALL)
    zhao = seller(company.zhao, permissions.SHARE_WITH_ALL)
    refused: list[AppError] = []

    def work(actor: Actor) -> None:
        try:
            runtime.perform(lambda session: keep(session, actor, "抢先", "everybody").id)
        except AppError as refusal:
            refused.append(refusal)

    threads = [threading.Thread(target=work, args=(actor,)) for actor in (li, zhao, li, zhao)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert [type(one) for one in refused] == [InvalidForm] * 3


def test_a_view_stays_with_its_department_when_its_keeper_moves(session: Session, company: Company) -> None:
    """Who reads it moves out of its sight; who leads the department looks after it."""
    li, zhao = seller(company.li, permissions.SHARE), seller(company.zhao)
    of_sales = keep(session, li, "大客户", "department")
    assert "大客户" in seen(session, zhao)
    for one in (company.li, company.zhao):
        one.department_id = company.finance.id
    session.flush()
    assert "大客户" not in seen(session, zhao), "a reader reads with the department he is in"
    assert "大客户" in seen(session, li), "its keeper keeps it"
    operations.change_view(session, li, view_id=of_sales.id, name="大单", audience="department")
    assert of_sales.department_id == company.sales.id, "renaming takes it from nobody"
    head = seller(company.wang, permissions.SHARE)
    assert company.sales.head_id == company.wang.id
    assert of_sales.id in operations.shelf_of(session, head).changeable
    operations.change_view(session, head, view_id=of_sales.id, name="部门大单")
    stranger = seller(company.sun, permissions.SHARE)
    with pytest.raises(NotFound):
        operations.change_view(session, stranger, view_id=of_sales.id, name="财务的")
    for audience in ("private", "department"):  # taken along on purpose
        operations.change_view(session, li, view_id=of_sales.id, audience=audience)
    assert of_sales.department_id == company.finance.id
    assert "部门大单" in seen(session, zhao)
    assert "部门大单" not in seen(session, head)


def test_a_head_without_the_right_to_share_changes_nobodys_view(session: Session, company: Company) -> None:
    view = keep(session, seller(company.li, permissions.SHARE), "大客户", "department")
    with pytest.raises(Forbidden):
        operations.change_view(session, seller(company.wang), view_id=view.id, name="部门的")
