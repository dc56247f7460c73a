from typing import Any

import pytest

from connectors.word.inspecting import inspect, sample
from tests.connectors.word_files import FILTERS, changed, docx, part

ROWS = [
    ["货物", "价"],
    ["{%tr for line in lines %}", ""],
    ["{{ line.name }}", "{{ line.price|amount }}"],
    ["{%tr endfor %}", ""],
]


def _faults(*paragraphs: str, **more: Any) -> list[tuple[str, str, str]]:
    report = inspect(docx(*paragraphs, **more), filters=FILTERS)
    return [(fault.code, fault.place.part if fault.place else "", fault.detail) for fault in report.faults]


def test_the_fields_of_a_template_with_their_kinds() -> None:
    template = docx(
        "{{ 甲方.名称 }} {{ 甲方.地址|default('') }} {{ total|amount }} {{ total|capitals }} {{ signed|date }}",
        "{% if warranty %}{{ months|number }}{% endif %}{{ seal|picture(30) }}",
        "{% if court is defined and court %}{{ court }}{% endif %}",
        "{% for term in terms %}{{ term }}{% endfor %}{% if note is defined %}{{ note }}{% endif %}",
        rows=ROWS,
        header="{{ no }}",
    )
    report = inspect(template, filters=FILTERS)
    assert report.faults == ()
    assert [(one["name"], one["kind"], one["required"]) for one in report.fields] == [
        ("甲方", "group", False),
        ("total", "money", True),
        ("signed", "date", True),
        ("warranty", "flag", True),
        ("months", "number", False),
        ("seal", "picture", True),
        ("court", "text", False),
        ("terms", "list", True),
        ("note", "text", False),
        ("lines", "list", True),
        ("no", "text", True),
    ]
    assert [(one["name"], one["required"]) for one in report.fields[0]["fields"]] == [("名称", True), ("地址", False)]
    assert report.placeholders[:2] == ("甲方.名称", "甲方.地址")
    assert "lines[].price" in report.placeholders
    assert (report.loops, report.images) == (("terms", "lines"), ("seal",))
    assert sample(report.fields)["lines"] == [{"name": "x", "price": "1234.50"}] * 2


def test_every_fault_comes_with_its_paragraph() -> None:
    report = inspect(
        docx("第一条 {{ a", "第二条 {% if x %}没有结束", "第三条 {{ b|nofilter }}", header="{% endfor %}"),
        filters=FILTERS,
    )
    assert [(fault.code, fault.place.part, fault.place.text, fault.detail) for fault in report.faults] == [
        ("loose_braces", "body", "第一条 {{ a", "{{"),
        ("unknown_filter", "body", "第三条 {{ b|nofilter }}", "nofilter"),
        ("not_closed", "body", "第二条 {% if x %}没有结束", "if"),
        ("no_beginning", "header", "{% endfor %}", "endfor"),
    ]


@pytest.mark.parametrize(
    ("words", "rows", "code"),
    [
        ("{{ }}", (), "not_readable"),
        ("{{ 甲方．名称 }}", (), "not_readable"),
        ("{{ a b }}", (), "not_readable"),
        ("{%tr for a in b %}", (), "not_in_table"),
        ("x", [["{%tr for a in b %}{{ a }}{%tr endfor %}"]], "two_in_row"),
        ("x", [["{%tr for a in b %} 文字"], ["{{ a }}"], ["{%tr endfor %}"]], "beside_tag"),
        ("x", [["{%tr for a in b %}"], ["{{ a }}"], ["{% endfor %}"]], "ends_differ"),
        ("条款 {%p if a %}", (), "beside_tag"),
        ("{% form a in b %}", (), "unknown_statement"),
        ("{% tr for a in b %}", (), "unknown_statement"),
        ("{% for a in b %}{% if c %}{% endfor %}", (), "no_beginning"),
        ("{% else %}", (), "no_beginning"),
        ("{{ a.b() }}", (), "not_allowed"),
    ],
)
def test_what_does_not_work_is_found_at_the_upload(words: str, rows: list[list[str]], code: str) -> None:
    assert code in [fault[0] for fault in _faults(words, rows=rows)]


def test_curly_quotes_and_cut_tags_are_read_as_word_writes_them() -> None:
    report = inspect(docx(["{", "{ a|default(“", "无”) }", "}"]), filters=FILTERS)
    assert (report.faults, report.placeholders) == ((), ("a",))


def test_fields_nobody_will_give_are_named_with_their_place() -> None:
    report = inspect(docx("{{ a }}", "又 {{ b.c }}"), filters=FILTERS, known=["a"])
    ((fault,),) = (report.faults,)
    assert (fault.code, fault.detail, fault.place.text) == ("unknown_field", "b.c", "又 {{ b.c }}")


def test_a_template_with_tracked_changes_is_to_be_settled_first() -> None:
    template = docx("{{ a }}")
    body = part(template, "word/document.xml").replace(b"<w:p>", b'<w:p><w:ins w:id="1" w:author="x"/>', 1)
    report = inspect(changed(template, {"word/document.xml": body}), filters=FILTERS)
    assert [fault.code for fault in report.faults] == ["tracked_changes"]
