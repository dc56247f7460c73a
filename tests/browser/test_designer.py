"""The designer in a real browser: a process changed by clicking, deployed, compared; two people at one drawing."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask_appbuilder.security.sqla.models import Role, User
from playwright.sync_api import Browser, Page, Route, expect
from sqlalchemy import select

from engine.db import Sessions, transaction
from tests import demo_house
from tests.browser.conftest import SignIn, Site
from tests.webapp.live.serving import serve

DESIGNER, SECOND = "zheng.kai", "wu.ting"
KEY = "expense_request"
EXAMPLES = Path(__file__).parents[2] / "docs" / "examples"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory, chromium: str) -> Iterator[Site]:
    """A house of their own: other tests send requests through the process that is changed here."""
    built = demo_house.build(tmp_path_factory.mktemp("site"))
    site = Site("", built.file)
    with site.inside(), transaction() as session:
        user = session.scalars(select(User).where(User.username == SECOND)).one()
        user.roles.append(session.scalars(select(Role).where(Role.name == "ProcessDesigner")).one())
    Sessions.remove()
    settings = built.app.config["SETTINGS"]
    with serve(settings, settings.database_url) as served:
        site.address = f"http://127.0.0.1:{served.port}"
        yield site


def opened(page: Page, key: str = KEY) -> Page:
    page.goto(f"/designer/{key}")
    expect(page.locator("#dz-status")).to_have_text("已打开")
    return page


def choose_element(page: Page, element: str) -> None:
    page.locator(f"#dz-canvas [data-element-id={element}]").first.click()
    expect(page.locator("#dz-panel .bio-properties-panel-header")).to_be_visible()


def add_candidate(page: Page, element: str, rule: str) -> None:
    choose_element(page, element)
    page.locator("[data-add-rule]").select_option(rule)
    expect(page.locator("#dz-status")).to_have_text("未保存")


def save(page: Page) -> None:
    page.locator("[data-yl-save]").click()
    expect(page.locator("#dz-status")).to_have_attribute("data-state", "saved")


def deploy(page: Page) -> None:
    page.locator("[data-yl-deploy]").click()
    page.locator("#yl-confirm button[value=yes]").click()


def test_a_right_chosen_before_the_script_has_come_counts(sign_in: SignIn, browser: Browser, site: Site) -> None:
    state = sign_in(DESIGNER).context.storage_state()
    # A service worker would fetch the script where no test can hold it back.
    context = browser.new_context(base_url=site.address, storage_state=state, service_workers="block")
    page, held = context.new_page(), []

    def hold(route: Route) -> None:
        held.append(route)

    page.route("**/modeler-files.js*", hold)
    page.goto(f"/designer/{KEY}/files", wait_until="commit")
    page.locator("[data-yl-step=approve_superior][data-yl-field=remark]").select_option("edit")
    for route in held:
        route.continue_()
    assert held
    expect(page.locator("textarea")).to_have_value(re.compile(r'"approve_superior": \{"remark": "edit"\}'))
    context.close()


def test_a_candidate_and_a_right_are_changed_by_clicking_and_deployed(sign_in: SignIn) -> None:
    page = opened(sign_in(DESIGNER))
    choose_element(page, "approve_finance")
    page.locator("[data-add-rule]").select_option("position")
    page.locator("#dz-panel").get_by_role("combobox", name="岗位").last.click()
    page.get_by_role("option", name="总经理").click()
    save(page)

    page.get_by_role("link", name="表单与决策表").click()
    page.locator("[data-yl-step=approve_superior][data-yl-field=remark]").select_option("edit")
    expect(page.locator("textarea")).to_have_value(re.compile(r'"approve_superior": \{"remark": "edit"\}'))
    page.locator("#dz-file button[type=submit]").click()
    expect(page.locator("[data-yl-step=approve_superior][data-yl-field=remark]")).to_have_value("edit")

    opened(page)
    deploy(page)
    expect(page.locator("[data-yl-version]")).to_have_text("第 2 版")
    expect(page.locator("[data-yl-draft]")).to_be_hidden()

    page.goto(f"/designer/{KEY}/versions")
    expect(page.locator("tbody tr")).to_have_count(2)
    page.goto(f"/designer/{KEY}/compare")
    changes = page.locator("main")
    expect(changes).to_contain_text("财务审批")
    expect(changes).to_contain_text("(general_manager)")
    expect(changes).to_contain_text("remark")


def test_two_people_at_one_drawing_lose_nothing(sign_in: SignIn) -> None:
    first, second = opened(sign_in(DESIGNER)), opened(sign_in(SECOND))
    add_candidate(first, "approve_superior", "department_head")
    add_candidate(second, "approve_superior", "starter")
    save(first)
    second.locator("[data-yl-save]").click()
    told = second.locator("#dz-conflict")
    expect(told).to_be_visible()
    expect(told).to_contain_text("郑凯")
    with second.expect_download() as download:
        told.locator("[data-yl-export]").click()
    mine = Path(download.value.path()).read_text(encoding="utf-8")
    assert "superior, starter" in mine

    third = opened(sign_in(SECOND))
    choose_element(third, "approve_superior")
    expect(third.locator(".ylb-rule select").last).to_have_value("department_head")


def test_a_refused_deployment_names_the_element_and_leads_to_it(sign_in: SignIn) -> None:
    page = opened(sign_in(DESIGNER))
    add_candidate(page, "approve_general_manager", "person")  # nobody is named in its brackets
    deploy(page)
    expect(page.locator("#dz-status")).to_have_attribute("data-state", "refused")
    problem = page.locator("#dz-problems .ylb-problem").first
    expect(problem).to_contain_text("总经理审批")
    choose_element(page, "start")
    problem.click()
    expect(page.locator("#dz-panel .bio-properties-panel-header")).to_contain_text("总经理审批")


def test_a_process_is_begun_in_the_browser_and_deployed(sign_in: SignIn) -> None:
    page = sign_in(DESIGNER)
    page.goto("/designer/")
    page.locator("[data-yl-dialog=dz-new]").click()
    page.fill("#dz-new [name=name]", "用车申请")
    page.fill("#dz-new [name=key]", "vehicle_request")
    page.locator("#dz-new .btn-primary").click()
    expect(page.locator("#dz-status")).to_have_text("已打开")
    expect(page.locator("#dz-problems")).to_contain_text("没有发现问题")
    deploy(page)
    expect(page.locator("[data-yl-version]")).to_have_text("第 1 版")


def test_files_are_imported_and_looked_at(sign_in: SignIn) -> None:
    page = sign_in(DESIGNER)
    page.goto("/designer/")
    page.locator("[data-yl-dialog=dz-import]").click()
    page.set_input_files("#dz-import input[type=file]", [str(file) for file in EXAMPLES.iterdir()])
    page.locator("#dz-import .btn-primary").click()
    expect(page.locator("#dz-status")).to_have_text("已打开")
    expect(page.locator("#dz-canvas [data-element-id=approve_superior]").first).to_be_visible()
    assert page.url.endswith("/designer/time_off")


@pytest.mark.parametrize(
    "path", ["", KEY, *(f"{KEY}/{part}" for part in ("files", "versions", "versions/1", "compare"))]
)
def test_nothing_scrolls_sideways_on_a_phone(sign_in: SignIn, path: str) -> None:
    page = sign_in(DESIGNER, phone=True)
    page.goto(f"/designer/{path}")
    assert page.evaluate("document.documentElement.scrollWidth") <= page.evaluate("innerWidth")


def test_a_phone_shows_the_diagram_instead_of_the_modeler(sign_in: SignIn) -> None:
    page = sign_in(DESIGNER, phone=True)
    page.goto(f"/designer/{KEY}")
    expect(page.locator(".yl-dz-small [data-element-id=approve_superior]").first).to_be_visible()
    expect(page.locator(".yl-dz-desk")).to_be_hidden()
