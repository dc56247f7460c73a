"""The telephone on the pages of the demo company: the bar, the pop-up, the list, the page of a call."""

from __future__ import annotations

import io
import re
from datetime import timedelta
from typing import Any

import openpyxl
import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from connectors.telephony.events import CallEvent
from engine import clock, health
from engine.db import Sessions, transaction
from processes.tasks.models import Task
from processes.telephony import operations
from processes.telephony.models import Call, CallCommand, CallLeg
from tests.demo_house import Browser, DemoHouse

AGENT, COLLEAGUE, SUPERIOR, STRANGER = "wang.lei", "li.na", "zhou.ming", "xu.fang"
JSON = {"Accept": "application/json"}


def ask(question: Any) -> Any:
    with transaction() as session:
        answer = question(session)
        session.expunge_all()
    Sessions.remove()
    return answer


@pytest.fixture
def connected(house: DemoHouse) -> DemoHouse:
    ask(lambda session: health.report(session, {"telephony": lambda: ("up", "simulated")}))
    return house


def rings(*agents: str, number: str = "19900000012", answered: str = "") -> int:
    """A call that comes in now; `answered` says by whom."""

    def tell(session: Session) -> int:
        now = clock.now()
        facts = {"direction": "in", "number": number, "queue": "demo"}
        for agent in agents:
            call = operations.note_call(session, CallEvent("t-1", now, "ringing", agent=agent, **facts))
        if answered:
            later = now + timedelta(seconds=5)
            call = operations.note_call(session, CallEvent("t-1", later, "answered", agent=answered, **facts))
            for agent in set(agents) - {answered}:
                left = CallEvent("t-1", later, "left", agent=agent, cause="answered_elsewhere", **facts)
                operations.note_call(session, left)
        return call.id

    return ask(tell)


def ends(call_id: int) -> None:
    def tell(session: Session) -> None:
        uuid = session.get_one(Call, call_id).uuid
        operations.note_call(session, CallEvent(uuid, clock.now(), "ended", "in", cause="normal"))

    ask(tell)


def post(browser: Browser, url: str, **fields: str) -> Any:
    """As phone.js does it."""
    form = {"csrf_token": browser.token(), **fields}
    return browser.client.post(url, data=form, headers=JSON)


def commands() -> list[CallCommand]:
    return ask(lambda session: list(session.scalars(select(CallCommand).order_by(CallCommand.id))))


# ------------------------------------------------------------------------------------------------- the bar


def test_only_people_with_an_extension_have_a_telephone_on_their_pages(connected: DemoHouse) -> None:
    page = connected.login(AGENT).get("/calls").text
    assert 'id="yl-phone"' in page
    assert "app/phone" in page
    other = connected.login(STRANGER).get("/calls").text
    assert 'id="yl-phone"' not in other
    assert "data-yl-call=" not in other
    assert connected.login(STRANGER).get("/phone/bar").text == ""


def test_a_link_that_is_down_is_said_everywhere_and_refuses_to_dial(house: DemoHouse) -> None:
    browser = house.login(AGENT)
    page = browser.get("/calls").text
    assert "电话系统未连接" in page
    answer = post(browser, "/calls/dial", number="13800138000", key="k")
    assert (answer.status_code, answer.json["code"]) == (422, "telephony_down")
    assert commands() == []


@pytest.mark.parametrize(("action", "kind"), [("pause", "pause"), ("sign-in", "sign_in"), ("sign-out", "sign_out")])
def test_the_buttons_of_the_bar_are_commands(connected: DemoHouse, action: str, kind: str) -> None:
    assert post(connected.login(AGENT), f"/phone/{action}", reason="会议").status_code == 200
    (command,) = commands()
    assert command.kind == kind
    assert connected.login(STRANGER).post(f"/phone/{action}").status_code == 302
    assert len(commands()) == 1


# ------------------------------------------------------------------------------------------------- dialling


def test_a_number_is_dialled_once_however_often_it_is_clicked(connected: DemoHouse) -> None:
    browser = connected.login(AGENT)
    first = post(browser, "/calls/dial", number="+8613800138000", key="one click")
    again = post(browser, "/calls/dial", number="+8613800138000", key="one click")
    assert first.status_code == 200
    assert again.json == first.json
    assert [command.kind for command in commands()] == ["dial"]
    assert "正在拨号" in browser.get(first.json["url"]).text


def test_a_number_that_is_none_is_refused_with_words(connected: DemoHouse) -> None:
    answer = post(connected.login(AGENT), "/calls/dial", number="12x", key="k")
    assert answer.status_code == 422
    assert answer.json["errors"][0]["field"] == "number"
    page = connected.login(AGENT).post("/calls/dial", {"number": "12x", "key": "k"}, follow_redirects=True)
    assert "12x" in page.text


def test_numbers_of_the_employee_register_dial(connected: DemoHouse) -> None:
    page = connected.login(AGENT).get("/organization/employee/list/").text
    assert 'data-yl-call="+8619900000001"' in page
    assert "199 0000 0001" in page
    assert 'href="tel:+8619900000001"' in connected.login(STRANGER).get("/organization/employee/list/").text


def test_why_a_command_came_to_nothing_is_told_to_who_asked(connected: DemoHouse) -> None:
    browser = connected.login(AGENT)
    post(browser, "/calls/dial", number="13800138000", key="k")
    (order,) = ask(lambda session: operations.take(session, fence=1))
    ask(lambda session: operations.settle(session, order, "failed", code="bad_number"))
    assert browser.get(f"/phone/commands/{order.id}").json == {"text": "交换机无法拨打该号码。"}
    assert connected.login(COLLEAGUE).get(f"/phone/commands/{order.id}").status_code == 404
    assert "交换机无法拨打该号码。" in browser.get(f"/calls/{order.call_id}").text


# ------------------------------------------------------------------------------------------------- the pop-up


def test_a_call_pops_up_with_who_it_is_and_closes_when_a_colleague_takes_it(connected: DemoHouse) -> None:
    call_id = rings("8001", "8002")
    for who in (AGENT, COLLEAGUE):
        pop = connected.login(who).get("/phone/pops").text
        assert f'data-yl-pop="{call_id}"' in pop
        assert "马朝" in pop  # 19900000012
        assert "199 0000 0012" in pop
    assert "data-yl-pop=" not in connected.login(SUPERIOR).get("/phone/pops").text
    assert rings("8001", "8002", answered="8001") == call_id
    assert "data-yl-pop=" in connected.login(AGENT).get("/phone/pops").text
    assert "data-yl-pop=" not in connected.login(COLLEAGUE).get("/phone/pops").text


def test_an_unknown_number_says_so_and_a_hidden_one_too(connected: DemoHouse) -> None:
    rings("8001", number="13800138000")
    pop = connected.login(AGENT).get("/phone/pops").text
    assert "没有找到该号码对应的记录。" in pop
    assert "data-yl-copy" in pop


def test_the_note_survives_a_closed_page_and_the_end_of_the_call(connected: DemoHouse) -> None:
    browser = connected.login(AGENT)
    call_id = rings("8001", "8002", answered="8001")
    saved = post(browser, f"/calls/{call_id}/note", text="要报价\n<b>周五前</b>")
    assert saved.status_code == 200
    assert saved.json["saved"]
    ends(call_id)
    pop = browser.get("/phone/pops").text
    assert "要报价\n&lt;b&gt;周五前&lt;/b&gt;" in pop
    assert post(browser, f"/calls/{call_id}/put-away").status_code == 200
    assert "data-yl-pop=" not in browser.get("/phone/pops").text
    assert "&lt;b&gt;周五前" in browser.get(f"/calls/{call_id}").text


def test_only_who_takes_part_may_note_and_end(connected: DemoHouse) -> None:
    call_id = rings("8001", answered="8001")
    superior, stranger = connected.login(SUPERIOR), connected.login(STRANGER)
    assert superior.get(f"/calls/{call_id}").status_code == 200
    assert stranger.get(f"/calls/{call_id}").status_code == 404
    for action in ("note", "hang-up", "transfer"):
        assert post(superior, f"/calls/{call_id}/{action}", text="x", to="8002").status_code == 403
        assert post(stranger, f"/calls/{call_id}/{action}", text="x", to="8002").status_code == 404
    assert commands() == []
    assert post(connected.login(AGENT), f"/calls/{call_id}/transfer", to="8002", kind="blind").status_code == 200
    assert commands()[0].arguments == {"to": "8002", "how": "blind"}


# ------------------------------------------------------------------------------------------------- the list


def test_the_list_shows_live_and_past_calls_of_ones_own_people(connected: DemoHouse) -> None:
    call_id = rings("8001")
    page = connected.login(SUPERIOR).get("/calls").text
    assert f'href="/calls/{call_id}"' in page
    assert "139 0013 9001" in page
    assert "139 0013 9001" not in connected.login(STRANGER).get("/calls").text
    missed = connected.login(SUPERIOR).get("/calls?view=missed").text
    assert "139 0013 9003" in missed
    assert "139 0013 9002" not in missed
    found = connected.login(SUPERIOR).get("/calls?q=苏州").text
    assert "139 0013 9001" in found
    assert "139 0013 9003" not in found
    assert "139 0013 9001" not in connected.login(SUPERIOR).get("/calls?q=没有这样的").text


def test_a_missed_call_is_a_task_that_leads_to_the_call(connected: DemoHouse) -> None:
    page = connected.login(AGENT).get("/tasks").text
    assert "回拨 139 0013 9003" in page


def test_a_task_to_call_back_dials_and_says_who_it_was(connected: DemoHouse) -> None:
    ends(rings("8001"))
    task_id = ask(lambda session: session.scalars(select(Task.id).where(Task.title.contains("199 0000 0012"))).one())
    page = connected.login(AGENT).get(f"/tasks/{task_id}").text
    assert 'data-yl-call="+8619900000012"' in page
    assert "马朝" in page


@pytest.mark.parametrize("path", ["/calls/999999", "/phone/commands/999999"])
def test_what_is_not_there(connected: DemoHouse, path: str) -> None:
    assert connected.login(AGENT).get(path).status_code == 404


def test_legs_are_kept_once(connected: DemoHouse) -> None:
    call_id = rings("8001", "8002")
    rings("8001", "8002")
    legs = ask(lambda session: len(session.scalars(select(CallLeg).where(CallLeg.call_id == call_id)).all()))
    assert legs == 2


# ------------------------------------------------------------------------------------------------- figures


def test_the_wallboard_shows_who_waits_to_superiors_alone(connected: DemoHouse) -> None:
    rings("8001", "8002")
    boss = connected.login(SUPERIOR)
    for page in ("/calls/board", "/calls/wallboard"):
        shown = boss.get(page).text
        assert "199 0000 0012" in shown
        assert "王磊" in shown
        fragment = boss.get(f"{page}?part=1").text
        assert "data-yl-since" in fragment
        assert "<html" not in fragment
    assert 'class="yl-side' not in boss.get("/calls/wallboard").text, "the wall has no sidebar"
    assert connected.login(AGENT).get("/calls/board").status_code == 403


def test_every_number_of_the_statistics_leads_to_its_calls_and_excel_says_the_same(connected: DemoHouse) -> None:
    boss = connected.login(SUPERIOR)
    for by in ("agent", "hour", "day", "direction"):
        page = boss.get(f"/calls/statistics?by={by}&last=30").text
        numbers = re.findall(r'<a href="(/calls/statistics/calls\?[^"]*)">(\d+)</a>', page)
        assert len(numbers) >= 8
        for link, number in numbers[:12]:
            behind = boss.get(link.replace("&amp;", "&")).text
            assert len(re.findall(r'<tr data-yl-href="/calls/', behind)) == int(number)
    file = boss.get("/calls/statistics?by=direction&last=30&as=excel").data
    sheet = openpyxl.load_workbook(io.BytesIO(file)).active
    assert sheet is not None
    *rows, total = [row[1:5] for row in sheet.iter_rows(min_row=2, values_only=True)]
    assert [sum(column) for column in zip(*rows, strict=True)] == list(total)
    assert boss.get("/calls/statistics?by=sideways&from=x&to=9999-99-99&agent=x&direction=up").status_code == 200
    assert boss.get(f"/calls/statistics?agent={10**20}").status_code == 200
    assert boss.get("/calls/statistics/calls?by=day&key=never&which=none&page=-3").status_code == 200
    assert connected.login(AGENT).get("/calls/statistics").status_code == 403
