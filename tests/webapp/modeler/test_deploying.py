"""Deploying from the designer: a new version, or every reason why not, each at its element with a remedy."""

from __future__ import annotations

from engine.db import Sessions
from tests.demo_house import DemoHouse
from tests.webapp.modeler.conftest import Designer
from webapp.modeler import workspace

KEY = "expense_request"


def test_a_changed_drawing_becomes_the_next_version_and_the_draft_goes(designer: Designer, house: DemoHouse) -> None:
    xml = designer.open(KEY).replace('camunda:assignee="superior"', 'camunda:assignee="superior(2)"')
    designer.save(KEY, xml)
    assert designer.deploy(KEY, xml).get_json() == {"version": 2, "revision": "2.0", "new": True}
    with house.app.app_context():
        work = workspace.find(Sessions(), KEY)
        assert (work.version, work.draft) == (2, None)
        assert work.deployed is not None
        assert work.deployed.package == "spending"
        assert work.files.keys() == {"expense_request.bpmn", "expense_limits.dmn", "expense_request.form.json"}
        Sessions.remove()


def test_deploying_what_is_in_force_makes_no_version(designer: Designer) -> None:
    assert designer.deploy(KEY, designer.open(KEY)).get_json() == {"version": 1, "revision": "1.0", "new": False}


def test_a_refusal_lists_every_problem_with_its_element_and_a_remedy(designer: Designer) -> None:
    xml = (
        designer.open(KEY)
        .replace('camunda:assignee="superior"', 'camunda:assignee="nobody_knows"')
        .replace('camunda:topic="spending.reserve_budget"', 'camunda:topic="spending.steal"')
    )
    refused = designer.deploy(KEY, xml)
    assert refused.status_code == 422
    problems = {one["where"]: one for one in refused.get_json()["problems"]}
    assert {"approve_superior", "reserve_budget"} <= problems.keys()
    assert all(one["message"] and one["remedy"] for one in problems.values())
    assert {one["where"] for one in designer.lint(KEY, xml)} == problems.keys()
    assert designer.browser.get(f"/designer/{KEY}/versions/2").status_code == 404


def test_checking_keeps_nothing(designer: Designer) -> None:
    designer.lint(KEY, designer.open(KEY).replace('name="上级审批"', 'name="改了"'))
    assert "改了" not in designer.open(KEY)


def test_a_renamed_process_is_not_deployed_as_another_one(designer: Designer) -> None:
    xml = designer.open(KEY).replace('id="expense_request"', 'id="other"').replace('bpmnElement="expense_request"', "")
    refused = designer.deploy(KEY, xml)
    assert refused.status_code == 422
    assert refused.get_json()["problems"][0]["rule"] == "process_id"


def test_a_document_type_is_refused_when_it_would_run(designer: Designer) -> None:
    designer.open(KEY)
    bomb = '<!DOCTYPE b [<!ENTITY a "aaaaaaaaaa">]><definitions>&a;</definitions>'
    assert "xml" in {one["rule"] for one in designer.lint(KEY, bomb)}
    assert designer.deploy(KEY, bomb).status_code == 422
