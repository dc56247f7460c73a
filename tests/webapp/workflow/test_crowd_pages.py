"""Pages of a step with many people ask the database as much as pages of a step with a few."""

from __future__ import annotations

import json
import re
from functools import partial

import pytest
from sqlalchemy import select

from engine import repository, runtime
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.models import WorkItem
from processes.organization.models import Employee, Position
from tests.bench.crowd import draw_approval
from tests.counting import statements
from tests.demo_house import DemoHouse
from tests.engine.workflow.drawing import Drawing
from tests.processes.company import actor_of

FEW = 2


def begin(key: str, rules: list[str], sign: str) -> int:
    """Everybody decides of himself; the last is named first, whose pages are looked at."""
    d = Drawing(key)
    d.start()
    draw_approval(d, "sign", ",".join(rules), sign=sign)
    d.end()
    d.chain("start", "sign", "end")
    with transaction() as session:
        repository.deploy(session, SYSTEM, {"main.bpmn": d.xml()})
        starter = actor_of(session.scalars(select(Employee).where(Employee.name == "王磊")).one())
    Sessions.remove()
    instance = runtime.perform(lambda session: runtime.start(session, starter, key)).instance_id
    Sessions.remove()
    return instance


def asked_by(house: DemoHouse, login: str, page: str) -> int:
    browser = house.login(login)
    browser.get(page)  # what is read once a process
    with statements() as seen:
        answer = browser.get(page)
    assert answer.status_code == 200
    return len(seen)


@pytest.mark.parametrize("sign", ["all", "sequential", "pool"])
def test_a_page_of_many_asks_as_much_as_a_page_of_a_few(house: DemoHouse, sign: str) -> None:
    with transaction() as session:
        zhou = session.scalars(select(Employee.id).where(Employee.name == "周明")).one()
        others = session.scalars(
            select(Employee.id).where(Employee.id != zhou, Employee.state == "active", Employee.name != "王磊")
        ).all()
        posts = [
            f"position({code})" for code in session.scalars(select(Position.code).where(Position.state == "active"))
        ]
    Sessions.remove()
    people = [f"person({person})" for person in (zhou, *others)]
    assert len(people) > 8
    how = "or" if sign == "pool" else sign
    few = begin("few", people[:FEW] + (posts if sign == "pool" else []), how)
    many = begin("many", people + (posts if sign == "pool" else []), how)
    for tab in ("overview", "people", "diagram", "history"):
        for login in ("wang.lei", "zheng.kai"):
            to_show = [asked_by(house, login, f"/instances/{one}?tab={tab}") for one in (few, many)]
            assert to_show[1] <= to_show[0], (tab, login)
    to_draw = [asked_by(house, "zheng.kai", f"/instances/{one}/diagram") for one in (few, many)]
    assert to_draw[1] <= to_draw[0]
    items = []
    for one in (few, many):
        with transaction() as session:
            items.append(
                session.scalars(
                    select(WorkItem.id).where(WorkItem.instance_id == one).order_by(WorkItem.sequence).limit(1)
                ).one()
            )
        Sessions.remove()
    to_decide = [asked_by(house, "zhou.ming", f"/inbox/open/{one}") for one in items]
    assert to_decide[1] <= to_decide[0]


def test_whom_it_lies_with_is_asked_only_for_who_may_move_it(house: DemoHouse) -> None:
    """The dialogs that list the holders are the administrator's."""
    instance = begin("few", ["person(2)", "person(3)"], "all")
    admin = house.login("zheng.kai").get(f"/instances/{instance}").text
    assert re.search(r'<select[^>]*id="jump-token"', admin)
    assert not re.search(r'id="jump-token"', house.login("wang.lei").get(f"/instances/{instance}").text)


def test_a_list_asks_once_for_the_persons_in_its_lines(house: DemoHouse) -> None:
    d = Drawing("referral")
    d.start()
    draw_approval(d, "sign", "superior(starter)", sign="or")
    d.end()
    d.chain("start", "sign", "end")
    field = {"id": "whom", "type": "person", "label": {"zh_CN": "推荐人选", "en": "Whom"}, "summary": True}
    form = {"title": {"zh_CN": "内部推荐", "en": "Referral"}, "fields": [field]}
    start = d.xml().replace('<startEvent id="start"', '<startEvent id="start" camunda:formKey="referral"')
    with transaction() as session:
        repository.deploy(session, SYSTEM, {"referral.bpmn": start, "referral.form.json": json.dumps(form)})
        known = session.scalars(select(Employee).where(Employee.state == "active")).all()
        wang = actor_of(next(one for one in known if one.name == "王磊"))
        people = [(one.id, one.name) for one in known if one.name != "王磊"]
    Sessions.remove()
    pages = ("/instances?process=referral", "/inbox/started?process=referral")
    counts = []
    for some in (people[:1], people[1:]):
        for person, _name in some:
            runtime.perform(partial(runtime.start, actor=wang, key="referral", values={"whom": person}))
            Sessions.remove()
        counts.append([asked_by(house, "wang.lei", page) for page in pages])
    assert all(many <= few for few, many in zip(*counts, strict=True))
    shown = house.login("wang.lei").get(pages[0]).text
    assert all(name in shown for _person, name in people)
