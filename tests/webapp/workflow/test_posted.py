"""What browsers post becomes values the form can judge."""

from __future__ import annotations

import json

import pytest
from werkzeug.datastructures import MultiDict

from engine.forms import FormSchema, check_schema
from webapp.workflow import posted


@pytest.fixture(scope="module")
def schema() -> FormSchema:
    field = [
        {"id": "title", "type": "text", "label": "事由"},
        {"id": "amount", "type": "money", "label": "金额"},
        {"id": "count", "type": "number", "label": "数量"},
        {"id": "at", "type": "datetime", "label": "时间"},
        {"id": "urgent", "type": "switch", "label": "加急"},
        {
            "id": "ways",
            "type": "multi",
            "label": "方式",
            "options": [{"value": "a", "label": "甲"}, {"value": "b", "label": "乙"}],
        },
        {
            "id": "lines",
            "type": "table",
            "label": "明细",
            "columns": [
                {"id": "price", "type": "money", "label": "价"},
                {"id": "note", "type": "text", "label": "注"},
                {"id": "done", "type": "switch", "label": "完"},
            ],
        },
        {"id": "total", "type": "money", "label": "合计", "computed": 'sum(lines, "price")'},
    ]
    return check_schema(json.dumps({"title": "表", "fields": field, "steps": {"check": {"title": "edit"}}}))


def read(schema: FormSchema, *pairs: tuple[str, str], step: str | None = None) -> dict[str, object]:
    present = [("_present", one.id) for one in schema.fields]
    return posted.values(schema, MultiDict([*present, *pairs]), step)


def test_amounts_lose_their_dress(schema: FormSchema) -> None:
    for typed in ("12,345.60", "１２，３４５．６０", "¥ 12 345.60", "￥12,345.60"):
        assert read(schema, ("amount", typed))["amount"] == "12345.60"


def test_what_is_no_number_is_kept_to_be_shown_again(schema: FormSchema) -> None:
    assert read(schema, ("amount", "about ten"))["amount"] == "aboutten"


def test_empty_controls_are_nothing(schema: FormSchema) -> None:
    values = read(schema, ("title", "  "), ("amount", ""), ("at", ""))
    assert values["title"] is None
    assert values["amount"] is None
    assert values["at"] is None
    assert values["urgent"] is False
    assert values["ways"] == []
    assert values["lines"] == []


def test_an_instant_stands_on_the_companys_clock(schema: FormSchema) -> None:
    assert read(schema, ("at", "2026-11-23T09:30"))["at"] == "2026-11-23T09:30:00+08:00"


def test_switches_and_choices(schema: FormSchema) -> None:
    values = read(schema, ("urgent", "true"), ("ways", "b"), ("ways", "a"))
    assert values["urgent"] is True
    assert values["ways"] == ["b", "a"]


def test_lines_come_in_the_order_of_their_numbers_without_the_empty_ones(schema: FormSchema) -> None:
    values = read(
        schema,
        ("lines.7.price", "3"), ("lines.7.note", "c"),
        ("lines.0.price", "1,000"), ("lines.0.note", ""),
        ("lines.2.price", ""), ("lines.2.note", " "),
        ("lines.10.price", ""), ("lines.10.done", "true"),
    )  # fmt: skip
    assert values["lines"] == [
        {"price": "1000", "note": None, "done": False},
        {"price": "3", "note": "c", "done": False},
        {"price": None, "note": None, "done": True},
    ]


def test_numbers_that_are_none_make_no_line(schema: FormSchema) -> None:
    hostile = (("lines.x.price", "1"), ("lines.-1.price", "1"), ("lines.99999999999.price", "1"), ("lines.", "1"))
    assert read(schema, *hostile)["lines"] == []


def test_only_what_the_page_offered_and_the_step_may_change_is_read(schema: FormSchema) -> None:
    assert read(schema, ("title", "x"), ("amount", "1"), step="check") == {"title": "x"}
    assert posted.values(schema, MultiDict([("title", "x"), ("amount", "1"), ("_present", "amount")])) == {
        "amount": "1"
    }


def test_computed_fields_are_never_read(schema: FormSchema) -> None:
    assert "total" not in read(schema, ("total", "1"))
