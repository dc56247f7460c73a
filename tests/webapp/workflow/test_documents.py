"""Pages of Word documents: upload with faults, the form of a template, the document, comparing."""

from __future__ import annotations

import io
import re

import pytest
from werkzeug.test import TestResponse

from connectors.word import printing
from engine import delivering, outbox
from engine.db import Sessions
from tests.connectors.word_files import docx, texts
from tests.demo_house import Browser, DemoHouse, Facts
from webapp.wires import Office, WordHandler

TEMPLATE = docx(
    "{{ 编号 }} {{ 甲方.名称 }} {{ 合计|capitals }} {% if 急件 %}急{% endif %}",
    rows=[["{%tr for 行 in 明细 %}"], ["{{ 行.名称 }} {{ 行.金额|amount }}"], ["{%tr endfor %}"]],
)
FILLED = {
    "编号": "HT-1", "甲方.名称": "A&B <C>", "合计": "325.04", "急件": "1", "lines.明细": "2",
    "明细.0.名称": "甲", "明细.0.金额": "1", "明细.1.名称": "乙", "明细.1.金额": "2000",
}  # fmt: skip


@pytest.fixture
def admin(house: DemoHouse) -> Browser:
    return house.login("zheng.kai")


@pytest.fixture
def clerk(house: DemoHouse) -> Browser:
    return house.login("wang.lei")


@pytest.fixture
def printer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(printing, "pdf", lambda _docx: printing.Printed(b"%PDF-1.7 paper", 2))
    monkeypatch.setitem(outbox.HANDLERS, "word", WordHandler(Office()))


def upload(browser: Browser, content: bytes = TEMPLATE, code: str = "deal") -> TestResponse:
    form = {"title": "买卖", "code": code, "file": (io.BytesIO(content), "买卖.docx")}
    return browser.post("/documents/upload?_l_=en", form, content_type="multipart/form-data")


def test_a_bad_template_comes_back_with_its_faults_beside_the_paragraphs(admin: Browser, clerk: Browser) -> None:
    answer = upload(admin, docx("第一条 {{ a|nofilter }}", "第二条 {% if b %}<未结束>"))
    assert answer.status_code == 422
    where = re.findall(r'class="yl-doc-where">([^<]*)<', answer.text)
    assert where == ["Body text: 第一条 {{ a|nofilter }}", "Body text: 第二条 {% if b %}&lt;未结束&gt;"]
    assert "There is no filter “nofilter”." in answer.text
    assert 'value="deal"' in answer.text
    for content, sentence in ((b"text", "is not what its ending says"), (docx(""), "")):
        refused = upload(admin, content, code="" if not sentence else "deal")
        assert refused.status_code == 422
    assert upload(clerk).status_code == 403
    assert clerk.get("/documents/upload").status_code == 403


def test_the_form_of_a_template_makes_a_document_once(
    admin: Browser, clerk: Browser, house: DemoHouse, printer: None
) -> None:
    assert upload(admin).status_code == 302
    assert "/documents/make/deal" in clerk.get("/documents/").text
    page = clerk.get("/documents/make/deal?_l_=en").text
    assert 'name="甲方.名称"' in page
    assert 'type="checkbox" class="form-check-input" value="1" id="field-急件"' in page
    more = clerk.post("/documents/make/deal?_l_=en", {**FILLED, "more": "明细"})
    assert (more.status_code, 'name="明细.2.名称"' in more.text, "A&amp;B &lt;C&gt;" in more.text) == (200, True, True)
    less = clerk.post("/documents/make/deal?_l_=en", {**FILLED, "less": "明细.0"}).text
    assert 'value="乙"' in less
    assert 'name="明细.1.名称"' not in less
    wrong = clerk.post("/documents/make/deal?_l_=en", {**FILLED, "合计": "viel", "编号": ""})
    assert wrong.status_code == 422
    assert re.findall(r'id="errors-(\S+)"><p>', wrong.text) == ["编号", "合计"]
    made = clerk.post("/documents/make/deal", {**FILLED, "submission": "s1", "name": "合同"}).location
    assert clerk.post("/documents/make/deal", {**FILLED, "submission": "s1", "name": "合同"}).location == made
    waiting = clerk.get(f"{made}?_l_=en").text
    assert 'hx-trigger="every 2s"' in waiting
    delivering.deliver_outbox()
    Sessions.remove()
    done = clerk.get(f"{made}?_l_=en").text
    assert ("2 pages" in done, 'hx-trigger="every 2s"' in done) == (True, False)
    links = re.findall(r'href="(/api/v1/attachments/\d+)" download', done)
    assert texts(clerk.get(links[0]).data) == ["HT-1 A&B <C> 叁佰贰拾伍元零肆分 急", "甲 1.00", "乙 2,000.00"]
    assert clerk.get(links[1]).data == b"%PDF-1.7 paper"
    assert house.login("li.na").get(made).status_code == 404
    assert clerk.get("/document/document/list/").text.count("合同") >= 1


def test_a_document_without_a_pdf_says_why_and_is_asked_for_again(
    admin: Browser, clerk: Browser, printer: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    upload(admin)
    made = clerk.post("/documents/make/deal", {**FILLED, "submission": "s2"}).location
    monkeypatch.setattr(printing, "office", lambda: None)

    def none(_docx: bytes) -> printing.Printed:
        raise printing.NotPrinted("no_office")

    monkeypatch.setattr(printing, "pdf", none)
    delivering.deliver_outbox()
    Sessions.remove()
    page = clerk.get(f"{made}?_l_=en").text
    assert "This machine has no LibreOffice" in page
    assert clerk.post(f"{made}/print").status_code == 302
    assert 'hx-trigger="every 2s"' in clerk.get(made).text


def test_two_files_are_compared_on_a_page(clerk: Browser, house: DemoHouse) -> None:
    files = {"old": (io.BytesIO(docx("十日内付款")), "a.docx"), "new": (io.BytesIO(docx("三十日内付款")), "b.docx")}
    answer = clerk.post("/documents/compare", files, content_type="multipart/form-data")
    page = clerk.get(f"{answer.location}?_l_=en").text
    assert re.findall(r"<ins>(.*?)</ins>", page) == ["三"]
    assert "王磊" in page
    (change,) = re.findall(r'name="id" value="([^"]+)"', page)
    settled = clerk.post(f"{answer.location}/reject", {"id": change}).location
    assert "no tracked changes" in clerk.get(f"{settled}?_l_=en").text
    (link,) = set(re.findall(r'href="(/api/v1/attachments/\d+)" download', clerk.get(settled).text))
    assert texts(clerk.get(link).data) == ["十日内付款"]
    assert house.login("li.na").get(answer.location).status_code == 404
    garbage = {"old": (io.BytesIO(b"PK\x03\x04"), "a.docx"), "new": (io.BytesIO(docx("x")), "b.docx")}
    refused = clerk.post("/documents/compare?_l_=en", garbage, content_type="multipart/form-data")
    assert (refused.status_code, "no Word file" in refused.text) == (422, True)
    assert clerk.post("/documents/compare", {}).status_code == 422


def test_the_print_of_a_process_becomes_a_pdf(clerk: Browser, house: DemoHouse, facts: Facts, printer: None) -> None:
    instance_id = facts.instance("拜访苏州客户")
    assert f"/instances/{instance_id}/print.pdf" in clerk.get(f"/instances/{instance_id}/print").text
    made = clerk.post(f"/instances/{instance_id}/print.pdf", {"submission": "p1"}).location
    assert clerk.post(f"/instances/{instance_id}/print.pdf", {"submission": "p1"}).location == made
    delivering.deliver_outbox()
    Sessions.remove()
    assert "2 pages" in clerk.get(f"{made}?_l_=en").text
    assert house.login("zhou.ming").get(made).status_code == 404
