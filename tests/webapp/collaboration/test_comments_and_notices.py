"""The talk on a page and the bell's page: who sees them, what a refusal shows, what a hostile text does."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from sqlalchemy import delete, select

from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.i18n import _
from processes.comments.models import Comment
from processes.notices.models import Notice
from processes.notices.operations import notify
from processes.notices.rules import kind
from tests.demo_house import DemoHouse, Facts

STARTER, STRANGER = "wang.lei", "xu.fang"
OWN = "拜访苏州客户"
"""a finished request of STARTER, decided by zhou.ming alone"""

PLAIN = kind("tests.page", _("Something happened"))


def url(facts: Facts, more: str = "") -> str:
    return f"/comments/process.instance/{facts.instance(OWN)}{more}"


def comments() -> list[Comment]:
    with transaction() as session:
        found = list(session.scalars(select(Comment).order_by(Comment.id)))
        session.expunge_all()
    Sessions.remove()
    return found


def test_whoever_may_read_a_process_talks_about_it(house: DemoHouse, facts: Facts) -> None:
    starter, stranger = house.login(STARTER), house.login(STRANGER)
    for path in ("", "/list"):
        assert house.visitor().get(url(facts, path)).status_code == 302
        assert stranger.get(url(facts, path), partial=True).status_code == 404
    assert stranger.post(url(facts), {"text": "x"}, partial=True).status_code == 404
    answer = starter.post(url(facts), {"text": "  发票已补\r\n请看 ", "submission": "s"}, partial=True)
    assert answer.status_code == 200
    assert "发票已补\n请看" in answer.text
    starter.post(url(facts), {"text": "再点一次", "submission": "s"}, partial=True)
    assert [one.text for one in comments()] == ["发票已补\n请看"]


def test_pages_of_a_process_ask_for_its_talk(house: DemoHouse, facts: Facts) -> None:
    starter = house.login(STARTER)
    for page in (f"/instances/{facts.instance(OWN)}", f"/inbox/started/{facts.instance(OWN)}"):
        assert f'hx-get="{url(facts)}"' in starter.get(page).text


def test_what_is_typed_runs_nowhere(house: DemoHouse, facts: Facts) -> None:
    hostile = "<script>alert(1)</script>' onmouseover='x' @[{}]".format(facts.person("周明"))
    page = house.login(STARTER).post(url(facts), {"text": hostile}, partial=True).text
    tags, attributes = set(), set()

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            tags.add(tag)
            attributes.update(name for name, _value in attrs)

    Reader().feed(page)
    assert "script" not in tags
    assert "onmouseover" not in attributes
    assert '<span class="yl-mention">@周明</span>' in page


def test_a_refused_mention_keeps_the_words_and_offers_a_copy(house: DemoHouse, facts: Facts) -> None:
    starter, person = house.login(STARTER), facts.person("徐芳")
    form = {"text": "@徐芳 请看", "person": str(person)}
    refused = starter.post(url(facts), form, partial=True)
    assert refused.status_code == 422
    assert "徐芳无权查看此内容。" in refused.text
    assert "data-yl-send-copy" in refused.text
    assert ">@徐芳 请看</textarea>" in refused.text
    assert comments() == []
    assert starter.post(url(facts), {**form, "send_copy": "1"}, partial=True).status_code == 200
    assert [one.mentions for one in comments()] == [[person]]
    assert house.login(STRANGER).get(url(facts), partial=True).status_code == 200


def test_names_of_one_another_are_told_apart(house: DemoHouse, facts: Facts) -> None:
    """Only picked people are mentioned: a name typed by hand is a word, and a taken-out pick counts no more."""
    zhou = facts.person("周明")
    house.login(STARTER).post(url(facts), {"text": "@周明 @周明 @郑凯", "person": str(zhou)}, partial=True)
    house.login(STARTER).post(url(facts), {"text": "周明", "person": [str(zhou), "x", "9" * 30]}, partial=True)
    assert [(one.text, one.mentions) for one in comments()] == [
        (f"@[{zhou}] @[{zhou}] @郑凯", [zhou]),
        ("周明", []),
    ]


def test_a_comment_is_mended_answered_and_voided_on_the_page(house: DemoHouse, facts: Facts) -> None:
    starter, zhou = house.login(STARTER), house.login("zhou.ming")
    starter.post(url(facts), {"text": "一"}, partial=True)
    (first,) = comments()
    assert zhou.post(f"/comments/{first.id}/void", {"reason": "x"}, partial=True).status_code == 403
    page = starter.post(url(facts), {"text": "二", "editing": str(first.id), "revision": "1"}, partial=True).text
    assert ">二</p>" in page
    stale = starter.post(url(facts), {"text": "三", "editing": str(first.id), "revision": "1"}, partial=True)
    assert stale.status_code == 409
    assert ">三</textarea>" in stale.text
    assert "王磊: 二" in zhou.post(url(facts), {"text": "好", "reply_to": str(first.id)}, partial=True).text
    assert starter.post(f"/comments/{first.id}/void", {"reason": " "}, partial=True).status_code == 422
    page = starter.post(f"/comments/{first.id}/void", {"reason": "写错了"}, partial=True).text
    assert "已由王磊作废：写错了" in page
    assert "二</p>" not in page
    assert "王磊: 二" not in page


@pytest.fixture
def told(house: DemoHouse, facts: Facts) -> list[int]:
    person, instance = facts.person("王磊"), facts.instance(OWN)
    with transaction() as session:
        session.execute(delete(Notice))  # what the demo company has been told of
        about = {"persons": [person], "kind": PLAIN}
        notify(session, SYSTEM, title=_("Comment"), key="a", record=("process.instance", instance), link="#x", **about)  # type: ignore[arg-type]
        notify(session, SYSTEM, title=_("Comments"), key="b", link="/messages", **about)  # type: ignore[arg-type]
        notify(session, SYSTEM, title=_("Notices"), key="c", text="<b>x</b>", **about)  # type: ignore[arg-type]
        found = list(session.scalars(select(Notice.id).where(Notice.person_id == person).order_by(Notice.id)))
    Sessions.remove()
    return found


def test_the_bell_counts_and_a_notice_leads_where_it_should(house: DemoHouse, facts: Facts, told: list[int]) -> None:
    starter, stranger = house.login(STARTER), house.login(STRANGER)
    page = starter.get("/notices").text
    assert '<span class="yl-dot" data-yl-count="notice" >3</span>' in page
    assert "&lt;b&gt;x" in page
    goals = [starter.get(f"/notices/{one}").headers["Location"] for one in told]
    assert goals == [f"/instances/{facts.instance(OWN)}#x", "/messages", "/notices"]
    assert starter.get("/notices?unread=1").text.count("yl-unread") == 0
    assert stranger.get(f"/notices/{told[0]}").status_code == 404
    assert house.visitor().get("/notices").status_code == 302


def test_notices_are_marked_one_by_one_or_all(house: DemoHouse, told: list[int]) -> None:
    starter = house.login(STARTER)
    assert house.login(STRANGER).post(f"/notices/{told[0]}/read").status_code == 404
    starter.post(f"/notices/{told[0]}/read", {"unread": "1"})
    assert starter.get("/notices?unread=1", partial=True).text.count('class="yl-unread"') == 2
    starter.post("/notices/read-all", {"until": str(told[1])})
    assert starter.get("/notices?unread=1", partial=True).text.count('class="yl-unread"') == 1


def test_roads_are_chosen_on_a_page(house: DemoHouse) -> None:
    starter = house.login(STARTER)
    page = starter.get("/notices/settings?_l_=en").text
    assert "Something happened" in page
    form = {"kind": [PLAIN, "comments.mentioned"], f"{PLAIN}:mail": "1", "comments.mentioned:in_app": "1"}
    assert starter.post("/notices/settings", form).status_code == 302
    page = starter.get("/notices/settings").text
    ticked = set(re.findall(r'name="([\w.]+:\w+)"[^>]* checked', page))
    assert {one for one in ticked if one.startswith((PLAIN, "comments.mentioned"))} == {
        f"{PLAIN}:mail",
        "comments.mentioned:in_app",
    }


@pytest.mark.parametrize("page", ["/notices", "/notices?unread=1", "/notices/settings"])
def test_pages_are_whole_and_load_nothing_foreign(house: DemoHouse, told: list[int], page: str) -> None:
    text = house.login(STARTER).get(page).text
    assert not re.findall(r'(?:src|href|action)="(?:https?:)?//', text)
    assert " style=" not in text
    ids = re.findall(r'\sid="([^"]+)"', text)
    assert len(ids) == len(set(ids))
