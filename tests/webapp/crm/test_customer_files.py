"""The customer's tabs of files and of processes: what lies there, for whom, and who adds and removes."""

from __future__ import annotations

import re
from io import BytesIO

import pytest
from sqlalchemy import select

from engine import attachments, clock
from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.errors import RuleViolation
from engine.models import Attachment, RecordAudit
from processes.activity import operations as activity
from processes.comments import operations as comments
from processes.ownership import permissions as ownership
from processes.ownership.models import Share
from processes.ownership.operations import requests
from processes.party import operations as party, permissions
from processes.party.models import Customer
from processes.party.permissions import CUSTOMER
from processes.tasks import operations as tasks
from tests.demo_house import Browser, DemoHouse, Facts
from tests.webapp.crm.conftest import COLLEAGUE, MANAGER, SELLER, SUPERIOR, Trade

MINE, POOL, CLOSED = "华宇智联科技", "晨光教育", "旧日贸易"


def acting(name: str, *rights: str) -> Actor:
    return Actor(Facts().person(name), name, permissions=frozenset({*permissions_of_a_seller(), *rights}))


def permissions_of_a_seller() -> tuple[str, ...]:
    return permissions.USE, permissions.MANAGE, "activity.record.write", ownership.APPLY


def sent_up(by: Actor, name: str) -> int:
    with transaction() as session:
        return attachments.store(session, by, name, name.encode()).id


def uploaded(browser: Browser, name: str, content: bytes = b"hello") -> int:
    answer = browser.client.post(
        "/api/v1/attachments",
        data={"file": (BytesIO(content), name)},
        headers={"X-CSRFToken": browser.token()},
        content_type="multipart/form-data",
    )
    assert answer.status_code == 201, answer.text
    return int(answer.json["id"])


def listed(page: str) -> list[str]:
    """Names of the files shown in a table, in its order; those not yet added are not among them."""
    link = r'class="yl-file" href="/api/v1/attachments/\d+" download title="[^"]+">.*?<span>([^<]+)</span></a>'
    return re.findall(link, page)


def test_a_file_is_added_read_and_removed_and_both_are_noted(house: DemoHouse, trade: Trade) -> None:
    seller, url = house.login(SELLER), f"/customers/{trade.ids[MINE]}/files"
    assert "还没有文件" in seller.get(url).text
    ids = [uploaded(seller, "营业执照.txt"), uploaded(seller, "平面图.txt")]
    page = seller.post(url, {"file": ids}, partial=True)
    assert (page.status_code, listed(page.text)) == (200, ["平面图.txt", "营业执照.txt"])
    again = seller.post(url, {"file": ids}, partial=True)
    assert (again.status_code, listed(again.text)) == (200, ["平面图.txt", "营业执照.txt"]), "a double click adds once"
    superior = house.login(SUPERIOR)
    assert listed(superior.get(url).text) == ["平面图.txt", "营业执照.txt"]
    assert superior.get(f"/api/v1/attachments/{ids[0]}").data == b"hello"
    gone = seller.post(f"{url}/{ids[0]}/remove", {}, partial=True)
    assert (gone.status_code, listed(gone.text)) == (200, ["平面图.txt"])
    assert seller.post(f"{url}/{ids[0]}/remove", {}, partial=True).status_code == 404
    assert superior.get(f"/api/v1/attachments/{ids[0]}").status_code == 404
    with transaction() as session:
        kept = select(RecordAudit.action).where(
            RecordAudit.record_type == CUSTOMER, RecordAudit.record_id == trade.ids[MINE]
        )
        assert session.scalars(kept.order_by(RecordAudit.id)).all()[-3:] == ["file_added", "file_added", "file_removed"]
    assert "添加了文件" in house.login(MANAGER).get(f"/party/customer/history/{trade.ids[MINE]}").text


def test_nobody_hangs_what_is_not_his_nor_where_he_may_not_work(house: DemoHouse, trade: Trade) -> None:
    seller, colleague = house.login(SELLER), house.login(COLLEAGUE)
    theirs = uploaded(colleague, "别人的.txt")
    mine = f"/customers/{trade.ids[MINE]}/files"
    assert seller.post(mine, {"file": theirs}, partial=True).status_code == 422
    assert seller.post(mine, {}, partial=True).status_code == 422, "nothing was chosen"
    assert colleague.get(mine).status_code == 404
    assert colleague.post(mine, {"file": theirs}, partial=True).status_code == 404
    pool = f"/customers/{trade.ids[POOL]}/files"
    seen = colleague.get(pool)
    assert (seen.status_code, "data-yl-files-form" in seen.text) == (200, False)
    assert colleague.post(pool, {"file": theirs}, partial=True).status_code == 403
    closed = f"/customers/{trade.ids[CLOSED]}/files"
    refused = house.login(MANAGER).post(closed, {"file": uploaded(house.login(MANAGER), "晚了.txt")}, partial=True)
    assert refused.status_code in (403, 422)
    with transaction() as session:
        assert session.get_one(Attachment, theirs).record_id is None
        with pytest.raises(RuleViolation):
            party.add_files(session, SYSTEM, customer_id=trade.ids[CLOSED], ids=[theirs])


def test_files_of_records_comments_and_tasks_lie_there_for_whoever_may_read_those(
    house: DemoHouse, trade: Trade
) -> None:
    mine, seller = trade.ids[MINE], acting("王磊", "tasks.task.create")
    values = {"customer": mine, "way": "visit", "content": "看了机房"}
    with transaction() as session:
        customer = session.get_one(Customer, mine)
        customer.owner_id, customer.state = seller.person_id, "locked"
    files = {kind: sent_up(seller, f"{kind}.txt") for kind in ("record", "comment", "voided", "task")}
    with transaction() as session:
        activity.create_record(session, seller, values=values, attachments=[files["record"]], plans=False)
        for kind in ("comment", "voided"):
            said = comments.add_comment(
                session, seller, record_type=CUSTOMER, record_id=mine, text=kind, attachments=[files[kind]]
            )
        comments.void_comment(session, seller, comment_id=said.id, reason="写错了")
        tasks.create_task(
            session,
            seller,
            title="画图",
            assignee=seller.person_id,
            record=(CUSTOMER, mine),
            attachments=[files["task"]],
        )
    url = f"/customers/{mine}/files"
    assert listed(house.login(SELLER).get(url).text) == ["task.txt", "comment.txt", "record.txt"]
    with transaction() as session:
        colleague = Facts().person("徐芳")
        session.add(Share(customer_id=mine, person_id=colleague, level="read", parts=["contacts"], created_by=1))
    assert listed(house.login(COLLEAGUE).get(url).text) == ["comment.txt"], "records are kept back, the task is not his"
    answer = house.login(SELLER).get(f"/api/v1{url}?page_size=2").json
    assert [one["file"]["name"] for one in answer["items"]] == ["task.txt", "comment.txt"]
    assert answer["has_more"]
    rest = house.login(SELLER).get(f"/api/v1{url}?before={answer['items'][-1]['file']['id']}").json
    assert ([one["record_type"] for one in rest["items"]], rest["has_more"]) == (["activity.record"], False)


def test_files_are_paged_without_the_frame(house: DemoHouse, trade: Trade) -> None:
    mine = trade.ids[MINE]
    with transaction() as session:
        for number in range(23):
            session.add(
                Attachment(name=f"{number}.txt", media_type="text/plain", size=1, sha256="0" * 64, record_type=CUSTOMER,
                           record_id=mine, uploaded_by=1, uploaded_at=clock.now())
            )  # fmt: skip
    seller = house.login(SELLER)
    first = seller.get(f"/customers/{mine}/files").text
    assert listed(first) == [f"{number}.txt" for number in range(22, 2, -1)]
    further = re.search(r'hx-get="([^"]+before=\d+)"', first)
    assert further
    rest = seller.get(further.group(1), partial=True).text
    assert listed(rest) == ["2.txt", "1.txt", "0.txt"]
    assert "yl-crm-files" not in rest.split("hx-target")[0]


def test_applications_for_a_customer_stand_with_it_for_those_who_take_part(house: DemoHouse, trade: Trade) -> None:
    pool, applicant = trade.ids[POOL], acting("徐芳")
    with transaction() as session:
        requests.apply_for(session, applicant, customer_id=pool, reason="老同学在那里")
    Sessions.remove()
    url = f"/about/party.customer/{pool}/processes"
    page = house.login(COLLEAGUE).get(url).text
    assert "徐芳" in page
    assert "/instances/" in page
    assert "/instances/" not in house.login(SELLER).get(url).text, "who takes no part learns nothing of it"
    assert "/instances/" in house.login(MANAGER).get(url).text
    assert house.login(COLLEAGUE).get(f"/about/party.customer/{trade.ids[MINE]}/processes").status_code == 404
    assert house.login(COLLEAGUE).get(f"/about/no.such/{pool}/processes").status_code == 404
