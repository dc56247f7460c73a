"""Choosing a process, its form, its draft, the way it will take, sending it once."""

from __future__ import annotations

import re
from concurrent.futures import ThreadPoolExecutor
from html import unescape

import pytest
from sqlalchemy import func, select

from engine.db import Sessions, transaction
from engine.models import FormData, Instance
from tests.demo_house import Browser, DemoHouse, Facts

URL = "/start/expense_request"
PRESENT = ["title", "lines", "remark", "attachments"]


def filled(**changes: str) -> dict[str, object]:
    """What the page posts for a request of 12,345.60."""
    return {
        "_present": PRESENT,
        "title": "拜访上海华宇科技",
        "lines.0.category": "travel",
        "lines.0.amount": "12,000.00",
        "lines.0.purpose": "展位",
        "lines.1.category": "travel",
        "lines.1.amount": "345.6",
        "lines.1.purpose": "",
        **changes,
    }


def submission(page: str) -> str:
    found = re.search(r'name="submission" value="([^"]+)"', page)
    assert found
    return found.group(1)


def instances(**wanted: object) -> int:
    with transaction() as session:
        query = select(func.count()).select_from(Instance)
        for name, value in wanted.items():
            query = query.where(getattr(Instance, name) == value)
        found = session.scalar(query)
    Sessions.remove()
    return found or 0


@pytest.fixture
def wang(house: DemoHouse) -> Browser:
    return house.login("wang.lei")


def test_processes_stand_under_their_package(wang: Browser) -> None:
    page = wang.get("/start?_l_=en").text
    assert "Expense request" in page
    assert "Have an expense approved before the money is spent." in page
    assert "Spending" in page


def test_the_form_has_every_field_with_its_mark(wang: Browser) -> None:
    page = wang.get(URL).text
    for name in ("title", "lines.0.category", "lines.0.amount", "lines.0.purpose", "remark"):
        assert f'name="{name}"' in page
    assert "data-yl-computed=" in page
    assert "差旅费" in page  # the choices come from the categories
    assert page.count("data-yl-required") >= 3


def test_a_request_is_sent(wang: Browser, facts: Facts) -> None:
    answer = wang.post(URL, filled(submission="one"))
    assert answer.status_code == 302
    number = int(answer.location.rsplit("/", 1)[1])
    page = wang.get(answer.location).text
    assert "¥12,345.60" in page
    assert "周明" in page
    assert facts.state(number) == "running"


def test_what_is_wrong_stands_beside_its_field_and_nothing_is_lost(wang: Browser) -> None:
    answer = wang.post(f"{URL}?_l_=en", filled(title="", **{"lines.1.amount": "much", "lines.1.category": ""}))
    assert answer.status_code == 422
    page = unescape(answer.text)
    assert re.search(r'id="errors-title"[^>]*><p>.*?This is required\.', page, re.DOTALL)
    assert re.search(r'id="errors-lines\.1\.amount"[^>]*><p>.*?Please write a number\.', page, re.DOTALL)
    assert re.search(r'id="errors-lines\.1\.category"[^>]*><p>.*?This is required\.', page, re.DOTALL)
    assert 'value="12,000.00"' in page
    assert 'value="much"' in page
    assert 'value="展位"' in page
    assert instances(title="费用申请 · 拜访上海华宇科技") == 0


def test_a_request_without_lines_is_refused_at_the_table(wang: Browser) -> None:
    answer = wang.post(f"{URL}?_l_=en", {"_present": PRESENT, "title": "空", "lines.0.amount": ""})
    assert answer.status_code == 422
    assert re.search(r'id="errors-lines"[^>]*><p>.*?This is required\.', answer.text, re.DOTALL)


def test_a_double_click_sends_once(wang: Browser) -> None:
    key = submission(wang.get(URL).text)
    first, second = wang.post(URL, filled(submission=key)), wang.post(URL, filled(submission=key))
    assert first.location == second.location
    assert instances(title="费用申请 · 拜访上海华宇科技") == 1


def test_two_clicks_at_the_same_moment_send_once(house: DemoHouse, wang: Browser) -> None:
    key, token = submission(wang.get(URL).text), wang.token()
    cookie = wang.client.get_cookie("yunliu")
    assert cookie is not None

    def click(_number: int) -> str | None:
        try:
            client = house.app.test_client()
            client.set_cookie("yunliu", cookie.value)
            return client.post(URL, data={"csrf_token": token, **filled(submission=key)}).location
        finally:
            Sessions.remove()

    with ThreadPoolExecutor(4) as pool:
        places = set(pool.map(click, range(4)))
    assert len(places) == 1
    assert None not in places
    assert instances(title="费用申请 · 拜访上海华宇科技") == 1


def test_a_draft_is_kept_found_again_and_sent(wang: Browser, facts: Facts) -> None:
    half = filled(title="半张申请", **{"lines.1.amount": "not yet", "lines.0.amount": "88"})
    kept = wang.post(f"{URL}/draft", half).json
    again = wang.post(f"{URL}/draft", {**half, "draft": str(kept["draft"]), "remark": "等报价"}).json
    assert again["draft"] == kept["draft"]
    assert re.fullmatch(r"\d\d:\d\d", again["saved"])

    assert "半张申请" in wang.get("/start").text
    assert "半张申请" in wang.get("/").text
    page = wang.get(f"{URL}?draft={kept['draft']}").text
    assert 'value="88.00"' in page
    assert "等报价" in page
    assert 'value="notyet"' in page

    answer = wang.post(URL, filled(title="半张申请", draft=str(kept["draft"])))
    assert answer.location.endswith(f"/instances/{kept['draft']}")
    assert facts.state(kept["draft"]) == "running"
    assert wang.get(f"{URL}?draft={kept['draft']}").location.endswith(f"/instances/{kept['draft']}")


@pytest.mark.parametrize("who", ["wang.lei", "zheng.kai"])  # who supervises all has drafts of his own as well
def test_a_draft_among_my_requests_leads_back_to_its_form(house: DemoHouse, who: str) -> None:
    browser = house.login(who)
    kept = browser.post(f"{URL}/draft", filled(title="未写完")).json["draft"]
    pane = browser.get(f"/inbox/started/{kept}").text
    assert f'href="/instances/{kept}"' in pane
    assert f"/drafts/{kept}/discard" in pane
    assert "提交了申请" not in pane
    assert browser.get(f"/instances/{kept}").location.endswith(f"{URL}?draft={kept}")
    assert house.login("zhou.ming").get(f"/instances/{kept}").status_code == 404


def test_a_draft_sent_from_two_windows_leads_to_the_one_request(wang: Browser) -> None:
    kept = wang.post(f"{URL}/draft", filled(title="两个窗口")).json["draft"]
    first = wang.post(URL, filled(title="两个窗口", draft=str(kept), submission="left"))
    second = wang.post(URL, filled(title="两个窗口", draft=str(kept), submission="right"))
    assert first.location == second.location == f"/instances/{kept}"


def test_a_draft_is_its_authors_alone(house: DemoHouse, wang: Browser) -> None:
    kept = wang.post(f"{URL}/draft", filled(title="私事")).json["draft"]
    other = house.login("zheng.kai")
    assert other.get(f"{URL}?draft={kept}").status_code == 404
    assert other.get(f"/instances/{kept}").status_code == 404
    assert other.post(f"{URL}/draft", filled(draft=str(kept))).status_code == 404
    assert other.post(f"/drafts/{kept}/discard").status_code == 404
    assert instances(id=kept, state="draft") == 1


def test_a_draft_saved_often_is_kept_once(wang: Browser) -> None:
    kept = wang.post(f"{URL}/draft", filled(title="一")).json["draft"]
    for title in ("一二", "一二三"):
        wang.post(f"{URL}/draft", filled(title=title, draft=str(kept)))
    with transaction() as session:
        rows = session.scalars(select(FormData).where(FormData.instance_id == kept)).all()
        assert [row.values["title"] for row in rows] == ["一二三"]
    Sessions.remove()


def test_a_draft_can_be_thrown_away(wang: Browser) -> None:
    kept = wang.post(f"{URL}/draft", filled(title="算了")).json["draft"]
    assert wang.post(f"/drafts/{kept}/discard").status_code == 302
    assert instances(id=kept) == 0
    with transaction() as session:
        assert session.scalar(select(func.count()).where(FormData.instance_id == kept)) == 0
    Sessions.remove()
    assert wang.post(f"/drafts/{kept}/discard").status_code == 404


def test_the_way_it_will_take_names_people(wang: Browser) -> None:
    large = wang.post(f"{URL}/route", filled()).text
    order = [large.index(name) for name in ("王磊", "周明", "林晓燕", "赵敏", "陈国强")]
    assert order == sorted(order)
    assert "大额：财务和总经理也要审批" in large
    assert "合计金额（元） &gt;= 10000.00" in large
    assert large.count("最迟") == 4
    small = wang.post(f"{URL}/route", filled(**{"lines.0.amount": "45", "lines.1.amount": "1"})).text
    assert "周明" in small
    assert "林晓燕" not in small
    assert "需部门负责人？ <em>不需要</em>" in small
    assert instances(title="费用申请 · 拜访上海华宇科技") == 0


def test_the_way_is_not_guessed_from_half_a_form(wang: Browser) -> None:
    page = wang.post(f"{URL}/route?_l_=en", {"_present": PRESENT, "title": ""}).text
    assert "As soon as the form says enough" in page


def test_people_are_offered_by_what_is_typed(wang: Browser) -> None:
    found = wang.get("/forms/lookup/organization.employee?q=林晓").json
    assert [one["text"] for one in found] == ["林晓燕"]
