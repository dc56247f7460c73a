import io
from typing import Any

import pytest
from docx import Document
from docx.shared import Mm

from connectors.word.faults import BadTemplate, MissingField, Refused
from connectors.word.filling import fill
from connectors.word.inspecting import TINY_PNG, inspect, lacking
from tests.connectors.word_files import FILTERS, docx, part, texts


def _fill(template: bytes, data: dict, **more: Any) -> list[str]:
    return texts(fill(template, data, filters=FILTERS, **more).docx)


def test_a_placeholder_cut_over_runs_keeps_the_look_of_its_first_run() -> None:
    template = docx(["甲方：", "{{ buy", "er.na", "me }}", "。"])
    filled = fill(template, {"buyer": {"name": "上海明远"}}, filters=FILTERS).docx
    paragraph = Document(io.BytesIO(filled)).paragraphs[0]
    assert paragraph.text == "甲方：上海明远。"
    assert [run.bold for run in paragraph.runs if "明远" in run.text] == [True]


@pytest.mark.parametrize("value", ["A&B <C> \"q\" 'p'", "{{ x }} {% y %}", "𠮷 €", "]]>", "<w:p/>", "a  b"])
def test_every_sign_of_a_value_arrives(value: str) -> None:
    assert _fill(docx("前{{ v }}后"), {"v": value})[0] == f"前{value}后"


def test_line_breaks_and_tabs_stay_and_control_characters_are_named() -> None:
    template = docx("{{ a }}|{{ b.c }}")
    filled = fill(template, {"a": "一\r\n二\t三", "b": {"c": "x\x0by\x00"}}, filters=FILTERS)
    assert texts(filled.docx)[0] == "一\n二\t三|xy"
    assert filled.cleaned == ("b.c",)


def test_rows_of_a_table_repeat_with_five_thousand_lines() -> None:
    rows = [
        ["名称", "金额"],
        ["{%tr for line in lines %}", ""],
        ["{{ line.name }}", "{{ line.price|amount }}"],
        ["{%tr endfor %}", ""],
    ]
    lines = [{"name": f"货物{n}", "price": n} for n in range(5000)]
    found = _fill(docx("清单", rows=rows), {"lines": lines})
    assert len(found) == 1 + 2 + 10_000
    assert found[-2:] == ["货物4999", "4,999.00"]


def test_header_footer_and_title_are_filled() -> None:
    template = docx("x", header="合同 {{ no }}", footer="{{ no }}")
    document = Document(io.BytesIO(template))
    document.core_properties.title = "合同 {{ no }}"
    output = io.BytesIO()
    document.save(output)
    filled = Document(io.BytesIO(fill(output.getvalue(), {"no": "A&1"}, filters=FILTERS).docx))
    section = filled.sections[0]
    assert [section.header.paragraphs[0].text, section.footer.paragraphs[0].text] == ["合同 A&1", "A&1"]
    assert filled.core_properties.title == "合同 A&1"


def test_what_is_missing_is_named_and_none_is_empty() -> None:
    with pytest.raises(MissingField, match="name") as missing:
        _fill(docx("{{ buyer.name }}"), {"buyer": {}})
    assert missing.value.name == "name"
    with pytest.raises(MissingField, match="buyer"):
        _fill(docx("{{ buyer.name }}"), {})
    assert _fill(docx("[{{ a }}]"), {"a": None})[0] == "[]"


@pytest.mark.parametrize(
    "attack",
    [
        "{{ ''.__class__.__mro__ }}",
        "{{ ''['__class__'] }}",
        "{{ x|attr('__class__') }}",
        "{{ x.join(['a']) }}",
        "{{ range(999999999) }}",
        "{{ 'a' * 999999999 }}",
        "{{ x * 999999999 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ 9 ** 999999 }}",
        "{{ x|center(999999999) }}",
        "{% include 'x' %}",
        "{% macro m() %}{% endmacro %}",
        "{{ self }}{{ [].__class__ }}",
        "{{ lipsum() }}",
    ],
)
def test_python_is_out_of_a_templates_reach(attack: str) -> None:
    template = docx(attack)
    with pytest.raises((BadTemplate, MissingField)):
        _fill(template, {"x": "text"})
    report = inspect(template, filters=FILTERS)
    assert report.faults, attack
    assert all(fault.place is None or "{" in fault.place.text for fault in report.faults)


def test_a_picture_is_set_by_its_name() -> None:
    filled = fill(docx("{{ seal|picture(40) }}"), {"seal": "章"}, filters=FILTERS, pictures={"章": TINY_PNG}).docx
    (shape,) = Document(io.BytesIO(filled)).inline_shapes
    assert shape.width == Mm(40)
    with pytest.raises(MissingField, match="别的"):
        fill(docx("{{ seal|picture }}"), {"seal": "别的"}, filters=FILTERS, pictures={"章": TINY_PNG})
    with pytest.raises(BadTemplate, match="no_picture"):
        fill(docx("{{ seal|picture }}"), {"seal": "章"}, filters=FILTERS, pictures={"章": b"no png"})


def test_a_loop_that_cuts_a_table_in_half_is_a_fault_and_loses_nothing() -> None:
    template = docx("{% for a in rows %}", rows=[["{{ a }}", "{% endfor %}"]])
    with pytest.raises(BadTemplate):
        _fill(template, {"rows": ["1", "2"]})
    assert [fault.code for fault in inspect(template, filters=FILTERS).faults] == ["broken_structure"]


def test_the_eastern_font_of_a_run_stays() -> None:
    document = Document()
    run = document.add_paragraph().add_run("{{ v }}")
    run.font.name = "Times New Roman"
    fonts = run._r.rPr.rFonts
    fonts.set("{http://schemas.openxmlformats.org/wordprocessingml/2006/main}eastAsia", "黑体")
    output = io.BytesIO()
    document.save(output)
    filled = fill(output.getvalue(), {"v": "甲"}, filters=FILTERS).docx
    assert 'w:eastAsia="黑体"'.encode() in part(filled, "word/document.xml")


def test_what_is_no_word_file_is_refused_before_anything_opens_it() -> None:
    with pytest.raises(Refused, match="not_word"):
        fill(b"plain text", {}, filters=FILTERS)


def test_lacking_names_each_path() -> None:
    rows = [["{%tr for l in lines %}"], ["{{ l.name }}{{ l.note|default('') }}"], ["{%tr endfor %}"]]
    fields = inspect(docx("{{ a.b }}{{ a.c }}{% if d %}{{ e }}{% endif %}", rows=rows), filters=FILTERS).fields
    data = {"a": {"b": "1"}, "d": False, "lines": [{"name": "x"}, {}, "y"]}
    assert list(lacking(fields, data)) == [("a.c", "missing"), ("lines.1.name", "missing"), ("lines.2", "not_a_group")]
    assert ("lines", "not_a_list") in set(lacking(fields, {**data, "lines": "x"}))
    assert ("a.b", "missing") in set(lacking(fields, {})) or ("a", "missing") in set(lacking(fields, {}))
