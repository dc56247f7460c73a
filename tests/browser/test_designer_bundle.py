"""The designer and the viewer as built, in a real browser, against a server that answers as ours does."""

from __future__ import annotations

import re
from collections.abc import Iterator
from threading import Thread
from xml.etree import ElementTree as ET

import pytest
from playwright.sync_api import Browser, Dialog, Error, Page, expect, sync_playwright

from tests.browser.bundle_server import Draft, serve

BPMN = "{http://www.omg.org/spec/BPMN/20100524/MODEL}"
CAMUNDA = "{http://camunda.org/schema/1.0/bpmn}"


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        yield launched
        launched.close()


@pytest.fixture
def draft() -> Draft:
    return Draft()


@pytest.fixture
def address(draft: Draft) -> Iterator[str]:
    server = serve(draft)
    thread = Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def page(browser: Browser, address: str) -> Iterator[Page]:
    """A page that has opened nothing yet; a script error or a request to another host fails the test."""
    wrong: list[str] = []
    opened = browser.new_page(viewport={"width": 1366, "height": 768})
    opened.on("pageerror", lambda error: wrong.append(str(error)))
    opened.on("request", lambda request: wrong.append(request.url) if not _is_ours(request.url, address) else None)
    yield opened
    opened.close()
    assert wrong == []


def _is_ours(url: str, address: str) -> bool:
    return url.startswith((address, "data:", "blob:"))


@pytest.fixture
def designer(page: Page, address: str) -> Page:
    page.goto(address)
    expect(page.get_by_role("status")).to_have_text("已打开")
    return page


def select(page: Page, element: str) -> None:
    page.evaluate(
        """id => { const { modeler } = window.designer;
                   modeler.get('selection').select(modeler.get('elementRegistry').get(id)); }""",
        element,
    )
    expect(page.locator(".bio-properties-panel-header")).to_be_visible()


def set_box(page: Page, label: str, *, on: bool = True) -> None:
    """The panel draws a box anew after the click; `check()` of Playwright wants it changed in the same moment."""
    box = page.get_by_label(label)
    expect(box).to_be_checked(checked=not on)
    box.click()
    expect(box).to_be_checked(checked=on)


def entry(page: Page, name: str) -> str:
    return f'#panel [data-entry-id="{name}"] .bio-properties-panel-input'


def element(xml: str, name: str) -> ET.Element:
    found = ET.fromstring(xml).find(f".//*[@id='{name}']")
    assert found is not None
    return found


def save(page: Page) -> None:
    page.get_by_text("保存草稿").click()
    expect(page.get_by_role("status")).to_have_text("草稿已保存")


def test_candidates_form_and_policy_reach_the_file_as_camunda_attributes(designer: Page, draft: Draft) -> None:
    select(designer, "head_approval")
    designer.locator(entry(designer, "form-key")).select_option("leave_request")
    designer.locator("[data-add-rule]").select_option("position")
    designer.get_by_label("岗位").click()
    designer.get_by_role("option", name="总经理").click()
    set_box(designer, "这是审批任务")
    set_box(designer, "退回")
    set_box(designer, "必须填写意见")
    designer.locator(entry(designer, "due")).fill("working_hours(8)")
    designer.locator(entry(designer, "due")).blur()
    save(designer)

    task = element(draft.xml, "head_approval")
    assert task.get(f"{CAMUNDA}formKey") == "leave_request"
    assert task.get(f"{CAMUNDA}candidateGroups") == "department_head, position(general_manager)"
    properties = {p.get("name"): p.get("value") for p in task.iter(f"{CAMUNDA}property")}
    assert properties == {"approval.allow": "approve,reject,return", "approval.opinion": "required"}
    assert task.get(f"{CAMUNDA}dueDate") == "working_hours(8)"


def test_a_service_task_is_set_up_from_the_declared_topics(designer: Page, draft: Draft) -> None:
    select(designer, "remind")
    designer.locator(entry(designer, "topic")).select_option("messaging.send_sms")
    designer.locator(entry(designer, "parameter-to")).fill("${starter}")
    designer.locator(entry(designer, "parameter-to")).blur()
    designer.locator(entry(designer, "result-variable")).fill("sms")
    designer.locator(entry(designer, "result-variable")).blur()
    save(designer)

    task = element(draft.xml, "remind")
    assert task.get(f"{CAMUNDA}type") == "external"
    assert task.get(f"{CAMUNDA}topic") == "messaging.send_sms"
    assert task.get(f"{CAMUNDA}resultVariable") == "sms"
    assert [(p.get("name"), p.text) for p in task.iter(f"{CAMUNDA}inputParameter")] == [("to", "${starter}")]


def test_timer_condition_and_error_are_standard_bpmn(designer: Page, draft: Draft) -> None:
    select(designer, "remind_superior")
    designer.locator(entry(designer, "timer-kind")).select_option("timeCycle")
    designer.locator(entry(designer, "timer-value")).fill("R3/PT1H")
    designer.locator(entry(designer, "timer-value")).blur()
    select(designer, "f_large")
    designer.locator(entry(designer, "condition")).fill("${form.total > 5}")
    designer.locator(entry(designer, "condition")).blur()
    select(designer, "returned")
    designer.locator(entry(designer, "error")).select_option("rejected")
    save(designer)

    timer = element(draft.xml, "remind_superior_timer")
    assert [(child.tag.removeprefix(BPMN), child.text) for child in timer] == [("timeCycle", "R3/PT1H")]
    condition = element(draft.xml, "f_large").find(f"{BPMN}conditionExpression")
    assert condition is not None
    assert condition.text == "${form.total > 5}"
    assert element(draft.xml, "returned_error").get("errorRef") == "error_rejected"


def test_undo_takes_back_one_change_at_a_time(designer: Page, draft: Draft) -> None:
    before = element(draft.xml, "superior_approval")
    select(designer, "superior_approval")
    set_box(designer, "转办")
    set_box(designer, "必须填写意见", on=False)
    designer.get_by_text("撤销").click()
    expect(designer.get_by_label("必须填写意见")).to_be_checked()
    expect(designer.get_by_label("转办")).to_be_checked()
    designer.get_by_text("撤销").click()
    save(designer)

    saved = element(draft.xml, "superior_approval")
    assert [p.attrib for p in saved.iter(f"{CAMUNDA}property")] == [p.attrib for p in before.iter(f"{CAMUNDA}property")]


def test_an_approval_can_become_a_plain_task_again(designer: Page, draft: Draft) -> None:
    select(designer, "superior_approval")
    set_box(designer, "这是审批任务", on=False)
    expect(designer.get_by_label("必须填写意见")).to_have_count(0)
    save(designer)
    assert list(element(draft.xml, "superior_approval").iter(f"{CAMUNDA}property")) == []


def test_a_called_process_gets_and_gives_back_variables(designer: Page, draft: Draft) -> None:
    select(designer, "notify_starter")
    set_box(designer, "传入全部变量")
    set_box(designer, "带回全部变量")
    set_box(designer, "带回全部变量", on=False)
    save(designer)
    called = element(draft.xml, "notify_starter")
    assert [p.attrib for p in called.iter(f"{CAMUNDA}in")] == [{"variables": "all"}]
    assert list(called.iter(f"{CAMUNDA}out")) == []


def test_what_the_panel_does_not_know_stays_in_the_file(designer: Page, draft: Draft) -> None:
    select(designer, "revise")
    designer.locator(entry(designer, "form-key")).select_option("leave_request")
    save(designer)
    process = element(draft.xml, "sample_request")
    assert process.get(f"{CAMUNDA}historyTimeToLive") == "P5Y"
    assert element(draft.xml, "revise").get(f"{CAMUNDA}assignee") == "starter"


def test_a_save_over_somebody_elses_is_refused_and_nothing_is_lost(designer: Page, draft: Draft) -> None:
    select(designer, "revise")
    designer.locator(entry(designer, "form-key")).select_option("leave_request")
    draft.revision += 1
    theirs = draft.xml
    designer.keyboard.press("Control+s")
    status = designer.get_by_role("status")
    expect(status).to_have_attribute("data-state", "conflict")
    expect(status).to_contain_text("王强 10:42 保存了第 2 版草稿。")
    assert draft.xml == theirs
    expect(designer.locator(entry(designer, "form-key"))).to_have_value("leave_request")
    assert designer.evaluate("designer.isDirty()")


def test_the_servers_problems_are_listed_and_lead_to_the_element(designer: Page) -> None:
    problem = designer.locator("#problems button", has_text="没有名为 approval.remind 的服务。")
    expect(problem).to_have_class(re.compile("ylb-error"))
    expect(problem).to_contain_text("处理办法：在“服务”里另选一个")
    expect(designer.locator('[data-container-id="remind"] .bjsl-icon-error')).to_be_visible()
    problem.click()
    expect(designer.locator(".bio-properties-panel-header-label")).to_have_text("短信催办")


def test_deploying_is_refused_with_problems_until_they_are_gone(designer: Page, draft: Draft) -> None:
    designer.get_by_text("部署", exact=True).click()
    status = designer.get_by_role("status")
    expect(status).to_have_text("没有部署：有 1 个问题")
    assert draft.deployed == 0
    select(designer, "remind")
    designer.locator(entry(designer, "topic")).select_option("messaging.send_sms")
    designer.get_by_text("部署", exact=True).click()
    expect(status).to_have_text("已部署第 1 版")
    assert not designer.evaluate("designer.isDirty()")


def test_a_file_that_is_no_diagram_leaves_the_drawing_as_it_was(designer: Page) -> None:
    with designer.expect_file_chooser() as chosen:
        designer.get_by_text("导入").click()
    chosen.value.set_files({"name": "broken.bpmn", "mimeType": "text/xml", "buffer": b"<html>no</html>"})
    expect(designer.get_by_role("status")).to_contain_text("文件不是 BPMN 流程图")
    expect(designer.locator('[data-element-id="superior_approval"]').first).to_be_visible()
    assert not designer.evaluate("designer.isDirty()")


def test_leaving_with_unsaved_work_asks_first(designer: Page) -> None:
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    select(designer, "revise")
    set_box(designer, "这是审批任务")  # a click: browsers do not ask people who touched nothing
    designer.on("dialog", stay)
    with pytest.raises(Error, match="ERR_ABORTED"):
        designer.goto("about:blank")
    assert asked == ["beforeunload"]


def test_every_word_the_panel_shows_is_chinese_and_the_mark_stays(designer: Page) -> None:
    every = designer.evaluate("designer.modeler.get('elementRegistry').getAll().map(({ id }) => id)")
    for each in every:
        select(designer, each)
    designer.locator(".bts-toggle-mode").click()
    expect(designer.locator(".bts-toggle-mode")).to_contain_text("模拟运行")
    expect(designer.locator(".bjs-powered-by")).to_be_visible()
    assert designer.evaluate("[...designer.untranslated]") == []


def test_the_viewer_marks_where_the_tokens_are_and_were(page: Page, address: str) -> None:
    page.goto(f"{address}/viewer.html")
    expect(page.locator('.ylb-active[data-element-id="head_approval"]')).to_be_visible()
    expect(page.locator('.ylb-done[data-element-id="start"]')).to_be_visible()
    expect(page.locator('.ylb-failed[data-element-id="remind"]')).to_be_visible()
    expect(page.locator('.ylb-taken[data-element-id="f_large"]')).to_be_attached()
    expect(page.locator('[data-container-id="head_approval"] .ylb-people')).to_have_text("李娜、王强")
    expect(page.locator(".bjs-powered-by")).to_be_visible()
    page.locator('.djs-element[data-element-id="revise"]').first.click()
    expect(page.locator("#selected")).to_have_text("revise")


def test_the_viewer_follows_a_new_state(page: Page, address: str) -> None:
    page.goto(f"{address}/viewer.html")
    expect(page.locator('.ylb-active[data-element-id="head_approval"]')).to_be_visible()
    page.evaluate("shown.update({ done: ['head_approval'], active: ['reserve_budget'], people: { unknown: '无' } })")
    expect(page.locator('.ylb-active[data-element-id="reserve_budget"]')).to_be_visible()
    expect(page.locator('.ylb-done[data-element-id="head_approval"]')).to_be_visible()
    expect(page.locator(".djs-shape:is(.ylb-active, .ylb-done, .ylb-failed)")).to_have_count(2)
    expect(page.locator(".ylb-people, .ylb-badge")).to_have_count(0)


@pytest.mark.parametrize("page_name", ["", "viewer.html"])
def test_a_diagram_without_a_drawing_gets_one(page: Page, address: str, draft: Draft, page_name: str) -> None:
    start = draft.xml.index("<bpmndi:BPMNDiagram")
    end = draft.xml.index("</bpmn:definitions>")
    draft.xml = draft.xml[:start] + draft.xml[end:]
    page.goto(f"{address}/{page_name}")
    expect(page.locator('.djs-shape[data-element-id="file_request"]')).to_be_visible()


@pytest.mark.parametrize("width", [390, 1366])
def test_the_viewer_never_makes_the_page_scroll_sideways(page: Page, address: str, width: int) -> None:
    page.set_viewport_size({"width": width, "height": 844})
    page.goto(f"{address}/viewer.html")
    expect(page.locator(".ylb-people")).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
