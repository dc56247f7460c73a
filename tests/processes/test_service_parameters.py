"""What a diagram hands to a service: taken as what it means, or named in an incident before anything is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from engine import repository, runtime
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.models import Incident, Instance, OutboxMessage
from engine.runtime.cache import LIVE
from engine.service_tasks import TOPICS, StepFacts, WrongParameter, invoke, service_task
from tests.engine.workflow.drawing import Drawing
from tests.processes.company import Company, actor_of
from webapp import bootstrap

ABOUT = {"number": "EXP-000007", "title": "拜访客户", "amount": {"amount": "12345.60", "currency": "CNY"}}
FACTS = StepFacts(1, "process", None, 1, 1, "node", None)


def begin(company: Company, topic: str, recipient: str) -> tuple[str, str, str]:
    """State of the instance, and cause and detail of its incident ("" = none)."""
    bootstrap.join_parts()
    LIVE.clear()
    repository.forget_all()
    inputs = f'<camunda:inputParameter name="recipient">{recipient}</camunda:inputParameter>'
    inputs += '<camunda:inputParameter name="template">${"expense_approved"}</camunda:inputParameter>'
    inputs += '<camunda:inputParameter name="about">${about}</camunda:inputParameter>'
    d = Drawing("told")
    d.start()
    inner = f"<extensionElements><camunda:inputOutput>{inputs}</camunda:inputOutput></extensionElements>"
    d.service("tell", topic, inner)
    d.end()
    d.chain("start", "tell", "end")
    with transaction() as session:
        repository.deploy(session, SYSTEM, {"main.bpmn": d.xml()})
    starter, values = actor_of(company.li), {"who": "总经理", "number": Decimal(company.wang.id), "about": ABOUT}
    started = runtime.perform(lambda session: runtime.start(session, starter, "told", variables=values))
    Sessions.remove()
    with transaction() as session:
        state = session.get_one(Instance, started.instance_id).state
        found = session.execute(select(Incident.cause, Incident.detail)).first()
    return state, *(found or ("", ""))


@pytest.mark.parametrize("topic", ["messaging.notify_sms", "messaging.send_sms"])
@pytest.mark.parametrize("given", ["${who}", "${[1, 2]}", "${9223372036854775808}", "${null}"])
def test_a_parameter_of_a_wrong_type_is_an_incident_that_names_it(company: Company, topic: str, given: str) -> None:
    """Not a refusal: whoever starts or approves can do nothing about the diagram."""
    state, cause, detail = begin(company, topic, given)
    assert state == "running"
    assert cause.startswith(f"“recipient” of “{topic}” takes a whole number, and was given: ")
    assert "SQL" not in cause + detail
    assert "Correct the expression" in detail


@pytest.mark.parametrize("given", ["${number}", "text"])
def test_a_whole_number_may_be_text_or_a_decimal(session: Session, company: Company, given: str) -> None:
    number = f'${{"{company.wang.id}"}}' if given == "text" else given
    state, cause, _detail = begin(company, "messaging.notify_sms", number)
    assert "whole number" not in cause
    assert (state, len(session.scalars(select(OutboxMessage)).all())) == ("completed", 1), cause


def test_every_kind_of_parameter_is_held_against_what_the_function_says(session: Session) -> None:
    taken: dict[str, Any] = {}

    @service_task("tests.every_kind")
    def every_kind(
        _session: Session,
        _actor: Actor,
        _facts: StepFacts,
        *,
        text: str = "",
        yes: bool | None = None,
        people: Sequence[int] | None = None,
        named: Mapping[str, Any] | None = None,
        either: int | str | None = None,
        anything: Any = None,
    ) -> None:
        taken.update(text=text, yes=yes, people=people, named=named, either=either, anything=anything)

    topic = TOPICS.pop("tests.every_kind")

    def call(**parameters: Any) -> dict[str, Any]:
        taken.clear()
        invoke(topic, session, SYSTEM, FACTS, parameters)
        return {name: taken[name] for name in parameters}

    assert call(text="a", yes=True, people=[1, "2", Decimal(3)], named={"a": 1}, either="finance") == {
        "text": "a", "yes": True, "people": [1, 2, 3], "named": {"a": 1}, "either": "finance",
    }  # fmt: skip
    assert call(yes=None, people=None, named=None, either=None, anything=object) == {
        "yes": None, "people": None, "named": None, "either": None, "anything": object,
    }  # fmt: skip
    for wrong, words in (
        ({"text": None}, "a text, and was given: nothing"),
        ({"yes": "yes"}, "yes or no, and"),
        ({"people": 17}, "a list of whole numbers, and"),
        ({"people": ["总经理"]}, "a list of whole numbers, and"),
        ({"people": [True]}, "a list of whole numbers, and"),
        ({"named": []}, "a group of named values, and"),
        ({"either": 1.5}, "a whole number, and"),
    ):
        with pytest.raises(WrongParameter, match=words):
            call(**wrong)
        assert not taken, "nothing was done"
