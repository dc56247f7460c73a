"""Rules on fields as pages obey them, the question why somebody sees a customer, and looking through another's eyes."""

from __future__ import annotations

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import select

from engine import clock
from engine.actor import SYSTEM
from engine.db import Sessions, transaction
from engine.models import RecordAudit
from processes.organization.models import Employee
from processes.party import operations
from processes.party.models import Customer
from processes.telephony.models import Call
from tests.demo_house import Browser, DemoHouse
from tests.webapp.crm.conftest import COLLEAGUE, MANAGER, SELLER, SUPERIOR, Trade

OWN, FOREIGN, POOL = "华宇智联科技", "鹏讯电子", "晨光教育"
HUMAN_RESOURCES = "wu.ting"
NUMBER, MASKED = "138 0013 8000", "138****8000"


def rule(person: int, sees: str, field: str = "customer.phone", **values: object) -> int:
    with transaction() as session:
        said = {"field": field, "person": person, "sees": sees, "reveals": True, **values}
        key = operations.create_field_rule(session, SYSTEM, values=said).id
    Sessions.remove()
    return key


@pytest.fixture
def admin(house: DemoHouse) -> Browser:
    """The general manager with the administrator's role: he may look through everybody's eyes."""
    with transaction() as session:
        user = session.scalars(select(User).where(User.username == MANAGER)).one()
        user.roles = [session.scalars(select(Role).where(Role.name == "Admin")).one()]
    Sessions.remove()
    return house.login(MANAGER)


def test_the_register_of_rules_is_kept_by_whoever_may(house: DemoHouse, trade: Trade, admin: Browser) -> None:
    assert house.login(SELLER).get("/party/field_rule/list/").status_code == 403
    seller = trade.customer(OWN).owner_id
    form = {"field": "customer.phone", "person": str(seller), "extent": "everywhere", "sees": "masked"}
    assert admin.post("/party/field_rule/add", form).status_code == 302
    page = house.login(SELLER).get(f"/party/customer/show/{trade.ids[OWN]}").text
    assert MASKED in page
    assert NUMBER not in page
    assert f"reveal/{trade.ids[OWN]}/phone" not in page, "the box was not ticked"


def test_a_masked_field_is_in_no_form_and_uncovered_by_a_click_that_is_noted(house: DemoHouse, trade: Trade) -> None:
    seller, own = house.login(SELLER), trade.ids[OWN]
    key = rule(trade.customer(OWN).owner_id or 0, "masked")
    form = seller.get(f"/party/customer/edit/{own}").text
    assert 'name="phone"' not in form
    assert NUMBER not in form
    assert seller.get(f"/party/customer/field/{own}/phone").status_code == 404
    version = trade.customer(OWN).version
    change = {"version": version, "phone": "13911112222"}
    headers = {"X-CSRFToken": seller.token()}
    assert seller.client.patch(f"/api/v1/customers/{own}", json=change, headers=headers).status_code == 422
    got = seller.get(f"/api/v1/customers/{own}").json
    assert (got["phone"], got["masked"], got["hidden"]) == (MASKED, ["phone"], [])
    assert NUMBER in seller.post(f"/party/customer/reveal/{own}/phone").text
    with transaction() as session:
        noted = session.scalars(select(RecordAudit).where(RecordAudit.action == "revealed")).one()
        assert (noted.record_id, noted.actor_name, noted.after) == (own, "王磊", {"field": "phone"})
        operations.change_field_rule(session, SYSTEM, record_id=key, values={"sees": "hidden"})
    got = seller.get(f"/api/v1/customers/{own}").json
    assert (got["phone"], got["masked"], got["hidden"]) == (None, [], ["phone"])
    assert seller.post(f"/party/customer/reveal/{own}/phone").status_code == 404
    page = seller.get(f"/party/customer/show/{own}").text
    assert MASKED not in page
    assert NUMBER not in page


def test_an_exported_file_obeys_masks(house: DemoHouse, trade: Trade) -> None:
    rule(trade.customer(OWN).owner_id or 0, "hidden")
    rule(trade.customer(OWN).owner_id or 0, "masked", "contact.phone")
    seller = house.login(SELLER)
    text = seller.get("/party/customer/export").text
    assert OWN in text
    assert "8000" not in text
    assert "139****9001" in seller.get("/party/contact/export").text


def test_the_call_list_and_the_calls_obey_masks(house: DemoHouse, trade: Trade) -> None:
    person = trade.customer(OWN).owner_id or 0
    with transaction() as session:
        session.get_one(Customer, trade.ids[OWN]).last_contact_at = None
        call = Call(uuid="u-1", exchange="pbx", direction="in", number="+8613800138000", state="ended", result="missed")
        call.started_at = call.ended_at = clock.now()
        call.asked_by = person
        session.add(call)
        session.flush()
        call_id = call.id
    Sessions.remove()
    seller = house.login(SELLER)
    roads = (f"/follow/new?customer={trade.ids[OWN]}&call={call_id}", "/calls", f"/calls/{call_id}")
    seen = [seller.get(road).text for road in roads]
    assert all(NUMBER in text for text in seen)
    for sees in ("masked", "hidden"):
        key = rule(person, sees)
        for road in (*roads, "/follow/?queue=never", f"/follow/of/{trade.ids[OWN]}"):
            text = seller.get(road).text
            assert "13800138000" not in text.replace(" ", ""), (road, sees)
        assert seller.get(f"/api/v1/connectors/telephony/calls/{call_id}").json["number"] == (
            MASKED if sees == "masked" else ""
        )
        with transaction() as session:
            operations.remove_field_rule(session, SYSTEM, record_id=key)
        Sessions.remove()


def test_a_picker_never_lists_what_a_list_would_hide(house: DemoHouse, trade: Trade) -> None:
    for who, seen in ((SELLER, {OWN, POOL}), (COLLEAGUE, {FOREIGN, POOL}), (SUPERIOR, {OWN, POOL})):
        browser = house.login(who)
        for name in (OWN, FOREIGN, POOL):
            picked = [one["text"] for one in browser.get(f"/lookup/party.customer?q={name}").json]
            listed = f"show/{trade.ids[name]}" in browser.get(f"/party/customer/list/?q={name}").text
            assert (name in picked) == listed == (name in seen), (who, name)


# ------------------------------------------------------------------------------------------------- why


def test_the_superior_of_the_owner_asks_why_and_nobody_else(house: DemoHouse, trade: Trade) -> None:
    own, seller = trade.ids[OWN], trade.customer(OWN).owner_id
    url = f"/customers/{own}/why?person={seller}"
    superior = house.login(SUPERIOR)
    assert f"/customers/{own}/why" in superior.get(f"/party/customer/show/{own}").text
    assert "是归属人" in superior.get(url).text
    with transaction() as session:
        other = session.scalars(select(Employee.id).where(Employee.name == "徐芳")).one()
    assert "看不到" in superior.get(f"/customers/{own}/why?person={other}").text
    answer = superior.get(f"/api/v1/customers/{own}/sight?person_id={seller}").json
    assert ([one["name"] for one in answer["roads"]], answer["sees"], answer["works"]) == (["own"], True, True)
    assert house.login(SELLER).get(url).status_code == 404
    assert f"/customers/{own}/why" not in house.login(SELLER).get(f"/party/customer/show/{own}").text
    assert house.login(SELLER).get(f"/api/v1/customers/{own}/sight?person_id={seller}").status_code == 403


# ------------------------------------------------------------------------------------------------- another's eyes


def begin(admin: Browser, person: int) -> None:
    assert admin.post("/view-as/begin", {"person": str(person)}).headers["Location"] == "/party/customer/list/"


def test_through_anothers_eyes_one_sees_what_he_sees_and_writes_nothing(
    house: DemoHouse, trade: Trade, admin: Browser
) -> None:
    seller = trade.customer(OWN).owner_id or 0
    assert FOREIGN in admin.get("/party/customer/list/?size=100").text
    assert "王磊" in admin.get(f"/customers/sight?person={seller}").text
    begin(admin, seller)
    page = admin.get("/party/customer/list/?size=100").text
    assert "王磊" in page
    assert "/view-as/end" in page
    assert OWN in page
    assert FOREIGN not in page
    assert admin.get(f"/party/customer/show/{trade.ids[OWN]}").status_code == 200
    for url in ("show/{c}", "head/{c}", "card/{c}", "contacts/{c}", "history/{c}", "list/?view=mine"):
        assert admin.get("/party/customer/" + url.format(c=trade.ids[OWN])).status_code == 200, url
    for url in (f"/follow/of/{trade.ids[OWN]}", "/follow/", "/customers/pool", "/customers/lists", "/follow/analysis"):
        assert admin.get(url).status_code == 200, url
    assert admin.get("/lookup/party.customer?q=").status_code == 200
    assert admin.get("/lookup/telephony.agent").status_code == 403
    assert admin.get(f"/party/customer/show/{trade.ids[FOREIGN]}").status_code == 404
    assert admin.get(f"/api/v1/customers/{trade.ids[FOREIGN]}").status_code == 404
    headers = {"X-CSRFToken": admin.token()}
    before = trade.customer(OWN).version
    tried = [
        admin.post(f"/party/customer/field/{trade.ids[OWN]}/city", {"city": "北京", "version": str(before)}),
        admin.post(f"/party/customer/reveal/{trade.ids[POOL]}/phone"),
        admin.post(f"/customers/{trade.ids[POOL]}/mark/watch"),
        admin.post("/organization/scope_grant/add", {}),
        admin.client.patch(
            f"/api/v1/customers/{trade.ids[OWN]}", json={"version": before, "city": "北京"}, headers=headers
        ),
        admin.client.post(f"/api/v1/customers/{trade.ids[OWN]}/actions/close", json={}, headers=headers),
        admin.post("/view-as/begin", {"person": str(seller)}),
        *(admin.get(url) for url in ("/inbox/", "/tasks/", "/notices/", "/party/customer/export", "/customers/sight")),
    ]
    assert [answer.status_code for answer in tried] == [403] * len(tried)
    assert trade.customer(OWN).version == before
    assert admin.post("/view-as/end").status_code == 302
    assert FOREIGN in admin.get("/party/customer/list/?size=100").text
    with transaction() as session:
        wanted = select(RecordAudit).where(RecordAudit.action.in_(("viewing_begun", "viewing_ended")))
        noted = session.scalars(wanted.order_by(RecordAudit.seq)).all()
        assert [(one.record_id, one.action, one.actor_name) for one in noted] == [
            (seller, "viewing_begun", "陈国强"),
            (seller, "viewing_ended", "陈国强"),
        ]


def test_viewing_ends_with_the_right_the_login_and_the_hour(
    house: DemoHouse, trade: Trade, admin: Browser, monkeypatch: pytest.MonkeyPatch
) -> None:
    seller = trade.customer(OWN).owner_id or 0
    begin(admin, seller)
    assert FOREIGN not in admin.get("/party/customer/list/?size=100").text
    later = clock.now().replace(year=clock.now().year + 1)
    with monkeypatch.context() as patch:
        patch.setattr(clock, "now", lambda: later)
        assert FOREIGN in admin.get("/party/customer/list/?size=100").text, "an hour is over"
    with transaction() as session:
        user = session.scalars(select(User).where(User.username == MANAGER)).one()
        user.roles = [session.scalars(select(Role).where(Role.name == "GeneralManager")).one()]
    Sessions.remove()
    assert FOREIGN in admin.get("/party/customer/list/?size=100").text, "the right is gone"
    assert admin.post("/view-as/begin", {"person": str(seller)}).status_code == 403
    assert house.login(HUMAN_RESOURCES).post("/view-as/begin", {"person": str(seller)}).status_code == 403


def test_signing_out_while_viewing_is_noted_as_its_end(house: DemoHouse, trade: Trade, admin: Browser) -> None:
    seller = trade.customer(OWN).owner_id or 0
    begin(admin, seller)
    assert admin.post("/logout/").status_code == 302
    with transaction() as session:
        ended = session.scalars(select(RecordAudit).where(RecordAudit.action == "viewing_ended")).one()
        assert (ended.record_id, ended.actor_name) == (seller, "陈国强")
