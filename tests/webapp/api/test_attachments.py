"""Files: sent up, hung on an instance by its form, read by whoever may read that, swept when nobody wants them."""

from __future__ import annotations

import io
import os
from pathlib import Path
from typing import Any

import pytest
from werkzeug.test import TestResponse

from engine import attachments, jobs
from engine.db import Sessions, transaction
from tests.conftest import TestClock
from tests.webapp.callers import EMPLOYEE, OTHER, SUPERIOR, Caller, House, good, refused, request_of

PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 20
PDF = b"%PDF-1.7\n%"
DOCX = b"PK\x03\x04" + b"\0" * 30


def send(caller: Caller, name: str, content: bytes, **more: Any) -> TestResponse:
    return caller.call("POST", "/attachments", data={"file": (io.BytesIO(content), name)}, **more)


def test_a_file_is_its_senders_alone_until_a_form_names_it(people: House) -> None:
    employee, superior, other = people(EMPLOYEE), people(SUPERIOR), people(OTHER)
    answer = send(employee, "行程 单.pdf", PDF)
    file = good(answer)
    assert answer.status_code == 201
    assert answer.headers["Location"] == file["url"] == f"/api/v1/attachments/{file['id']}"
    assert (file["name"], file["media_type"], file["size"]) == ("行程 单.pdf", "application/pdf", len(PDF))
    path = f"/attachments/{file['id']}"
    for stranger in (superior, other):
        refused(stranger.call("GET", path), 404)
        refused(stranger.call("DELETE", path), 404)
    refused(
        other.call("POST", "/process-definitions/expense_request/start", request_of("1.00", attachments=[file["id"]])),
        422,
    )

    started = employee.post("/process-definitions/expense_request/start", request_of("1.00", attachments=[file["id"]]))
    assert [f["id"] for f in superior.get(f"/process-instances/{started['id']}")["files"]] == [file["id"]]
    (item,) = superior.inbox()
    assert [f["name"] for f in superior.get(f"/work-items/{item['item_id']}")["files"]] == ["行程 单.pdf"]
    refused(other.call("GET", path), 404)
    refused(employee.call("DELETE", path), 404)
    given = superior.call("GET", path)
    assert given.data == PDF
    assert given.headers["Content-Disposition"] == "attachment; filename*=UTF-8''%E8%A1%8C%E7%A8%8B%20%E5%8D%95.pdf"
    assert given.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in given.headers["Content-Security-Policy"]
    assert "no-store" in given.headers["Cache-Control"]


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    ("name", "content", "media_type"),
    [
        ("a.png", PNG, "image/png"),
        ("a.JPG", b"\xff\xd8\xff\xe0", "image/jpeg"),
        ("a.docx", DOCX, "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
        ("a.zip", DOCX, "application/zip"),
        ("a.csv", "姓名,金额\n".encode("gb18030"), "text/csv"),
        ("page.html", b"<script>alert(1)</script>", "text/plain"),
        ("image.svg", b"<svg onload='x'/>", "text/plain"),
        ("a.webp", b"RIFF\0\0\0\0WEBPVP8 ", "image/webp"),
        ("a.dwg", b"AC1032\0\1\2\xff\xfe", "application/octet-stream"),
        ("C:\\Users\\x\\报告.txt", b"x", "text/plain"),
        ("../../etc/passwd", b"x", "text/plain"),
    ],
)
def test_a_file_is_what_its_bytes_are(people: House, name: str, content: bytes, media_type: str) -> None:
    file = good(send(people(EMPLOYEE), name, content))
    assert file["media_type"] == media_type
    assert "/" not in file["name"]
    assert "\\" not in file["name"]


@pytest.mark.databases("sqlite")
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("setup.exe", b"MZ\x90\0"),
        ("photo.png", b"MZ\x90\0"),
        ("run.sh", b"echo"),
        ("script", b"#!/bin/sh\n"),
        ("a.pdf", PNG),
        ("a.png", b"<html>"),
        ("a.docx", b"text"),
        ("empty.txt", b""),
        ("..", b"x"),
    ],
)
def test_programs_and_pretenders_are_refused(people: House, name: str, content: bytes) -> None:
    refused(send(people(EMPLOYEE), name, content), 422, "file_refused")


@pytest.mark.databases("sqlite")
def test_uploads_are_bounded_and_single(people: House, monkeypatch: pytest.MonkeyPatch) -> None:
    employee = people(EMPLOYEE)
    refused(employee.call("POST", "/attachments", data={"other": (io.BytesIO(b"x"), "x.txt")}), 400)
    refused(employee.call("POST", "/attachments", data={"file": [(io.BytesIO(b"x"), "x.txt")] * 2}), 400)
    body = b"x" * (attachments.LARGEST + 100_000)
    refused(employee.call("POST", "/attachments", data=body, content_type="multipart/form-data; boundary=x"), 413)
    refused(employee.call("POST", "/attachments", data=b"--x", content_type="multipart/form-data"), 400)


def test_the_same_bytes_lie_there_once_and_go_when_nobody_names_them(
    people: House, clock: TestClock, tmp_path: Path
) -> None:
    employee = people(EMPLOYEE)

    def kept() -> list[Path]:
        return sorted((tmp_path / "attachments").glob("??/*"))

    kept_one = good(send(employee, "a.txt", b"same"))
    stray = good(send(employee, "b.txt", b"same"))
    lonely = good(send(employee, "c.txt", b"lonely"))
    employee.post("/process-definitions/expense_request/start", request_of("1.00", attachments=[kept_one["id"]]))
    assert len(kept()) == 2
    clock.advance(hours=25)
    for path in kept():
        os.utime(path, (0, 0))
    jobs.sweep()
    jobs.sweep_attachments()
    assert [path.name for path in kept()] == [kept_one["sha256"]]
    assert employee.call("GET", f"/attachments/{kept_one['id']}").data == b"same"
    for gone in (stray, lonely):
        refused(employee.call("GET", f"/attachments/{gone['id']}"), 404)


@pytest.mark.databases("sqlite")
def test_a_rollback_keeps_no_row_and_bytes_lost_are_said_to_be(people: House, tmp_path: Path) -> None:
    employee = people(EMPLOYEE)
    file = good(send(employee, "a.txt", b"lost"))
    for path in (tmp_path / "attachments").glob("??/*"):
        path.unlink()
    refused(employee.call("GET", f"/attachments/{file['id']}"), 404)
    assert employee.call("DELETE", f"/attachments/{file['id']}").status_code == 204
    refused(employee.call("GET", f"/attachments/{file['id']}"), 404)
    with transaction() as session:
        assert attachments.sweep(session) == 0
    Sessions.remove()
