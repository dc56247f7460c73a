"""Excel and CSV as spreadsheet programs write them, and as somebody with bad intent would."""

from __future__ import annotations

import io
import zipfile
from datetime import date, datetime
from decimal import Decimal
from typing import Any

import pytest
from openpyxl import Workbook, load_workbook

from connectors.tables import reading
from connectors.tables.reading import BadTable, read
from connectors.tables.writing import Head, write


def workbook(*rows: list[Any]) -> bytes:
    book = Workbook()
    for row in rows:
        book.worksheets[0].append(row)
    file = io.BytesIO()
    book.save(file)
    return file.getvalue()


def cells(content: bytes) -> list[tuple[str, ...]]:
    return [row.cells for row in read(content).rows]


# ------------------------------------------------------------------------------------------------- reading


def test_a_sheet_is_read_as_people_see_it() -> None:
    table = read(
        workbook(
            ["工号", "手机", "日期", "金额", "是"],
            ["E1", 13800138000, date(2026, 11, 27), 12.5, True],
            [None, None],
            ["E2", 13800138001.0, datetime(2026, 11, 27, 9, 30), Decimal("0.1"), "=1+1"],
        )
    )
    assert table.head == ("工号", "手机", "日期", "金额", "是")
    assert [row.number for row in table.rows] == [2, 4], "an empty row is left out, and still counted"
    assert table.rows[0].cells == ("E1", "13800138000", "2026-11-27", "12.5", "1")
    assert table.rows[1].cells[1:4] == ("13800138001", "2026-11-27 09:30:00", "0.1")


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "gb18030"])
@pytest.mark.parametrize("separator", [",", ";", "\t"])
def test_csv_is_read_in_what_chinese_programs_write(encoding: str, separator: str) -> None:
    text = f'工号{separator}姓名\r\nE1{separator}"朱镕基{separator}某"\r\n\r\nE2{separator}𠮷野\r\n'
    assert cells(text.encode(encoding)) == [("E1", f"朱镕基{separator}某"), ("E2", "𠮷野")]


def test_what_excel_calls_unicode_text_is_read() -> None:
    assert cells("工号\t姓名\r\nE1\t朱某\r\n".encode("utf-16")) == [("E1", "朱某")]


def test_a_title_above_the_head_is_no_head() -> None:
    table = read(workbook(["客户资料表"], ["制表：王磊"], [], ["名称", "电话"], ["甲公司", "021-5555"]))
    assert (table.head, [(row.number, row.cells) for row in table.rows]) == (
        ("名称", "电话"),
        [(5, ("甲公司", "021-5555"))],
    )
    single = read(workbook(["名称"], ["甲公司"], ["乙公司"], ["丙公司"], ["丁公司"]))
    assert (single.head, len(single.rows)) == (("名称",), 4), "a table of one column has no title"
    assert read("名称\n甲公司,13800138001\n".encode()).head == ("名称",), "a number is no word of a head"


def test_short_rows_are_filled_up() -> None:
    assert cells(b"a,b,c\n1\n1,2,\n") == [("1", "", ""), ("1", "2", "")]


@pytest.mark.parametrize(
    ("content", "code", "row", "column"),
    [
        (b"", "empty", 0, 0),
        (b"\n\n", "empty", 0, 0),
        (b"\xff\xfe\xff\xff", "unknown_encoding", 0, 0),
        (b"a,b\n1,\0", "no_table", 0, 0),
        (b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 512, "old_excel", 0, 0),
        (b"PK\x03\x04 nothing of the kind", "no_table", 0, 0),
        (b"x" * (reading.MOST_BYTES + 1), "too_large", 0, 0),
        (b"a\n" + b"1\n" * (reading.MOST_ROWS + 1), "too_many_rows", reading.MOST_ROWS + 2, 0),
        (b"a,b\n1," + b"x" * 4001, "cell_too_long", 2, 2),
        (b"a\n" + b"1," * 60 + b"1", "too_many_columns", 2, 0),
        (b'a\n"' + b"x" * 200_000 + b'"', "no_table", 2, 0),
    ],
)
def test_what_cannot_be_read_says_where_and_why(content: bytes, code: str, row: int, column: int) -> None:
    with pytest.raises(BadTable) as refused:
        read(content)
    assert (refused.value.code, refused.value.row, refused.value.column) == (code, row, column)


def packed(**parts: bytes) -> bytes:
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as zipped:
        for name, content in parts.items():
            zipped.writestr(name.replace("__", "."), content)
    return file.getvalue()


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (packed(word__xml=b"<a/>"), "no_table"),
        (packed(bomb__xml=b" " * (61 * 1024 * 1024)), "too_large"),
        (packed(bomb__xml=b" " * (8 * 1024 * 1024)), "too_large"),
        (packed(**{f"p{n}__xml": b"" for n in range(501)}), "too_large"),
        (packed(evil__xml=b'<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b "c">]><a>&b;</a>'), "no_table"),
        (workbook(["a"])[:-400], "no_table"),
    ],
)
def test_what_only_looks_like_excel_is_refused(content: bytes, code: str) -> None:
    with pytest.raises(BadTable) as refused:
        read(content)
    assert refused.value.code == code


# ------------------------------------------------------------------------------------------------- writing


def written(heads: list[Head], *rows: list[Any]) -> Any:
    file = io.BytesIO()
    assert write(file, "费用/申请:2026", heads, rows) == len(rows)
    return load_workbook(io.BytesIO(file.getvalue())).worksheets[0]


def test_values_keep_their_kind() -> None:
    heads = [
        Head("姓名"),
        Head("手机"),
        Head("金额", "money"),
        Head("日期", "date"),
        Head("时间", "datetime"),
        Head("数", "number"),
    ]
    sheet = written(
        heads, ["张伟", "13800138000", Decimal("12345.60"), date(2026, 11, 27), datetime(2026, 11, 27, 9, 30), 7]
    )
    name, phone, amount, day, instant, count = sheet[2]
    assert (phone.value, phone.data_type, phone.number_format) == ("13800138000", "s", "@")
    assert (amount.value, amount.data_type, amount.number_format) == (12345.6, "n", "#,##0.00")
    assert (day.is_date, instant.is_date, count.value, name.value) == (True, True, 7, "张伟")
    assert sheet.freeze_panes == "A2"
    assert sheet.title == "费用 申请 2026"
    assert sheet["A1"].font.bold


def test_no_formula_is_written() -> None:
    words = ["=1+1", "+86", "-1", "@SUM(A1)", "=cmd|' /C calc'!A0"]
    sheet = written([Head("x"), Head("y", "number")], *([word, word] for word in words))
    for row, word in zip(sheet.iter_rows(min_row=2), words, strict=True):
        assert [(cell.value, cell.data_type, cell.quotePrefix) for cell in row] == [(word, "s", True)] * 2


def test_long_numbers_and_control_signs_lose_nothing() -> None:
    sheet = written([Head("证件", "number"), Head("词")], [110101199003077758, "a\x00b\x0bc\nd"])
    assert sheet["A2"].value == "110101199003077758"
    assert sheet["B2"].value == "abc\nd"


def test_notes_and_empty_or_hidden_sheets_before_the_table_are_passed_over() -> None:
    book = Workbook()
    book.worksheets[0].append(["请填写“客户”表"])
    book.create_sheet("空")
    secret = book.create_sheet("旧")
    secret.append(["名称", "电话"])
    secret.sheet_state = "hidden"
    customers = book.create_sheet("客户")
    for row in (["展会名单"], ["名称", "电话"], ["华宇", 13800138000]):
        customers.append(row)
    file = io.BytesIO()
    book.save(file)
    table = read(file.getvalue())
    assert (table.sheet, table.head) == ("客户", ("名称", "电话"))
    assert [(row.number, row.cells) for row in table.rows] == [(3, ("华宇", "13800138000"))]
    assert next(iter(reading.rows(file.getvalue()))) == ("请填写“客户”表",)
    assert read(workbook(["名称"], ["华宇"])).sheet == "", "where there is but one it need not be named"
