"""Tasks on their pages: given once, seen by whom they concern, moved with the buttons the page offers."""

from __future__ import annotations

import re

import pytest
from sqlalchemy import select

from engine import attachments
from engine.db import Sessions, transaction
from engine.models import Copy
from processes.organization.models import Employee
from processes.tasks.models import Task
from tests.demo_house import DemoHouse, Facts
from tests.processes.company import actor_of

SUPERIOR, MEMBER, STRANGER = "zhou.ming", "wang.lei", "xu.fang"
OWN = "拜访苏州客户"


def tasks() -> list[Task]:
    """What people gave; missed calls have tasks of their own."""
    with transaction() as session:
        found = list(
            session.scalars(select(Task).where(Task.created_by != 0).order_by(Task.id))
        )  # not those of missed calls
        session.expunge_all()
    Sessions.remove()
    return found


@pytest.fixture
def task(house: DemoHouse, facts: Facts) -> Task:
    form = {"title": "核对报价", "assignee": str(facts.person("王磊")), "due": "2099-05-04", "submission": "one"}
    assert house.login(SUPERIOR).post("/tasks/new", form).status_code == 302
    assert house.login(SUPERIOR).post("/tasks/new", form).status_code == 302  # a second click
    (made,) = tasks()
    return made


def test_a_task_is_given_once_with_its_deadline(task: Task) -> None:
    assert task.state == "accepted"
    assert task.due_at is not None
    assert task.due_at.isoformat() == "2099-05-04T10:00:00+00:00"  # six in the evening in Shanghai


def test_the_next_step_alone_is_the_main_button(house: DemoHouse, task: Task) -> None:
    member, url = house.login(MEMBER), f"/tasks/{task.id}"

    def heading() -> str:
        return member.get(url).text.partition('class="yl-instance-line"')[0]

    assert re.findall(r'btn-primary"[^>]*>(?:<svg.*?</svg>)?([^<]+)</button>', heading(), re.DOTALL)[:1] == ["开始"]
    assert 'class="btn " data-yl-dialog="ask-submit"' in heading()
    member.post(f"{url}/start", {"version": str(task.version)})
    assert 'class="btn btn-primary" data-yl-dialog="ask-submit"' in heading()


def test_a_faulty_form_keeps_what_was_typed(house: DemoHouse, facts: Facts) -> None:
    form = {"title": "", "description": "<b>细节</b>", "assignee": str(facts.person("王磊")), "due": "2001-01-01"}
    answer = house.login(SUPERIOR).post("/tasks/new", form)
    assert answer.status_code == 422
    assert "&lt;b&gt;细节" in answer.text
    assert ">王磊</option>" in answer.text
    assert "这个时间已经过去。" in answer.text
    assert house.login(SUPERIOR).post("/tasks/new", {**form, "title": "x", "due": "soon"}).status_code == 422
    assert tasks() == []


def sent_up(facts: Facts, who: str, name: str) -> str:
    """A file as the page sends it up before its form is sent; answers its number."""
    with transaction() as session:
        person = session.get_one(Employee, facts.person(who))
        file = attachments.store(session, actor_of(person), name, "甲乙".encode())
    Sessions.remove()
    return str(file.id)


def kept(page: str) -> list[str]:
    return re.findall(r'name="file" value="(\d+)"', page)


def test_a_faulty_form_keeps_its_files(house: DemoHouse, facts: Facts) -> None:
    mine, foreign = sent_up(facts, "周明", "名单.txt"), sent_up(facts, "王磊", "别人的.txt")
    form = {"title": "", "assignee": str(facts.person("王磊")), "file": [mine, foreign]}
    answer = house.login(SUPERIOR).post("/tasks/new", form)
    assert answer.status_code == 422
    assert kept(answer.text) == [mine]
    assert "名单.txt" in answer.text
    assert "别人的.txt" not in answer.text, "somebody else's number opens nothing"
    assert (
        house.login(SUPERIOR).post("/tasks/new", {**form, "title": "核对", "file": kept(answer.text)}).status_code
        == 302
    )
    (made,) = tasks()
    assert "名单.txt" in house.login(MEMBER).get(f"/tasks/{made.id}").text


def test_a_refused_move_keeps_what_its_dialog_held(house: DemoHouse, facts: Facts, task: Task) -> None:
    file, url = sent_up(facts, "王磊", "成果.txt"), f"/tasks/{task.id}"
    refused = house.login(MEMBER).post(f"{url}/submit", {"version": "9", "text": "好了", "file": file})
    assert refused.status_code == 409
    dialog = re.search(r'<dialog[^>]*id="ask-submit".*?</dialog>', refused.text, re.DOTALL)
    assert dialog
    assert "data-yl-open" in dialog.group(0), "the dialog is open again"
    assert kept(dialog.group(0)) == [file]
    assert ">好了</textarea>" in dialog.group(0)
    person = str(facts.person("徐芳"))
    away = house.login(SUPERIOR).post(f"{url}/reassign", {"version": "9", "assignee": person, "text": "请帮忙"})
    assert f'<option value="{person}" selected>徐芳</option>' in away.text


def test_a_task_about_a_process_hides_it_from_strangers(house: DemoHouse, facts: Facts) -> None:
    instance = facts.instance(OWN)
    about = {"record_type": "process.instance", "record_id": str(instance)}
    assert OWN in house.login(SUPERIOR).get("/tasks/new", query_string=about).text
    assert OWN not in house.login(STRANGER).get("/tasks/new", query_string=about).text
    form = {**about, "title": "看看", "assignee": str(facts.person("徐芳"))}
    assert house.login(STRANGER).post("/tasks/new", form).status_code == 422
    house.login(SUPERIOR).post("/tasks/new", form)
    (made,) = tasks()
    assert OWN not in house.login(STRANGER).get(f"/tasks/{made.id}").text  # no copy was sent
    house.login(SUPERIOR).post("/tasks/new", {**form, "send_copy": "1"})
    assert OWN in house.login(STRANGER).get(f"/tasks/{made.id}").text
    with transaction() as session:
        copied = session.scalars(select(Copy.person_id).where(Copy.instance_id == instance)).all()
    assert facts.person("徐芳") in copied
    part = f"/tasks/of/process.instance/{instance}"
    assert "看看" in house.login(SUPERIOR).get(part).text
    assert house.login("sun.yu").get(part).status_code == 404


def test_the_page_offers_what_is_possible_and_moves_it(house: DemoHouse, task: Task) -> None:
    member, superior, url = house.login(MEMBER), house.login(SUPERIOR), f"/tasks/{task.id}"

    def offered(browser: object) -> list[str]:
        page = browser.get(url).text  # type: ignore[attr-defined]
        return re.findall(rf'action="{url}/(\w+)"', page)

    assert offered(member) == ["start", "submit"]
    assert offered(superior) == ["reassign", "cancel"]
    assert house.login(STRANGER).get(url).status_code == 404
    assert house.visitor().get(url).status_code == 302
    assert member.post(f"{url}/fly", {}).status_code == 404
    assert member.post(f"{url}/start", {"version": "1"}).status_code == 302
    stale = member.post(f"{url}/submit", {"version": "1", "text": "<i>好了</i>"})
    assert stale.status_code == 409
    assert "&lt;i&gt;好了" in stale.text
    assert member.post(f"{url}/submit", {"version": "2", "text": "好了"}).status_code == 302
    assert offered(superior) == ["confirm", "return", "reassign", "cancel"]
    assert superior.post(f"{url}/return", {"version": "3"}).status_code == 422
    assert superior.post(f"{url}/confirm", {"version": "3"}).status_code == 302
    assert offered(superior) == offered(member) == []
    page = member.get(url).text
    assert [deed in page for deed in ("安排了任务", "开始执行", "提交了成果", "确认完成")] == [True] * 4


def test_whoever_gives_a_task_away_may_lose_sight_of_it(house: DemoHouse, facts: Facts, task: Task) -> None:
    superior = house.login(SUPERIOR)
    form = {"version": "1", "assignee": str(facts.person("徐芳"))}
    answer = superior.post(f"/tasks/{task.id}/reassign", form)
    assert answer.headers["Location"] == f"/tasks/{task.id}"
    assert house.login(MEMBER).get(f"/tasks/{task.id}").status_code == 404
    assert "核对报价" in house.login(STRANGER).get("/tasks").text


def test_lists_are_ones_own(house: DemoHouse, task: Task) -> None:
    for who, view, there in (
        (MEMBER, "mine", True),
        (MEMBER, "given", False),
        (SUPERIOR, "given", True),
        (SUPERIOR, "mine", False),
        (STRANGER, "team", False),
    ):
        assert (task.title in house.login(who).get(f"/tasks?view={view}").text) is there, (who, view)
    assert task.title not in house.login(MEMBER).get("/tasks?q=%25").text
    assert task.title in house.login(MEMBER).get("/tasks?view=nonsense&page=-1").text
    assert house.visitor().get("/tasks").status_code == 302


def test_links_of_old_notices_lead_to_the_page_that_hands_over(house: DemoHouse, facts: Facts) -> None:
    wang = facts.person("王磊")
    answer = house.login(SUPERIOR).get(f"/tasks/hand-over?from={wang}")
    assert answer.headers["Location"] == f"/hand-over?person={wang}"


@pytest.mark.parametrize("page", ["/tasks", "/tasks?view=done", "/tasks/new", "/tasks/{task}"])
def test_pages_are_whole_and_load_nothing_foreign(house: DemoHouse, task: Task, page: str) -> None:
    text = house.login(SUPERIOR).get(page.format(task=task.id)).text
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', text)
    assert " style=" not in text
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
