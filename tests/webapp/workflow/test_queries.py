"""What the pages ask of the database, on SQLite and PostgreSQL alike."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import event, select
from sqlalchemy.orm import Session

from engine import repository, work_items
from engine.actor import SYSTEM, Actor
from engine.models import Definition
from engine.work_items.rights import ADMINISTER, readable_by
from processes.messaging.permissions import READ_ALL
from processes.organization.directory import OrganizationDirectory
from processes.organization.models import Employee
from webapp import bootstrap, demo, house
from webapp.connectors import sent
from webapp.security import roles
from webapp.workflow import instance_list, lists, panels, processes
from webapp.workflow.lists import Wanted


@pytest.fixture
def company(session: Session) -> Iterator[Session]:
    bootstrap.join_parts()
    repository.forget_all()
    session.add_all(Role(name=role.name, permissions=[]) for role in roles.ROLES)
    session.flush()
    house.deploy_shipped(session)
    demo.load(session)
    demo.send_samples(session)
    session.commit()
    with Flask(__name__).app_context():
        yield session
    session.rollback()


def actor(session: Session, name: str, *permissions: str) -> Actor:
    person = session.scalars(select(Employee).where(Employee.name == name)).one()
    groups = OrganizationDirectory().groups(session, person.id)
    return Actor(person.id, name, groups=groups, permissions=frozenset(permissions))


def names(listing: lists.Listing) -> list[str]:
    return [entry.name for entry in listing.entries]


def test_inbox_lists_narrow_and_page_alike(company: Session) -> None:
    session, zhou, wang = company, actor(company, "周明"), actor(company, "王磊")
    assert names(lists.inbox(session, zhou, "open", Wanted())) == ["杭州客户拜访", "行业研讨会报名"]
    assert names(lists.inbox(session, zhou, "open", Wanted(overdue=True))) == ["行业研讨会报名"]
    assert names(lists.inbox(session, zhou, "open", Wanted(text="孙宇"))) == ["杭州客户拜访"]
    assert names(lists.inbox(session, zhou, "done", Wanted(text="客户"))) == [
        "重点客户招待",
        "上海客户现场调研",
        "拜访苏州客户",
    ]
    first = lists.inbox(session, wang, "started", Wanted(process="expense_request"), size=2)
    rest = lists.inbox(session, wang, "started", Wanted(process="expense_request"), size=2, before=first.last)
    assert names(first) + names(rest) == ["上海客户现场调研", "会议室投影仪更换", "拜访苏州客户"]
    assert (first.has_more, rest.has_more) == (True, False)
    work_items.send_copies(session, SYSTEM, first.entries[0].key, [zhou.person_id])
    assert names(lists.inbox(session, zhou, "cc", Wanted(text="上海"))) == ["上海客户现场调研"]
    assert names(lists.inbox(session, zhou, "cc", Wanted(text="%"))) == []


def test_instances_filter_alike(company: Session) -> None:
    session, admin = company, actor(company, "郑凯", ADMINISTER)

    def found(**wanted: object) -> set[str]:
        listing = instance_list.page(session, admin, readable_by(admin), instance_list.Wanted(**wanted))  # type: ignore[arg-type]
        return {entry.name for entry in listing.entries}

    assert found(overdue=True) == {"行业研讨会报名", "华东渠道大会", "上海客户现场调研"}
    assert found(text="吴婷") == {"安全工程师认证培训", "更换办公区门禁"}
    assert found(state="withdrawn") == {"珠海客户回访"}
    assert len(found()) == 16


def test_messages_search_their_words_alike(company: Session) -> None:
    session, admin = company, actor(company, "郑凯", READ_ALL)
    found, has_more = sent.messages(session, admin, sent.Wanted(text="马朝", channel="sms"))
    assert [(message.channel, "6,800.00" in message.text) for message in found] == [("sms", True)]
    assert not has_more
    assert sent.messages(session, actor(company, "孙宇"), sent.Wanted()) == ([], False)
    assert {road.channel for road in sent.roads(session)} == {"sms", "mail"}


def test_the_workbench_counts_alike(company: Session) -> None:
    session = company
    assert panels.overdue(session, actor(company, "周明")) == 1
    lin = panels.team_overdue(session, actor(company, "林晓燕"))
    assert lin is not None
    assert [line["name"] for line in lin["lines"]] == ["行业研讨会报名"]  # with zhou.ming, who reports to her
    assert panels.team_overdue(session, actor(company, "孙宇")) is None


def test_a_page_of_the_inbox_asks_a_fixed_number_of_questions(company: Session) -> None:
    session, zhou = company, actor(company, "周明")
    seen: list[str] = []
    event.listen(session.get_bind(), "before_cursor_execute", lambda *told: seen.append(told[2]))
    repository.get(session, session.scalars(select(Definition.id).where(Definition.key == "expense_request")).one())
    seen.clear()
    lists.inbox(session, zhou, "open", Wanted())
    assert len(seen) <= 4  # ids, lines, items with instances, the newest definition


def test_what_one_starts_often_comes_first(company: Session) -> None:
    session, wang = company, actor(company, "王磊")
    offered = processes.startable(session, wang)
    assert processes.often_started(session, wang, offered)[0].key == "expense_request"
    assert [group.title for group in processes.grouped(offered)] == ["Approvals", "Office", "Spending"]
