"""What a step asks for is asked on every road: nobody approves past it by leaving the form out."""

from __future__ import annotations

import json

from engine import repository
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from tests.engine.workflow.drawing import Drawing
from tests.webapp.callers import EMPLOYEE, SUPERIOR, House, good, refused

FORM = {
    "title": "定薪",
    "fields": [{"id": "subject", "type": "text", "label": "岗位"}, {"id": "salary", "type": "text", "label": "工资"}],
    "steps": {"decide": {"salary": "required"}},
}


def test_an_approval_without_the_fields_it_asks_for_is_refused(people: House) -> None:
    superior = people(SUPERIOR)
    d = Drawing("pay")
    d.start()
    policy = '<camunda:properties><camunda:property name="approval.opinion" value="optional"/></camunda:properties>'
    d.user(
        "decide",
        f"<extensionElements>{policy}</extensionElements>",
        camunda_candidateUsers=f"person({superior.person_id})",
        camunda_formKey="pay",
    )
    d.end()
    d.chain("start", "decide", "end")
    with transaction() as session:
        repository.deploy(session, SYSTEM, {"pay.bpmn": d.xml(), "pay.form.json": json.dumps(FORM)})
    Sessions.remove()
    started = people(EMPLOYEE).post("/process-definitions/pay/start", {"variables": {"subject": "工程师"}})
    (item,) = superior.inbox()
    refusal = refused(superior.act(item, "approve"), 422)
    assert "salary" in json.dumps(refusal)
    good(superior.act(item, "approve", variables={"salary": "30000"}))
    assert people(EMPLOYEE).get(f"/process-instances/{started['id']}")["state"] == "completed"
