"""Drafts: kept for everybody, overwritten by nobody who has not seen them, gone once they are deployed."""

from __future__ import annotations

import re

import pytest

from engine import repository
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.repository import DEPLOY
from tests.demo_house import DemoHouse
from tests.webapp.modeler.conftest import EMPLOYEE, Designer
from tests.webapp.modeler.test_versions import second_version
from webapp.modeler import workspace
from webapp.security.access import GUARD

KEY = "expense_request"


def renamed(xml: str, name: str) -> str:
    assert 'name="上级审批"' in xml
    return xml.replace('name="上级审批"', f'name="{name}"')


def test_a_draft_is_kept_and_changes_nothing_that_runs(designer: Designer, second: Designer) -> None:
    saved = designer.save(KEY, renamed(designer.open(KEY), "主管审批"))
    assert saved.get_json() == {"revision": "1.1"}
    assert 'name="主管审批"' in second.open(KEY)
    assert 'name="主管审批"' not in designer.browser.get(f"/designer/{KEY}/versions/1/picture").get_json()["xml"]


def test_one_page_saves_again_and_again(designer: Designer) -> None:
    xml = designer.open(KEY)
    assert [designer.save(KEY, renamed(xml, name)).status_code for name in ("一", "二", "三")] == [200, 200, 200]


def test_the_second_to_save_is_told_who_was_first_and_both_drawings_live(designer: Designer, second: Designer) -> None:
    mine, theirs = designer.open(KEY), second.open(KEY)
    second.save(KEY, renamed(theirs, "第二人的"))
    refused = designer.save(KEY, renamed(mine, "第一人的"))
    assert refused.status_code == 412
    assert "吴婷 saved this draft at" in refused.get_json()["detail"]
    assert "第二人的" in second.open(KEY)


def test_a_deployment_in_between_refuses_a_save_too(designer: Designer, second: Designer) -> None:
    mine, theirs = designer.open(KEY), second.open(KEY)
    assert second.deploy(KEY, renamed(theirs, "第二人的")).get_json()["version"] == 2
    refused = designer.save(KEY, renamed(mine, "第一人的"))
    assert refused.status_code == 412
    assert "吴婷 deployed version 2" in refused.get_json()["detail"]


def test_deploying_a_stale_drawing_deploys_nothing(designer: Designer, second: Designer) -> None:
    mine, theirs = designer.open(KEY), second.open(KEY)
    second.save(KEY, renamed(theirs, "第二人的"))
    assert designer.deploy(KEY, renamed(mine, "第一人的")).status_code == 412
    assert designer.browser.get(f"/designer/{KEY}/versions/2").status_code == 404


def test_a_draft_thrown_away_under_an_open_page_refuses_its_save(designer: Designer, second: Designer) -> None:
    designer.save(KEY, renamed(designer.open(KEY), "一"))
    assert second.browser.post(f"/designer/{KEY}/discard", {"revision": 1}).status_code == 302
    refused = designer.save(KEY, "<later/>")
    assert refused.status_code == 412
    assert "thrown away" in refused.get_json()["detail"]


def test_a_draft_saved_since_is_not_thrown_away(designer: Designer, second: Designer) -> None:
    xml = designer.open(KEY)
    designer.save(KEY, renamed(xml, "一"))
    designer.save(KEY, renamed(xml, "二"))
    assert second.browser.post(f"/designer/{KEY}/discard", {"revision": 1}).status_code == 409
    assert "二" in second.open(KEY)


@pytest.mark.parametrize("sent", ["", "*", '"nonsense"', '"1"'])
def test_a_save_must_say_what_it_started_from(designer: Designer, sent: str) -> None:
    xml = designer.open(KEY)
    designer.revision = sent
    assert designer.save(KEY, xml).status_code == 412


def test_a_draft_older_than_the_version_in_force_is_marked(designer: Designer, second: Designer) -> None:
    """Somebody deployed through the interface while a draft lay here."""
    designer.save(KEY, renamed(designer.open(KEY), "草稿的"))
    with transaction() as session:
        files = {file.name: file.content for file in workspace.version(session, KEY, 1).files}
        repository.deploy(session, SYSTEM, {**files, f"{KEY}.bpmn": renamed(files[f"{KEY}.bpmn"], "新的")})
    Sessions.remove()
    assert "第 2 版" in designer.browser.get(f"/designer/{KEY}").text
    assert 'class="yl-dz-banner yl-tone-amber"' in second.browser.get(f"/designer/{KEY}").text


@pytest.mark.parametrize("body", [b"", b"{}", b'{"xml": 3}', b"[1]", b'{"xml": "a\\u0000b"}'])
def test_what_is_no_drawing_is_refused(designer: Designer, body: bytes) -> None:
    designer.open(KEY)
    answer = designer.browser.client.put(
        f"/designer/{KEY}/diagram?file={KEY}.bpmn",
        data=body,
        content_type="application/json",
        headers={"X-CSRFToken": designer.token, "If-Match": designer.revision, "Accept": "application/json"},
    )
    assert answer.status_code == 422


def test_a_file_of_another_kind_cannot_be_slipped_in(designer: Designer) -> None:
    xml = designer.open(KEY)
    assert designer.save(KEY, xml, file="../evil.html").status_code == 422


def test_the_list_says_who_drafts_and_what_runs(designer: Designer, house: DemoHouse) -> None:
    designer.save(KEY, renamed(designer.open(KEY), "一"))
    page = designer.browser.get("/designer/").text
    assert "郑凯" in page
    assert "费用申请" in page
    assert f'href="/instances?process={KEY}&amp;state=running"' in page
    assert "费用申请" not in designer.browser.get("/designer/?q=nothing-like-it", partial=True).text


def test_a_new_process_starts_with_a_drawing_that_can_be_deployed(designer: Designer) -> None:
    designer.new("time_off", 'Leave <b>&"quotes"')
    xml = designer.open("time_off")
    assert designer.lint("time_off", xml) == []
    assert designer.deploy("time_off", xml).get_json() == {"version": 1, "revision": "1.0", "new": True}


@pytest.mark.parametrize(
    ("key", "name"), [("", "x"), ("has space", "x"), ("1st", "x"), ("../up", "x"), ("ok", ""), (KEY, "taken")]
)
def test_a_new_process_needs_a_key_of_its_own_and_a_name(designer: Designer, key: str, name: str) -> None:
    answer = designer.browser.post("/designer/", {"key": key, "name": name})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text


def test_the_pages_exist_for_designers_only(house: DemoHouse, designer: Designer) -> None:
    second_version(designer)
    run = designer.browser.post(f"/designer/{KEY}/migrations", {"from": "1", "to": "2"}).location.rpartition("/")[2]
    given = {"<key>": KEY, "<int:number>": "1", "<kind>": "person", "<int:run_id>": run}
    urls = [
        re.sub(r"<[^>]+>", lambda place: given[place[0]], rule.rule)
        for rule in house.app.url_map.iter_rules()
        if rule.endpoint.startswith("designer.") and "GET" in (rule.methods or ())
    ]
    assert len(urls) > 8
    employee, nobody = house.login(EMPLOYEE), house.visitor()
    for url in urls:
        assert designer.browser.get(url).status_code == 200, url
        assert employee.get(url).status_code == 403, url
        assert nobody.get(url).status_code == 302, url
    assert "/designer/" not in employee.get("/").text


def test_every_page_of_the_designer_is_guarded_by_the_right_to_deploy(house: DemoHouse) -> None:
    views = {name: view for name, view in house.app.view_functions.items() if name.startswith("designer.")}
    assert len(views) > 15
    assert {getattr(view, GUARD, None) for view in views.values()} == {DEPLOY}
