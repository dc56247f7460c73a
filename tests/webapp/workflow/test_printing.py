"""The page that prints, the Word file, the archive's register and package, and the signature on one's own page."""

from __future__ import annotations

import io
import json
import re
import zipfile

import pytest
from docx import Document
from sqlalchemy import select

from engine import attachments
from engine.db import Sessions, transaction
from processes.document import jobs
from processes.document.models import ArchivePackage
from processes.organization.models import Employee
from tests.connectors.test_word import png
from tests.demo_house import DemoHouse, Facts

FINISHED = "拜访苏州客户"
RUNNING = "上海客户现场调研"


def filed() -> dict[int, int]:
    """File what has ended; {instance: package}."""
    jobs.file_packages()
    with transaction() as session:
        found = {row.record_id: row.id for row in session.execute(select(ArchivePackage.record_id, ArchivePackage.id))}
    Sessions.remove()
    return found


def test_the_button_leads_to_a_page_that_prints(house: DemoHouse, facts: Facts) -> None:
    wang, number = house.login("wang.lei"), facts.instance(RUNNING)
    assert f'href="/instances/{number}/print"' in wang.get(f"/instances/{number}").text
    answer = wang.get(f"/instances/{number}/print?_l_=en")
    page = answer.text
    assert answer.status_code == 200
    for said in ("云启智联科技", "Not finished", "壹万贰仟叁佰肆拾伍元陆角整", "项目需要", "Total", "Printed by 王磊"):
        assert said in page, said
    assert "counter(pages)" in page
    (policy,) = answer.headers.getlist("Content-Security-Policy")
    nonces = set(re.findall(r'<style nonce="([^"]+)"', page))
    assert len(nonces) == 1
    assert f"'nonce-{nonces.pop()}'" in policy


@pytest.mark.parametrize("path", ["print", "print.docx"])
def test_strangers_get_nothing(house: DemoHouse, facts: Facts, path: str) -> None:
    number = facts.instance(RUNNING)
    assert house.login("xu.fang").get(f"/instances/{number}/{path}").status_code == 404
    assert house.login("wang.lei").get(f"/instances/999999/{path}").status_code == 404
    assert house.visitor().get(f"/instances/{number}/{path}").status_code in (302, 401)


def test_word_is_given_as_a_file(house: DemoHouse, facts: Facts) -> None:
    answer = house.login("wang.lei").get(f"/instances/{facts.instance(RUNNING)}/print.docx")
    assert answer.mimetype.endswith("wordprocessingml.document")
    assert answer.headers["Content-Disposition"].startswith("attachment; filename*=UTF-8''")
    assert "no-store" in answer.headers["Cache-Control"]
    text = "\n".join(cell.text for t in Document(io.BytesIO(answer.data)).tables for r in t.rows for cell in r.cells)
    assert "项目需要" in text


def test_the_archive_is_a_register_with_the_packages_of_what_one_may_read(house: DemoHouse, facts: Facts) -> None:
    packages = filed()
    number = facts.instance(FINISHED)
    admin, starter, stranger = house.login("zheng.kai"), house.login("wang.lei"), house.login("xu.fang")
    whole = admin.get("/document/archive/list/?_l_=en").text
    assert "Filed processes" in whole
    assert len(set(re.findall(r"AP-\d{4}-\d{6}", whole))) == len(packages)
    assert FINISHED in admin.get("/document/archive/list/?q=苏州").text
    assert FINISHED not in stranger.get("/document/archive/list/").text
    assert stranger.get(f"/document/archive/show/{packages[number]}").status_code == 404
    page = starter.get(f"/document/archive/show/{packages[number]}?_l_=en").text
    assert "Download the package" in page
    assert starter.post("/document/archive/add").status_code == 404
    assert starter.post(f"/document/archive/delete/{packages[number]}").status_code == 404
    assert starter.get(f"/document/archive/edit/{packages[number]}").status_code == 404
    led = starter.post(f"/document/archive/action/download/{packages[number]}")
    assert led.status_code == 302
    answer = starter.get(led.headers["Location"])
    archive = zipfile.ZipFile(io.BytesIO(answer.data))
    assert json.loads(archive.read("manifest.json"))["record"]["id"] == number
    assert int(answer.headers["Content-Length"]) == len(answer.data)
    assert stranger.get(led.headers["Location"]).status_code == 404
    assert starter.get("/archive/999999").status_code == 404
    assert f"/archive/{packages[number]}" in starter.get(f"/instances/{number}/print").text


def test_a_package_with_hidden_fields_is_refused_in_words(
    house: DemoHouse, facts: Facts, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages, number = filed(), facts.instance(FINISHED)
    monkeypatch.setattr("engine.work_items.hidden_fields", lambda *_args: {"lines"})
    answer = house.login("wang.lei").get(f"/archive/{packages[number]}?_l_=en")
    assert answer.status_code == 403
    assert "hidden from you" in answer.text
    assert "Print the process instead" in answer.text


def test_a_package_lost_from_the_disk_is_not_found(house: DemoHouse, facts: Facts) -> None:
    packages, number = filed(), facts.instance(FINISHED)
    with transaction() as session:
        attachments.path_of(session.get_one(ArchivePackage, packages[number]).sha256).unlink()
    Sessions.remove()
    assert house.login("wang.lei").get(f"/archive/{packages[number]}").status_code == 404


# ------------------------------------------------------------------------------------------------- signatures


def signature(name: str) -> str:
    with transaction() as session:
        found = session.scalars(select(Employee.signature).where(Employee.name == name)).one()
    Sessions.remove()
    return found


def test_one_sets_looks_at_and_removes_ones_own_signature(house: DemoHouse) -> None:
    wang = house.login("wang.lei")
    assert wang.get("/me/signature").status_code == 404
    picture = png()
    saved = wang.post("/me/signature", {"signature": (io.BytesIO(picture), "签名.png")})
    assert saved.status_code == 302
    assert len(signature("王磊")) == 64
    seen = wang.get("/me/signature")
    assert (seen.data, seen.mimetype) == (picture, "image/png")
    assert "no-store" in seen.headers["Cache-Control"]
    assert house.login("zhou.ming").get("/me/signature").status_code == 404
    assert "/me/signature?" in wang.get("/me/").text
    assert wang.post("/me/signature/remove").status_code == 302
    assert signature("王磊") == ""
    assert wang.get("/me/signature").status_code == 404


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "Please choose a picture."),
        (b"\xff\xd8\xff\xe0 jpeg", "not a PNG"),
        (b"<svg onload='alert(1)'/>", "not a PNG"),
        (png()[:-6], "damaged"),
        (png() + b"\0" * 300_000, "larger than 200 KB"),
        (png(30, 40), "30 × 40 dots"),
        (png(1300, 40), "1300 × 40 dots"),
    ],
)
def test_only_a_small_whole_png_serves_as_signature(house: DemoHouse, content: bytes, said: str) -> None:
    wang = house.login("wang.lei")
    answer = wang.post("/me/signature?_l_=en", {"signature": (io.BytesIO(content), "x.png")})
    assert answer.status_code == 422
    assert said in answer.text
    assert signature("王磊") == ""


def test_no_signature_can_be_fetched_as_a_file(house: DemoHouse) -> None:
    wang = house.login("wang.lei")
    wang.post("/me/signature", {"signature": (io.BytesIO(png()), "x.png")})
    for number in range(1, 20):
        assert wang.get(f"/api/v1/attachments/{number}").mimetype != "image/png"
