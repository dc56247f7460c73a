import io
from datetime import UTC, datetime

import pytest
from docx import Document

from connectors.word.faults import Refused
from connectors.word.redlining import compare
from connectors.word.revisions import accept, list_revisions, reject, replace_text
from tests.connectors.word_files import changed, docx, part, texts

AT = datetime(2026, 11, 27, 1, 2, 3, tzinfo=UTC)
OLD = docx(
    "第一条 甲方应在十日内付款。", "第二条 保留不变。", "第三条 将被删除。", rows=[["设备", "10"]], header="合同 A"
)
NEW = docx(
    "第一条 甲方应在三十日内付款。", "第二条 保留不变。", "第四条 新增的条款。", rows=[["设备", "12"]], header="合同 B"
)


def _header(content: bytes) -> str:
    return Document(io.BytesIO(content)).sections[0].header.paragraphs[0].text


def test_two_files_become_changes_and_back() -> None:
    redlined = compare(OLD, NEW, author="法务-陈静", at=AT)
    found = list_revisions(redlined)
    assert {one.author for one in found} == {"法务-陈静"}
    assert {one.at for one in found} == {AT}
    assert ("insertion", "三") in [(one.kind, one.text) for one in found]
    assert {one.place.part for one in found} == {"body", "header"}
    assert texts(accept(redlined)) == texts(NEW)
    assert texts(reject(redlined)) == texts(OLD)
    assert (_header(accept(redlined)), _header(reject(redlined))) == ("合同 B", "合同 A")
    assert list_revisions(accept(redlined)) == list_revisions(reject(redlined)) == []


def test_one_change_is_settled_and_the_others_stay() -> None:
    redlined = compare(OLD, NEW, author="陈静", at=AT)
    three = next(one for one in list_revisions(redlined) if one.text == "三")
    settled = accept(redlined, [three.id])
    assert len(list_revisions(settled)) == len(list_revisions(redlined)) - 1
    assert texts(reject(settled))[0] == "第一条 甲方应在三十日内付款。"
    with pytest.raises(Refused, match="no_such_revision"):
        accept(redlined, ["document:9999"])


def test_garbage_is_refused_and_equal_files_have_no_changes() -> None:
    with pytest.raises(Refused, match="not_word"):
        compare(b"garbage", NEW, author="x", at=AT)
    assert list_revisions(compare(OLD, OLD, author="x", at=AT)) == []


def test_our_own_changes_keep_the_looks_of_the_run() -> None:
    document = Document()
    paragraph = document.add_paragraph("价款为")
    run = paragraph.add_run("一万元")
    run.bold = True
    run._r.get_or_add_rPr().get_or_add_rFonts().set(
        "{http://schemas.openxmlformats.org/wordprocessingml/2006/main}eastAsia", "黑体"
    )
    paragraph.add_run("整。")
    document.sections[0].header.paragraphs[0].text = "一万元"
    output = io.BytesIO()
    document.save(output)
    made, count = replace_text(output.getvalue(), "一万元", "两万元", author="陈静", at=AT)
    assert count == 2
    assert [(one.kind, one.text, one.place.part) for one in list_revisions(made)] == [
        ("deletion", "一万元", "body"),
        ("insertion", "两万元", "body"),
        ("deletion", "一万元", "header"),
        ("insertion", "两万元", "header"),
    ]
    done = accept(made)
    assert texts(done)[0] == "价款为两万元整。"
    fresh = next(run for run in Document(io.BytesIO(done)).paragraphs[0].runs if "两" in run.text)
    assert fresh.bold
    assert 'w:eastAsia="黑体"' in fresh._r.xml
    assert texts(reject(made))[0] == "价款为一万元整。"


def test_words_inside_a_run_and_over_runs_are_replaced() -> None:
    made, count = replace_text(docx(["付款期限为三", "十", "日，逾期三十日"]), "三十日", "六十日", author="x", at=AT)
    assert count == 2
    assert texts(accept(made))[0] == "付款期限为六十日，逾期六十日"
    assert texts(reject(made))[0] == "付款期限为三十日，逾期三十日"


def test_a_change_of_looks_and_a_deleted_row_are_settled() -> None:
    plain = docx("正文", rows=[["一"], ["二"]])
    body = part(plain, "word/document.xml").decode()
    looks = '<w:rPr><w:b/><w:rPrChange w:id="1" w:author="x"><w:rPr><w:i/></w:rPr></w:rPrChange></w:rPr>'
    body = body.replace("<w:r><w:t>正文", f"<w:r>{looks}<w:t>正文")
    row = '<w:tr><w:trPr><w:del w:id="2" w:author="x" w:date="2026-11-27T00:00:00Z"/></w:trPr>'
    body = row.join(body.rsplit("<w:tr>", 1))
    made = changed(plain, {"word/document.xml": body.encode()})
    assert [one.kind for one in list_revisions(made)] == ["format", "deletion"]
    assert texts(accept(made)) == ["正文", "一"]
    assert texts(reject(made)) == ["正文", "一", "二"]
    (run,) = Document(io.BytesIO(reject(made))).paragraphs[0].runs
    assert (run.bold, run.italic) == (None, True)
