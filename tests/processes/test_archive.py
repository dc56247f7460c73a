"""Printing and filing: what stands on paper, what lies in a package, who gets it, and how a damaged one is found."""

from __future__ import annotations

import hashlib
import io
import json
import os
import re
import stat
import zipfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from sqlalchemy import select, update
from sqlalchemy.orm import Session

from connectors.word import printing
from connectors.word.faults import NotPrinted
from engine import attachments, repository, runtime, work_items
from engine.actor import SYSTEM, Actor
from engine.catalog import CATALOG, Process
from engine.db import Sessions, transaction
from engine.errors import Forbidden, NotFound
from engine.i18n import reading_as
from engine.models import Attachment, Instance, RecordAudit, WorkItem
from engine.work_items.rights import ADMINISTER, MONITOR, readable_by
from processes.document import jobs, operations as document
from processes.document.models import ArchivePackage
from processes.document.operations import checking, filing, on_paper
from processes.document.permissions import demand_whole, visible_to
from processes.organization import operations as organization
from processes.organization.models import Employee
from processes.spending import operations as spending
from tests.conftest import TestClock
from tests.connectors.test_word import png
from tests.processes.company import Company, actor_of, found_company
from webapp import bootstrap

BPMN = Path(__file__).parents[2] / "bpmn" / "spending"
NIGHT = datetime(2026, 11, 24, 18, 30, tzinfo=UTC)
"""half past two in Shanghai, the night after"""


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    attachments.install(tmp_path / "attachments")
    on_paper.install_office(None)
    return tmp_path / "attachments"


@pytest.fixture
def company(session: Session, clock: TestClock, folder: Path) -> Company:
    bootstrap.join_parts()
    document.install_address("https://bpm.example.com")
    made = found_company(session)
    files = {path.name: path.read_text("utf-8") for path in sorted(BPMN.iterdir())}
    repository.deploy(session, SYSTEM, files, package="spending")
    spending.create_category(session, SYSTEM, values={"code": "travel", "name": "差旅"})
    session.commit()
    return made


def send(session: Session, starter: Employee, *amounts: str, **fields: Any) -> int:
    lines = [{"category": "travel", "amount": amount, "purpose": "高铁"} for amount in amounts]
    values = {"title": "拜访 <客户> & Co", "lines": lines, **fields}
    started = runtime.start(session, actor_of(starter), "expense_request", values=values)
    session.commit()
    return started.instance_id


def decide(session: Session, person: Employee, instance_id: int, action: str, opinion: str = "") -> None:
    (item,) = work_items.open_items(session, instance_id)
    work_items.act(session, actor_of(person), item.id, action, opinion=opinion)
    session.commit()


@pytest.fixture
def approved(session: Session, company: Company) -> int:
    """Two lines, one attachment, approved by the superior, who signed."""
    file = attachments.store(session, actor_of(company.li), "报价 ../单.pdf", b"%PDF-1.7 offer")
    session.commit()
    number = send(session, company.li, "300.5", "199.5", attachments=[file.id])
    decide(session, company.wang, number, "approve", "同意，\n注意预算")
    return number


def package_of(session: Session, instance_id: int, edition: int = 1) -> ArchivePackage:
    """As it lies in the database now; the session lets go of it, for SQLite has one writer."""
    session.commit()
    found = select(ArchivePackage).where(ArchivePackage.record_id == instance_id, ArchivePackage.edition == edition)
    package = session.scalars(found.execution_options(populate_existing=True)).one()
    session.expunge(package)
    session.commit()
    return package


def standing() -> tuple[str, str]:
    said = CATALOG.health["archive"]()
    Sessions.remove()
    return said


def zip_of(package: ArchivePackage) -> zipfile.ZipFile:
    return zipfile.ZipFile(attachments.path_of(package.sha256))


# ------------------------------------------------------------------------------------------------- on paper


def test_what_stands_on_paper(session: Session, company: Company, approved: int) -> None:
    seen = document.printed(session, actor_of(company.li), approved)
    assert (seen.company, seen.department, seen.process) == ("总经办", "销售部", "Expense request")
    assert (seen.title, seen.number, seen.state, seen.finished) == ("拜访 <客户> & Co", approved, "Completed", True)
    (section,) = seen.sections
    table = next(block for block in section.blocks if block.is_table)
    assert [column.is_amount for column in table.columns] == [False, True, False]
    assert table.rows == (("差旅", "¥300.50", "高铁"), ("差旅", "¥199.50", "高铁"))
    assert table.totals == ("", "¥500.00", "")
    facts = {one.label: one for block in section.blocks if not block.is_table for row in block.rows for one in row}
    total = facts["Total (CNY)"]
    assert (total.text, total.in_capitals) == ("¥500.00", "伍佰元整")
    assert facts["Attachments"].text == "报价 ../单.pdf"
    begun, superior = seen.opinions
    assert (begun.who, begun.result) == ("李娜", "Submitted")
    assert (superior.who, superior.result, superior.said) == ("王芳", "Agreed", "同意，\n注意预算")
    assert superior.at == "2026-11-23 09:00"
    instance = session.get_one(Instance, approved)
    assert (seen.chain_lines, seen.chain_head) == (instance.log_seq, instance.log_hash)
    assert seen.address == f"https://bpm.example.com/instances/{approved}"
    (file,) = seen.files
    assert file.sha256 == hashlib.sha256(b"%PDF-1.7 offer").hexdigest()


def test_html_and_word_say_the_same(session: Session, company: Company, approved: int) -> None:
    with reading_as("zh_CN"):
        seen = document.printed(session, actor_of(company.li), approved)
    page = document.as_html(seen)
    read = Document(io.BytesIO(document.as_word(seen)))
    cells = {cell.text for table in read.tables for row in table.rows for cell in row.cells}
    for text in ("¥300.50", "王芳", "同意，\n注意预算", "2026-11-23 09:00", "报价 ../单.pdf"):
        assert any(text in cell for cell in cells), text
        assert text in page, text
    assert any("伍佰元整" in cell for cell in cells)
    assert "伍佰元整" in page
    assert "拜访 &lt;客户&gt; &amp; Co" in page
    assert seen.chain_head in page
    assert any(seen.chain_head in paragraph.text for paragraph in read.paragraphs)
    assert len(read.inline_shapes) == 1  # the code
    assert page.count("<svg") == 1
    assert not re.search(r"""(?:src|href)=["'](?!data:)""", page), "the page needs nothing else"
    assert '<html lang="zh-CN">' in page


def test_no_name_breaks_out_of_the_style(session: Session, company: Company, approved: int) -> None:
    seen = document.printed(session, actor_of(company.li), approved)
    nasty = '"; } </style><script>alert(1)</script>\n{page}'
    page = document.as_html(replace(seen, company=nasty, printed_by=nasty, title=nasty))
    assert "<script" not in page
    assert page.count("</style>") == 1
    head = page.partition("</style>")[0]
    assert '"; }' not in head
    assert document.as_word(replace(seen, company=nasty, printed_by=nasty, title=nasty))


def test_a_running_one_says_it_is_not_finished(session: Session, company: Company) -> None:
    number = send(session, company.li, "12.00")
    seen = document.printed(session, actor_of(company.li), number)
    assert not seen.finished
    assert [(one.result, one.who, one.waiting) for one in seen.opinions][-1] == ("In progress", "王芳", True)
    assert "Not finished" in document.as_html(seen)
    read = Document(io.BytesIO(document.as_word(seen)))
    assert any("Not finished" in paragraph.text for paragraph in read.paragraphs)


def test_who_acts_for_another_is_named_so_and_a_lost_signature_is_said(
    session: Session, company: Company, approved: int, folder: Path
) -> None:
    picture = png()
    sha256 = organization.set_signature(session, actor_of(company.wang), content=picture)
    session.execute(
        update(WorkItem).where(WorkItem.instance_id == approved).values(on_behalf_of=company.chen.id, signature=sha256)
    )
    session.commit()
    seen = document.printed(session, actor_of(company.li), approved)
    assert seen.opinions[-1].who == "王芳 for 陈明"
    with reading_as("zh_CN"):  # the catalogue is installed where an application has been made before
        who = document.printed(session, actor_of(company.li), approved).opinions[-1].who
        assert who in {"王芳 代 陈明", "王芳 for 陈明"}
    assert seen.opinions[-1].signature == picture
    assert "data:image/png;base64," in document.as_html(seen)
    assert len(Document(io.BytesIO(document.as_word(seen))).inline_shapes) == 2
    attachments.path_of(sha256).unlink()
    seen = document.printed(session, actor_of(company.li), approved)
    assert f"picture missing ({sha256[:12]})" in document.as_html(seen)
    assert len(Document(io.BytesIO(document.as_word(seen))).inline_shapes) == 1


def test_only_readers_print_and_see_only_what_they_may(
    session: Session, company: Company, approved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(NotFound):
        document.printed(session, actor_of(company.zhao), approved)
    with pytest.raises(NotFound):
        document.printed(session, actor_of(company.zhao), 999_999)
    for room in (work_items, work_items.reading):
        monkeypatch.setattr(room, "hidden_fields", lambda *_args: {"lines", "attachments"})
    page = document.as_html(document.printed(session, actor_of(company.wang), approved))
    assert "¥300.50" not in page
    assert "报价" not in page
    assert "¥500.00" in page


def test_a_draft_with_nonsense_in_it_prints(session: Session, company: Company) -> None:
    values = {"title": 7, "lines": [{"amount": "x", "category": ["?"]}, "no row"], "attachments": ["a", True, 4711]}
    draft = runtime.save_draft(session, actor_of(company.li), "expense_request", values)
    session.commit()
    seen = document.printed(session, actor_of(company.li), getattr(draft, "id", draft))
    assert not seen.finished
    assert document.as_html(seen)
    assert document.as_word(seen)


# ------------------------------------------------------------------------------------------------- filed


def test_an_ended_process_is_filed_and_its_package_proves_itself(
    session: Session, company: Company, approved: int, folder: Path
) -> None:
    assert package_of(session, approved).state == "waiting"
    assert jobs.file_packages() == 1
    package = package_of(session, approved)
    assert (package.state, package.number, package.outcome) == ("filed", "AP-2026-000001", "completed")
    assert (package.retention_years, str(package.keep_until)) == (10, "2036-12-31")
    assert (package.starter_name, package.title) == ("李娜", "费用申请 · 拜访 <客户> & Co")
    path = attachments.path_of(package.sha256)
    assert stat.S_IMODE(path.stat().st_mode) & 0o222 == 0
    assert hashlib.sha256(path.read_bytes()).hexdigest() == package.sha256
    audit = session.scalars(select(RecordAudit).where(RecordAudit.record_type == "document.archive")).one()
    assert (audit.action, audit.record_id) == ("filed", package.id)

    archive = zip_of(package)
    manifest = json.loads(archive.read("manifest.json"))
    names = {part["name"] for part in manifest["parts"]}
    assert set(archive.namelist()) == names | {"manifest.json"}
    assert package.parts == len(archive.namelist())
    assert {"print.html", "print.docx", "form.json", "history.json", "process/expense_request.bpmn"} <= names
    for part in manifest["parts"]:
        content = archive.read(part["name"])
        assert (len(content), hashlib.sha256(content).hexdigest()) == (part["size"], part["sha256"])
    (attachment,) = (name for name in names if name.startswith("attachments/"))
    assert ".." not in attachment.split("/")
    assert archive.read(attachment) == b"%PDF-1.7 offer"
    assert manifest["number"] == "AP-2026-000001"
    assert "AP-2026-000001" in archive.read("print.html").decode()
    assert "伍佰元整" in archive.read("print.html").decode()
    assert json.loads(archive.read("form.json"))["values"]["title"] == "拜访 <客户> & Co"
    assert _proves_itself(archive.read("history.json")) == manifest["chain"]["head"]


def test_the_print_lies_in_it_as_pdf_too_and_an_office_that_fails_holds_nothing_up(
    session: Session, company: Company, approved: int, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(on_paper, "_office", lambda docx: printing.pdf(docx).pdf)
    assert jobs.file_packages() == 1
    archive = zip_of(package_of(session, approved))
    assert archive.read("print.pdf").startswith(b"%PDF-")
    assert "missing" not in json.loads(archive.read("manifest.json"))

    def broken(_docx: bytes) -> bytes:
        raise NotPrinted("timeout")

    monkeypatch.setattr(on_paper, "_office", broken)
    work_items.void(session, actor_of(company.chen, ADMINISTER), approved, "doppelt")
    session.commit()
    for _attempt in range(2):
        assert jobs.file_packages() == 0
        clock.advance(hours=1)
    assert jobs.file_packages() == 1
    archive = zip_of(package_of(session, approved, 2))
    assert "print.pdf" not in archive.namelist()
    assert json.loads(archive.read("manifest.json"))["missing"] == {"print.pdf": "timeout"}


def _proves_itself(history: bytes) -> str:
    """Checks the chain by nothing but the recipe that lies in the package; returns its head."""
    told = json.loads(history)
    head = ""
    for line in told["lines"]:
        text = json.dumps([head, *line["facts"]], ensure_ascii=False, sort_keys=True, separators=(",", ":"))
        head = hashlib.sha256(text.encode()).hexdigest()
        assert head == line["hash"]
    assert len(told["lines"]) == told["count"]
    assert head == told["head"]
    return head


def test_marked_with_the_end_or_not_at_all(session: Session, company: Company) -> None:
    number = send(session, company.li, "12.00")
    (item,) = work_items.open_items(session, number)
    work_items.act(session, actor_of(company.wang), item.id, "approve")
    marked = select(ArchivePackage.id).where(ArchivePackage.record_id == number)
    assert session.scalar(marked) is not None
    session.rollback()
    assert session.scalar(marked) is None


@pytest.mark.parametrize(("action", "filed"), [("approve", True), ("reject", True), ("withdraw", False)])
def test_which_ends_are_filed(session: Session, company: Company, action: str, filed: bool) -> None:
    number = send(session, company.li, "12.00")
    if action == "withdraw":
        work_items.withdraw(session, actor_of(company.li), number, "doch nicht")
        session.commit()
    else:
        decide(session, company.wang, number, action, "darum")
    assert jobs.file_packages() == (1 if filed else 0)
    assert (document.package_of(session, number) is not None) == filed


def test_a_process_says_what_is_filed_and_how_long(
    session: Session, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    _declare(monkeypatch, filed_endings=("withdrawn",), retention_years=30)
    gone = send(session, company.li, "12.00")
    work_items.withdraw(session, actor_of(company.li), gone, "doch nicht")
    session.commit()
    number = send(session, company.li, "13.00")
    decide(session, company.wang, number, "approve")
    assert jobs.file_packages() == 1
    assert document.package_of(session, number) is None
    assert str(package_of(session, gone).keep_until) == "2056-12-31"


def _declare(monkeypatch: pytest.MonkeyPatch, **settings: Any) -> None:
    manifest = CATALOG.manifests["spending"]
    processes: tuple[Process, ...] = tuple(replace(one, **settings) for one in manifest.processes)
    monkeypatch.setitem(CATALOG.manifests, "spending", replace(manifest, processes=processes))


def test_what_ends_again_after_it_was_filed_gets_a_further_package(
    session: Session, company: Company, approved: int, clock: TestClock
) -> None:
    admin = actor_of(company.chen, ADMINISTER)
    jobs.file_packages()
    clock.advance(minutes=1)
    work_items.reopen(session, admin, approved, "approve_superior", "Beleg fehlte")
    session.commit()
    assert jobs.file_packages() == 0
    clock.advance(minutes=1)
    decide(session, company.wang, approved, "approve", "jetzt ja")
    assert jobs.file_packages() == 1
    first, second = package_of(session, approved), package_of(session, approved, 2)
    assert [(one.number, one.outcome) for one in (first, second)] == [
        ("AP-2026-000001", "completed"),
        ("AP-2026-000002", "completed"),
    ]
    assert attachments.hash_of(attachments.path_of(first.sha256))[0] == first.sha256
    assert json.loads(zip_of(second).read("manifest.json"))["edition"] == 2
    newest = document.package_of(session, approved)
    assert newest is not None
    assert newest.id == second.id
    with reading_as("en"):
        said = [(one.who, one.result, one.said) for one in document.printed(session, admin, approved).opinions]
    assert said[2:] == [("陈明", "Reopened", "Beleg fehlte"), ("王芳", "Agreed", "jetzt ja")]
    assert said[:2] == [("李娜", "Submitted", ""), ("王芳", "Agreed", "同意，\n注意预算")]


def test_a_void_one_is_filed_as_such(session: Session, company: Company, approved: int) -> None:
    jobs.file_packages()
    work_items.void(session, actor_of(company.chen, ADMINISTER), approved, "doppelt")
    session.commit()
    assert jobs.file_packages() == 1
    assert package_of(session, approved, 2).outcome == "void"
    assert "Voided" not in zip_of(package_of(session, approved)).read("print.html").decode()


def test_reopened_before_it_was_filed_it_waits_for_its_next_end(
    session: Session, company: Company, approved: int
) -> None:
    work_items.reopen(session, actor_of(company.chen, ADMINISTER), approved, "approve_superior", "Beleg fehlte")
    session.commit()
    assert jobs.file_packages() == 0
    decide(session, company.wang, approved, "approve")
    assert jobs.file_packages() == 1
    assert package_of(session, approved).number == "AP-2026-000001"


def test_what_ends_anew_while_its_package_is_built_is_built_again(
    session: Session, company: Company, approved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    build = filing._build

    def meanwhile(*given: Any) -> int:
        made = build(*given)
        with transaction() as other:
            work_items.void(other, actor_of(company.chen, ADMINISTER), approved, "doppelt")
        return made

    with monkeypatch.context() as patched:
        patched.setattr(filing, "_build", meanwhile)
        assert not document.file_package(package_of(session, approved).id)
    assert jobs.file_packages() == 1
    package = package_of(session, approved)
    assert (package.outcome, package.number) == ("void", "AP-2026-000001")
    assert json.loads(zip_of(package).read("manifest.json"))["state"] == "void"


def test_filing_twice_files_once(session: Session, company: Company, approved: int) -> None:
    package_id = package_of(session, approved).id
    again = document.mark_for_filing(session, instance_id=approved, definition_key="expense_request", state="completed")
    assert again is not None
    assert again.id == package_id
    session.commit()
    assert document.file_package(package_id)
    before = package_of(session, approved).sha256
    assert not document.file_package(package_id)
    assert jobs.file_packages() == 0
    assert package_of(session, approved).sha256 == before
    assert session.scalars(select(Attachment).where(Attachment.record_type == filing.FILE)).one().sha256 == before


def test_many_workers_at_once_file_each_once_with_numbers_of_their_own(session: Session, company: Company) -> None:
    numbers = [send(session, company.li, "12.00") for _ in range(6)]
    for number in numbers:
        decide(session, company.wang, number, "approve")
    ids = [package_of(session, number).id for number in numbers]
    session.rollback()
    Sessions.remove()

    def work(package_id: int) -> bool:
        with reading_as("en"):
            return document.file_package(package_id)

    with ThreadPoolExecutor(4) as pool:
        done = list(pool.map(work, ids * 2))
    assert sum(done) == len(ids)
    found = [package_of(session, number).number for number in numbers]
    assert sorted(found) == [f"AP-2026-{n:06d}" for n in range(1, 7)]  # type: ignore[type-var]


def test_a_crash_half_way_is_made_good_with_the_same_number(
    session: Session, company: Company, approved: int, clock: TestClock, monkeypatch: pytest.MonkeyPatch, folder: Path
) -> None:
    class PowerCut(BaseException):
        pass

    def cut(*_args: object) -> None:
        raise PowerCut

    package_id = package_of(session, approved).id
    with monkeypatch.context() as patched:
        patched.setattr(filing, "_file", cut)
        with pytest.raises(PowerCut):
            document.file_package(package_id)
    assert package_of(session, approved).number == "AP-2026-000001"
    other = send(session, company.li, "12.00")
    decide(session, company.wang, other, "approve")
    assert jobs.file_packages() == 1, "whoever was at it is not disturbed at once"
    clock.advance(minutes=16)
    assert jobs.file_packages() == 1
    assert package_of(session, approved).number == "AP-2026-000001"
    assert package_of(session, other).number == "AP-2026-000002"
    assert not list(folder.glob("**/*.part"))


@pytest.mark.parametrize("fault", ["lost", "spoilt"])
def test_nothing_is_filed_without_its_attachments(
    session: Session, company: Company, approved: int, clock: TestClock, fault: str
) -> None:
    path = attachments.path_of(hashlib.sha256(b"%PDF-1.7 offer").hexdigest())
    if fault == "lost":
        path.unlink()
    else:
        path.write_bytes(b"%PDF-1.7 other")
    for attempt in range(1, 4):
        assert jobs.file_packages() == 0
        package = package_of(session, approved)
        assert (package.state, package.attempts) == ("waiting", attempt)
        assert package.error
        clock.advance(hours=1)
    assert standing() == ("degraded", "1 packages cannot be filed")
    path.write_bytes(b"%PDF-1.7 offer")
    assert jobs.file_packages() == 1
    assert standing() == ("up", "")


def test_numbers_begin_anew_each_year(session: Session, company: Company, clock: TestClock) -> None:
    found = []
    for at in (datetime(2026, 12, 31, 15, 59, tzinfo=UTC), datetime(2026, 12, 31, 16, 1, tzinfo=UTC)):
        clock.turn_to(at)
        number = send(session, company.li, "12.00")
        decide(session, company.wang, number, "approve")
        jobs.file_packages()
        found.append(package_of(session, number).number)
    assert found == ["AP-2026-000001", "AP-2027-000001"]


def test_filed_is_read_only(session: Session, company: Company, approved: int) -> None:
    jobs.file_packages()
    package = session.get_one(ArchivePackage, package_of(session, approved).id)
    for name, value in (("sha256", "0" * 64), ("number", "AP-1"), ("keep_until", None), ("state", "waiting")):
        setattr(package, name, value)
        with pytest.raises(PermissionError):
            session.flush()
        session.rollback()
    session.delete(package)
    with pytest.raises(PermissionError):
        session.flush()
    session.rollback()


# ------------------------------------------------------------------------------------------------- who gets it


def test_whoever_may_read_the_process_sees_its_package(session: Session, company: Company, approved: int) -> None:
    def sees(actor: Actor) -> bool:
        return session.scalar(select(ArchivePackage.id).where(visible_to(actor))) is not None

    everybody = [company.li, company.wang, company.zhao, company.chen]
    assert not any(sees(actor_of(person)) for person in everybody), "what waits is nobody's yet"
    jobs.file_packages()
    assert [sees(actor_of(person)) for person in everybody] == [True, True, False, False]
    assert sees(actor_of(company.chen, MONITOR))


def test_a_package_is_not_for_those_from_whom_fields_are_hidden(
    session: Session, company: Company, approved: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs.file_packages()
    package = package_of(session, approved)
    demand_whole(session, actor_of(company.wang), package)
    with pytest.raises(NotFound):
        demand_whole(session, actor_of(company.zhao), package)
    schema = repository.get(session, session.get_one(Instance, approved).definition_id).start_form()
    assert schema is not None
    monkeypatch.setattr(type(schema), "rights", lambda _self, _step=None: {"lines": "hide"})
    demand_whole(session, actor_of(company.li), package)
    demand_whole(session, actor_of(company.chen, MONITOR), package)
    with pytest.raises(Forbidden):
        demand_whole(session, actor_of(company.wang), package)


def test_who_took_part_reads_for_as_long_as_the_process_says(
    session: Session, company: Company, approved: int, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reads(person: Employee, *permissions: str) -> bool:
        condition = readable_by(actor_of(person, *permissions))
        return session.scalar(select(Instance.id).where(Instance.id == approved, condition)) is not None

    clock.advance(days=31)
    assert reads(company.wang)
    _declare(monkeypatch, readers_until_days=30)
    assert not reads(company.wang)
    assert reads(company.li)
    assert reads(company.chen, MONITOR)
    _declare(monkeypatch, readers_until_days=32)
    assert reads(company.wang)
    running = send(session, company.li, "12.00")
    clock.advance(days=400)
    approved = running
    assert reads(company.wang)


# ------------------------------------------------------------------------------------------------- is it whole


@pytest.fixture
def filed(session: Session, company: Company, approved: int) -> Iterator[Path]:
    jobs.file_packages()
    path = attachments.path_of(package_of(session, approved).sha256)
    path.chmod(0o640)
    return path


def test_by_night_a_damaged_package_is_found_and_said(
    session: Session, approved: int, filed: Path, clock: TestClock
) -> None:
    whole = filed.read_bytes()
    filed.write_bytes(bytes([whole[0] ^ 1]) + whole[1:])
    clock.advance(days=1)
    assert jobs.check_packages() == 0, "not while people work"
    clock.turn_to(NIGHT)
    assert jobs.check_packages() == 1
    assert (package_of(session, approved).state, package_of(session, approved).error) == ("broken", checking.CHANGED)
    assert standing() == ("down", "1 packages in the archive are damaged")
    assert list(document.broken_packages(session)) == [("AP-2026-000001", checking.CHANGED)]
    session.rollback()
    assert jobs.check_packages() == 0, "once a night"
    filed.unlink()
    clock.advance(days=1)
    assert jobs.check_packages() == 1
    assert package_of(session, approved).error == checking.MISSING
    filed.write_bytes(whole)
    clock.advance(days=1)
    assert jobs.check_packages() == 1
    assert (package_of(session, approved).state, standing()) == ("filed", ("up", ""))
    assert list(document.broken_packages(session)) == []


def test_no_sweep_takes_a_package_or_a_signature(
    session: Session, company: Company, filed: Path, clock: TestClock, folder: Path
) -> None:
    organization.set_signature(session, actor_of(company.wang), content=png())
    organization.set_signature(session, actor_of(company.wang), content=png(200, 60))
    session.commit()
    for path in folder.glob("??/*"):
        os.utime(path, (0, 0))
    before = sorted(folder.glob("??/*"))
    clock.advance(days=3)
    with transaction() as swept:
        attachments.sweep(swept)
        attachments.sweep_bytes(swept)
    assert sorted(folder.glob("??/*")) == before
