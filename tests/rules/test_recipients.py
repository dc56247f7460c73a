"""Numbers as people paste them, who is left out, and what each is told."""

from __future__ import annotations

import pytest

from engine.errors import RuleViolation
from processes.messaging import rules
from processes.messaging.rules.recipients import Candidate, filled

A, B = "+8619900000001", "+8619900000002"


@pytest.mark.parametrize(
    "pasted",
    [
        "199 0000 0001\n19900000002",
        "19900000001，张三\r\n19900000002，李四",
        "19900000001;19900000002",
        "姓名,手机号\n张三,19900000001\n李四,19900000002",
        "Phone\tName\n19900000001\t张三\n\n19900000002\t李四\n",
    ],
)
def test_lists_as_they_are_pasted(pasted: str) -> None:
    assert [one.number for one in rules.read_lines(pasted)] == [A, B]


def test_headings_name_the_places_of_the_text() -> None:
    (one,) = rules.read_lines("金额\t号码\t姓名\n1,200.00\t19900000001\t张三")
    assert (one.name, one.facts) == ("张三", {"金额": "1,200.00", "name": "张三"})
    looked = rules.look_over([one], "{姓名}，您的款项 {金额} 已到账", opted_out=(), consenting=None)
    assert looked[0].text == "张三，您的款项 1,200.00 已到账"


def test_who_is_left_out_and_why() -> None:
    named = [
        Candidate(A, "张三"),
        Candidate(A, "张三"),
        Candidate("", "无号"),
        Candidate("+861012345678", "座机"),
        Candidate(B, "退订"),
        Candidate("+8619900000003", "离职", has_left=True),
        Candidate("+8619900000004", ""),
        *rules.read_lines("12345"),
    ]
    looked = rules.look_over(named, "{name}您好", opted_out={B}, consenting=None)
    assert [one.left_out for one in looked] == [
        "", "duplicate", "no_mobile", "no_mobile", "opted_out", "left", "no_value", "not_a_number",
    ]  # fmt: skip
    assert {one.left_out for one in looked} - {""} <= rules.LEFT_OUT.keys()


def test_commercial_texts_go_to_those_who_have_agreed_and_notices_to_ones_own_people() -> None:
    colleague = Candidate(B, "同事", record=("organization.employee", 1))
    assert rules.look_over([colleague], "放假通知", opted_out={B}, consenting=None)[0].left_out == ""
    again = [Candidate(A), Candidate(B, record=("organization.employee", 1))]
    looked = rules.look_over(again, "促销", opted_out={B}, consenting={B})
    assert [one.left_out for one in looked] == ["no_consent", "opted_out"]


def test_one_who_is_left_out_does_not_stand_in_the_way_of_the_same_number_further_down() -> None:
    looked = rules.look_over([Candidate(A), Candidate(A, "张三")], "{name}", opted_out=(), consenting=None)
    assert [one.left_out for one in looked] == ["no_value", ""]


def test_what_is_typed_is_never_run() -> None:
    with pytest.raises(KeyError):
        filled("{{ 7*7 }}", {})
    with pytest.raises(KeyError):
        filled("{name.__class__}", {"name": "x"})
    assert rules.places("{name}，{金额}，{name}") == ["name", "金额"]


def test_too_many_and_too_long() -> None:
    with pytest.raises(RuleViolation, match="too many"):
        rules.read_lines("\n".join(str(13800000000 + n) for n in range(rules.MOST_RECIPIENTS + 1)))
    long = Candidate(A, "张" * 100)
    looked = rules.look_over([long], "{name}" * 11, opted_out=(), consenting=None)
    assert (looked[0].left_out, looked[0].segments) == ("too_long", 0)
