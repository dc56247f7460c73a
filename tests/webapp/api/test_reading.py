"""What callers send is read strictly: every fault named at once, nothing unknown taken."""

from __future__ import annotations

import json
from datetime import datetime
from typing import Annotated, Any, Literal

import msgspec
import pytest

from engine.i18n import reading_as
from webapp.api.endpoint import Body, Id, Query
from webapp.api.reading import DEEPEST, InvalidRequest, Unreadable, json_object, shape


class Line(Body):
    amount: str


class Order(Body):
    version: Id
    kind: Literal["small", "large"] = "small"
    lines: list[Line] = msgspec.field(default_factory=list)
    note: Annotated[str, msgspec.Meta(max_length=5)] = ""
    at: Annotated[datetime, msgspec.Meta(tz=True)] | None = None


class Wanted(Query):
    page: Annotated[int, msgspec.Meta(ge=1)] = 1
    late: bool = False


def faults(given: dict[str, Any], wanted: type[msgspec.Struct] = Order, *, words: bool = False) -> dict[str, str]:
    with pytest.raises(InvalidRequest) as caught, reading_as("en"):
        shape(given, wanted, words=words)
    with reading_as("en"):
        return {problem.where: str(problem.message) for problem in caught.value.problems}


def test_all_faults_are_named_at_once() -> None:
    assert faults({"kind": "huge", "note": "too long", "lines": [{"amount": "1"}, {"amount": 2}], "colour": "red"}) == {
        "colour": "There is no such field.",
        "version": "This is required.",
        "kind": "This is not one of the possible values.",
        "lines.1.amount": "This must be text.",
        "note": "At most 5 characters fit here.",
    }


@pytest.mark.parametrize("version", [0, -1, 2**63, "1", 1.0, True, None])
def test_an_id_is_a_whole_positive_number(version: object) -> None:
    assert set(faults({"version": version})) == {"version"}


def test_an_instant_needs_its_zone() -> None:
    assert set(faults({"version": 1, "at": "2026-05-04T09:00:00"})) == {"at"}
    assert shape({"version": 1, "at": "2026-05-04T09:00:00+08:00"}, Order).at is not None


def test_unknown_fields_within_are_refused_too() -> None:
    assert faults({"version": 1, "lines": [{"amount": "1", "colour": 1}]}) == {
        "lines.0": "There is no field “colour” in it."
    }


def test_words_of_an_address_are_read_as_what_they_mean() -> None:
    assert shape({"page": "3", "late": "true"}, Wanted, words=True) == Wanted(page=3, late=True)
    assert set(faults({"page": "x", "late": "perhaps", "size": "1"}, Wanted, words=True)) == {"page", "late", "size"}


@pytest.mark.parametrize(
    "raw",
    [
        b"[]",
        b'"text"',
        b"{",
        b'{"a": NaN}',
        b'{"a": 1e999}',
        b"\xff\xfe",
        b'{"a": "\\ud800"}',
        b'{"a": "\\u0000"}',
        b'{"a": [{"b\\u0000": 1}]}',
        b"[" * 100_000,
        json.dumps({"a": None}).replace("null", "[" * (DEEPEST + 1) + "]" * (DEEPEST + 1)).encode(),
    ],
)
def test_what_is_no_storable_json_object_cannot_be_read(raw: bytes) -> None:
    with pytest.raises(Unreadable):
        json_object(raw)


def test_no_body_is_an_empty_object() -> None:
    assert json_object(b"") == json_object(b" \n") == {}
    assert json_object(b'{"a": "\\\\u0000"}') == {"a": "\\u0000"}
