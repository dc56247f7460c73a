"""Files of a customer in the browser: chosen, sent up, added; removed after a question in the house's words."""

from __future__ import annotations

from playwright.sync_api import expect

from tests.browser.conftest import SignIn, Site
from tests.browser.test_mail_writing import customer_of


def test_files_are_added_and_removed_after_a_question(site: Site, sign_in: SignIn) -> None:
    page = sign_in("wang.lei")
    page.goto(f"/party/customer/show/{customer_of(site, '王磊', '椴木文件柜')}")
    page.locator("#tab-crm-files").click()
    panel = page.locator("#yl-crm-files")
    add = panel.locator("[data-yl-files-add]")
    expect(add).to_be_hidden()
    panel.locator("input[type=file]").set_input_files(
        [{"name": name, "mimeType": "text/plain", "buffer": b"x"} for name in ("营业执照.txt", "平面图.txt")]
    )
    expect(panel.locator("[name=file]")).to_have_count(2)
    add.click()
    expect(panel.locator("tbody tr")).to_have_count(2)
    expect(add).to_be_hidden()
    row = panel.locator("tbody tr", has_text="营业执照.txt")
    row.locator("button").click()
    question = page.locator("#yl-confirm")
    expect(question).to_contain_text("营业执照.txt")
    question.get_by_role("button").first.click()  # not after all
    expect(panel.locator("tbody tr")).to_have_count(2)
    row.locator("button").click()
    question.locator(".btn-danger, .btn-primary").first.click()
    expect(panel.locator("tbody tr")).to_have_count(1)
    expect(panel.locator("tbody")).to_contain_text("平面图.txt")
