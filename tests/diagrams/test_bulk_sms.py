"""SMS to many: looked over, sent off once, approved where it goes to many, stopped, repeated."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from engine import outbox, runtime, work_items
from engine.actor import SYSTEM, Actor
from engine.clock import now
from engine.db import Sessions
from engine.errors import Forbidden, InvalidForm, NotFound, RuleViolation
from engine.models import OutboxMessage
from engine.runtime import perform
from engine.wire import Delivery
from processes.messaging import permissions
from processes.messaging.models import SmsCampaign, SmsCharge, SmsQuota, SmsRecipient
from processes.messaging.operations import campaign_drafts, campaigns, charging, consenting, opting_out, quotas
from processes.messaging.operations.house_rules import HOUSE
from processes.organization import operations as organization
from tests.counting import statements
from tests.diagrams.walk import actor_in
from tests.processes.company import Company

FIVE = "\n".join(f"1380000000{n}，客户{n}" for n in range(5))


@pytest.fixture(autouse=True)
def _small_house() -> Iterator[None]:
    """Above three recipients somebody is asked."""
    before = replace(HOUSE)
    HOUSE.approval_above = 3
    yield
    HOUSE.approval_above = before.approval_above


@pytest.fixture
def li(session: Session, company: Company) -> Actor:
    return actor_in(session, company.li, permissions.SEND_BULK)


def write(session: Session, actor: Actor, wish: str = "w1", **more: Any) -> SmsCampaign:
    values = {"title": "放假通知", "text": "{name}您好，元旦放假三天。", "numbers": FIVE, **more}
    campaign = campaign_drafts.write(session, actor, wish=wish, **values)
    session.commit()
    return campaign


def send(session: Session, actor: Actor, campaign: SmsCampaign) -> SmsCampaign:
    session.commit()
    perform(lambda own: campaigns.send(own, actor, campaign_id=campaign.id).id)
    return fresh(session, campaign)


def fresh(session: Session, campaign: SmsCampaign) -> SmsCampaign:
    session.rollback()
    return session.get_one(SmsCampaign, campaign.id, populate_existing=True)


def quota(session: Session, company: Company, segments: int) -> SmsQuota:
    values = {"department": company.sales, "month": now().date(), "segments": segments}
    one = quotas.create_quota(session, SYSTEM, values=values)
    session.commit()
    return one


def used(session: Session, one: SmsQuota) -> int:
    session.rollback()
    one = session.get_one(SmsQuota, one.id, populate_existing=True)
    assert one.used == charging.used_of(session, one.department_id, one.month)
    return one.used


def states(session: Session) -> list[str]:
    session.rollback()
    return list(session.scalars(select(OutboxMessage.state).where(OutboxMessage.channel == "sms").order_by("id")))


def three(company: Company) -> dict[str, Any]:
    return {"numbers": "\n".join(FIVE.split("\n")[:3])}


# ------------------------------------------------------------------------------------------------- written


def test_colleagues_are_chosen_by_department_position_and_hand_and_come_once(
    session: Session, company: Company, li: Actor
) -> None:
    groups = {
        "organization.department": [company.sales.id],
        "organization.position": [company.accountant.id],
        "organization.employee": [company.li.id, company.chen.id],
    }
    campaign = write(session, li, groups=groups, numbers="")
    seen = campaigns.preview(session, campaign)
    assert (seen.recipients, dict(seen.left_out)) == (4, {"no_mobile": 1, "duplicate": 1})
    texts = session.scalars(select(SmsRecipient.text).where(SmsRecipient.left_out == "").order_by("position")).all()
    assert texts[0] == "王芳您好，元旦放假三天。"


def test_the_same_form_sent_twice_is_one_campaign(session: Session, li: Actor) -> None:
    assert write(session, li).id == write(session, li).id
    assert session.scalar(select(func.count()).select_from(SmsRecipient)) == 5


def test_every_mistake_is_said_at_once(session: Session, li: Actor) -> None:
    with pytest.raises(InvalidForm) as refused:
        campaign_drafts.write(
            session, li, wish="w", title=" ", text="", purpose="x", numbers="", send_at=now() - timedelta(hours=1)
        )
    assert set(refused.value.by_field()) == {"title", "text", "purpose", "send_at"}
    with pytest.raises(InvalidForm) as refused:
        campaign_drafts.write(session, li, wish="w", title="x", text="x")
    assert set(refused.value.by_field()) == {"numbers"}


def test_who_may_write_read_and_stop(session: Session, company: Company, li: Actor) -> None:
    other = actor_in(session, company.zhao, permissions.SEND_BULK)
    with pytest.raises(Forbidden):
        write(session, actor_in(session, company.li))
    campaign = write(session, li)
    with pytest.raises(NotFound):
        campaigns.cancel(session, other, campaign_id=campaign.id)
    with pytest.raises(Forbidden):
        campaigns.cancel(session, actor_in(session, company.zhao, permissions.READ_BULK), campaign_id=campaign.id)
    assert (
        campaigns.cancel(session, actor_in(session, company.zhao, permissions.MANAGE_BULK), campaign_id=campaign.id)
        == 0
    )
    assert campaign.state == "cancelled"


# ------------------------------------------------------------------------------------------------- sent off


def test_a_few_are_sent_at_once_and_a_second_click_sends_nothing_more(
    session: Session, company: Company, li: Actor
) -> None:
    of_sales = quota(session, company, 10)
    campaign = write(session, li, **three(company))
    for _click in range(2):
        campaign = send(session, li, campaign)
    assert campaign.state == "sent"
    assert states(session) == ["queued"] * 3
    assert used(session, of_sales) == 3
    message = session.scalars(select(OutboxMessage).order_by("id")).first()
    assert message is not None
    assert message.payload == {
        "to": "+8613800000000", "text": "客户0您好，元旦放假三天。", "recipient": "客户0 +8613800000000",
    }  # fmt: skip
    assert message.created_by == company.li.id


@pytest.mark.databases("postgresql")
def test_two_clicks_at_the_same_moment(session: Session, company: Company, li: Actor) -> None:
    of_sales = quota(session, company, 10)
    campaign = write(session, li, **three(company))
    barrier = threading.Barrier(3)

    def click() -> None:
        barrier.wait()
        perform(lambda own: campaigns.send(own, li, campaign_id=campaign.id).id)
        Sessions.remove()

    threads = [threading.Thread(target=click) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(30)
    assert states(session) == ["queued"] * 3
    assert used(session, of_sales) == 3


def test_more_than_is_left_sends_nothing_and_can_be_reduced_or_postponed(
    session: Session, company: Company, li: Actor
) -> None:
    of_sales = quota(session, company, 2)
    campaign = write(session, li, **three(company))
    assert not campaigns.preview(session, campaign).fits
    with pytest.raises(RuleViolation, match="3 are needed and 2 are left"):
        send(session, li, campaign)
    assert states(session) == []
    assert fresh(session, campaign).state == "draft"
    campaigns.postpone(session, li, campaign_id=campaign.id, send_at=datetime(2026, 12, 1, 1, tzinfo=UTC))
    assert campaigns.preview(session, campaign).fits, "December has no quota yet"
    session.rollback()
    assert campaigns.reduce(session, li, campaign_id=campaign.id) == 1
    session.commit()
    send(session, li, campaign)
    assert (states(session), used(session, of_sales)) == (["queued"] * 2, 2)


def test_who_has_left_or_opted_out_since_is_left_out(session: Session, company: Company, li: Actor) -> None:
    campaign = write(
        session, li, numbers="13800000000，甲\n13800000001，乙", groups={"organization.employee": [company.wang.id]}
    )
    opting_out.opt_out(session, "+8613800000001", how="reply", words="T")
    company.wang.state = "left"
    send(session, li, campaign)
    reasons = session.scalars(select(SmsRecipient.left_out).order_by("position")).all()
    assert reasons == ["left", "", "opted_out"]
    assert states(session) == ["queued"]


def test_nobody_left_is_said(session: Session, li: Actor) -> None:
    campaign = write(session, li, numbers="12345")
    with pytest.raises(RuleViolation, match="Nobody is left"):
        send(session, li, campaign)


def test_commercial_goes_to_those_who_agreed_and_waits_for_the_morning(session: Session, li: Actor, clock: Any) -> None:
    clock.advance(hours=13)
    consenting.give_consent(session, SYSTEM, number="+8613800000000", how="form")
    campaign = write(session, li, purpose="commercial")
    seen = campaigns.preview(session, campaign)
    assert (seen.recipients, dict(seen.left_out), seen.quiet) == (1, {"no_consent": 4}, True)
    send(session, li, campaign)
    message = session.scalars(select(OutboxMessage)).one()
    assert (message.payload["purpose"], message.available_at) == ("commercial", datetime(2026, 11, 24, 0, tzinfo=UTC))


# ------------------------------------------------------------------------------------------------- while it goes


def deliver(session: Session, count: int, delivery: Delivery) -> None:
    for message in outbox.lease(session, ["sms"], "test", count):
        assert outbox.begin_attempts(session, [message])
        state = outbox.settle(session, message, delivery)
        assert state
        outbox.moved(session, "sms", [message.id], state)
    session.commit()


def test_stopped_half_way_only_what_has_not_left_comes_back(session: Session, company: Company, li: Actor) -> None:
    of_sales = quota(session, company, 10)
    campaign = send(session, li, write(session, li, **three(company)))
    deliver(session, 1, Delivery("accepted"))
    deliver(session, 1, Delivery("unknown"))
    assert campaigns.cancel(session, li, campaign_id=campaign.id) == 1
    session.commit()
    assert states(session) == ["sent", "unknown", "cancelled"]
    assert used(session, of_sales) == 2
    assert campaigns.progress(session, campaign).waiting == 0
    assert campaigns.cancel(session, li, campaign_id=campaign.id) == 0


def test_those_it_failed_to_reach_are_written_to_again(session: Session, company: Company, li: Actor) -> None:
    of_sales = quota(session, company, 3)
    campaign = send(session, li, write(session, li, **three(company)))
    deliver(session, 2, Delivery("rejected", error="30: 空号"))
    deliver(session, 1, Delivery("unknown"))
    assert used(session, of_sales) == 1
    assert campaigns.repeat(session, li, campaign_id=campaign.id) == 2
    session.commit()
    assert states(session) == ["queued", "queued", "unknown"], "what is in doubt is not sent again blindly"
    assert used(session, of_sales) == 3
    assert campaigns.repeat(session, li, campaign_id=campaign.id) == 0


def test_five_hundred_are_written_in_batches(session: Session, company: Company, li: Actor) -> None:
    HOUSE.approval_above = 1000
    numbers = "\n".join(str(13900000000 + n) for n in range(500))
    campaign = write(session, li, numbers=numbers, text="元旦放假三天。")
    with statements() as seen:
        campaigns.send(session, li, campaign_id=campaign.id)
        session.commit()
    assert len(states(session)) == 500
    assert len(seen) < 60


# ------------------------------------------------------------------------------------------------- approved


def decide(session: Session, person: Any, campaign: SmsCampaign, action: str, **more: Any) -> None:
    (item,) = work_items.open_items(session, fresh(session, campaign).instance_id or 0)
    session.commit()
    actor = actor_in(session, person)
    perform(lambda own: work_items.act(own, actor, item.id, action, **more))


def test_many_are_approved_by_the_superior_first(session: Session, company: Company, li: Actor) -> None:
    of_sales = quota(session, company, 10)
    campaign = send(session, li, write(session, li))
    assert (campaign.state, states(session)) == ("in_approval", [])
    assert used(session, of_sales) == 5, "kept while somebody decides"
    decide(session, company.wang, campaign, "approve")
    assert fresh(session, campaign).state == "sent"
    assert states(session) == ["queued"] * 5
    assert used(session, of_sales) == 5
    assert session.scalar(select(func.count()).select_from(SmsCharge)) == 7, "five messages, kept and given back"


def test_rejected_nothing_is_sent_and_nothing_stays_reserved(session: Session, company: Company, li: Actor) -> None:
    of_sales = quota(session, company, 10)
    campaign = send(session, li, write(session, li))
    decide(session, company.wang, campaign, "reject", opinion="不必群发")
    assert (fresh(session, campaign).state, states(session), used(session, of_sales)) == ("rejected", [], 0)


def test_withdrawn_it_is_a_draft_again_and_can_be_sent_anew(session: Session, company: Company, li: Actor) -> None:
    of_sales = quota(session, company, 10)
    campaign = send(session, li, write(session, li))
    with pytest.raises(RuleViolation, match="approval is under way"):
        campaigns.cancel(session, li, campaign_id=campaign.id)
    session.rollback()
    perform(lambda own: work_items.withdraw(own, li, campaign.instance_id or 0, "改期"))
    campaign = fresh(session, campaign)
    assert (campaign.state, campaign.instance_id, used(session, of_sales)) == ("draft", None, 0)
    assert send(session, li, campaign).state == "in_approval"


def test_without_the_quota_nobody_is_even_asked(session: Session, company: Company, li: Actor) -> None:
    quota(session, company, 4)
    campaign = write(session, li)
    with pytest.raises(RuleViolation, match="5 are needed and 4 are left"):
        send(session, li, campaign)
    assert fresh(session, campaign).state == "draft"


def test_the_form_says_what_the_campaign_says_or_is_refused(session: Session, company: Company, li: Actor) -> None:
    campaign = write(session, li)
    honest = campaigns.told(campaign, campaigns.preview(session, campaign))
    session.commit()
    for lie in ({"text": "别的内容"}, {"recipients": "1"}):
        with pytest.raises(RuleViolation, match="does not say what the campaign says"):
            perform(lambda own, lie=lie: runtime.start(own, li, "bulk_sms", values={**honest, **lie}))
    other = actor_in(session, company.zhao, permissions.SEND_BULK, permissions.READ_BULK)
    with pytest.raises(RuleViolation, match="own draft"):
        perform(lambda own: runtime.start(own, other, "bulk_sms", values=honest))


def test_a_department_that_moves_while_it_is_decided_loses_nothing(
    session: Session, company: Company, li: Actor
) -> None:
    of_sales = quota(session, company, 10)
    campaign = send(session, li, write(session, li))
    organization.change_department(session, SYSTEM, record_id=company.sales.id, values={"parent": None})
    session.commit()
    decide(session, company.wang, campaign, "approve")
    assert used(session, of_sales) == 5
