"""Notices: once per person and event, by the roads each has chosen, in the reader's language, digested once a day."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from flask_appbuilder.security.sqla.models import Role
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import runtime
from engine.actor import SYSTEM
from engine.assignment import group_principal
from engine.catalog import CATALOG
from engine.db import Sessions, transaction
from engine.errors import InvalidForm, NotFound
from engine.i18n import _
from engine.journal import Entry
from engine.models import Copy, Follower, InboxEntry, OutboxMessage, PushEvent, WorkItem
from engine.work_items.rights import MONITOR, may_read_instance
from processes.approval.operations.news import tell_of_action
from processes.comments import operations as comments
from processes.notices import jobs, operations, rules, subscribers
from processes.notices.models import Notice
from processes.organization import operations as organization
from processes.organization.models import Employee
from tests.conftest import TestClock
from tests.counting import statements
from tests.processes.company import Company, actor_of
from tests.processes.talk import INSTANCE, leave, running
from webapp.security import accounts
from webapp.security.organization import people_as_actors

PLAIN = rules.kind("tests.plain", _("Something happened"))
LOUD = rules.kind("tests.loud", _("Something loud"), ("in_app", "sms", "mail"))
MUST = rules.kind("tests.must", _("Something everybody is told"), ("in_app",), mandatory=True)


def tell(session: Session, *people: Employee, kind: str = PLAIN, key: str = "k", **more: object) -> tuple[int, ...]:
    return operations.notify(
        session,
        SYSTEM,
        persons=[person.id for person in people],
        kind=kind,
        title=_("{who} sends {what}.", who="张三", what=_("Money")),
        key=key,
        **more,  # type: ignore[arg-type]
    )


def notices(session: Session, person: Employee) -> list[Notice]:
    return list(session.scalars(select(Notice).where(Notice.person_id == person.id).order_by(Notice.id)))


def outbox(session: Session, channel: str) -> list[OutboxMessage]:
    return list(
        session.scalars(select(OutboxMessage).where(OutboxMessage.channel == channel).order_by(OutboxMessage.id))
    )


# ------------------------------------------------------------------------------------------------- telling


def test_a_person_is_told_of_an_event_once(session: Session, company: Company) -> None:
    assert tell(session, company.li, company.wang) == (company.wang.id, company.li.id)
    assert tell(session, company.li, company.zhao) == (company.zhao.id,)
    assert tell(session, company.li, key="other") == (company.li.id,)
    assert len(notices(session, company.li)) == 2
    pushed = session.scalars(select(PushEvent.principal).where(PushEvent.kind == operations.PUSH)).all()
    assert sorted(pushed) == sorted([company.wang.id, company.li.id, company.zhao.id, company.li.id])


def test_two_who_tell_at_the_same_moment_tell_once(session: Session, company: Company) -> None:
    together, told = threading.Barrier(2), []

    def say() -> None:
        together.wait()
        told.append(runtime.perform(lambda session: tell(session, company.li, kind=LOUD)))
        Sessions.remove()

    threads = [threading.Thread(target=say) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(told) == [(), (company.li.id,)]
    session.expire_all()
    assert (len(notices(session, company.li)), len(outbox(session, "sms")), len(outbox(session, "mail"))) == (1, 1, 1)


def test_a_title_is_read_in_the_readers_language(session: Session, company: Company) -> None:
    tell(session, company.li)
    session.flush()
    session.expire_all()
    (notice,) = notices(session, company.li)
    assert str(notice.title) == "张三 sends Money."
    assert notice.title.values["what"] == _("Money")


def test_leavers_and_strangers_are_passed_over(session: Session, company: Company) -> None:
    leave(session, company.zhao)
    told = operations.notify(
        session, SYSTEM, persons=[company.zhao.id, 999, company.li.id], kind=PLAIN, title=_("Money"), key="k"
    )
    assert told == (company.li.id,)
    assert operations.notify(session, SYSTEM, persons=[], kind=PLAIN, title=_("Money"), key="k") == ()
    with pytest.raises(KeyError):
        tell(session, company.li, kind="tests.unknown")
    with pytest.raises(ValueError, match="150"):
        tell(session, company.li, key="k" * 151)


def test_sms_and_mail_go_to_whoever_can_be_reached(session: Session, company: Company) -> None:
    """李娜 has both, 赵磊 neither; both find it in the house."""
    organization.change_employee(session, SYSTEM, record_id=company.li.id, values={"locale": "en"})
    assert len(tell(session, company.li, company.zhao, kind=LOUD, text="请看 <b>")) == 2
    (sms,), (mail,) = outbox(session, "sms"), outbox(session, "mail")
    assert sms.payload["text"] == "Yunliu: 张三 sends Money."
    assert mail.payload["subject"] == "张三 sends Money."
    assert "请看 &lt;b&gt;" in mail.payload["html"]
    assert len(notices(session, company.zhao)) == 1


# ------------------------------------------------------------------------------------------------- choosing


def test_everybody_chooses_roads_for_each_kind(session: Session, company: Company) -> None:
    li = actor_of(company.li)
    assert operations.preferences(session, li)[PLAIN] == {"in_app", "digest"}
    operations.set_preferences(session, li, channels={PLAIN: ["sms"], LOUD: []})
    operations.set_preferences(session, li, channels={PLAIN: ["mail"]})
    chosen = operations.preferences(session, li)
    assert (chosen[PLAIN], chosen[LOUD], chosen[MUST]) == ({"mail"}, set(), {"in_app"})
    assert operations.preferences(session, actor_of(company.wang))[PLAIN] == {"in_app", "digest"}
    tell(session, company.li)
    assert tell(session, company.li, kind=LOUD, key="loud") == ()
    (notice,) = notices(session, company.li)
    assert (notice.in_app, notice.digest_at) == (False, None)
    assert operations.unread_count(session, li) == 0
    assert len(outbox(session, "mail")) == 1


def test_what_must_be_told_cannot_be_switched_off(session: Session, company: Company) -> None:
    li = actor_of(company.li)
    with pytest.raises(InvalidForm) as refused:
        operations.set_preferences(
            session, li, channels={MUST: ["sms"], "tests.nothing": [], PLAIN: ["pigeon"], LOUD: ["in_app"]}
        )
    assert {problem.where for problem in refused.value.problems} == {MUST, "tests.nothing", PLAIN}
    assert operations.preferences(session, li)[LOUD] == {"in_app", "sms", "mail"}  # nothing by halves
    operations.set_preferences(session, li, channels={MUST: ["in_app", "digest"]})
    assert operations.preferences(session, li)[MUST] == {"in_app", "digest"}


# ------------------------------------------------------------------------------------------------- reading


def test_reading_is_ones_own(session: Session, company: Company, clock: TestClock) -> None:
    tell(session, company.li, company.wang)
    li, wang = actor_of(company.li), actor_of(company.wang)
    (mine,) = notices(session, company.li)
    with pytest.raises(NotFound):
        operations.mark_read(session, wang, notice_id=mine.id)
    first = operations.mark_read(session, li, notice_id=mine.id).read_at
    clock.advance(hours=1)
    assert operations.mark_read(session, li, notice_id=mine.id).read_at == first
    assert (operations.unread_count(session, li), operations.unread_count(session, wang)) == (0, 1)


def test_all_read_means_what_was_seen(session: Session, company: Company) -> None:
    for number in range(3):
        tell(session, company.li, key=str(number))
    tell(session, company.wang)
    li = actor_of(company.li)
    seen = notices(session, company.li)[1].id
    assert operations.mark_all_read(session, li, until=seen) == 2
    assert operations.unread_count(session, li) == 1
    assert operations.mark_all_read(session, li) == 1
    assert operations.mark_all_read(session, li) == 0
    assert operations.unread_count(session, actor_of(company.wang)) == 1


# ------------------------------------------------------------------------------------------------- who is told of talk


@pytest.fixture
def instance(session: Session, company: Company) -> int:
    return running(session, company)


def say(session: Session, author: Employee, instance: int, text: str = "请看", **more: object) -> int:
    comment = comments.add_comment(
        session,
        actor_of(author),
        record_type=INSTANCE,
        record_id=instance,
        text=text,
        **more,  # type: ignore[arg-type]
    )
    return comment.id


def kinds(session: Session, person: Employee) -> list[str]:
    return [notice.kind for notice in notices(session, person)]


def test_mentioned_answered_and_following_people_are_told_once_each(
    session: Session, company: Company, instance: int, clock: TestClock
) -> None:
    for one in (company.chen, company.sun):
        session.add(Copy(instance_id=instance, person_id=one.id, sent_by=0, sent_at=clock.at))
        session.add(Follower(instance_id=instance, person_id=one.id, since=clock.at))
    session.add(Follower(instance_id=instance, person_id=company.zhao.id, since=clock.at))  # may not read it (any more)
    first = say(session, company.wang, instance, f"@[{company.sun.id}] 请看")
    assert kinds(session, company.wang) == []
    assert kinds(session, company.sun) == [subscribers.MENTIONED]
    assert kinds(session, company.chen) == [subscribers.FOLLOWED]
    assert kinds(session, company.li) == [subscribers.FOLLOWED]  # she started it
    assert kinds(session, company.zhao) == []
    say(session, company.sun, instance, f"@[{company.wang.id}] 好", reply_to=first)
    assert kinds(session, company.wang) == [subscribers.MENTIONED]
    say(session, company.sun, instance, "完成", reply_to=first)
    assert kinds(session, company.wang) == [subscribers.MENTIONED, subscribers.ANSWERED]
    (notice,) = notices(session, company.sun)
    assert (notice.record_type, notice.record_id, notice.link) == (INSTANCE, instance, f"#comment-{first}")
    assert "王芳 mentions you" in str(notice.title)


def test_an_edit_tells_only_the_newly_mentioned(session: Session, company: Company, instance: int) -> None:
    comment = say(session, company.li, instance, f"@[{company.wang.id}]")
    text = f"@[{company.wang.id}] @[{company.zhao.id}]"
    comments.edit_comment(session, actor_of(company.li), comment_id=comment, revision=1, text=text, send_copy=True)
    assert kinds(session, company.wang) == [subscribers.MENTIONED]
    assert kinds(session, company.zhao) == [subscribers.MENTIONED]


# ------------------------------------------------------------------------------------------------- digests


@pytest.mark.parametrize(
    ("now", "due"),
    [
        ((2026, 11, 23, 0, 29), (2026, 11, 23, 0, 30)),  # Monday 8:29 in Shanghai
        ((2026, 11, 23, 0, 30), (2026, 11, 24, 0, 30)),
        ((2026, 11, 27, 9, 0), (2026, 11, 30, 0, 30)),  # over the weekend
        ((2026, 9, 30, 9, 0), (2026, 10, 8, 0, 30)),  # over the National Day
        ((2026, 10, 9, 9, 0), (2026, 10, 10, 0, 30)),  # a Saturday that is worked
    ],
)
def test_digests_are_due_on_working_mornings(now: tuple[int, ...], due: tuple[int, ...]) -> None:
    assert rules.next_digest(datetime(*now, tzinfo=UTC)) == datetime(*due, tzinfo=UTC)  # type: ignore[arg-type]


def test_a_digest_names_what_is_still_unread_once_a_day(session: Session, company: Company, clock: TestClock) -> None:
    """It is Monday 9:00; the next digest goes on Tuesday."""
    for key in ("read", "unread"):
        tell(session, company.li, key=key, text=key)
    tell(session, company.zhao)  # has no mail address
    operations.mark_read(session, actor_of(company.li), notice_id=notices(session, company.li)[0].id)
    session.commit()
    assert jobs.send_digests() == 0
    clock.advance(hours=23, minutes=30)
    assert jobs.send_digests() == 1
    assert jobs.send_digests() == 0
    with transaction() as now:
        (mail,) = outbox(now, "mail")
        assert mail.payload["subject"] == "您有 1 条未读通知"
        tell(now, company.li, key="later")
    clock.advance(minutes=1)
    assert jobs.send_digests() == 0
    clock.advance(days=1)
    assert jobs.send_digests() == 1
    with transaction() as now:
        assert len(outbox(now, "mail")) == 2


def test_two_jobs_at_once_send_one_digest(session: Session, company: Company, clock: TestClock) -> None:
    tell(session, company.li)
    session.commit()
    clock.advance(days=1)
    together, sent = threading.Barrier(2), []

    def run() -> None:
        together.wait()
        sent.append(jobs.send_digests())

    threads = [threading.Thread(target=run) for _ in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(sent) == [0, 1]
    with transaction() as now:
        assert len(outbox(now, "mail")) == 1


def test_one_digest_that_fails_does_not_stop_the_others(
    session: Session, company: Company, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    organization.change_employee(session, SYSTEM, record_id=company.wang.id, values={"email": "wang@example.com"})
    tell(session, company.li, company.wang)
    session.commit()
    clock.advance(days=1)
    real = operations.send_digest

    def fail_for_wang(session: Session, *, person_id: int) -> int:
        if person_id == company.wang.id:
            raise OSError("disk")
        return real(session, person_id=person_id)

    monkeypatch.setattr(operations, "send_digest", fail_for_wang)
    assert jobs.send_digests() == 1
    monkeypatch.undo()
    assert jobs.send_digests() == 1


def test_a_digest_of_many_names_the_newest_and_counts_the_rest(
    session: Session, company: Company, clock: TestClock
) -> None:
    for number in range(53):
        tell(session, company.li, key=str(number))
    session.commit()
    clock.advance(days=1)
    jobs.send_digests()
    with transaction() as now:
        (mail,) = outbox(now, "mail")
    assert mail.payload["text"].count("张三") == 50
    assert "另有 3 条" in mail.payload["text"]


# ------------------------------------------------------------------------------------------------- sweeping


def test_what_was_read_half_a_year_ago_is_forgotten(session: Session, company: Company, clock: TestClock) -> None:
    li = actor_of(company.li)
    for key in ("read", "unread"):
        tell(session, company.li, key=key)
    operations.set_preferences(session, li, channels={PLAIN: ["digest"]})
    tell(session, company.li, key="mailed only")
    operations.mark_read(session, li, notice_id=notices(session, company.li)[0].id)
    session.commit()
    clock.advance(days=180)
    jobs.sweep()
    with transaction() as now:
        assert now.scalar(select(func.count()).select_from(Notice)) == 3
    clock.at += timedelta(seconds=1)
    jobs.sweep()
    with transaction() as now:
        assert now.scalars(select(Notice.key)).all() == ["unread"]


# ------------------------------------------------------------------------------------------------- a crowd


def hire(session: Session, count: int, role: Role) -> list[int]:
    """People with a login of this role."""
    hired = []
    for number in range(count):
        name = f"crowd{session.scalar(select(func.count()).select_from(Employee))}"
        values = {"username": name, "last_name": "人", "first_name": str(number), "email": f"{name}@example.com"}
        user = accounts.create_login(session, SYSTEM, values={**values, "roles": [role]}, password="right-horse-7")
        person = organization.create_employee(session, SYSTEM, values={"number": name, "name": name})
        person.user_id = user.id
        hired.append(person.id)
    session.flush()
    return hired


def test_a_thousand_are_told_with_as_many_questions_as_two(
    session: Session, company: Company, instance: int, clock: TestClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(CATALOG, "actors", people_as_actors)
    role = Role(name="Employee", permissions=[])
    session.add(role)
    asked = []
    for count in (2, 30):
        people = hire(session, count, role)
        session.add_all(Copy(instance_id=instance, person_id=one, sent_by=0, sent_at=clock.at) for one in people)
        session.add_all(Follower(instance_id=instance, person_id=one, since=clock.at) for one in people)
        session.commit()
        session.expire_all()
        with statements() as seen:
            say(session, company.wang, instance, f"{count}")
        asked.append(len(seen))
        with statements() as seen:
            text = "".join(f"@[{one}]" for one in people[:20])
            say(session, company.wang, instance, text)
        asked.append(len(seen))
        with statements() as seen:
            entry = Entry("terminate", "look", "t", None, None, {"reason": str(count)})
            tell_of_action(session, instance_id=instance, actor=actor_of(company.wang), entry=entry, state="terminated")
        asked.append(len(seen))
    assert all(many <= few for few, many in zip(asked[:3], asked[3:], strict=True))
    assert len(notices(session, session.get_one(Employee, people[0]))) == 3


def test_asked_for_many_at_once_the_same_people_may_read(
    session: Session, company: Company, instance: int, clock: TestClock
) -> None:
    """Of everybody who has, had, was copied or supervises it, and of those who have not."""
    session.add(Copy(instance_id=instance, person_id=company.sun.id, sent_by=0, sent_at=clock.at))
    session.flush()
    everybody = [one.id for one in (company.zhao, company.sun, company.li, company.chen, company.wang)]
    found = CATALOG.readers(session, everybody, INSTANCE, instance)
    assert found == [company.sun.id, company.li.id, company.wang.id]
    kind = CATALOG.records[INSTANCE]
    assert kind.readers is not None
    item = session.scalars(select(WorkItem)).one()
    pool = group_principal("department", company.finance.id)
    session.add(InboxEntry(principal=pool, item_id=item.id))
    session.flush()
    actors = [
        actor_of(company.zhao),
        actor_of(company.zhao, MONITOR),
        replace(actor_of(company.chen), groups=frozenset({pool})),
        actor_of(company.li),
    ]
    for one in actors:
        assert (one.person_id in kind.readers(session, [one], instance)) == may_read_instance(session, one, instance)
    assert kind.readers(session, actors, instance + 1) == set()
