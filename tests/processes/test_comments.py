"""Comments: who takes part, who may be mentioned, what can be mended, what is done once."""

from __future__ import annotations

import threading

import pytest
from sqlalchemy import func, select, update
from sqlalchemy.orm import Session

from engine import attachments, events, journal, runtime
from engine.actor import Actor
from engine.catalog import CATALOG
from engine.db import Sessions
from engine.errors import Conflict, Forbidden, InvalidForm, NotFound, RuleViolation
from engine.models import Attachment, Copy, InstanceLog, PushEvent, RecordAudit
from processes.comments import operations, permissions
from processes.comments.models import Comment, CommentVersion
from tests.conftest import TestClock
from tests.processes.company import Company, actor_of
from tests.processes.talk import INSTANCE, leave, running


@pytest.fixture
def instance(session: Session, company: Company) -> int:
    return running(session, company)


def say(session: Session, actor: Actor, instance: int, text: str = "请补发票", **more: object) -> Comment:
    return operations.add_comment(
        session,
        actor,
        record_type=INSTANCE,
        record_id=instance,
        text=text,
        **more,  # type: ignore[arg-type]
    )


def talk(session: Session, actor: Actor, instance: int) -> list[operations.Shown]:
    return operations.of_record(session, actor, INSTANCE, instance)[0]


# ------------------------------------------------------------------------------------------------- who


def test_whoever_may_read_takes_part_and_nobody_else(session: Session, company: Company, instance: int) -> None:
    li, wang, zhao = actor_of(company.li), actor_of(company.wang), actor_of(company.zhao)
    say(session, li, instance, "  第一句\r\n第二行  ")
    say(session, wang, instance)
    assert [(one.comment.author_name, one.plain) for one in talk(session, li, instance)] == [
        ("李娜", "第一句\n第二行"),
        ("王芳", "请补发票"),
    ]
    with pytest.raises(NotFound):
        say(session, zhao, instance)
    with pytest.raises(NotFound):
        talk(session, zhao, instance)
    comment = talk(session, li, instance)[0].comment
    for attempt in (
        lambda: operations.edit_comment(session, zhao, comment_id=comment.id, revision=1, text="x"),
        lambda: operations.void_comment(session, zhao, comment_id=comment.id, reason="x"),
        lambda: operations.one(session, zhao, comment.id),
    ):
        with pytest.raises(NotFound):
            attempt()


@pytest.mark.parametrize("record", [("process.instance", 99), ("no.such.thing", 1), ("comments.comment", 1)])
def test_there_is_no_talk_about_what_is_not_there(
    session: Session, company: Company, instance: int, record: tuple[str, int]
) -> None:
    say(session, actor_of(company.li), instance)
    with pytest.raises(NotFound):
        operations.add_comment(
            session, actor_of(company.li), record_type=record[0], record_id=record[1], text="x", submission="once"
        )


def test_a_record_of_a_register_is_read_by_its_scope(session: Session, company: Company, instance: int) -> None:
    li = actor_of(company.li)
    about = {"record_type": "organization.employee", "record_id": company.zhao.id}
    operations.add_comment(session, li, text="请更新手机号", **about)  # type: ignore[arg-type]
    leave(session, company.zhao)
    with pytest.raises(NotFound):
        operations.of_record(session, li, "organization.employee", company.zhao.id)
    manager = actor_of(company.chen, "organization.employee.manage")
    assert len(operations.of_record(session, manager, "organization.employee", company.zhao.id)[0]) == 1


@pytest.mark.parametrize("text", ["", "  \n ", "x" * 5001, "a\0b", "\ud800", "".join(f"@[{n}]" for n in range(1, 60))])
def test_what_is_no_comment_is_refused(session: Session, company: Company, instance: int, text: str) -> None:
    with pytest.raises(InvalidForm):
        say(session, actor_of(company.li), instance, text)
    assert session.scalar(select(func.count()).select_from(Comment)) == 0


# ------------------------------------------------------------------------------------------------- mentions


def test_a_mention_is_kept_as_a_number_and_read_as_the_present_name(
    session: Session, company: Company, instance: int
) -> None:
    li = actor_of(company.li)
    comment = say(session, li, instance, f"@[{company.wang.id}] 请看，@[{company.wang.id}]！ @[x] @[0]")
    assert comment.mentions == [company.wang.id]
    assert talk(session, li, instance)[0].plain == "@王芳 请看，@王芳！ @[x] @[0]"
    company.wang.name = "王芳芳"
    session.flush()
    assert talk(session, li, instance)[0].plain.startswith("@王芳芳 请看")


def test_whoever_may_not_read_it_is_named_and_a_copy_is_offered(
    session: Session, company: Company, instance: int
) -> None:
    li = actor_of(company.li)
    text = f"@[{company.zhao.id}] @[{company.sun.id}] @[{company.wang.id}] 一起看看"
    with pytest.raises(operations.MentionedCannotRead) as refused:
        say(session, li, instance, text)
    assert refused.value.people == (company.zhao.id, company.sun.id)
    assert str(refused.value.message) == "赵磊, 孙悦 may not read this."
    assert refused.value.may_copy
    assert "copy" in str(refused.value.remedy)
    assert session.scalar(select(func.count()).select_from(Copy)) == 0

    say(session, li, instance, text, send_copy=True)
    copied = set(session.scalars(select(Copy.person_id).where(Copy.instance_id == instance)))
    assert copied == {company.zhao.id, company.sun.id}
    assert "cc" in session.scalars(select(InstanceLog.action).where(InstanceLog.instance_id == instance)).all()
    assert len(talk(session, actor_of(company.zhao), instance)) == 1
    say(session, li, instance, text)  # they may read it now


def test_where_there_are_no_copies_none_is_offered(session: Session, company: Company, instance: int) -> None:
    leave(session, company.sun)
    manager = actor_of(company.chen, "organization.employee.manage")
    with pytest.raises(operations.MentionedCannotRead) as refused:
        operations.add_comment(
            session,
            manager,
            record_type="organization.employee",
            record_id=company.sun.id,
            text=f"@[{company.li.id}]",
            send_copy=True,
        )
    assert not refused.value.may_copy


def test_neither_leavers_nor_strangers_are_mentioned(session: Session, company: Company, instance: int) -> None:
    leave(session, company.zhao)
    for number in (company.zhao.id, 999):
        with pytest.raises(InvalidForm) as refused:
            say(session, actor_of(company.li), instance, f"@[{number}]", send_copy=True)
        assert [problem.where for problem in refused.value.problems] == ["text"]


def test_mentioning_oneself_needs_no_right(session: Session, company: Company, instance: int) -> None:
    supervisor = actor_of(company.sun, "process.instance.monitor")
    assert say(session, supervisor, instance, f"@[{company.sun.id}] 备忘").mentions == [company.sun.id]


# ------------------------------------------------------------------------------------------------- answers, files


def test_an_answer_belongs_to_the_same_talk(session: Session, company: Company, instance: int) -> None:
    li, wang = actor_of(company.li), actor_of(company.wang)
    first = say(session, li, instance)
    say(session, wang, instance, "好的", reply_to=first.id)
    assert talk(session, li, instance)[1].answered == first
    elsewhere = operations.add_comment(
        session, li, record_type="organization.employee", record_id=company.li.id, text="别处"
    )
    for wrong in (elsewhere.id, 999):
        with pytest.raises(InvalidForm):
            say(session, li, instance, reply_to=wrong)
    operations.void_comment(session, li, comment_id=first.id, reason="错了")
    with pytest.raises(RuleViolation):
        say(session, li, instance, reply_to=first.id)


def test_files_hang_on_the_comment_and_are_hidden_with_it(
    session: Session, company: Company, instance: int, tmp_path: object
) -> None:
    attachments.install(tmp_path)  # type: ignore[arg-type]
    li, wang = actor_of(company.li), actor_of(company.wang)
    mine = attachments.store(session, li, "报价.txt", "三千元".encode())
    his = attachments.store(session, wang, "底价.txt", "两千元".encode())
    with pytest.raises(InvalidForm):
        say(session, li, instance, attachments=[mine.id, his.id])
    session.rollback()
    mine = attachments.store(session, li, "报价.txt", "三千元".encode())
    comment = say(session, li, instance, attachments=[mine.id])
    with pytest.raises(InvalidForm):
        say(session, li, instance, attachments=[mine.id])  # a file hangs in one place
    shown = talk(session, wang, instance)[0]
    assert [file.name for file in shown.files] == ["报价.txt"]
    assert CATALOG.may_read(session, wang, permissions.COMMENT, comment.id)
    assert not CATALOG.may_read(session, actor_of(company.zhao), permissions.COMMENT, comment.id)
    operations.void_comment(session, li, comment_id=comment.id, reason="发错")
    assert talk(session, wang, instance)[0].files == []
    assert not CATALOG.may_read(session, wang, permissions.COMMENT, comment.id)
    assert session.scalar(select(func.count()).select_from(Attachment)) == 1


# ------------------------------------------------------------------------------------------------- mending, voiding


def test_its_author_mends_it_for_a_day_and_every_version_stays(
    session: Session, company: Company, instance: int, clock: TestClock
) -> None:
    li, wang = actor_of(company.li), actor_of(company.wang)
    comment = say(session, li, instance, "一")
    clock.advance(hours=24)
    operations.edit_comment(session, li, comment_id=comment.id, revision=1, text="二")
    assert (comment.text, comment.revision, comment.edited_at) == ("二", 2, clock.at)
    unchanged = operations.edit_comment(session, li, comment_id=comment.id, revision=2, text=" 二 ")
    assert unchanged.revision == 2
    with pytest.raises(Conflict):
        operations.edit_comment(session, li, comment_id=comment.id, revision=1, text="三")
    with pytest.raises(Forbidden):
        operations.edit_comment(session, wang, comment_id=comment.id, revision=2, text="三")
    assert talk(session, li, instance)[0].may_edit
    clock.advance(seconds=1)
    assert not talk(session, li, instance)[0].may_edit
    with pytest.raises(RuleViolation) as refused:
        operations.edit_comment(session, li, comment_id=comment.id, revision=2, text="三")
    assert refused.value.code == "edit_window_over"
    assert session.scalars(select(CommentVersion.text).order_by(CommentVersion.revision)).all() == ["一", "二"]


def test_versions_are_only_added(session: Session, company: Company, instance: int) -> None:
    comment = say(session, actor_of(company.li), instance)
    version = session.get_one(CommentVersion, (comment.id, 1))
    version.text = "另一句"
    with pytest.raises(PermissionError):
        session.flush()
    session.rollback()
    with pytest.raises(PermissionError):
        session.execute(update(CommentVersion).values(text="x"))


def test_a_voided_comment_is_seen_to_have_been_there(session: Session, company: Company, instance: int) -> None:
    li, wang, moderator = actor_of(company.li), actor_of(company.wang), actor_of(company.wang, permissions.MODERATE)
    comment = say(session, li, instance, "内部底价 100")
    with pytest.raises(Forbidden):
        operations.void_comment(session, wang, comment_id=comment.id, reason="不妥")
    for reason in ("  ", "x" * 501, "\0"):
        with pytest.raises(InvalidForm):
            operations.void_comment(session, moderator, comment_id=comment.id, reason=reason)
    operations.void_comment(session, moderator, comment_id=comment.id, reason="泄露价格")
    (shown,) = talk(session, wang, instance)
    assert (shown.text, shown.plain, shown.may_edit, shown.may_void) == ("", "", False, False)
    assert (shown.comment.void_reason, shown.comment.voided_by) == ("泄露价格", company.wang.id)
    with pytest.raises(Forbidden):
        operations.void_comment(session, li, comment_id=comment.id, reason="再来")
    with pytest.raises(Forbidden):
        operations.edit_comment(session, li, comment_id=comment.id, revision=1, text="复活")
    assert operations.count(session, INSTANCE, instance) == 0
    wanted = select(RecordAudit.action).where(RecordAudit.record_type == permissions.COMMENT).order_by(RecordAudit.seq)
    assert session.scalars(wanted).all() == ["created", "voided"]
    assert list(journal.verify_records(session)) == []


# ------------------------------------------------------------------------------------------------- once, in time, told


def test_the_same_submission_is_one_comment(session: Session, company: Company, instance: int) -> None:
    li = actor_of(company.li)
    first = say(session, li, instance, submission="s1")
    again = say(session, li, instance, "别的话", submission="s1")
    assert (again.id, again.text) == (first.id, "请补发票")
    assert say(session, actor_of(company.wang), instance, submission="s1").id != first.id  # his own wish
    with pytest.raises(Conflict):
        operations.add_comment(
            session, li, record_type="organization.employee", record_id=company.li.id, text="x", submission="s1"
        )
    with pytest.raises(InvalidForm):
        say(session, li, instance, submission="x" * 81)


def test_two_clicks_at_the_same_moment_are_one_comment(session: Session, company: Company, instance: int) -> None:
    li = actor_of(company.li)
    together, made, told = threading.Barrier(2), [], []

    def click() -> None:
        together.wait()
        made.append(runtime.perform(lambda session: say(session, li, instance, submission="double").id))
        Sessions.remove()

    listener = events.subscribe("comments.comment_added")(lambda session, **facts: told.append(facts["comment_id"]))
    try:
        threads = [threading.Thread(target=click) for _ in range(2)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        events._SUBSCRIBERS["comments.comment_added"].remove(listener)
    assert len(made) == 2
    assert len(set(made)) == 1
    assert told == made[:1]


def test_talking_does_not_touch_the_process(session: Session, company: Company, instance: int) -> None:
    """Nobody's decision is delayed or refused because others talk."""
    before = list(session.scalars(select(InstanceLog.seq).where(InstanceLog.instance_id == instance)))
    for _twice in range(2):
        say(session, actor_of(company.li), instance)
    session.flush()
    assert list(session.scalars(select(InstanceLog.seq).where(InstanceLog.instance_id == instance))) == before


def test_open_pages_of_its_readers_are_told(session: Session, company: Company, instance: int) -> None:
    say(session, actor_of(company.chen, "process.instance.monitor"), instance)
    pushed = session.execute(select(PushEvent.principal, PushEvent.data).where(PushEvent.kind == "comment")).all()
    assert {row.principal for row in pushed} == {company.li.id, company.wang.id, company.chen.id}
    assert pushed[0].data == {"record_type": INSTANCE, "record_id": instance}


def test_long_talk_is_read_from_its_end(session: Session, company: Company, instance: int) -> None:
    li = actor_of(company.li)
    for number in range(5):
        say(session, li, instance, str(number))
    newest, more = operations.of_record(session, li, INSTANCE, instance, limit=2)
    assert ([one.text for one in newest], more) == (["3", "4"], True)
    older, more = operations.of_record(session, li, INSTANCE, instance, before=newest[0].comment.id, limit=3)
    assert ([one.text for one in older], more) == (["0", "1", "2"], False)
