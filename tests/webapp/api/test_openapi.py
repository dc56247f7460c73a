"""The interface against its own description: what it says of itself is so, and nothing breaks it."""

from __future__ import annotations

from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings as hypothesis_settings
from schemathesis.checks import not_a_server_error
from schemathesis.generation import GenerationMode
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from engine.db import Sessions
from tests.webapp.callers import ADMIN, EMPLOYEE, SUPERIOR, House
from webapp.api.endpoint import ENDPOINTS, PREFIX
from webapp.api.openapi import document

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_schema_conformance,
]

EXAMPLES = 8
"""Made-up calls of each operation; `make test` has twenty minutes for everything."""


@pytest.mark.databases("sqlite")
def test_every_call_is_described_and_every_description_is_served(people: House) -> None:
    told = people(EMPLOYEE).get("/_openapi")
    served = {(rule.rule, method) for rule in people.app.url_map.iter_rules() for method in rule.methods or ()}
    for path, operations in told["paths"].items():
        if path == f"{PREFIX}/live":
            continue  # answered by asyncio, beside the pages
        for method in operations:
            assert (path.replace("{", "<").replace("}", ">"), method.upper()) in served
    described = {(path, method.upper()) for path, operations in told["paths"].items() for method in operations}
    assert {(PREFIX + one.path, one.method) for one in ENDPOINTS.values()} <= described


def test_every_call_says_what_it_does() -> None:
    for endpoint in ENDPOINTS.values():
        assert endpoint.summary.endswith("."), endpoint.name
        assert endpoint.answer is not None or endpoint.status == 204, endpoint.name
    names = document("0")["components"]["schemas"]
    assert {"InboxLinePage", "InstanceDetail", "Problem"} <= names.keys()
    assert all(name.isidentifier() for name in names), "two answers bear the same name"
    assert names["StartRequest"]["additionalProperties"] is False
    assert names["StartRequest"]["properties"]["variables"]["description"]


def _operations() -> list[Any]:
    schema = schemathesis.openapi.from_dict(document("0"))
    found = [result.ok() for result in schema.get_all_operations()]
    return [one for one in found if not one.path.endswith(("/live", "/security/login"))]


@pytest.mark.slow
@pytest.mark.databases("postgresql")  # the stricter one about what may be stored
@pytest.mark.timeout(240)
@pytest.mark.parametrize("operation", _operations(), ids=lambda one: f"{one.method.upper()} {one.path}")
def test_nothing_made_up_breaks_it(people: House, operation: Any) -> None:
    people(EMPLOYEE).post(
        "/process-definitions/expense_request/start",
        {"variables": {"title": "x", "lines": [{"category": "travel", "amount": "1"}]}},
    )
    callers = [people(username) for username in (ADMIN, SUPERIOR)]

    @hypothesis_settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases=operation.as_strategy(generation_mode=GenerationMode.POSITIVE))
    def conforms(cases: Any) -> None:
        check(cases, CHECKS)

    @hypothesis_settings(
        max_examples=EXAMPLES,
        derandomize=True,
        deadline=None,
        database=None,
        phases=[Phase.explicit, Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(cases=operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))
    def survives(cases: Any) -> None:
        check(cases, [not_a_server_error, content_type_conformance])

    def check(case: Any, checks: list[Any]) -> None:
        for caller in callers:
            headers = {"Authorization": f"Bearer {caller.token}"}
            case.call_and_validate(app=people.app, base_url="http://localhost", headers=headers, checks=checks)
            Sessions.remove()

    conforms()
    survives()
