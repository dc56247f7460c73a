"""Templates and documents: uploaded, refused, made once, put on paper by whoever can."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from docx import Document
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import attachments
from engine.actor import Actor
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from engine.models import Attachment, OutboxMessage
from processes.document import operations, permissions
from processes.document.models import WordDocument, WordTemplateVersion
from processes.document.operations.documents import message_key
from tests.connectors.word_files import docx, texts
from tests.contract_data import CONTRACTS, SALE
from tests.processes.company import Company

PLAIN = docx(
    "甲方：{{ 甲方.名称 }}",
    "价款：{{ 价款|capitals }}",
    rows=[["{%tr for 行 in 明细 %}"], ["{{ 行.名称 }}"], ["{%tr endfor %}"]],
)
DATA = {"甲方": {"名称": "A&B <C>"}, "价款": "1409.50", "明细": [{"名称": "甲"}, {"名称": "乙"}]}


@pytest.fixture(autouse=True)
def folder(tmp_path: Path) -> None:
    attachments.install(tmp_path / "attachments")


@pytest.fixture
def admin(company: Company) -> Actor:
    rights = (permissions.MANAGE_TEMPLATES, permissions.MAKE_DOCUMENTS)
    return Actor(person_id=1, name="管理员", permissions=frozenset(rights))


@pytest.fixture
def clerk(company: Company) -> Actor:
    return Actor(person_id=2, name="李娜", permissions=frozenset({permissions.MAKE_DOCUMENTS}))


def upload(session: Session, actor: Actor, content: bytes = PLAIN, code: str = "sale") -> WordTemplateVersion:
    return operations.upload_template(session, actor, code=code, title="买卖", file_name="买卖.docx", content=content)


def make(session: Session, actor: Actor, key: str = "k", data: dict[str, Any] = DATA, **more: Any) -> WordDocument:
    return operations.make_document(session, actor, template="sale", data=data, key=key, **more)


def content_of(file: Attachment | None) -> bytes:
    assert file is not None
    return attachments.path_of(file.sha256).read_bytes()


def test_a_template_becomes_a_document_with_every_sign_and_asks_for_its_pdf_once(
    session: Session, admin: Actor, clerk: Actor
) -> None:
    upload(session, admin)
    made = make(session, clerk, name="合同/一")
    assert texts(content_of(made.docx)) == ["甲方：A&B <C>", "价款：壹仟肆佰零玖元伍角整", "甲", "乙"]
    assert (made.name, made.state, made.docx and made.docx.name) == ("合同_一", "queued", "合同_一.docx")
    assert make(session, clerk, name="anders").id == made.id
    message = session.scalars(select(OutboxMessage)).one()
    assert (message.channel, message.key) == ("word", message_key(made.id))
    session.commit()


def test_what_is_missing_or_wrong_is_all_said_at_once(session: Session, admin: Actor, clerk: Actor) -> None:
    upload(session, admin)
    with pytest.raises(InvalidForm) as refused:
        make(session, clerk, data={"甲方": {}, "价款": "viel", "明细": [{}]})
    assert set(refused.value.by_field()) == {"data.甲方.名称", "data.价款", "data.明细.0.名称"}
    with pytest.raises(InvalidForm) as unknown:
        operations.make_document(session, clerk, template="none", data={}, key="x")
    assert set(unknown.value.by_field()) == {"template"}
    with pytest.raises(InvalidForm) as record:
        make(session, clerk, record=("no.such", 1))
    assert set(record.value.by_field()) == {"record"}
    assert session.scalar(select(func.count(WordDocument.id))) == 0


def test_a_bad_template_is_refused_with_every_fault_and_its_paragraph(session: Session, admin: Actor) -> None:
    with pytest.raises(RuleViolation) as refused:
        upload(session, admin, docx("第一条 {{ a", "第二条 {% if b %}"))
    assert refused.value.code == "bad_template"
    assert [(one.rule, one.where.partition(": ")[2]) for one in refused.value.problems] == [
        ("loose_braces", "第一条 {{ a"),
        ("not_closed", "第二条 {% if b %}"),
    ]
    assert "endfor" in str(refused.value.problems[1].remedy)
    with pytest.raises(RuleViolation) as no_word:
        upload(session, admin, "只是文字".encode())
    assert no_word.value.code == "file_refused"


def test_a_new_version_never_changes_under_a_document(session: Session, admin: Actor, clerk: Actor) -> None:
    first = upload(session, admin)
    made = make(session, clerk)
    assert upload(session, admin).id == first.id
    second = upload(session, admin, docx("新版 {{ 甲方.名称 }}"))
    assert (second.number, made.version_id) == (2, first.id)
    assert texts(content_of(make(session, clerk, key="2").docx)) == ["新版 A&B <C>"]
    assert texts(content_of(first.attachment))[0] == "甲方：{{ 甲方.名称 }}"
    with pytest.raises(PermissionError, match="append-only"):
        first.number = 7
        session.flush()


def test_an_archived_template_makes_nothing_until_it_is_uploaded_again(
    session: Session, admin: Actor, clerk: Actor
) -> None:
    version = upload(session, admin)
    operations.archive_template(session, admin, record_id=version.template_id)
    with pytest.raises(InvalidForm):
        make(session, clerk)
    upload(session, admin)
    assert make(session, clerk).id
    assert [one.number for one in operations.versions_of(session, version.template)] == [2, 1]


def test_rights(session: Session, admin: Actor, clerk: Actor, company: Company) -> None:
    nobody = Actor(person_id=3, name="某人")
    with pytest.raises(Forbidden):
        upload(session, clerk)
    upload(session, admin)
    with pytest.raises(Forbidden):
        make(session, nobody)
    made = make(session, clerk)
    assert operations.document_of(session, clerk, made.id).id == made.id
    with pytest.raises(NotFound):
        operations.document_of(session, admin, made.id)
    reader = Actor(person_id=4, name="总经理", permissions=frozenset({permissions.READ_DOCUMENTS}))
    assert operations.document_of(session, reader, made.id).id == made.id
    assert [one.template.code for one in operations.usable(session, clerk)] == ["sale"]
    assert list(operations.usable(session, nobody)) == []


def test_the_pdf_comes_once_and_may_be_asked_for_again(session: Session, admin: Actor, clerk: Actor) -> None:
    upload(session, admin)
    made = make(session, clerk)
    with pytest.raises(RuleViolation):
        operations.print_again(session, clerk, document_id=made.id)
    operations.note_no_pdf(session, document_id=made.id, reason="no_office", final=False)
    assert (made.state, made.reason, made.pdf_id) == ("sent", "no_office", None)
    operations.print_again(session, clerk, document_id=made.id)
    keys = session.scalars(select(OutboxMessage.key).order_by(OutboxMessage.id)).all()
    assert keys == [message_key(made.id, 1), message_key(made.id, 2)]
    operations.keep_pdf(session, document_id=made.id, pdf=b"%PDF-1 first", pages=3)
    operations.keep_pdf(session, document_id=made.id, pdf=b"%PDF-1 second", pages=9)
    assert (content_of(made.pdf), made.pages, made.state, made.reason) == (b"%PDF-1 first", 3, "sent", "")
    operations.note_no_pdf(session, document_id=made.id, reason="timeout", final=True)
    assert made.state == "sent"
    with pytest.raises(RuleViolation):
        operations.print_again(session, clerk, document_id=made.id)


def test_a_picture_is_a_file_the_maker_may_read(session: Session, admin: Actor, clerk: Actor) -> None:
    from connectors.word.inspecting import TINY_PNG

    upload(session, admin, docx("{{ 章|picture(30) }}"))
    mine = attachments.store(session, clerk, "seal.png", TINY_PNG)
    theirs = attachments.store(session, admin, "seal.png", TINY_PNG)
    made = make(session, clerk, data={"章": mine.id})
    assert len(Document(io.BytesIO(content_of(made.docx))).inline_shapes) == 1
    for wrong in (theirs.id, 10**9, "x", True):
        with pytest.raises(InvalidForm) as refused:
            make(session, clerk, key="2", data={"章": wrong})
        assert set(refused.value.by_field()) == {"data.章"}


def test_the_shipped_contracts_are_there_once_and_can_be_filled(
    session: Session, clerk: Actor, clock: Callable[[], object]
) -> None:
    operations.ship_templates(session)
    operations.ship_templates(session)
    assert {one.template.code: one.number for one in operations.usable(session, clerk)} == dict.fromkeys(CONTRACTS, 1)
    for code, data in CONTRACTS.items():
        made = operations.make_document(session, clerk, template=code, data=data, key=code)
        said = "\n".join(texts(content_of(made.docx)))
        assert "{" not in said, code
        assert data["甲方"]["名称"] in said
    sale = operations.make_document(session, clerk, template="sales_contract", data=SALE, key="again")
    said = "\n".join(texts(content_of(sale.docx)))
    assert "人民币壹佰零柒万叁仟陆佰元伍角叁分（小写：￥1,073,600.53）" in said
    assert "TP-32 & TP-40 <BT40>" in said
    assert "仲裁" not in said.split("法律适用与争议解决")[1].split("争议解决期间")[0]


def test_two_files_are_compared_and_settled_as_files_of_ones_own(session: Session, clerk: Actor) -> None:
    old, new = (attachments.store(session, clerk, f"{name}.docx", docx(f"{name}日内付款")) for name in ("十", "三十"))
    compared = operations.compare_files(session, clerk, old, new)
    found = operations.revisions_of(compared)
    assert {(one.author, one.text) for one in found} == {("李娜", "三")}
    accepted = operations.settle_revisions(session, clerk, compared, verdict="accept")
    assert texts(content_of(accepted)) == ["三十日内付款"]
    assert (compared.record_id, compared.uploaded_by) == (None, clerk.person_id)
    with pytest.raises(RuleViolation) as refused:
        operations.settle_revisions(session, clerk, compared, verdict="reject", ids=["document:77"])
    assert refused.value.code == "file_refused"


def test_somebody_elses_upload_of_the_same_code_at_the_same_moment_is_said(session: Session, admin: Actor) -> None:
    from processes.document.operations import templates

    upload(session, admin)
    with pytest.raises(Conflict):
        templates._new(session, admin, {"code": "sale", "title": "x"})
