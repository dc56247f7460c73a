"""Form files that can be used, and what people send against them."""

from __future__ import annotations

import contextlib
import json
import time
from collections.abc import Iterable
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, strategies as st

from engine.errors import DeploymentRefused, InvalidForm
from engine.forms import REFERENCES, Choice, FormSchema, check_schema, submission as submissions
from engine.forms.values import pattern_problem
from engine.i18n import reading_as

EXPENSE: dict[str, Any] = {
    "title": {"zh_CN": "费用申请", "en": "Expense request"},
    "fields": [
        {"id": "about", "type": "section", "label": "申请内容"},
        {"id": "title", "type": "text", "label": "事由", "required": True, "max_length": 20, "title": True},
        {
            "id": "kind",
            "type": "select",
            "label": "类型",
            "required": True,
            "options": [{"value": "travel", "label": "差旅"}, {"value": "other", "label": "其他"}],
        },
        {
            "id": "city",
            "type": "text",
            "label": "目的地",
            "required": True,
            "when": {"field": "kind", "op": "eq", "value": "travel"},
        },
        {
            "id": "lines",
            "type": "table",
            "label": "明细",
            "required": True,
            "max_items": 3,
            "columns": [
                {"id": "what", "type": "text", "label": "用途", "required": True},
                {"id": "count", "type": "number", "label": "数量", "min": 1, "decimals": 0},
                {"id": "amount", "type": "money", "label": "金额", "required": True, "min": "0.01"},
            ],
        },
        {
            "id": "total",
            "type": "money",
            "label": "合计",
            "computed": 'sum(lines, "amount")',
            "max": "50000",
            "route": True,
            "summary": True,
        },
        {"id": "note", "type": "textarea", "label": "备注"},
        {"id": "cost_centre", "type": "text", "label": "成本中心", "pattern": "[A-Z]{2}-\\d{4}"},
    ],
    "steps": {
        "revise": {"*": "edit", "cost_centre": "hide"},
        "finance": {"cost_centre": "required", "note": "hide"},
    },
}

GOOD = {
    "title": "拜访客户",
    "kind": "travel",
    "city": "上海",
    "lines": [{"what": "高铁", "amount": "553.50"}, {"what": "酒店", "count": 2, "amount": {"amount": "900"}}],
}


class FixedLookups:
    """Knows two options, record 1 and file 1."""

    def options(self, source: str) -> list[Choice]:
        return [Choice("1", "差旅"), Choice("2", "办公")]

    def labels(self, reference: str, ids: Iterable[int]) -> dict[int, str]:
        return {1: "李娜"}

    def attachments(self, ids: Iterable[int]) -> set[int]:
        return {1}


def schema_of(*fields: dict[str, Any], **steps: Any) -> FormSchema:
    named = [{"label": "x", **one} for one in fields]
    return check_schema(json.dumps({"title": "x", "fields": named, "steps": steps}))


def submit(schema: FormSchema, values: Any, step: str | None = None, previous: Any = None) -> dict[str, Any]:
    return submissions.read(schema.fields, schema.rights(step), values, previous or {}, FixedLookups())


def faults(schema: FormSchema, values: Any, step: str | None = None, previous: Any = None) -> set[str]:
    with pytest.raises(InvalidForm) as refused:
        submit(schema, values, step, previous)
    return set(refused.value.by_field())


@pytest.fixture
def expense() -> FormSchema:
    return check_schema(json.dumps(EXPENSE))


# ------------------------------------------------------------------------------------------------- submissions


def test_a_submission_is_completed_and_normalised(expense: FormSchema) -> None:
    clean = submit(expense, GOOD)
    assert clean["lines"] == [
        {"what": "高铁", "count": None, "amount": {"amount": "553.50", "currency": "CNY"}},
        {"what": "酒店", "count": "2", "amount": {"amount": "900.00", "currency": "CNY"}},
    ]
    assert clean["total"] == {"amount": "1453.50", "currency": "CNY"}
    assert json.loads(json.dumps(clean)) == clean


def test_lists_and_gateways_see_what_is_marked_for_them(expense: FormSchema) -> None:
    clean = submit(expense, GOOD)
    assert expense.routed(clean) == {"total": Decimal("1453.50")}
    assert expense.summary(clean) == {"total": {"amount": "1453.50", "currency": "CNY"}}
    assert expense.title_of(clean) == "拜访客户"
    assert expense.facts(clean)["lines"][1]["amount"] == Decimal("900.00")


def test_every_fault_is_told_at_once_by_path(expense: FormSchema) -> None:
    wrong = {
        "title": "x" * 21,
        "kind": "party",
        "lines": [{"what": "", "amount": "0"}, {"what": "a", "count": "1.5", "amount": 9.99, "colour": "red"}],
        "salary": 1,
        "cost_centre": "nowhere",
    }
    assert faults(expense, wrong) == {
        "title",
        "kind",
        "lines.0.what",
        "lines.0.amount",
        "lines.1.count",
        "lines.1.amount",
        "lines.1.colour",
        "salary",
        "cost_centre",
    }


def test_too_many_lines_or_none(expense: FormSchema) -> None:
    line = GOOD["lines"][0]
    assert faults(expense, {**GOOD, "lines": [line] * 4}) == {"lines"}
    assert faults(expense, {**GOOD, "lines": []}) == {"lines"}
    assert faults(expense, {**GOOD, "lines": "many"}) == {"lines"}
    assert faults(expense, {**GOOD, "lines": ["one"]}) == {"lines"}


def test_a_total_is_reckoned_here_whatever_was_sent(expense: FormSchema) -> None:
    assert submit(expense, {**GOOD, "total": "1.00"})["total"]["amount"] == "1453.50"


def test_a_total_outside_its_limits_is_refused(expense: FormSchema) -> None:
    assert faults(expense, {**GOOD, "lines": [{"what": "a", "amount": "50000.01"}]}) == {"total"}


def test_a_field_that_is_not_shown_is_neither_required_nor_kept(expense: FormSchema) -> None:
    clean = submit(expense, {**GOOD, "kind": "other", "city": "上海"})
    assert clean["city"] is None
    assert faults(expense, {**GOOD, "city": " "}) == {"city"}


def test_unwanted_money(expense: FormSchema) -> None:
    for amount in ("1.234", "NaN", "1e400", "", None, True, {"amount": "1", "currency": "USD"}, {"value": 1}, [1]):
        assert faults(expense, {**GOOD, "lines": [{"what": "a", "amount": amount}]}) == {"lines.0.amount"}


# ------------------------------------------------------------------------------------------------- rights per step


def test_a_reader_changes_nothing(expense: FormSchema) -> None:
    before = submit(expense, GOOD)
    assert submit(expense, {}, "approve", before) == before
    assert submit(expense, {"title": "拜访客户", "note": ""}, "approve", before) == before
    assert faults(expense, {"title": "别的", "lines": []}, "approve", before) == {"title", "lines"}


def test_a_hidden_field_does_not_exist(expense: FormSchema) -> None:
    before = {**submit(expense, GOOD), "note": "秘密"}
    assert faults(expense, {"note": "秘密", "cost_centre": "HR-0001"}, "finance", before) == {"note"}
    assert "note" not in expense.readable(before, "finance")
    assert expense.readable(before, "approve")["note"] == "秘密"


def test_a_step_may_require_what_others_need_not_fill(expense: FormSchema) -> None:
    before = submit(expense, GOOD)
    assert faults(expense, {}, "finance", before) == {"cost_centre"}
    assert submit(expense, {"cost_centre": "HR-0001"}, "finance", before)["cost_centre"] == "HR-0001"


def test_what_is_not_sent_again_stays(expense: FormSchema) -> None:
    before = submit(expense, {**GOOD, "cost_centre": "HR-0001"})
    after = submit(expense, {"title": "拜访新客户"}, "revise", before)
    assert after == {**before, "title": "拜访新客户"}


# ------------------------------------------------------------------------------------------------- each type


@pytest.mark.parametrize(
    ("field", "given_value", "stored"),
    [
        ({"type": "text"}, "  a ", "a"),
        ({"type": "textarea"}, "a\r\nb", "a\nb"),
        ({"type": "number"}, "2.50", "2.5"),
        ({"type": "number"}, 0.1, "0.1"),
        ({"type": "number", "decimals": 2}, 3, "3.00"),
        ({"type": "number"}, "100", "100"),
        ({"type": "money", "currency": "JPY"}, "1500", {"amount": "1500", "currency": "JPY"}),
        ({"type": "date", "min": "2026-01-01"}, "2026-01-01", "2026-01-01"),
        ({"type": "datetime"}, "2026-05-04T09:00+08:00", "2026-05-04T01:00:00+00:00"),
        ({"type": "select", "options": {"source": "tests.fixed"}}, "2", "2"),
        ({"type": "multi", "options": {"source": "tests.fixed"}}, ["2", "1", "2"], ["2", "1"]),
        ({"type": "switch"}, False, False),
        ({"type": "person"}, "1", 1),
        ({"type": "person", "multiple": True}, [1, "1"], [1]),
        ({"type": "department"}, 1, 1),
        ({"type": "reference", "reference": "tests.thing"}, 1, 1),
        ({"type": "attachment"}, [1], [1]),
    ],
)
def test_each_type_reads(field: dict[str, Any], given_value: Any, stored: Any, registries: None) -> None:
    assert submit(schema_of({"id": "it", **field}), {"it": given_value})["it"] == stored


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ({"type": "text"}, [1, "a\nb", "a\x00b", "x" * 201, ["a"]]),
        ({"type": "text", "min_length": 3}, ["ab"]),
        ({"type": "number", "min": 0, "max": 10}, ["-1", 11, "ten", True, "1e999", {}, "1" * 30]),
        ({"type": "date", "max": "2026-12-31"}, ["2027-01-01", "04.05.2026", 20260504, "2026-02-30"]),
        ({"type": "datetime"}, ["2026-05-04T09:00", "soon"]),
        ({"type": "select", "options": {"source": "tests.fixed"}}, ["3", 1, ["1"]]),
        ({"type": "multi", "options": {"source": "tests.fixed"}, "max_items": 1}, [["1", "2"], ["3"], "1", [[]]]),
        ({"type": "switch"}, ["yes", 1]),
        ({"type": "person"}, [2, -1, "x", True, [1], 2**70]),
        ({"type": "reference", "reference": "tests.thing", "multiple": True}, [[1, 2], 1]),
        ({"type": "attachment", "max_items": 1}, [[2], [1, 3], "1"]),
    ],
)
def test_each_type_refuses(field: dict[str, Any], wrong: list[Any], registries: None) -> None:
    schema = schema_of({"id": "it", "required": True, **field})
    for value in wrong:
        assert faults(schema, {"it": value}) == {"it"}, value


@pytest.mark.parametrize(
    ("condition", "number", "shown"),
    [
        ({"op": "gt", "value": 5}, "5.01", True),
        ({"op": "gt", "value": 5}, "5", False),
        ({"op": "lt", "value": 5}, "4", True),
        ({"op": "eq", "value": 5}, "5.0", True),
        ({"op": "ne", "value": 5}, "5", False),
        ({"op": "in", "value": [1, 5]}, "5", True),
        ({"op": "set"}, "0", True),
        ({"op": "set"}, None, False),
        ({"op": "gt", "value": 5}, None, False),
    ],
)
def test_conditions(condition: dict[str, Any], number: str | None, *, shown: bool) -> None:
    schema = schema_of({"id": "n", "type": "number"}, {"id": "t", "type": "text", "when": {"field": "n", **condition}})
    assert (submit(schema, {"n": number, "t": "kept"})["t"] == "kept") is shown
    assert ("t" in schema.shown({"n": number})) is shown


@given(st.dictionaries(st.sampled_from([f["id"] for f in EXPENSE["fields"]] + ["else"]), st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=30),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.sampled_from(["what", "amount", "count"]), inner),
)))  # fmt: skip
def test_whatever_is_sent_is_read_or_refused_in_words(sent: dict[str, Any]) -> None:
    schema = check_schema(json.dumps(EXPENSE))
    try:
        clean = submit(schema, sent)
    except InvalidForm as refused:
        sentences = [str(problem.message) for problem in refused.problems]
    else:
        sentences = ["accepted"] if submit(schema, clean, "revise", clean) == clean else []
    assert sentences
    assert all(sentences)


# ------------------------------------------------------------------------------------------------- form files


@pytest.fixture
def registries(monkeypatch: pytest.MonkeyPatch) -> None:
    from engine.forms import OPTION_SOURCES

    monkeypatch.setitem(OPTION_SOURCES, "tests.fixed", lambda _session, _actor: ())
    monkeypatch.setitem(REFERENCES, "tests.thing", FixedLookups())  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("fields", "where"),
    [
        ([{"id": "Über", "type": "text"}], "fields.0.id"),
        ([{"id": "a", "type": "colour"}], "fields.0.type"),
        ([{"id": "a", "type": "text"}, {"id": "a", "type": "text"}], "fields.1"),
        ([{"id": "a", "type": "text", "options": [{"value": "1", "label": "x"}]}], "fields.0.options"),
        ([{"id": "a", "type": "select"}], "fields.0"),
        ([{"id": "a", "type": "select", "options": {"source": "nowhere"}}], "fields.0.options"),
        ([{"id": "a", "type": "select", "options": [{"value": "1", "label": "x"}, {"value": "1", "label": "y"}]}],
         "fields.0.options"),
        ([{"id": "a", "type": "reference", "reference": "nothing"}], "fields.0.reference"),
        ([{"id": "a", "type": "reference"}], "fields.0.reference"),
        ([{"id": "a", "type": "text", "pattern": "(a+)+b"}], "fields.0.pattern"),
        ([{"id": "a", "type": "money", "currency": "ZZZ"}], "fields.0.currency"),
        ([{"id": "a", "type": "money", "min": "2026-01-01"}], "fields.0.min"),
        ([{"id": "a", "type": "date", "max": "5"}], "fields.0.max"),
        ([{"id": "a", "type": "table"}], "fields.0"),
        ([{"id": "a", "type": "table", "columns": [{"id": "b", "type": "table", "label": "x"}]}], "fields.0.columns.0"),
        ([{"id": "a", "type": "table", "columns": [{"id": "b", "type": "text", "label": "x", "route": True}]}],
         "fields.0.columns.0.route"),
        ([{"id": "a", "type": "number", "computed": "1 +"}], "fields.0.computed"),
        ([{"id": "a", "type": "number", "computed": "b * 2"}], "fields.0.computed"),
        ([{"id": "a", "type": "number", "computed": "a + 1"}], "fields.0.computed"),
        ([{"id": "a", "type": "number", "computed": "().__class__"}], "fields.0.computed"),
        ([{"id": "a", "type": "text", "when": {"field": "b", "op": "set"}}], "fields.0.when"),
        ([{"id": "a", "type": "text", "when": {"field": "a", "op": "set"}}], "fields.0.when"),
        ([{"id": "a", "type": "text"}, {"id": "b", "type": "text", "when": {"field": "a", "op": "gt", "value": "x"}}],
         "fields.1.when"),
        ([{"id": "a", "type": "text"}, {"id": "b", "type": "text", "when": {"field": "a", "op": "eq"}}],
         "fields.1.when"),
        ([{"id": "a", "type": "text"}, {"id": "b", "type": "text", "when": {"field": "a", "op": "in", "value": "x"}}],
         "fields.1.when"),
    ],
)  # fmt: skip
def test_a_form_that_cannot_work_is_refused(fields: list[dict[str, Any]], where: str) -> None:
    with pytest.raises(DeploymentRefused) as refused:
        schema_of(*fields)
    assert [problem.where for problem in refused.value.problems] == [where]


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "[" * 100_000, "x" * 300_000, '{"title": "x", "fields": []}'])
def test_what_is_no_form_is_refused(text: str) -> None:
    with pytest.raises(DeploymentRefused):
        check_schema(text)


def test_a_right_for_a_field_that_is_not_there_is_refused() -> None:
    with pytest.raises(DeploymentRefused, match="Problems: 1"):
        schema_of({"id": "a", "type": "text"}, approve={"b": "read"})


@pytest.mark.parametrize("pattern", ["(a+)+", "a*a*", "\\w+\\d+", "a|b", "(?=a)", "a{1,99}b{1,99}", "\\1", "^a", "[a"])
def test_patterns_that_could_be_slow_are_refused(pattern: str) -> None:
    assert pattern_problem(pattern) is not None


@pytest.mark.parametrize("pattern", ["[A-Z]{2}-\\d{4}", "\\d+", "https://.{1,50}", "[\\w.]{1,30}@example\\.com"])
def test_plain_patterns_may_be_used(pattern: str) -> None:
    assert pattern_problem(pattern) is None


@given(st.text(alphabet="ab.\\d[]{}*+?1,0", max_size=14))
def test_no_accepted_pattern_is_slow(pattern: str) -> None:
    if pattern and pattern_problem(pattern) is None:
        schema = schema_of({"id": "it", "type": "text", "max_length": 2000, "pattern": pattern})
        started = time.thread_time()
        with contextlib.suppress(InvalidForm):
            submit(schema, {"it": "a" * 1999 + "!"})
        assert time.thread_time() - started < 0.5


def test_labels_are_read_in_the_readers_language(expense: FormSchema) -> None:
    with reading_as("en"):
        assert expense.title == "Expense request"
        assert expense.by_id["title"].label == "事由"
    with reading_as("zh_CN"):
        assert expense.title == "费用申请"
