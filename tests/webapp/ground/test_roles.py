"""Roles as sums, the matrix, and the accounts of people."""

from __future__ import annotations

import pytest
from flask import Flask
from flask_appbuilder.security.sqla.models import Role, User
from sqlalchemy import select

from engine.actor import SYSTEM, Actor
from engine.db import Sessions, transaction
from engine.errors import Forbidden, InvalidForm, RuleViolation
from engine.models import RecordAudit
from processes.organization.models import Employee
from tests.webapp.ground.conftest import Browser, CountQueries, Login
from webapp.security import accounts, people, roles
from webapp.security.naming import named, pair

NOBODY = Actor(person_id=9, name="nobody")


def holders(permission: str) -> set[str]:
    Sessions.remove()
    found = set()
    for role in Sessions().scalars(select(Role)):
        if permission in {named(link.permission.name, link.view_menu.name) for link in role.permissions}:
            found.add(role.name)
    return found


def role_id(name: str) -> int:
    return Sessions().scalars(select(Role.id).where(Role.name == name)).one()


# ------------------------------------------------------------------------------------------------ sums


def test_a_role_may_all_that_it_includes() -> None:
    for role in roles.ROLES:
        for included in role.includes:
            assert roles.patterns(included) <= roles.patterns(role.name)


def test_roles_are_made_once_and_hold_what_they_should(app: Flask) -> None:
    assert holders("organization.employee.manage") == {"HumanResources", "Admin"}
    assert holders("made_up.deal.manage") == {"Admin"}
    before = {name: holders(name) for name in ("organization.employee.manage", "security.role.manage")}
    roles.create_permissions(app)
    assert {name: holders(name) for name in before} == before


def test_what_an_administrator_decided_survives_the_next_release(app: Flask) -> None:
    with transaction() as session:
        changes = {
            (role_id("HumanResources"), "organization.employee.manage"): False,
            (role_id("Employee"), "made_up.deal.manage"): True,
        }
        assert roles.save_matrix(session, SYSTEM, changes) == 2
    roles.create_permissions(app)
    assert holders("organization.employee.manage") == {"Admin"}
    assert holders("made_up.deal.manage") == {"Employee", "Admin"}


def test_names_and_pairs_are_the_same_thing() -> None:
    assert pair("organization.employee.manage") == ("can_manage", "organization.employee")
    assert named(*pair("organization.employee.manage")) == "organization.employee.manage"


# ------------------------------------------------------------------------------------------------ matrix


def test_the_matrix_is_read_and_saved(admin: Browser, login: Login) -> None:
    page = admin.get("/security/matrix/?_l_=en").text
    assert "made_up.deal.manage" in page
    employee = role_id("Employee")
    reader = login("reader")
    assert reader.get("/made_up/deal/add").status_code == 403
    assert admin.post("/security/matrix/", {"on": f"{employee}:made_up.deal.manage"}).status_code == 302
    assert reader.get("/made_up/deal/add").status_code == 200
    admin.post("/security/matrix/", {"off": f"{employee}:made_up.deal.manage"})
    assert reader.get("/made_up/deal/add").status_code == 403
    Sessions.remove()
    trail = Sessions().query(RecordAudit).filter_by(record_type="security.role", record_id=employee).all()
    assert [row.after for row in trail] == [{"permissions": ["made_up.deal.manage"]}, {"permissions": []}]


@pytest.mark.parametrize(
    "nonsense", ["x", "1", "999:made_up.deal.manage", "1:no.such.permission", ":a", "1:OpenApi.get"]
)
def test_the_matrix_refuses_nonsense(admin: Browser, nonsense: str) -> None:
    assert admin.post("/security/matrix/", {"on": nonsense}).status_code in {400, 404}


def test_the_administrators_role_cannot_lose_anything(app: Flask) -> None:
    with pytest.raises(RuleViolation), transaction() as session:
        roles.save_matrix(session, SYSTEM, {(role_id("Admin"), "security.role.manage"): False})
    assert "Admin" in holders("security.role.manage")


def test_only_who_manages_roles_saves(app: Flask, login: Login) -> None:
    with pytest.raises(Forbidden), transaction() as session:
        roles.save_matrix(session, NOBODY, {(role_id("Employee"), "security.role.manage"): True})
    browser = login("reader")
    assert browser.post("/security/matrix/", {"on": f"{role_id('Employee')}:security.role.manage"}).status_code == 403


def test_a_role_of_ones_own(admin: Browser) -> None:
    assert admin.post("/security/matrix/roles", {"name": "Archive"}).status_code == 302
    assert "Archive" in admin.get("/security/matrix/").text
    refused = admin.post("/security/matrix/roles?_l_=en", {"name": "Archive"})
    assert refused.status_code == 422
    assert "There is a role of this name already." in refused.text


# ------------------------------------------------------------------------------------------------ logins


def test_a_new_login_gets_an_employee_and_a_password_shown_once(admin: Browser, app: Flask) -> None:
    fields = {"username": "wang", "last_name": "王", "first_name": "磊", "email": "wang@example.cn", "active": "true"}
    page = admin.post("/security/login/add", {**fields, "roles": str(role_id("Employee"))})
    assert page.status_code == 200
    password = page.text.split('id="password" tabindex="0">')[1].split("<")[0]
    assert page.headers["Cache-Control"] == "no-store"
    Sessions.remove()
    user = Sessions().query(User).filter_by(username="wang").one()
    assert Sessions().query(Employee).filter_by(user_id=user.id).one().name == "王磊"
    browser = Browser(app.test_client())
    assert browser.post("/login/", {"username": "wang", "password": password}).status_code == 302
    assert password not in admin.get(f"/security/login/show/{user.id}").text


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"username": ""}, "username"),
        ({"username": "a b"}, "username"),
        ({"username": "LI"}, "username"),
        ({"email": "nothing"}, "email"),
        ({"email": "li@example.cn"}, "email"),
        ({"username": "li@example.cn"}, "username"),
        ({"last_name": " "}, "last_name"),
    ],
)
def test_a_login_is_checked_field_by_field(app: Flask, login: Login, fields: dict[str, str], field: str) -> None:
    login("li")
    good = {"username": "wang", "last_name": "王", "first_name": "磊", "email": "wang@example.cn"}
    with pytest.raises(InvalidForm) as refusal, transaction() as session:
        accounts.create_login(session, SYSTEM, values={**good, **fields})
    assert field in refusal.value.by_field()


def test_the_last_administrator_stays(admin: Browser) -> None:
    with transaction() as session:
        root = session.query(User).filter_by(username="root").one()
        employee = session.query(Role).filter_by(name="Employee").one()
        for forbidden in ({"active": False}, {"roles": [employee]}):
            with pytest.raises(RuleViolation) as refusal:
                accounts.change_login(session, SYSTEM, record_id=root.id, values=forbidden)
            assert refusal.value.code == "last_admin"
        with pytest.raises(RuleViolation):
            accounts.close_login(session, SYSTEM, record_id=root.id)


def test_nobody_closes_their_own_login(admin: Browser, login: Login) -> None:
    login("second", ("Admin",))
    Sessions.remove()
    root = Sessions().query(User).filter_by(username="root").one()
    admin.post(f"/security/login/delete/{root.id}")
    Sessions.remove()
    assert Sessions().get_one(User, root.id).active


def test_only_who_manages_logins_changes_them(app: Flask, login: Login) -> None:
    login("li")
    with transaction() as session:
        user_id = session.query(User).filter_by(username="li").one().id
        for forbidden in (
            lambda: accounts.create_login(session, NOBODY, values={}),
            lambda: accounts.change_login(session, NOBODY, record_id=user_id, values={}),
            lambda: accounts.close_login(session, NOBODY, record_id=user_id),
            lambda: accounts.reset_password(session, NOBODY, record_id=user_id),
            lambda: accounts.unlock(session, NOBODY, record_id=user_id),
        ):
            with pytest.raises(Forbidden):
                forbidden()


def test_rights_are_asked_once_a_request(app: Flask, login: Login, count_queries: CountQueries) -> None:
    browser = login("reader")
    with count_queries() as seen:
        browser.get("/made_up/deal/list/")
    assert len([statement for statement in seen if "ab_permission" in statement]) == 1


@pytest.mark.parametrize(
    ("family", "given", "name"),
    [("张", "伟", "张伟"), ("Smith", "Ann", "Ann Smith"), ("欧阳", "", "欧阳"), ("", "Cher", "Cher")],
)
def test_names_stand_in_the_order_of_their_language(family: str, given: str, name: str) -> None:
    assert people.full_name(family, given) == name
